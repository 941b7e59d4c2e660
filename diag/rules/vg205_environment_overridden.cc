// VG205 environment-overridden: a later drop-in, an EnvironmentFile=, UnsetEnvironment= or a
// bare Environment= takes a wanted value away or replaces it.
//
// Drop-ins are sorted by file name over all directories, and the later one wins; what an
// EnvironmentFile= sets wins over Environment= (measured, systemd 252). Replacing what hides
// a device is no loss.

#include "absl/strings/str_cat.h"
#include "diag/rules/common.h"
#include "diag/rules/rules.h"
#include "diag/rules/wanted.h"

namespace vgpu::rules {
namespace {

struct Overridden {
  std::string name;
  std::string value;  // what was wanted
  systemd::Place was;
  std::string by_text;  // what wins, as it stands there
  systemd::Place by;
  std::string how;
  bool unset = false;
};

// Earlier values that the unit's text itself gives, and who ended them.
std::vector<Overridden> Ended(const facts::Facts& facts) {
  const systemd::EffectiveUnit& disk = facts.unit.on_disk;
  std::vector<Overridden> ended;
  for (const systemd::Superseded& s : disk.superseded) {
    if (!s.was.value.present()) continue;
    Overridden o{s.key, *s.was.value, s.was.place, "", s.by, "", false};
    if (s.how == systemd::Superseded::How::kReset) {
      o.by_text = "Environment=";
      o.how = "a bare Environment= takes back every assignment before it";
    } else {
      auto now = disk.environment.find(s.key);
      o.by_text = Assignment(s.key, now == disk.environment.end() ? "" : now->second.raw);
      o.how = "this later assignment replaces it";
    }
    ended.push_back(std::move(o));
  }
  for (const auto& [name, entry] : disk.environment) {
    if (!entry.value.present()) continue;
    auto now = facts.unit.disk_environment.find(name);
    Overridden o{name, *entry.value, entry.place, "", {}, "", false};
    if (now != facts.unit.disk_environment.end() && now->second.source != entry.place.file &&
        now->second.value.present()) {
      o.by = {now->second.source, now->second.line};
      o.by_text = Assignment(name, *now->second.value);
      o.how = "an EnvironmentFile= wins over Environment=";
    } else if (now == facts.unit.disk_environment.end()) {
      for (const systemd::EnvironmentWord& word : disk.unset_environment) {
        if (word.word.substr(0, word.word.find('=')) != name) continue;
        o.by = word.place;
        o.by_text = absl::StrCat("UnsetEnvironment=", word.word);
        o.how = "what UnsetEnvironment= names is taken away last";
        o.unset = true;
      }
    }
    if (!o.how.empty()) ended.push_back(std::move(o));
  }
  return ended;
}

std::vector<FixStep> Repair(const facts::Facts& facts, const Overridden& o) {
  const std::string line = absl::StrCat("Environment=\"", o.name, "=", o.value, "\"");
  for (const systemd::EnvironmentFileSetting& file : facts.unit.on_disk.environment_files) {
    if (file.path != o.by.file) continue;
    return {
        {absl::StrCat("sudoedit ", o.by.file),
         absl::StrCat("take line ", o.by.line, " out, or write ", o.name, "=", o.value,
                      " there: it wins over every drop-in"),
         "", "put the line back as it was", AssignVariable{o.by.file, o.by.line, o.name, o.value}},
        RestartStep(facts, "the file is read at each start")};
  }
  if (o.unset) {
    std::vector<std::string> lines = {"UnsetEnvironment="};
    for (const systemd::EnvironmentWord& word : facts.unit.on_disk.unset_environment) {
      if (word.word.substr(0, word.word.find('=')) == o.name) continue;
      lines.push_back(absl::StrCat("UnsetEnvironment=", word.word));
    }
    return LastDropInSteps(facts, "VG205", lines,
                           absl::StrCat("nothing takes ", o.name, " away any more"), "");
  }
  return LastDropInSteps(facts, "VG205", {line}, "the last assignment wins: this one is the last",
                         "");
}

}  // namespace

Judgement EnvironmentOverridden(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  if (!facts.unit.files.fragment.present() && facts.unit.files.drop_ins.empty()) {
    return CannotTell{absl::StrCat("the files of ", facts.unit.name),
                      std::string(facts.unit.files.fragment.why_not()),
                      absl::StrCat("systemctl cat ", facts.unit.name)};
  }
  Holds holds;
  const std::vector<Overridden> ended = Ended(facts);
  const Overridden* first = nullptr;
  // The last assignment before the end is what was in force.
  for (auto it = ended.rbegin(); it != ended.rend(); ++it) {
    if (!LosesByIt(facts, it->name, it->value)) continue;
    if (!ProcessHas(facts, it->name, it->value).value_or(false) &&
        facts.FoundGpu().value_or(false)) {
      continue;  // the GPU is found without it
    }
    if (first == nullptr) first = &*it;
    if (holds.evidence.size() >= 8) continue;
    holds.evidence.push_back(
        {it->was.file, it->was.line, Assignment(it->name, it->value), "this is what was wanted"});
    holds.evidence.push_back({it->by.file, it->by.line, it->by_text, it->how});
  }
  if (first == nullptr) {
    if (!facts.unit.unread_environment_files.empty()) {
      return CannotTell{"what an EnvironmentFile= of the unit sets",
                        facts.unit.unread_environment_files.front().why,
                        absl::StrCat("systemctl cat ", facts.unit.name)};
    }
    return Contradicted{"no later setting takes away what discovery needs"};
  }
  AddEffect(facts, first->name, first->value, holds);
  holds.explains.push_back("VG507");
  holds.headline = absl::StrCat(first->by.file, ":", first->by.line, " takes ", first->name, " of ",
                                first->was.file, " away (", first->how, ").");
  holds.fix = Repair(facts, *first);
  holds.expect = {
      absl::StrCat("/proc/PID/environ of the new process has ", first->name, "=", first->value),
      ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

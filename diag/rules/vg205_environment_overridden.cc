// VG205 environment-overridden: a later drop-in, an EnvironmentFile=, UnsetEnvironment= or a
// bare Environment= takes a wanted value away or replaces it.
//
// Drop-ins are sorted by file name over all directories, and the later one wins; what an
// EnvironmentFile= sets wins over Environment= (measured, systemd 252). Replacing what hides
// a device is no loss.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/wanted.h"

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

// What the same text takes away besides, of what a GPU is found by: era A needs LD_LIBRARY_PATH
// and LD_PRELOAD, and one repair brings both back.
bool GoesWith(const facts::Facts& facts, const Overridden& o, const Overridden& other) {
  if (other.by.file != o.by.file || other.unset != o.unset || other.value.empty()) return false;
  if (other.name == o.name) return false;
  if (other.name != "LD_PRELOAD" && other.name != "LD_LIBRARY_PATH" &&
      !absl::StartsWith(other.name, "VGPU_")) {
    return false;
  }
  const auto now = facts.unit.disk_environment.find(other.name);
  return now == facts.unit.disk_environment.end() || now->second.value.value_or("x").empty();
}

// What one repair brings back, the latest value of each name.
std::vector<Overridden> BroughtBack(const facts::Facts& facts, const std::vector<Overridden>& ended,
                                    const Overridden& o) {
  std::vector<Overridden> all = {o};
  for (auto it = ended.rbegin(); it != ended.rend(); ++it) {
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const Overridden& had) { return had.name == it->name; });
    if (!known && GoesWith(facts, o, *it)) all.push_back(*it);
  }
  return all;
}

std::vector<FixStep> Repair(const facts::Facts& facts, const std::vector<Overridden>& ended,
                            const Overridden& o) {
  const std::vector<Overridden> all = BroughtBack(facts, ended, o);
  for (const systemd::EnvironmentFileSetting& file : facts.unit.on_disk.environment_files) {
    if (file.path != o.by.file) continue;
    std::vector<FixStep> steps;
    for (const Overridden& each : all) {
      steps.push_back({absl::StrCat("sudoedit ", o.by.file),
                       absl::StrCat("take line ", each.by.line, " out, or write ", each.name, "=",
                                    each.value, " there: it wins over every drop-in"),
                       "", "put the line back as it was",
                       AssignVariable{each.by.file, each.by.line, each.name, each.value}});
    }
    steps.push_back(RestartStep(facts, "the file is read at each start"));
    return steps;
  }
  std::vector<std::string> names, lines;
  for (const Overridden& each : all) {
    names.push_back(each.name);
    lines.push_back(absl::StrCat("Environment=\"", each.name, "=", each.value, "\""));
  }
  if (o.unset) {
    lines = {"UnsetEnvironment="};
    for (const systemd::EnvironmentWord& word : facts.unit.on_disk.unset_environment) {
      const std::string name = word.word.substr(0, word.word.find('='));
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      lines.push_back(absl::StrCat("UnsetEnvironment=", word.word));
    }
    return LastDropInSteps(
        facts, "VG205", lines,
        absl::StrCat("nothing takes ", absl::StrJoin(names, " and "), " away any more"), "");
  }
  return LastDropInSteps(facts, "VG205", lines, "the last assignment wins: this one is the last",
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
  // Devices that a repair of the loader's variables leaves hidden are a fault beside.
  if (absl::EndsWith(first->name, "VISIBLE_DEVICES")) holds.explains.push_back("VG507");
  holds.headline = absl::StrCat(first->by.file, ":", first->by.line, " takes ", first->name, " of ",
                                first->was.file, " away (", first->how, ").");
  holds.fix = Repair(facts, ended, *first);
  holds.expect = {
      absl::StrCat("/proc/PID/environ of the new process has ", first->name, "=", first->value),
      ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

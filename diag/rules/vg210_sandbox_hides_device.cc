// VG210 sandbox-hides-device: the unit's sandbox hides the device or the libraries.
//
// The shims' files, Ollama's own, and, where NVIDIA's driver is used, its nodes: what a
// setting covers is not there for the service, whatever modes and owners say. The loader's
// words for a hidden file are those for a missing one (measured, glibc 2.36).

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/facts/service_view.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/start_failure.h"

namespace vgpu::rules {
namespace {

using facts::Sight;

constexpr size_t kMaxNamed = 8;

struct Closed {
  std::string path;
  Sight sight;
  std::string meaning;
  bool needed = true;    // discovery fails without it
  bool program = false;  // the service does not start without it
  std::vector<std::string> explains;
};

bool IsClosed(const Sight& sight) { return sight.what == Sight::What::kHidden || sight.noexec; }

void AddPath(const facts::Facts& facts, const std::string& path, const std::string& what,
             std::vector<std::string> explains, bool program, std::vector<Closed>& closed) {
  if (path.empty() || path.front() != '/') return;
  Sight sight = facts::SeenByService(facts.unit, facts.process, path);
  // A noexec mount of the host's own is no sandbox.
  const bool of_unit = facts.unit.mounts.ExecutionAt(path) != nullptr;
  if (!IsClosed(sight) || (sight.what != Sight::What::kHidden && !of_unit)) return;
  closed.push_back({path, sight,
                    absl::StrCat(what, sight.what == Sight::What::kHidden
                                           ? " is hidden from the service"
                                           : " cannot be mapped for execution by the service"),
                    true, program, std::move(explains)});
}

// The names under which the driver registers a node's major number in /proc/devices: one
// number for all but nvidia-uvm, whatever its release calls it.
std::vector<absl::string_view> ClassesOf(absl::string_view node) {
  if (absl::StartsWith(host::Basename(node), "nvidia-uvm")) return {"nvidia-uvm"};
  return {"nvidia", "nvidia-frontend", "nvidiactl", "195"};
}

// Whether one DeviceAllow= opens the node for reading and writing (systemd.resource-control(5)).
bool Allows(absl::string_view setting, absl::string_view node) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(setting, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.empty()) return false;
  if (words.size() > 1 && !(absl::StrContains(words[1], 'r') && absl::StrContains(words[1], 'w'))) {
    return false;
  }
  absl::string_view group = words.front();
  if (!absl::ConsumePrefix(&group, "char-")) return group == node;
  // Which number nvidia-uvm has is the kernel's choice.
  if (group != "195" && group.find_first_not_of("0123456789") == absl::string_view::npos) {
    return absl::StartsWith(host::Basename(node), "nvidia-uvm");
  }
  const std::string pattern(group);
  for (absl::string_view name : ClassesOf(node)) {
    if (fnmatch(pattern.c_str(), std::string(name).c_str(), 0) == 0) return true;
  }
  return false;
}

// The device cgroup of the unit, where it refuses a node.
struct Refusal {
  const systemd::Setting* setting = nullptr;  // nullptr: it refuses none
  std::string node;
};

Refusal ByDeviceCgroup(const facts::Facts& facts) {
  const systemd::EffectiveUnit& unit = facts.unit.on_disk;
  const std::vector<systemd::Setting> allowed = unit.All("Service", "DeviceAllow");
  const systemd::Setting* policy = unit.Last("Service", "DevicePolicy");
  const bool strict = policy != nullptr && policy->value != "auto" && !policy->value.empty();
  if (!strict && allowed.empty()) return {};
  for (const facts::DeviceNode& node : facts.devices.nodes) {
    if (!node.found.present()) continue;
    const bool open = std::any_of(
        allowed.begin(), allowed.end(),
        [&](const systemd::Setting& setting) { return Allows(setting.value, node.path); });
    if (!open) return {strict ? policy : unit.Last("Service", "DeviceAllow"), node.path};
  }
  return {};
}

std::vector<Closed> FindClosed(const facts::Facts& facts) {
  std::vector<Closed> closed;
  const std::vector<const facts::PreloadList*> lists =
      facts.process.present() ? facts.PreloadsNow() : facts.PreloadsNextStart();
  for (const facts::PreloadList* list : lists) {
    for (const facts::PreloadEntry& entry : list->entries) {
      const size_t before = closed.size();
      if (!entry.is_path) continue;
      AddPath(facts, entry.file.path, "the preload entry", {"VG401", "VG402", "VG403", "VG704"},
              false, closed);
      if (closed.size() > before) {
        closed.back().needed =
            entry.shim.has_value() && facts::NeededIn(*entry.shim, facts.ollama.era);
      }
    }
  }
  if (facts.program.file.found.present()) {
    AddPath(facts, facts.program.file.found->path,
            "the program of ExecStart=", {"VG208", "VG301", "VG307"}, true, closed);
  }
  if (facts.ollama.library_dir.present()) {
    AddPath(facts, facts.ollama.library_dir->path, "Ollama's library directory",
            {"VG501", "VG502", "VG503", "VG504", "VG704"}, false, closed);
  }
  if (!facts.devices.IsPhysical()) return closed;
  bool any_node = false;
  for (const facts::DeviceNode& node : facts.devices.nodes) {
    if (node.found.not_observed()) continue;
    any_node = any_node || node.found.present();
    const size_t before = closed.size();
    AddPath(facts, node.path, "the driver's node", {"VG604", "VG704", "VG707"}, false, closed);
    // Once the driver makes it, it will be hidden; today something else keeps it away.
    if (closed.size() > before) closed.back().needed = node.found.present();
  }
  const Refusal refusal = any_node ? ByDeviceCgroup(facts) : Refusal{};
  if (refusal.setting != nullptr) {
    Sight sight;
    sight.what = Sight::What::kHidden;
    sight.because = absl::StrCat(refusal.setting->key, "=", refusal.setting->value);
    sight.source = refusal.setting->place.file;
    sight.line = refusal.setting->place.line;
    closed.push_back({refusal.node,
                      std::move(sight),
                      "no DeviceAllow= names the driver's node: opening it is refused",
                      true,
                      false,
                      {"VG604", "VG704", "VG707"}});
  }
  return closed;
}

// A filter of system calls that kills the service: SIGSYS.
std::optional<Judgement> KilledByFilter(const facts::Facts& facts) {
  const systemd::Setting* filter = facts.unit.on_disk.Last("Service", "SystemCallFilter");
  if (filter == nullptr || facts.process.present() || !facts.log.journal.present() ||
      facts.log.journal->exits.empty() || facts.log.journal->exits.back().status != "31/SYS") {
    return std::nullopt;
  }
  Holds holds;
  holds.confidence = Confidence::kCertain;
  holds.evidence = {FromLog(*facts.log.journal, facts.log.journal->exits.back().line,
                            "SIGSYS: the kernel ended it at a system call that its filter refuses"),
                    {filter->place.file, filter->place.line,
                     absl::StrCat("SystemCallFilter=", filter->value), "the filter"}};
  holds.explains = {"VG301", "VG307"};
  holds.headline = absl::StrCat("The SystemCallFilter= of ", facts.unit.name,
                                " kills the service: let the call fail instead, or allow it.");
  holds.fix = LastDropInSteps(facts, "VG210", {"SystemCallErrorNumber=EPERM"},
                              "a call that the filter refuses then fails, and kills nobody",
                              "what needs the call goes without it");
  holds.expect = {absl::StrCat("`systemctl is-active ", facts.unit.name, "` says active")};
  return Judgement(std::move(holds));
}

// The directories of the libraries that a setting of this name hides. Empty where one of them is
// no library's, or has a name that a unit would have to quote.
std::vector<std::string> HiddenDirectories(const std::vector<Closed>& closed,
                                           absl::string_view key) {
  std::vector<std::string> dirs;
  for (const Closed& item : closed) {
    if (!absl::StartsWith(item.sight.because, absl::StrCat(key, "="))) continue;
    const std::string dir(host::Dirname(item.path));
    if (item.program || absl::StartsWith(dir, "/dev") || absl::StartsWith(dir, "/sys") ||
        dir.find_first_of(" :%\\\"'") != std::string::npos) {
      return {};
    }
    if (std::find(dirs.begin(), dirs.end(), dir) == dirs.end()) dirs.push_back(dir);
  }
  return dirs;
}

// The line that takes the setting back, or lets these libraries through; empty where a person must
// edit it.
std::string Undoing(absl::string_view written, const std::vector<Closed>& closed) {
  const absl::string_view key = written.substr(0, written.find('='));
  // What is bound below a tmpfs is seen in it; the deeper of two such lists counts
  // (systemd.exec(5)).
  for (const auto& [hides, shows] : {std::pair("TemporaryFileSystem", "BindReadOnlyPaths"),
                                     std::pair("NoExecPaths", "ExecPaths")}) {
    if (key != hides) continue;
    const std::vector<std::string> dirs = HiddenDirectories(closed, key);
    return dirs.empty() ? "" : absl::StrCat(shows, "=", absl::StrJoin(dirs, " "));
  }
  for (absl::string_view boolean : {"PrivateDevices", "ProtectHome", "PrivateTmp", "DynamicUser"}) {
    if (key == boolean) return absl::StrCat(key, "=no");
  }
  if (key == "DevicePolicy" || key == "DeviceAllow") return "DeviceAllow=char-nvidia* rw";
  return "";
}

}  // namespace

Judgement SandboxHidesDevice(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  if (auto killed = KilledByFilter(facts)) return *std::move(killed);
  const std::vector<Closed> closed = FindClosed(facts);
  if (closed.empty()) {
    if (!facts.unit.files.fragment.present()) {
      return CannotTell{absl::StrCat("the sandbox of ", facts.unit.name),
                        std::string(facts.unit.files.fragment.why_not()),
                        absl::StrCat("systemctl cat ", facts.unit.name)};
    }
    return Contradicted{"the unit's settings hide no file and no node that discovery needs"};
  }
  // What discovery needs comes first.
  const Closed* first = &closed.front();
  for (const Closed& item : closed) {
    if (item.needed && !first->needed) first = &item;
  }
  Holds holds;
  for (const Closed& item : closed) {
    if (holds.evidence.size() >= kMaxNamed) break;
    holds.evidence.push_back({item.sight.source, item.sight.line, item.sight.because,
                              absl::StrCat(item.meaning, ": ", item.path)});
    for (const std::string& code : item.explains) {
      if (item.needed &&
          std::find(holds.explains.begin(), holds.explains.end(), code) == holds.explains.end()) {
        holds.explains.push_back(code);
      }
    }
  }
  const bool by_mounts = facts.process.present() && facts.process->mounts.present();
  const bool down = first->program && facts.DiesAtStart();
  holds.acts = (facts.process.present() && first->needed && !first->program) || down
                   ? Acts::kNow
                   : Acts::kNextStart;
  const std::vector<Evidence> effect =
      holds.acts == Acts::kNow && !down ? NoGpuEvidence(facts) : FailedWith(facts, "203/EXEC");
  holds.confidence =
      !effect.empty() && (by_mounts || down) ? Confidence::kCertain : Confidence::kLikely;
  for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  holds.headline = absl::StrCat(first->sight.because, " of ", facts.unit.name, " hides ",
                                first->path, " from the service.");
  const systemd::MountSetting* over = facts.unit.mounts.Over(first->path);
  const std::string written = over != nullptr ? over->written : first->sight.because;
  const std::string line = Undoing(written, closed);
  if (!line.empty()) {
    holds.fix = LastDropInSteps(facts, "VG210", {line},
                                absl::StrCat("the service sees ", first->path, " again"),
                                "the service is less shut off from the rest of the machine");
  } else {
    const bool of_table = absl::StartsWith(first->sight.source, "/proc/");
    holds.fix = {{of_table ? absl::StrCat("sudo systemctl edit --full ", facts.unit.name)
                           : absl::StrCat("sudoedit ", ShellWord(first->sight.source)),
                  of_table ? absl::StrCat("take out the setting that hides ", first->path)
                           : absl::StrCat("take ", first->path, " out of ", written),
                  "the service is less shut off from the rest of the machine",
                  "put the line back as it was"},
                 ReloadStep("systemd reads the unit again"),
                 RestartStep(facts, "the sandbox is set up at the start")};
  }
  holds.expect = {down ? absl::StrCat("`systemctl is-active ", facts.unit.name, "` says active")
                       : ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

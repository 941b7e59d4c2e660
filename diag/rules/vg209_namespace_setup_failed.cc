// VG209 namespace-setup-failed: the unit's mount namespace cannot be set up as written.
//
// A path without the prefix "-" that does not exist ends the start with 226/NAMESPACE. An
// unescaped colon (as in a PCI address) makes the rest of a bind an option that systemd does
// not know: it ignores the bind, and the service starts with the real files (measured,
// systemd 252).

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/start_failure.h"

namespace vgpu::rules {
namespace {

using systemd::MountSetting;
using systemd::MountSettings;

constexpr char kStatus[] = "226/NAMESPACE";

// A bind that a GPU is shown by.
bool ShowsDevice(absl::string_view written) {
  for (absl::string_view part : {"/sys/", "/proc/", "/dev/", "vgpu", "nvidia", "ld.so.preload"}) {
    if (absl::StrContains(written, part)) return true;
  }
  return false;
}

// The first bind that systemd passes over for what its colons mean.
const MountSettings::Ignored* IgnoredBind(const facts::Facts& facts) {
  for (const MountSettings::Ignored& ignored : facts.unit.mounts.ignored) {
    if (absl::StartsWith(ignored.written, "Bind") && ShowsDevice(ignored.written)) return &ignored;
  }
  return nullptr;
}

// The path of systemd's own line: "/run/systemd/unit-root/opt/x: No such file or directory".
bool Names(absl::string_view line, absl::string_view path) {
  return absl::StrContains(line, absl::StrCat(path, ": No such file")) ||
         absl::StrContains(line, absl::StrCat("/run/systemd/unit-root", path, ":"));
}

Judgement FailsToStart(const facts::Facts& facts, std::vector<Evidence> failed) {
  const std::vector<MountSetting>& missing = facts.unit.missing_mounts;
  std::optional<Evidence> said =
      SystemdSays(facts, "Failed to set up mount namespacing", "systemd names what it lacks");
  const MountSetting* first = missing.empty() ? nullptr : &missing.front();
  for (const MountSetting& mount : missing) {
    if (said && (Names(said->quote, mount.source) || Names(said->quote, mount.target))) {
      first = &mount;
    }
  }
  Holds holds;
  for (Evidence& evidence : failed) holds.evidence.push_back(std::move(evidence));
  if (said && !failed.empty()) holds.evidence.push_back(*said);
  std::string path;
  if (first != nullptr) {
    path = first->kind == MountSetting::Kind::kBind && !first->source.empty() ? first->source
                                                                              : first->target;
    if (first->kind == MountSetting::Kind::kBind && absl::StartsWith(first->target, "/sys/")) {
      path = first->source + " or " + first->target;
    }
    if (first->kind == MountSetting::Kind::kBind && absl::StartsWith(first->target, "/proc/")) {
      path = first->source + " or " + first->target;
    }
    holds.evidence.push_back({first->place.file, first->place.line, first->written,
                              absl::StrCat(path,
                                           " does not exist, and no - before it lets systemd "
                                           "pass it over")});
  }
  holds.acts = failed.empty() ? Acts::kNextStart : Acts::kNow;
  holds.confidence =
      !failed.empty() && first != nullptr ? Confidence::kCertain : Confidence::kLikely;
  holds.explains = {"VG301", "VG307"};
  holds.headline = first == nullptr
                       ? absl::StrCat("systemd cannot set up the mounts of ", facts.unit.name,
                                      " (226/NAMESPACE): a path that its sandbox names is missing.")
                       : absl::StrCat(facts.unit.name, " cannot start: ", path, ", which ",
                                      first->place.file, " names, does not exist.");
  if (first != nullptr) {
    holds.fix.push_back({absl::StrCat("sudoedit ", ShellWord(first->place.file)),
                         absl::StrCat("put the path back, or write a - before it on line ",
                                      first->place.line, " so that the service starts without it"),
                         "with a - a broken installation goes unnoticed: the service starts with "
                         "the host's own files",
                         "put the line back as it was"});
  } else {
    holds.fix.push_back({absl::StrCat("systemctl cat ", facts.unit.name),
                         "shows the paths that Bind*Paths=, ReadWritePaths= and their like name",
                         "", ""});
  }
  holds.fix.push_back(ReloadStep("systemd reads the corrected line"));
  holds.fix.push_back(RestartStep(facts, "systemd tries again"));
  holds.expect = {absl::StrCat("`systemctl is-active ", facts.unit.name, "` says active")};
  return holds;
}

Judgement PassedOver(const facts::Facts& facts, const MountSettings::Ignored& ignored) {
  Holds holds;
  holds.evidence.push_back({ignored.place.file, ignored.place.line, ignored.written,
                            absl::StrCat("systemd ignores it: ", ignored.message)});
  if (auto said = SystemdSays(facts, "ignoring setting: ", "systemd says so")) {
    holds.evidence.push_back(*std::move(said));
  }
  holds.acts = facts.process.present() ? Acts::kNow : Acts::kNextStart;
  holds.confidence = Confidence::kLikely;
  holds.explains = {"VG601", "VG602", "VG603", "VG604"};
  if (absl::StrContains(ignored.written, "ld.so.preload")) {
    for (const char* code : {"VG414", "VG704"}) holds.explains.push_back(code);
  }
  holds.headline =
      absl::StrCat("systemd ignores the bind on ", ignored.place.file, ":", ignored.place.line,
                   ", because its colons are not escaped: the service sees the "
                   "host's own files there.");
  holds.fix = {{absl::StrCat("sudoedit ", ShellWord(ignored.place.file)),
                absl::StrCat("on line ", ignored.place.line,
                             ", write \\: for each colon that belongs to a path, as in "
                             "/sys/devices/pci0000\\:00/0000\\:00\\:05.0; the one between source "
                             "and target stays bare"),
                "", "put the line back as it was"},
               ReloadStep("systemd reads the corrected line"),
               RestartStep(facts, "the mounts are set up at the start")};
  holds.expect = {
      absl::StrCat("`sudo grep -c pci /proc/PID/mountinfo` of the new process is not 0")};
  return holds;
}

}  // namespace

Judgement NamespaceSetupFailed(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  std::vector<Evidence> failed = FailedWith(facts, kStatus);
  const MountSettings& mounts = facts.unit.mounts;
  // A process that runs was given its mounts: a path that is gone since stops the next start.
  // A capture may lack what nobody thought to matter.
  const bool missing =
      !facts.unit.missing_mounts.empty() && (facts.complete || !facts.process.present());
  if (!failed.empty() || missing) return FailsToStart(facts, std::move(failed));
  if (const MountSettings::Ignored* ignored = IgnoredBind(facts)) {
    return PassedOver(facts, *ignored);
  }
  if (!mounts.unknown.empty()) {
    return CannotTell{
        absl::StrCat("what ", mounts.unknown.front().written, " means"),
        mounts.unknown.front().message,
        absl::StrCat("systemctl show -p BindPaths -p BindReadOnlyPaths ", facts.unit.name)};
  }
  if (!facts.unit.files.fragment.present()) {
    return CannotTell{absl::StrCat("the files of ", facts.unit.name),
                      std::string(facts.unit.files.fragment.why_not()),
                      absl::StrCat("systemctl cat ", facts.unit.name)};
  }
  return Contradicted{mounts.settings.empty()
                          ? "the unit mounts and hides nothing"
                          : absl::StrCat(Count(mounts.settings.size(), "path is", "paths are"),
                                         " mounted or hidden by the unit, and none that must be "
                                         "there is missing")};
}

}  // namespace vgpu::rules

// VG302 service-started-before-config: systemd has the right configuration, and the
// running process was started before it had it.
//
// Content decides first: a variable that the loaded unit gives and the process lacks.
// Time tells the reason: the process is older than the last load of the units, or than
// the drop-in.

#include "absl/strings/str_cat.h"
#include "diag/rules/common.h"
#include "diag/rules/rules.h"
#include "diag/rules/wrapper.h"

namespace vgpu::rules {
namespace {

// When the file that gives a variable was written. Not observed where the variable
// comes from no file that is known.
host::Observed<absl::Time> WrittenAt(const facts::Facts& facts, const std::string& name) {
  auto disk = facts.unit.disk_environment.find(name);
  if (disk == facts.unit.disk_environment.end()) {
    return host::NotObserved{"no file on disk gives it"};
  }
  // FindUnit read these files; their times are those of the host tree.
  for (const facts::UnitFile& file : facts.unit.times) {
    if (file.path == disk->second.source) return file.mtime;
  }
  return host::NotObserved{"the time of its file is not known"};
}

}  // namespace

Judgement ServiceStartedBeforeConfig(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  host::Observed<std::vector<Difference>> lost = LostByProcess(facts);
  if (facts.process.absent()) return Contradicted{"no process runs"};
  if (!lost.present()) {
    return CannotTell{"the environment of the process beside that of its unit",
                      std::string(lost.why_not()), HowToSeeProcess(facts)};
  }
  if (lost->empty()) {
    return Contradicted{
        absl::StrCat("process ", facts.process->pid, " has every variable that its unit gives")};
  }
  host::Observed<bool> before = facts.StartedBeforeReload();
  host::Observed<absl::Time> written = WrittenAt(facts, lost->front().name);
  const host::Observed<absl::Time>& started = facts.process->started;
  if (before.present() && !*before) {
    return Contradicted{absl::StrCat("process ", facts.process->pid,
                                     " was started after systemd loaded the unit as it is")};
  }
  const bool newer_file =
      written.present() && started.present() && *written > *started + absl::Seconds(1);
  const bool older_file = written.present() && started.present() && *written <= *started;
  if (older_file) {
    // The file was there when the process started, and a wrapper explains the loss.
    host::Observed<Wrapper> wrapper = FindWrapper(facts);
    if (wrapper.present() && !wrapper->harm.empty()) {
      return Contradicted{"the configuration is older than the process, and a wrapper changes it"};
    }
  }
  if (!before.present() && !newer_file) {
    return CannotTell{"whether the process is older than its configuration",
                      std::string(before.why_not()),
                      absl::StrCat("systemctl show -p ExecMainStartTimestamp ", facts.unit.name,
                                   "; systemctl show -p UnitsLoadTimestamp")};
  }

  Holds holds;
  for (const Difference& difference : *lost) {
    holds.evidence.push_back(FromVariable(difference.name, difference.wanted,
                                          "systemd has this loaded for the unit"));
    holds.evidence.push_back(
        {facts.process->environ.source, 0,
         difference.actual.present() ? Assignment(difference.name, *difference.actual)
                                     : absl::StrCat("(no ", difference.name, ")"),
         difference.actual.present() ? "the process has another value"
                                     : "the process does not have it"});
  }
  if (started.present()) {
    holds.evidence.push_back({facts.process->started.source, 0,
                              absl::StrCat("started ", TimeText(facts, *started)),
                              "when the process was started"});
  }
  if (before.present() && facts.unit.reloaded_at.present()) {
    holds.evidence.push_back(
        {facts.unit.manager.source, 0,
         absl::StrCat("UnitsLoadTimestamp=", TimeText(facts, *facts.unit.reloaded_at)),
         "systemd loaded its units after that"});
  }
  if (newer_file) {
    holds.evidence.push_back({facts.unit.disk_environment.at(lost->front().name).source, 0,
                              absl::StrCat("written ", TimeText(facts, *written)),
                              "the file is younger than the process"});
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  for (Evidence& evidence : NoShimEvidence(facts)) effect.push_back(std::move(evidence));
  holds.confidence =
      before.present() && !effect.empty() ? Confidence::kCertain : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat("Process ", facts.process->pid, " of ", facts.unit.name,
                                " is older than its configuration (", Describe(*lost),
                                "): restart the service.");
  holds.fix = {RestartStep(facts, "only a new process gets the environment that is loaded")};
  holds.expect = {
      absl::StrCat("the new process has ", lost->front().name, " in /proc/PID/environ"),
      ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

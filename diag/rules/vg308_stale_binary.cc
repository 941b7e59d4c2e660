// VG308 stale-binary: the running program is not the file that ExecStart names now: another
// path since the last reload, or the same path with another file at it (an upgrade without a
// restart).
//
// A wrapper in ExecStart runs another program by intention (VG207), and a service with a root
// directory of its own names its program otherwise than the host does.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/facts/mapped_library.h"
#include "diag/ollama/era.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/wrapper.h"

namespace vgpu::rules {
namespace {

// ExecStart's program starts the one that runs: no Ollama in it, where that was seen, or the
// running one is called as a wrapper calls it (Nix: ".ollama-wrapped" beside "ollama").
bool StartsAnother(const facts::Facts& facts, const std::string& exe) {
  const facts::FileFacts& program = facts.program.file;
  const bool go_here = program.elf.present() && program.elf->go_build.present();
  const bool go_there = facts.exe_file.elf.present() && facts.exe_file.elf->go_build.present();
  if (go_there && !go_here && program.elf.present() && program.elf->go_build.absent()) return true;
  return absl::StrContains(host::Basename(exe), host::Basename(program.found->path)) &&
         absl::EndsWith(host::Basename(exe), "-wrapped");
}

bool HasRootOfItsOwn(const facts::Facts& facts) {
  return facts.unit.on_disk.Last("Service", "RootDirectory") != nullptr ||
         facts.unit.on_disk.Last("Service", "RootImage") != nullptr || !facts.process->root.empty();
}

// The file of this path that the process was started from is not the one that is there.
host::Observed<facts::Freshness> MappedExe(const facts::Facts& facts) {
  const facts::ProcessFacts& process = *facts.process;
  if (!process.maps.present()) return host::NotObserved{std::string(process.maps.why_not())};
  for (const procfs::MappedFile& file : process.maps->files) {
    if (file.path != *process.exe) continue;
    return facts::CompareWithDisk(file, facts.exe_file.found, host::NotObserved{"no matter"},
                                  /*same_view=*/true);
  }
  return host::NotObserved{absl::StrCat(process.maps.source, " does not name the program")};
}

// What the process called itself at its start, and what the file on disk is: releases, and
// no builds in between.
std::optional<std::pair<std::string, std::string>> OtherVersion(const facts::Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  const host::Observed<elf::ElfInfo>& elf = facts.program.file.elf;
  if (start == nullptr || start->version.empty() || !elf.present() || !elf->go_build.present() ||
      !elf->go_build->version.present()) {
    return std::nullopt;
  }
  const std::string on_disk(absl::StripPrefix(*elf->go_build->version, "v"));
  const auto running = ollama::ParseVersion(start->version);
  const auto named = ollama::ParseVersion(on_disk);
  const bool between = absl::StrContains(on_disk, "-0.") || absl::StrContains(on_disk, "+") ||
                       absl::StrContains(start->version, "-");
  if (!running || !named || between || *running == *named) return std::nullopt;
  return std::make_pair(start->version, on_disk);
}

}  // namespace

Judgement StaleBinary(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  if (facts.process.absent()) return Contradicted{"no process runs"};
  if (!facts.process.present()) {
    return CannotTell{"the program of the process", std::string(facts.process.why_not()),
                      HowToSeeProcess(facts)};
  }
  const facts::ProcessFacts& process = *facts.process;
  const host::Observed<Wrapper> wrapper = FindWrapper(facts);
  if (wrapper.present()) {
    return Contradicted{absl::StrCat("ExecStart runs ", facts.program.file.path, ", ",
                                     wrapper->kind, ", which starts another program")};
  }
  if (facts.unit.main_pid.present() && *facts.unit.main_pid != process.pid) {
    return Contradicted{
        absl::StrCat("process ", process.pid, " was not started by systemd itself")};
  }
  if (!process.exe.present()) {
    return CannotTell{absl::StrCat("the program of process ", process.pid),
                      Because(process.exe.source, process.exe.why_not()), HowToSeeProcess(facts)};
  }
  const facts::FileFacts& program = facts.program.file;
  if (program.path.empty() || program.found.not_observed()) {
    return CannotTell{"the file that ExecStart names", std::string(program.found.why_not()),
                      absl::StrCat("systemctl show -p ExecStart ", facts.unit.name)};
  }
  const std::string& exe = *process.exe;
  if (HasRootOfItsOwn(facts) || !absl::StartsWith(exe, "/") ||
      (program.found.present() && StartsAnother(facts, exe))) {
    return Contradicted{absl::StrCat(exe, " is started through ", program.path)};
  }
  const bool other_path = program.found.present() && program.found->path != exe;
  const host::Observed<facts::Freshness> mapped = MappedExe(facts);
  const bool replaced = process.exe_deleted ||
                        mapped.value_or(facts::Freshness::kSame) == facts::Freshness::kReplaced;
  const auto versions = OtherVersion(facts);
  if (!other_path && !replaced && !versions) {
    return Contradicted{absl::StrCat(program.path, " is what runs",
                                     program.path == exe ? "" : absl::StrCat(" (", exe, ")"))};
  }

  Holds holds;
  holds.evidence.push_back({process.exe.source, 0,
                            absl::StrCat(exe, process.exe_deleted ? " (deleted)" : ""),
                            "the program that runs"});
  holds.evidence.push_back(
      {facts.program.source, facts.program.line, absl::StrCat("ExecStart=", facts.program.command),
       other_path                ? absl::StrCat("systemd would start ", program.found->path)
       : program.found.present() ? "the file at this path was replaced after the process started"
                                 : "nothing is at this path now: the next start will fail"});
  const host::Observed<host::Resolved>& at_exe = facts.exe_file.found;
  if (!process.exe_deleted && replaced && at_exe.present() && at_exe->meta.id.present()) {
    for (const procfs::MappedFile& file : process.maps->files) {
      if (file.path != exe) continue;
      holds.evidence.push_back(
          {process.maps.source, 0, absl::StrCat(file.shown_path(), " (inode ", file.inode, ")"),
           absl::StrCat("the disk has inode ", at_exe->meta.id->ino, " there")});
      break;
    }
  }
  if (versions) {
    holds.evidence.push_back(
        FromLog(*facts.log.ServersLog(), *facts.ThisStart()->listening, "what runs calls itself"));
    holds.evidence.push_back(
        {program.path, 0, absl::StrCat("version ", versions->second), "what the file on disk is"});
  }
  const std::vector<Evidence> effect = NoGpuEvidence(facts);
  const bool on_cpu = facts.ollama.models_on_cpu.present() && !facts.ollama.models_on_cpu->empty();
  const host::Observed<std::vector<Difference>> lost = LostByProcess(facts);
  const bool old_too = lost.present() && !lost->empty();
  // A replaced file changes nothing for what found its GPU before; another program at another
  // path is what ExecStart was changed away from.
  holds.acts = other_path || !effect.empty() || on_cpu || old_too ? Acts::kNow : Acts::kNextStart;
  holds.confidence =
      other_path || old_too || effect.empty() ? Confidence::kLikely : Confidence::kPossible;
  for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  holds.explains = {"VG302", "VG706"};
  if (!effect.empty() || on_cpu) {
    for (const char* code : {"VG514", "VG704", "VG902"}) holds.explains.push_back(code);
  }
  if (other_path) {
    // Of the program that runs, and not of the one that ExecStart names.
    for (const char* code : {"VG501", "VG502", "VG504", "VG508", "VG509"}) {
      holds.explains.push_back(code);
    }
  }
  holds.headline =
      other_path
          ? absl::StrCat("Process ", process.pid, " runs ", exe, ", and ExecStart of ",
                         facts.unit.name, " names ", program.path, ": restart the service.")
          : absl::StrCat("Process ", process.pid, " runs an older file than the one that is at ",
                         exe, " now: restart the service.");
  holds.fix.push_back(RestartStep(facts, "only a new process is the program on disk"));
  holds.expect = {absl::StrCat("`sudo readlink /proc/PID/exe` of the new process says ",
                               program.found.present() ? program.found->path : program.path),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

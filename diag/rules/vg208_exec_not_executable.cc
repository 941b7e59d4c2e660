// VG208 exec-not-executable: systemd cannot execute what ExecStart= names.
//
// execve runs as the unit's user, so that every directory on the way must let that user
// pass: a program below a home directory of mode 0700 is out of reach for another (203/EXEC;
// systemd.exec(5)). What the unit's own sandbox hides is VG210.

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/facts/access.h"
#include "diag/facts/service_view.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/start_failure.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

struct Fault {
  Evidence evidence;
  FixStep fix;
};

// "#!/usr/bin/env bash": the interpreter's path, with the line end that stands there.
std::string Interpreter(absl::string_view script) {
  if (!absl::ConsumePrefix(&script, "#!")) return "";
  absl::string_view line = script.substr(0, script.find('\n'));
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == absl::string_view::npos) return "";
  line.remove_prefix(begin);
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

// Then its path is one below that root, and no path of the host's.
bool HasRootOfItsOwn(const facts::Facts& facts) {
  for (const char* key : {"RootDirectory", "RootImage"}) {
    const systemd::Setting* setting = facts.unit.on_disk.Last("Service", key);
    if (setting != nullptr && !setting->value.empty() && setting->value != "/") return true;
  }
  return false;
}

bool RunsAsRoot(const facts::Facts& facts) {
  for (const systemd::ExecCommand& command : facts.unit.on_disk.exec_start) {
    if (absl::StrContains(command.prefixes, '+')) return true;
  }
  return false;
}

std::optional<Fault> FindFault(const facts::Facts& facts) {
  const facts::FileFacts& file = facts.program.file;
  const std::string path = file.path;
  const std::string word = ShellWord(path);
  if (file.found.absent()) {
    const bool link = !file.trace.links.empty();
    return Fault{
        {facts.program.source, facts.program.line,
         absl::StrCat("ExecStart=", facts.program.command),
         link ? absl::StrCat("a link that ends at ", file.trace.stopped_at, ", which is not there")
              : absl::StrCat(path, " does not exist")},
        {absl::StrCat("command -v ollama; systemctl cat ", facts.unit.name),
         absl::StrCat("install Ollama at ", path, ", or let ExecStart= name where it is"), "", ""}};
  }
  if (!file.found.present()) return std::nullopt;
  const host::FileMeta& meta = file.found->meta;
  if (meta.type != host::FileType::kFile) {
    return Fault{{path, 0, std::string(host::FileTypeName(meta.type)), "it is no regular file"},
                 {absl::StrCat("sudo systemctl edit ", facts.unit.name),
                  "let ExecStart= name the program itself", "", ""}};
  }
  facts::Identity who;
  const bool known = RunsAsRoot(facts) || facts.unit.identity.present();
  if (!RunsAsRoot(facts) && facts.unit.identity.present()) who = *facts.unit.identity;
  if (who.name.empty()) who.name = "root";
  host::Observed<facts::Barrier> barrier = host::NotObserved{"the user is not known"};
  if (known) barrier = facts::WhatStops(file.way, who, facts::Want::kExecute);
  // Nobody may execute it: then no user needs to be known.
  if (!known && meta.mode.present() && (*meta.mode & 0111) == 0) {
    barrier = facts::Barrier{file.found->path, false, *meta.mode};
  }
  if (barrier.present()) {
    const std::string mode = facts::ModeText(barrier->mode);
    return Fault{
        {barrier->path, 0, absl::StrCat("mode ", mode),
         barrier->directory ? absl::StrCat("user ", who.name, " may not pass this directory, so ",
                                           path, " is out of reach")
                            : absl::StrCat("user ", who.name, " may not execute it")},
        OpenModeStep(
            barrier->path, barrier->directory ? "o+x" : "a+rx", mode,
            barrier->directory ? "lets others pass; what is in the directory stays unlisted"
                               : "lets the service's user execute it",
            barrier->directory ? "files in it that are open to others can be reached by their names"
                               : "")};
  }
  if (facts.program.script.present()) {
    const std::string interpreter = Interpreter(*facts.program.script);
    if (absl::EndsWith(interpreter, "\r")) {
      return Fault{{path, 1, absl::StrCat("#!", interpreter),
                    "the line ends in CR LF: the kernel looks for an interpreter with CR in its "
                    "name"},
                   {absl::StrCat("sudo sed -i 's/\\r$//' ", word), "takes the CRs out", "",
                    absl::StrCat("sudo sed -i 's/$/\\r/' ", word)}};
    }
    if (facts.program.interpreter.absent() && !interpreter.empty()) {
      return Fault{
          {path, 1, absl::StrCat("#!", interpreter), "the interpreter does not exist"},
          {absl::StrCat("sudoedit ", word), "let its first line name one that exists", "", ""}};
    }
  } else if (facts.program.script.absent() && file.elf.present()) {
    const elf::ElfInfo& elf = *file.elf;
    const std::string machine = elf.machine.value_or("");
    if (elf.error.present() && *elf.error != "truncated") {
      return Fault{
          {path, 0, *elf.error, "it is neither a program nor a script with #! (Exec format error)"},
          {absl::StrCat("file ", word), "put the program, or a first line with #!, there", "", ""}};
    }
    if (facts.program.other_machine) {
      return Fault{{path, 0, absl::StrCat("machine ", machine),
                    "it is a program for another processor (Exec format error)"},
                   {"uname -m", "install the build of Ollama for this processor", "", ""}};
    }
  }
  if (facts.program.noexec.present()) {
    return Fault{
        {"/proc/1/mountinfo", 0, *facts.program.noexec,
         absl::StrCat(path, " lies on a file system that is mounted noexec")},
        {absl::StrCat("sudo mount -o remount,exec ", ShellWord(facts.program.noexec_mount_point)),
         "until the next boot; /etc/fstab says what holds then", "",
         absl::StrCat("sudo mount -o remount,noexec ",
                      ShellWord(facts.program.noexec_mount_point))}};
  }
  return std::nullopt;
}

}  // namespace

Judgement ExecNotExecutable(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  const facts::FileFacts& file = facts.program.file;
  std::vector<Evidence> failed = FailedWith(facts, "203/EXEC");
  const std::string place = file.found.present() ? file.found->path : file.path;
  const facts::Sight sight = facts::SeenByNextStart(facts.unit.mounts, place);
  const bool hidden = sight.what == facts::Sight::What::kHidden || sight.noexec;
  std::optional<Fault> fault;
  if (!hidden && sight.what == facts::Sight::What::kAsHost && !HasRootOfItsOwn(facts)) {
    fault = FindFault(facts);
  }
  // Where it runs from this very file, what is odd about the file stops nobody yet; one that
  // a capture lacks is not missing.
  if (fault && facts.process.present() && file.found.absent() && !facts.complete) {
    fault.reset();
  }
  // A start that ended in another way was executed; what is odd about the file came later.
  if (failed.empty() && facts.log.journal.present() && !facts.log.journal->exits.empty() &&
      !facts.log.journal->exits.back().status.empty()) {
    return Contradicted{absl::StrCat("the last start was executed: it ended with ",
                                     facts.log.journal->exits.back().status)};
  }
  if (!fault && failed.empty()) {
    if (file.found.not_observed()) {
      return CannotTell{"whether the program of ExecStart= can be executed",
                        std::string(file.found.why_not()),
                        absl::StrCat("sudo namei -l ", ShellWord(file.path))};
    }
    return Contradicted{facts.process.present()
                            ? absl::StrCat("process ", facts.process->pid, " runs")
                            : absl::StrCat("nothing stands against executing ", file.path)};
  }
  Holds holds;
  for (Evidence& evidence : failed) holds.evidence.push_back(std::move(evidence));
  if (fault) holds.evidence.push_back(fault->evidence);
  const bool acts = !holds.evidence.empty() && !facts.process.present() &&
                    (!failed.empty() || facts.DiesAtStart());
  holds.acts = acts ? Acts::kNow : Acts::kNextStart;
  holds.confidence = !failed.empty() && fault ? Confidence::kCertain : Confidence::kLikely;
  // The wrapper has no interpreter, the link leads nowhere: that is why nothing runs.
  holds.explains = {"VG301", "VG307"};
  holds.headline =
      absl::StrCat("systemd cannot execute ", file.path,
                   fault ? absl::StrCat(" (",
                                        fault->evidence.source == file.path
                                            ? ""
                                            : absl::StrCat(fault->evidence.source, ": "),
                                        fault->evidence.meaning, ").")
                         : " (203/EXEC).");
  if (fault) {
    holds.fix.push_back(fault->fix);
  } else {
    holds.fix.push_back(
        {absl::StrCat("sudo namei -l ", ShellWord(file.path), "; ls -Z ", ShellWord(file.path),
                      "; journalctl -k | grep -i 'avc: *denied'"),
         "shows what shuts the service out: owner or mode of a part of the path, or SELinux, which "
         "refuses a program that bears the label of a home directory (`sudo restorecon -Rv` on its "
         "directory gives it the right one)",
         "", ""});
  }
  holds.fix.push_back(RestartStep(facts, "systemd tries again"));
  holds.expect = {absl::StrCat("`systemctl is-active ", facts.unit.name, "` says active")};
  return holds;
}

}  // namespace vgpu::rules

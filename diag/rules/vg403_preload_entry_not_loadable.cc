// VG403 preload-entry-not-loadable: an entry exists and is nothing that the loader can load.
//
// It says why and goes on, as for an entry that is missing; for another machine it even says
// the same words. A FIFO is the exception: every start hangs in open(2) (measured, glibc
// 2.36: facts of _dl_map_object_from_fd, elf/dl-load.c).

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {
namespace {

// The machine that the program is for. Nothing where only a script or nothing was read.
std::optional<std::string> Machine(const facts::Facts& facts) {
  const host::Observed<elf::ElfInfo>& program = facts.program.file.elf;
  if (!program.present() || !program->machine.present()) return std::nullopt;
  return *program->machine;
}

// A mount that forbids code, below which the file lies. (NoExecPaths= of the unit makes such
// mounts too: VG210.)
const procfs::Mount* NoexecMount(const facts::Facts& facts, const facts::FileFacts& file) {
  if (!facts.process.present() || !facts.process->mounts.present()) return nullptr;
  if (!facts.unit.on_disk.All("Service", "NoExecPaths").empty()) return nullptr;
  absl::string_view path = file.found->path;
  path = path.substr(absl::StartsWith(path, facts.process->root) ? facts.process->root.size() : 0);
  if (!facts.process->mounts->whole()) return nullptr;
  const procfs::Mount* mount = facts.process->mounts->MountOf(path);
  return mount != nullptr && mount->noexec() ? mount : nullptr;
}

// Why the loader does not load it; empty where nothing speaks against it. Sets `unseen`
// where that was not read.
std::string Fault(const facts::Facts& facts, const facts::PreloadEntry& entry,
                  std::string* unseen) {
  const facts::FileFacts& file = entry.file;
  using host::FileType;
  const FileType type = file.found->meta.type;
  if (type == FileType::kFifo) return "is a FIFO: every start hangs when it opens it";
  if (type == FileType::kDir) return "is a directory (cannot read file data)";
  if (type != FileType::kFile) {
    return absl::StrCat("is no file but a ", host::FileTypeName(type), " (file too short)");
  }
  if (const procfs::Mount* mount = NoexecMount(facts, file)) {
    return absl::StrCat("lies on ", mount->mount_point,
                        ", which is mounted noexec (failed to map segment from shared object)");
  }
  if (!file.elf.present()) {
    if (file.found->meta.size.present() && *file.found->meta.size < 64) {
      return absl::StrCat("has ", *file.found->meta.size, " bytes (file too short)");
    }
    *unseen = std::string(file.elf.why_not());
    return "";
  }
  const elf::ElfInfo& elf = *file.elf;
  if (elf.error.present() && *elf.error != "truncated") {
    return absl::StrCat("cannot be loaded (", *elf.error, ")");
  }
  if (elf.elf_class.value_or(64) != 64) return "is a 32-bit library (wrong ELF class: ELFCLASS32)";
  const std::optional<std::string> machine = Machine(facts);
  if (machine && elf.machine.present() && *elf.machine != *machine) {
    return absl::StrCat("is built for ", *elf.machine, " and the program for ", *machine,
                        " (the loader passes it by as if it were not there)");
  }
  if (elf.pie.value_or(false)) {
    return "is a program (cannot dynamically load position-independent executable)";
  }
  if (elf.type.value_or("DYN") == "EXEC") {
    return "is a program (cannot dynamically load executable)";
  }
  if (elf.type.not_observed() && elf.error.not_observed())
    *unseen = std::string(elf.type.why_not());
  return "";
}

}  // namespace

Judgement PreloadEntryNotLoadable(const facts::Facts& facts) {
  const std::vector<ActingList> lists = ActingLists(facts);
  size_t loadable = 0;
  std::string unseen;
  std::string unseen_path;
  for (const ActingList& acting : lists) {
    std::vector<Faulty> faults;
    bool hangs = false;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.file.found.present()) continue;
      std::string why;
      std::string fault = Fault(facts, entry, &why);
      if (!why.empty() && unseen.empty()) {
        unseen = why;
        unseen_path = entry.file.path;
      }
      if (fault.empty()) {
        if (why.empty()) ++loadable;
        continue;
      }
      hangs = hangs || entry.file.found->meta.type == host::FileType::kFifo;
      faults.push_back({&entry, std::move(fault)});
    }
    if (faults.empty()) continue;
    const facts::FileFacts& first = faults.front().entry->file;
    const bool noexec = NoexecMount(facts, first) != nullptr;
    Holds holds = PassedOver(
        facts, acting, faults,
        noexec ? "install it where code may be run" : "install the right file in its place");
    if (hangs) {
      holds.explains.insert(holds.explains.end(), {"VG701", "VG301", "VG307"});
      if (facts.DiesAtStart()) holds.acts = Acts::kNow;
    }
    if (noexec) {
      const std::string mount = ShellQuoted(NoexecMount(facts, first)->mount_point);
      holds.fix.push_back({absl::StrCat("sudo mount -o remount,exec ", mount),
                           "lets programs map code from it, until the next boot; /etc/fstab or "
                           "the mount's unit decides after that",
                           "whoever may write there can then run programs from there",
                           absl::StrCat("sudo mount -o remount,noexec ", mount)});
    } else {
      holds.fix.push_back(ReplaceFileStep(
          first.found->path, "puts the shim for this machine there, from its package"));
    }
    if (facts.unit_judged) {
      if (noexec || !holds.explains.empty()) {
        holds.fix.push_back(RestartStep(facts, "a preload list is read once, at the start"));
      } else {
        for (FixStep& step : holds.fix) step = OneWay(std::move(step));
        for (FixStep& step :
             SetListSteps(facts, *acting.list, "VG403", WithoutEntries(*acting.list, faults),
                          "or take it out of the list: nothing needs it")) {
          holds.fix.push_back(std::move(step));
        }
      }
    }
    return holds;
  }
  if (std::vector<ShimFault> faults = FaultsByPath(facts, loader::Trouble::kNotLoadable);
      !faults.empty()) {
    Holds holds = FaultyShim(facts, faults, "VG403", "cannot be loaded", "127");
    for (FixStep& step :
         ReplaceSteps(facts, faults, "puts the shim for this machine there, from its package")) {
      holds.fix.push_back(std::move(step));
    }
    if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
    }
    return holds;
  }
  if (lists.empty()) return WithoutPreload(facts);
  if (!unseen.empty()) {
    return CannotTell{absl::StrCat("what kind of file ", unseen_path, " is"), unseen,
                      absl::StrCat("file -L ", ShellQuoted(unseen_path))};
  }
  if (auto unseen_entries = EntriesNotSeen(lists); loadable == 0 && unseen_entries) {
    return *unseen_entries;
  }
  if (loadable == 0) return Contradicted{"no entry of the preload list is there to be loaded"};
  return Contradicted{absl::StrCat(
      Count(loadable, "entry of the preload list is", "entries of the preload list are"),
      " of the right kind: a 64-bit shared object",
      Machine(facts) ? absl::StrCat(" for ", *Machine(facts)) : "")};
}

}  // namespace vgpu::rules

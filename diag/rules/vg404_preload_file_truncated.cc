// VG404 preload-file-truncated: a preloaded file is cut behind its headers.
//
// The loader maps what the headers promise, and the first touch of a page behind the end of
// the file kills the program with SIGBUS, before any line of it (measured, glibc 2.36;
// mmap(2)). A file that lacks only its section headers loads.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"
#include "diag/rules/shared/shim_faults.h"

namespace vgpu::rules {
namespace {

// "12288 of 105056 bytes are there"; empty where the file is whole. Sets `unseen` where its
// headers were not read.
std::string Cut(const facts::FileFacts& file, std::string* unseen) {
  if (!file.elf.present()) {
    *unseen = std::string(file.elf.why_not());
    return "";
  }
  const elf::ElfInfo& elf = *file.elf;
  const host::Observed<uint64_t>& size = file.found->meta.size;
  if (elf.last_segment_end.present() && size.present()) {
    if (*size >= *elf.last_segment_end) return "";
    return absl::StrCat("is cut off: ", *size, " bytes of at least ", *elf.last_segment_end);
  }
  if (elf.error.present() && *elf.error == "truncated") {
    return size.present() ? absl::StrCat("is cut off after ", *size, " bytes") : "is cut off";
  }
  if (elf.error.not_observed()) *unseen = std::string(elf.error.why_not());
  return "";
}

}  // namespace

Judgement PreloadFileTruncated(const facts::Facts& facts) {
  const std::vector<ActingList> lists = ActingLists(facts);
  size_t whole = 0;
  std::string unseen;
  std::string unseen_path;
  for (const ActingList& acting : lists) {
    std::vector<Faulty> faults;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.file.found.present()) continue;
      if (entry.file.found->meta.type != host::FileType::kFile) continue;
      std::string why;
      std::string cut = Cut(entry.file, &why);
      if (!cut.empty()) faults.push_back({&entry, std::move(cut)});
      // What runs has loaded it, and lives.
      else if (why.empty() ||
               (acting.acts == Acts::kNow && IsMapped(facts, entry.file).value_or(false)))
        ++whole;
      else if (unseen.empty()) {
        unseen = why;
        unseen_path = entry.file.path;
      }
    }
    if (faults.empty()) continue;
    Holds holds;
    holds.acts = acting.acts == Acts::kNow ? ActsOnStarts(facts) : Acts::kNextStart;
    for (size_t i = 0; i < faults.size() && i < 8; ++i) {
      holds.evidence.push_back(FromList(*acting.list, *faults[i].entry, faults[i].what));
    }
    if (holds.acts == Acts::kNow) {
      std::vector<Evidence> died = EndedWith(
          facts, "7/BUS", "the start died of SIGBUS, as the touch of a missing page does");
      holds.confidence = died.empty() ? Confidence::kLikely : Confidence::kCertain;
      for (Evidence& evidence : died) holds.evidence.push_back(std::move(evidence));
    } else {
      holds.confidence = Confidence::kLikely;
    }
    holds.explains = {"VG301", "VG307", "VG704"};
    const std::string& path = faults.front().entry->file.found->path;
    holds.headline =
        absl::StrCat(faults.front().entry->text, " ", faults.front().what,
                     ", and a start that preloads it dies of SIGBUS: install it anew.");
    for (size_t i = 0; i < faults.size() && i < 4; ++i) {
      holds.fix.push_back(ReplaceFileStep(faults[i].entry->file.found->path,
                                          "puts the whole file there, from its package"));
    }
    if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "the next start loads the whole file"));
    }
    holds.expect = {
        absl::StrCat("no `status=7/BUS` at the next start, and ", path, " in /proc/PID/maps"),
        ExpectGpuLine(facts)};
    return holds;
  }
  if (std::vector<ShimFault> faults = FaultsByPath(facts, loader::Trouble::kCut); !faults.empty()) {
    Holds holds = FaultyShim(facts, faults, "VG404", "is cut off", "7/BUS");
    for (FixStep& step :
         ReplaceSteps(facts, faults, "puts the whole file there, from its package")) {
      holds.fix.push_back(std::move(step));
    }
    if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
    }
    return holds;
  }
  if (lists.empty()) return WithoutPreload(facts);
  if (!unseen.empty()) {
    return CannotTell{absl::StrCat("whether ", unseen_path, " is whole"), unseen,
                      absl::StrCat("readelf -lW ", ShellQuoted(unseen_path))};
  }
  if (auto unseen_entries = EntriesNotSeen(lists); whole == 0 && unseen_entries) {
    return *unseen_entries;
  }
  if (whole == 0) return Contradicted{"no entry of the preload list is there to be cut off"};
  return Contradicted{
      absl::StrCat(Count(whole, "preloaded file is", "preloaded files are"), " whole")};
}

}  // namespace vgpu::rules

// VG412 preload-points-to-driver: an entry of the shims' list leads to NVIDIA's own library.
//
// Without NVIDIA's kernel module that library finds no device, and the shim that should
// stand there is not loaded. A machine without any shim may preload what it likes. By
// path it is the same fault: the name that discovery asks for, in the directory of the shims, is
// a link to NVIDIA's file and not to the shim beside it.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "diag/facts/maker.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

using facts::Maker;

bool NamedAsShim(absl::string_view path) {
  const std::optional<facts::ShimName> name = facts::ShimOf(path);
  return name && name->named_as_shim;
}

// The list is the shims': it names one, or one of that kind is installed.
bool IsAboutShims(const facts::Facts& facts, const facts::PreloadList& list) {
  return std::any_of(list.entries.begin(), list.entries.end(),
                     [](const facts::PreloadEntry& entry) { return NamedAsShim(entry.text); }) ||
         std::any_of(facts.gpu_libraries.begin(), facts.gpu_libraries.end(),
                     [](const facts::FileFacts& file) { return NamedAsShim(file.path); });
}

std::string WhatItIs(const facts::FileFacts& file) {
  std::string what = file.found->links.empty()
                         ? std::string("is NVIDIA's own library")
                         : absl::StrCat("leads to ", file.found->path, ", NVIDIA's own library");
  if (file.elf.present() && file.elf->build_id.present()) {
    absl::StrAppend(&what, " (build id ", absl::string_view(*file.elf->build_id).substr(0, 16),
                    ")");
  }
  return what;
}

// The shim of `layer` that stands in the directory of `path`; null where none does.
const facts::FileFacts* ShimBeside(const facts::Facts& facts, facts::Shim layer,
                                   absl::string_view path) {
  for (const facts::FileFacts& file : facts.gpu_libraries) {
    if (host::Dirname(file.path) != host::Dirname(path) || !NamedAsShim(file.path)) continue;
    if (!file.found.present() || facts::ShimOf(file.path)->shim != layer) continue;
    if (facts::MakerOf(file, facts.gpu_libraries) == Maker::kShim) return &file;
  }
  return nullptr;
}

std::optional<Judgement> LinkPointsToDriver(const facts::Facts& facts) {
  if (facts.ollama.era == ollama::Era::kA) return std::nullopt;  // it tries each libcuda in turn
  for (facts::Shim layer : {facts::Shim::kCuda, facts::Shim::kCudart}) {
    for (const Answer& answer : AnswersFor(facts, layer)) {
      const loader::Object& winner = answer.Get();
      if (CameByPreload(*answer.step.load, answer.object) || !winner.doubts.empty()) continue;
      if (!winner.file.present() || winner.file->links.empty()) continue;
      if (MakerOf(facts, winner) != Maker::kNvidia) continue;
      if (SomeVariantWorks(facts, answer.step.running)) continue;
      const facts::FileFacts* shim = ShimBeside(facts, layer, winner.place.path);
      if (shim == nullptr) continue;
      Holds holds;
      holds.acts = ActsOf(facts, answer.step);
      holds.evidence = {{winner.place.path, 0, winner.file->path,
                         absl::StrCat(ProcessText(*answer.step.process), " asks for ", answer.name,
                                      " and gets this, by ", PlaceText(winner.place),
                                      ": a link to NVIDIA's own library")},
                        {shim->path, 0, "", "the shim stands beside the link"}};
      holds.confidence = Confidence::kLikely;
      if (holds.acts == Acts::kNow) {
        for (Evidence& evidence : NoGpuEvidence(facts)) {
          holds.evidence.push_back(std::move(evidence));
        }
      }
      holds.explains = {"VG418", "VG707", "VG704", "VG902"};
      holds.headline = absl::StrCat(winner.place.path, " leads to ", winner.file->path,
                                    ", NVIDIA's own library, and not to the shim beside it: make "
                                    "it a link to the shim.");
      holds.fix.push_back(
          ReplaceByLinkStep(winner.place.path, host::Basename(shim->path), ".driver",
                            absl::StrCat("puts the shim where ", answer.name, " is looked for"),
                            "other programs that use this directory get the shim too"));
      if (facts.unit_judged) {
        holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
      }
      holds.expect = {ExpectGpuLine(facts)};
      return Judgement(std::move(holds));
    }
  }
  return std::nullopt;
}

}  // namespace

Judgement PreloadPointsToDriver(const facts::Facts& facts) {
  if (std::optional<Judgement> by_path = LinkPointsToDriver(facts)) return *std::move(by_path);
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  size_t shims = 0;
  for (const ActingList& acting : lists) {
    if (!IsAboutShims(facts, *acting.list)) continue;
    std::vector<Faulty> faults;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.shim || !entry.file.found.present()) continue;
      const Maker maker = facts::MakerOf(entry.file, facts.gpu_libraries);
      if (maker == Maker::kNvidia) faults.push_back({&entry, WhatItIs(entry.file)});
      if (maker == Maker::kShim) ++shims;
    }
    if (faults.empty()) continue;

    Holds holds;
    bool needed = false;
    bool loaded = false;  // the process has NVIDIA's file in memory
    for (size_t i = 0; i < faults.size() && i < 8; ++i) {
      const facts::PreloadEntry& entry = *faults[i].entry;
      holds.evidence.push_back(FromList(*acting.list, entry, faults[i].what));
      needed = needed || facts::NeededIn(*entry.shim, facts.ollama.era);
      loaded = loaded || IsMapped(facts, entry.file).value_or(false);
    }
    const bool now = needed && acting.acts == Acts::kNow && facts.process.present();
    holds.acts = now ? Acts::kNow : Acts::kNextStart;
    std::vector<Evidence> effect = now ? NoGpuEvidence(facts) : std::vector<Evidence>();
    holds.confidence = !effect.empty() && loaded ? Confidence::kCertain : Confidence::kLikely;
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
    if (needed) holds.explains = {"VG707", "VG704"};
    const facts::PreloadEntry& first = *faults.front().entry;
    holds.headline = absl::StrCat(first.text, " is in the shims' preload list and ",
                                  faults.front().what, ": put the shim there.");
    const facts::FileFacts* installed = InstalledShim(facts, *first.shim);
    if (installed != nullptr && facts.unit_judged) {
      std::vector<std::string> entries;
      for (const facts::PreloadEntry& entry : acting.list->entries) {
        entries.push_back(entry.text == first.text ? installed->path : entry.text);
      }
      holds.fix = SetListSteps(facts, *acting.list, "VG412", entries,
                               absl::StrCat("names the shim, ", installed->path));
    } else {
      const std::string name = absl::StrCat(facts::InfoOf(*first.shim).name, ".so");
      const std::string path = absl::StrCat(host::Dirname(first.file.path), "/", name);
      if (path == first.file.path) {
        // What leads to NVIDIA's library has the shim's own name.
        holds.fix.push_back(ReplaceFileStep(path, "puts the shim, from its package, there"));
      } else {
        holds.fix.push_back({absl::StrCat("sudo install -D -m 0755 ", name, " ", ShellQuoted(path)),
                             "installs the shim, from its package, beside the others", "",
                             absl::StrCat("sudo rm ", ShellQuoted(path))});
        if (facts.unit_judged) {
          std::vector<std::string> entries;
          for (const facts::PreloadEntry& entry : acting.list->entries) {
            entries.push_back(entry.text == first.text ? path : entry.text);
          }
          for (FixStep& step : ForAPerson(SetListSteps(facts, *acting.list, "VG412", entries,
                                                       absl::StrCat("names the shim, ", path)))) {
            holds.fix.push_back(std::move(step));
          }
        }
      }
      if (facts.unit_judged && path == first.file.path) {
        holds.fix.push_back(RestartStep(facts, "a program loads its preload list at its start"));
      }
    }
    holds.expect = {absl::StrCat(facts::InfoOf(*first.shim).name, " in /proc/PID/maps"),
                    ExpectGpuLine(facts)};
    return holds;
  }
  if (auto unseen_entries = EntriesNotSeen(lists); shims == 0 && unseen_entries) {
    return *unseen_entries;
  }
  if (shims == 0) return Contradicted{"no entry of the preload list leads to a file of NVIDIA's"};
  return Contradicted{absl::StrCat(Count(shims, "entry leads to a shim", "entries lead to shims"),
                                   ", none to NVIDIA's files")};
}

}  // namespace vgpu::rules

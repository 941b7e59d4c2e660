// VG417 shim-breaks-dlopen: a preloaded library interposes dlopen or dlsym, and the backend
// cannot be opened through it.
//
// Nothing prints this, so it is a conclusion: discovery found no device, although every
// library of the chain resolves in the loader's model and nothing else was seen to be wrong.
// Shims that interpose both have worked too, so this is never more than possible.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

// A child that dies at once ends far below what an opened backend takes.
constexpr absl::Duration kShort = absl::Milliseconds(150);

struct Interposer {
  const ActingList* acting = nullptr;
  const facts::PreloadEntry* entry = nullptr;
  std::string function;
};

std::vector<Interposer> FindInterposers(const std::vector<ActingList>& lists) {
  std::vector<Interposer> found;
  for (const ActingList& acting : lists) {
    if (acting.acts != Acts::kNow) continue;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.file.elf.present() || !entry.file.elf->exports.present()) continue;
      for (const elf::ExportedSymbol& symbol : *entry.file.elf->exports) {
        if (symbol.name != "dlopen" && symbol.name != "dlsym") continue;
        found.push_back({&acting, &entry, symbol.name});
        break;
      }
    }
  }
  return found;
}

Judgement WithoutInterposer(const facts::Facts& facts, const std::vector<ActingList>& lists) {
  size_t seen = 0;
  std::vector<ActingList> now;
  for (const ActingList& acting : lists) {
    if (acting.acts != Acts::kNow) continue;
    now.push_back(acting);
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      seen += entry.file.elf.present() && entry.file.elf->exports.present() ? 1 : 0;
    }
  }
  if (seen > 0) {
    return Contradicted{absl::StrCat(Count(seen, "preloaded library", "preloaded libraries"),
                                     ", and no dlopen or dlsym among what was seen of ",
                                     seen == 1 ? "its" : "their", " exports")};
  }
  if (now.empty()) {
    return Contradicted{facts.process.present() ? "nothing is preloaded in the process"
                                                : "no process runs"};
  }
  if (auto unseen = EntriesNotSeen(now)) return *unseen;
  return Contradicted{"no entry of the preload list is there to be loaded"};
}

// What the log shows of a library that was opened: then dlopen works.
std::string Opened(const ollama::ServerStart& start) {
  if (start.initial_count.value_or(0) > 0) return "the first pass found a device";
  if (!start.cuda_errors.empty()) return "CUDA itself answered, with an error";
  if (!start.failures.empty()) return "discovery says why it failed";
  if (!start.filtered.empty()) return "a device was found, and filtered";
  return "";
}

}  // namespace

Judgement ShimBreaksDlopen(const facts::Facts& facts) {
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  const std::vector<Interposer> interposers = FindInterposers(lists);
  if (interposers.empty()) return WithoutInterposer(facts, lists);
  const Interposer& first = interposers.front();
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  if (effect.empty()) {
    return Contradicted{absl::StrCat(first.entry->text, " exports ", first.function,
                                     ", and no discovery is known to have failed through it")};
  }
  if (std::string opened = Opened(*facts.ThisStart()); !opened.empty()) {
    return Contradicted{absl::StrCat(first.entry->text, " exports ", first.function, "; ", opened)};
  }
  // (A variant that OLLAMA_LLM_LIBRARY rules out is not modelled: see `resolves`.)
  if (facts.process->environ.present() && facts.process->environ->Find("CUDA_VISIBLE_DEVICES")) {
    return Contradicted{"CUDA_VISIBLE_DEVICES is set, and may hide the device by itself"};
  }
  bool resolves = false;
  for (const facts::ModelledProcess& process : facts.loader.now) {
    if (process.Backend() == nullptr) continue;
    const host::Observed<bool> succeeds = process.Backend()->Succeeds();
    if (succeeds.present() && !*succeeds) {
      return Contradicted{"the backend cannot be opened for another reason"};
    }
    resolves = resolves || succeeds.value_or(false);
  }
  if (!resolves) return WhyNotSeen(facts, "whether the backend could be opened");
  Holds holds;
  holds.confidence = Confidence::kPossible;
  holds.acts = Acts::kNow;
  for (size_t i = 0; i < interposers.size() && i < 4; ++i) {
    holds.evidence.push_back(
        FromList(*interposers[i].acting->list, *interposers[i].entry,
                 absl::StrCat("it exports ", interposers[i].function,
                              ", through which Ollama then opens its libraries")));
  }
  for (Evidence& evidence : effect) {
    evidence.meaning = "discovery found no GPU, although every library of the chain resolves";
    holds.evidence.push_back(std::move(evidence));
  }
  for (const ollama::Pass& pass : facts.ThisStart()->passes) {
    if (!pass.duration.present() || *pass.duration > kShort) continue;
    holds.evidence.push_back(FromLog(*facts.log.ServersLog(), pass.line,
                                     "so short a pass agrees with it, and proves nothing"));
    break;
  }
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat(first.entry->text, " interposes ", first.function,
                                ", and nothing else was seen that keeps discovery from the "
                                "device: try a build of the shim that does not.");
  holds.fix.push_back(ReplaceFileStep(
      first.entry->file.found.present() ? first.entry->file.found->path : first.entry->file.path,
      absl::StrCat("puts a build there that does not export ", first.function)));
  if (facts.unit_judged) holds.fix.push_back(RestartStep(facts, "the next start loads it"));
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

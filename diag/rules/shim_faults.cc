#include "diag/rules/shim_faults.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/maker.h"
#include "diag/rules/common.h"

namespace vgpu::rules {
namespace {

constexpr size_t kMaxEvidence = 8;

}  // namespace

Listed FindListed(const facts::Facts& facts, absl::string_view path) {
  for (const ActingList& acting : ActingLists(facts)) {
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      const bool same = entry.text == path || entry.file.path == path ||
                        (entry.file.found.present() && entry.file.found->path == path);
      if (same) return {acting.list, &entry, acting.acts};
    }
  }
  return {};
}

bool IsShimPath(const facts::Facts& facts, absl::string_view path) {
  const std::optional<facts::ShimName> name = facts::ShimOf(path);
  if (name && name->named_as_shim) return true;
  for (const facts::FileFacts& file : facts.gpu_libraries) {
    if (file.path != path && (!file.found.present() || file.found->path != path)) continue;
    return facts::MakerOf(file, facts.gpu_libraries) == facts::Maker::kShim;
  }
  return false;
}

std::optional<facts::Shim> GiverOf(absl::string_view symbol) {
  if (absl::StartsWith(symbol, "nvml")) return facts::Shim::kNvml;
  if (absl::StartsWith(symbol, "cuda") || absl::StartsWith(symbol, "__cuda")) {
    return facts::Shim::kCudart;
  }
  // "cuInit", but not "cublasCreate_v2" nor "cusparse…".
  if (symbol.size() > 2 && absl::StartsWith(symbol, "cu") &&
      std::isupper(static_cast<unsigned char>(symbol[2])) != 0) {
    return facts::Shim::kCuda;
  }
  return std::nullopt;
}

const facts::PreloadEntry* ListedGiver(const facts::Facts& facts, absl::string_view symbol,
                                       Listed* listed) {
  const std::optional<facts::Shim> giver = GiverOf(symbol);
  if (!giver) return nullptr;
  for (const ActingList& acting : ActingLists(facts)) {
    if (acting.acts != Acts::kNow) continue;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (entry.shim != giver || !entry.file.found.present()) continue;
      if (facts::MakerOf(entry.file, facts.gpu_libraries) != facts::Maker::kShim) continue;
      *listed = {acting.list, &entry, acting.acts};
      return &entry;
    }
  }
  return nullptr;
}

bool LacksVersionNode(const host::Observed<elf::ElfInfo>& elf, absl::string_view version) {
  if (version.empty() || !elf.present() || !elf->version_defs.present()) return false;
  const std::vector<std::string>& nodes = *elf->version_defs;
  return !nodes.empty() && std::find(nodes.begin(), nodes.end(), version) == nodes.end();
}

Judgement WithoutFault(const facts::Facts& facts, absl::string_view what) {
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  size_t mapped = 0;
  const facts::PreloadEntry* unproved = nullptr;
  for (const ActingList& acting : lists) {
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.file.found.present()) continue;
      if (acting.acts == Acts::kNow && IsMapped(facts, entry.file).value_or(false)) {
        ++mapped;
      } else if (unproved == nullptr) {
        unproved = &entry;
      }
    }
  }
  if (unproved == nullptr) {
    if (mapped == 0) return Contradicted{"no entry of the preload list is there to be loaded"};
    return Contradicted{absl::StrCat(
        "process ", facts.process->pid, " runs with ",
        Count(mapped, "preloaded file", "preloaded files"), " in memory: each ", what)};
  }
  return CannotTell{absl::StrCat("whether ", unproved->text, " ", what),
                    "no process was seen that has it in memory",
                    absl::StrCat("ldd -r ", ShellQuoted(unproved->text))};
}

Holds FaultyShim(const facts::Facts& facts, const std::vector<ShimFault>& faults,
                 absl::string_view code, std::string trouble, absl::string_view status) {
  const ShimFault& first = faults.front();
  Holds holds;
  holds.acts = first.acts;
  bool said = false;
  for (const ShimFault& fault : faults) {
    said = said || fault.said;
    if (holds.evidence.size() < kMaxEvidence) holds.evidence.push_back(fault.evidence);
  }
  if (first.list != nullptr) {
    holds.evidence.push_back(FromList(*first.list, *first.entry, trouble));
  }
  std::vector<Evidence> effect;
  if (holds.acts == Acts::kNow) {
    effect = first.preloaded ? EndedWith(facts, status, "so every start ends")
                             : NoGpuEvidence(facts);
  }
  holds.confidence = holds.acts == Acts::kNow && (said || !effect.empty())
                         ? Confidence::kCertain
                         : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (first.preloaded) {
    holds.explains = {"VG301", "VG307", "VG702", "VG704", "VG902"};
  } else {
    holds.explains = {"VG504", "VG505", "VG702", "VG704", "VG902"};
  }
  holds.headline = absl::StrCat(
      first.path, " ", trouble,
      first.preloaded ? ", and every start that preloads it fails" : ", and cannot be opened",
      ": install one that fits.");
  if (first.list != nullptr && first.preloaded && facts.unit_judged) {
    std::vector<FixStep> without =
        SetListSteps(facts, *first.list, code, WithoutEntries(*first.list, {{first.entry, ""}}),
                     "lets the service start at once, without this library");
    const bool needed =
        first.entry->shim && facts::NeededIn(*first.entry->shim, facts.ollama.era);
    if (needed) without.front().risk = "until the repaired library is listed again there is no GPU";
    for (FixStep& step : without) holds.fix.push_back(std::move(step));
  }
  holds.expect = {absl::StrCat("no line of the loader about ", host::Basename(first.path),
                               " at the next start"),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

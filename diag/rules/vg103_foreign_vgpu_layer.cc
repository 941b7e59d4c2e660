// VG103 foreign-vgpu-layer: another product's CUDA interposer is preloaded.
//
// It defines the driver's functions too, and who stands first in the list answers. Names:
// HAMi-core (libvgpu.so), Tencent's gpu-manager (libcuda-control.so), KubeShare
// (libgemhook.so.1), nvshare (libnvshare.so).

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

struct Foreign {
  absl::string_view name;
  absl::string_view product;
};
constexpr Foreign kForeign[] = {
    {"libvgpu.so", "HAMi"},
    {"libcuda-control.so", "gpu-manager"},
    {"libgemhook.so.1", "KubeShare"},
    {"libnvshare.so", "nvshare"},
};

const Foreign* ForeignOf(absl::string_view path) {
  for (const Foreign& foreign : kForeign) {
    if (host::Basename(path) == foreign.name) return &foreign;
  }
  return nullptr;
}

// It answers to the very name that programs ask the driver by.
bool TakesSoname(const facts::PreloadEntry& entry) {
  return entry.file.elf.present() && entry.file.elf->soname.value_or("") == "libcuda.so.1";
}

// One that nobody here knows by name, which takes the driver's soname before the shim has it.
bool StandsBeforeTheShim(const facts::PreloadList& list, const facts::PreloadEntry& entry) {
  if (entry.shim || !TakesSoname(entry) ||
      absl::StartsWith(
          host::Basename(entry.file.found.present() ? entry.file.found->path : entry.file.path),
          "libcuda.so")) {
    return false;
  }
  return std::any_of(
      list.entries.begin() + (&entry - list.entries.data()), list.entries.end(),
      [](const facts::PreloadEntry& later) { return later.shim == facts::Shim::kCuda; });
}

}  // namespace

Judgement ForeignVgpuLayer(const facts::Facts& facts) {
  std::vector<const facts::PreloadList*> lists = facts.PreloadsNow();
  if (lists.empty()) lists = facts.PreloadsNextStart();
  Holds holds;
  std::string product;
  bool takes_soname = false;
  bool known = false;  // by its product's name
  bool mapped = false;
  for (const facts::PreloadList* list : lists) {
    for (const facts::PreloadEntry& entry : list->entries) {
      const Foreign* foreign = ForeignOf(entry.text);
      if (foreign == nullptr && !StandsBeforeTheShim(*list, entry)) continue;
      if (holds.evidence.size() >= 8) continue;
      product = std::string(foreign != nullptr ? foreign->product : host::Basename(entry.text));
      known = known || foreign != nullptr;
      takes_soname = takes_soname || TakesSoname(entry);
      holds.evidence.push_back(
          {list->source, entry.line > 0 ? entry.line : list->line, entry.text,
           absl::StrCat(product, " is preloaded",
                        TakesSoname(entry) ? ", and it calls itself libcuda.so.1" : "")});
    }
  }
  if (facts.process.present() && facts.process->maps.present()) {
    for (const procfs::MappedFile& file : facts.process->maps->files) {
      const Foreign* foreign = ForeignOf(file.path);
      if (foreign == nullptr || mapped) continue;
      product = std::string(foreign->product);
      known = true;
      mapped = true;
      holds.evidence.push_back({facts.process->maps.source, 0, file.path,
                                absl::StrCat(product, " is loaded in the process")});
    }
  }
  if (holds.evidence.empty()) {
    if (facts.process.present() && !facts.process->maps.present() &&
        !facts.process->environ.present()) {
      return CannotTell{"what is preloaded into the process",
                        Because(facts.process->maps.source, facts.process->maps.why_not()),
                        HowToSeeProcess(facts)};
    }
    return Contradicted{"no other product's library is preloaded"};
  }
  const bool beside = std::any_of(lists.begin(), lists.end(), [](const auto* list) {
    return std::any_of(list->entries.begin(), list->entries.end(),
                       [](const facts::PreloadEntry& entry) { return entry.shim.has_value(); });
  });
  holds.confidence = mapped ? Confidence::kCertain : Confidence::kLikely;
  holds.acts = facts.process.present() ? Acts::kNow : Acts::kNextStart;
  // It answers in the driver's place, and no GPU was found.
  const std::vector<Evidence> effect =
      takes_soname ? NoGpuEvidence(facts) : std::vector<Evidence>();
  if (!effect.empty()) {
    holds.is_cause = true;
    holds.explains = {"VG704"};
    for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
    holds.confidence = Confidence::kLikely;
    holds.expect = {ExpectGpuLine(facts)};
  }
  holds.headline = absl::StrCat(
      product,
      known ? "'s library is preloaded" : ", which calls itself libcuda.so.1, is preloaded",
      beside ? " beside the shims" : "",
      takes_soname || beside ? ": both answer for the driver, and the first in the list wins."
                             : ": it answers for the driver.");
  holds.fix = {{absl::StrCat("systemctl cat ", facts.unit.name),
                "keep one of the two: the list that names both is in what this prints, or in the "
                "container's /etc/ld.so.preload",
                "", ""}};
  return holds;
}

}  // namespace vgpu::rules

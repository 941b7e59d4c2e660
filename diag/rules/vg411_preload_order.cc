// VG411 preload-order: the list departs from the conventional order. Never a cause: the
// loader does not care while no object works in a constructor.

#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/rules/common.h"
#include "diag/rules/rules.h"

namespace vgpu::rules {

Judgement PreloadOrder(const facts::Facts& facts) {
  const facts::PreloadList* list = facts.Preload();
  if (list == nullptr) return WithoutPreload(facts);
  int last = -1;
  bool in_order = true;
  for (const facts::PreloadEntry& entry : list->entries) {
    if (!entry.shim) continue;
    const int place = static_cast<int>(*entry.shim);  // AllShims() is in that order
    in_order = in_order && place >= last;
    last = place;
  }
  if (in_order) return Contradicted{"exec, syscall, cuda, nvml, cudart: the conventional order"};
  Holds holds;
  holds.confidence = Confidence::kCertain;
  holds.evidence.push_back({list->source, list->line, absl::StrCat("LD_PRELOAD=", list->value),
                            "not the conventional order exec, syscall, cuda, nvml, cudart; the "
                            "loader does not care, and another order repairs nothing"});
  return holds;
}

}  // namespace vgpu::rules

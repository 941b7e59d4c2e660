// VG411 preload-order: the list departs from the conventional order. Never a cause: the
// loader does not care while no object works in a constructor.

#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {

namespace {

bool InOrder(const facts::PreloadList& list) {
  int last = -1;
  for (const facts::PreloadEntry& entry : list.entries) {
    if (!entry.shim) continue;
    const int place = static_cast<int>(*entry.shim);  // AllShims() is in that order
    if (place < last) return false;
    last = place;
  }
  return true;
}

}  // namespace

Judgement PreloadOrder(const facts::Facts& facts) {
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  const facts::PreloadList* list = nullptr;
  for (const ActingList& acting : lists) {
    if (list == nullptr && !InOrder(*acting.list)) list = acting.list;
  }
  if (list == nullptr) {
    return Contradicted{"exec, syscall, cuda, nvml, cudart: the conventional order"};
  }
  Holds holds;
  holds.confidence = Confidence::kCertain;
  holds.evidence.push_back({list->source, list->line,
                            list->kind == facts::PreloadKind::kEnvironment
                                ? absl::StrCat("LD_PRELOAD=", list->value)
                                : list->value,

                            "not the conventional order exec, syscall, cuda, nvml, cudart; the "
                            "loader does not care, and another order repairs nothing"});
  return holds;
}

}  // namespace vgpu::rules

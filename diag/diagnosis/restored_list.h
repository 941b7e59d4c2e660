// The preload list that a repair brings back: today no start has it, so nobody has met what is
// wrong with its entries.
//
//   std::optional<PreloadList> list = RestoredList(facts, fix);   // of VG205: its drop-in's
//
// Pure; thread-safe.

#ifndef DIAG_DIAGNOSIS_RESTORED_LIST_H_
#define DIAG_DIAGNOSIS_RESTORED_LIST_H_

#include <optional>
#include <vector>

#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::diagnosis {

// Nothing where the steps set no LD_PRELOAD. Entries that were not looked at are not observed.
std::optional<facts::PreloadList> RestoredList(const facts::Facts& facts,
                                               const std::vector<rules::FixStep>& fix);

}  // namespace vgpu::diagnosis

#endif  // DIAG_DIAGNOSIS_RESTORED_LIST_H_

// Which command shows the runbook of an item's code.

#ifndef DIAG_REPORT_RUNBOOK_H_
#define DIAG_REPORT_RUNBOOK_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "diag/report/report.h"

namespace vgpu::report {

// "vgpu-doctor explain VG302"
inline std::string Runbook(const Item& item) {
  return absl::StrCat("vgpu-doctor explain ", item.code);
}

}  // namespace vgpu::report

#endif  // DIAG_REPORT_RUNBOOK_H_

// Which command shows the runbook of a code: every view of a report leads to it.

#ifndef DIAG_REPORT_RUNBOOK_H_
#define DIAG_REPORT_RUNBOOK_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace vgpu::report {

// "vgpu-doctor explain VG302"
inline std::string Runbook(absl::string_view code) {
  return absl::StrCat("vgpu-doctor explain ", code);
}

}  // namespace vgpu::report

#endif  // DIAG_REPORT_RUNBOOK_H_

// A cause as a person names it on a command line: by its code, in any case, or by its id.

#ifndef TOOLS_VGPU_DOCTOR_CAUSE_NAME_H_
#define TOOLS_VGPU_DOCTOR_CAUSE_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/rules/catalogue.h"

namespace vgpu::doctor {

// Null where there is none.
const rules::CatalogueEntry* FindCause(absl::string_view name);

// "VG3O2: there is no such cause (did you mean VG302?); `vgpu-doctor list-causes` lists them".
std::string NoSuchCause(absl::string_view name);

// All codes and ids.
std::vector<std::string> CauseNames();

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_CAUSE_NAME_H_

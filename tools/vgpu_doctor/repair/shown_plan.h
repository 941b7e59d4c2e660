// A plan, and what became of it, for people and as JSON (fix.schema.json).
//
// Text from the host is redacted and made visible on the way. Pure functions.

#ifndef TOOLS_VGPU_DOCTOR_REPAIR_SHOWN_PLAN_H_
#define TOOLS_VGPU_DOCTOR_REPAIR_SHOWN_PLAN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "diag/report/report.h"
#include "tools/vgpu_doctor/repair/apply.h"
#include "tools/vgpu_doctor/repair/plan.h"

namespace vgpu::doctor {

// Fit for a terminal: one line, without secrets and control characters.
std::string Safe(absl::string_view host_text);

// `command` is what carries the plan out: "sudo vgpu-doctor fix --apply"; empty: it is being
// carried out.
// Prose is wrapped at `width`, commands are not.
std::string PlanText(const report::Report& report, const Plan& plan, absl::string_view command,
                     int width);
// What stands at the end.
std::string OutcomeText(const Plan& plan, const Outcome& outcome, int width);

// `outcome` may be null: nothing was carried out.
std::string PlanJson(const report::Report& report, const Plan& plan, const Outcome* outcome);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_REPAIR_SHOWN_PLAN_H_

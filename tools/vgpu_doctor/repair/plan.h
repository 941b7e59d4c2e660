// Which repairs `vgpu-doctor fix` makes, and which are a person's.
//
// A plan holds the repairs of the root causes in their order, or that of the one cause that
// was asked for. In front of them stand those of latent faults that the first restart would
// meet, without a restart of their own: the one behind them is theirs too. It repairs nothing that
// was not diagnosed. A reload or a restart that a repair behind it makes too stands there alone.
// `--apply` carries out the repairs at its front, up to the first that is a
// person's: what comes after that was found beside a fault that still stands.
//
// Values; thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_REPAIR_PLAN_H_
#define TOOLS_VGPU_DOCTOR_REPAIR_PLAN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/report/report.h"
#include "diag/rules/action.h"

namespace vgpu::doctor {

// Who does a step.
enum class By {
  kTool,    // --apply, or a person
  kPerson,  // a person only
  kNeither  // --apply passes it over: it shows something, or is one of two ways
};

// "vgpu-doctor", "person", "nobody".
const char* Name(By by);
By Who(const rules::Action& action);

// A request to the service manager that is made once, behind the steps of another repair.
struct Later {
  std::string command = {};
  std::string with = {};  // the code of that repair
};

struct Repair {
  report::Item item;                        // as it may be shown (shown.h)
  std::vector<rules::Action> actions = {};  // of item.fix, one for each
  bool latent = false;
  // Why --apply leaves it alone, for people; empty: it carries it out.
  std::string by_hand = {};
  std::vector<Later> later = {};
};

struct Plan {
  std::vector<Repair> repairs = {};
  // So many at the front are carried out by --apply.
  size_t automatic = 0;
};

// `wanted` is a code or a name of list-causes; empty: all root causes. Errors: it is no
// such thing, or was not diagnosed; the message says what was.
absl::StatusOr<Plan> MakePlan(const report::Report& report, absl::string_view wanted);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_REPAIR_PLAN_H_

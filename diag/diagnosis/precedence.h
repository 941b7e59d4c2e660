// Where two codes fit one host, which of them is the cause: the contract's table, as data.

#ifndef DIAG_DIAGNOSIS_PRECEDENCE_H_
#define DIAG_DIAGNOSIS_PRECEDENCE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::diagnosis {

// Where both hold, `consequence` follows from `cause`, whatever the rules say of it.
struct Precedence {
  absl::string_view cause;
  absl::string_view consequence;
};

absl::Span<const Precedence> Precedences();

}  // namespace vgpu::diagnosis

#endif  // DIAG_DIAGNOSIS_PRECEDENCE_H_

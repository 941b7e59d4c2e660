// What people type, and what the pages say for it.

#ifndef DIAG_RUNBOOKS_SYNONYMS_H_
#define DIAG_RUNBOOKS_SYNONYMS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::runbooks {

struct Synonym {
  // Holds for a question that has all of these words, in any order and form: "crash" for "crashed".
  absl::string_view typed;
  // What is looked for in their place, as a page has it.
  absl::string_view pages_say;
};

absl::Span<const Synonym> Synonyms();

}  // namespace vgpu::runbooks

#endif  // DIAG_RUNBOOKS_SYNONYMS_H_

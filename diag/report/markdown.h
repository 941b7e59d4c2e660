// A report to paste into a ticket: Markdown as GitHub and GitLab read it.
//
// It stands in the order of an analysis that a person would write: the verdict, what to do,
// each root cause with its evidence, what it explains, the solution and the result to expect;
// then what works, what was ruled out, what could not be seen, and the time line.
//
// Commands and quotes stand in fences and code spans, longer than any run of backticks within.
// A word of prose that would be markup is shown as code, too: text from a host makes no link,
// image, heading or tag, mentions nobody (@name) and refers to no other ticket (#12). It is short
// (brief.h), unless it is `verbose`; why causes were ruled out is folded away.
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_MARKDOWN_H_
#define DIAG_REPORT_MARKDOWN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "diag/report/report.h"

namespace vgpu::report {

struct MarkdownStyle {
  bool whole_timeline = false;  // else what root causes name
  bool verbose = false;         // all that the report has
};

std::string ToMarkdown(const Report& report, const MarkdownStyle& style);

// Visible text within a paragraph, as itself; what stands between two backticks is code.
std::string MarkdownProse(absl::string_view visible);
// Visible text as code within a paragraph; empty for an empty text, which no code span can hold.
std::string MarkdownCode(absl::string_view visible);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_MARKDOWN_H_

// A page for a terminal.
//
// Of Markdown it knows what the pages use: headings, paragraphs, lists, tables, fences,
// links, code and strong words. Prose wraps at `width`; what stands in a fence is never
// wrapped, so that a command can be copied. A link to a page becomes the page's name, and an
// anchor nothing.
//
// Pure function, safe in any thread.

#ifndef DIAG_RUNBOOKS_PLAIN_TEXT_H_
#define DIAG_RUNBOOKS_PLAIN_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::runbooks {

struct PlainTextStyle {
  int width = 80;  // at least 40
  bool bold_headings = false;
};

std::string PlainText(absl::string_view markdown, const PlainTextStyle& style);

}  // namespace vgpu::runbooks

#endif  // DIAG_RUNBOOKS_PLAIN_TEXT_H_

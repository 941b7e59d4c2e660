// Text from a host, made fit for a terminal or a page.
//
// A log line, a unit's name or a hostname can hold anything: bytes that move the
// cursor or recolour the screen, marks that turn the reading direction, bytes that are
// no text at all. Here they become characters that a person can see.
//
//   Visible("a\x1b[31m")          == "a\\x1b[31m"
//   Visible("one\ntwo\tthree")    == "one\\ntwo\\tthree"
//   Visible("\xff")               == "\\xff"
//   Visible("\u202Egnp.exe")      == "\\u202egnp.exe"
//
// What comes out is valid UTF-8 on one line, without control characters and without
// characters that format invisibly. Everything else, a backslash too, stays as it is:
// `\x1b` in the output may be an escape character or the four characters that the host
// had. Making text visible a second time changes nothing.
//
// Pure functions, safe in any thread, linear in the length of the text.

#ifndef DIAG_REPORT_VISIBLE_H_
#define DIAG_REPORT_VISIBLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::report {

std::string Visible(absl::string_view host_text);

// The same, of at most `max_bytes`. Longer text is cut before a whole character (or its
// escape) and ends in "…[+N bytes]", which comes on top of `max_bytes`; N counts what
// was left out of `host_text`.
std::string VisibleQuote(absl::string_view host_text, size_t max_bytes);

// For a terminal that shows ASCII only: typographic marks become their plain
// neighbours ("…" is "..."), any other character an escape ("é" is "\u00e9").
// Takes what Visible gives.
std::string AsciiOnly(absl::string_view visible);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_VISIBLE_H_

// Text in lines of a width, for every view that people read in a terminal.
//
//   Hang("- ", "whether a file is whole", 12)  ==  "- whether a\n  file is\n  whole\n"
//
// Columns are characters of valid UTF-8: a wide one counts as one.
//
// Pure functions, safe in any thread; the pieces point into the text.

#ifndef DIAG_REPORT_WRAP_H_
#define DIAG_REPORT_WRAP_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::report {

size_t Columns(absl::string_view text);

// `text` in lines of at most `columns`, broken at spaces: a break takes the place of one space, so
// that joining the lines with a space gives `text` again. No line ends in a space that nobody would
// see, and none begins with the '$' that marks a command. A word that is longer overflows. Never
// empty.
std::vector<absl::string_view> Lines(absl::string_view text, size_t columns);

// A line of Lines() that overflows, in pieces: the first of at most `columns`, the others, which a
// reader sees to go on without a space, of at most `columns` less kPieceIndent. They are parted
// behind the marks of a list (:;,), else behind =, else before a slash, where there are some. Never
// empty.
inline constexpr size_t kPieceIndent = 4;
std::vector<absl::string_view> Pieces(absl::string_view line, size_t columns);

// A command of a shell that is wider, parted behind "&&", "||" and "|" that stand outside of
// quotes: a shell goes on to the next line there, so that it can be copied as it stands. A part may
// be wider than `columns`.
std::vector<absl::string_view> CommandLines(absl::string_view command, size_t columns);

// `text` beside `lead`, in lines of at most `width`, the later ones below the first one's text.
// Each ends in a newline.
std::string Hang(absl::string_view lead, absl::string_view text, size_t width);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_WRAP_H_

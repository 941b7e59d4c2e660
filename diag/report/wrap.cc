#include "diag/report/wrap.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace vgpu::report {
namespace {

// So much is used of a line, however far its beginning stands to the right.
constexpr size_t kLeastRoom = 10;

// Where the character after `columns` ones begins.
size_t Offset(absl::string_view text, size_t columns) {
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if ((text[i] & 0xc0) == 0x80) continue;
    if (columns == 0) break;
    --columns;
  }
  return i;
}

}  // namespace

size_t Columns(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<absl::string_view> Lines(absl::string_view text, size_t columns) {
  std::vector<absl::string_view> lines;
  size_t begin = 0;                       // of this line
  size_t used = 0;                        // its columns, up to and with text[i]
  size_t fits = absl::string_view::npos;  // the last space at which it may end
  size_t used_with_fit = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xc0) != 0x80) ++used;
    const bool ends_word = text[i] == ' ' && i > begin && text[i - 1] != ' ';
    if (ends_word && !absl::StartsWith(text.substr(i + 1), "$")) {
      fits = i;
      used_with_fit = used;
    } else if (used > columns && fits != absl::string_view::npos) {
      lines.push_back(text.substr(begin, fits - begin));
      begin = fits + 1;
      used -= used_with_fit;
      fits = absl::string_view::npos;
    }
  }
  lines.push_back(text.substr(begin));
  return lines;
}

std::vector<absl::string_view> Pieces(absl::string_view line, size_t columns) {
  std::vector<absl::string_view> pieces;
  size_t room = std::max(columns, kLeastRoom + kPieceIndent);  // so that a cut is never at 0
  while (Columns(line) > room) {
    const size_t end = Offset(line, room);
    const absl::string_view fits = line.substr(0, end);
    size_t cut = fits.find_last_of(":;,") + 1;  // 0: there is none
    // A piece that is nearly empty reads worse than one that ends inside of an item.
    if (cut < end / 3) cut = fits.find_last_of('=') + 1;
    // A path keeps its slash.
    if (cut < end / 3) cut = fits.find_last_of('/');
    if (cut < end / 3 || cut > end) cut = end;  // npos is more
    pieces.push_back(line.substr(0, cut));
    line.remove_prefix(cut);
    if (pieces.size() == 1) room -= kPieceIndent;
  }
  pieces.push_back(line);
  return pieces;
}

std::vector<absl::string_view> CommandLines(absl::string_view command, size_t columns) {
  if (Columns(command) <= columns) return {command};
  std::vector<size_t> ends;  // of what stands before the blank behind an operator
  char quote = '\0';
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ' ') {
      const absl::string_view before = command.substr(0, i);
      for (const absl::string_view parts : {" &&", " ||", " |"}) {
        if (!absl::EndsWith(before, parts)) continue;
        ends.push_back(i);
        break;
      }
    }
  }
  // With a quote that is open to the end it is no command that is understood.
  if (quote != '\0') return {command};
  std::vector<absl::string_view> lines;
  size_t begin = 0;
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t next = i + 1 < ends.size() ? ends[i + 1] : command.size();
    if (Columns(command.substr(begin, next - begin)) <= columns) continue;
    lines.push_back(command.substr(begin, ends[i] - begin));
    begin = ends[i] + 1;
  }
  lines.push_back(command.substr(begin));
  return lines;
}

std::string Hang(absl::string_view lead, absl::string_view text, size_t width) {
  const size_t hang = Columns(lead);
  const size_t room = width > hang + kLeastRoom ? width - hang : kLeastRoom;
  std::string out;
  for (const absl::string_view line : Lines(text, room)) {
    absl::StrAppend(&out, out.empty() ? std::string(lead) : std::string(hang, ' '), line, "\n");
  }
  return out;
}

}  // namespace vgpu::report

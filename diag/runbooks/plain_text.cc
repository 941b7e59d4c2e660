#include "diag/runbooks/plain_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::runbooks {
namespace {

constexpr int kNarrowest = 40;
constexpr size_t kFenceIndent = 4;
constexpr size_t kLongestCode = 44;

// Behind the piece of code that begins at `begin`, where one does: a run of backticks, up
// to the next run of that length (CommonMark 6.1).
size_t EndOfCode(absl::string_view text, size_t begin) {
  if (text[begin] != '`') return begin;
  const size_t opened = text.find_first_not_of('`', begin);
  if (opened == absl::string_view::npos) return begin;
  const size_t ticks = opened - begin;
  for (size_t at = text.find('`', opened); at != absl::string_view::npos;) {
    const size_t after = std::min(text.find_first_not_of('`', at), text.size());
    if (after - at == ticks) return after;
    at = text.find('`', after);
  }
  return begin;
}

// Takes links and the marks of strong words out of a line, and leaves code as it is.
std::string WithoutMarks(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (const size_t end = EndOfCode(text, i); end > i) {
      absl::StrAppend(&out, text.substr(i, end - i));
      i = end;
      continue;
    }
    if (absl::StartsWith(text.substr(i), "**")) {
      i += 2;
      continue;
    }
    const size_t middle = text[i] == '[' ? text.find("](", i) : absl::string_view::npos;
    const size_t end =
        middle == absl::string_view::npos ? absl::string_view::npos : text.find(')', middle);
    if (end == absl::string_view::npos) {
      out += text[i++];
      continue;
    }
    const absl::string_view target = text.substr(middle + 2, end - middle - 2);
    absl::StrAppend(&out, text.substr(i + 1, middle - i - 1));
    if (absl::StartsWith(target, "http")) absl::StrAppend(&out, " (", target, ")");
    i = end + 1;
  }
  return out;
}

// "- " or "3. " at the beginning: how long it is, 0 where the line is no item of a list.
size_t Bullet(absl::string_view line) {
  if (absl::StartsWith(line, "- ")) return 2;
  size_t digits = 0;
  while (digits < line.size() && absl::ascii_isdigit(line[digits])) ++digits;
  return digits > 0 && absl::StartsWith(line.substr(digits), ". ") ? digits + 2 : 0;
}

// Columns that valid UTF-8 takes.
size_t Columns(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// What stays on one line: a word, or a piece of code that is not long.
std::vector<std::string> Words(absl::string_view text) {
  std::vector<std::string> words(1);
  size_t code_ends = 0;  // behind the code that was met last
  bool whole = false;    // that is not long: a space in it does not part
  for (size_t i = 0; i < text.size(); ++i) {
    if (i >= code_ends) {
      code_ends = std::max(EndOfCode(text, i), i);
      whole = code_ends - i <= kLongestCode;
    }
    if (text[i] != ' ' || (whole && i < code_ends)) {
      words.back() += text[i];
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

std::vector<std::string> Cells(absl::string_view row) {
  absl::ConsumePrefix(&row, "|");
  absl::ConsumeSuffix(&row, "|");
  std::vector<std::string> cells;
  for (absl::string_view cell : absl::StrSplit(row, '|')) {
    cells.emplace_back(absl::StripAsciiWhitespace(cell));
  }
  return cells;
}

// |---|:--:|
bool IsRule(absl::string_view row) {
  return row.find_first_not_of("|-: ") == absl::string_view::npos;
}

class Writer {
 public:
  explicit Writer(const PlainTextStyle& style)
      : width_(static_cast<size_t>(std::max(style.width, kNarrowest))),
        bold_(style.bold_headings) {}

  void Line(absl::string_view line) {
    if (in_fence_) return InFence(line);
    const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
    const size_t indent = line.size() - text.size();
    if (text.empty()) {
      Flush();
      Gap();
    } else if (absl::StartsWith(text, "<a id=")) {
      Flush();  // an anchor: links have no use here
    } else if (absl::StartsWith(text, "```")) {
      Flush();
      in_fence_ = true;
      fence_ = indent;
    } else if (absl::StartsWith(line, "#")) {
      Flush();
      Heading(absl::StripLeadingAsciiWhitespace(line.substr(line.find_first_not_of('#'))));
    } else if (absl::StartsWith(text, "|")) {
      Flush();
      if (!IsRule(text)) Row(Cells(text));
    } else if (const size_t bullet = Bullet(text)) {
      Flush();
      indent_ = indent;
      lead_ = std::string(text.substr(0, bullet));
      text_ = std::string(text.substr(bullet));
    } else if (text_.empty()) {
      indent_ = indent;
      text_ = std::string(text);
    } else {
      absl::StrAppend(&text_, " ", text);
    }
  }

  std::string Take() && {
    Flush();
    while (absl::EndsWith(out_, "\n\n")) out_.pop_back();
    return std::move(out_);
  }

 private:
  void Gap() {
    if (!out_.empty() && !absl::EndsWith(out_, "\n\n")) out_ += '\n';
  }

  void InFence(absl::string_view line) {
    if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "```")) {
      in_fence_ = false;
      return;
    }
    const size_t cut = std::min(fence_, line.find_first_not_of(' '));
    line.remove_prefix(std::min(cut, line.size()));
    if (!line.empty()) absl::StrAppend(&out_, std::string(fence_ + kFenceIndent, ' '), line);
    out_ += '\n';
  }

  void Heading(absl::string_view text) {
    Gap();
    absl::StrAppend(&out_, bold_ ? "\x1b[1m" : "");
    indent_ = 0;
    text_ = std::string(text);
    Flush();
    if (bold_) out_.insert(out_.size() - 1, "\x1b[0m");
  }

  // The first cell, a colon, and the others.
  void Row(const std::vector<std::string>& cells) {
    const bool leads = !cells.front().empty();
    const std::string others =
        absl::StrJoin(cells.begin() + 1, cells.end(), "; ",
                      [](std::string* out, const auto& cell) { absl::StrAppend(out, cell); });
    if (!leads && others.find_first_not_of("; ") == std::string::npos) return;
    indent_ = 2;
    hang_ = 2;
    text_ = absl::StrCat(cells.front(), leads ? ": " : "", others);
    Flush();
    hang_ = 0;
  }

  void Flush() {
    if (text_.empty() && lead_.empty()) return;
    const size_t hang = indent_ + lead_.size() + hang_;
    std::string line = std::string(indent_, ' ') + lead_;
    bool fresh = true;  // no word stands on this line yet
    for (const std::string& word : Words(WithoutMarks(text_))) {
      if (!fresh && Columns(line) + 1 + Columns(word) > width_) {
        absl::StrAppend(&out_, line, "\n");
        line = std::string(hang, ' ');
        fresh = true;
      }
      absl::StrAppend(&line, fresh ? "" : " ", word);
      fresh = false;
    }
    absl::StrAppend(&out_, absl::StripTrailingAsciiWhitespace(line), "\n");
    lead_.clear();
    text_.clear();
  }

  const size_t width_;
  const bool bold_;
  std::string out_;
  // The paragraph, item or row that is being read.
  size_t indent_ = 0;
  size_t hang_ = 0;  // on top of the lead
  std::string lead_;
  std::string text_;
  bool in_fence_ = false;
  size_t fence_ = 0;  // its indent
};

}  // namespace

std::string PlainText(absl::string_view markdown, const PlainTextStyle& style) {
  Writer writer(style);
  for (absl::string_view line : absl::StrSplit(markdown, '\n')) writer.Line(line);
  return std::move(writer).Take();
}

}  // namespace vgpu::runbooks

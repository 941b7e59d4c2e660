#include "diag/systemd/unit_file.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

// Takes the next line off `text`. systemd ends a line at LF, CR or NUL, and takes
// CR LF, LF CR, and a NUL after either of them as one ending (fileio.c,
// read_line_full).
absl::string_view TakeLine(absl::string_view* text) {
  const size_t length = text->find_first_of(absl::string_view("\n\r\0", 3));
  if (length == absl::string_view::npos) {
    absl::string_view line = *text;
    text->remove_prefix(text->size());
    return line;
  }
  const absl::string_view line = text->substr(0, length);
  size_t end = length;
  bool lf = false, cr = false, nul = false;
  while (end < text->size() && !nul) {
    bool* seen = nullptr;
    switch ((*text)[end]) {
      case '\n':
        seen = &lf;
        break;
      case '\r':
        seen = &cr;
        break;
      case '\0':
        seen = &nul;
        break;
      default:
        break;
    }
    if (seen == nullptr || *seen) break;
    *seen = true;
    ++end;
  }
  text->remove_prefix(end);
  return line;
}

// A backslash that is not itself escaped ends the line: an odd number of them.
bool EndsInContinuation(absl::string_view line) {
  const size_t last = line.find_last_not_of('\\');
  const size_t backslashes = line.size() - (last == absl::string_view::npos ? 0 : last + 1);
  return backslashes % 2 == 1;
}

// What a section's name may not hold (string-util.c, string_is_safe).
bool IsSafe(absl::string_view text) {
  for (char c : text) {
    if ((c > 0 && c < ' ') || c == '"' || c == '\'' || c == '\\' || c == '\x7f') return false;
  }
  return true;
}

class Reader {
 public:
  explicit Reader(UnitFile* file) : file_(file) {}

  void Read(absl::string_view text) {
    std::string joined;  // the lines so far of one that is continued
    int first = 0;       // the number of its first line; 0 when there is none
    bool bom_seen = false;
    int number = 0;
    while (!text.empty() && !file_->stopped) {
      absl::string_view line = TakeLine(&text);
      ++number;
      if (line.size() >= kLongLineMax) return Stop(number, "Line too long");
      // A comment line stays a comment inside a continuation, and a backslash at its
      // end means nothing.
      const size_t start = line.find_first_not_of(kWhitespace);
      if (start != absl::string_view::npos && (line[start] == '#' || line[start] == ';')) continue;
      if (!bom_seen && absl::StartsWith(line, kByteOrderMark)) {
        line.remove_prefix(kByteOrderMark.size());
        bom_seen = true;
      }
      if (first != 0 && joined.size() + line.size() > kLongLineMax) {
        return Stop(number, "Continuation line too long");
      }
      if (EndsInContinuation(line)) {
        if (first == 0) first = number;
        joined.append(line.data(), line.size() - 1);
        joined.push_back(' ');
        continue;
      }
      if (first == 0) {
        ReadLogicalLine(line, number);
        continue;
      }
      joined.append(line.data(), line.size());
      ReadLogicalLine(joined, first);
      joined.clear();
      first = 0;
    }
    if (first != 0 && !file_->stopped) ReadLogicalLine(joined, first);
  }

 private:
  void ReadLogicalLine(absl::string_view line, int number) {
    line = StripWhitespace(line);
    if (line.empty()) return;
    if (!IsValidUtf8(line)) {
      return Stop(number, absl::StrCat("String is not UTF-8 clean, ignoring assignment: ",
                                       ReplaceInvalidUtf8(line)));
    }
    if (line[0] == '[') return ReadHeader(line, number);
    // Under a section that is not of a service, nothing is read and nothing is said.
    const bool outside = section_.empty() && !foreign_;
    if (outside) Say(number, "Assignment outside of section. Ignoring.");
    const size_t equals = line.find('=');
    const absl::string_view key = StripWhitespace(line.substr(0, equals));
    if (equals == absl::string_view::npos) {
      if (!outside && !foreign_) Say(number, "Missing '=', ignoring line.");
      return;
    }
    if (key.empty()) {
      if (!outside && !foreign_) Say(number, "Missing key name before '=', ignoring line.");
      return;
    }
    file_->assignments.push_back({.section = section_,
                                  .key = std::string(key),
                                  .value = std::string(StripWhitespace(line.substr(equals + 1))),
                                  .line = number});
  }

  void ReadHeader(absl::string_view line, int number) {
    // "[" alone: systemd looks for the closing bracket in the last byte.
    if (line.back() != ']') {
      return Stop(number, absl::StrCat("Invalid section header '", line, "'"));
    }
    const absl::string_view name = line.substr(1, line.size() - 2);
    if (!IsSafe(name)) {
      return Stop(number, absl::StrCat("Bad characters in section header '", line, "'"));
    }
    section_ = std::string(name);
    foreign_ = !IsServiceSection(name);
    if (foreign_ && !absl::StartsWith(name, "X-")) {
      Say(number, absl::StrCat("Unknown section '", name, "'. Ignoring."));
    }
  }

  void Say(int line, std::string message) {
    file_->problems.push_back({.line = line, .message = std::move(message)});
  }

  void Stop(int line, std::string message) {
    Say(line, std::move(message));
    file_->stopped = true;
  }

  UnitFile* file_;
  std::string section_;
  bool foreign_ = false;
};

}  // namespace

bool IsServiceSection(absl::string_view section) {
  return section == "Unit" || section == "Service" || section == "Install";
}

UnitFile ParseUnitFile(absl::string_view path, absl::string_view text) {
  UnitFile file;
  file.path = std::string(path);
  Reader(&file).Read(text);
  return file;
}

}  // namespace vgpu::systemd

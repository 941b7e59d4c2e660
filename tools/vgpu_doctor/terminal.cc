#include "tools/vgpu_doctor/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace vgpu::doctor {
namespace {

constexpr int kNarrow = 60;
constexpr int kWide = 100;

absl::string_view Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

// The locale of characters, as setlocale(3) finds it. Without any, the text goes to a
// file or a pipe of a service: UTF-8.
bool TakesUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = absl::AsciiStrToLower(Variable(name));
    if (value.empty()) continue;
    return absl::StrContains(value, "utf-8") || absl::StrContains(value, "utf8");
  }
  return true;
}

}  // namespace

report::TextStyle StyleOfStandardOutput(bool no_color) {
  report::TextStyle style;
  style.utf8 = TakesUtf8();
  if (isatty(STDOUT_FILENO) == 0) return style;
  style.color = !no_color && Variable("NO_COLOR").empty() && Variable("TERM") != "dumb";
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.width = std::clamp<int>(size.ws_col, kNarrow, kWide);
  }
  return style;
}

}  // namespace vgpu::doctor

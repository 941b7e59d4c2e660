// Whatever surrounds it, the value of a variable that is not kept does not come out, and
// text that was redacted keeps its lines.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/capture/redactor.h"

namespace {

constexpr char kSecret[] = "s3cr3thunter2";

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (absl::StrContains(text, kSecret)) return 0;
  const vgpu::capture::Redactor redactor({1, 2});
  // Text of a host before a variable, and behind it.
  const std::string environ = redactor.Environ(absl::StrCat(
      text, absl::string_view("\0", 1), "DATABASE=", kSecret, absl::string_view("\0", 1), text));
  if (absl::StrContains(environ, kSecret)) abort();
  const std::string line = absl::StrCat("Environment=\"DATABASE=", kSecret, "\"\n");
  if (absl::StrContains(redactor.UnitFile(line + text), kSecret)) abort();
  if (absl::StrContains(redactor.UnitFile(absl::StrCat(text, "\n\n", line)), kSecret)) abort();
  if (absl::StrContains(redactor.Show(absl::StrCat(text, "\n", line)), kSecret)) abort();
  const std::string file = absl::StrCat("DATABASE=", kSecret, "\n", text);
  if (absl::StrContains(redactor.EnvironmentFile(file), kSecret)) abort();
  if (Lines(redactor.UnitFile(text)) != Lines(text) && !absl::StrContains(text, "PRIVATE KEY")) {
    abort();
  }
  redactor.EnvironmentFile(text);
  redactor.CommandLine(text);
  redactor.PreloadFile(text);
  redactor.ShowEnvironment(text);
  redactor.Journal(text);
  return 0;
}

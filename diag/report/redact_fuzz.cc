// A password on a line of its own never comes through, whatever stands around it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/redact.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  static constexpr char kSecret[] = "q7Hunter2Zx";
  if (absl::StrContains(text, kSecret)) return 0;
  const absl::string_view before = text.substr(0, size / 2), after = text.substr(size / 2);
  const std::string shown =
      vgpu::report::RedactSecrets(absl::StrCat(before, "\nDB_PASSWORD=", kSecret, "\n", after));
  if (absl::StrContains(shown, kSecret)) abort();
  const std::string url =
      vgpu::report::RedactSecrets(absl::StrCat(before, " http://u:", kSecret, "@host ", after));
  if (absl::StrContains(url, kSecret)) abort();
  // What has no sign of an assignment, a URL or a credential is not touched.
  if (text.find_first_of("=:-_. ") == absl::string_view::npos &&
      vgpu::report::RedactSecrets(text) != text && !absl::StrContains(text, "AKIA") &&
      !absl::StrContains(text, "ASIA"))
    abort();
  return 0;
}

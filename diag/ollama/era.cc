#include "diag/ollama/era.h"

#include <string>

#include "re2/re2.h"

namespace vgpu::ollama {

absl::string_view EraName(Era era) {
  switch (era) {
    case Era::kA:
      return "A";
    case Era::kB:
      return "B";
    case Era::kC:
      return "C";
    case Era::kUnknown:
      break;
  }
  return "unknown";
}

std::optional<Version> ParseVersion(absl::string_view text) {
  static const RE2& pattern =
      *new RE2(R"(v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:[-+][0-9A-Za-z.+-]*)?)");
  Version version;
  if (!RE2::FullMatch(std::string(text), pattern, &version.major, &version.minor, &version.patch)) {
    return std::nullopt;
  }
  if (version == Version{}) return std::nullopt;
  return version;
}

Era EraOf(Version version) {
  if (version < Version{0, 12, 4}) return Era::kA;
  if (version < Version{0, 25, 0}) return Era::kB;
  return Era::kC;
}

}  // namespace vgpu::ollama

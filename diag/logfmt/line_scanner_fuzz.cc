// The first three bytes choose the limit and the size of the pieces; the rest is the
// stream. The scanner must report what a loop over the lines does.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "diag/logfmt/line_scanner.h"
#include "diag/logfmt/memory_source.h"

namespace {
void Require(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vgpu::logfmt;
  if (size < 3) return 0;
  const size_t max_line = 1 + data[0];
  const size_t piece = 1 + data[1] + (size_t{data[2]} << 4);
  const absl::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
  static const std::vector<absl::string_view>& needles = *new std::vector<absl::string_view>{
      "inference compute", "GPU", "CUDA error", "\"MESSAGE\":["};
  static const NeedleSet& set = *new NeedleSet(*NeedleSet::Create(needles));

  struct Expected {
    std::string text;
    uint64_t number;
  };
  std::vector<Expected> expected;
  uint64_t lines = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const absl::string_view kept = text.substr(start, std::min(end - start, max_line));
    ++lines;
    for (absl::string_view needle : needles) {
      if (!absl::StrContains(kept, needle)) continue;
      expected.push_back({std::string(kept), lines});
      break;
    }
    start = end + 1;
  }

  MemorySource source(text, piece);
  size_t next = 0;
  const ScanSummary summary = ScanLines(source, set, {max_line}, [&](const Line& line) {
    Require(next < expected.size());
    Require(line.text == expected[next].text && line.number == expected[next].number);
    ++next;
  });
  Require(next == expected.size() && summary.matched == next);
  Require(summary.lines == lines && summary.bytes == text.size());
  return 0;
}

#include "diag/logfmt/text_log_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "diag/logfmt/memory_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::logfmt {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(TextLogReader, GivesTheInterestingLinesOfARedirectedLog) {
  const std::string log =
      "time=2026-02-25T08:54:04.366-05:00 level=INFO source=runner.go:67 "
      "msg=\"discovering available GPUs...\"\n"
      "[GIN] 2026/02/26 - 06:14:01 | 200 | 1.2ms | 127.0.0.1 | GET \"/api/tags\"\r\n"
      "ggml_cuda_init: found 1 CUDA devices:\r\n";
  const auto reader = TextLogReader::Create({"discovering available GPUs", "ggml_cuda_init"});
  ASSERT_TRUE(reader.ok()) << reader.status();
  MemorySource source(log);
  std::vector<std::pair<std::string, uint64_t>> lines;
  const ScanSummary summary = reader->Read(source, [&](absl::string_view line, uint64_t number) {
    lines.emplace_back(std::string(line), number);
  });
  EXPECT_TRUE(summary.status.ok());
  EXPECT_EQ(summary.lines, 3u);
  EXPECT_THAT(lines, ElementsAre(Pair(log.substr(0, log.find('\n')), 1),
                                 Pair("ggml_cuda_init: found 1 CUDA devices:", 3)));
}

TEST(TextLogReader, ANeedleCannotHoldANewline) {
  EXPECT_FALSE(TextLogReader::Create({"a\nb"}).ok());
}

}  // namespace
}  // namespace vgpu::logfmt

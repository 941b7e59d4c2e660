#include "diag/report/prometheus.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(ToPrometheus, SamplesLookAsReviewed) {
  for (const auto& [name, report] : Samples())
    EXPECT_TRUE(MatchesGolden(absl::StrCat(name, ".prom"), ToPrometheus(report)));
}

TEST(ToPrometheus, OneVerdictIsOne) {
  const std::string text = ToPrometheus(NotRestarted());
  EXPECT_TRUE(absl::StrContains(
      text, "vgpu_doctor_verdict{unit=\"ollama.service\",verdict=\"problem\"} 1\n"));
  EXPECT_TRUE(absl::StrContains(
      text, "vgpu_doctor_verdict{unit=\"ollama.service\",verdict=\"healthy\"} 0\n"));
}

TEST(ToPrometheus, ASeriesStandsOnce) {
  // Hostile has the same root cause twice.
  const std::string text = ToPrometheus(Hostile("VG302"));
  const std::string series = "vgpu_doctor_finding{unit=\"VG302\",list=\"root_causes\"";
  const size_t first = text.find(series);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find(series, first + 1), std::string::npos);
  EXPECT_TRUE(absl::StrContains(text, "list=\"root_causes\"} 2\n"));
}

TEST(ToPrometheus, NoLabelEndsBeforeItsTime) {
  const std::string text = ToPrometheus(Hostile("a\"} 9\nb\\"));
  EXPECT_TRUE(absl::StrContains(text, R"(unit="a\"} 9\\nb\\")"));
  EXPECT_FALSE(absl::StrContains(text, "\nb"));
}

}  // namespace
}  // namespace vgpu::report

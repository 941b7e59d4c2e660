#include "diag/report/report.h"

#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(Verdict, HasTheNamesAndExitCodesThatScriptsRelyOn) {
  EXPECT_STREQ(VerdictName(Verdict::kHealthy), "healthy");
  EXPECT_STREQ(VerdictName(Verdict::kProblem), "problem");
  EXPECT_STREQ(VerdictName(Verdict::kInconclusive), "inconclusive");
  EXPECT_EQ(ExitCode(Verdict::kHealthy), 0);
  EXPECT_EQ(ExitCode(Verdict::kProblem), 1);
  EXPECT_EQ(ExitCode(Verdict::kInconclusive), 3);
}

TEST(Verdict, OfAReportThatNobodyFilledInIsInconclusive) {
  EXPECT_EQ(Report().verdict, Verdict::kInconclusive);
}

TEST(Confidence, HasTheNamesOfTheSchema) {
  EXPECT_STREQ(ConfidenceName(rules::Confidence::kCertain), "certain");
  EXPECT_STREQ(ConfidenceName(rules::Confidence::kLikely), "likely");
  EXPECT_STREQ(ConfidenceName(rules::Confidence::kPossible), "possible");
}

}  // namespace
}  // namespace vgpu::report

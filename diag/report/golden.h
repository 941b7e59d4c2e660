// Golden files: what a test expects, kept in a file and reviewed as prose.
//
//   EXPECT_TRUE(MatchesGolden("not-restarted.txt", ToText(report, {})));
//
// The files stand in diag/report/testdata. A test that uses this links golden.cc, which
// also holds its main function; it rewrites the files when it is told to:
//
//   bazel run //diag/report:text_test -- --update

#ifndef DIAG_REPORT_GOLDEN_H_
#define DIAG_REPORT_GOLDEN_H_

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace vgpu::report {

testing::AssertionResult MatchesGolden(absl::string_view name, absl::string_view actual);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_GOLDEN_H_

#include "diag/host/subprocess.h"

#include <signal.h>
#include <stdlib.h>

#include <string>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

constexpr absl::Duration kPlenty = absl::Seconds(30);

TEST(SubprocessTest, TakesOutputAndStatus) {
  absl::StatusOr<ProcessResult> result =
      RunProcess({"sh", "-c", "echo out; echo why >&2; exit 3"}, 1000, kPlenty);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->out, "out\n");
  EXPECT_EQ(result->exit_status, 3);
  EXPECT_EQ(DescribeFailure(*result), "exited with status 3: why");
}

TEST(SubprocessTest, ATrapIsNamedByItsSignal) {
  absl::StatusOr<ProcessResult> result = RunProcess({"sh", "-c", "kill -SEGV $$"}, 1000, kPlenty);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(DescribeFailure(*result), "ended by signal 11");
}

TEST(SubprocessTest, NoSettingOfTheCallerReachesTheTool) {
  ASSERT_EQ(setenv("LD_PRELOAD", "", 1), 0);
  ASSERT_EQ(setenv("VGPU_TEST_SETTING", "x", 1), 0);
  absl::StatusOr<ProcessResult> result = RunProcess({"env"}, 10000, kPlenty);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->out.find("LD_PRELOAD"), std::string::npos);
  EXPECT_EQ(result->out.find("VGPU_TEST_SETTING"), std::string::npos);
  EXPECT_NE(result->out.find("TZ=UTC"), std::string::npos);
}

TEST(SubprocessTest, AToolThatIsNotThere) {
  absl::StatusOr<ProcessResult> result = RunProcess({"no-such-tool-here"}, 1000, kPlenty);
  EXPECT_EQ(result.status().message(), "no-such-tool-here: not installed");
}

TEST(SubprocessTest, AToolThatHangsIsEndedWithItsChildren) {
  absl::StatusOr<ProcessResult> result =
      RunProcess({"sh", "-c", "sleep 600 & echo $!; wait"}, 1000, absl::Milliseconds(300));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(SubprocessTest, EndlessOutputIsCut) {
  absl::StatusOr<ProcessResult> result = RunProcess({"yes"}, 100000, kPlenty);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->truncated);
  EXPECT_EQ(result->out.size(), 100000u);
}

TEST(SubprocessTest, MuchOnStandardErrorDoesNotBlock) {
  absl::StatusOr<ProcessResult> result = RunProcess(
      {"sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo done"}, 1000, kPlenty);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->out, "done\n");
  EXPECT_EQ(result->err.size(), 4096u);
}

TEST(SubprocessTest, AStreamTellsHowItEnded) {
  auto source = StreamProcess({"sh", "-c", "printf abc; echo broken >&2; exit 1"}, kPlenty);
  ASSERT_TRUE(source.ok());
  std::string got;
  char buffer[16];
  absl::StatusOr<size_t> n = (*source)->Read(buffer, sizeof(buffer));
  while (n.ok() && *n > 0) {
    got.append(buffer, *n);
    n = (*source)->Read(buffer, sizeof(buffer));
  }
  EXPECT_EQ(got, "abc");
  EXPECT_EQ(n.status().message(), "sh: exited with status 1: broken");
}

}  // namespace
}  // namespace vgpu::host

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kTimeout[] =
    R"log(time=2026-02-24T10:06:30.396-05:00 level=INFO source=runner.go:464 msg="failure during GPU discovery" OLLAMA_LIBRARY_PATH="[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]" extra_envs=map[] error="failed to finish discovery before timeout")log";

constexpr char kLongPass[] =
    R"log(time=2026-02-24T10:06:30.396-05:00 level=DEBUG source=runner.go:437 msg="bootstrap discovery took" duration=30.029498764s OLLAMA_LIBRARY_PATH="[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]" extra_envs=map[])log";
constexpr char kShortPass[] =
    R"log(time=2026-02-24T10:06:00.396-05:00 level=DEBUG source=runner.go:437 msg="bootstrap discovery took" duration=302.578653ms OLLAMA_LIBRARY_PATH="[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]" extra_envs=map[])log";

Judgement Judged(const std::vector<std::string>& lines) {
  HostBuilder machine;
  return DiscoveryTimeout(machine.SetLog(lines).Gather());
}

TEST(DiscoveryTimeoutTest, TheServerGaveAChildUp) {
  const Judgement judgement =
      Judged({kServerConfigLine, kListeningLine, kBeganLine, kTimeout, kCpuLine});
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "cuda_v12"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "OLLAMA_DEBUG=2"));
}

TEST(DiscoveryTimeoutTest, ASinglePassOfThirtySeconds) {
  const Judgement judgement = Judged({kServerConfigLine, kListeningLine, kLongPass, kCpuLine});
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "a first pass took 30s"));
}

TEST(DiscoveryTimeoutTest, NothingIsSaidYetAndTheTimeIsUp) {
  const Judgement judgement = Judged({kServerConfigLine, kListeningLine, kBeganLine, kTimeout});
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(DiscoveryTimeoutTest, AShortPass) {
  EXPECT_EQ(Because(Judged({kServerConfigLine, kListeningLine, kShortPass, kCpuLine})),
            "the longest pass took 302ms");
}

TEST(DiscoveryTimeoutTest, AnotherMakersVariantHangs) {
  std::string rocm = kTimeout;
  rocm.replace(rocm.find("cuda_v12"), 8, "rocm");
  EXPECT_EQ(AsHolds(Judged({kServerConfigLine, kListeningLine, rocm, kCpuLine})), nullptr);
}

TEST(DiscoveryTimeoutTest, AVariantHangsAndAnotherFindsTheGpu) {
  EXPECT_TRUE(absl::StrContains(
      Because(Judged({kServerConfigLine, kListeningLine, kTimeout, kGpuLine})), "found the GPU"));
}

TEST(DiscoveryTimeoutTest, DiscoveryStillRuns) {
  EXPECT_EQ(Lacks(Judged({kServerConfigLine, kListeningLine, kBeganLine})), "how discovery ends");
}

}  // namespace
}  // namespace vgpu::rules

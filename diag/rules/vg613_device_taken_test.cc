#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// CUDA says TEXT, and discovery ends with the CPU.
HostBuilder Card(absl::string_view text) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  absl::StrCat("ggml_cuda_init: failed to initialize CUDA: ", text), kCpuLine});
  return machine;
}

TEST(DeviceTakenTest, AnotherProcessHasItForItself) {
  const Judgement judgement =
      DeviceTaken(Card("CUDA-capable device(s) is/are busy or unavailable").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_TRUE(absl::StrContains(holds->fix[1].command, "--compute-mode=DEFAULT"));
}

TEST(DeviceTakenTest, ItsMemoryIsUsedUp) {
  const Judgement judgement = DeviceTaken(Card("out of memory").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
}

TEST(DeviceTakenTest, AModelThatIsTooLargeTakesNothing) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15");
  machine.SetLog({kServerConfigLine, kListeningLine, kGpuLine, "CUDA error: out of memory"});
  EXPECT_TRUE(absl::StrContains(Because(DeviceTaken(machine.Gather())), "found the GPU"));
}

TEST(DeviceTakenTest, NoErrorIsLogged) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(DeviceTaken(machine.NvidiaDriver("550.54.15").FoundNoGpu().Gather())),
            "an error of CUDA at its initialisation");
}

}  // namespace
}  // namespace vgpu::rules

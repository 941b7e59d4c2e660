#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(ModelExceedsMemoryTest, PartOfTheModelLiesOnTheCpu) {
  HostBuilder machine;
  machine.SetPs(R"({"models": [{"name": "llama3:70b", "size": 42949672960,
                    "size_vram": 21474836480, "context_length": 8192}]})");
  const Judgement judgement = ModelExceedsMemory(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(FindQuote(*holds, "context_length 8192")->meaning,
            "20.0 GiB of its 40.0 GiB lie on the GPU; the rest runs on the CPU");
}

TEST(ModelExceedsMemoryTest, TheLogCountsLayers) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kGpuLine, "load_tensors: offloaded 20/33 layers to GPU"});
  const Judgement judgement = ModelExceedsMemory(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "20 of 33 layers"));
}

TEST(ModelExceedsMemoryTest, TheWholeModelIsOnTheGpu) {
  HostBuilder machine;
  machine.SetPs(R"({"models": [{"name": "m", "size": 10, "size_vram": 10}]})");
  machine.SetLog({kServerConfigLine, kGpuLine, "load_tensors: offloaded 33/33 layers to GPU"});
  EXPECT_NE(Because(ModelExceedsMemory(machine.Gather())), "");
}

TEST(ModelExceedsMemoryTest, WithoutAGpuNothingIsExceeded) {
  HostBuilder machine;
  machine.SetPs(R"({"models": [{"name": "m", "size": 10, "size_vram": 0}]})");
  EXPECT_NE(Because(ModelExceedsMemory(machine.FoundNoGpu().Gather())), "");
}

}  // namespace
}  // namespace vgpu::rules

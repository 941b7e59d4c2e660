#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather.h"
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

facts::Facts WithUnits(const HostBuilder& machine, absl::string_view units) {
  host::FakeHost host = machine.Host();
  host.AddTool({.tool = host::Tool::kSystemctlListUnits}, units);
  return facts::Gather(host, {});
}

TEST(FabricManagerDownTest, ItFailed) {
  const Judgement judgement = FabricManagerDown(
      WithUnits(Card("system not yet initialized"),
                "nvidia-fabricmanager.service loaded failed failed FabricManager service\n"));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*holds, "nvidia-fabricmanager.service failed"), nullptr);
}

TEST(FabricManagerDownTest, ItIsNotThere) {
  const Judgement judgement = FabricManagerDown(WithUnits(
      Card("system not yet initialized"), "ollama.service loaded active running Ollama\n"));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(FabricManagerDownTest, ItRunsNow) {
  const Judgement judgement = FabricManagerDown(
      WithUnits(Card("system not yet initialized"),
                "nvidia-fabricmanager.service loaded active running FabricManager\n"));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->fix[0].command, "sudo systemctl restart ollama.service");
}

TEST(FabricManagerDownTest, AnotherError) {
  EXPECT_TRUE(
      absl::StrContains(Because(FabricManagerDown(Card("unknown error").Gather())), "error 999"));
}

TEST(FabricManagerDownTest, NoErrorIsLogged) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(FabricManagerDown(machine.NvidiaDriver("550.54.15").FoundNoGpu().Gather())),
            "an error of CUDA at its initialisation");
}

}  // namespace
}  // namespace vgpu::rules

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// A Jetson with JetPack 6, on which Ollama's archive for servers was installed.
HostBuilder Jetson() {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu().RemoveFile("/sys/bus/pci/devices/0000:01:00.0");
  machine.SetFile(
      "/etc/nv_tegra_release",
      "# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic, EABI: aarch64\n");
  return machine;
}

constexpr char kVariant[] = "/usr/local/lib/ollama/cuda_jetpack6/libggml-cuda.so";

TEST(JetpackMismatchTest, TheVariantIsNotInstalled) {
  const Judgement judgement = JetpackMismatch(Jetson().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].quote, "R36");
  EXPECT_TRUE(absl::StrContains(holds->evidence[1].quote, "cuda_v12"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "jetpack6"));
}

TEST(JetpackMismatchTest, AVariantThatWasAskedForByNameIsMissingForItsSakeOrNot) {
  for (const auto& [asked, explained] :
       std::vector<std::pair<std::string, bool>>{{"cuda_jetpack6", true}, {"cuda_v11", false}}) {
    HostBuilder machine = Jetson();
    machine.SetEnviron("OLLAMA_LLM_LIBRARY", asked);
    const Judgement judgement = JetpackMismatch(machine.Gather());
    ASSERT_NE(AsHolds(judgement), nullptr);
    const std::vector<std::string>& codes = AsHolds(judgement)->explains;
    EXPECT_EQ(std::find(codes.begin(), codes.end(), "VG506") != codes.end(), explained) << asked;
  }
}

TEST(JetpackMismatchTest, ItIsInstalled) {
  HostBuilder machine = Jetson();
  machine.SetFile(kVariant, "x");
  EXPECT_EQ(Because(JetpackMismatch(machine.Gather())),
            "R36 wants cuda_jetpack6, which is installed");
}

TEST(JetpackMismatchTest, TheOverrideAsksForAnother) {
  HostBuilder machine = Jetson();
  machine.SetFile(kVariant, "x").SetEnviron("JETSON_JETPACK", "5.1.2");
  const Judgement judgement = JetpackMismatch(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "JETSON_JETPACK=5.1.2"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "UnsetEnvironment=JETSON_JETPACK"));
}

TEST(JetpackMismatchTest, OtherReleases) {
  HostBuilder machine = Jetson();
  machine.SetFile("/etc/nv_tegra_release", "# R38 (release), REVISION: 2.0\n");
  EXPECT_EQ(Because(JetpackMismatch(machine.Gather())), "R38 needs no JetPack variant");
  machine.SetFile("/etc/nv_tegra_release", "# R32 (release), REVISION: 7.1\n");
  EXPECT_NE(AsHolds(JetpackMismatch(machine.Gather())), nullptr);
  machine.SetFile("/etc/nv_tegra_release", "?\n");
  EXPECT_EQ(Lacks(JetpackMismatch(machine.Gather())), "/etc/nv_tegra_release");
}

TEST(JetpackMismatchTest, NoJetson) {
  EXPECT_EQ(Because(JetpackMismatch(HostBuilder().FoundNoGpu().Gather())),
            "no /etc/nv_tegra_release: this is no Jetson");
}

}  // namespace
}  // namespace vgpu::rules

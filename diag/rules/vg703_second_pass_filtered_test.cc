#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kSecondPass[] =
    R"log(time=2026-02-24T10:06:30.090-05:00 level=DEBUG source=runner.go:437 msg="bootstrap discovery took" duration=30.029498764s OLLAMA_LIBRARY_PATH="[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]" extra_envs="map[CUDA_VISIBLE_DEVICES:GPU-d110a105 GGML_CUDA_INIT:1]")log";

Judgement Judged(const std::vector<std::string>& lines) {
  HostBuilder machine;
  return SecondPassFiltered(machine.SetLog(lines).Gather());
}

bool Explains(const Holds& holds, absl::string_view code) {
  for (const std::string& other : holds.explains) {
    if (other == code) return true;
  }
  return false;
}

TEST(SecondPassFilteredTest, FoundAndLost) {
  const Judgement judgement = Judged({kServerConfigLine, kListeningLine, kBeganLine, kFirstPassLine,
                                      kSecondPass, kFilteredLine, kCpuLine});
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->headline, "(GPU-d110a105)"));
  EXPECT_TRUE(Explains(*holds, "VG701")) << "the second pass is the one that hung";
  EXPECT_TRUE(Explains(*holds, "VG708"));
}

TEST(SecondPassFilteredTest, AFirstPassThatHungIsAnotherStory) {
  std::string first = kSecondPass;
  first.replace(first.find("extra_envs"), std::string::npos, "extra_envs=map[]");
  const Judgement judgement =
      Judged({kServerConfigLine, kListeningLine, first, kFirstPassLine, kFilteredLine, kCpuLine});
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_FALSE(Explains(*holds, "VG701"));
}

TEST(SecondPassFilteredTest, AnotherLibrarysDevice) {
  std::string vulkan = kFilteredLine;
  vulkan.replace(vulkan.find("library=CUDA"), 12, "library=Vulkan");
  EXPECT_EQ(AsHolds(Judged({kServerConfigLine, kListeningLine, vulkan, kCpuLine})), nullptr);
}

TEST(SecondPassFilteredTest, OneOfTwoVariantsIsFiltered) {
  EXPECT_TRUE(absl::StrContains(
      Because(Judged({kServerConfigLine, kListeningLine, kFilteredLine, kGpuLine})),
      "found the GPU"));
}

TEST(SecondPassFilteredTest, TheFirstPassFoundNothing) {
  std::string none = kFirstPassLine;
  none.replace(none.find("initial_count=1"), 15, "initial_count=0");
  EXPECT_TRUE(absl::StrContains(
      Because(Judged({kServerConfigLine, kListeningLine, none, kCpuLine})), "initial_count=0"));
}

TEST(SecondPassFilteredTest, ALogWithoutDebugDoesNotTell) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(SecondPassFiltered(machine.FoundNoGpu().Gather())),
            "whether the second pass dropped a device");
}

TEST(SecondPassFilteredTest, EraAHasNone) {
  HostBuilder machine;
  EXPECT_EQ(Because(SecondPassFiltered(machine.EraA().Gather())), "era A makes no second pass");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kName[] = "OLLAMA_LLM_LIBRARY";

TEST(LlmLibraryMismatchTest, NoVariantHasThatName) {
  HostBuilder machine;
  machine.SetEnviron(kName, "cuda_v11");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kSkippingLine, kCpuLine});
  const Judgement judgement = LlmLibraryMismatch(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, "OLLAMA_LLM_LIBRARY=cuda_v11");
  EXPECT_NE(FindQuote(*holds, "cuda_v12"), nullptr);
  EXPECT_NE(FindQuote(*holds, "skipping available library"), nullptr);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
}

TEST(LlmLibraryMismatchTest, SkippingTheOthersIsNormal) {
  HostBuilder machine;
  machine.SetFile("/usr/local/lib/ollama/cuda_v13/libggml-cuda.so", "");
  machine.SetEnviron(kName, "cuda_v12");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kSkippingLine, kCpuLine});
  EXPECT_EQ(Because(LlmLibraryMismatch(machine.Gather())),
            "OLLAMA_LLM_LIBRARY=cuda_v12 is a variant");
}

TEST(LlmLibraryMismatchTest, OllamaStripsBlanksAndQuotes) {
  HostBuilder machine;
  machine.SetEnviron(kName, " \"cuda_v12\" ");
  EXPECT_EQ(Because(LlmLibraryMismatch(machine.Gather())),
            "OLLAMA_LLM_LIBRARY=cuda_v12 is a variant");
}

TEST(LlmLibraryMismatchTest, AVariantWithoutCuda) {
  HostBuilder machine;
  machine.SetFile("/usr/local/lib/ollama/vulkan/libggml-vulkan.so", "");
  machine.SetEnviron(kName, "vulkan").FoundNoGpu();
  const Judgement judgement = LlmLibraryMismatch(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
}

TEST(LlmLibraryMismatchTest, OnlyTheNextStartGetsIt) {
  HostBuilder machine;
  machine.SetShown("Environment", "OLLAMA_LLM_LIBRARY=cpu");
  const Judgement judgement = LlmLibraryMismatch(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "UnsetEnvironment=OLLAMA_LLM_LIBRARY"));
}

TEST(LlmLibraryMismatchTest, EraAPassesItOver) {
  HostBuilder machine;
  machine.EraA().SetEnviron(kName, "cuda_v99");
  EXPECT_TRUE(absl::StrContains(Because(LlmLibraryMismatch(machine.Gather())), "era A"));
}

TEST(LlmLibraryMismatchTest, NotSet) {
  EXPECT_EQ(Because(LlmLibraryMismatch(HostBuilder().Gather())), "OLLAMA_LLM_LIBRARY is not set");
}

TEST(LlmLibraryMismatchTest, ADirectoryThatCannotBeListedMayBeIt) {
  HostBuilder machine;
  machine.SetFile("/usr/local/lib/ollama/cuda_v13/libggml-cuda.so", "");
  machine.Hide("/usr/local/lib/ollama/cuda_v13").SetEnviron(kName, "cuda_v13");
  EXPECT_EQ(Lacks(LlmLibraryMismatch(machine.Gather())), "all of /usr/local/lib/ollama");
}

}  // namespace
}  // namespace vgpu::rules

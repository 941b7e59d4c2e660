#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/host_builder.h"
#include "diag/rules/rules.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kBackend[] = "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so";

TEST(BackendMissingTest, NoVariantHoldsIt) {
  HostBuilder machine;
  machine.RemoveFile(kBackend).SetFile("/usr/local/lib/ollama/vulkan/libggml-vulkan.so", "");
  const Judgement judgement = BackendMissing(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].source, "/usr/local/lib/ollama");
  EXPECT_EQ(holds->evidence[0].quote, "vulkan ");
  EXPECT_NE(FindQuote(*holds, "library=cpu"), nullptr);
}

TEST(BackendMissingTest, ItIsThere) {
  EXPECT_EQ(Because(BackendMissing(HostBuilder().Gather())), absl::StrCat(kBackend, " is there"));
}

TEST(BackendMissingTest, ATopLevelLinkBesideOtherVariantsMakesNone) {
  HostBuilder machine;
  machine.RemoveFile(kBackend).SetFile("/usr/local/lib/ollama/vulkan/libggml-vulkan.so", "");
  machine.SetFile("/opt/libggml-cuda.so", "");
  machine.SetLink("/usr/local/lib/ollama/libggml-cuda.so", "/opt/libggml-cuda.so");
  const Judgement judgement = BackendMissing(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[1].meaning, "makes no variant"));
}

TEST(BackendMissingTest, WithNoVariantAtAllEraBSearchesTheTopLevel) {
  HostBuilder machine;  // a distribution's package
  machine.RemoveFile("/usr/local/lib/ollama/cuda_v12");
  machine.SetFile("/usr/local/lib/ollama/libggml-cuda.so",
                  "\x7f"
                  "ELF");
  EXPECT_TRUE(
      absl::StrContains(Because(BackendMissing(machine.Gather())), "there is no variant at all"));
}

TEST(BackendMissingTest, ADirectoryThatCannotBeListedMayHoldIt) {
  HostBuilder machine;
  machine.Hide("/usr/local/lib/ollama/cuda_v12");
  EXPECT_EQ(Lacks(BackendMissing(machine.Gather())), "all of /usr/local/lib/ollama");
}

TEST(BackendMissingTest, ABackendThatCannotBeLookedAtIsNotMissing) {
  HostBuilder machine;
  machine.Hide(kBackend);
  EXPECT_EQ(Lacks(BackendMissing(machine.Gather())), "all of /usr/local/lib/ollama");
}

TEST(BackendMissingTest, DiscoveryOfEraANeedsNone) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(BackendMissing(machine.EraA().RemoveFile(kBackend).Gather())),
            "whether the model's runner finds its backend");
}

TEST(BackendMissingTest, ALinkToNothingIsNotThere) {
  HostBuilder machine;
  machine.SetLink(kBackend, "/opt/gone/libggml-cuda.so");
  EXPECT_NE(AsHolds(BackendMissing(machine.Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
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

TEST(BackendMissingTest, InEraATheModelLosesTheGpu) {
  HostBuilder machine;
  const Judgement judgement = BackendMissing(machine.EraA().RemoveFile(kBackend).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);  // discovery of this era needs no backend, and found the GPU
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG902"});
}

TEST(BackendMissingTest, TheProgramsOfOldReleasesAreNoBackends) {
  HostBuilder machine;
  machine.EraA().RemoveFile(kBackend);
  machine.SetFile("/usr/local/lib/ollama/runners/cuda_v12_avx/ollama_llama_server", "");
  EXPECT_TRUE(absl::StrContains(Because(BackendMissing(machine.Gather())), "runners"));
}

TEST(BackendMissingTest, LlamaServerOpensWhatStandsBesideIt) {
  HostBuilder machine;
  machine.EraC().RemoveFile("/usr/local/lib/ollama/cuda_v12");
  machine.SetFile("/usr/local/lib/ollama/libggml-cuda.so", "");
  EXPECT_TRUE(absl::StrContains(Because(BackendMissing(machine.Gather())), "llama-server"));
}

TEST(BackendMissingTest, ArchsPackageWithoutCuda) {
  HostBuilder machine;
  machine.SetFile("/etc/os-release", "NAME=\"Arch Linux\"\nID=arch\n");
  machine.SetFile("/usr/bin/ollama", "").SetLink("/proc/57290/exe", "/usr/bin/ollama");
  machine.SetExecStart("/usr/bin/ollama serve");
  machine.SetFile("/usr/lib/ollama/libggml-base.so", "");
  machine.RemoveFile("/usr/local/lib/ollama");
  const Judgement judgement = BackendMissing(machine.FoundNoGpu().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->fix[0].command, "sudo pacman -S ollama-cuda");
}

TEST(BackendMissingTest, ALinkToNothingIsVg503) {
  HostBuilder machine;
  machine.SetLink(kBackend, "/opt/gone/libggml-cuda.so");
  EXPECT_TRUE(absl::StrContains(Because(BackendMissing(machine.Gather())), "a link to nothing"));
}

}  // namespace
}  // namespace vgpu::rules

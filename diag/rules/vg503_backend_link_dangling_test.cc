#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kBackend[] = "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so";

TEST(BackendLinkDanglingTest, TheChainIsShownToItsEnd) {
  HostBuilder machine;
  machine.SetLink(kBackend, "libggml-cuda-v12.so");
  machine.SetLink("/usr/local/lib/ollama/cuda_v12/libggml-cuda-v12.so", "/opt/gone/libggml.so");
  machine.SetFile("/opt/gone/README", "");
  const Judgement judgement = BackendLinkDangling(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*holds, "libggml-cuda-v12.so"), nullptr);
  EXPECT_NE(FindQuote(*holds, "/opt/gone/libggml.so"), nullptr);
  EXPECT_EQ(holds->evidence[2].source, "/opt/gone/libggml.so");
  EXPECT_TRUE(absl::StrContains(holds->headline, kBackend));
  // The directory holds the name all the same: nothing is missing there.
  EXPECT_TRUE(absl::StrContains(Because(BackendMissing(machine.Gather())), "a link to nothing"));
}

TEST(BackendLinkDanglingTest, ALibraryBesideTheBackend) {
  HostBuilder machine;
  machine.WithLibraries().RemoveFile("/usr/local/lib/ollama/cuda_v12/libcublas.so.12.8.4.1");
  const Judgement judgement = BackendLinkDangling(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->fix[0].command, "ls -lL /usr/local/lib/ollama/cuda_v12/libcublas.so*");
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.why, "backend")) << step.why;
  }
}

TEST(BackendLinkDanglingTest, APathOfTheNixStoreIsRepairedByNix) {
  HostBuilder machine;
  machine.SetLink(kBackend, "/nix/store/1111-ggml-cuda/lib/libggml-cuda.so").FoundNoGpu();
  const auto commands = [&] {
    const Judgement judgement = BackendLinkDangling(machine.Gather());
    std::vector<std::string> commands;
    for (const FixStep& step : AsHolds(judgement)->fix) commands.push_back(step.command);
    return commands;
  };
  EXPECT_EQ(commands(),
            (std::vector<std::string>{"nix-store --verify-path /nix/store/1111-ggml-cuda",
                                      "sudo nix-store --repair-path /nix/store/1111-ggml-cuda",
                                      "sudo systemctl restart ollama.service"}));
  machine.SetFile("/etc/os-release", "ID=nixos\n");
  EXPECT_EQ(commands()[1], "sudo nixos-rebuild switch --repair");
}

TEST(BackendLinkDanglingTest, ACircle) {
  HostBuilder machine;
  const Judgement judgement =
      BackendLinkDangling(machine.SetLink(kBackend, "libggml-cuda.so").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "circle"));
}

TEST(BackendLinkDanglingTest, BesideAWholeVariantItIsOnlyPossible) {
  HostBuilder machine;
  machine.SetLink(kBackend, "/opt/gone.so");
  machine.SetFile("/usr/local/lib/ollama/cuda_v13/libggml-cuda.so", "");
  const Judgement judgement = BackendLinkDangling(machine.FoundNoGpu().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
}

TEST(BackendLinkDanglingTest, AVariantThatIsSkippedDoesNotMatter) {
  HostBuilder machine;
  machine.SetLink("/usr/local/lib/ollama/cuda_v13/libggml-cuda.so", "/opt/gone.so");
  machine.SetEnviron("OLLAMA_LLM_LIBRARY", "cuda_v12");
  EXPECT_TRUE(absl::StrContains(Because(BackendLinkDangling(machine.Gather())), "leads to a file"));
}

TEST(BackendLinkDanglingTest, ALinkThatLeadsSomewhereIsNone) {
  HostBuilder machine;
  machine.SetFile("/opt/libggml-cuda.so", "").SetLink(kBackend, "/opt/libggml-cuda.so");
  EXPECT_TRUE(absl::StrContains(Because(BackendLinkDangling(machine.Gather())), "leads to a file"));
}

TEST(BackendLinkDanglingTest, WhereNothingIsAtAllThatIsVg502) {
  HostBuilder machine;
  EXPECT_FALSE(Because(BackendLinkDangling(machine.RemoveFile(kBackend).Gather())).empty());
}

TEST(BackendLinkDanglingTest, WhatALinkLeadsToMayNotBeSeen) {
  HostBuilder machine;
  machine.SetFile("/opt/hidden/libggml-cuda.so", "").Hide("/opt/hidden");
  machine.SetLink(kBackend, "/opt/hidden/libggml-cuda.so");
  EXPECT_EQ(AsHolds(BackendLinkDangling(machine.Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules

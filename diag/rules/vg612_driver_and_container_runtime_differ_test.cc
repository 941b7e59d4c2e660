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

TEST(DriverAndContainerRuntimeDifferTest, UnderWsl) {
  HostBuilder machine = Card("named symbol not found");
  machine.SetFile("/usr/lib/wsl/lib/libcuda.so.1", "x");
  const Judgement judgement = DriverAndContainerRuntimeDiffer(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->fix[0].command, "wsl.exe --update");
}

TEST(DriverAndContainerRuntimeDifferTest, OnAPlainHostItIsSomethingElse) {
  EXPECT_EQ(Because(DriverAndContainerRuntimeDiffer(Card("named symbol not found").Gather())),
            "the server runs in no container and not under WSL");
}

TEST(DriverAndContainerRuntimeDifferTest, AnotherError) {
  HostBuilder machine = Card("unknown error");
  machine.SetFile("/usr/lib/wsl/lib/libcuda.so.1", "x");
  EXPECT_TRUE(
      absl::StrContains(Because(DriverAndContainerRuntimeDiffer(machine.Gather())), "error 999"));
}

TEST(DriverAndContainerRuntimeDifferTest, AVirtualDevice) {
  EXPECT_TRUE(absl::StrContains(Because(DriverAndContainerRuntimeDiffer(HostBuilder().Gather())),
                                "virtual"));
}

}  // namespace
}  // namespace vgpu::rules

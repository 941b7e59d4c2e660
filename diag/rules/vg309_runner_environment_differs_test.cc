#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kOllama[] = "/usr/local/bin/ollama";
constexpr int kChild = 57345;

void AddChild(HostBuilder& machine, const std::vector<std::string>& environ, bool shims) {
  machine.AddProcess(kChild, kPid, {kOllama, "runner", "--model", "/m", "--port", "40123"}, kOllama,
                     environ, "/system.slice/ollama.service");
  std::string maps =
      "7f0000000000-7f0000001000 r-xp 00000000 08:01 306 /usr/lib/x86_64-linux-gnu/libc.so.6\n";
  if (shims) {
    absl::StrAppend(&maps,
                    "7f1000000000-7f1000001000 r-xp 00000000 08:01 303 "
                    "/usr/lib64/libvgpu-cuda.so\n");
  }
  machine.SetFile(absl::StrCat("/proc/", kChild, "/maps"), maps);
}

TEST(RunnerEnvironmentDiffersTest, TheRunnerLostTheList) {
  HostBuilder machine;
  machine.FoundNoGpu();
  AddChild(machine, {"PATH=/usr/bin"}, false);
  const Judgement judgement = RunnerEnvironmentDiffers(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(FindQuote(*holds, "(no LD_PRELOAD)")->source, "/proc/57345/environ");
  EXPECT_EQ(FindQuote(*holds, "none of them a shim")->source, "/proc/57345/maps");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "tee /etc/vgpu/ld.so.preload"));
  EXPECT_TRUE(absl::StrContains(holds->fix[1].command,
                                "BindReadOnlyPaths=/etc/vgpu/ld.so.preload:/etc/ld.so.preload"));
}

TEST(RunnerEnvironmentDiffersTest, TheRunnerHasWhatTheServerHas) {
  HostBuilder machine;
  AddChild(machine, {absl::StrCat("LD_PRELOAD=", kPreload)}, true);
  EXPECT_EQ(Because(RunnerEnvironmentDiffers(machine.Gather())), "1 child has what the server has");
}

TEST(RunnerEnvironmentDiffersTest, AnotherServersRunner) {
  HostBuilder machine;
  machine.FoundNoGpu();
  machine.AddProcess(kChild, 4000, {kOllama, "runner"}, kOllama, {}, "/system.slice/x.service");
  EXPECT_EQ(Lacks(RunnerEnvironmentDiffers(machine.Gather())),
            "environment and libraries of the discovery child");
}

TEST(RunnerEnvironmentDiffersTest, UnseenIsNotObserved) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(RunnerEnvironmentDiffers(machine.FoundNoGpu().Gather())),
            "environment and libraries of the discovery child");
}

TEST(RunnerEnvironmentDiffersTest, WhatWorksNeedsNoWitness) {
  EXPECT_EQ(Because(RunnerEnvironmentDiffers(HostBuilder().Gather())),
            "discovery found the GPU, with what its child has");
}

TEST(RunnerEnvironmentDiffersTest, NoShims) {
  HostBuilder machine;  // NVIDIA's own driver
  machine.NotReloaded();
  AddChild(machine, {"PATH=/usr/bin"}, false);
  EXPECT_EQ(Because(RunnerEnvironmentDiffers(machine.Gather())),
            "the server itself has no shim preloaded");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kTooOld[] =
    R"log(time=2026-02-24T10:06:00.500-05:00 level=WARN source=cuda_compat.go:65 msg="NVIDIA driver too old" device="NVIDIA H100" compute=9.0 driver=535 required_driver="550 or newer")log";
constexpr char kCode35[] =
    "ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for CUDA "
    "runtime version";

TEST(DriverTooOldTest, EraCSaysSoItself) {
  HostBuilder machine;
  machine.NvidiaDriver("535.183.01").EraC();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kTooOld, kCpuLine});
  const Judgement judgement = DriverTooOld(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->headline, "550 or newer"));
  EXPECT_NE(FindQuote(*holds, "library=cpu"), nullptr);
}

TEST(DriverTooOldTest, AnotherVariantServesTheCard) {
  HostBuilder machine;  // cuda_v12 is left out, and cuda_v13 finds the device
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kTooOld, kCode35, kGpuLine});
  EXPECT_TRUE(absl::StrContains(Because(DriverTooOld(machine.Gather())), "found the GPU"));
}

TEST(DriverTooOldTest, TheRuntimeSaysSoAndTheModuleIsOld) {
  HostBuilder machine;
  machine.NvidiaDriver("470.256.02");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCode35, kCpuLine});
  const Judgement judgement = DriverTooOld(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*holds, "470.256.02"), nullptr);
}

TEST(DriverTooOldTest, ANewDriverIsNotTooOld) {
  HostBuilder machine;  // the same code, where the runtime finds no driver
  machine.NvidiaDriver("580.65.06");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCode35, kCpuLine});
  EXPECT_TRUE(absl::StrContains(Because(DriverTooOld(machine.Gather())), "580.65.06"));
}

TEST(DriverTooOldTest, OneMessageOfEraAForTwoCodes) {
  HostBuilder machine;
  machine.NvidiasOwn().EraA().SetLog(
      {kServerConfigLine, kListeningLine, kBeganLine,
       "time=2026-02-24T10:06:00.500-05:00 level=WARN source=gpu.go:618 msg=\"version mismatch "
       "between driver and cuda driver library - reboot or upgrade may be required: library "
       "/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15\"",
       kCpuLine});
  EXPECT_FALSE(absl::StrContains(Because(DriverTooOld(machine.Gather())), "VG606"));
  machine.SetFile("/proc/driver/nvidia/version",
                  "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Mon May 1\n");
  const Judgement judgement = DriverTooOld(machine.Gather());
  EXPECT_TRUE(absl::StrContains(Because(judgement), "VG606"))
      << Because(judgement) << Lacks(judgement);
}

TEST(DriverTooOldTest, InAContainerALogAloneCannotTell) {
  HostBuilder machine;
  machine.NvidiaDriver("470.256.02");
  machine.SetFile("/proc/57290/cgroup",
                  absl::StrCat("0::/system.slice/docker-", std::string(64, 'a'), ".scope\n"));
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCode35, kCpuLine});
  facts::Facts facts = machine.Gather();
  if (!facts.process.present()) return;  // the container's process is not the unit's
  const Judgement judgement = DriverTooOld(facts);
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
}

TEST(DriverTooOldTest, AShimReportsTooOldAVersion) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCode35, kCpuLine});
  const Judgement judgement = DriverTooOld(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->fix[0].command, "sudoedit /etc/vgpu/devices.toml");
}

TEST(DriverTooOldTest, WithoutTheChildsWordsNothingIsKnown) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(DriverTooOld(machine.FoundNoGpu().Gather())),
            "an error of CUDA at its initialisation");
}

TEST(DriverTooOldTest, TheRepairIsTheDistributionsOwn) {
  HostBuilder machine;
  machine.NvidiaDriver("535.183.01").EraC();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kTooOld, kCpuLine});
  machine.SetFile("/etc/os-release", "ID=fedora\n");
  Judgement judgement = DriverTooOld(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_TRUE(absl::StrContains(AsHolds(judgement)->fix[0].command, "dnf upgrade"));
  machine.SetFile("/etc/os-release", "ID=slackware\n");
  judgement = DriverTooOld(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->fix[0].command, "cat /proc/driver/nvidia/version");
}

}  // namespace
}  // namespace vgpu::rules

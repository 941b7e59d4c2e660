#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kElsewhere[] =
    R"log(time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:42 msg="inference compute" id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b library=CUDA compute=9.0 name=CUDA0 description="NVIDIA H100 80GB HBM3" pci_id=0000:00:00.0 total="80.0 GiB")log";

TEST(BusIdMismatchTest, CudaNamesAnotherAddressThanTheConfiguration) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kElsewhere});
  const Judgement judgement = BusIdMismatch(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(holds->evidence[0].meaning, "CUDA names 0000:00:00.0");
  EXPECT_EQ(holds->evidence[1].quote, "0000:00:05.0");
}

TEST(BusIdMismatchTest, TheSame) {
  EXPECT_EQ(Because(BusIdMismatch(HostBuilder().Gather())),
            "CUDA and the default profile both name 0000:00:05.0");
  EXPECT_EQ(Because(BusIdMismatch(HostBuilder().NvidiasOwn().Gather())),
            "CUDA and /sys/bus/pci/devices both name 0000:01:00.0");
}

TEST(BusIdMismatchTest, AConfiguredAddressIsRight) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kElsewhere});
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\npci_address = \"0000:00:00.0\"\n");
  EXPECT_EQ(AsHolds(BusIdMismatch(machine.Gather())), nullptr);
}

TEST(BusIdMismatchTest, NoLineNamesADevice) {
  HostBuilder machine;
  EXPECT_NE(Lacks(BusIdMismatch(machine.FoundNoGpu().Gather())), "");
  EXPECT_NE(Lacks(BusIdMismatch(machine.RemoveTool(kJournal).Gather())), "");
}

}  // namespace
}  // namespace vgpu::rules

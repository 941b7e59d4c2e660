#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string Verifying(absl::string_view id) {
  return absl::StrCat(
      "time=2026-02-24T10:06:00.500-05:00 level=DEBUG source=runner.go:146 msg=\"verifying if "
      "device is supported\" library=/usr/local/lib/ollama/cuda_v12 description=\"NVIDIA H100 80GB "
      "HBM3\" compute=9.0 id=",
      id, " pci_id=0000:00:05.0");
}

std::string Filtered(absl::string_view id) {
  return absl::StrCat(
      "time=2026-02-24T10:06:30.100-05:00 level=DEBUG source=runner.go:153 msg=\"filtering device "
      "which didn't fully initialize\" id=",
      id, " libdir=/usr/local/lib/ollama/cuda_v12 pci_id=0000:00:05.0 library=CUDA");
}

HostBuilder WithLog(const std::vector<std::string>& lines, const char* result = kCpuLine) {
  HostBuilder machine;
  std::vector<std::string> log = {kServerConfigLine, kListeningLine, kBeganLine, kFirstPassLine};
  log.insert(log.end(), lines.begin(), lines.end());
  log.push_back(result);
  return machine.SetLog(log);
}

TEST(DeviceUuidImplausibleTest, MemoryReadAsAnIdAndFilteredUnderAnother) {
  const Judgement judgement =
      DeviceUuidImplausible(WithLog({Verifying("GPU-00000000-1400-0000-0900-000000000000"),
                                     Filtered("GPU-00000000-1400-0000-00c0-000000000000")})
                                .Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "80.0 GiB"));
  EXPECT_EQ(holds->evidence[0].source, kJournal);
  EXPECT_EQ(holds->explains,
            (std::vector<std::string>{"VG703", "VG704", "VG708", "VG802", "VG803"}));
}

TEST(DeviceUuidImplausibleTest, ZerosAreLikely) {
  constexpr char kZero[] = "GPU-00000000-0000-0000-0000-000000000000";
  const Judgement judgement =
      DeviceUuidImplausible(WithLog({Verifying(kZero), Filtered(kZero)}).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "all of it is zero"));
}

TEST(DeviceUuidImplausibleTest, AnIdThatIsConfiguredIsRight) {
  constexpr char kOwn[] = "GPU-00000000-0000-0000-0000-000000000001";
  HostBuilder machine = WithLog({Verifying(kOwn), Filtered(kOwn)});
  EXPECT_NE(AsHolds(DeviceUuidImplausible(machine.Gather())), nullptr);
  machine.SetFile("/etc/vgpu/devices.toml", absl::StrCat("[[device]]\nuuid = \"", kOwn, "\"\n"));
  EXPECT_EQ(Because(DeviceUuidImplausible(machine.Gather())),
            absl::StrCat("the id ", kOwn, " is plausible"));
}

TEST(DeviceUuidImplausibleTest, OtherIdsAreRight) {
  const auto because = [](const char* id) {
    return Because(DeviceUuidImplausible(WithLog({Verifying(id)}).Gather()));
  };
  EXPECT_EQ(because("GPU-d110a105-ac29-1d54-7b49-9c90440f215b"),
            "the id GPU-d110a105-ac29-1d54-7b49-9c90440f215b is plausible");
  for (const char* id : {"0", "MIG-00000000-0000-0000-0000-000000000000"}) {
    EXPECT_EQ(because(id),
              absl::StrCat("the id ", id, " is a name of another form, and no broken UUID"));
  }
}

TEST(DeviceUuidImplausibleTest, NothingReportedADevice) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  "time=2026-02-24T10:06:00.480-05:00 level=DEBUG source=runner.go:124 "
                  "msg=\"evaluating which, if any, devices to filter out\" initial_count=0",
                  kCpuLine});
  EXPECT_EQ(Because(DeviceUuidImplausible(machine.Gather())),
            "initial_count=0: no device was reported");
  machine.FoundNoGpu();
  EXPECT_NE(Lacks(DeviceUuidImplausible(machine.Gather())), "");
  machine.EraA();
  EXPECT_EQ(AsHolds(DeviceUuidImplausible(machine.Gather())), nullptr);
}

TEST(DeviceUuidImplausibleTest, ADeviceOfAnotherLibraryIsNotJudged) {
  std::string vulkan = Verifying("00000000-0000-0000-0000-000000000000");
  vulkan.replace(vulkan.find("cuda_v12"), 8, "vulkan");
  EXPECT_EQ(AsHolds(DeviceUuidImplausible(WithLog({vulkan}).Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules

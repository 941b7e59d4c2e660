#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kDriver[] = "/usr/lib/x86_64-linux-gnu/libcuda.so.570.124.06";
constexpr char kDriverElf[] = R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
                                  "soname": "libcuda.so.1", "build_id": "8f2c11d07a"})";

TEST(PreloadPointsToDriverTest, TheCudaEntryIsALinkToTheDriver) {
  HostBuilder machine;
  machine.SetFile(kDriver, "x").SetElf(kDriver, kDriverElf).FoundNoGpu();
  machine.SetLink("/usr/lib64/libvgpu-cuda.so", kDriver).SetMaps({{kDriver, 77}});
  const Judgement judgement = PreloadPointsToDriver(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG707", "VG704"}));
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "libcuda.so.570.124.06, NVIDIA's own"));
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "8f2c11d07a"));
}

TEST(PreloadPointsToDriverTest, TheDriversSonameStandsInTheShimsList) {
  HostBuilder machine;
  machine.SetFile(kDriver, "x").SetElf(kDriver, kDriverElf);
  machine.SetLink("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.570.124.06");
  machine.SetEnviron("LD_PRELOAD",
                     "/usr/lib/x86_64-linux-gnu/libcuda.so.1:/usr/lib64/libvgpu-cudart.so");
  const Judgement judgement = PreloadPointsToDriver(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command,
                                "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-cudart"));
}

TEST(PreloadPointsToDriverTest, AMachineWithoutShimsMayPreloadItsDriver) {
  HostBuilder machine;
  machine.RemoveFile("/usr/lib64").SetFile(kDriver, "x").SetElf(kDriver, kDriverElf);
  machine.SetEnviron("LD_PRELOAD", kDriver).SetFile(kDropIn, "[Service]\n");
  machine.SetShown("Environment", "");
  EXPECT_EQ(AsHolds(PreloadPointsToDriver(machine.Gather())), nullptr);
}

TEST(PreloadPointsToDriverTest, AShimUnderTheDriversNameIsAShim) {
  HostBuilder machine;
  machine.SetLink("/opt/x/libcudart.so.12.8.90", "/usr/lib64/libvgpu-cudart.so");
  machine.SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-cuda.so:/opt/x/libcudart.so.12.8.90");
  EXPECT_EQ(AsHolds(PreloadPointsToDriver(machine.Gather())), nullptr);
}

// No list; the shims are found by path, in their own directory.
HostBuilder ByPath(absl::string_view cuda) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu().SetFile(kDriver, "x").SetElf(kDriver, kDriverElf);
  machine.RemoveEnviron("LD_PRELOAD").SetEnviron("LD_LIBRARY_PATH", "/usr/lib64");
  machine.SetFile(kDropIn, "[Service]\nEnvironment=LD_LIBRARY_PATH=/usr/lib64\n");
  machine.SetShown("Environment", "LD_LIBRARY_PATH=/usr/lib64");
  machine.SetLink("/usr/lib64/libcuda.so.1", cuda);
  return machine;
}

TEST(PreloadPointsToDriverTest, ALinkOfTheShimsDirectoryLeadsToTheDriver) {
  const Judgement judgement = PreloadPointsToDriver(ByPath(kDriver).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, "/usr/lib64/libcuda.so.1");
  EXPECT_EQ(holds->evidence[0].quote, kDriver);
  EXPECT_EQ(holds->evidence[1].source, "/usr/lib64/libvgpu-cuda.so");
  EXPECT_TRUE(
      absl::StrContains(holds->fix[0].command, "ln -s libvgpu-cuda.so /usr/lib64/libcuda.so.1"))
      << holds->fix[0].command;

  EXPECT_EQ(AsHolds(PreloadPointsToDriver(ByPath("libvgpu-cuda.so").Gather())), nullptr);
  HostBuilder alone = ByPath(kDriver);  // a driver's own directory, and no shim in it
  EXPECT_EQ(AsHolds(PreloadPointsToDriver(alone.RemoveFile("/usr/lib64/libvgpu-cuda.so").Gather())),
            nullptr);
}

TEST(PreloadPointsToDriverTest, FiveShims) {
  EXPECT_EQ(Because(PreloadPointsToDriver(HostBuilder().Gather())),
            "5 entries lead to shims, none to NVIDIA's files");
}

TEST(PreloadPointsToDriverTest, TheListCannotBeRead) {
  HostBuilder machine;
  machine.Hide("/proc/57290/environ").RemoveTool(kShow).RemoveFile("/etc/systemd");
  EXPECT_EQ(Lacks(PreloadPointsToDriver(machine.Gather())), "the preload list of the process");
}

TEST(PreloadPointsToDriverTest, TheShimIsPutInTheLinksPlaceAndTheServiceStartedAnew) {
  HostBuilder machine;
  machine.SetFile(kDriver, "x").SetElf(kDriver, kDriverElf).FoundNoGpu();
  machine.SetLink("/usr/lib64/libvgpu-cuda.so", kDriver).SetMaps({{kDriver, 77}});
  const Judgement judgement = PreloadPointsToDriver(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  ASSERT_EQ(holds->fix.size(), 2u);
  // The link itself is kept, to be put back.
  EXPECT_TRUE(
      absl::StrContains(holds->fix[0].command,
                        "cp -a /usr/lib64/libvgpu-cuda.so /usr/lib64/libvgpu-cuda.so.replaced"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].undo, "libvgpu-cuda.so.replaced"));
  EXPECT_EQ(holds->fix[1].command, "sudo systemctl restart ollama.service");
}

}  // namespace
}  // namespace vgpu::rules

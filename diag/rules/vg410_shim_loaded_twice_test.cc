#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(ShimLoadedTwiceTest, TwoFilesInTheMaps) {
  HostBuilder machine;
  machine.SetMaps(
      {{"/usr/lib64/libvgpu-cuda.so", 303}, {"/usr/local/lib/ollama/cuda_v12/libcuda.so.1", 901}});
  const Judgement judgement = ShimLoadedTwice(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(FindQuote(*holds, "libcuda.so.1 (inode 901)")->source, "/proc/57290/maps");
  EXPECT_NE(FindQuote(*holds, "libvgpu-cuda.so (inode 303)"), nullptr);
}

TEST(ShimLoadedTwiceTest, OneFileOfEach) {
  EXPECT_EQ(Because(ShimLoadedTwice(HostBuilder().Gather())),
            "5 shims are in the maps of the process, each once");
}

TEST(ShimLoadedTwiceTest, OneFileUnderTwoNamesLoadsOnce) {
  HostBuilder machine;  // the kernel names a file once, whatever link led to it
  machine.Hide("/proc/57290/maps")
      .SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-cuda.so:/opt/vgpu/libcuda.so.1");
  machine.SetLink("/opt/vgpu/libcuda.so.1", "/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(AsHolds(ShimLoadedTwice(machine.Gather())), nullptr);
}

TEST(ShimLoadedTwiceTest, AHardLinkLoadsOnceAndACopyTwice) {
  HostBuilder machine;
  machine.Hide("/proc/57290/maps")
      .SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-cuda.so:/opt/vgpu/libcuda.so.1");
  machine.SetFile("/opt/vgpu/libcuda.so.1",
                  "\x7f"
                  "ELF");
  const Judgement copy = ShimLoadedTwice(machine.Gather());
  ASSERT_NE(AsHolds(copy), nullptr);
  EXPECT_EQ(AsHolds(copy)->confidence, Confidence::kLikely);
  machine.SetInode("/opt/vgpu/libcuda.so.1", 7).SetInode("/usr/lib64/libvgpu-cuda.so", 7);
  EXPECT_EQ(AsHolds(ShimLoadedTwice(machine.Gather())), nullptr);
}

TEST(ShimLoadedTwiceTest, WithoutInodeNumbersNothingIsClaimed) {
  HostBuilder machine;  // a copy and a hard link look the same
  machine.Hide("/proc/57290/maps")
      .WithoutFileTimes()
      .SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-cuda.so:/opt/vgpu/libcuda.so.1");
  machine.SetFile("/opt/vgpu/libcuda.so.1",
                  "\x7f"
                  "ELF");
  EXPECT_EQ(Lacks(ShimLoadedTwice(machine.Gather())), "loaded libraries of process 57290");
}

TEST(ShimLoadedTwiceTest, NvidiasOwnFilesAreNoShims) {
  HostBuilder machine;
  machine.SetMaps({{"/usr/lib/x86_64-linux-gnu/libcudart.so.12.8.90", 1},
                   {"/usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90", 2}});
  EXPECT_EQ(AsHolds(ShimLoadedTwice(machine.Gather())), nullptr);
}

TEST(ShimLoadedTwiceTest, AShimBesideTheRealLibraryIsNoCopy) {
  HostBuilder machine;  // another fault (VG418), and another repair
  machine.SetMaps({{"/usr/lib64/libvgpu-cudart.so", 305},
                   {"/usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90", 2}});
  EXPECT_EQ(AsHolds(ShimLoadedTwice(machine.Gather())), nullptr);
}

TEST(ShimLoadedTwiceTest, AWrapperThatOpensACopyExplainsTheCrash) {
  HostBuilder machine;
  machine.CrashLooping().SetExecStart("/usr/local/bin/force_load_shim /usr/local/bin/ollama serve");
  machine.SetFile("/usr/local/bin/force_load_shim", CopyingWrapper());
  machine.SetFile("/opt/vgpu/lib/libvgpu-cuda.so",
                  "\x7f"
                  "ELF");
  const Judgement judgement = ShimLoadedTwice(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG704", "VG307", "VG301"}));
}

TEST(ShimLoadedTwiceTest, AServiceThatIsOnlyStoppedHasItAhead) {
  HostBuilder machine;
  machine.Stopped();
  machine.SetFile("/opt/vgpu/libcuda.so.1",
                  "\x7f"
                  "ELF");
  const std::string list = "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so:/opt/vgpu/libcuda.so.1";
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=", list, "\n"));
  machine.SetShown("Environment", list);
  const Judgement judgement = ShimLoadedTwice(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
}

}  // namespace
}  // namespace vgpu::rules

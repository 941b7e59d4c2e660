#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(GlobalPreloadShimTest, AShimInTheHostsFile) {
  HostBuilder machine;
  machine.SetFile("/etc/ld.so.preload", "/opt/other.so\n/usr/lib64/libvgpu-cuda.so\n");
  machine.SetFile("/proc/1/maps", "7f00-7f01 r-xp 00000000 08:01 303 /usr/lib64/libvgpu-cuda.so\n");
  const Judgement judgement = GlobalPreloadShim(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].source, "/etc/ld.so.preload");
  EXPECT_EQ(holds->evidence[0].line, 2);
  EXPECT_EQ(holds->evidence[1].source, "/proc/1/maps");
}

TEST(GlobalPreloadShimTest, TheListThatTheUnitBindsIsItsOwn) {
  HostBuilder machine;
  machine.SetFile(kDropIn,
                  "[Service]\nBindReadOnlyPaths=/etc/vgpu/ld.so.preload:/etc/ld.so.preload\n");
  machine.SetFile("/etc/vgpu/ld.so.preload", "/usr/lib64/libvgpu-cuda.so\n");
  machine.SetFile("/etc/ld.so.preload", "");  // what systemd makes for the mount
  EXPECT_EQ(Because(GlobalPreloadShim(machine.Gather())), "the host's /etc/ld.so.preload is empty");
}

TEST(GlobalPreloadShimTest, AnotherLibraryIsNoShim) {
  HostBuilder machine;
  machine.SetFile("/etc/ld.so.preload", "/usr/lib/libjemalloc.so.2\n");
  EXPECT_EQ(Because(GlobalPreloadShim(machine.Gather())),
            "/etc/ld.so.preload lists no shim in its 1 entry");
}

TEST(GlobalPreloadShimTest, AFileThatCannotBeReadIsNotObserved) {
  HostBuilder machine;
  machine.SetFile("/etc/ld.so.preload", "x").Hide("/etc/ld.so.preload");
  EXPECT_EQ(Lacks(GlobalPreloadShim(machine.Gather())), "the host's /etc/ld.so.preload");
}

TEST(GlobalPreloadShimTest, AUnitWithoutAListOfItsOwnGetsOneFirst) {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\n").SetShown("Environment", "PATH=/usr/bin");
  machine.SetFile("/etc/ld.so.preload", "/usr/lib64/libvgpu-cuda.so\n");
  const Judgement judgement = GlobalPreloadShim(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so"));
}

}  // namespace
}  // namespace vgpu::rules

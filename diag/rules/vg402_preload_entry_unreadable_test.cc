#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kPasswd[] = "root:x:0:0:root:/root:/bin/bash\nollama:x:998:998::/:/bin/false\n";
constexpr char kGroup[] = "root:x:0:\nollama:x:998:\n";

// The service runs as ollama, and the process has no shim of cuda in memory.
HostBuilder WithUsers() {
  HostBuilder machine;
  machine.SetFile("/etc/passwd", kPasswd).SetFile("/etc/group", kGroup);
  machine.SetMaps({{"/usr/lib64/libvgpu-exec.so", 301},
                   {"/usr/lib64/libvgpu-syscall.so", 302},
                   {"/usr/lib64/libvgpu-nvml.so", 304},
                   {"/usr/lib64/libvgpu-cudart.so", 305}});
  for (const char* dir : {"/", "/usr", "/usr/lib64"}) machine.SetMode(dir, 0755);
  return machine;
}

TEST(PreloadEntryUnreadableTest, TheFileIsRootsAlone) {
  HostBuilder machine = WithUsers();
  machine.SetMode("/usr/lib64/libvgpu-cuda.so", 0600).FoundNoGpu();
  const Judgement judgement = PreloadEntryUnreadable(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
  EXPECT_EQ(holds->evidence[0].quote, "/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(holds->evidence[0].meaning,
            "listed for preloading, and user ollama may not read /usr/lib64/libvgpu-cuda.so "
            "(mode 0600)");
  EXPECT_EQ(holds->fix[0].command, "sudo chmod a+r /usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(holds->fix[0].undo, "sudo chmod 0600 /usr/lib64/libvgpu-cuda.so");
}

TEST(PreloadEntryUnreadableTest, ADirectoryOnTheWayIsClosed) {
  HostBuilder machine = WithUsers();
  machine.SetLink("/usr/lib64/libvgpu-cuda.so", "/home/dev/vgpu/libvgpu-cuda.so");
  machine.SetFile("/home/dev/vgpu/libvgpu-cuda.so", "x");
  machine.SetMode("/home", 0755).SetMode("/home/dev", 0700, 1000, 1000);
  const Judgement judgement = PreloadEntryUnreadable(machine.FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "may not enter /home/dev (mode 0700)"));
  EXPECT_EQ(holds->fix[0].command, "sudo chmod o+x /home/dev");
}

TEST(PreloadEntryUnreadableTest, EraAListsTheDirectoryInWhichItLooksForTheDriver) {
  HostBuilder machine = WithUsers();
  machine.FoundNoGpu().EraA().SetFile(kDropIn,
                                      "[Service]\n"
                                      "Environment=LD_PRELOAD=/opt/vgpu/libvgpu-cuda.so\n"
                                      "Environment=LD_LIBRARY_PATH=/opt/vgpu\n");
  machine.SetFile("/opt/vgpu/libvgpu-cuda.so", "x").SetMode("/opt/vgpu", 0700);
  machine.SetMode("/opt", 0755).SetShown("Environment", "LD_PRELOAD=/opt/vgpu/libvgpu-cuda.so");
  machine.SetEnviron("LD_PRELOAD", "/opt/vgpu/libvgpu-cuda.so");
  const Judgement judgement = PreloadEntryUnreadable(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(AsHolds(judgement)->fix[0].command, "sudo chmod o+rx /opt/vgpu");
}

TEST(PreloadEntryUnreadableTest, OneThatNothingNeedsIsLatent) {
  HostBuilder machine = WithUsers();
  machine.SetMaps({{"/usr/lib64/libvgpu-cuda.so", 303}}).FoundNoGpu();
  machine.SetMode("/usr/lib64/libvgpu-exec.so", 0600);
  const Judgement judgement = PreloadEntryUnreadable(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(holds->explains.empty());
}

TEST(PreloadEntryUnreadableTest, TheListThatTheUnitBindsIsRootsAlone) {
  HostBuilder machine = WithUsers();
  machine.SetFile("/etc/vgpu/ld.so.preload", "/usr/lib64/libvgpu-cuda.so\n");
  machine.SetMode("/etc/vgpu/ld.so.preload", 0600).FoundNoGpu();
  machine.SetFile(kDropIn,
                  "[Service]\nBindReadOnlyPaths=/etc/vgpu/ld.so.preload:/etc/ld.so.preload\n");
  machine.SetShown("Environment", "PATH=/usr/bin").RemoveEnviron("LD_PRELOAD");
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}});
  const Judgement judgement = PreloadEntryUnreadable(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].source, "/etc/vgpu/ld.so.preload");
  EXPECT_EQ(holds->evidence[0].quote, "mode 0600");
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
}

TEST(PreloadEntryUnreadableTest, RootReadsAll) {
  HostBuilder machine = WithUsers();
  machine.SetShown("User", "root").SetMode("/usr/lib64/libvgpu-cuda.so", 0600);
  EXPECT_EQ(AsHolds(PreloadEntryUnreadable(machine.Gather())), nullptr);
}

TEST(PreloadEntryUnreadableTest, WhatIsInMemoryCouldBeRead) {
  HostBuilder machine;
  machine.SetFile("/etc/passwd", kPasswd).SetFile("/etc/group", kGroup);
  EXPECT_EQ(Because(PreloadEntryUnreadable(machine.Gather())),
            "the service's user may read 5 of 5 entries that exist");
}

TEST(PreloadEntryUnreadableTest, ModesThatWereNotCapturedTellNothing) {
  HostBuilder machine;
  machine.Hide("/proc/57290/maps").SetFile("/etc/passwd", kPasswd).SetFile("/etc/group", kGroup);
  EXPECT_EQ(Lacks(PreloadEntryUnreadable(machine.Gather())),
            "whether the service may read /usr/lib64/libvgpu-exec.so");
}

TEST(PreloadEntryUnreadableTest, AMissingFileIsAnotherFault) {
  HostBuilder machine = WithUsers();
  machine.RemoveFile("/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(AsHolds(PreloadEntryUnreadable(machine.Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules

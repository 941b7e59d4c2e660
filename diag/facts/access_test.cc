#include "diag/facts/access.h"

#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using host::FileMeta;
using host::FileType;

PathStep Dir(const char* path, uint32_t mode, uint32_t uid = 0, uint32_t gid = 0) {
  PathStep step{path, {}};
  step.meta.type = FileType::kDir;
  step.meta.mode = mode;
  step.meta.uid = uid;
  step.meta.gid = gid;
  return step;
}

PathStep File(const char* path, uint32_t mode, uint32_t uid = 0, uint32_t gid = 0) {
  PathStep step = Dir(path, mode, uid, gid);
  step.meta.type = FileType::kFile;
  return step;
}

const Identity kOllama{.name = "ollama", .uid = 998, .gid = 997, .groups = {44}};
const Identity kRoot{.name = "root"};

TEST(AccessTest, ABinaryBelowAClosedHomeDirectory) {
  const std::vector<PathStep> way = {Dir("/", 0755), Dir("/home", 0755), Dir("/home/u", 0700, 1000),
                                     File("/home/u/ollama", 0755, 1000)};
  const host::Observed<Barrier> barrier = WhatStops(way, kOllama, Want::kExecute);
  ASSERT_TRUE(barrier.present());
  EXPECT_EQ(barrier->path, "/home/u");
  EXPECT_TRUE(barrier->directory);
  EXPECT_EQ(ModeText(barrier->mode), "0700");
  EXPECT_TRUE(WhatStops(way, kRoot, Want::kExecute).absent());
}

TEST(AccessTest, TheOwnersClassDecidesForTheOwner) {
  const std::vector<PathStep> way = {Dir("/", 0755), File("/x", 0077, 998, 997)};
  EXPECT_TRUE(WhatStops(way, kOllama, Want::kRead).present());
}

TEST(AccessTest, AGroupOpensAndShuts) {
  EXPECT_TRUE(WhatStops({Dir("/", 0755), File("/x", 0640, 0, 44)}, kOllama, Want::kRead).absent());
  EXPECT_TRUE(WhatStops({Dir("/", 0755), File("/x", 0604, 0, 44)}, kOllama, Want::kRead).present());
}

TEST(AccessTest, EvenRootExecutesNothingThatNobodyMay) {
  const std::vector<PathStep> way = {Dir("/", 0755), File("/x", 0644)};
  EXPECT_TRUE(WhatStops(way, kRoot, Want::kExecute).present());
  EXPECT_TRUE(WhatStops(way, kRoot, Want::kRead).absent());
}

TEST(AccessTest, AnUnknownStepIsNoBarrierAndNoPass) {
  PathStep unknown{"/opt", {}};
  unknown.meta.type = FileType::kDir;
  const std::vector<PathStep> open = {Dir("/", 0755), unknown, File("/opt/x", 0644)};
  EXPECT_EQ(WhatStops(open, kOllama, Want::kRead).why_not(),
            "/opt: owner and mode were not captured");
  const std::vector<PathStep> shut = {Dir("/", 0755), unknown, File("/opt/x", 0600)};
  EXPECT_TRUE(WhatStops(shut, kOllama, Want::kRead).present());
}

TEST(AccessTest, GroupsThatAreNotKnownLeaveItOpen) {
  Identity who = kOllama;
  who.groups_known = false;
  const std::vector<PathStep> way = {Dir("/", 0755), File("/x", 0640, 0, 105)};
  EXPECT_TRUE(WhatStops(way, kOllama, Want::kRead).present());
  EXPECT_TRUE(WhatStops(way, who, Want::kRead).not_observed());
}

TEST(AccessTest, AModeThatTreatsAllAlikeNeedsNoOwner) {
  PathStep step = File("/x", 0444);
  step.meta.uid = host::NotObserved{"a checkout"};
  step.meta.gid = host::NotObserved{"a checkout"};
  EXPECT_TRUE(WhatStops({Dir("/", 0555), step}, kOllama, Want::kRead).absent());
}

TEST(AccessTest, TheWayPassesTheDirectoriesOfLinks) {
  host::FakeHost host;
  host.AddLink("/usr/lib64/libcuda.so.1", "/opt/vgpu/lib/libvgpu-cuda.so");
  host.AddFile("/opt/vgpu/lib/libvgpu-cuda.so", "ELF");
  const host::Observed<host::Resolved> found = host.Resolve("/usr/lib64/libcuda.so.1");
  ASSERT_TRUE(found.present());
  std::vector<std::string> paths;
  for (const PathStep& step : WayTo(host, *found)) paths.push_back(step.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/usr", "/usr/lib64", "/opt", "/opt/vgpu",
                                             "/opt/vgpu/lib", "/opt/vgpu/lib/libvgpu-cuda.so"}));
}

TEST(AccessTest, AWayBelowAnotherRoot) {
  host::FakeHost host;
  host.AddFile("/proc/7/root/etc/ld.so.preload", "/x.so");
  const host::Observed<host::Resolved> found = host.Resolve("/etc/ld.so.preload", "/proc/7/root");
  ASSERT_TRUE(found.present());
  const std::vector<PathStep> way = WayTo(host, *found, "/proc/7/root");
  ASSERT_EQ(way.size(), 3u);
  EXPECT_EQ(way[1].path, "/proc/7/root/etc");
}

}  // namespace
}  // namespace vgpu::facts

#include "diag/host/host.h"

#include <string>

#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

TEST(ResolveTest, FollowsLinksInEveryComponent) {
  FakeHost host;
  host.AddFile("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "ELF");
  host.AddLink("/lib", "usr/lib");
  host.AddLink("/usr/lib64", "/lib/x86_64-linux-gnu");

  Observed<Resolved> found = host.Resolve("/usr/lib64/libcuda.so.1");
  ASSERT_TRUE(found.present());
  EXPECT_EQ(found->path, "/usr/lib/x86_64-linux-gnu/libcuda.so.1");
  ASSERT_EQ(found->links.size(), 2u);
  EXPECT_EQ(found->links[0].first, "/usr/lib64");
  EXPECT_EQ(found->links[1].second, "usr/lib");
}

TEST(ResolveTest, DotDotNeverLeavesTheRoot) {
  FakeHost host;
  host.AddFile("/etc/passwd", "root:x:0:0:");
  host.AddLink("/escape", "../../../../etc/passwd");
  EXPECT_EQ(host.Resolve("/../../etc/./passwd")->path, "/etc/passwd");
  EXPECT_EQ(host.Resolve("/escape")->path, "/etc/passwd");
  EXPECT_EQ(host.Resolve("/..")->path, "/");
}

TEST(ResolveTest, AnAbsoluteLinkOfAProcessesRootStaysInThatRoot) {
  FakeHost host;
  host.AddFile("/proc/57290/root/opt/vgpu/libcuda.so.1", "the container's");
  host.AddLink("/proc/57290/root/usr/lib64", "/opt/vgpu");
  host.AddFile("/opt/vgpu/libcuda.so.1", "the host's");

  Observed<Content> read =
      host.Read("/usr/lib64/libcuda.so.1", Host::kDefaultLimit, "/proc/57290/root");
  ASSERT_TRUE(read.present());
  EXPECT_EQ(read->bytes, "the container's");
}

TEST(ResolveTest, ADanglingLinkIsAbsentAndTheTraceSaysWhereItEnds) {
  FakeHost host;
  host.AddLink("/usr/local/lib/ollama/libggml-cuda.so", "cuda_v12/libggml-cuda.so");
  Trace trace;
  EXPECT_TRUE(host.Resolve("/usr/local/lib/ollama/libggml-cuda.so", "", &trace).absent());
  EXPECT_EQ(trace.stopped_at, "/usr/local/lib/ollama/cuda_v12");
  EXPECT_FALSE(trace.loop);
}

TEST(ResolveTest, ALoopEndsAndIsToldApart) {
  FakeHost host;
  host.AddLink("/a", "/b");
  host.AddLink("/b", "/a");
  Trace trace;
  EXPECT_TRUE(host.Resolve("/a", "", &trace).absent());
  EXPECT_TRUE(trace.loop);
  EXPECT_TRUE(host.ResolveNoFollow("/a").present());
}

TEST(ResolveTest, NothingIsBelowAFile) {
  FakeHost host;
  host.AddFile("/etc/hostname", "test10\n");
  EXPECT_TRUE(host.Resolve("/etc/hostname/x").absent());
}

TEST(ResolveTest, WhatStandsBelowAnUnreadableDirectoryIsNotObserved) {
  FakeHost host;
  host.AddFile("/root/lib/x.so", "");
  host.Hide("/root/lib", "permission denied");
  Observed<Resolved> found = host.Resolve("/root/lib/x.so");
  EXPECT_TRUE(found.not_observed());
  EXPECT_EQ(found.why_not(), "/root/lib: permission denied");
}

TEST(ResolveTest, NamesThatNoKernelTakesAreNotObserved) {
  FakeHost host;
  EXPECT_TRUE(host.Resolve(absl::string_view("/a\0b", 4)).not_observed());
  EXPECT_TRUE(host.Resolve("relative").not_observed());
  EXPECT_TRUE(host.Resolve("/" + std::string(5000, 'x')).not_observed());
}

TEST(ReadTest, AFifoIsNotRead) {
  FakeHost host;
  host.AddNode("/run/pipe", FileType::kFifo);
  EXPECT_EQ(host.Read("/run/pipe").why_not(), "is no regular file (fifo)");
}

TEST(ReadTest, MoreThanTheLimitIsCutAndSaysSo) {
  FakeHost host;
  host.AddFile("/var/log/x", "0123456789");
  Observed<Content> read = host.Read("/var/log/x", 4);
  EXPECT_EQ(read->bytes, "0123");
  EXPECT_TRUE(read->truncated);
}

TEST(PathTest, NamesAndDirectories) {
  EXPECT_EQ(JoinPath("/etc/", "/systemd"), "/etc/systemd");
  EXPECT_EQ(JoinPath("/", "proc"), "/proc");
  EXPECT_EQ(Basename("/usr/lib64/libcuda.so.1"), "libcuda.so.1");
  EXPECT_EQ(Dirname("/usr/lib64/libcuda.so.1"), "/usr/lib64");
  EXPECT_EQ(Dirname("/usr"), "/");
}

}  // namespace
}  // namespace vgpu::host

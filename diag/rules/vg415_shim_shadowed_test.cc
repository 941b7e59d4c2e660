#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kBundled[] = "/usr/local/lib/ollama/cuda_v12/libcudart.so.12";

// No preload list; the shims are links below /opt/vgpu/lib, in LD_LIBRARY_PATH. Ollama's own
// directories come before it, and cuda_v12 has NVIDIA's runtime.
HostBuilder ByPath() {
  HostBuilder machine;
  machine.WithLibraries();
  machine.RemoveEnviron("LD_PRELOAD").SetEnviron("LD_LIBRARY_PATH", "/opt/vgpu/lib");
  machine.SetFile(kDropIn, "[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/vgpu/lib\n");
  machine.SetShown("Environment", "LD_LIBRARY_PATH=/opt/vgpu/lib");
  machine.SetLink("/opt/vgpu/lib/libcuda.so.1", "/usr/lib64/libvgpu-cuda.so");
  machine.SetLink("/opt/vgpu/lib/libcudart.so.12", "/usr/lib64/libvgpu-cudart.so");
  return machine;
}

TEST(ShimShadowedTest, OllamasOwnRuntimeComesFirst) {
  const Judgement judgement = ShimShadowed(ByPath().FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, kBundled);
  EXPECT_EQ(holds->evidence[0].quote, "/usr/local/lib/ollama/cuda_v12/libcudart.so.12.8.90");
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "by LD_LIBRARY_PATH"));
  EXPECT_EQ(holds->evidence[1].source, "/opt/vgpu/lib/libcudart.so.12");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command,
                                "ln -s /usr/lib64/libvgpu-cudart.so /usr/local/lib/ollama/"));
}

TEST(ShimShadowedTest, ALinkInOllamasDirectoryWins) {
  HostBuilder machine = ByPath();
  machine.SetLink(kBundled, "/usr/lib64/libvgpu-cudart.so");
  EXPECT_TRUE(
      absl::StrContains(Because(ShimShadowed(machine.Gather())), "no file stands before a shim"));
}

TEST(ShimShadowedTest, APreloadedShimIsNeverShadowed) {
  HostBuilder machine;
  machine.WithLibraries();
  EXPECT_TRUE(
      absl::StrContains(Because(ShimShadowed(machine.Gather())), "no file stands before a shim"));
}

TEST(ShimShadowedTest, LibrariesThatWereNotCapturedTellNothing) {
  EXPECT_EQ(Lacks(ShimShadowed(HostBuilder().Gather())), "which libraries discovery finds");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kCudart[] = "/usr/lib64/libvgpu-cudart.so";
constexpr char kNameless[] = R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
    "interp": null, "soname": null, "needed": ["libc.so.6"], "rpath": null, "runpath": null,
    "version_defs": ["libcudart.so.12"], "version_needs": [], "undefined": [],
    "exports": [{"name": "cudaMalloc", "version": "libcudart.so.12"}], "exports_complete": true})";

TEST(ShimSonameWrongTest, TheRuntimeHasNoSonameAndNvidiasWins) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu().SetElf(kCudart, kNameless);
  const Judgement judgement = ShimSonameWrong(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, kCudart);
  EXPECT_EQ(holds->evidence[0].quote, "(no SONAME)");
  EXPECT_EQ(holds->evidence[1].source, "/usr/local/lib/ollama/cuda_v12/libcudart.so.12");
  EXPECT_EQ(holds->explains[0], "VG418");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].why, "-soname,libcudart.so.12"));
}

TEST(ShimSonameWrongTest, OneThatIsFoundByItsFileNameNeedsNone) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu().SetElf(kCudart, kNameless);
  machine.SetLink("/usr/local/lib/ollama/cuda_v12/libcudart.so.12", kCudart);
  EXPECT_EQ(AsHolds(ShimSonameWrong(machine.Gather())), nullptr);
}

TEST(ShimSonameWrongTest, ThreeBearTheirNames) {
  HostBuilder machine;
  machine.WithLibraries();
  EXPECT_EQ(Because(ShimSonameWrong(machine.Gather())),
            "3 preloaded shims bear the soname that programs ask for");
}

TEST(ShimSonameWrongTest, ASonameThatWasNotReadIsNotJudged) {
  HostBuilder machine;
  machine.SetElf(kCudart, R"({"class": 64})");
  EXPECT_TRUE(absl::StrContains(Lacks(ShimSonameWrong(machine.Gather())), kCudart));
}

}  // namespace
}  // namespace vgpu::rules

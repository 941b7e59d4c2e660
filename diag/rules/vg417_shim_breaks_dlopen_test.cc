#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kExec[] = "/usr/lib64/libvgpu-exec.so";
constexpr char kInterposes[] = R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
    "interp": null, "soname": "libvgpu-exec.so", "needed": ["libc.so.6"], "rpath": null,
    "runpath": null, "version_defs": null, "version_needs": [], "undefined": [],
    "exports": [{"name": "dlopen", "version": null}], "exports_complete": true})";

TEST(ShimBreaksDlopenTest, NothingElseIsWrongAndNoDeviceIsFound) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu().SetElf(kExec, kInterposes);
  const Judgement judgement = ShimBreaksDlopen(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, kExec);
  EXPECT_NE(FindQuote(*holds, "library=cpu"), nullptr);
}

TEST(ShimBreaksDlopenTest, AShimThatInterposesAndWorksIsNoFault) {
  HostBuilder machine;
  machine.WithLibraries().SetElf(kExec, kInterposes);
  EXPECT_TRUE(absl::StrContains(Because(ShimBreaksDlopen(machine.Gather())),
                                "no discovery is known to have failed"));
}

TEST(ShimBreaksDlopenTest, ADeviceInTheFirstPassSaysThatDlopenWorks) {
  HostBuilder machine;
  machine.WithLibraries().SetElf(kExec, kInterposes);
  machine.SetLog(
      {kServerConfigLine, kListeningLine, kBeganLine, kFirstPassLine, kFilteredLine, kCpuLine});
  EXPECT_TRUE(absl::StrContains(Because(ShimBreaksDlopen(machine.Gather())), "first pass found"));
}

TEST(ShimBreaksDlopenTest, AnotherReasonForTheBackendRulesItOut) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu().SetElf(kExec, kInterposes);
  machine.RemoveFile("/usr/local/lib/ollama/cuda_v12/libcublas.so.12");
  EXPECT_TRUE(absl::StrContains(Because(ShimBreaksDlopen(machine.Gather())), "for another reason"));
}

TEST(ShimBreaksDlopenTest, NoneInterposes) {
  EXPECT_EQ(Because(ShimBreaksDlopen(HostBuilder().Gather())),
            "5 preloaded libraries, and no dlopen or dlsym among what was seen of their exports");
}

}  // namespace
}  // namespace vgpu::rules

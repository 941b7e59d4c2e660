#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// The process and its unit have this list, and discovery found no GPU.
facts::Facts With(absl::string_view list) {
  HostBuilder machine;
  machine.SetEnviron("LD_PRELOAD", list).FoundNoGpu();
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}});
  return machine.Gather();
}

TEST(PreloadPathMalformedTest, QuotesAreLeftInTheValue) {
  const Judgement judgement =
      PreloadPathMalformed(With("'/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so'"));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, "'/usr/lib64/libvgpu-exec.so");
  EXPECT_EQ(holds->evidence[1].quote, "/usr/lib64/libvgpu-cuda.so'");
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG401", "VG414", "VG704"}));
  EXPECT_TRUE(absl::StrContains(
      holds->fix[0].command, "LD_PRELOAD=/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so\""));
}

TEST(PreloadPathMalformedTest, DoubledDirectories) {
  const Judgement judgement = PreloadPathMalformed(With("/usr/lib64/usr/lib64/libvgpu-cuda.so"));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "has its directories twice"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\""));
}

TEST(PreloadPathMalformedTest, ADirectoryBeforeAWholePath) {
  EXPECT_NE(AsHolds(PreloadPathMalformed(With("/opt/x//usr/lib64/libvgpu-cuda.so"))), nullptr);
}

TEST(PreloadPathMalformedTest, ALineBreakIsNoSeparator) {
  const Judgement judgement =
      PreloadPathMalformed(With("/usr/lib64/libvgpu-exec.so\n/usr/lib64/libvgpu-cuda.so"));
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_TRUE(absl::StrContains(AsHolds(judgement)->evidence[0].meaning, "a line break"));
}

TEST(PreloadPathMalformedTest, ForeignSeparatorsAndNone) {
  for (absl::string_view list : {"/usr/lib64/libvgpu-exec.so,/usr/lib64/libvgpu-cuda.so",
                                 "/usr/lib64/libvgpu-exec.so.1;/usr/lib64/libvgpu-cuda.so",
                                 "/usr/lib64/libvgpu-exec.so/usr/lib64/libvgpu-cuda.so"}) {
    const Judgement judgement = PreloadPathMalformed(With(list));
    ASSERT_NE(AsHolds(judgement), nullptr) << list;
    EXPECT_TRUE(
        absl::StrContains(AsHolds(judgement)->fix[0].command, ":/usr/lib64/libvgpu-cuda.so"))
        << AsHolds(judgement)->fix[0].command;
  }
}

TEST(PreloadPathMalformedTest, NobodyExpandsAVariable) {
  EXPECT_NE(AsHolds(PreloadPathMalformed(With("$HOME/libvgpu-cuda.so"))), nullptr);
  EXPECT_NE(AsHolds(PreloadPathMalformed(With("LD_PRELOAD=/usr/lib64/libvgpu-cuda.so"))), nullptr);
}

TEST(PreloadPathMalformedTest, TheLoadersOwnTokensAndPlainOddities) {
  for (absl::string_view list :
       {"$ORIGIN/../lib/libvgpu-cuda.so", "/usr/$LIB/libvgpu-cuda.so",
        "/usr//lib64/libvgpu-cuda.so", ":/usr/lib64/libvgpu-cuda.so::",
        "/usr/lib64/libvgpu-cuda.so /usr/lib64/libvgpu-exec.so", "/gone/libvgpu-cuda.so",
        "/opt/vgpu/vgpu/libvgpu-cuda.so", "/opt/app.so.d/libvgpu-cuda.so"}) {
    EXPECT_EQ(AsHolds(PreloadPathMalformed(With(list))), nullptr) << list;
  }
}

TEST(PreloadPathMalformedTest, AFileThatIsReallyCalledSoIsNoFault) {
  HostBuilder machine;
  machine.SetFile("/opt/it's/libvgpu-cuda.so", "x");
  machine.SetEnviron("LD_PRELOAD", "/opt/it's/libvgpu-cuda.so");
  EXPECT_EQ(Because(PreloadPathMalformed(machine.Gather())).substr(0, 7), "6 entri");
}

}  // namespace
}  // namespace vgpu::rules

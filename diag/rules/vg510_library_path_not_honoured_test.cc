#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string MeaningIn(HostBuilder machine) {
  machine.SetFile(kDropIn, "[Service]\nEnvironment=OLLAMA_LIBRARY_PATH=/opt/vgpu/lib\n");
  const Judgement judgement = LibraryPathNotHonoured(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  if (holds == nullptr) return "";
  EXPECT_EQ(holds->evidence[0].source, kDropIn);
  EXPECT_EQ(holds->evidence[0].line, 2);
  EXPECT_EQ(holds->evidence[0].quote, "OLLAMA_LIBRARY_PATH=/opt/vgpu/lib");
  EXPECT_TRUE(holds->explains.empty());
  return holds->evidence[0].meaning;
}

TEST(LibraryPathNotHonouredTest, TheServerOverwritesItInErasAAndB) {
  EXPECT_TRUE(absl::StrContains(MeaningIn(HostBuilder().EraA()), "overwrites it for its child"));
  EXPECT_TRUE(absl::StrContains(MeaningIn(HostBuilder()), "overwrites it for its child"));
}

TEST(LibraryPathNotHonouredTest, EraCReadsItNowhere) {
  EXPECT_TRUE(absl::StrContains(MeaningIn(HostBuilder().EraC()), "reads it nowhere"));
}

TEST(LibraryPathNotHonouredTest, OnlyTheProcessHasIt) {
  HostBuilder machine;
  const Judgement judgement =
      LibraryPathNotHonoured(machine.SetEnviron("OLLAMA_LIBRARY_PATH", "/x").Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->evidence[0].source, "/proc/57290/environ");
}

TEST(LibraryPathNotHonouredTest, NotSet) {
  EXPECT_EQ(Because(LibraryPathNotHonoured(HostBuilder().Gather())),
            "OLLAMA_LIBRARY_PATH is not set");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kWith[] = "[Service]\nEnvironmentFile=/etc/default/ollama\n";

HostBuilder Failing(absl::string_view text) {
  HostBuilder machine;
  machine.Stopped().SetShown("ActiveState", "failed").SetShown("Result", "resources");
  machine.SetFile(kDropIn, text);
  machine.SetJournal(SystemdSaid("", At("2026-02-24 10:06:01"),
                                 "ollama.service: Failed to load environment files: No such file "
                                 "or directory"));
  return machine;
}

TEST(EnvironmentFileMissingTest, TheUnitDoesNotStart) {
  const Judgement judgement = EnvironmentFileMissing(Failing(kWith).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, kDropIn);
  EXPECT_NE(FindQuote(*holds, "Failed to load environment files"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "EnvironmentFile=-/etc/default/ollama"));
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG301", "VG307"}));
}

TEST(EnvironmentFileMissingTest, APatternThatNoFileMatches) {
  const absl::string_view text = "[Service]\nEnvironmentFile=/etc/ollama/*.env\n";
  HostBuilder none = Failing(text);
  const Judgement judgement = EnvironmentFileMissing(
      none.SetFile("/etc/ollama/.env", "").SetFile("/etc/ollama/a", "").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->headline,
            "ollama.service cannot start: /etc/ollama/*.env, which "
            "/etc/systemd/system/ollama.service.d/vgpu.conf names, matches no file.");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "EnvironmentFile=-/etc/ollama/*.env"));

  HostBuilder some = Failing(text);
  EXPECT_EQ(AsHolds(EnvironmentFileMissing(some.SetFile("/etc/ollama/gpu.env", "A=1\n").Gather())),
            nullptr);
}

TEST(EnvironmentFileMissingTest, AnOptionalOneMayBeMissing) {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\nEnvironmentFile=-/etc/default/ollama\n");
  EXPECT_FALSE(Because(EnvironmentFileMissing(machine.Gather())).empty());
}

TEST(EnvironmentFileMissingTest, ACaptureOfARunningServiceLacksIt) {
  HostBuilder machine;
  machine.SetFile(kDropIn, kWith);
  EXPECT_EQ(Lacks(EnvironmentFileMissing(machine.Gather())), "the file /etc/default/ollama");
}

TEST(EnvironmentFileMissingTest, AStoppedServiceWillNotStart) {
  HostBuilder machine;
  machine.Stopped().SetFile(kDropIn, kWith);
  const Judgement judgement = EnvironmentFileMissing(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
}

TEST(EnvironmentFileMissingTest, TheUnitNamesNone) {
  EXPECT_EQ(Because(EnvironmentFileMissing(HostBuilder().Gather())),
            "the unit names no EnvironmentFile=");
}

}  // namespace
}  // namespace vgpu::rules

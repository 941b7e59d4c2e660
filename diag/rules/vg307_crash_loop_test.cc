#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string Died(absl::string_view invocation, absl::Time time) {
  return SystemdSaid(invocation, time,
                     "ollama.service: Main process exited, code=dumped, status=11/SEGV");
}

TEST(CrashLoopTest, DiesOfASignalAtEveryStart) {
  HostBuilder machine;
  const Judgement judgement = CrashLoop(machine.CrashLooping().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_NE(FindQuote(*holds, "SubState=auto-restart Result=core-dump NRestarts=3"), nullptr);
  const Evidence* end = FindQuote(*holds, "code=dumped, status=11/SEGV");
  ASSERT_NE(end, nullptr);
  EXPECT_TRUE(absl::StrContains(end->meaning, "3 such ends"));
}

TEST(CrashLoopTest, GivenUpAfterTooManyStarts) {
  HostBuilder machine;
  machine.CrashLooping().SetShown("ActiveState", "failed").SetShown("SubState", "failed");
  EXPECT_NE(AsHolds(CrashLoop(machine.Gather())), nullptr);
}

TEST(CrashLoopTest, WithoutAListTheRepairIsNotToTakeOneAway) {
  HostBuilder machine;
  machine.CrashLooping().SetFile(kDropIn, "[Service]\n").SetShown("Environment", "PATH=/usr/bin");
  const Judgement judgement = CrashLoop(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->fix.back().command, "journalctl -u ollama.service -n 30 --no-pager");
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "LD_PRELOAD")) << step.command;
  }
}

TEST(CrashLoopTest, OnlyTheJournalSaysIt) {
  HostBuilder machine;
  machine.CrashLooping().RemoveTool(kShow).RemoveTool(kManager).RemoveFile("/etc/systemd");
  const Judgement judgement = CrashLoop(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(FindQuote(*holds, "restart counter is at 3")->source, kJournal);
}

TEST(CrashLoopTest, CaughtAliveBetweenTwoDeaths) {
  HostBuilder machine;
  machine.StartedAt(At("2026-02-24 10:11:59")).SetShown("NRestarts", "41");
  std::string journal;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&journal,
                    Died(absl::StrCat("f", i), At("2026-02-24 10:11:43") + i * absl::Seconds(4)));
  }
  const Judgement judgement = CrashLoop(machine.SetJournal(journal).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "ActiveState=active"), nullptr);
}

TEST(CrashLoopTest, DiedThisMorningAndServesNow) {
  HostBuilder machine;
  std::string journal;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&journal,
                    Died(absl::StrCat("f", i), At("2026-02-24 08:00:00") + i * absl::Seconds(4)));
  }
  EXPECT_EQ(AsHolds(CrashLoop(machine.SetJournal(journal).Gather())), nullptr);
}

TEST(CrashLoopTest, DiedLongAgoAndRunsNow) {
  HostBuilder machine;
  machine.CrashLooping();
  const std::string before = Died("a1", At("2026-02-20 08:00:00"));
  const std::string later = Died("a2", At("2026-02-22 08:00:00"));
  machine.SetJournal(absl::StrCat(before, later)).RemoveTool(kShow);
  EXPECT_EQ(Lacks(CrashLoop(machine.Gather())), "whether ollama.service keeps dying");
}

TEST(CrashLoopTest, Runs) {
  EXPECT_EQ(Because(CrashLoop(HostBuilder().Gather())), "ActiveState=active, SubState=running");
}

TEST(CrashLoopTest, AListFromAnEnvironmentFileIsChangedThere) {
  HostBuilder machine;
  machine.CrashLooping();
  machine.SetFile(kDropIn, "[Service]\nEnvironmentFile=/etc/default/ollama\n");
  machine.SetFile("/etc/default/ollama", "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n");
  const Judgement judgement = CrashLoop(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  ASSERT_GE(holds->fix.size(), 2u);
  EXPECT_EQ(holds->fix[1].command, "sudoedit /etc/default/ollama");
}

TEST(CrashLoopTest, KilledForWantOfMemory) {
  HostBuilder machine;
  machine.CrashLooping().SetShown("Result", "oom-kill");
  const Judgement judgement = CrashLoop(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "want of memory"));
  // No library is at fault: the preload list stays as it is.
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "LD_PRELOAD")) << step.command;
  }
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "MemoryMax"));
}

}  // namespace
}  // namespace vgpu::rules

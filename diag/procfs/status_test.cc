#include "diag/procfs/status.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "diag/procfs/own_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

using ::testing::ElementsAre;

TEST(ProcessStatus, HardenedService) {
  const auto status = ParseProcessStatus(
      "Name:\tollama\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t57290\nPPid:\t1\n"
      "Uid:\t998\t998\t998\t998\nGid:\t997\t996\t995\t994\nGroups:\t44 993 997 \n"
      "NSpid:\t57290\t17\nThreads:\t13\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t31\n");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->name, "ollama");
  EXPECT_EQ(status->state.value(), 'S');
  EXPECT_EQ(status->ppid.value(), 1);
  EXPECT_THAT(status->uid.value(), ElementsAre(998, 998, 998, 998));
  EXPECT_THAT(status->gid.value(), ElementsAre(997, 996, 995, 994));
  EXPECT_THAT(status->groups.value(), ElementsAre(44, 993, 997));
  EXPECT_THAT(status->ns_pids.value(), ElementsAre(57290, 17));
  EXPECT_EQ(status->threads.value(), 13u);
  EXPECT_TRUE(status->no_new_privs.value());
  EXPECT_EQ(status->seccomp.value(), 2u);
  EXPECT_EQ(status->seccomp_filters.value(), 31u);
}

TEST(ProcessStatus, LineThatAnOlderKernelLacksIsNotObserved) {
  const auto status = ParseProcessStatus("Name:\tollama\nSeccomp:\t0\n");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->seccomp.value(), 0u);
  EXPECT_EQ(status->seccomp_filters.why_not(), "status: no line Seccomp_filters");
  EXPECT_EQ(status->no_new_privs.why_not(), "status: no line NoNewPrivs");
  EXPECT_EQ(status->ns_pids.why_not(), "status: no line NSpid");
}

TEST(ProcessStatus, ValueThatCannotBeReadIsNotObserved) {
  const auto status =
      ParseProcessStatus("Name:\tx\nUid:\t998\t998\t998\nNoNewPrivs:\tyes\nGroups:\t1 x\nState:\n");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->uid.why_not(), "status: Uid cannot be read: \"\\t998\\t998\\t998\"");
  EXPECT_TRUE(status->no_new_privs.not_observed());
  EXPECT_TRUE(status->groups.not_observed());
  EXPECT_TRUE(status->state.not_observed());
}

TEST(ProcessStatus, NoSupplementaryGroupsIsAnEmptyList) {
  const auto status = ParseProcessStatus("Name:\tx\nGroups:\t \n");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->groups.value().empty());
}

TEST(ProcessStatus, LastLineThatIsCutIsNotObserved) {
  const auto status = ParseProcessStatus("Name:\tx\nUid:\t998\t998\t998\t998\nGroups:\t44 99");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->uid.present());
  EXPECT_EQ(status->groups.why_not(), "status: no line Groups");
}

TEST(ProcessStatus, OtherTextIsAnError) {
  EXPECT_EQ(ParseProcessStatus("").status().message(), "status: does not begin with Name: \"\"");
  EXPECT_FALSE(ParseProcessStatus("57290 (ollama) S 1").ok());
}

TEST(ProcessStatus, ThisProcessUnderAnAwkwardName) {
  ASSERT_EQ(prctl(PR_SET_NAME, "a\nb\\n:c"), 0);
  const auto status = ParseProcessStatus(ReadOwnFile("/proc/self/status"));
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->name, "a\nb\\n:c");
  EXPECT_EQ(status->state.value(), 'R');
  EXPECT_EQ(status->ppid.value(), getppid());
  EXPECT_EQ(status->uid.value()[0], getuid());
  EXPECT_EQ(status->gid.value()[1], getegid());
  EXPECT_GE(status->threads.value(), 1u);
  EXPECT_EQ(status->ns_pids.value().back(), getpid());
}

}  // namespace
}  // namespace vgpu::procfs

#include "diag/procfs/stat.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "diag/procfs/own_file.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

constexpr absl::string_view kAfterName =
    " S 1 57290 57290 0 -1 4194560 411 104 0 0 7 3 0 0 20 0 13 0 140619 3133440 417 "
    "18446744073709551615 94177393557504 94177393577385 140727770073312 0 0 0 0 0 0\n";

TEST(ProcessStat, ReadsTheFieldsThatIdentifyAProcess) {
  const auto stat = ParseProcessStat(absl::StrCat("57290 (ollama)", kAfterName));
  ASSERT_TRUE(stat.ok()) << stat.status();
  EXPECT_EQ(stat->pid, 57290);
  EXPECT_EQ(stat->comm, "ollama");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->ppid, 1);
  EXPECT_EQ(stat->start_ticks, 140619u);
}

TEST(ProcessStat, CommandNameMayLookLikeFields) {
  for (absl::string_view comm : {"", ")", "(sd-pam)", "a) R 7 (b", "x\ny", " ", "\xff\\"}) {
    const auto stat = ParseProcessStat(absl::StrCat("12 (", comm, ")", kAfterName));
    ASSERT_TRUE(stat.ok()) << stat.status();
    EXPECT_EQ(stat->comm, comm);
    EXPECT_EQ(stat->ppid, 1);
    EXPECT_EQ(stat->start_ticks, 140619u);
  }
}

TEST(ProcessStat, CutTextIsAnError) {
  const std::string whole = absl::StrCat("57290 (ollama)", kAfterName);
  for (size_t length : {size_t{0}, size_t{5}, size_t{10}, size_t{14}, size_t{17}, size_t{60}}) {
    EXPECT_FALSE(ParseProcessStat(absl::string_view(whole).substr(0, length)).ok()) << length;
  }
  EXPECT_EQ(ParseProcessStat("57290").status().message(),
            "stat: no command name in parentheses: \"57290\"");
  EXPECT_EQ(ParseProcessStat("57290 (x) S 1 2 3\n").status().message(),
            "stat: field 22 (starttime) is not a number: \"S 1 2 3\"");
}

TEST(ProcessStat, StartTimeThatMayBeCutIsAnError) {
  const std::string whole = absl::StrCat("57290 (ollama)", kAfterName);
  const size_t end = whole.find("140619") + 6;
  EXPECT_EQ(ParseProcessStat(absl::string_view(whole).substr(0, end - 2))
                .status()
                .message()
                .substr(0, 47),
            "stat: the text ends with field 22 (starttime): ");
  EXPECT_TRUE(ParseProcessStat(absl::StrCat(whole.substr(0, end), "\n")).ok());
}

TEST(TicksToDuration, IsExact) {
  EXPECT_EQ(TicksToDuration(140619), absl::Milliseconds(1406190));
  EXPECT_EQ(TicksToDuration(3, 1000), absl::Milliseconds(3));
  EXPECT_EQ(TicksToDuration(140619, 0), absl::Milliseconds(1406190));
  EXPECT_GT(TicksToDuration(std::numeric_limits<uint64_t>::max(), 1), absl::Hours(1000000));
}

TEST(ProcessStat, ThisProcessUnderAnAwkwardName) {
  ASSERT_EQ(prctl(PR_SET_NAME, "odd) S 1 (n\nme"), 0);
  const auto stat = ParseProcessStat(ReadOwnFile("/proc/self/stat"));
  ASSERT_TRUE(stat.ok()) << stat.status();
  EXPECT_EQ(stat->comm, "odd) S 1 (n\nme");
  EXPECT_EQ(stat->pid, getpid());
  EXPECT_EQ(stat->ppid, getppid());
  EXPECT_EQ(stat->state, 'R');
}

}  // namespace
}  // namespace vgpu::procfs

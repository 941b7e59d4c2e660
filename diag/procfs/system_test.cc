#include "diag/procfs/system.h"

#include <unistd.h>

#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "diag/procfs/own_file.h"
#include "diag/procfs/stat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

using ::testing::ElementsAre;

TEST(ParseBootTime, IsTheLineBtime) {
  const auto boot = ParseBootTime(
      "cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0\n"
      "intr 1462898 0 0\nctxt 115315\nbtime 1771930000\nprocesses 26442\n");
  ASSERT_TRUE(boot.ok()) << boot.status();
  EXPECT_EQ(*boot, absl::FromUnixSeconds(1771930000));
}

TEST(ParseBootTime, MissingOrMalformedIsAnError) {
  EXPECT_EQ(ParseBootTime("cpu 1 2\n").status().message(), "stat: no line btime");
  EXPECT_EQ(ParseBootTime("btime soon\n").status().message(), "stat: btime is not a number");
  EXPECT_FALSE(ParseBootTime("btime -5\n").ok());
  EXPECT_EQ(ParseBootTime("btime 17719").status().message(), "stat: btime is cut off");
}

TEST(ParseUptime, HasHundredths) {
  EXPECT_EQ(ParseUptime("350735.07 234388.90\n").value(), absl::Milliseconds(350735070));
}

TEST(ParseUptime, OtherTextIsAnError) {
  for (absl::string_view text : {"", "\n", "350735", "350735.4", "-1.00 2.00", "1.0x 2"}) {
    EXPECT_FALSE(ParseUptime(text).ok()) << text;
  }
}

TEST(ParseModules, NamesInOrder) {
  const Modules modules =
      ParseModules(
          "nvidia_uvm 1589248 0 - Live 0x0000000000000000 (POE)\n"
          "nvidia 56823808 12 nvidia_uvm,nvidia_modeset, Live 0x0000000000000000 (POE)\n"
          "garbage\n")
          .value();
  EXPECT_THAT(modules.names, ElementsAre("nvidia_uvm", "nvidia"));
  EXPECT_EQ(modules.malformed_lines, 1u);
  EXPECT_EQ(modules.Has("nvidia"), host::Observed<bool>(true));
  EXPECT_TRUE(modules.Has("nvidi").not_observed());  // it may be on the line that was not read
}

TEST(ParseModules, WhatIsInNoLineIsNotLoaded) {
  const Modules modules = ParseModules("nvidia 56823808 0 - Live 0x0\n").value();
  EXPECT_EQ(modules.Has("nvidia_uvm"), host::Observed<bool>(false));
}

TEST(ParseModules, ListThatWasCutProvesNoAbsence) {
  const Modules modules = ParseModules("nvidia 56823808 0 - Live 0x0\nnvidia_uvm 158").value();
  EXPECT_TRUE(modules.truncated);
  EXPECT_EQ(modules.Has("nvidia"), host::Observed<bool>(true));
  EXPECT_EQ(modules.Has("nvidia_uvm").why_not(), "modules: the text is cut off");
}

TEST(ParseModules, OtherTextIsAnError) {
  EXPECT_EQ(ParseModules("\x8c\x01\n\xf3").status().message(),
            "modules: no line of a module: \"\\x8c\\x01\\n\\xf3\"");
}

TEST(ParseModules, KernelWithoutModules) { EXPECT_TRUE(ParseModules("").value().names.empty()); }

TEST(System, ThisProcessStartedAfterBootAndBeforeNow) {
  const auto boot = ParseBootTime(ReadOwnFile("/proc/stat"));
  const auto uptime = ParseUptime(ReadOwnFile("/proc/uptime"));
  const auto self = ParseProcessStat(ReadOwnFile("/proc/self/stat"));
  ASSERT_TRUE(boot.ok()) << boot.status();
  ASSERT_TRUE(uptime.ok()) << uptime.status();
  ASSERT_TRUE(self.ok()) << self.status();
  const absl::Duration started =
      TicksToDuration(self->start_ticks, static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
  EXPECT_GT(started, absl::ZeroDuration());
  EXPECT_LE(started, *uptime + absl::Milliseconds(20));
  // One clock, read twice.
  EXPECT_LT(absl::AbsDuration(absl::Now() - (*boot + *uptime)), absl::Seconds(3));
  EXPECT_LT(*boot + started, absl::Now() + absl::Seconds(3));
}

}  // namespace
}  // namespace vgpu::procfs

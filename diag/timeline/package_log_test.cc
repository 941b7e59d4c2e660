#include "diag/timeline/package_log.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::timeline {
namespace {

const absl::TimeZone kZone = absl::FixedTimeZone(-5 * 3600);

std::string At(const PackageEvent& event) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", event.time, kZone);
}

TEST(DpkgLog, TellsWhatWasDoneAndNotEachState) {
  const auto events = ParseDpkgLog(
      "2026-02-26 06:01:02 startup archives unpack\n"
      "2026-02-26 06:01:02 upgrade libc6:amd64 2.36-9+deb12u3 2.36-9+deb12u4\n"
      "2026-02-26 06:01:03 status half-configured libc6:amd64 2.36-9+deb12u3\n"
      "2026-02-26 06:01:04 install nvtop:amd64 <none> 3.0.1-1\n"
      "2026-02-26 06:01:05 remove nvtop:amd64 3.0.1-1 <none>\n"
      "2026-02-30 06:01:05 remove nvtop:amd64 3.0.1-1 <none>\n"
      "a line of something else, six words\n",
      kZone);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].text, "libc6 was upgraded from 2.36-9+deb12u3 to 2.36-9+deb12u4");
  EXPECT_EQ(At(events[0]), "2026-02-26T06:01:02-05:00");
  EXPECT_EQ(events[0].line, 2u);
  EXPECT_EQ(events[1].text, "nvtop 3.0.1-1 was installed");
  EXPECT_EQ(events[2].text, "nvtop 3.0.1-1 was removed");
}

TEST(AptHistory, TellsWhatWasRun) {
  const auto events = ParseAptHistory(
      "\nStart-Date: 2026-02-26  06:01:00\nCommandline: apt-get upgrade -y\n"
      "Upgrade: libc6:amd64 (2.36-9, 2.36-10)\nEnd-Date: 2026-02-26  06:01:09\n"
      "\nCommandline: no start\nStart-Date: soon\nCommandline: apt x\n",
      kZone);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text, "`apt-get upgrade -y` was run");
  EXPECT_EQ(At(events[0]), "2026-02-26T06:01:00-05:00");
}

TEST(PacmanLog, ReadsBothFormsOfTime) {
  const auto events = ParsePacmanLog(
      "[2026-02-26T06:01:02+0100] [ALPM] upgraded linux (6.1 -> 6.2)\n"
      "[2020-01-02 03:04] [ALPM] installed ollama (0.13.5-1)\n"
      "[2026-02-26T06:01:02+0100] [PACMAN] Running 'pacman -Syu'\n"
      "[2026-02-26T06:01:02+0100] [ALPM] removed nvidia (550-1)\n",
      kZone);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(At(events[0]), "2026-02-26T00:01:02-05:00");
  EXPECT_EQ(events[0].text, "linux was upgraded from 6.1 to 6.2");
  EXPECT_EQ(At(events[1]), "2020-01-02T03:04:00-05:00");
  EXPECT_EQ(events[1].text, "ollama 0.13.5-1 was installed");
  EXPECT_EQ(events[2].text, "nvidia 550-1 was removed");
}

TEST(DnfRpmLog, TellsTheVersionThatComes) {
  const auto events = ParseDnfRpmLog(
      "2026-02-26T06:01:02-0500 SUBDEBUG Upgrade: glibc-2.34-60.el9.x86_64\n"
      "2026-02-26T06:01:03-0500 SUBDEBUG Upgraded: glibc-2.34-59.el9.x86_64\n"
      "2026-02-26T11:01:03Z SUBDEBUG Installed: ollama-0.13.5-1.x86_64\n"
      "2026-02-26T06:01:03-0500 INFO --- logging initialized ---\n");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text, "glibc-2.34-60.el9.x86_64 was put in an older one's place");
  EXPECT_EQ(At(events[1]), "2026-02-26T06:01:03-05:00");
}

TEST(BearsOnGpu, PicksWhatMayDecide) {
  for (const char* name : {"libc6", "ollama", "nvidia-driver-550", "linux-image-6.1.0-42-amd64",
                           "linux", "libcuda1", "systemd", "docker-ce", "glibc-2.34"}) {
    EXPECT_TRUE(BearsOnGpu(name)) << name;
  }
  for (const char* name : {"vim", "tzdata", "firefox-esr", "libpng16-16", ""}) {
    EXPECT_FALSE(BearsOnGpu(name)) << name;
  }
}

}  // namespace
}  // namespace vgpu::timeline

#include "diag/logfmt/line_prefix.h"

#include "gtest/gtest.h"

namespace vgpu::logfmt {
namespace {

absl::Time Utc(int year, int month, int day, int hour, int minute, int second) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, second),
                         absl::UTCTimeZone());
}

absl::string_view MessageOf(absl::string_view line) {
  return line.substr(ParsePrefix(line).length);
}

TEST(LinePrefix, JournalctlShort) {
  constexpr absl::string_view kLine =
      "Feb 26 05:54:39 test10 systemd[1]: ollama.service: Main process exited, code=dumped";
  const LinePrefix prefix = ParsePrefix(kLine);
  EXPECT_EQ(prefix.identifier, "systemd");
  EXPECT_EQ(prefix.pid, 1);
  ASSERT_TRUE(prefix.wall_time.has_value());
  EXPECT_EQ(*prefix.wall_time, absl::CivilSecond(kUnknownYear, 2, 26, 5, 54, 39));
  EXPECT_EQ(MessageOf(kLine), "ollama.service: Main process exited, code=dumped");
}

TEST(LinePrefix, MonthsOfOtherLanguages) {
  for (absl::string_view line : {"Mai 26 05:54:39 h ollama[7]: m", "mai 26 05:54:39 h ollama[7]: m",
                                 "maj 26 05:54:39 h ollama[7]: m", "5月 26 05:54:39 h ollama[7]: m",
                                 "мая 26 05:54:39 h ollama[7]: m", "5월 26 05:54:39 h ollama[7]: m",
                                 "touko 26 05:54:39 h ollama[7]: m"}) {
    const LinePrefix prefix = ParsePrefix(line);
    ASSERT_TRUE(prefix.wall_time.has_value()) << line;
    EXPECT_EQ(prefix.wall_time->month(), 5) << line;
    EXPECT_EQ(MessageOf(line), "m") << line;
  }
  EXPECT_EQ(MonthOf("févr."), 2);
  EXPECT_EQ(MonthOf("Okt"), 10);
}

TEST(LinePrefix, AMonthThatIsNotKnownGivesNoTimeAndStillAMessage) {
  const LinePrefix prefix = ParsePrefix("Meurzh 26 05:54:39 h ollama[7]: m");
  EXPECT_EQ(prefix.identifier, "ollama");
  EXPECT_FALSE(prefix.wall_time.has_value());
}

TEST(LinePrefix, JournalctlsOtherShortForms) {
  EXPECT_EQ(MessageOf("Feb 26 05:54:39.123456 h ollama[7]: m"), "m");
  EXPECT_EQ(MessageOf("[ 1234.567890] h ollama[7]: m"), "m");
  EXPECT_EQ(MessageOf("[ 1234.567890 <    0.012345 >] h ollama[7]: m"), "m");
  EXPECT_EQ(ParsePrefix("1772103279.123456 h ollama[7]: m").time.value_or(absl::InfinitePast()),
            absl::FromUnixMicros(1772103279123456));
  EXPECT_EQ(ParsePrefix("2026-02-26T05:54:39-0500 h ollama[7]: m").time,
            Utc(2026, 2, 26, 10, 54, 39));
  EXPECT_EQ(ParsePrefix("2026-02-26T05:54:39.123456+05:30 h ollama[7]: m").time,
            Utc(2026, 2, 26, 0, 24, 39));
  EXPECT_EQ(ParsePrefix("Thu 2026-02-26 05:54:39 UTC h ollama[7]: m").time,
            Utc(2026, 2, 26, 5, 54, 39));
  const LinePrefix with_unit =
      ParsePrefix("Thu 2026-02-26 05:54:39 EST h ollama.service/ollama[7]: m");
  EXPECT_EQ(with_unit.unit, "ollama.service");
  EXPECT_EQ(with_unit.identifier, "ollama");
  EXPECT_EQ(with_unit.wall_time, absl::CivilSecond(2026, 2, 26, 5, 54, 39));
}

TEST(LinePrefix, AWriterWithoutAPid) {
  EXPECT_EQ(ParsePrefix("Feb 26 05:54:39 h kernel: ollama[7]: segfault at 0").identifier, "kernel");
  EXPECT_EQ(MessageOf("Feb 26 05:54:39 h kernel: ollama[7]: segfault at 0"),
            "ollama[7]: segfault at 0");
}

TEST(LinePrefix, ContainerRuntimes) {
  constexpr absl::string_view kRecord = "time=2026-02-26T05:54:39Z level=INFO msg=x";
  for (absl::string_view before :
       {"ollama  | ", "ollama-1 | ", "2026-02-26T05:54:39.123456789Z ",
        "2026-02-26T05:54:39.123456789Z stderr F ", "2026-02-26T05:54:39.1+01:00 stdout P ",
        "ollama-1  | 2026-02-26T05:54:39.123456789Z "}) {
    const std::string line = std::string(before) + std::string(kRecord);
    EXPECT_EQ(MessageOf(line), kRecord) << before;
  }
}

TEST(LinePrefix, LinesOfTheProgramHaveNone) {
  for (absl::string_view line :
       {"time=2026-02-26T05:54:39Z level=INFO msg=\"a: b\"",
        "2025/05/03 10:00:00 routes.go:1233: INFO server config env=\"map[]\"",
        "[GIN] 2026/02/26 - 05:54:39 | 200 |  1.2ms | 127.0.0.1 | GET \"/\"",
        "  Device 0: NVIDIA H100 80GB HBM3, compute capability 9.0, VMM: yes",
        "ggml_cuda_init: found 1 CUDA devices:", "CUDA error: out of memory", "",
        "Error: 12 10:00:00 things", "load_backend: loaded CPU backend from /usr/lib/x.so"}) {
    EXPECT_EQ(ParsePrefix(line).length, 0u) << line;
  }
}

}  // namespace
}  // namespace vgpu::logfmt

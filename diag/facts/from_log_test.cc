#include "diag/facts/from_log.h"

#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

Facts Of(absl::string_view text, FromLogOptions options = {.name = "case.txt"}) {
  return FromLog(*host::StringSource(std::string(text)), options);
}

constexpr char kJournal[] =
    R"log(Feb 26 06:13:22 test10 systemd[1]: Started ollama.service - Ollama Service.
Feb 26 06:13:22 test10 ollama[154237]: time=2026-02-26T06:13:22.353-05:00 level=INFO source=routes.go:1663 msg="server config" env="map[CUDA_VISIBLE_DEVICES:-1 OLLAMA_DEBUG:INFO]"
Feb 26 06:13:22 test10 ollama[154237]: time=2026-02-26T06:13:22.358-05:00 level=INFO source=routes.go:1718 msg="Listening on 127.0.0.1:11434 (version 0.16.2)"
Feb 26 06:13:22 test10 ollama[154237]: time=2026-02-26T06:13:22.671-05:00 level=INFO source=types.go:60 msg="inference compute" id=cpu library=cpu compute="" name=cpu total="3.8 GiB"
)log";

TEST(FromLog, TheLogIsTheOnlyThingThatWasSeen) {
  const Facts facts = Of(kJournal);
  EXPECT_TRUE(facts.only_a_log);
  EXPECT_TRUE(facts.unit_judged);
  EXPECT_EQ(facts.unit.name, "ollama.service");
  EXPECT_EQ(facts.process.why_not(), kOnlyALog);
  EXPECT_EQ(facts.ollama.version.value_or(""), "0.16.2");
  EXPECT_EQ(facts.ollama.era, ollama::Era::kB);
  ASSERT_NE(facts.ThisStart(), nullptr);
  ASSERT_NE(facts.ThisStart()->Result(), nullptr);
  EXPECT_EQ(facts.ThisStart()->Result()->library, "cpu");
  EXPECT_EQ(facts.ThisStart()->config_env[0].second, "-1");
  EXPECT_FALSE(*facts.FoundGpu().Map([](bool found) { return found; }));
}

// systemd complains of a drop-in by its path: that is no name of a unit.
TEST(FromLog, TheUnitOfAPathIsNamedWithoutIt) {
  const facts::Facts facts = FromLog(
      *host::StringSource(
          "Feb 24 08:00:04 box systemd[1]: /etc/systemd/system/ollama.service.d/vgpu.conf:2: "
          "Invalid environment assignment, ignoring: /usr/lib64/libvgpu-syscall.so\n"
          "Feb 24 08:00:05 box systemd[1]: Started Ollama Service.\n"),
      {.name = "case.txt"});
  EXPECT_EQ(facts.unit.name, "ollama.service");
}

TEST(FromLog, TheZoneIsThatOfItsRecords) {
  const absl::Time time = absl::FromUnixSeconds(1772103339);
  const auto shown = [&](const Facts& facts) {
    return absl::FormatTime("%H:%M %Ez", time, facts.time_zone);
  };
  EXPECT_EQ(shown(Of(kJournal)), "05:55 -05:00");
  EXPECT_EQ(shown(Of("time=2026-02-26T06:13:22.671+05:30 level=INFO source=types.go:60 "
                     "msg=\"inference compute\" id=cpu library=cpu total=\"3.8 GiB\"\n")),
            "16:25 +05:30");
  EXPECT_EQ(shown(Of("nothing\n")), "10:55 +00:00");
}

TEST(FromLog, OfSeveralStartsTheLastOneCounts) {
  const std::string later =
      R"log(Feb 26 07:00:00 test10 ollama[200]: time=2026-02-26T07:00:00.353-05:00 level=INFO source=routes.go:1663 msg="server config" env="map[]"
Feb 26 07:00:01 test10 ollama[200]: time=2026-02-26T07:00:01.671-05:00 level=INFO source=types.go:42 msg="inference compute" id=GPU-d110a105 library=CUDA compute=9.0 name=CUDA0 total="80.0 GiB"
)log";
  EXPECT_TRUE(Of(kJournal + later).FoundGpu().value_or(false));
}

TEST(FromLog, WhatIsOlderThanAskedForIsLeftOut) {
  absl::Time since;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, "2026-02-26T06:30:00-05:00", &since, nullptr));
  EXPECT_EQ(Of(kJournal, {.name = "case.txt", .since = since}).ThisStart(), nullptr);
}

TEST(FromLog, ALogWithoutAPrefixIsOfNoUnit) {
  const Facts facts =
      Of("time=2026-02-26T06:13:22.671-05:00 level=INFO source=gpu.go:217 "
         "msg=\"looking for compatible GPUs\"\n");
  EXPECT_FALSE(facts.unit_judged);
  EXPECT_EQ(facts.ollama.era, ollama::Era::kA);
}

TEST(FromLog, OfNothingNothingIsKnown) {
  EXPECT_EQ(Of("").ThisStart(), nullptr);
  EXPECT_EQ(Of("hello\nworld\n").ThisStart(), nullptr);
}

}  // namespace
}  // namespace vgpu::facts

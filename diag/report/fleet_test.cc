#include "diag/report/fleet.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

Report Named(Report report, const std::string& hostname) {
  report.host.hostname = hostname;
  return report;
}

// The hosts of the samples, one of each.
FleetCollector Mixed() {
  FleetCollector collector;
  collector.Add("silent", Named(SilentLog(), "silent"));
  collector.AddUnreadable("cut.tar.zst", "the archive is cut");
  collector.Add("healthy", Named(HealthyWithLatentFault(), "healthy"));
  collector.Add("b", Named(NotRestarted(), "b"));
  collector.Add("loop", Named(CrashLoop(), "loop"));
  collector.Add("a", Named(NotRestarted(), "a"));
  return collector;
}

std::vector<std::string> Order(const Fleet& fleet) {
  std::vector<std::string> names;
  for (const FleetHost& host : fleet.hosts) names.emplace_back(NameOf(host));
  return names;
}

const FleetShared* Find(const Fleet& fleet, absl::string_view quote) {
  const auto found = std::find_if(
      fleet.shared.begin(), fleet.shared.end(),
      [&](const FleetShared& shared) { return absl::StrContains(shared.quote, quote); });
  return found == fleet.shared.end() ? nullptr : &*found;
}

TEST(Fleet, TheSameCauseStandsTogetherTheMostFrequentFirst) {
  const Fleet fleet = Mixed().Finish();
  EXPECT_EQ(Order(fleet),
            (std::vector<std::string>{"a", "b", "loop", "cut.tar.zst", "silent", "healthy"}));
  ASSERT_GE(fleet.causes.size(), 2u);
  EXPECT_EQ(fleet.causes[0].code, "VG302");
  EXPECT_EQ(fleet.causes[0].id, "service-started-before-config");
  EXPECT_EQ(fleet.causes[0].hosts, 2u);
  EXPECT_EQ(fleet.causes[0].certain, 2u);
  EXPECT_EQ(fleet.causes[1].hosts, 1u);
}

TEST(Fleet, TheOrderOfReadingSaysNothing) {
  const std::vector<std::pair<std::string, Report>> samples = Samples();
  FleetCollector forth, back;
  for (size_t i = 0; i < samples.size(); ++i) {
    forth.Add(absl::StrCat(i), samples[i].second);
    back.Add(absl::StrCat(samples.size() - 1 - i), samples[samples.size() - 1 - i].second);
  }
  const Fleet a = std::move(forth).Finish(), b = std::move(back).Finish();
  ASSERT_EQ(a.hosts.size(), b.hosts.size());
  for (size_t i = 0; i < a.hosts.size(); ++i) EXPECT_EQ(a.hosts[i].root, b.hosts[i].root);
  ASSERT_EQ(a.shared.size(), b.shared.size());
  for (size_t i = 0; i < a.shared.size(); ++i) {
    EXPECT_EQ(a.shared[i].quote, b.shared[i].quote);
    EXPECT_EQ(a.shared[i].meaning, b.shared[i].meaning);
  }
}

TEST(Fleet, AHostThatCannotBeReadIsARow) {
  const Fleet fleet = Mixed().Finish();
  EXPECT_EQ(fleet.Count("unreadable"), 1u);
  EXPECT_EQ(fleet.Count("problem"), 3u);
  EXPECT_EQ(fleet.hosts[3].headline, "the archive is cut");
  EXPECT_FALSE(fleet.hosts[3].verdict.has_value());
}

TEST(Fleet, TheWorstHostIsTheExitCode) {
  FleetCollector collector;
  const auto code = [&] { return ExitCode(FleetCollector(collector).Finish()); };
  EXPECT_EQ(code(), 0);
  collector.Add("1", HealthyWithLatentFault());
  EXPECT_EQ(code(), 0);
  collector.Add("2", SilentLog());
  EXPECT_EQ(code(), 3);
  collector.Add("3", NotRestarted());
  EXPECT_EQ(code(), 1);
  collector.AddUnreadable("4", "gone");
  EXPECT_EQ(code(), 2);
  collector.AddFault("5", "out of memory");
  EXPECT_EQ(code(), 70);
}

TEST(Fleet, WhatMoreThanHalfHaveIsShared) {
  FleetCollector collector;
  for (int pid = 100; pid < 103; ++pid) {
    Report report = NotRestarted();
    report.subject.pid = pid;
    report.subject.ollama_version = std::string(pid == 102 ? "0.17.0" : "0.16.2");
    report.root_causes[0].evidence = {
        {.source = absl::StrCat("/proc/", pid, "/environ"), .quote = "HOME=/", .meaning = "here"},
        {.source = absl::StrCat("/proc/", pid, "/environ"), .quote = "HOME=/", .meaning = "again"},
        {.source = "/etc/own", .quote = absl::StrCat("of ", pid)}};
    collector.Add(absl::StrCat("/captures/", pid), report);
  }
  const Fleet fleet = std::move(collector).Finish();
  const FleetShared* version = Find(fleet, "0.16.2");
  ASSERT_NE(version, nullptr);
  EXPECT_EQ(version->what, "ollama_version");
  EXPECT_EQ(version->code, "");
  EXPECT_EQ(version->hosts, 2u);
  EXPECT_EQ(version->of, 3u);
  EXPECT_EQ(Find(fleet, "0.17.0"), nullptr);
  // Each host's own process; and what one report says twice is one host.
  const FleetShared* environ = Find(fleet, "HOME=/");
  ASSERT_NE(environ, nullptr);
  EXPECT_EQ(environ->code, "VG302");
  EXPECT_EQ(environ->source, "/proc/PID/environ");
  EXPECT_EQ(environ->hosts, 3u);
  EXPECT_EQ(environ->meaning, "here");
  EXPECT_EQ(Find(fleet, "of 1"), nullptr);
}

TEST(Fleet, WhatOneOfTwoHasIsNotShared) {
  FleetCollector collector;
  collector.Add("a", NotRestarted());
  collector.Add("b", CrashLoop());
  for (const FleetShared& shared : std::move(collector).Finish().shared) {
    EXPECT_EQ(shared.hosts, 2u);
    EXPECT_NE(shared.what, "evidence") << shared.quote;
  }
}

TEST(Fleet, AnUnreadableHostIsNoneThatLacksSomething) {
  FleetCollector collector;
  collector.Add("a", NotRestarted());
  collector.Add("b", NotRestarted());
  for (int i = 0; i < 10; ++i) collector.AddUnreadable(absl::StrCat(i), "gone");
  const Fleet fleet = std::move(collector).Finish();
  const FleetShared* version = Find(fleet, "0.16.2");
  ASSERT_NE(version, nullptr);
  EXPECT_EQ(version->of, 2u);
}

TEST(Fleet, EveryTextIsSafeToShow) {
  const std::string evil = "a\x1b[31m\n\xff";
  FleetCollector collector;
  for (int i = 0; i < 2; ++i) collector.Add(evil, Hostile(evil));
  collector.AddUnreadable(evil, evil);
  collector.AddFault("https://me:hunter2@host/x", evil);
  const Fleet fleet = std::move(collector).Finish();
  std::string all;
  for (const FleetHost& host : fleet.hosts) {
    absl::StrAppend(&all, host.root, host.hostname, host.headline, host.unit, host.ollama_version);
  }
  for (const FleetShared& shared : fleet.shared)
    absl::StrAppend(&all, shared.source, shared.quote, shared.meaning);
  for (const char c : {'\x1b', '\n', '\xff'})
    EXPECT_FALSE(absl::StrContains(all, std::string(1, c)));
  EXPECT_FALSE(absl::StrContains(all, "hunter2"));
}

TEST(Fleet, AThousandHostsKeepOnePieceOfWhatTheyShare) {
  FleetCollector collector;
  for (int i = 0; i < 1000; ++i) collector.Add(absl::StrCat("host-", i), NotRestarted());
  const Fleet fleet = std::move(collector).Finish();
  EXPECT_EQ(fleet.hosts.size(), 1000u);
  EXPECT_LT(fleet.shared.size(), 20u);
  for (const FleetShared& shared : fleet.shared) EXPECT_EQ(shared.hosts, 1000u) << shared.quote;
}

}  // namespace
}  // namespace vgpu::report

#include "diag/timeline/timeline.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::timeline {
namespace {

using rules::HostBuilder;

std::vector<std::string> Said(const facts::Facts& facts, Extent extent,
                              const TellOptions& options = {}) {
  std::vector<std::string> events;
  const Timeline timeline = Tell(nullptr, facts, diagnosis::Diagnose(facts), options);
  for (const report::Event& event : EventsOf(timeline, extent)) events.push_back(event.event);
  return events;
}

TEST(TimelineTest, WhatConcernsTheLastStartInTheOrderOfTime) {
  EXPECT_EQ(Said(HostBuilder().Gather(), Extent::kLastStart),
            (std::vector<std::string>{"/etc/systemd/system/ollama.service was written",
                                      "/etc/systemd/system/ollama.service.d/vgpu.conf was written",
                                      "systemd loaded its units", "process 57290 was started",
                                      "discovery began",
                                      "discovery's result: library=CUDA (NVIDIA H100 80GB HBM3)"}));
}

TEST(TimelineTest, OfACrashLoopTheFirstAndTheLastEnd) {
  const facts::Facts facts = HostBuilder().CrashLooping().Gather();
  const auto ends = [&](Extent extent) {
    const std::vector<std::string> said = Said(facts, extent);
    return std::count_if(said.begin(), said.end(), [](const std::string& event) {
      return absl::StrContains(event, "dumped, 11/SEGV");
    });
  };
  EXPECT_EQ(ends(Extent::kLastStart), 2);
  EXPECT_GT(ends(Extent::kAll), 2);
}

TEST(TimelineTest, TheDriverThatCameAfterTheStartBearsOnItAndThatOfTheBootDoesNot) {
  facts::Facts facts = HostBuilder().Gather();
  const absl::Time started = *facts.process->started;
  facts::KernelLog kernel;
  kernel.source = "journalctl -k";
  const auto add = [&](absl::Duration after, const std::string& text) {
    kernel.events.push_back({.kind = facts::KernelEvent::Kind::kDriverLoaded,
                             .number = kernel.events.size() + 1,
                             .time = started + after,
                             .text = text,
                             .program = "",
                             .object = ""});
  };
  add(-absl::Hours(5), "NVRM: at boot");
  add(absl::Seconds(9), "NVRM: first");
  add(absl::Seconds(10), "NVRM: second");
  add(absl::Seconds(11), "NVRM: third");
  facts.kernel_log = {kernel.source, kernel};
  std::vector<std::string> near = Said(facts, Extent::kLastStart);
  near.erase(std::remove_if(near.begin(), near.end(),
                            [](const auto& event) { return !absl::StartsWith(event, "NVRM"); }),
             near.end());
  EXPECT_EQ(near, (std::vector<std::string>{"NVRM: first", "NVRM: third"}));
  const std::vector<std::string> all = Said(facts, Extent::kAll);
  EXPECT_EQ(std::count(all.begin(), all.end(), "NVRM: at boot"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "NVRM: second"), 1);
}

TEST(TimelineTest, WhatSystemdSaysOfAStartIsNoWordOfTheServer) {
  facts::Facts facts = HostBuilder().Gather();
  ollama::DiscoveryLog log = *facts.log.journal;
  ollama::ServerStart before;  // systemd's "Started", and nothing else
  before.first_seen = *facts.process->started - absl::Seconds(1);
  log.starts.insert(log.starts.begin(), before);
  facts.log.journal = {facts.log.journal.source, log};
  for (const std::string& event : Said(facts, Extent::kAll)) {
    EXPECT_FALSE(absl::StrContains(event, "first word")) << event;
  }
}

TEST(TimelineTest, ATimeThatCutsOffTheStartIsNamedAsTheReason) {
  facts::Facts facts = HostBuilder().Gather();
  const absl::Time started = *facts.process->started;
  ollama::DiscoveryLog log = *facts.log.journal;
  log.starts.clear();
  facts.log.journal = {facts.log.journal.source, log};
  const auto headline = [&](absl::Time since) {
    return Tell(nullptr, facts, diagnosis::Diagnose(facts), {.since = since}).Headline();
  };
  EXPECT_EQ(headline(absl::InfinitePast()), "Nothing at hand shows that the GPU was ever found.");
  EXPECT_TRUE(absl::StrContains(headline(started + absl::Minutes(1)),
                                "discovery runs at the start: --since leaves it out"));
  EXPECT_FALSE(absl::StrContains(headline(started - absl::Minutes(1)), "at the start"));
}

}  // namespace
}  // namespace vgpu::timeline

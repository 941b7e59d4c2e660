#include "diag/diagnosis/surroundings.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "diag/facts/gather.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::diagnosis {
namespace {

using report::Report;
using rules::HostBuilder;

bool Unseen(const Report& report, const std::string& what, const std::string& why) {
  return std::any_of(report.not_observed.begin(), report.not_observed.end(),
                     [&](const report::NotSeen& item) {
                       return item.what == what && absl::StrContains(item.why, why);
                     });
}

TEST(SurroundingsTest, WhatWorksIsSaidWithItsEvidence) {
  Report report;
  AddWorking(HostBuilder().Gather(), report);
  std::vector<std::string> what;
  for (const report::Working& working : report.working) {
    what.push_back(working.what);
    EXPECT_FALSE(working.evidence.empty()) << working.what;
  }
  EXPECT_EQ(what, (std::vector<std::string>{
                      "ollama.service is loaded", "process 57290 runs",
                      "5 of 5 preload entries exist", "5 shims are loaded in the process",
                      "an NVIDIA function is visible at 0000:00:05.0", "discovery found a GPU"}));
}

TEST(SurroundingsTest, WhatCouldNotBeReadIsSaidWithTheReason) {
  HostBuilder machine;
  machine.Hide("/proc/57290/environ").Hide("/proc/57290/maps", "not captured");
  machine.RemoveTool(rules::kJournal);
  Report report;
  AddUnseen(machine.Gather(), report);
  EXPECT_TRUE(Unseen(report, "environment of process 57290", "permission denied"));
  EXPECT_TRUE(Unseen(report, "loaded libraries of process 57290", "not captured"));
  EXPECT_TRUE(Unseen(report, "the log of ollama.service", "not captured"));
}

TEST(SurroundingsTest, WhatWasReadInPartIsSaid) {
  HostBuilder machine;
  machine.SetFile("/proc/57290/maps",
                  "1000-2000 r-xp 00000000 fe:00 11 /usr/local/bin/ollama\nno line of maps\n");
  Report report;
  AddUnseen(machine.Gather(), report);
  EXPECT_TRUE(
      Unseen(report, "the rest of the loaded libraries of process 57290", "malformed lines: 1"));
}

TEST(SurroundingsTest, TheDiscoveryChildIsGoneAndCanBeRunByHand) {
  Report report;
  AddUnseen(HostBuilder().FoundNoGpu().Gather(), report);
  ASSERT_TRUE(
      Unseen(report, "environment and libraries of the discovery child", "lives under a second"));
  EXPECT_TRUE(std::any_of(
      report.not_observed.begin(), report.not_observed.end(), [](const report::NotSeen& item) {
        return absl::StartsWith(item.how, "sudo vgpu-doctor verify; or by hand: ") &&
               absl::StrContains(item.how,
                                 "LD_LIBRARY_PATH=/usr/local/lib/ollama:/usr/local/lib/"
                                 "ollama/cuda_v12");
      }));
}

TEST(SurroundingsTest, TheCommandByHandHasWhatTheChildInherits) {
  HostBuilder machine;
  machine.SetEnviron("LD_LIBRARY_PATH", "/opt/vgpu/lib");
  Report report;
  AddUnseen(machine.FoundNoGpu().Gather(), report);
  EXPECT_TRUE(std::any_of(
      report.not_observed.begin(), report.not_observed.end(), [](const report::NotSeen& item) {
        return absl::StrContains(item.how,
                                 "LD_LIBRARY_PATH=/usr/local/lib/ollama:/usr/local/lib/"
                                 "ollama/cuda_v12:/opt/vgpu/lib OLLAMA_LIBRARY_PATH="
                                 "/usr/local/lib/ollama:/usr/local/lib/ollama/cuda_v12 ");
      }));
}

TEST(SurroundingsTest, AResultThatIsCutOffIsSaid) {
  HostBuilder machine;
  machine.SetLog({rules::kServerConfigLine, rules::kListeningLine,
                  "time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:42 "
                  "msg=\"inference compute\" id=GPU-d110a105-ac29-1d54-7b4"});
  Report report;
  AddUnseen(machine.Gather(), report);
  EXPECT_TRUE(Unseen(report, "the rest of discovery's result", "cut off before it names"));
  Report whole;
  AddUnseen(HostBuilder().Gather(), whole);
  EXPECT_FALSE(Unseen(whole, "the rest of discovery's result", ""));
}

TEST(SurroundingsTest, TheSameThingIsSaidOnce) {
  Report report;
  AddNotSeen({"a", "first", ""}, report);
  AddNotSeen({"a", "second", ""}, report);
  ASSERT_EQ(report.not_observed.size(), 1u);
  EXPECT_EQ(report.not_observed[0].why, "first");
}

TEST(SurroundingsTest, AProcessThatWasNamedAndIsNoOllamaIsCalledWhatItIs) {
  facts::Facts facts = HostBuilder().Gather();
  Report report;
  report.headline = "Nothing is known.";
  SayWhatWasNamed(facts, report);
  EXPECT_EQ(report.headline, "Nothing is known.");
  facts.process_named = true;
  SayWhatWasNamed(facts, report);
  EXPECT_EQ(report.headline, "Nothing is known.");  // it is Ollama's

  HostBuilder machine;
  machine.Stopped().AddProcess(700, 1, {"sleep", "300"}, "/usr/bin/sleep", {}, "/");
  facts = facts::Gather(machine.Host(), {.pid = 700});
  ASSERT_TRUE(facts.process.present());
  SayWhatWasNamed(facts, report);
  EXPECT_EQ(report.headline,
            "Process 700 is /usr/bin/sleep, and not Ollama: name the process of `ollama serve`.");
  report.verdict = report::Verdict::kProblem;
  report.headline = "VG101 it is.";
  SayWhatWasNamed(facts, report);
  EXPECT_EQ(report.headline, "VG101 it is. Process 700 is /usr/bin/sleep, and not Ollama.");

  // What runs Ollama may be Ollama.
  machine.AddProcess(701, 1, {"/lib64/ld.so", "/usr/bin/ollama", "serve"}, "/lib64/ld.so", {}, "/");
  facts = facts::Gather(machine.Host(), {.pid = 701});
  report.headline = "As it was.";
  SayWhatWasNamed(facts, report);
  EXPECT_EQ(report.headline, "As it was.");
}

TEST(SurroundingsTest, RootIsNotToldToRunTheSameAgain) {
  facts::Facts facts = HostBuilder().Stopped().Gather();
  facts.host_kind = host::Host::Kind::kLive;
  const auto how = [&](const std::string& command) {
    Report report;
    report.not_observed = {{"it", "why", command}};
    TakeOutWhatWasJustRun(facts, report);
    return report.not_observed[0].how;
  };
  const std::string same = "sudo vgpu-doctor check --unit ollama.service";
  facts.observer_uid = 1000u;
  EXPECT_EQ(how(same), same);
  facts.observer_uid = 0u;
  EXPECT_EQ(how(same), "start ollama.service, and run this again");
  EXPECT_EQ(how("sudo vgpu-doctor check"), "start ollama.service, and run this again");
  const std::string other = "sudo vgpu-doctor check --unit other.service";
  EXPECT_EQ(how(other), other);
  EXPECT_EQ(how("sudo vgpu-doctor verify"), "sudo vgpu-doctor verify");
  EXPECT_EQ(how("vgpu-doctor check --pid PID"), "start ollama.service, and run this again");
  // On another machine it was not run.
  facts.host_kind = host::Host::Kind::kTree;
  EXPECT_EQ(how(same), same);
}

}  // namespace
}  // namespace vgpu::diagnosis

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/facts/gather_parts.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using host::FakeHost;

constexpr char kDevice[] =
    R"({"uuid": "GPU-d110a105-ac29-1d54-7b49-9c90440f215b", "pci_address": "0000:00:05.0"})";

// A result in which era B's discovery found a device in the place of process `pid`.
std::string Found(int pid, uint64_t started_usec, absl::string_view hostname = "fake",
                  absl::string_view time = "2026-02-24T10:12:00+00:00") {
  return absl::StrCat(
      R"({"schema": "vgpu-doctor.probe/1", "host": {"hostname": ")", hostname,
      R"(", "observed_at": ")", time, R"("}, "subject": {"unit": "ollama.service", "pid": )", pid,
      R"(, "started_usec": )", started_usec,
      R"(, "era": "B"}, "runs": [{"environment": "process", "steps": [)",
      R"({"name": "discovery", "status": "ok", "needed": true, "devices": [)", kDevice, "]}]}]}");
}

Facts OfProcess(int pid, uint64_t started_usec) {
  Facts facts;
  facts.hostname = std::string("fake");
  facts.unit.name = "ollama.service";
  ProcessFacts process;
  process.pid = pid;
  process.started_usec = {"/proc/42/stat", started_usec};
  facts.process = std::move(process);
  return facts;
}

// The capture holds `text` and what the facts of process 42 make of it.
ProbeFacts OfCapture(absl::string_view text) {
  FakeHost host;
  host.AddFile("/.vgpu-capture/probe/ollama.json", text);
  return GatherProbe(host, OfProcess(42, 60000000), std::nullopt);
}

TEST(GatherProbeTest, NoneWasMade) {
  const ProbeFacts probe = GatherProbe(FakeHost(), OfProcess(42, 60000000), std::nullopt);
  EXPECT_TRUE(probe.result.absent());
  EXPECT_EQ(probe.source, "");
}

TEST(GatherProbeTest, OfACapture) {
  const ProbeFacts probe = OfCapture(Found(42, 60000000));
  ASSERT_TRUE(probe.result.present()) << probe.result.why_not();
  EXPECT_EQ(probe.source, "/.vgpu-capture/probe/ollama.json");
  EXPECT_EQ(probe.result->pid, 42);
}

TEST(GatherProbeTest, AProofAboutSomethingElseIsNone) {
  EXPECT_EQ(OfCapture(Found(41, 60000000)).result.why_not(),
            "it is of process 41, and 42 is judged");
  EXPECT_EQ(OfCapture(Found(42, 50000000)).result.why_not(), "it is of an earlier process 42");
  EXPECT_EQ(OfCapture(Found(42, 60000000, "elsewhere")).result.why_not(),
            "it was made on elsewhere, and fake is judged");
  EXPECT_EQ(OfCapture(Found(0, 0)).result.why_not(), "it was made before process 42 was there");
  EXPECT_TRUE(OfCapture("{}").result.not_observed());
}

TEST(GatherProbeTest, NothingRuns) {
  Facts facts = OfProcess(42, 60000000);
  facts.process = host::Absent{};
  EXPECT_EQ(GatherProbe(FakeHost(), facts, GivenProbe{"a.json", Found(42, 1)}).result.why_not(),
            "it is of process 42, which does not run");
  EXPECT_TRUE(GatherProbe(FakeHost(), facts, GivenProbe{"a.json", Found(0, 0)}).result.present());
}

TEST(GatherProbeTest, TheLatestThatFits) {
  FakeHost host;
  host.AddFile("/.vgpu-capture/probe/a.json",
               Found(42, 60000000, "fake", "2026-02-24T10:00:00+00:00"));
  host.AddFile("/.vgpu-capture/probe/b.json",
               Found(42, 60000000, "fake", "2026-02-24T11:00:00+00:00"));
  host.AddFile("/.vgpu-capture/probe/c.json",
               Found(43, 60000000, "fake", "2026-02-24T12:00:00+00:00"));
  host.AddFile("/.vgpu-capture/probe/notes.txt", "none");
  const ProbeFacts probe = GatherProbe(host, OfProcess(42, 60000000), std::nullopt);
  EXPECT_EQ(probe.source, "/.vgpu-capture/probe/b.json");
}

TEST(GatherProbeTest, WhatIsGivenGoesFirst) {
  FakeHost host;
  host.AddFile("/.vgpu-capture/probe/a.json", Found(42, 60000000));
  const ProbeFacts probe =
      GatherProbe(host, OfProcess(42, 60000000), GivenProbe{"given.json", Found(42, 60000000)});
  EXPECT_EQ(probe.source, "given.json");
}

TEST(FoundGpuTest, AVerifiedProbeStandsInForALogThatDoesNotShowIt) {
  Facts facts = OfProcess(42, 60000000);
  EXPECT_TRUE(facts.FoundGpu().not_observed());
  facts.probe = GatherProbe(FakeHost(), facts, GivenProbe{"a.json", Found(42, 60000000)});
  EXPECT_TRUE(facts.FoundGpu().value_or(false));
}

}  // namespace
}  // namespace vgpu::facts

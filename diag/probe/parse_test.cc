#include "diag/probe/parse.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace vgpu::probe {
namespace {

constexpr char kText[] = R"({
  "schema": "vgpu-doctor.probe/1", "tool_version": "0.1.0",
  "host": {"hostname": "test10", "observed_at": "2026-02-24T10:12:00-05:00"},
  "subject": {"unit": "ollama.service", "pid": 57290, "started_usec": 2159990000,
              "ollama_version": "0.16.2", "era": "B"},
  "verdict": "problem", "headline": "whatever",
  "runs": [{"environment": "process", "source": "/proc/57290/environ",
    "context": {"taken_over": ["user 998"],
                "not_taken_over": [{"what": "a filter", "why": "it is closed", "matters": false},
                                   {"what": "a label", "why": "it is closed"}]},
    "steps": [
      {"name": "loader", "status": "ok", "messages": ["one", "two"],
       "preload": [{"entry": "/usr/lib64/a.so", "from": "LD_PRELOAD", "loaded": true}]},
      {"name": "cuda", "variant": "cuda_v12", "status": "failed", "needed": true,
       "why": "it ended by SIGSEGV", "call": "cuInit", "signal": 11, "exit_status": 0,
       "seconds": 0.25, "library": "/usr/lib64/libvgpu-cuda.so",
       "devices": [{"uuid": "GPU-1", "pci_address": "0000:00:05.0", "name": "H100",
                    "compute": "9.0", "memory_bytes": 85899345920}]},
      {"name": "pci", "way": "pread", "status": "not run", "timed_out": true,
       "devices": [{"vendor": "0x10de", "device": "0x2331", "class": "0x030200"}]}]}]})";

TEST(ParseResultTest, EveryKey) {
  const absl::StatusOr<Result> result = ParseResult(kText);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tool_version, "0.1.0");
  EXPECT_EQ(result->hostname, "test10");
  ASSERT_TRUE(result->observed_at.has_value());
  EXPECT_EQ(absl::ToUnixSeconds(*result->observed_at), 1771945920);
  EXPECT_EQ(result->unit, "ollama.service");
  EXPECT_EQ(result->pid, 57290);
  EXPECT_EQ(result->started_usec, 2159990000u);
  EXPECT_EQ(result->ollama_version, "0.16.2");
  EXPECT_EQ(result->era, "B");
  ASSERT_EQ(result->runs.size(), 1u);
  const probe::Run& run = result->runs[0];
  EXPECT_EQ(run.environment, "process");
  EXPECT_EQ(run.source, "/proc/57290/environ");
  EXPECT_EQ(run.context.taken_over, std::vector<std::string>{"user 998"});
  ASSERT_EQ(run.context.not_taken_over.size(), 2u);
  EXPECT_FALSE(run.context.not_taken_over[0].matters);
  EXPECT_TRUE(run.context.not_taken_over[1].matters);  // what does not say so does
  ASSERT_EQ(run.steps.size(), 3u);
  EXPECT_EQ(run.steps[0].messages, (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(run.steps[0].preload.size(), 1u);
  EXPECT_EQ(run.steps[0].preload[0].entry, "/usr/lib64/a.so");
  EXPECT_EQ(run.steps[0].preload[0].from, "LD_PRELOAD");
  EXPECT_TRUE(run.steps[0].preload[0].loaded);
  const Step& cuda = run.steps[1];
  EXPECT_EQ(cuda.name, "cuda");
  EXPECT_EQ(cuda.variant, "cuda_v12");
  EXPECT_EQ(cuda.status, StepStatus::kFailed);
  EXPECT_TRUE(cuda.needed);
  EXPECT_EQ(cuda.why, "it ended by SIGSEGV");
  EXPECT_EQ(cuda.call, "cuInit");
  EXPECT_EQ(cuda.signal, 11);
  EXPECT_DOUBLE_EQ(cuda.seconds, 0.25);
  EXPECT_EQ(cuda.library, "/usr/lib64/libvgpu-cuda.so");
  ASSERT_EQ(cuda.devices.size(), 1u);
  EXPECT_EQ(cuda.devices[0].uuid, "GPU-1");
  EXPECT_EQ(cuda.devices[0].pci_address, "0000:00:05.0");
  EXPECT_EQ(cuda.devices[0].memory_bytes, 85899345920u);
  EXPECT_EQ(run.steps[2].way, "pread");
  EXPECT_TRUE(run.steps[2].timed_out);
  EXPECT_EQ(run.steps[2].devices[0].device_class, "0x030200");
}

TEST(ParseResultTest, TheVerdictIsDrawnFromTheStepsAndNotRead) {
  const absl::StatusOr<Result> result = ParseResult(
      absl::StrReplaceAll(kText, {{R"("verdict": "problem")", R"("verdict": "healthy")"}}));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->verdict, Verdict::kProblem);
  EXPECT_TRUE(absl::StrContains(result->headline, "it ended by SIGSEGV")) << result->headline;
}

TEST(ParseResultTest, WhatIsNoResultIsRefused) {
  EXPECT_FALSE(ParseResult("").ok());
  EXPECT_FALSE(ParseResult("[]").ok());
  EXPECT_FALSE(ParseResult("{\"schema\": ").ok());
  const absl::StatusOr<Result> other = ParseResult(R"({"schema": "vgpu-doctor.report/1"})");
  ASSERT_FALSE(other.ok());
  EXPECT_TRUE(absl::StrContains(other.status().message(), "vgpu-doctor.probe/1"));
}

TEST(ParseResultTest, KeysOfAnotherTypeAreLeftOut) {
  const absl::StatusOr<Result> result = ParseResult(
      R"({"schema": "vgpu-doctor.probe/1", "host": 1, "subject": {"pid": -4, "era": "D"},
          "runs": [{"steps": [{"name": 5, "status": "fine", "signal": 1e99, "devices": {}}]}, 7]})");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->pid, 0);
  EXPECT_EQ(result->era, "unknown");
  ASSERT_EQ(result->runs.size(), 2u);
  ASSERT_EQ(result->runs[0].steps.size(), 1u);
  EXPECT_EQ(result->runs[0].steps[0].name, "");
  EXPECT_EQ(result->runs[0].steps[0].status, StepStatus::kNotRun);
  EXPECT_EQ(result->runs[0].steps[0].signal, 0);
  EXPECT_EQ(result->verdict, Verdict::kInconclusive);
}

TEST(ParseResultTest, ListsAndTextsAreBounded) {
  std::string steps;
  for (int i = 0; i < 2000; ++i) {
    absl::StrAppend(&steps, i == 0 ? "" : ",", R"({"name": "cuda"})");
  }
  const absl::StatusOr<Result> result = ParseResult(
      absl::StrCat(R"({"schema": "vgpu-doctor.probe/1", "subject": {"unit": ")",
                   std::string(100000, 'x'), R"("}, "runs": [{"steps": [)", steps, "]}]}"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->runs[0].steps.size(), 512u);
  EXPECT_EQ(result->unit.size(), 4096u);
}

}  // namespace
}  // namespace vgpu::probe

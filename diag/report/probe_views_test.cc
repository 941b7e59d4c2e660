#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/probe/conclude.h"
#include "diag/probe/parse.h"
#include "diag/probe/step_names.h"
#include "diag/report/probe_json.h"
#include "diag/report/probe_text.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

constexpr char kId[] = "GPU-d110a105-ac29-1d54-7b49-9c90440f215b";

probe::Step StepOf(const char* name, probe::StepStatus status, std::string why = "") {
  probe::Step step;
  step.name = name;
  step.status = status;
  step.needed = true;
  step.why = std::move(why);
  return step;
}

probe::Result Sample() {
  probe::Device device;
  device.uuid = kId;
  device.pci_address = "0000:00:05.0";
  device.name = "NVIDIA H100 80GB HBM3";
  device.compute = "9.0";
  device.memory_bytes = uint64_t{80} << 30;
  probe::Step cuda = StepOf(probe::kCuda, probe::StepStatus::kOk);
  cuda.variant = "cuda_v12";
  cuda.library = "/usr/lib64/libvgpu-cuda.so";
  cuda.seconds = 0.5;
  cuda.devices = {device};
  probe::Step nvml = cuda;
  nvml.name = probe::kNvml;
  nvml.devices[0].pci_address = "00000000:00:05.0";
  probe::Step preload = StepOf(probe::kPreload, probe::StepStatus::kOk);
  preload.preload = {{"/usr/lib64/libvgpu-cuda.so", "LD_PRELOAD", true}};
  probe::Step backend = StepOf(probe::kBackend, probe::StepStatus::kFailed,
                               "libcublas.so.12: cannot open shared object file");
  backend.messages = {"one line", "HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz0123456789",
                      "\x1b[31mred"};
  probe::Step pci = StepOf(probe::kPci, probe::StepStatus::kNotRun, "nothing is there");
  pci.way = "pread";
  probe::Run run;
  run.environment = "process";
  run.source = "/proc/57290/environ";
  run.context.taken_over = {"user 998"};
  run.context.not_taken_over = {{"the cgroup", "memory", false}};
  run.steps = {preload, nvml, cuda, backend, pci};
  probe::Result result;
  result.tool_version = "0.1.0";
  result.hostname = "test10";
  result.observed_at = absl::FromUnixSeconds(1771945920);
  result.unit = "ollama.service";
  result.pid = 57290;
  result.started_usec = 2159990000;
  result.ollama_version = "0.16.2";
  result.era = "B";
  result.runs = {run};
  probe::Conclude(result);
  return result;
}

TEST(ProbeJsonTest, IsReadBack) {
  const probe::Result sample = Sample();
  const std::string json = ProbeToJson(sample, absl::UTCTimeZone());
  const absl::StatusOr<probe::Result> read = probe::ParseResult(json);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->hostname, "test10");
  EXPECT_EQ(read->observed_at, sample.observed_at);
  EXPECT_EQ(read->pid, 57290);
  EXPECT_EQ(read->started_usec, sample.started_usec);
  EXPECT_EQ(read->verdict, probe::Verdict::kProblem);
  EXPECT_EQ(read->headline, sample.headline);
  ASSERT_EQ(read->runs.size(), 1u);
  ASSERT_EQ(read->runs[0].steps.size(), 5u);
  EXPECT_EQ(read->runs[0].steps[2].devices[0].memory_bytes, uint64_t{80} << 30);
  EXPECT_EQ(read->runs[0].comparisons.size(), sample.runs[0].comparisons.size());
  // Once more, the same.
  EXPECT_EQ(ProbeToJson(*read, absl::UTCTimeZone()), json);
}

TEST(ProbeJsonTest, NoSecretAndNoControlCharacterOfTheHost) {
  const std::string json = ProbeToJson(Sample(), absl::UTCTimeZone());
  EXPECT_FALSE(absl::StrContains(json, "hf_abcdef"));
  EXPECT_TRUE(absl::StrContains(json, "<redacted>"));
  EXPECT_FALSE(absl::StrContains(json, "\x1b"));
}

TEST(ProbeTextTest, WhatFailedStandsOnTop) {
  const std::string text = ProbeToText(Sample(), {});
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  EXPECT_EQ(lines[0],
            "PROBLEM  Ollama's backend can be opened: no. libcublas.so.12: cannot open shared");
  EXPECT_EQ(lines[1], "         object file.");
  EXPECT_TRUE(
      absl::StrContains(text, "  ok         the driver's library names its devices (cuda_v12)\n"));
  EXPECT_TRUE(absl::StrContains(text, "  failed     Ollama's backend can be opened\n"));
  EXPECT_TRUE(
      absl::StrContains(text, "  not run    the PCI function's files can be read, by pread\n"));
  EXPECT_TRUE(absl::StrContains(text, absl::StrCat("  uuid  ", kId)));
  EXPECT_TRUE(absl::StrContains(text, "81920 MiB"));
  EXPECT_TRUE(absl::StrContains(text, "Taken over: user 998."));
  EXPECT_TRUE(absl::StrContains(text, "Not taken over: the cgroup (memory)."));
  EXPECT_FALSE(absl::StrContains(text, "hf_abcdef"));
  EXPECT_FALSE(absl::StrContains(text, "\x1b"));
}

TEST(ProbeTextTest, MannersOfReadingThatSayTheSameShareALine) {
  probe::Result sample = Sample();
  probe::Step other = sample.runs[0].steps.back();
  for (const char* way : {"readv", "fread", "fgets", "syscall"}) {
    other.way = way;
    sample.runs[0].steps.push_back(other);
  }
  sample.runs[0].steps.back().why = "another";
  const std::string text = ProbeToText(sample, {.width = 60});
  EXPECT_TRUE(absl::StrContains(text,
                                "  not run    the PCI function's files can be read, by pread,\n"
                                "             readv, fread, fgets\n"
                                "             nothing is there\n"
                                "  not run    the PCI function's files can be read, by\n"
                                "             syscall\n"
                                "             another\n"))
      << text;
}

TEST(ProbeTextTest, WhatDiffersIsSetOut) {
  probe::Result sample = Sample();
  sample.runs[0].steps[1].devices[0].name = "NVIDIA L40S";
  probe::Conclude(sample);
  const std::string text = ProbeToText(sample, {});
  EXPECT_TRUE(absl::StrContains(text, "  name differs\n"));
  EXPECT_TRUE(absl::StrContains(text, "    nvml cuda_v12  NVIDIA L40S\n")) << text;
}

TEST(ProbeTextTest, ColourAddsNothingElse) {
  const std::string plain = ProbeToText(Sample(), {});
  std::string colored = ProbeToText(Sample(), {.color = true});
  for (const char* mark : {"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"}) {
    for (size_t at = colored.find(mark); at != std::string::npos; at = colored.find(mark)) {
      colored.erase(at, std::string(mark).size());
    }
  }
  EXPECT_EQ(colored, plain);
}

}  // namespace
}  // namespace vgpu::report

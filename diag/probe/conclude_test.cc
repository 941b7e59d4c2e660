#include "diag/probe/conclude.h"

#include "absl/strings/match.h"
#include "diag/probe/step_names.h"
#include "gtest/gtest.h"

namespace vgpu::probe {
namespace {

constexpr char kId[] = "GPU-d110a105-ac29-1d54-7b49-9c90440f215b";
constexpr char kOther[] = "GPU-11111111-2222-3333-4444-555555555555";
constexpr uint64_t kGiB = uint64_t{1} << 30;

Device H100() {
  Device device;
  device.uuid = kId;
  device.pci_address = "0000:00:05.0";
  device.name = "NVIDIA H100 80GB HBM3";
  device.compute = "9.0";
  device.memory_bytes = 80 * kGiB;
  return device;
}

Step Ok(const char* name, std::vector<Device> devices = {}) {
  Step step;
  step.name = name;
  step.status = StepStatus::kOk;
  step.needed = true;
  step.devices = std::move(devices);
  return step;
}

// Era B, every step as it should be.
Result Good() {
  Result result;
  result.unit = "ollama.service";
  result.pid = 57290;
  result.era = "B";
  probe::Run run;
  run.environment = "process";
  Device nvml = H100();
  nvml.pci_address = "00000000:00:05.0";
  nvml.compute = "";
  Device pci;
  pci.pci_address = "0000:00:05.0";
  pci.vendor = "0x10de";
  pci.device = "0x2331";
  pci.device_class = "0x030200";
  run.steps = {Ok(kLoader),     Ok(kNvml, {nvml}), Ok(kCuda, {H100()}), Ok(kDiscovery, {H100()}),
               Ok(kPci, {pci}), Ok(kPci, {pci})};
  run.steps[4].way = "read";
  run.steps[5].way = "pread";
  result.runs = {run};
  return result;
}

Step& StepOf(Result& result, absl::string_view name) {
  for (Step& step : result.runs[0].steps) {
    if (step.name == name) return step;
  }
  ADD_FAILURE() << "no step " << name;
  return result.runs[0].steps[0];
}

const Comparison* Of(const Result& result, absl::string_view what) {
  for (const Comparison& comparison : result.runs[0].comparisons) {
    if (comparison.what == what) return &comparison;
  }
  return nullptr;
}

TEST(ConcludeTest, AllStepsFindItAndAgree) {
  Result result = Good();
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kHealthy) << result.headline;
  EXPECT_TRUE(Verified(result));
  ASSERT_NE(Of(result, "uuid"), nullptr);
  EXPECT_EQ(Of(result, "uuid")->values.size(), 3u);
  ASSERT_NE(Of(result, "pci address"), nullptr);
  EXPECT_EQ(Of(result, "pci address")->values.size(), 5u);
  ASSERT_NE(Of(result, "pci ids"), nullptr);
  for (const Comparison& comparison : result.runs[0].comparisons) {
    EXPECT_TRUE(comparison.agree) << comparison.what;
    EXPECT_EQ(comparison.device, kId);
  }
}

TEST(ConcludeTest, AStepThatFails) {
  Result result = Good();
  Step& cuda = StepOf(result, kCuda);
  cuda.status = StepStatus::kFailed;
  cuda.devices.clear();
  cuda.why = "cuInit returned 100 (CUDA_ERROR_NO_DEVICE)";
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kProblem);
  EXPECT_TRUE(absl::StrContains(result.headline, "CUDA_ERROR_NO_DEVICE")) << result.headline;
  EXPECT_FALSE(Verified(result));
}

TEST(ConcludeTest, WhatDiscoveryDoesNotNeedIsNamedLast) {
  Result result = Good();
  Step& nvml = StepOf(result, kNvml);
  nvml.status = StepStatus::kFailed;
  nvml.needed = false;
  nvml.why = "the first";
  Step& discovery = StepOf(result, kDiscovery);
  discovery.status = StepStatus::kFailed;
  discovery.why = "the one that decides";
  Conclude(result);
  EXPECT_TRUE(absl::StrContains(result.headline, "the one that decides")) << result.headline;
}

TEST(ConcludeTest, AWrongIdIsADisagreement) {
  Result result = Good();
  StepOf(result, kNvml).devices[0].uuid = kOther;
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kProblem);
  EXPECT_FALSE(Of(result, "uuid")->agree);
  EXPECT_TRUE(Of(result, "pci address")->agree);
  EXPECT_TRUE(absl::StrContains(result.headline, kOther)) << result.headline;
  EXPECT_FALSE(Verified(result));
}

TEST(ConcludeTest, AnIdAndAnAddressThatAreBothWrongStillAreTheOneDevice) {
  Result result = Good();
  StepOf(result, kNvml).devices[0].uuid = kOther;
  StepOf(result, kNvml).devices[0].pci_address = "00000000:00:09.0";
  Conclude(result);
  EXPECT_FALSE(Of(result, "uuid")->agree);
  EXPECT_FALSE(Of(result, "pci address")->agree);
}

TEST(ConcludeTest, WhatADriverKeepsForItselfIsNoDisagreement) {
  Result result = Good();
  StepOf(result, kCuda).devices[0].memory_bytes = 79 * kGiB;
  Conclude(result);
  EXPECT_TRUE(Of(result, "memory")->agree);
  StepOf(result, kCuda).devices[0].memory_bytes = 40 * kGiB;
  Conclude(result);
  EXPECT_FALSE(Of(result, "memory")->agree);
}

TEST(ConcludeTest, OneDeviceOfTwoIsVisibleToCuda) {
  Result result = Good();
  Device second = H100();
  second.uuid = kOther;
  second.pci_address = "00000000:00:06.0";
  second.name = "NVIDIA L40S";
  std::vector<Device>& nvml = StepOf(result, kNvml).devices;
  nvml.insert(nvml.begin(), second);
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kHealthy) << result.headline;
}

TEST(ConcludeTest, DevicesInAnotherOrder) {
  Result result = Good();
  Device second = H100();
  second.uuid = kOther;
  second.pci_address = "0000:00:06.0";
  second.name = "NVIDIA L40S";
  StepOf(result, kNvml).devices = {second, H100()};
  StepOf(result, kCuda).devices = {H100(), second};
  StepOf(result, kDiscovery).devices = {second, H100()};
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kHealthy) << result.headline;
}

TEST(ConcludeTest, APartOfACardHasAnIdOfItsOwn) {
  Result result = Good();
  for (const char* name : {kCuda, kDiscovery}) {
    Device& device = StepOf(result, name).devices[0];
    device.uuid = "MIG-d110a105-ac29-1d54-7b49-9c90440f2100";
    device.memory_bytes = 10 * kGiB;
  }
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kHealthy) << result.headline;
}

TEST(ConcludeTest, FilesThatDifferByTheMannerOfReading) {
  Result result = Good();
  result.runs[0].steps[5].devices[0].device = "0x1005";
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kProblem);
  EXPECT_TRUE(absl::StrContains(result.headline, "pci pread says 0x10de 0x1005"))
      << result.headline;
}

TEST(ConcludeTest, WithoutAThingThatMattersNothingIsProved) {
  Result result = Good();
  result.runs[0].context.not_taken_over = {{"the cgroup", "", false}};
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kHealthy);
  result.runs[0].context.not_taken_over = {{"the seccomp filter", "", true}};
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive);
  EXPECT_FALSE(Verified(result));
  EXPECT_TRUE(absl::StrContains(result.headline, "the seccomp filter")) << result.headline;
}

TEST(ConcludeTest, NothingRuns) {
  Result result = Good();
  result.pid = 0;
  result.runs[0].environment = "unit";
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive);
  EXPECT_FALSE(Verified(result));
}

// A failure is no proof against a service that has what the steps had not.
TEST(ConcludeTest, AFailureForWantOfWhatTheUnitGives) {
  Result result = Good();
  result.pid = 0;
  result.runs[0].environment = "unit";
  result.runs[0].context.not_taken_over = {{"ProtectSystem=strict", "", true}};
  Step& cuda = StepOf(result, kCuda);
  cuda.status = StepStatus::kFailed;
  cuda.devices.clear();
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kProblem);
  result.runs[0].context.not_taken_over.push_back(
      {"BindReadOnlyPaths=/opt/shims:/usr/lib/vgpu", "", true});
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(absl::StrContains(result.headline, "BindReadOnlyPaths=/opt/shims:/usr/lib/vgpu"))
      << result.headline;
}

TEST(ConcludeTest, DiscoveryThatFindsNothing) {
  Result result = Good();
  StepOf(result, kDiscovery).devices.clear();
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive) << result.headline;
}

TEST(ConcludeTest, AnUnknownEraProvesNothing) {
  Result result = Good();
  result.era = "unknown";
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive) << result.headline;
}

TEST(ConcludeTest, AVariantForAnotherDriverIsPassedOver) {
  Result result = Good();
  for (Step& step : result.runs[0].steps) {
    if (step.name == kCuda || step.name == kDiscovery) step.variant = "cuda_v12";
  }
  Step other = Ok(kCudart);
  other.variant = "cuda_v13";
  other.status = StepStatus::kFailed;
  other.why = "cudaGetDeviceCount returned 35 (cudaErrorInsufficientDriver)";
  result.runs[0].steps.push_back(other);
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kHealthy) << result.headline;
  // Where none works, it is what is wrong.
  Step& discovery = StepOf(result, kDiscovery);
  discovery.status = StepStatus::kFailed;
  discovery.devices.clear();
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kProblem);
  EXPECT_FALSE(Verified(result));
}

TEST(ConcludeTest, EraAAsksTheDriverItself) {
  Result result = Good();
  result.era = "A";
  StepOf(result, kDiscovery).status = StepStatus::kNotRun;
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kHealthy) << result.headline;
}

TEST(ConcludeTest, WhatTheNextStartWouldGetIsSaidSo) {
  Result result = Good();
  probe::Run next = result.runs[0];
  next.environment = "unit";
  next.steps[2].status = StepStatus::kFailed;
  next.steps[2].why = "libcuda.so.1 is not found";
  result.runs.push_back(next);
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kProblem);
  EXPECT_TRUE(absl::StrContains(result.headline, "next start")) << result.headline;
  // The running process is proved all the same.
  EXPECT_TRUE(Verified(result));
}

TEST(ConcludeTest, NoStepCouldBeDone) {
  Result result = Good();
  for (Step& step : result.runs[0].steps) {
    step.status = StepStatus::kNotRun;
    step.why = "setgroups: operation not permitted";
  }
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive);
  EXPECT_EQ(result.headline, "No step could be done: setgroups: operation not permitted.");
  result.runs[0].steps.clear();
  result.runs[0].context.not_taken_over = {{"the place of process 1", "permission denied", true}};
  Conclude(result);
  EXPECT_EQ(result.headline,
            "No step could be done: without the place of process 1 (permission denied).");
}

TEST(ConcludeTest, NoRun) {
  Result result;
  Conclude(result);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive);
  EXPECT_EQ(result.headline, "No step could be done.");
}

TEST(CanonicalTest, Forms) {
  EXPECT_EQ(CanonicalAddress("00000000:00:05.0"), "0000:00:05.0");
  EXPECT_EQ(CanonicalAddress("00010000:3B:1F.7"), "10000:3b:1f.7");
  EXPECT_EQ(CanonicalAddress("0000:00:25.0"), "");
  EXPECT_EQ(CanonicalAddress("99fff950:99fff9:0.0"), "");
  EXPECT_EQ(CanonicalAddress("00:05.0"), "");
  EXPECT_EQ(CanonicalUuid("GPU-D110A105-ac29-1d54-7b49-9c90440f215b"), kId);
  EXPECT_EQ(CanonicalUuid("0"), "");
  EXPECT_EQ(CanonicalUuid("GPU-d110a105"), "");
}

TEST(SignalNameTest, Known) {
  EXPECT_EQ(SignalName(11), "SIGSEGV");
  EXPECT_EQ(SignalName(42), "signal 42");
}

}  // namespace
}  // namespace vgpu::probe

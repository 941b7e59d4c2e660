// What the rules about the device make of a probe, where the log says nothing of one.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/probe/conclude.h"
#include "diag/probe/step_names.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kId[] = "GPU-d110a105-ac29-1d54-7b49-9c90440f215b";
constexpr uint64_t kGiB = uint64_t{1} << 30;

probe::Device H100() {
  probe::Device device;
  device.uuid = kId;
  device.pci_address = "0000:00:05.0";
  device.name = "NVIDIA H100 80GB HBM3";
  device.compute = "9.0";
  device.memory_bytes = 80 * kGiB;
  return device;
}

// The healthy machine, its log begun after its start, and a probe whose NVML step saw `device`.
facts::Facts WithProbe(const probe::Device& device) {
  facts::Facts facts = HostBuilder().SetLog({}).Gather();
  probe::Step cuda;
  cuda.name = probe::kCuda;
  cuda.status = probe::StepStatus::kOk;
  cuda.needed = true;
  cuda.devices = {device};
  probe::Step discovery = cuda;
  discovery.name = probe::kDiscovery;
  probe::Run run;
  run.environment = "process";
  run.steps = {cuda, discovery};
  probe::Result result;
  result.pid = kPid;
  result.era = "B";
  result.runs = {run};
  probe::Conclude(result);
  facts.probe.source = "probe.json";
  facts.probe.result = result;
  return facts;
}

using Rule = Judgement (*)(const facts::Facts&);

// The first quote of what the rule finds; "" where it finds nothing.
std::string Quote(Rule rule, const probe::Device& device) {
  const Judgement judgement = rule(WithProbe(device));
  const Holds* holds = AsHolds(judgement);
  if (holds == nullptr) return "";
  EXPECT_EQ(holds->evidence[0].source, "probe.json");
  return holds->evidence[0].quote;
}

TEST(ProbeEvidenceTest, AGoodDeviceContradictsThemAll) {
  for (const Rule rule : {BusIdMismatch, DeviceUuidImplausible, PciIdImplausible,
                          ComputeImplausible, DeviceIdentityDiffers}) {
    EXPECT_NE(Because(rule(WithProbe(H100()))), "");
  }
}

TEST(ProbeEvidenceTest, EachSeesWhatIsItsOwn) {
  probe::Device device = H100();
  device.pci_address = "0000:00:09.0";
  EXPECT_TRUE(absl::StrContains(Quote(BusIdMismatch, device), "cuda GPU-d110a105"));
  device = H100();
  device.uuid = "GPU-00000000-1400-0000-0900-000000000000";
  EXPECT_TRUE(absl::StrContains(Quote(DeviceUuidImplausible, device), device.uuid));
  device = H100();
  device.pci_address = "99fff950:99fff9:0.0";
  EXPECT_TRUE(absl::StrContains(Quote(PciIdImplausible, device), device.pci_address));
  device = H100();
  device.compute = "512.1";
  EXPECT_TRUE(absl::StrContains(Quote(ComputeImplausible, device), "512.1"));
  device = H100();
  device.memory_bytes = 40 * kGiB;
  EXPECT_TRUE(absl::StrContains(Quote(DeviceIdentityDiffers, device), "40960 MiB"));
}

TEST(ProbeEvidenceTest, AProbeThatFindsItProvesDiscovery) {
  const facts::Facts facts = WithProbe(H100());
  EXPECT_TRUE(facts.FoundGpu().value_or(false));
  EXPECT_TRUE(absl::StrContains(Because(CudaInitError(facts)), "probe.json"))
      << Because(CudaInitError(facts)) << Lacks(CudaInitError(facts));
}

// Nothing of this start is in the log: no rule may look for it there.
TEST(ProbeEvidenceTest, WithAnEmptyLogEveryRuleComesToAnEnd) {
  facts::Facts facts = HostBuilder().SetJournal("").Gather();
  facts.probe = WithProbe(H100()).probe;
  ASSERT_EQ(facts.ThisStart(), nullptr);
  for (const auto& rule : AllRules()) {
    const Judgement judgement = rule.judge(facts);
    const Holds* holds = AsHolds(judgement);
    if (holds != nullptr && holds->confidence == Confidence::kCertain && rule.code != "VG705") {
      ADD_FAILURE() << rule.code << ": " << holds->headline;
    }
  }
  EXPECT_EQ(Because(ModelExceedsMemory(facts)), "no model that was loaded has a layer on the CPU");
}

TEST(ProbeEvidenceTest, ThatIsNotSaidOfALogInWhichDiscoveryFoundNothing) {
  facts::Facts facts = WithProbe(H100());
  facts::Facts lost = HostBuilder().FoundNoGpu().Gather();
  lost.probe = facts.probe;
  EXPECT_FALSE(lost.FoundGpu().value_or(true));
}

TEST(ProbeEvidenceTest, NorOfOneInWhichItHangs) {
  facts::Facts facts =
      HostBuilder().SetLog({kServerConfigLine, kListeningLine, kBeganLine}).Gather();
  facts.probe = WithProbe(H100()).probe;
  EXPECT_TRUE(facts.FoundGpu().not_observed());
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string Result(absl::string_view pci_id) {
  return absl::StrCat(
      "time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:42 msg=\"inference compute\" "
      "id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b library=CUDA compute=9.0 name=CUDA0 "
      "description=\"NVIDIA H100 80GB HBM3\" pci_id=",
      pci_id, " total=\"80.0 GiB\"");
}

Judgement Judge(absl::string_view pci_id) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, Result(pci_id)});
  return PciIdImplausible(machine.Gather());
}

TEST(PciIdImplausibleTest, MemoryThatNobodyWrote) {
  for (const char* pci_id : {"99fff950:99fff9", "0000:17361170:7", "0000:3d3bb990:7"}) {
    const Judgement judgement = Judge(pci_id);
    const Holds* holds = AsHolds(judgement);
    ASSERT_NE(holds, nullptr) << pci_id;
    EXPECT_EQ(holds->acts, Acts::kNextStart);
    EXPECT_TRUE(holds->explains.empty());
    EXPECT_NE(FindQuote(*holds, pci_id), nullptr);
  }
}

TEST(PciIdImplausibleTest, EveryFormOfAnAddress) {
  for (const char* pci_id : {"0000:00:05.0", "00000000:01:00.0", "01:00.0", "0000:0a:1f.0"}) {
    EXPECT_EQ(Because(Judge(pci_id)),
              absl::StrCat("pci_id=", pci_id, " is an address that can be"));
  }
  EXPECT_EQ(Lacks(Judge("\"\"")), "the PCI address that CUDA gives");
}

TEST(PciIdImplausibleTest, AnotherAddressAtEveryStart) {
  HostBuilder machine;
  std::string journal;
  const char* addresses[] = {"0000:3a:07.0", "0000:11:00.0", "0000:9f:1c.0"};
  for (int i = 0; i < 3; ++i) {
    const bool last = i == 2;
    const std::string invocation = last ? "a2d43596453d4c56540827e621bf36cb"
                                        : absl::StrCat("85ba00000000000000000000000000", i, "0");
    const int pid = last ? kPid : 4000 + i;
    absl::Time time = At("2026-02-24 10:06:00") - (2 - i) * absl::Minutes(5);
    absl::StrAppend(&journal,
                    SystemdSaid(invocation, time, "Started ollama.service - Ollama Service."));
    for (const std::string& line : {std::string(kListeningLine), Result(addresses[i])}) {
      absl::StrAppend(&journal, Said(pid, invocation, time += absl::Seconds(1), line));
    }
  }
  const Judgement judgement = PciIdImplausible(machine.SetJournal(journal).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
}

TEST(PciIdImplausibleTest, TheLogWasNotSeen) {
  HostBuilder machine;
  machine.RemoveTool(kJournal);
  EXPECT_NE(Lacks(PciIdImplausible(machine.Gather())), "");
}

}  // namespace
}  // namespace vgpu::rules

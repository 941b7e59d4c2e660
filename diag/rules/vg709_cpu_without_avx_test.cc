#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kNoAvx[] =
    R"log(time=2026-02-24T10:06:00.396-05:00 level=WARN source=gpu.go:232 msg="CPU does not have minimum vector extensions, GPU inference disabled" required=avx detected="no vector extensions")log";
constexpr char kOld[] =
    R"log(time=2026-02-24T10:06:00.358-05:00 level=INFO source=routes.go:1248 msg="Listening on 127.0.0.1:11434 (version 0.5.4)")log";

TEST(CpuWithoutAvxTest, OllamaSaysSo) {
  HostBuilder machine;
  machine.SetFile("/proc/cpuinfo",
                  "model name : QEMU Virtual CPU version 2.5+\nflags : fpu sse2 hypervisor\n");
  machine.SetLog({kServerConfigLine, kOld, kNoAvx, kCpuLine});
  const Judgement judgement = CpuWithoutAvx(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(FindQuote(*holds, "QEMU")->meaning, "hypervisor"));
}

TEST(CpuWithoutAvxTest, TheLineIsNotInTheLog) {
  HostBuilder machine;
  machine.SetFile("/proc/cpuinfo", "flags : fpu sse2\n")
      .SetLog({kServerConfigLine, kOld, kCpuLine});
  const Judgement judgement = CpuWithoutAvx(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
}

TEST(CpuWithoutAvxTest, AVersionThatAsksForNone) {
  HostBuilder machine;
  machine.SetFile("/proc/cpuinfo", "flags : fpu sse2\n").FoundNoGpu();
  EXPECT_EQ(Because(CpuWithoutAvx(machine.Gather())),
            "version 0.16.2 asks for no vector extensions");
}

TEST(CpuWithoutAvxTest, NeitherVersionNorLogWasSeen) {
  facts::Facts facts = HostBuilder().Gather();
  facts.ollama = {};
  facts.log = {};
  EXPECT_NE(Lacks(CpuWithoutAvx(facts)), "");
}

TEST(CpuWithoutAvxTest, AProcessorThatHasIt) {
  HostBuilder machine;
  machine.SetFile("/proc/cpuinfo", "flags : fpu avx\n").SetLog({kServerConfigLine, kOld, kCpuLine});
  EXPECT_EQ(Because(CpuWithoutAvx(machine.Gather())), "/proc/cpuinfo lists avx");
}

TEST(CpuWithoutAvxTest, TheProcessorWasNotSeen) {
  HostBuilder machine;
  machine.Hide("/proc/cpuinfo").SetLog({kServerConfigLine, kOld, kCpuLine});
  EXPECT_NE(Lacks(CpuWithoutAvx(machine.Gather())), "");
}

}  // namespace
}  // namespace vgpu::rules

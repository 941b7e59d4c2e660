#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// CUDA says TEXT, and discovery ends with the CPU.
HostBuilder Card(absl::string_view text) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  absl::StrCat("ggml_cuda_init: failed to initialize CUDA: ", text), kCpuLine});
  return machine;
}

TEST(CudaNotInitialisedTest, FromALogAloneItIsPossible) {
  const Judgement judgement = CudaNotInitialised(Card("initialization error").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "uvm_disable_hmm=1"));
  EXPECT_FALSE(holds->fix[0].undo.empty());
}

TEST(CudaNotInitialisedTest, TheDriverComplainsInAGuest) {
  HostBuilder machine = Card("initialization error");
  machine.SetFile("/proc/cpuinfo", "flags : fpu avx hypervisor\n");
  const Judgement judgement = CudaNotInitialised(WithKernelLog(
      machine, KernelSaid("2026-02-24 10:00:00",
                          "NVRM: GPU 0000:00:05.0: RmInitAdapter failed! (0x26:0x56:1463)")));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "hypervisor"), nullptr);
}

TEST(CudaNotInitialisedTest, EraAWritesTheNumber) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15").EraA();
  machine.SetLog(
      {kServerConfigLine,
       R"log(time=2026-02-24T10:06:00.400-05:00 level=INFO source=gpu.go:612 msg="Unable to load cudart library /usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15: cuda driver library init failure: 3")log",
       kCpuLine});
  EXPECT_NE(AsHolds(CudaNotInitialised(machine.Gather())), nullptr);
}

TEST(CudaNotInitialisedTest, AnotherError) {
  EXPECT_TRUE(
      absl::StrContains(Because(CudaNotInitialised(Card("unknown error").Gather())), "error 999"));
}

TEST(CudaNotInitialisedTest, AVirtualDeviceIsAnsweredByItsShims) {
  EXPECT_TRUE(absl::StrContains(Because(CudaNotInitialised(HostBuilder().Gather())), "virtual"));
}

}  // namespace
}  // namespace vgpu::rules

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

TEST(UvmLostAfterSuspendTest, Error999AfterAResume) {
  const Judgement judgement = UvmLostAfterSuspend(WithKernelLog(
      Card("unknown error"), KernelSaid("2026-02-24 02:00:00", "PM: suspend entry (deep)") +
                                 KernelSaid("2026-02-24 08:00:00", "PM: suspend exit")));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(FindQuote(*holds, "PM: suspend exit")->line, 2);
  EXPECT_EQ(holds->fix[0].command, "sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm");
}

TEST(UvmLostAfterSuspendTest, TheGpuIsLostWhileTheServerRuns) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine,
                  "ggml_cuda_init: failed to initialize CUDA: unknown error"});
  const Judgement judgement = UvmLostAfterSuspend(
      WithKernelLog(machine, KernelSaid("2026-02-24 10:06:00", "PM: suspend exit")));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(FindQuote(*holds, "library=CUDA")->meaning, "lost since"));
}

TEST(UvmLostAfterSuspendTest, AResumeAfterTheErrorIsNotItsCause) {
  EXPECT_TRUE(absl::StrContains(
      Because(UvmLostAfterSuspend(WithKernelLog(
          Card("unknown error"), KernelSaid("2026-02-24 02:00:00", "Linux version 6.1") +
                                     KernelSaid("2026-02-24 11:00:00", "PM: suspend exit")))),
      "no resume before the error"));
}

TEST(UvmLostAfterSuspendTest, AKernelLogThatBeginsLaterDoesNotTell) {
  EXPECT_EQ(Lacks(UvmLostAfterSuspend(WithKernelLog(
                Card("unknown error"), KernelSaid("2026-02-24 11:00:00", "usb 1-1: new")))),
            "whether the machine was asleep before the error");
}

TEST(UvmLostAfterSuspendTest, NoKernelLog) {
  EXPECT_EQ(Lacks(UvmLostAfterSuspend(Card("unknown error").Gather())),
            "whether the machine was asleep before the error");
}

TEST(UvmLostAfterSuspendTest, AnotherError) {
  EXPECT_TRUE(absl::StrContains(
      Because(UvmLostAfterSuspend(Card("no CUDA-capable device is detected").Gather())),
      "error 100"));
}

TEST(UvmLostAfterSuspendTest, AVirtualDeviceHasNoSuchModule) {
  EXPECT_TRUE(absl::StrContains(Because(UvmLostAfterSuspend(HostBuilder().Gather())),
                                "the device here is a virtual one"));
}

}  // namespace
}  // namespace vgpu::rules

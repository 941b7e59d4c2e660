#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::string Kernel(absl::string_view at, absl::string_view message) {
  return absl::StrCat("{\"__REALTIME_TIMESTAMP\":\"", absl::ToUnixMicros(At(at)),
                      "\",\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"", message, "\"}\n");
}

facts::Facts With(const HostBuilder& machine, absl::string_view kernel_log) {
  host::FakeHost host = machine.Host();
  host.AddTool({.tool = host::Tool::kJournalKernel}, kernel_log);
  return facts::Gather(host, {});
}

constexpr char kCrashed[] =
    R"log(time=2026-02-24T10:06:00.396-05:00 level=INFO source=runner.go:464 msg="failure during GPU discovery" OLLAMA_LIBRARY_PATH="[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]" extra_envs=map[] error="runner crashed")log";
constexpr char kExited[] =
    R"log(time=2026-02-24T10:06:00.396-05:00 level=TRACE source=runner.go:462 msg="runner exited" OLLAMA_LIBRARY_PATH="[/usr/local/lib/ollama]" extra_envs=map[] code=2)log";

HostBuilder Logged(const std::string& line) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, line, kCpuLine});
  return machine;
}

TEST(DiscoveryChildCrashedTest, TheServerSaysSo) {
  const Judgement judgement = DiscoveryChildCrashed(Logged(kCrashed).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
}

TEST(DiscoveryChildCrashedTest, AnExitCode) {
  const Judgement judgement = DiscoveryChildCrashed(Logged(kExited).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "exit status 2"));
  EXPECT_TRUE(holds->fix.empty()) << "the log is as detailed as it can be";
}

TEST(DiscoveryChildCrashedTest, OnlyTheKernelSawIt) {
  HostBuilder machine;
  const Judgement judgement = DiscoveryChildCrashed(With(
      machine.FoundNoGpu(), Kernel("2026-02-24 10:06:00.38",
                                   "ollama[57302]: segfault at 0 ip 00007f sp 00007f error 4 in "
                                   "libvgpu-cuda.so[7f1c2a000000+1a000]")));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "in libvgpu-cuda.so"));
}

TEST(DiscoveryChildCrashedTest, ACrashOfAnotherDayOrProgramIsNotIt) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(DiscoveryChildCrashed(With(
                machine.FoundNoGpu(),
                Kernel("2026-02-24 09:00:00", "ollama[11]: segfault at 0 ip 7f sp 7f error 4") +
                    Kernel("2026-02-24 10:06:00.38", "cat[12]: segfault at 0 ip 7f sp 7f")))),
            "how the children of discovery ended");
}

TEST(DiscoveryChildCrashedTest, ACrashBesideAGpuThatWasFound) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kCrashed, kGpuLine});
  EXPECT_TRUE(absl::StrContains(Because(DiscoveryChildCrashed(machine.Gather())), "found the GPU"));
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "diag/procfs/auxv.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kOllama[] = "/usr/local/bin/ollama";

// Started in secure mode: the list is in environ, and no shim is loaded.
HostBuilder Secure() {
  HostBuilder machine;
  machine.SetAuxv(procfs::Auxv::kSecure, 1).FoundNoGpu();
  machine.SetMaps({{kOllama, 262650}, {"/usr/lib/x86_64-linux-gnu/libc.so.6", 306}});
  machine.SetFile("/proc/57290/status",
                  "Name:\tollama\nUid:\t998\t998\t998\t998\nGid:\t998\t998\t"
                  "998\t998\nGroups:\t998\nNoNewPrivs:\t0\n");
  return machine;
}

TEST(SecureExecTest, FileCapabilities) {
  HostBuilder machine = Secure();
  const Judgement judgement = SecureExec(machine.SetCaps(kOllama, "cap_perfmon=ep").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(FindQuote(*holds, "AT_SECURE=1")->source, "/proc/57290/auxv");
  EXPECT_EQ(FindQuote(*holds, "cap_perfmon=ep")->source, kOllama);
  EXPECT_NE(FindQuote(*holds, "LD_PRELOAD=/usr/lib64"), nullptr);
  EXPECT_NE(FindQuote(*holds, "library=cpu"), nullptr);
  EXPECT_EQ(holds->fix[0].command, "sudo setcap -r /usr/local/bin/ollama");
  EXPECT_EQ(holds->fix[0].undo, "sudo setcap cap_perfmon=ep /usr/local/bin/ollama");
  EXPECT_TRUE(absl::StrContains(holds->fix[1].command, "AmbientCapabilities=CAP_PERFMON"));
}

TEST(SecureExecTest, SetGroupId) {
  HostBuilder machine = Secure();
  const Judgement judgement = SecureExec(machine.SetMode(kOllama, 02755, 0, 44).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "mode 2755"), nullptr);
  EXPECT_EQ(holds->fix[0].command, "sudo chmod g-s /usr/local/bin/ollama");
  EXPECT_EQ(holds->fix[0].undo, "sudo chmod g+s /usr/local/bin/ollama");
}

TEST(SecureExecTest, TheGroupThatTheBitGaveIsTheProcesssOwnNow) {
  HostBuilder machine = Secure();
  machine.SetFile("/etc/passwd", "ollama:x:998:998::/usr/share/ollama:/bin/false\n");
  machine.SetFile("/proc/57290/status",
                  "Name:\tollama\nUid:\t998\t998\t998\t998\nGid:\t998\t44\t44\t44\n"
                  "Groups:\t998\nNoNewPrivs:\t0\n");
  const Judgement judgement = SecureExec(machine.SetMode(kOllama, 02755, 0, 44).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->fix[0].command, "sudo chmod g-s /usr/local/bin/ollama");
}

TEST(SecureExecTest, ASecurityModule) {
  HostBuilder machine = Secure();
  machine.SetFile("/proc/57290/attr/current", "system_u:system_r:ollama_t:s0\n");
  const Judgement judgement = SecureExec(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "ollama_t"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].why, "noatsecure"));
}

TEST(SecureExecTest, TheKernelSaysNo) {
  HostBuilder machine;  // root runs it: its capabilities grant nothing
  machine.SetCaps(kOllama, "cap_perfmon=ep");
  machine.SetFile("/proc/57290/status",
                  "Name:\tollama\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
                  "Groups:\t0\n");
  EXPECT_EQ(Because(SecureExec(machine.Gather())), "AT_SECURE is 0 in /proc/57290/auxv");
}

TEST(SecureExecTest, CapabilitiesThatWereSetAfterTheStart) {
  HostBuilder machine;
  machine.SetFile("/etc/passwd", "ollama:x:998:998::/usr/share/ollama:/bin/false\n");
  machine.SetFile("/proc/57290/status",
                  "Name:\tollama\nUid:\t998\t998\t998\t998\nGid:\t998\t998\t"
                  "998\t998\nGroups:\t998\n");
  const Judgement judgement = SecureExec(machine.SetCaps(kOllama, "cap_perfmon=ep").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
}

TEST(SecureExecTest, NothingRuns) {
  HostBuilder machine;
  machine.SetFile("/etc/passwd", "ollama:x:998:998::/usr/share/ollama:/bin/false\n");
  machine.Stopped();
  EXPECT_NE(Because(SecureExec(machine.Gather())), "");
  const Judgement judgement = SecureExec(machine.SetCaps(kOllama, "cap_perfmon=p").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  // What is only inheritable grants a service nothing.
  EXPECT_NE(Because(SecureExec(machine.SetCaps(kOllama, "cap_perfmon=i").Gather())), "");
}

TEST(SecureExecTest, NothingIsThereToBeDropped) {
  HostBuilder machine = Secure();  // NVIDIA's own driver; llama-server is another file
  machine.EraC().RemoveEnviron("LD_PRELOAD");
  EXPECT_TRUE(absl::StrContains(Because(SecureExec(machine.Gather())), "no variable"));
}

TEST(SecureExecTest, TheAuxvWasNotSeen) {
  HostBuilder machine = Secure();
  machine.RemoveFile("/proc/57290/auxv");
  EXPECT_EQ(Lacks(SecureExec(machine.Gather())), "AT_SECURE of process 57290");
  // The file says why, and the shims are not loaded although they are listed.
  const Judgement judgement = SecureExec(machine.SetCaps(kOllama, "cap_perfmon=ep").Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
}

}  // namespace
}  // namespace vgpu::rules

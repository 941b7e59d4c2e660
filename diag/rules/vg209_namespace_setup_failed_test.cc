#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

HostBuilder Failing(absl::string_view service) {
  HostBuilder machine;
  machine.Stopped().SetShown("ActiveState", "failed").SetShown("Result", "exit-code");
  machine.SetFile(kDropIn, absl::StrCat("[Service]\n", service, "\n"));
  machine.SetJournal(absl::StrCat(
      SystemdSaid("ab", At("2026-02-24 10:06:01"),
                  "ollama.service: Failed to set up mount namespacing: "
                  "/run/systemd/unit-root/opt/vgpu/tree: No such file or directory"),
      SystemdSaid("ab", At("2026-02-24 10:06:01"),
                  "ollama.service: Failed at step NAMESPACE spawning /usr/local/bin/ollama: No "
                  "such file or directory"),
      SystemdSaid("ab", At("2026-02-24 10:06:01"),
                  "ollama.service: Main process exited, code=exited, status=226/NAMESPACE")));
  return machine;
}

TEST(NamespaceSetupFailedTest, ASourceThatDoesNotExist) {
  const Judgement judgement = NamespaceSetupFailed(
      Failing("ReadOnlyPaths=/gone\nBindReadOnlyPaths=/opt/vgpu/tree:/proc/driver").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  const Evidence* line = FindQuote(*holds, "BindReadOnlyPaths=");
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->source, kDropIn);
  EXPECT_EQ(line->line, 3);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG301", "VG307"}));
}

TEST(NamespaceSetupFailedTest, APrefixLetsItBePassedOver) {
  HostBuilder machine;
  machine.Stopped().SetFile(kDropIn,
                            "[Service]\nBindReadOnlyPaths=-/opt/gone:/x\nProtectHome=yes\n");
  EXPECT_FALSE(Because(NamespaceSetupFailed(machine.Gather())).empty());
}

TEST(NamespaceSetupFailedTest, ANextStartThatWillFail) {
  HostBuilder machine;
  machine.Stopped().SetFile(kDropIn, "[Service]\nInaccessiblePaths=/opt/gone\n");
  const Judgement judgement = NamespaceSetupFailed(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
}

TEST(NamespaceSetupFailedTest, ACaptureOfARunningServiceLacksThePath) {
  HostBuilder machine;
  machine.SetFile(kDropIn, "[Service]\nInaccessiblePaths=/opt/gone\n");
  EXPECT_EQ(AsHolds(NamespaceSetupFailed(machine.Gather())), nullptr);
}

TEST(NamespaceSetupFailedTest, ColonsOfAPciAddress) {
  HostBuilder machine;
  machine.SetFile("/etc/systemd/system/ollama.service.d/zz.conf",
                  "[Service]\nBindReadOnlyPaths=/v/gpu0:/sys/devices/pci0000:00/0000:00:05.0\n");
  const Judgement judgement = NamespaceSetupFailed(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "Invalid option string"));
}

TEST(NamespaceSetupFailedTest, EscapedColonsAreRight) {
  HostBuilder machine;
  machine.SetFile("/v/gpu0/vendor", "0x10de\n")
      .SetFile("/sys/devices/pci0000:00/0000:00:05.0/x", "");
  machine.SetFile(
      "/etc/systemd/system/ollama.service.d/zz.conf",
      "[Service]\nBindReadOnlyPaths=/v/gpu0:/sys/devices/pci0000\\:00/0000\\:00\\:05.0\n");
  EXPECT_TRUE(absl::StrContains(Because(NamespaceSetupFailed(machine.Gather())), "1 path is"));
}

TEST(NamespaceSetupFailedTest, AUnitThatMountsNothing) {
  EXPECT_EQ(Because(NamespaceSetupFailed(HostBuilder().Gather())),
            "the unit mounts and hides nothing");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kOllama[] = "/usr/local/bin/ollama";

TEST(StaleBinaryTest, ExecStartNamesAnotherFile) {
  HostBuilder machine;
  machine.SetFile("/srv/trial/ollama", "ELF").SetLink("/proc/57290/exe", "/srv/trial/ollama");
  machine.FoundNoGpu();
  const Judgement judgement = StaleBinary(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(FindQuote(*holds, "/srv/trial/ollama")->source, "/proc/57290/exe");
  EXPECT_NE(FindQuote(*holds, "ExecStart=/usr/local/bin/ollama serve"), nullptr);
  EXPECT_NE(std::find(holds->explains.begin(), holds->explains.end(), "VG302"),
            holds->explains.end());
}

TEST(StaleBinaryTest, UpgradedWhileItWorks) {
  HostBuilder machine;
  machine.SetLink("/proc/57290/exe", "/usr/local/bin/ollama (deleted)");
  const Judgement judgement = StaleBinary(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_NE(FindQuote(*holds, "(deleted)"), nullptr);
}

TEST(StaleBinaryTest, TheInodeTellsWhereTheLinkDoesNot) {
  HostBuilder machine;
  machine.SetInode(kOllama, 991077);
  const Judgement judgement = StaleBinary(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "(inode 262650)"), nullptr);
}

TEST(StaleBinaryTest, TheVersionTells) {
  HostBuilder machine;
  machine.SetElf(kOllama, R"({"class": 64, "interp": "/lib64/ld-linux-x86-64.so.2",
      "go_build": {"go": "go1.24.1", "module": "github.com/ollama/ollama",
      "version": "v0.24.0"}})");
  const Judgement judgement = StaleBinary(machine.WithoutFileTimes().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "version 0.24.0"), nullptr);
  // A build between two releases calls itself after the one before.
  machine.SetElf(kOllama, R"({"class": 64, "interp": "/lib64/ld-linux-x86-64.so.2", "go_build":
      {"go": "go1.24.1", "module": "github.com/ollama/ollama",
      "version": "v0.16.3-0.20260220101500-abcdef012345"}})");
  EXPECT_EQ(AsHolds(StaleBinary(machine.Gather())), nullptr);
}

TEST(StaleBinaryTest, ExecStartNamesALink) {
  HostBuilder machine;
  machine.SetFile("/opt/ollama/bin/ollama", "ELF").SetLink(kOllama, "/opt/ollama/bin/ollama");
  machine.SetLink("/proc/57290/exe", "/opt/ollama/bin/ollama").SetMaps({});
  EXPECT_EQ(Because(StaleBinary(machine.Gather())),
            "/usr/local/bin/ollama is what runs (/opt/ollama/bin/ollama)");
}

TEST(StaleBinaryTest, AWrapperStartsAnother) {
  HostBuilder machine;
  machine.SetExecStart("/opt/start.sh serve");
  machine.SetFile("/opt/start.sh", "#!/bin/sh\nexec /usr/local/bin/ollama \"$@\"\n");
  EXPECT_TRUE(absl::StrContains(Because(StaleBinary(machine.Gather())), "a script"));
}

TEST(StaleBinaryTest, AServiceWithARootOfItsOwn) {
  HostBuilder machine;
  machine.SetLink("/proc/57290/exe", "/srv/root/usr/local/bin/ollama");
  machine.SetFile("/etc/systemd/system/ollama.service.d/root.conf",
                  "[Service]\nRootDirectory=/srv/root\n");
  EXPECT_EQ(AsHolds(StaleBinary(machine.Gather())), nullptr);
}

TEST(StaleBinaryTest, TheLinkWasNotSeen) {
  HostBuilder machine;
  machine.Hide("/proc/57290/exe");
  EXPECT_EQ(Lacks(StaleBinary(machine.Gather())), "the program of process 57290");
}

TEST(StaleBinaryTest, Healthy) {
  EXPECT_EQ(Because(StaleBinary(HostBuilder().Gather())), "/usr/local/bin/ollama is what runs");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kCut[] =
    "[Service]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-exec.so /usr/lib64/libvgpu-cuda.so "
    "/usr/lib64/libvgpu-cudart.so\n";

TEST(EnvironmentValueCutTest, OnlyTheFirstEntryIsLeft) {
  HostBuilder machine;
  machine.SetFile(kDropIn, kCut).FoundNoGpu();
  machine.SetShown("Environment", "LD_PRELOAD=/usr/lib64/libvgpu-exec.so");
  machine.SetEnviron("LD_PRELOAD", "/usr/lib64/libvgpu-exec.so");
  const Judgement judgement = EnvironmentValueCut(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].line, 2);
  EXPECT_NE(FindQuote(*holds, "/usr/lib64/libvgpu-cudart.so"), nullptr);
  EXPECT_TRUE(
      absl::StrContains(holds->fix[0].command,
                        "\"LD_PRELOAD=/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so:"));
}

TEST(EnvironmentValueCutTest, ASpaceBetweenQuotesIsLegal) {
  HostBuilder machine;
  machine.SetFile(kDropIn,
                  "[Service]\nEnvironment=\"LD_PRELOAD=/usr/lib64/libvgpu-cuda.so "
                  "/usr/lib64/libvgpu-cudart.so\"\n");
  EXPECT_EQ(Because(EnvironmentValueCut(machine.Gather())),
            "no value of Environment= ends at an unquoted space");
}

TEST(EnvironmentValueCutTest, ALossThatDiscoveryDoesNotFeelIsLatent) {
  HostBuilder machine;
  machine.SetFile(kDropIn,
                  "[Service]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so:"
                  "/usr/lib64/libvgpu-cudart.so /usr/lib64/libvgpu-exec.so\n");
  const Judgement judgement = EnvironmentValueCut(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
  EXPECT_TRUE(AsHolds(judgement)->explains.empty());
}

TEST(EnvironmentValueCutTest, AVariableThatConcernsNoGpu) {
  HostBuilder machine;
  machine.SetFile(kUnitFile,
                  "[Service]\nExecStart=/usr/local/bin/ollama serve\nEnvironment=NAME=a b\n");
  EXPECT_FALSE(Because(EnvironmentValueCut(machine.Gather())).empty());
}

TEST(EnvironmentValueCutTest, TheFilesWereNotSeen) {
  HostBuilder machine;
  machine.Hide("/etc/systemd/system");
  EXPECT_EQ(Lacks(EnvironmentValueCut(machine.Gather())), "the files of ollama.service");
}

}  // namespace
}  // namespace vgpu::rules

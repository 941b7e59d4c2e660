#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(EnvironmentScrubbedTest, StartedAfterTheReloadWithoutIt) {
  HostBuilder machine;
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  const Judgement judgement = EnvironmentScrubbed(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(FindQuote(*holds, "(no LD_PRELOAD)")->source, "/proc/57290/environ");
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
}

TEST(EnvironmentScrubbedTest, OlderThanTheConfigurationIsAnotherCause) {
  HostBuilder machine;
  EXPECT_EQ(Because(EnvironmentScrubbed(machine.NotRestarted().Gather())),
            "the process is older than the configuration that systemd has loaded");
}

TEST(EnvironmentScrubbedTest, AWrapperThatCanBeNamedExplainsIt) {
  HostBuilder machine;
  machine.RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  machine.SetExecStart("/opt/start.sh serve");
  machine.SetFile("/opt/start.sh", "#!/bin/sh\nexec env -i ollama serve\n");
  EXPECT_EQ(Because(EnvironmentScrubbed(machine.Gather())),
            "ExecStart runs /opt/start.sh, a script: that explains the loss");
}

TEST(EnvironmentScrubbedTest, HasEverything) {
  EXPECT_EQ(Because(EnvironmentScrubbed(HostBuilder().Gather())),
            "process 57290 has every variable that its unit gives");
}

TEST(EnvironmentScrubbedTest, NoTimeTells) {
  HostBuilder machine;
  machine.RemoveEnviron("LD_PRELOAD").RemoveTool(kManager).WithoutFileTimes();
  EXPECT_EQ(Lacks(EnvironmentScrubbed(machine.Gather())),
            "whether the process is older than its configuration");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kSnapExe[] = "/snap/ollama/105/bin/ollama";

TEST(WrongUnitTest, ASnapServes) {
  HostBuilder machine;
  machine.Stopped().Listens(2201);
  machine.AddProcess(2201, 1, {kSnapExe, "serve"}, kSnapExe, {"HOME=/root"},
                     "/system.slice/snap.ollama.listener.service");
  const Judgement judgement = WrongUnit(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(FindQuote(*holds, "ActiveState=inactive")->source, kShow);
  EXPECT_EQ(FindQuote(*holds, "snap.ollama.listener.service")->source, "/proc/2201/cgroup");
  EXPECT_EQ(holds->fix[0].command, "sudo vgpu-doctor check --unit snap.ollama.listener.service");
  EXPECT_EQ(holds->fix[1].command, "sudo snap stop --disable ollama");
}

TEST(WrongUnitTest, AUsersServiceServes) {
  HostBuilder machine;
  machine.Stopped().Listens(2201);
  machine.AddProcess(2201, 1900, {"/usr/local/bin/ollama", "serve"}, "/usr/local/bin/ollama", {},
                     "/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service");
  const Judgement judgement = WrongUnit(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->headline, "user@1000.service"));
  EXPECT_EQ(holds->fix[1].command,
            "sudo systemctl --user --machine=1000@.host disable --now ollama.service");
}

TEST(WrongUnitTest, AShellServes) {
  HostBuilder machine;
  machine.Stopped().Listens(2201);
  machine.AddProcess(2201, 1900, {"ollama", "serve"}, "/usr/local/bin/ollama", {},
                     "/user.slice/user-1000.slice/session-3.scope");
  const Judgement judgement = WrongUnit(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->fix[1].command, "sudo kill 2201");
}

TEST(WrongUnitTest, AContainerServes) {
  HostBuilder machine;  // its port is in a network of its own
  machine.Stopped().AddProcess(3301, 3200, {"/bin/ollama", "serve"}, "/usr/bin/ollama", {},
                               "/system.slice/docker-0123456789abcdef0123456789abcdef.scope");
  const Judgement judgement = WrongUnit(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->fix[1].command, "sudo docker stop 0123456789ab");
  // The host passes its port on: that is to be seen.
  machine.Listens(3400).AddProcess(3400, 900, {"/usr/bin/docker-proxy", "-host-port", "11434"},
                                   "/usr/bin/docker-proxy", {}, "/system.slice/docker.service");
  const Judgement with_proxy = WrongUnit(machine.Gather());
  ASSERT_NE(AsHolds(with_proxy), nullptr);
  EXPECT_EQ(AsHolds(with_proxy)->confidence, Confidence::kCertain);
}

TEST(WrongUnitTest, TheUnitDiesBecauseThePortIsTaken) {
  HostBuilder machine;
  machine.CrashLooping().Listens(2201);
  machine.AddProcess(2201, 1, {kSnapExe, "serve"}, kSnapExe, {},
                     "/system.slice/snap.ollama.listener.service");
  const Judgement judgement = WrongUnit(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(std::find(holds->explains.begin(), holds->explains.end(), "VG307"),
            holds->explains.end());
}

TEST(WrongUnitTest, OnlyTheListOfUnitsShowsIt) {
  HostBuilder machine;
  machine.Stopped().SetUnitList(
      "ollama.service loaded inactive dead Ollama Service\n"
      "snap.ollama.listener.service loaded active running Service for snap application\n");
  const Judgement judgement = WrongUnit(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(WrongUnitTest, ASecondServerOnAPortOfItsOwn) {
  HostBuilder machine;
  machine.Listens(kPid).AddProcess(2201, 1900, {"ollama", "serve"}, "/usr/local/bin/ollama", {},
                                   "/user.slice/user-1000.slice/session-3.scope");
  EXPECT_EQ(Because(WrongUnit(machine.Gather())), "process 57290 is in ollama.service");
}

TEST(WrongUnitTest, AClientAndARunnerAreNoServers) {
  HostBuilder machine;
  machine.Stopped();
  machine.AddProcess(2201, 1900, {"ollama", "run", "llama3"}, "/usr/local/bin/ollama", {},
                     "/user.slice/user-1000.slice/session-3.scope");
  machine.AddProcess(2202, 1, {"/usr/local/bin/ollama", "runner"}, "/usr/local/bin/ollama", {},
                     "/system.slice/x.service");
  EXPECT_EQ(Because(WrongUnit(machine.Gather())), "no other server of Ollama runs on this host");
}

TEST(WrongUnitTest, TheUnitItselfRunsTheContainer) {
  HostBuilder machine;
  machine.SetExecStart("/usr/bin/docker run --rm ollama/ollama").Stopped();
  machine.AddProcess(3301, 3200, {"/bin/ollama", "serve"}, "/usr/bin/ollama", {},
                     "/system.slice/docker-0123456789abcdef0123456789abcdef.scope");
  EXPECT_EQ(Because(WrongUnit(machine.Gather())), "ollama.service itself runs a container");
}

TEST(WrongUnitTest, NothingIsConfiguredForAUnitThatIsNotThere) {
  HostBuilder machine;  // VG201
  machine.RemoveFile("/etc/systemd").Stopped().SetShown("LoadState", "not-found").Listens(2201);
  machine.RemoveTool(kJournal).AddProcess(2201, 1, {kSnapExe, "serve"}, kSnapExe, {},
                                          "/system.slice/snap.ollama.listener.service");
  EXPECT_EQ(Because(WrongUnit(machine.Gather())), "nothing is configured for ollama.service");
}

TEST(WrongUnitTest, AProcessWasNamed) {
  HostBuilder machine;
  machine.Listens(2201).AddProcess(2201, 1900, {"ollama", "serve"}, "/usr/local/bin/ollama", {},
                                   "/user.slice/user-1000.slice/session-3.scope");
  const facts::Facts facts = facts::Gather(machine.Host(), {.unit = "", .pid = 2201});
  EXPECT_EQ(Because(WrongUnit(facts)), "a process was named, and it is the one judged");
}

TEST(WrongUnitTest, ProcessesWereNotSeen) {
  HostBuilder machine;
  machine.Stopped().RemoveFile("/proc");
  EXPECT_EQ(Lacks(WrongUnit(machine.Gather())), "which process serves");
}

TEST(WrongUnitTest, Healthy) {
  EXPECT_EQ(Because(WrongUnit(HostBuilder().Gather())), "process 57290 is in ollama.service");
}

}  // namespace
}  // namespace vgpu::rules

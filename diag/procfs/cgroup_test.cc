#include "diag/procfs/cgroup.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "diag/procfs/own_file.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

const std::string kId = "3f4e9a" + std::string(58, 'b');

Cgroup Parsed(absl::string_view text) {
  absl::StatusOr<Cgroup> cgroup = ParseCgroup(text);
  EXPECT_TRUE(cgroup.ok()) << cgroup.status();
  return cgroup.ok() ? *cgroup : Cgroup();
}

std::string UnitOf(absl::string_view path) {
  return Parsed(absl::StrCat("0::", path, "\n")).SystemdUnit().value_or("(none)");
}

std::string UserUnitOf(absl::string_view path) {
  return Parsed(absl::StrCat("0::", path, "\n")).UserUnit().value_or("(none)");
}

Container ContainerOf(absl::string_view path) {
  return Parsed(absl::StrCat("0::", path, "\n")).InContainer().value_or(Container{"none", ""});
}

TEST(SystemdUnit, IsTheFirstComponentThatIsNoSlice) {
  EXPECT_EQ(UnitOf("/system.slice/ollama.service"), "ollama.service");
  EXPECT_EQ(UnitOf("/system.slice/system-ollama.slice/ollama@2.service"), "ollama@2.service");
  EXPECT_EQ(UnitOf("/ai.slice/ollama.service/runner/deep"), "ollama.service");
  EXPECT_EQ(UnitOf("/init.scope"), "init.scope");
  EXPECT_EQ(UnitOf("/system.slice/snap.ollama.listener.service"), "snap.ollama.listener.service");
  EXPECT_EQ(UnitOf("/user.slice/user-1000.slice/session-3.scope"), "session-3.scope");
}

TEST(SystemdUnit, UnderscoreIsSystemdsEscape) {
  EXPECT_EQ(UnitOf("/system.slice/_cpu.service"), "cpu.service");
}

TEST(SystemdUnit, ProcessOutsideOfAnyUnit) {
  for (absl::string_view path : {"/", "/system.slice", "/docker/abc", "/not a unit.service",
                                 "/.service", "/../../ollama.service"}) {
    EXPECT_TRUE(Parsed(absl::StrCat("0::", path, "\n")).SystemdUnit().absent()) << path;
  }
}

TEST(UserUnit, IsToldApartFromTheManagerThatRunsIt) {
  constexpr absl::string_view kPath =
      "/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service";
  EXPECT_EQ(UnitOf(kPath), "user@1000.service");
  EXPECT_EQ(UserUnitOf(kPath), "ollama.service");
}

TEST(UserUnit, SystemServiceHasNone) {
  EXPECT_EQ(UserUnitOf("/system.slice/ollama.service/x.service"), "(none)");
  EXPECT_EQ(UserUnitOf("/user.slice/user-1000.slice/user@1000.service"), "(none)");
  EXPECT_EQ(UserUnitOf("/user.slice/user@me.service/ollama.service"), "(none)");
}

TEST(SystemdPath, LegacyHostTracksInItsOwnHierarchy) {
  const Cgroup cgroup = Parsed(
      "9:name=systemd:/system.slice/ollama.service\n"
      "3:cpu,cpuacct:/system.slice\n");
  EXPECT_EQ(cgroup.SystemdUnit().value(), "ollama.service");
}

TEST(SystemdPath, HybridHostMayLeaveVersion2Empty) {
  EXPECT_EQ(Parsed("9:name=systemd:/system.slice/a.service\n0::/\n").SystemdUnit().value(),
            "a.service");
  EXPECT_EQ(Parsed("0::/\n9:name=systemd:/system.slice/a.service\n").SystemdUnit().value(),
            "a.service");
  EXPECT_EQ(
      Parsed("9:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n").SystemdPath(),
      host::Observed<std::string>("/system.slice/b.service"));
}

TEST(SystemdPath, HostWithoutSystemdSaysNothingAboutUnits) {
  const Cgroup cgroup = Parsed("3:cpuset:/ollama.service\n");
  EXPECT_EQ(cgroup.SystemdUnit().why_not(),
            "cgroup: neither version 2 nor the hierarchy name=systemd");
}

TEST(InContainer, EachRuntimeHasItsWayOfNaming) {
  EXPECT_EQ(ContainerOf("/system.slice/docker-" + kId + ".scope"), (Container{"docker", kId}));
  EXPECT_EQ(ContainerOf("/docker/" + kId), (Container{"docker", kId}));
  EXPECT_EQ(ContainerOf("/machine.slice/libpod-" + kId + ".scope/container"),
            (Container{"podman", kId}));
  EXPECT_EQ(ContainerOf("/system.slice/ollama.service/libpod-payload-" + kId),
            (Container{"podman", kId}));
  EXPECT_EQ(ContainerOf("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope"),
            (Container{"containerd", kId}));
  EXPECT_EQ(
      ContainerOf("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + kId),
      (Container{"containerd", kId}));
  EXPECT_EQ(ContainerOf("/kubepods.slice/kubepods-pod1.slice/crio-" + kId + ".scope"),
            (Container{"cri-o", kId}));
  EXPECT_EQ(ContainerOf("/kubepods/burstable/pod1b2c/" + kId), (Container{"kubernetes", kId}));
  EXPECT_EQ(ContainerOf("/lxc/web/system.slice/ollama.service"), (Container{"lxc", "web"}));
  EXPECT_EQ(ContainerOf("/lxc.payload.web/system.slice/ollama.service"), (Container{"lxc", "web"}));
}

TEST(InContainer, RuntimesOwnProcessesAreNoContainers) {
  for (const std::string& path :
       {"/machine.slice/libpod-conmon-" + kId + ".scope", std::string("/lxc.monitor.web"),
        std::string("/system.slice/docker.service"),
        std::string("/system.slice/docker-proxy.scope"), "/system.slice/" + kId}) {
    EXPECT_EQ(ContainerOf(path).runtime, "none") << path;
  }
}

TEST(InContainer, InnermostOfNestedOnes) {
  const std::string inner(64, 'c');
  EXPECT_EQ(ContainerOf("/docker/" + kId + "/docker/" + inner), (Container{"docker", inner}));
}

TEST(InContainer, AlsoFoundWhereSystemdTracksNothing) {
  EXPECT_EQ(Parsed(absl::StrCat("3:memory:/docker/", kId, "\n0::/\n")).InContainer().value(),
            (Container{"docker", kId}));
}

TEST(ParseCgroup, GroupThatIsGone) {
  const Cgroup cgroup = Parsed("0::/system.slice/ollama.service (deleted)\n");
  EXPECT_TRUE(cgroup.lines()[0].deleted);
  EXPECT_EQ(cgroup.SystemdUnit().value(), "ollama.service");
}

TEST(ParseCgroup, NamedHierarchyMayHoldAColon) {
  const Cgroup cgroup = Parsed("7:name=a:b:/x:/y\n");
  EXPECT_EQ(cgroup.lines()[0].controllers, "name=a:b");
  EXPECT_EQ(cgroup.lines()[0].path, "/x:/y");
}

TEST(ParseCgroup, TextThatIsCutProvesNoAbsence) {
  const Cgroup cut = Parsed("0::/system.slice/ollama.serv");
  EXPECT_TRUE(cut.truncated());
  EXPECT_TRUE(cut.SystemdUnit().not_observed());
  EXPECT_TRUE(cut.InContainer().not_observed());
  EXPECT_EQ(Parsed("0::/system.slice/ollama.service").SystemdUnit().value(), "ollama.service");
}

TEST(ParseCgroup, OtherTextIsAnError) {
  EXPECT_FALSE(ParseCgroup("").ok());
  EXPECT_EQ(ParseCgroup("ollama\n").status().message(),
            "cgroup: no line HIERARCHY:CONTROLLERS:PATH: \"ollama\\n\"");
  EXPECT_EQ(Parsed("garbage\n0::/\n").malformed_lines(), 1u);
}

TEST(ParseCgroup, ThisProcess) {
  const Cgroup cgroup = Parsed(ReadOwnFile("/proc/self/cgroup"));
  EXPECT_EQ(cgroup.malformed_lines(), 0u);
  ASSERT_FALSE(cgroup.lines().empty());
  for (const CgroupLine& line : cgroup.lines()) EXPECT_EQ(line.path[0], '/') << line.controllers;
}

}  // namespace
}  // namespace vgpu::procfs

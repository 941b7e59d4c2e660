// A file that holds something else than it should, or only its beginning, is not observed:
// never an empty one.

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/facts/gather.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using host::FakeHost;
using host::Tool;
using host::ToolQuery;

constexpr char kNoise[] = "\x8c\x01=q\x1b\n\xf3\x11 \xa0\x02\n\xff=\xfe";
constexpr char kUnit[] = "ollama.service";
constexpr char kHeading[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

// A server that nothing is wrong with. (No two files of it are the same.)
FakeHost Whole() {
  FakeHost host;
  host.AddTool({.tool = Tool::kSystemctlShowUnit, .unit = kUnit},
               "MainPID=7\nUser=ollama\nExecStart={ path=/usr/bin/ollama ; argv[]=/usr/bin/ollama "
               "serve ; ignore_errors=no ; pid=7 }\n");
  host.AddTool({.tool = Tool::kSystemctlShowEnvironment}, "LANG=C.UTF-8\n");
  host.AddTool({.tool = Tool::kSystemctlListUnits},
               "ollama.service loaded active running Ollama\n");
  host.AddFile("/usr/bin/ollama", "#!/bin/sh\n");
  host.AddFile("/etc/passwd", "root:x:0:0::/:/bin/sh\nollama:x:998:997::/:/bin/false\n");
  host.AddFile("/etc/group", "root:x:0:\nvideo:x:44:ollama\n");
  host.AddFile("/proc/stat", "btime 1771941600\n");
  host.AddFile("/proc/modules", "ext4 987136 1 - Live 0x0\nnvidia 11423744 9 - Live 0x0\n");
  host.AddFile("/proc/cpuinfo", "flags : fpu avx\n");
  host.AddFile("/proc/net/tcp",
               absl::StrCat(kHeading,
                            "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 "
                            "00000000   998        0 41902 1 0000000000000000 100 0 0 10 0\n"));
  host.AddFile("/proc/7/cgroup", "0::/system.slice/ollama.service\n");
  host.AddFile("/proc/7/stat", "7 (ollama) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 6000 0 0\n");
  host.AddFile("/proc/7/status",
               "Name:\tollama\nUid:\t9\t9\t9\t9\nGid:\t8\t8\t8\t8\nNoNewPrivs:\t0\n");
  host.AddFile("/proc/7/environ", std::string("PATH=/bin\0LANG=C\0", 17));
  host.AddFile(
      "/proc/7/maps",
      "1000-2000 r-xp 0 fe:00 11 /usr/bin/ollama\n3000-4000 r-xp 0 fe:00 12 /lib/libc.so.6\n");
  host.AddFile("/proc/7/mountinfo",
               "27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:40 / /tmp rw - tmpfs tmpfs rw\n");
  host.AddFile("/proc/7/auxv",
               std::string("\x17\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16) + std::string(16, '\0'));
  host.AddFile("/proc/7/cmdline", std::string("/usr/bin/ollama\0serve\0", 22));
  host.AddFile("/proc/7/attr/current", "unconfined\n");
  host.AddLink("/proc/7/exe", "/usr/bin/ollama");
  host.AddLink("/proc/7/root", "/");
  host.AddFile("/proc/driver/nvidia/version",
               "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Tue Mar\n");
  host.AddFile("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
  return host;
}

struct Look {
  absl::string_view path;
  std::function<bool(const Facts&)> observed;
};

std::vector<Look> Looks() {
  return {
      {"/proc/7/environ", [](const Facts& f) { return f.process->environ.present(); }},
      {"/proc/7/maps", [](const Facts& f) { return f.process->maps.present(); }},
      {"/proc/7/mountinfo", [](const Facts& f) { return f.process->mounts.present(); }},
      {"/proc/7/auxv", [](const Facts& f) { return f.process->auxv.present(); }},
      {"/proc/7/cmdline", [](const Facts& f) { return f.process->argv.present(); }},
      {"/proc/7/cmdline", [](const Facts& f) { return f.servers.present(); }},
      {"/proc/7/stat", [](const Facts& f) { return f.process->started_usec.present(); }},
      {"/proc/7/status", [](const Facts& f) { return f.process->no_new_privs.present(); }},
      {"/proc/7/status", [](const Facts& f) { return f.process->identity.present(); }},
      {"/proc/7/attr/current", [](const Facts& f) { return f.process->label.present(); }},
      {"/proc/7/cgroup", [](const Facts& f) { return f.container.container.absent(); }},
      {"/proc/stat", [](const Facts& f) { return f.process->started.present(); }},
      {"/proc/net/tcp", [](const Facts& f) { return f.listener.absent(); }},
      {"/proc/modules", [](const Facts& f) { return f.devices.modules.present(); }},
      {"/proc/cpuinfo", [](const Facts& f) { return f.cpu.present(); }},
      {"/proc/driver/nvidia/version",
       [](const Facts& f) { return f.devices.module_version.present(); }},
      {"/sys/bus/pci/devices/0000:01:00.0/vendor",
       [](const Facts& f) { return f.devices.HasNvidiaGpu().present(); }},
      {"/etc/passwd", [](const Facts& f) { return f.unit.identity.present(); }},
      {"/etc/group", [](const Facts& f) { return f.unit.identity->groups_known; }},
  };
}

TEST(GatherDamageTest, AllOfItIsObservedWhereNothingIsDamaged) {
  const Facts facts = Gather(Whole(), {});
  ASSERT_TRUE(facts.process.present());
  for (const Look& look : Looks()) EXPECT_TRUE(look.observed(facts)) << look.path;
}

TEST(GatherDamageTest, NoiseIsNotObserved) {
  for (const Look& look : Looks()) {
    FakeHost host = Whole();
    host.AddFile(std::string(look.path), kNoise);
    const Facts facts = Gather(host, {});
    ASSERT_TRUE(facts.process.present());
    EXPECT_FALSE(look.observed(facts)) << look.path;
  }
}

TEST(GatherDamageTest, NoiseOfAToolIsNotObserved) {
  FakeHost host = Whole();
  for (Tool tool : {Tool::kSystemctlShowEnvironment, Tool::kSystemctlListUnits}) {
    host.AddTool({.tool = tool}, kNoise);
  }
  const Facts facts = Gather(host, {});
  EXPECT_TRUE(facts.manager_environment.not_observed());
  EXPECT_TRUE(facts.ollama_units.not_observed());
  EXPECT_TRUE(facts.fabric_manager.not_observed());
  host.AddTool({.tool = Tool::kSystemctlShowUnit, .unit = kUnit}, kNoise);
  EXPECT_TRUE(Gather(host, {}).unit.loaded.not_observed());
}

// What a cut file still shows stands; what it does not show is not absent.
TEST(GatherDamageTest, TheBeginningOfAFileProvesNoAbsence) {
  FakeHost host = Whole();
  host.AddFile("/proc/modules", "ext4 987136 1 - Live 0x0\nnvid");
  host.AddFile("/proc/7/maps", "1000-2000 r-xp 0 fe:00 11 /usr/bin/ollama\n3000-40");
  host.AddFile("/proc/7/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 0:");
  host.AddFile("/proc/7/cgroup", "0::/system.slice/ollama.serv");
  host.AddFile("/proc/net/tcp", absl::StrCat(kHeading, "   0: 010000"));
  host.AddFile("/etc/group", "root:x:0:\nvideo:x:44:oll");
  host.AddFile("/proc/driver/nvidia/version",
               "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.12");
  host.AddFile("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x1");
  host.AddTool({.tool = Tool::kSystemctlListUnits},
               "ollama.service loaded active running Ollama\nnvidia-fabric");
  const Facts facts = Gather(host, {});
  EXPECT_EQ(facts.devices.modules->Has("ext4"), host::Observed<bool>(true));
  EXPECT_TRUE(facts.devices.modules->Has("nvidia").not_observed());
  EXPECT_FALSE(facts.process->maps->whole());
  EXPECT_FALSE(facts.process->mounts->whole());
  EXPECT_TRUE(facts.container.container.not_observed());
  EXPECT_TRUE(facts.listener.not_observed());
  EXPECT_FALSE(facts.unit.identity->groups_known);
  EXPECT_TRUE(facts.devices.module_version.not_observed());
  EXPECT_TRUE(facts.devices.HasNvidiaGpu().not_observed());
  EXPECT_TRUE(facts.fabric_manager.not_observed());
  EXPECT_EQ(facts.ollama_units->size(), 1u);
}

// An engine's client is no server of Ollama, whatever is not seen of the container.
TEST(GatherDamageTest, TheServerOfAContainerThatWasNotSeen) {
  FakeHost host;
  host.AddTool({.tool = Tool::kSystemctlShowUnit, .unit = kUnit},
               "MainPID=5\nExecStart={ path=/usr/bin/docker ; argv[]=/usr/bin/docker run "
               "ollama/ollama ; ignore_errors=no ; pid=5 }\n");
  host.AddFile("/proc/5/cmdline", std::string("/usr/bin/docker\0run\0", 20));
  host.AddLink("/proc/5/exe", "/usr/bin/docker");
  host.AddFile("/proc/6/cgroup", absl::StrCat("0::/docker/", std::string(64, 'a'), "\n"));
  host.AddLink("/proc/6/exe", "/usr/bin/ollama");
  Facts facts = Gather(host, {});
  EXPECT_EQ(facts.servers.why_not(), "/proc/6/cmdline: not captured");
  EXPECT_TRUE(facts.process.not_observed());
  EXPECT_TRUE(facts.ollama.library_dir.not_observed());
  host.AddFile("/proc/6/cmdline", std::string("/usr/bin/ollama\0serve\0", 22));
  facts = Gather(host, {});
  ASSERT_TRUE(facts.process.present());
  EXPECT_EQ(facts.process->pid, 6);
}

}  // namespace
}  // namespace vgpu::facts

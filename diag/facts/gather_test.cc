#include "diag/facts/gather.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/facts/gather_parts.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using host::FakeHost;
using host::Tool;

constexpr char kUnit[] = "ollama.service";
constexpr char kFragment[] = "/etc/systemd/system/ollama.service";

// Port 11434 is 2CAA; 0A is LISTEN; 41902 is the inode.
constexpr char kListening[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998        0 "
    "41902 1 0000000000000000 100 0 0 10 0\n";

void AddShow(FakeHost& host, absl::string_view text) {
  host.AddTool({.tool = Tool::kSystemctlShowUnit, .unit = kUnit}, text);
}

void AddJournal(FakeHost& host, absl::string_view text) {
  host.AddTool({.tool = Tool::kJournalUnit, .unit = kUnit}, text);
}

// A process of `unit`, started a minute after the boot of 2026-02-24 14:00 UTC.
void AddProcess(FakeHost& host, int pid, absl::string_view exe, absl::string_view environ,
                absl::string_view unit = kUnit) {
  const std::string dir = absl::StrCat("/proc/", pid);
  host.AddFile("/proc/stat", "btime 1771941600\n");
  host.AddFile(dir + "/cgroup", absl::StrCat("0::/system.slice/", unit, "\n"));
  host.AddFile(dir + "/stat", absl::StrCat(pid,
                                           " (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 6000 "
                                           "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
                                           "0 0 0 0 0 0\n"));
  host.AddFile(dir + "/environ", environ);
  host.AddFile(dir + "/maps", "");
  host.AddFile(dir + "/cmdline", absl::StrCat(exe, std::string(1, '\0')));
  host.AddLink(dir + "/exe", exe);
  host.AddLink(dir + "/root", "/");
}

// One start in the journal: the server's own first line, with its version.
std::string Listening(int pid, absl::string_view version) {
  return absl::StrCat(
      R"({"__REALTIME_TIMESTAMP":"1771941661000000","_PID":")", pid,
      R"(","_SYSTEMD_UNIT":"ollama.service","_TRANSPORT":"stdout",)",
      R"("MESSAGE":"time=2026-02-24T14:01:01.000Z level=INFO source=routes.go:1234 )",
      R"(msg=\"Listening on 127.0.0.1:11434 (version )", version, R"()\""})", "\n");
}

TEST(GatherTest, TheListenerIsFoundBySocketInodeAndDescriptor) {
  FakeHost host;
  host.AddFile("/proc/net/tcp", kListening);
  AddProcess(host, 700, "/usr/bin/other", "", "other.service");
  AddProcess(host, 4711, "/usr/local/bin/ollama", "");
  host.AddLink("/proc/700/fd/3", "socket:[41901]");
  host.AddLink("/proc/4711/fd/0", "/dev/null");
  host.AddLink("/proc/4711/fd/3", "socket:[41902]");
  const Facts facts = Gather(host, {});
  ASSERT_TRUE(facts.listener.present());
  EXPECT_EQ(*facts.listener, 4711);
  EXPECT_EQ(facts.listener.source, "/proc/4711/fd");
  EXPECT_EQ(facts.listener_unit, "ollama.service");
}

TEST(GatherTest, ThePortIsThatOfOllamaHost) {
  for (const auto& [value, port] :
       std::vector<std::pair<std::string, int>>{{"0.0.0.0:8080", 8080},
                                                {"http://[::1]:9000/", 9000},
                                                {"0.0.0.0", 11434},
                                                {":70000", 11434},
                                                {"", 11434}}) {
    FakeHost host;
    host.AddFile(
        kFragment,
        absl::StrCat("[Service]\nExecStart=/bin/x\nEnvironment=OLLAMA_HOST=", value, "\n"));
    EXPECT_EQ(Gather(host, {}).port, port) << value;
  }
}

TEST(GatherTest, NobodyListensOrItCannotBeTold) {
  FakeHost silent;
  silent.AddFile("/proc/net/tcp", "  sl  local_address rem_address   st\n");
  EXPECT_TRUE(Gather(silent, {}).listener.absent());

  FakeHost unread;
  EXPECT_TRUE(Gather(unread, {}).listener.not_observed());

  // Somebody does, and nobody's descriptors show it.
  FakeHost hidden;
  hidden.AddFile("/proc/net/tcp", kListening);
  AddProcess(hidden, 4711, "/usr/local/bin/ollama", "");
  hidden.Hide("/proc/4711/fd", "permission denied");
  EXPECT_TRUE(Gather(hidden, {}).listener.not_observed());
}

TEST(GatherTest, AWrapperShellThatStaysIsNotTheServer) {
  FakeHost host;
  AddShow(host, "MainPID=500\nFragmentPath=/etc/systemd/system/ollama.service\n");
  AddProcess(host, 500, "/usr/bin/bash", std::string("LD_PRELOAD=/a.so\0", 17));
  AddProcess(host, 501, "/usr/local/bin/ollama", std::string("HOME=/\0", 7));
  host.AddFile("/proc/net/tcp", kListening);
  host.AddLink("/proc/501/fd/3", "socket:[41902]");
  const Facts facts = Gather(host, {});
  ASSERT_TRUE(facts.process.present());
  EXPECT_EQ(facts.process->pid, 501);
  EXPECT_EQ(*facts.unit.main_pid, 500);
  EXPECT_FALSE(facts.process_preload.has_value());
}

TEST(GatherTest, AnotherUnitsListenerIsNotTheServer) {
  FakeHost host;
  AddShow(host, "MainPID=500\nFragmentPath=/etc/systemd/system/ollama.service\n");
  AddProcess(host, 500, "/usr/local/bin/ollama", "");
  AddProcess(host, 600, "/usr/local/bin/ollama", "", "docker.service");
  host.AddFile("/proc/net/tcp", kListening);
  host.AddLink("/proc/600/fd/3", "socket:[41902]");
  const Facts facts = Gather(host, {});
  EXPECT_EQ(facts.process->pid, 500);
  EXPECT_EQ(facts.listener_unit, "docker.service");
}

TEST(GatherTest, AProcessWithARootOfItsOwnIsLookedUpThere) {
  FakeHost host;
  AddShow(host, "MainPID=500\n");
  AddProcess(host, 500, "/usr/local/bin/ollama",
             std::string("LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\0", 38));
  host.AddDir("/proc/500/root");  // instead of the link to "/"
  host.AddFile("/proc/500/root/usr/lib64/libvgpu-cuda.so", "");
  const Facts facts = Gather(host, {});
  EXPECT_EQ(facts.process->root, "/proc/500/root");
  ASSERT_TRUE(facts.process_preload.has_value());
  ASSERT_EQ(facts.process_preload->entries.size(), 1u);
  const PreloadEntry& entry = facts.process_preload->entries[0];
  ASSERT_TRUE(entry.file.found.present());
  EXPECT_EQ(entry.file.found->path, "/proc/500/root/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(entry.shim, Shim::kCuda);
}

TEST(GatherTest, AProgramThatWasReplacedIsMarkedDeleted) {
  FakeHost host;
  AddProcess(host, 500, "/usr/local/bin/ollama (deleted)", "");
  const Facts facts = Gather(host, {.pid = 500});
  EXPECT_EQ(*facts.process->exe, "/usr/local/bin/ollama");
  EXPECT_TRUE(facts.process->exe_deleted);
}

TEST(GatherTest, AnEnvironmentFileWinsOverEnvironment) {
  FakeHost host;
  host.AddFile(kFragment,
               "[Service]\n"
               "EnvironmentFile=/etc/default/ollama\n"
               "Environment=LD_PRELOAD=/unit.so OLLAMA_DEBUG=1\n"
               "ExecStart=/usr/local/bin/ollama serve\n");
  host.AddFile("/etc/default/ollama", "# of the package\nLD_PRELOAD=\"/file.so\"\n");
  const Facts facts = Gather(host, {});
  const Variable& preload = facts.unit.disk_environment.at("LD_PRELOAD");
  EXPECT_EQ(*preload.value, "/file.so");
  EXPECT_EQ(preload.source, "/etc/default/ollama");
  EXPECT_EQ(preload.line, 2);
  EXPECT_EQ(*facts.unit.disk_environment.at("OLLAMA_DEBUG").value, "1");
  ASSERT_TRUE(facts.unit_preload.has_value());
  EXPECT_EQ(facts.unit_preload->value, "/file.so");
}

TEST(GatherTest, AnEnvironmentFileThatCannotBeReadIsNamed) {
  FakeHost host;
  host.AddFile(kFragment, "[Service]\nEnvironmentFile=/etc/default/ollama\nExecStart=/bin/x\n");
  host.AddFile("/etc/default/ollama", "LD_PRELOAD=/file.so\n");
  host.Hide("/etc/default/ollama", "permission denied");
  AddShow(host,
          "EnvironmentFiles=/etc/default/ollama (ignore_errors=no)\nUMask=0022\nInvocationID=\n");
  const Facts facts = Gather(host, {});
  ASSERT_EQ(facts.unit.unread_environment_files.size(), 1u);
  EXPECT_EQ(facts.unit.unread_environment_files[0].why, "/etc/default/ollama: permission denied");
}

TEST(GatherTest, UnsetEnvironmentTakesAVariableAway) {
  FakeHost host;
  host.AddFile(kFragment,
               "[Service]\n"
               "Environment=LD_PRELOAD=/a.so OLLAMA_DEBUG=1 HOME=/x\n"
               "UnsetEnvironment=LD_PRELOAD OLLAMA_DEBUG=1 HOME=/other\n"
               "ExecStart=/usr/local/bin/ollama serve\n");
  const Environment environment = Gather(host, {}).unit.disk_environment;
  EXPECT_FALSE(environment.contains("LD_PRELOAD"));
  EXPECT_FALSE(environment.contains("OLLAMA_DEBUG"));  // the value is the same
  EXPECT_TRUE(environment.contains("HOME"));           // it is another
}

TEST(GatherTest, AShowWithoutAnEnvironmentLineHasNone) {
  FakeHost host;
  // A whole one: nobody asks for UMask= alone.
  AddShow(
      host,
      "MainPID=0\nFragmentPath=/etc/systemd/system/ollama.service\nUMask=0022\nInvocationID=\n");
  const Facts facts = Gather(host, {});
  ASSERT_TRUE(facts.unit.loaded_environment.present()) << facts.unit.loaded_environment.why_not();
  EXPECT_TRUE(facts.unit.loaded_environment->empty());
}

TEST(GatherTest, AShowOfSomePropertiesDoesNotSayThatTheEnvironmentIsEmpty) {
  FakeHost host;
  AddShow(host, "MainPID=0\n");  // systemctl show -p MainPID
  EXPECT_TRUE(Gather(host, {}).unit.loaded_environment.not_observed());
}

TEST(GatherTest, ThePreloadOnDiskIsKeptWhereSystemdHasLoadedAnother) {
  FakeHost host;
  host.AddFile(kFragment, "[Service]\nExecStart=/usr/local/bin/ollama serve\n");
  host.AddFile("/etc/systemd/system/ollama.service.d/vgpu.conf",
               "[Service]\nEnvironment=LD_PRELOAD=/new.so\n");
  AddShow(host,
          "FragmentPath=/etc/systemd/system/ollama.service\nEnvironment=LD_PRELOAD=/old.so\n");
  const Facts facts = Gather(host, {});
  EXPECT_EQ(facts.unit_preload->value, "/old.so");
  EXPECT_EQ(facts.unit_preload->source, "systemctl show ollama.service");
  ASSERT_TRUE(facts.disk_preload.has_value());
  EXPECT_EQ(facts.disk_preload->value, "/new.so");
  EXPECT_EQ(facts.disk_preload->source, "/etc/systemd/system/ollama.service.d/vgpu.conf");
  EXPECT_EQ(facts.disk_preload->line, 2);
}

TEST(GatherTest, ADropInThatCannotBeReadMaySetWhatSystemdHasLoaded) {
  FakeHost host;
  host.AddFile(kFragment,
               "[Service]\nEnvironment=HOME=/x\nExecStart=/usr/local/bin/ollama serve\n");
  host.AddFile("/etc/systemd/system/ollama.service.d/vgpu.conf", "[Service]\n");
  host.Hide("/etc/systemd/system/ollama.service.d/vgpu.conf", "permission denied");
  AddShow(host,
          "FragmentPath=/etc/systemd/system/ollama.service\n"
          "Environment=HOME=/x LD_PRELOAD=/a.so\n");
  const Environment environment = Gather(host, {}).unit.disk_environment;
  EXPECT_EQ(*environment.at("HOME").value, "/x");
  EXPECT_EQ(environment.at("LD_PRELOAD").value.why_not(),
            "/etc/systemd/system/ollama.service.d/vgpu.conf: permission denied");
}

TEST(GatherTest, APidPicksItsUnitByItsCgroup) {
  FakeHost host;
  AddProcess(host, 500, "/usr/local/bin/ollama", "", "my-ollama.service");
  const Facts facts = Gather(host, {.pid = 500});
  EXPECT_EQ(facts.unit.name, "my-ollama.service");
  EXPECT_TRUE(facts.unit_judged);
  EXPECT_EQ(facts.process->pid, 500);
}

TEST(GatherTest, OfAProcessInNoServiceNoUnitIsJudged) {
  FakeHost host;
  AddProcess(host, 500, "/usr/bin/sleep", "", "user.slice/session-1.scope");
  EXPECT_FALSE(Gather(host, {.pid = 500}).unit_judged);
  EXPECT_TRUE(Gather(host, {.unit = "x.service", .pid = 500}).unit_judged);
}

// What systemctl prints where another init runs, or none: in a container.
void NoSystemdRuns(FakeHost& host) {
  host.FailTool({.tool = Tool::kSystemctlShowUnit, .unit = kUnit},
                "systemctl: exited with status 1: System has not been booted with systemd as init "
                "system (PID 1). Can't operate.");
}

void AddServer(FakeHost& host, int pid) {
  AddProcess(host, pid, "/usr/bin/ollama", "", "");
  host.AddFile(absl::StrCat("/proc/", pid, "/cmdline"),
               absl::string_view("/usr/bin/ollama\0serve\0", 22));
}

TEST(GatherTest, WithoutSystemdTheOneServerIsJudged) {
  FakeHost host;
  NoSystemdRuns(host);
  AddServer(host, 1);
  const Facts facts = Gather(host, {});
  ASSERT_TRUE(facts.process.present());
  EXPECT_EQ(facts.process->pid, 1);
  EXPECT_TRUE(facts.process_named);
  EXPECT_FALSE(facts.unit_judged);
  EXPECT_FALSE(facts.chosen_because.empty());
}

TEST(GatherTest, WhereSystemctlWasNotAskedAServerInNoUnitIsJudged) {
  FakeHost host;
  AddServer(host, 2101);
  const Facts facts = Gather(host, {});
  ASSERT_TRUE(facts.process.present());
  EXPECT_EQ(facts.process->pid, 2101);
  EXPECT_FALSE(facts.unit_judged);
}

TEST(GatherTest, NoServerIsChosenWhereItCouldBeAnother) {
  FakeHost two;
  NoSystemdRuns(two);
  AddServer(two, 1);
  AddServer(two, 20);
  EXPECT_FALSE(Gather(two, {}).process_named);

  FakeHost asked;  // for a unit
  NoSystemdRuns(asked);
  AddServer(asked, 1);
  EXPECT_FALSE(Gather(asked, {.unit = kUnit}).process_named);

  FakeHost of_a_unit;  // that was not captured
  AddProcess(of_a_unit, 20, "/usr/bin/ollama", "", "system.slice/my-ollama.service");
  of_a_unit.AddFile("/proc/20/cmdline", absl::string_view("/usr/bin/ollama\0serve\0", 22));
  EXPECT_FALSE(Gather(of_a_unit, {}).process_named);

  FakeHost with_systemd;
  AddShow(with_systemd, "LoadState=not-found\n");
  AddServer(with_systemd, 20);
  EXPECT_FALSE(Gather(with_systemd, {}).process_named);
}

TEST(GatherTest, AUnitIsCompletedAsSystemctlDoes) {
  EXPECT_EQ(Gather(FakeHost(), {.unit = "ollama"}).unit.name, "ollama.service");
  EXPECT_EQ(Gather(FakeHost(), {}).unit.name, "ollama.service");
}

TEST(GatherTest, AProcessThatIsNotThereIsAbsent) {
  FakeHost host;
  host.AddDir("/proc");
  EXPECT_TRUE(Gather(host, {.pid = 500}).process.absent());
}

TEST(GatherTest, AProcessThatHasEndedAndIsNotReapedIsAbsent) {
  FakeHost host;
  AddShow(host, "LoadState=loaded\nActiveState=deactivating\nMainPID=4711\n");
  AddProcess(host, 4711, "/usr/local/bin/ollama", "");
  host.AddFile(
      "/proc/4711/stat",
      "4711 (ollama) Z 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 6000 0 0 0 0 0 0 0 0 0 0 0 0 0 "
      "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  EXPECT_TRUE(Gather(host, {}).process.absent());
}

TEST(GatherTest, TheRedirectedFileIsTheServersLog) {
  FakeHost host;
  host.AddFile(kFragment,
               "[Service]\nExecStart=/usr/local/bin/ollama serve\n"
               "StandardError=append:/var/log/ollama.log\n");
  AddShow(host, "StandardError=append\nMainPID=500\n");  // systemd 252 leaves the path out
  AddProcess(host, 500, "/usr/local/bin/ollama", "");
  AddJournal(host, "");
  host.AddFile("/var/log/ollama.log",
               "time=2026-02-24T14:01:01.000Z level=INFO source=routes.go:1234 "
               "msg=\"Listening on 127.0.0.1:11434 (version 0.16.2)\"\n");
  const Facts facts = Gather(host, {});
  EXPECT_EQ(*facts.log.standard_error, "append:/var/log/ollama.log");
  EXPECT_EQ(facts.log.standard_error.source, kFragment);
  EXPECT_EQ(facts.log.standard_error_line, 3);
  EXPECT_EQ(facts.log.ServersLog().source, "/var/log/ollama.log");
  ASSERT_NE(facts.ThisStart(), nullptr);
  EXPECT_EQ(facts.ThisStart()->version, "0.16.2");
}

TEST(GatherTest, TheLogOfAProcessInNoServiceIsTheFileThatItWritesTo) {
  FakeHost host;
  AddProcess(host, 500, "/usr/local/bin/ollama", "", "user.slice/session-1.scope");
  host.AddLink("/proc/500/fd/2", "pipe:[1234]");
  const Facts piped = Gather(host, {.pid = 500});
  EXPECT_EQ(piped.log.ServersLog().why_not(), "standard error of the process is pipe:[1234]");

  host.AddLink("/proc/500/fd/2", "/home/ann/ollama.log");
  host.AddFile("/home/ann/ollama.log",
               "time=2026-02-24T14:01:01.000Z level=INFO source=routes.go:1234 "
               "msg=\"Listening on 127.0.0.1:11434 (version 0.16.2)\"\n");
  const Facts written = Gather(host, {.pid = 500});
  EXPECT_EQ(written.log.ServersLog().source, "/home/ann/ollama.log");
  EXPECT_EQ(*written.ollama.version, "0.16.2");
}

TEST(GatherTest, WhatGoesToATerminalIsNotObservedAndKmsgReachesTheJournal) {
  FakeHost tty;
  tty.AddFile(kFragment, "[Service]\nExecStart=/bin/x\nStandardError=tty\n");
  EXPECT_EQ(Gather(tty, {}).log.ServersLog().why_not(),
            "the service's standard error goes to tty, which keeps no log");
  FakeHost kmsg;
  kmsg.AddFile(kFragment, "[Service]\nExecStart=/bin/x\nStandardError=kmsg+console\n");
  EXPECT_TRUE(Gather(kmsg, {}).log.redirected.absent());
}

TEST(GatherTest, WhatGoesToDevNullIsNotObserved) {
  FakeHost host;
  host.AddFile(kFragment, "[Service]\nExecStart=/bin/x\nStandardError=null\n");
  const Facts facts = Gather(host, {});
  EXPECT_TRUE(facts.log.ServersLog().not_observed());
  EXPECT_EQ(facts.log.ServersLog().source, "/dev/null");
}

TEST(GatherTest, BehindAWrapperScriptTheProgramIsTheOneThatItNames) {
  FakeHost host;
  AddShow(host,
          "FragmentPath=/etc/systemd/system/ollama.service\n"
          "ExecStart={ path=/usr/local/bin/ollama-start.sh ; argv[]=/usr/local/bin/ollama-start.sh "
          "serve ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; "
          "status=0/0 }\n");
  host.AddFile("/usr/local/bin/ollama-start.sh",
               "#!/bin/sh\nexec env -i HOME=/var/ollama \"/opt/bin/ollama\" \"$@\"\n");
  host.AddDir("/var/ollama");
  host.AddTool({.tool = Tool::kOllamaVersion}, R"({"version":"0.16.2"})");
  EXPECT_TRUE(Gather(host, {}).ollama.exe.not_observed());
  AddProcess(host, 500, "/opt/bin/ollama", "");
  host.Hide("/proc/500/exe", "permission denied");
  EXPECT_EQ(*Gather(host, {.pid = 500}).ollama.version, "0.16.2");
  host.AddFile("/opt/bin/ollama", "");
  EXPECT_EQ(*Gather(host, {}).ollama.exe, "/opt/bin/ollama");
}

constexpr char kGoBuild[] =
    R"({"go_build": {"go": "go1.24.1", "module": "github.com/ollama/ollama",)"
    R"( "version": "v0.13.5"}})";

TEST(GatherTest, TheVersionOfTheLogWinsOverTheApiAndTheProgram) {
  FakeHost host;
  AddShow(host, "MainPID=500\n");
  AddProcess(host, 500, "/usr/local/bin/ollama", "");
  host.AddFile("/usr/local/bin/ollama", "");
  host.AddElf("/usr/local/bin/ollama", kGoBuild);
  EXPECT_EQ(*Gather(host, {}).ollama.version, "0.13.5");

  host.AddTool({.tool = Tool::kOllamaVersion}, R"({"version":"0.14.0"})");
  EXPECT_EQ(*Gather(host, {}).ollama.version, "0.14.0");

  AddJournal(host, Listening(500, "0.16.2"));
  const Facts facts = Gather(host, {});
  EXPECT_EQ(*facts.ollama.version, "0.16.2");
  EXPECT_EQ(facts.ollama.version.source, "journalctl -u ollama.service -o json, line 1");
  EXPECT_EQ(facts.ollama.era, ollama::Era::kB);
}

TEST(GatherTest, WithoutAVersionTheLayoutTellsTheEra) {
  FakeHost host;
  AddShow(host, "MainPID=500\n");
  AddProcess(host, 500, "/usr/local/bin/ollama", "");
  host.AddFile("/usr/local/bin/ollama", "");
  host.AddFile("/usr/local/lib/ollama/llama-server", "");
  const Facts facts = Gather(host, {});
  EXPECT_TRUE(facts.ollama.version.not_observed());
  EXPECT_EQ(facts.ollama.era, ollama::Era::kC);
  EXPECT_EQ(facts.ollama.era_because, "/usr/local/lib/ollama holds llama-server");
}

TEST(GatherTest, ABuildOfOnesOwnIsKnownByItsFile) {
  FakeHost host;
  AddShow(host, "MainPID=500\n");
  AddProcess(host, 500, "/usr/local/bin/ollama", "");
  AddJournal(host, Listening(500, "0.0.0"));
  EXPECT_EQ(*Gather(host, {}).ollama.version, "0.0.0");

  host.AddFile("/usr/local/bin/ollama", "");
  host.AddElf("/usr/local/bin/ollama", kGoBuild);
  const Facts facts = Gather(host, {});
  EXPECT_EQ(*facts.ollama.version, "0.13.5");
  EXPECT_EQ(facts.ollama.version.source, "/usr/local/bin/ollama");
}

TEST(GatherTest, TheDevelopersVersionTellsNoEra) {
  FakeHost host;
  AddShow(host, "MainPID=500\n");
  AddProcess(host, 500, "/usr/local/bin/ollama", "");
  host.AddTool({.tool = Tool::kOllamaVersion}, R"({"version":"0.0.0"})");
  const Facts facts = Gather(host, {});
  EXPECT_EQ(facts.ollama.era, ollama::Era::kUnknown);
  EXPECT_NE(facts.ollama.era_because, "");
}

TEST(GatherTest, ABareEntryIsSearchedInTheLibraryPathFirst) {
  FakeHost host;
  host.AddFile("/opt/vgpu/lib/libvgpu-cuda.so", "");
  host.AddFile("/usr/lib64/libvgpu-cuda.so", "");
  const PreloadList list =
      LookAtPreload(host, "libvgpu-cuda.so", "test", 0, "/nowhere:/opt/vgpu/lib", "/bin/x", "");
  ASSERT_EQ(list.entries.size(), 1u);
  EXPECT_EQ(list.entries[0].text, "libvgpu-cuda.so");
  EXPECT_EQ(list.entries[0].file.found->path, "/opt/vgpu/lib/libvgpu-cuda.so");
}

TEST(GatherTest, ABareEntryThatIsNowhereMayStillBeInTheCache) {
  const PreloadList list =
      LookAtPreload(FakeHost(), "libvgpu-cuda.so", "test", 0, "", "/bin/x", "");
  EXPECT_TRUE(list.entries[0].file.found.not_observed());
}

TEST(GatherTest, OriginIsTheDirectoryOfTheProgram) {
  FakeHost host;
  host.AddFile("/opt/ollama/lib/a.so", "");
  const PreloadList list = LookAtPreload(host, "$ORIGIN/../lib/a.so ${ORIGIN}/../lib/b.so", "test",
                                         0, "", "/opt/ollama/bin/ollama", "");
  ASSERT_EQ(list.entries.size(), 2u);
  host.AddDir("/opt/ollama/bin");
  const PreloadList again =
      LookAtPreload(host, list.value, "test", 0, "", "/opt/ollama/bin/ollama", "");
  EXPECT_TRUE(list.entries[0].file.found.absent());  // as the kernel: bin/ has to be there
  EXPECT_EQ(again.entries[0].file.found->path, "/opt/ollama/lib/a.so");
  EXPECT_TRUE(again.entries[1].file.found.absent());
}

TEST(GatherTest, AWordThatNobodyKnowsIsNotObserved) {
  FakeHost host;
  host.AddFile("/opt/lib64/a.so", "");
  const PreloadList list =
      LookAtPreload(host, "/opt/$LIB/a.so:/opt/$PLATFORM/a.so", "test", 0, "", "/bin/x", "");
  EXPECT_TRUE(list.entries[0].file.found.present());
  EXPECT_TRUE(list.entries[1].file.found.not_observed());
}

TEST(GatherTest, AListOfAnyLengthIsLookedAtUpToABound) {
  std::string names, path;
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&names, "lib", i, ".so:");
    absl::StrAppend(&path, "/opt/d", i, ":");
  }
  FakeHost host;
  host.AddFile("/opt/d255/lib0.so", "");
  host.AddFile("/opt/d256/lib1.so", "");
  const PreloadList list = LookAtPreload(host, names, "test", 0, path, "/bin/x", "");
  ASSERT_EQ(list.entries.size(), 257u);
  EXPECT_TRUE(list.entries[0].file.found.present());
  EXPECT_TRUE(list.entries[1].file.found.not_observed());
  EXPECT_EQ(list.entries[256].text, "(2744 more)");
  EXPECT_TRUE(list.entries[256].file.found.not_observed());
}

TEST(GatherTest, NvidiaFunctionsAreThoseWithItsVendorId) {
  FakeHost host;
  host.AddFile("/sys/bus/pci/devices/0000:00:05.0/vendor", "0x10de\n");
  host.AddFile("/sys/bus/pci/devices/0000:00:05.0/device", "0x2331\n");
  host.AddFile("/sys/bus/pci/devices/0000:00:06.0/vendor", "0x1af4\n");
  const Facts facts = Gather(host, {});
  ASSERT_EQ(facts.nvidia_functions.size(), 1u);
  EXPECT_EQ(facts.nvidia_functions[0].address, "0000:00:05.0");
  EXPECT_EQ(*facts.nvidia_functions[0].device, "0x2331");
}

TEST(GatherTest, TheUserOfTheNextStartAndItsGroups) {
  FakeHost host;
  host.AddFile(kFragment, "[Service]\nExecStart=/x\nUser=ollama\nSupplementaryGroups=video 992\n");
  host.AddFile("/etc/passwd", "root:x:0:0::/root:/bin/sh\nollama:x:998:997::/:/bin/false\n");
  host.AddFile("/etc/group", "render:x:105:ollama,u\nvideo:x:44:\nollama:x:997:\n");
  const Facts facts = Gather(host, {});
  ASSERT_TRUE(facts.unit.identity.present());
  EXPECT_EQ(facts.unit.identity->uid, 998u);
  EXPECT_EQ(facts.unit.identity->gid, 997u);
  EXPECT_EQ(facts.unit.identity->groups, (std::vector<uint32_t>{105, 44, 992}));
  EXPECT_TRUE(facts.unit.identity->groups_known);
}

TEST(GatherTest, AUserThatNoFileKnowsIsNotObserved) {
  FakeHost host;
  host.AddFile(kFragment, "[Service]\nExecStart=/x\nUser=ollama\n");
  EXPECT_EQ(Gather(host, {}).unit.identity.why_not(), "/etc/passwd: not captured");
  host.AddFile("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  EXPECT_EQ(Gather(host, {}).unit.identity.why_not(), "/etc/passwd knows no ollama");
}

TEST(GatherTest, WhomAProcessRunsAs) {
  FakeHost host;
  AddShow(host, "MainPID=7\n");
  AddProcess(host, 7, "/usr/local/bin/ollama", "");
  host.AddFile("/proc/7/status",
               "Name:\tollama\nUid:\t998\t998\t998\t998\nGid:\t997\t997\t997\t997\n"
               "Groups:\t44 105 \n");
  const Facts facts = Gather(host, {});
  ASSERT_TRUE(facts.process.present() && facts.process->identity.present());
  EXPECT_EQ(facts.process->identity->uid, 998u);
  EXPECT_EQ(facts.process->identity->groups, (std::vector<uint32_t>{44, 105}));
}

}  // namespace
}  // namespace vgpu::facts

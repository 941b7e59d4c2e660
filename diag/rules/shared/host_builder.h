// A machine for the tests of rules: a healthy one, with one thing changed.
//
//   HostBuilder machine;                       // Ollama 0.16.2 (era B) found its GPU
//   machine.NotRestarted();                    // ... started before the drop-in was there
//   facts::Facts facts = machine.Gather();
//
// The healthy machine: /usr/local/bin/ollama runs as process 57290 of ollama.service,
// whose drop-in vgpu.conf preloads five shims from /usr/lib64. systemd loaded it at
// 10:05:13, the process started at 10:06:00 (-0500), and the journal has its discovery.
//
// Later calls win. A value; thread-compatible.

#ifndef DIAG_RULES_HOST_BUILDER_H_
#define DIAG_RULES_HOST_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/facts/facts.h"
#include "diag/host/fake_host.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

inline constexpr char kUnitFile[] = "/etc/systemd/system/ollama.service";
inline constexpr char kDropIn[] = "/etc/systemd/system/ollama.service.d/vgpu.conf";
inline constexpr char kPreload[] =
    "/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-syscall.so:/usr/lib64/libvgpu-cuda.so:"
    "/usr/lib64/libvgpu-nvml.so:/usr/lib64/libvgpu-cudart.so";
inline constexpr char kShow[] = "systemctl show ollama.service";
inline constexpr char kManager[] = "systemctl show";
inline constexpr char kJournal[] = "journalctl -u ollama.service -o json";
inline constexpr char kShowEnvironment[] = "systemctl show-environment";
inline constexpr char kPs[] = "GET /api/ps";
inline constexpr int kPid = 57290;

// What Ollama 0.16.2 prints.
inline constexpr char kServerConfigLine[] =
    R"log(time=2026-02-24T10:06:00.353-05:00 level=INFO source=routes.go:1663 msg="server config" env="map[CUDA_VISIBLE_DEVICES: OLLAMA_DEBUG:INFO]")log";
inline constexpr char kListeningLine[] =
    R"log(time=2026-02-24T10:06:00.358-05:00 level=INFO source=routes.go:1718 msg="Listening on 127.0.0.1:11434 (version 0.16.2)")log";
inline constexpr char kBeganLine[] =
    R"log(time=2026-02-24T10:06:00.361-05:00 level=INFO source=runner.go:67 msg="discovering available GPUs...")log";
inline constexpr char kFirstPassLine[] =
    R"log(time=2026-02-24T10:06:00.480-05:00 level=DEBUG source=runner.go:124 msg="evaluating which, if any, devices to filter out" initial_count=1)log";
inline constexpr char kFilteredLine[] =
    R"log(time=2026-02-24T10:06:30.100-05:00 level=DEBUG source=runner.go:153 msg="filtering device which didn't fully initialize" id=GPU-d110a105 library=CUDA)log";
inline constexpr char kGpuLine[] =
    R"log(time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:42 msg="inference compute" id=GPU-d110a105 library=CUDA compute=9.0 name=CUDA0 description="NVIDIA H100 80GB HBM3" pci_id=0000:00:05.0 total="80.0 GiB")log";
// Of a card that NVIDIA's own driver shows.
inline constexpr char kCardLine[] =
    R"log(time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:42 msg="inference compute" id=GPU-9a1c7a3e-55f0-4a7b-8c1d-0b1f7d2e9c44 library=CUDA compute=8.9 name=CUDA0 description="NVIDIA L40S" pci_id=0000:01:00.0 total="44.4 GiB")log";
inline constexpr char kCpuLine[] =
    R"log(time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:60 msg="inference compute" id=cpu library=cpu compute="" name=cpu description=cpu total="3.8 GiB")log";
inline constexpr char kSkippingLine[] =
    R"log(time=2026-02-24T10:06:00.400-05:00 level=DEBUG source=runner.go:90 msg="skipping available library at user's request" requested=cuda_v12 libDir=/usr/local/lib/ollama/cuda_v13)log";

class HostBuilder {
 public:
  HostBuilder();

  // Files. A file has an inode number of its own, unless it is given one.
  HostBuilder& SetFile(absl::string_view path, absl::string_view content);
  HostBuilder& SetInode(absl::string_view path, uint64_t inode);
  HostBuilder& SetWritten(absl::string_view path, absl::Time mtime);
  // Owner and permission bits, of a directory too: nobody else's are observed.
  HostBuilder& SetMode(absl::string_view path, uint32_t mode, uint32_t uid = 0, uint32_t gid = 0);
  HostBuilder& SetCaps(absl::string_view path, absl::string_view caps);  // as getcap prints them
  HostBuilder& SetLink(absl::string_view path, absl::string_view target);
  HostBuilder& RemoveFile(absl::string_view path);  // and all below it
  HostBuilder& Hide(absl::string_view path, absl::string_view why = "permission denied");
  HostBuilder& SetElf(absl::string_view path, absl::string_view json);
  // As a version-control checkout keeps them: no owner, no times, no inode numbers.
  HostBuilder& WithoutFileTimes();

  // What systemd has loaded, as `systemctl show` prints it.
  HostBuilder& SetShown(absl::string_view key, absl::string_view value);
  HostBuilder& RemoveShown(absl::string_view key);
  // Only these: an output made with -p, or written down by hand.
  HostBuilder& ShowOnly(const std::vector<std::string>& keys);
  HostBuilder& RemoveTool(absl::string_view source);  // kShow, kManager, kJournal, kPs
  HostBuilder& ReloadedAt(absl::Time time);
  // ExecStart= on disk and as loaded.
  HostBuilder& SetExecStart(absl::string_view command);

  // The process.
  HostBuilder& StartedAt(absl::Time time);
  HostBuilder& SetEnviron(absl::string_view name, absl::string_view value);
  HostBuilder& RemoveEnviron(absl::string_view name);
  HostBuilder& SetMaps(const std::vector<std::pair<std::string, uint64_t>>& files);
  HostBuilder& SetAuxv(uint64_t tag, uint64_t value);

  // Another process: its words, its program, its environment ("A=1" each) and its cgroup.
  HostBuilder& AddProcess(int pid, int parent, const std::vector<std::string>& args,
                          absl::string_view exe, const std::vector<std::string>& environ,
                          absl::string_view cgroup);
  // A process holds the socket that listens on port 11434.
  HostBuilder& Listens(int pid);
  // What the service manager gives every service, as show-environment prints it; which
  // services it knows, as list-units does.
  HostBuilder& SetManagerEnvironment(absl::string_view text);
  HostBuilder& SetUnitList(absl::string_view text);

  // The journal: what this process printed, line by line.
  HostBuilder& SetLog(const std::vector<std::string>& lines);
  HostBuilder& SetJournal(absl::string_view json_lines);

  HostBuilder& SetPs(absl::string_view json);  // what /api/ps answers

  // Stories.
  HostBuilder& FoundNoGpu();     // the last result is library=cpu
  HostBuilder& WithLibraries();  // what the backend of cuda_v12 needs, NVIDIA's own; and libc
  HostBuilder& NotReloaded();    // the drop-in was written at 09:58, systemd never read it
  HostBuilder& NotRestarted();   // systemd read it at 10:05:13, the process is of 09:41:07
  HostBuilder& Stopped();        // nothing runs
  HostBuilder& CrashLooping();   // dies of SIGSEGV at every start
  HostBuilder& EraA();           // 0.12.3
  HostBuilder& NvidiasOwn();     // no shims: NVIDIA's driver 570.124.06 and a card at 0000:01:00.0
  HostBuilder& EraC();           // 0.30.0
  // A card: NVIDIA's own driver of this release ("550.54.15"), and no shim anywhere.
  HostBuilder& NvidiaDriver(absl::string_view release);

  // Everything that was put there.
  std::vector<std::string> Paths() const;
  std::vector<std::string> Tools() const;

  host::FakeHost Host() const;
  facts::Facts Gather() const;

 private:
  struct File {
    std::string content;
    bool link = false;
    uint64_t inode = 0;
    host::Observed<absl::Time> mtime;
  };
  std::string ShowText() const;

  std::map<std::string, File> files_;
  struct Owner {
    uint32_t mode = 0, uid = 0, gid = 0;
  };
  std::map<std::string, Owner> owners_;
  std::map<std::string, std::string> caps_;
  std::map<std::string, std::string> hidden_;
  std::map<std::string, std::string> elf_;
  std::map<std::string, std::string> shown_;
  std::map<std::string, std::string> manager_;
  std::map<std::string, std::string> environ_;
  std::vector<std::string> removed_tools_;
  std::string journal_;
  std::string ps_;
  std::string manager_environment_ = "LANG=en_US.UTF-8\n";
  std::map<uint64_t, uint64_t> auxv_ = {{7, 0x7f0000000000}, {17, 100}, {23, 0}};
  std::string unit_list_;
  bool file_times_ = true;
  uint64_t next_inode_ = 262144;
};

// "2026-02-24 10:06:00" in the zone of the machine, -0500.
absl::Time At(absl::string_view text);

// A compiled wrapper that opens /opt/vgpu/lib/libvgpu-cuda.so.
std::string CopyingWrapper();

// A journal entry of the service's process, and one of systemd about the unit.
std::string Said(int pid, absl::string_view invocation, absl::Time time, absl::string_view text);
std::string SystemdSaid(absl::string_view invocation, absl::Time time, absl::string_view text);

// An entry of the kernel's journal, and the facts of a machine that has these.
std::string KernelSaid(absl::string_view at, absl::string_view message);
facts::Facts WithKernelLog(const HostBuilder& machine, absl::string_view entries);

// The first piece of evidence that quotes `part`; null where there is none.
const Evidence* FindQuote(const Holds& holds, absl::string_view part);
// The answer that a judgement is, or null.
const Holds* AsHolds(const Judgement& judgement);
// Why it is contradicted, or what it lacks; "" where it is another answer.
std::string Because(const Judgement& judgement);
std::string Lacks(const Judgement& judgement);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_HOST_BUILDER_H_

#include "diag/rules/shared/host_builder.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather.h"
#include "nlohmann/json.hpp"

namespace vgpu::rules {
namespace {

using host::FakeHost;
using host::FileMeta;
using host::Tool;
using nlohmann::json;

constexpr char kInvocation[] = "a2d43596453d4c56540827e621bf36cb";
constexpr char kUnit[] = "ollama.service";
constexpr char kPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

absl::Time Boot() { return absl::FromUnixSeconds(1771887731); }  // 2026-02-23 18:02:11 -0500

int64_t UsecSinceBoot(absl::Time time) { return absl::ToInt64Microseconds(time - Boot()); }

std::string StampText(absl::Time time) {
  return absl::StrCat(
      absl::FormatTime("%a %Y-%m-%d %H:%M:%S", time, absl::FixedTimeZone(-5 * 3600)), " EST");
}

std::string Proc(absl::string_view file) { return absl::StrCat("/proc/", kPid, "/", file); }

constexpr char kOllamaElf[] = R"({"class": 64, "machine": "x86_64", "type": "EXEC",
    "interp": "/lib64/ld-linux-x86-64.so.2", "needed": ["libc.so.6"], "go_build": {"go": "go1.24.1",
    "module": "github.com/ollama/ollama", "version": "v0.16.2"}})";

// A shim as it is built: whole, with the soname that programs ask for.
std::string ShimElf(absl::string_view shim) {
  json elf = {{"error", nullptr},           {"class", 64},
              {"machine", "x86_64"},        {"type", "DYN"},
              {"interp", nullptr},          {"soname", absl::StrCat("libvgpu-", shim, ".so")},
              {"needed", {"libc.so.6"}},    {"rpath", nullptr},
              {"runpath", nullptr},         {"bind_now", false},
              {"version_defs", nullptr},    {"version_needs", json::array()},
              {"undefined", json::array()}, {"exports", json::array()},
              {"exports_complete", true}};
  if (shim == "cuda") {
    elf["soname"] = "libcuda.so.1";
    elf["exports"] = {{{"name", "cuDeviceGet"}, {"version", nullptr}}};
  }
  if (shim == "nvml") elf["soname"] = "libnvidia-ml.so.1";
  if (shim == "cudart") {
    elf["soname"] = "libcudart.so.12";
    elf["version_defs"] = {"libcudart.so.12"};
    elf["exports"] = {{{"name", "cudaMalloc"}, {"version", "libcudart.so.12"}}};
  }
  return elf.dump();
}

}  // namespace

absl::Time At(absl::string_view text) {
  absl::Time time;
  std::string error;
  absl::ParseTime("%Y-%m-%d %H:%M:%E*S", text, absl::FixedTimeZone(-5 * 3600), &time, &error);
  return time;
}

std::string CopyingWrapper() {
  const std::string nul(1, '\0');
  return absl::StrCat("\x7f", "ELF", nul, "/opt/vgpu/lib/libvgpu-cuda.so", nul);
}

std::string Said(int pid, absl::string_view invocation, absl::Time time, absl::string_view text) {
  json entry = {{"__REALTIME_TIMESTAMP", absl::StrCat(absl::ToUnixMicros(time))},
                {"_PID", absl::StrCat(pid)},
                {"_COMM", "ollama"},
                {"_SYSTEMD_UNIT", kUnit},
                {"_TRANSPORT", "stdout"},
                {"MESSAGE", std::string(text)}};
  if (!invocation.empty()) entry["_SYSTEMD_INVOCATION_ID"] = std::string(invocation);
  return entry.dump() + "\n";
}

std::string SystemdSaid(absl::string_view invocation, absl::Time time, absl::string_view text) {
  json entry = {{"__REALTIME_TIMESTAMP", absl::StrCat(absl::ToUnixMicros(time))},
                {"_PID", "1"},
                {"_COMM", "systemd"},
                {"SYSLOG_IDENTIFIER", "systemd"},
                {"UNIT", kUnit},
                {"MESSAGE", std::string(text)}};
  if (!invocation.empty()) entry["INVOCATION_ID"] = std::string(invocation);
  return entry.dump() + "\n";
}

HostBuilder::HostBuilder() {
  SetFile(kUnitFile, absl::StrCat("[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=ollama\n"
                                  "Restart=always\nEnvironment=\"PATH=",
                                  kPath, "\"\n"));
  SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload, "\"\n"));
  SetWritten(kUnitFile, At("2026-02-18 11:20:31"));
  SetWritten(kDropIn, At("2026-02-24 09:58:02"));
  SetFile("/usr/local/bin/ollama",
          "\x7f"
          "ELF");
  SetElf("/usr/local/bin/ollama", kOllamaElf);
  for (const char* shim : {"exec", "syscall", "cuda", "nvml", "cudart"}) {
    const std::string path = absl::StrCat("/usr/lib64/libvgpu-", shim, ".so");
    SetFile(path,
            "\x7f"
            "ELF");
    SetElf(path, ShimElf(shim));
  }
  // As the maps of the process have them.
  SetInode("/usr/local/bin/ollama", 262650);
  SetInode("/usr/lib64/libvgpu-exec.so", 301);
  SetInode("/usr/lib64/libvgpu-syscall.so", 302);
  SetInode("/usr/lib64/libvgpu-cuda.so", 303);
  SetInode("/usr/lib64/libvgpu-nvml.so", 304);
  SetInode("/usr/lib64/libvgpu-cudart.so", 305);
  for (const char* library : {"libggml-base.so", "cuda_v12/libggml-cuda.so"}) {
    const std::string path = absl::StrCat("/usr/local/lib/ollama/", library);
    SetFile(path,
            "\x7f"
            "ELF");
    // A library, of which a capture kept no more than that it is one.
    SetElf(path, R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN"})");
  }

  shown_ = {{"Type", "simple"},
            {"MainPID", absl::StrCat(kPid)},
            {"Result", "success"},
            {"NRestarts", "0"},
            {"ExecMainPID", absl::StrCat(kPid)},
            {"Environment", absl::StrCat("PATH=", kPath, " LD_PRELOAD=", kPreload)},
            {"UMask", "0022"},
            {"LimitNOFILE", "524288"},
            {"StandardOutput", "journal"},
            {"StandardError", "inherit"},
            {"User", "ollama"},
            {"Id", kUnit},
            {"LoadState", "loaded"},
            {"ActiveState", "active"},
            {"SubState", "running"},
            {"FragmentPath", kUnitFile},
            {"DropInPaths", kDropIn},
            {"NeedDaemonReload", "no"},
            {"InvocationID", kInvocation}};
  SetExecStart("/usr/local/bin/ollama serve");
  manager_ = {{"Version", "252"}, {"DefaultStandardOutput", "journal"}};
  ReloadedAt(At("2026-02-24 10:05:13"));

  SetFile("/proc/stat", absl::StrCat("cpu  1 2 3\nbtime ", absl::ToUnixSeconds(Boot()), "\n"));
  SetFile(Proc("cmdline"), absl::string_view("/usr/local/bin/ollama\0serve\0", 28));
  SetFile(Proc("cgroup"), "0::/system.slice/ollama.service\n");
  SetAuxv(23, 0);
  SetLink(Proc("exe"), "/usr/local/bin/ollama");
  StartedAt(At("2026-02-24 10:06:00"));
  environ_ = {{"PATH", kPath}, {"USER", "ollama"}, {"INVOCATION_ID", kInvocation}};
  SetEnviron("LD_PRELOAD", kPreload);
  SetMaps({{"/usr/local/bin/ollama", 262650},
           {"/usr/lib64/libvgpu-exec.so", 301},
           {"/usr/lib64/libvgpu-syscall.so", 302},
           {"/usr/lib64/libvgpu-cuda.so", 303},
           {"/usr/lib64/libvgpu-nvml.so", 304},
           {"/usr/lib64/libvgpu-cudart.so", 305},
           {"/usr/lib/x86_64-linux-gnu/libc.so.6", 306}});

  SetFile("/sys/bus/pci/devices/0000:00:05.0/vendor", "0x10de\n");
  SetFile("/sys/bus/pci/devices/0000:00:05.0/device", "0x2331\n");
  SetFile("/sys/bus/pci/devices/0000:00:05.0/class", "0x030200\n");
  SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine});
  ps_ = R"({"models": []})";
}

HostBuilder& HostBuilder::SetFile(absl::string_view path, absl::string_view content) {
  File& file = files_[std::string(path)];
  if (file.inode == 0) file.inode = next_inode_++;
  file.content = std::string(content);
  file.link = false;
  return *this;
}

HostBuilder& HostBuilder::SetInode(absl::string_view path, uint64_t inode) {
  files_[std::string(path)].inode = inode;
  return *this;
}

HostBuilder& HostBuilder::SetWritten(absl::string_view path, absl::Time mtime) {
  files_[std::string(path)].mtime = mtime;
  return *this;
}

HostBuilder& HostBuilder::SetMode(absl::string_view path, uint32_t mode, uint32_t uid,
                                  uint32_t gid) {
  owners_[std::string(path)] = {mode, uid, gid};
  return *this;
}

HostBuilder& HostBuilder::SetCaps(absl::string_view path, absl::string_view caps) {
  caps_[std::string(path)] = std::string(caps);
  return *this;
}

HostBuilder& HostBuilder::SetLink(absl::string_view path, absl::string_view target) {
  SetFile(path, target);
  files_[std::string(path)].link = true;
  return *this;
}

HostBuilder& HostBuilder::RemoveFile(absl::string_view path) {
  const std::string below = absl::StrCat(path, "/");
  const auto gone = [&](const auto& entry) {
    return entry.first == path || absl::StartsWith(entry.first, below);
  };
  std::erase_if(files_, gone);
  std::erase_if(owners_, gone);
  return *this;
}

HostBuilder& HostBuilder::Hide(absl::string_view path, absl::string_view why) {
  hidden_[std::string(path)] = std::string(why);
  return *this;
}

HostBuilder& HostBuilder::SetElf(absl::string_view path, absl::string_view json) {
  elf_[std::string(path)] = std::string(json);
  return *this;
}

HostBuilder& HostBuilder::WithoutFileTimes() {
  file_times_ = false;
  return *this;
}

HostBuilder& HostBuilder::SetShown(absl::string_view key, absl::string_view value) {
  shown_[std::string(key)] = std::string(value);
  return *this;
}

HostBuilder& HostBuilder::RemoveShown(absl::string_view key) {
  shown_.erase(std::string(key));
  return *this;
}

HostBuilder& HostBuilder::ShowOnly(const std::vector<std::string>& keys) {
  for (auto it = shown_.begin(); it != shown_.end();) {
    const bool kept = std::find(keys.begin(), keys.end(), it->first) != keys.end();
    it = kept ? std::next(it) : shown_.erase(it);
  }
  return *this;
}

HostBuilder& HostBuilder::RemoveTool(absl::string_view source) {
  removed_tools_.emplace_back(source);
  return *this;
}

HostBuilder& HostBuilder::ReloadedAt(absl::Time time) {
  manager_["UnitsLoadTimestamp"] = StampText(time);
  manager_["UnitsLoadTimestampMonotonic"] = absl::StrCat(UsecSinceBoot(time));
  return *this;
}

HostBuilder& HostBuilder::SetExecStart(absl::string_view command) {
  const absl::string_view path = command.substr(0, command.find(' '));
  shown_["ExecStart"] = absl::StrCat("{ path=", path, " ; argv[]=", command,
                                     " ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; "
                                     "pid=0 ; code=(null) ; status=0/0 }");
  File& unit = files_[kUnitFile];
  const size_t begin = unit.content.find("ExecStart=");
  const size_t end = unit.content.find('\n', begin);
  unit.content.replace(begin, end - begin, absl::StrCat("ExecStart=", command));
  return *this;
}

HostBuilder& HostBuilder::StartedAt(absl::Time time) {
  // systemd takes its stamp before it forks; the kernel counts in hundredths.
  shown_["ExecMainStartTimestamp"] = StampText(time);
  shown_["ExecMainStartTimestampMonotonic"] = absl::StrCat(UsecSinceBoot(time));
  SetFile(Proc("stat"), absl::StrCat(kPid,
                                     " (ollama) S 1 57290 57290 0 -1 4194560 1 2 3 4 5 6 7 8 "
                                     "20 0 10 0 ",
                                     UsecSinceBoot(time) / 10000,
                                     " 1887096832 11264 18446744073709551615 1 1 0 0 0 0 0\n"));
  return *this;
}

HostBuilder& HostBuilder::SetEnviron(absl::string_view name, absl::string_view value) {
  environ_[std::string(name)] = std::string(value);
  std::string block;
  for (const auto& [key, text] : environ_) {
    absl::StrAppend(&block, key, "=", text);
    block.push_back('\0');
  }
  return SetFile(Proc("environ"), block);
}

HostBuilder& HostBuilder::RemoveEnviron(absl::string_view name) {
  environ_.erase(std::string(name));
  return SetEnviron("USER", "ollama");
}

HostBuilder& HostBuilder::SetMaps(const std::vector<std::pair<std::string, uint64_t>>& files) {
  std::string text;
  uint64_t at = 0x7f0000000000;
  for (const auto& [path, inode] : files) {
    absl::StrAppend(&text, absl::Hex(at), "-", absl::Hex(at + 0x1000), " r-xp 00000000 08:01 ",
                    inode, " ", path, "\n");
    at += 0x10000;
  }
  return SetFile(Proc("maps"), text);
}

HostBuilder& HostBuilder::SetAuxv(uint64_t tag, uint64_t value) {
  auxv_[tag] = value;
  std::vector<uint64_t> words;
  for (const auto& [key, word] : auxv_) words.insert(words.end(), {key, word});
  words.insert(words.end(), {0, 0});
  std::string bytes(words.size() * sizeof(uint64_t), '\0');
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return SetFile(Proc("auxv"), bytes);
}

HostBuilder& HostBuilder::AddProcess(int pid, int parent, const std::vector<std::string>& args,
                                     absl::string_view exe, const std::vector<std::string>& environ,
                                     absl::string_view cgroup) {
  const std::string dir = absl::StrCat("/proc/", pid, "/");
  auto block = [](const std::vector<std::string>& words) {
    std::string bytes;
    for (const std::string& word : words) bytes.append(word.c_str(), word.size() + 1);
    return bytes;
  };
  SetFile(dir + "cmdline", block(args));
  SetFile(dir + "environ", block(environ));
  SetFile(dir + "cgroup", absl::StrCat("0::", cgroup, "\n"));
  SetFile(dir + "stat",
          absl::StrCat(pid, " (ollama) S ", parent, " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 10 0 ",
                       UsecSinceBoot(At("2026-02-24 10:06:30")) / 10000,
                       " 1887096832 11264 18446744073709551615 1 1 0 0 0 0 0\n"));
  return SetLink(dir + "exe", exe);
}

HostBuilder& HostBuilder::Listens(int pid) {
  SetFile("/proc/net/tcp",
          "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
          "timeout inode\n"
          "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998"
          "        0 41902 1 0000000000000000 100 0 0 10 0\n");
  return SetLink(absl::StrCat("/proc/", pid, "/fd/3"), "socket:[41902]");
}

HostBuilder& HostBuilder::SetManagerEnvironment(absl::string_view text) {
  manager_environment_ = std::string(text);
  return *this;
}

HostBuilder& HostBuilder::SetUnitList(absl::string_view text) {
  unit_list_ = std::string(text);
  return *this;
}

HostBuilder& HostBuilder::SetLog(const std::vector<std::string>& lines) {
  journal_ = SystemdSaid(kInvocation, At("2026-02-24 10:06:00"),
                         "Started ollama.service - Ollama Service.");
  absl::Time time = At("2026-02-24 10:06:00.35");
  for (const std::string& line : lines) {
    absl::StrAppend(&journal_, Said(kPid, kInvocation, time, line));
    time += absl::Milliseconds(10);
  }
  return *this;
}

HostBuilder& HostBuilder::SetJournal(absl::string_view json_lines) {
  journal_ = std::string(json_lines);
  return *this;
}

HostBuilder& HostBuilder::SetPs(absl::string_view json) {
  ps_ = std::string(json);
  return *this;
}

HostBuilder& HostBuilder::FoundNoGpu() {
  return SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCpuLine});
}

HostBuilder& HostBuilder::WithLibraries() {
  const auto library = [&](const std::string& path, absl::string_view soname,
                           const std::vector<std::string>& needed, const json& exports,
                           const json& undefined) {
    SetFile(path, "x");
    json elf = {{"error", nullptr},      {"class", 64},        {"machine", "x86_64"},
                {"type", "DYN"},         {"interp", nullptr},  {"soname", std::string(soname)},
                {"needed", needed},      {"rpath", nullptr},   {"runpath", nullptr},
                {"bind_now", false},     {"exports", exports}, {"exports_complete", true},
                {"undefined", undefined}};
    json nodes = json::array();
    for (const json& symbol : exports) {
      if (symbol["version"].is_string()) nodes.push_back(symbol["version"]);
    }
    elf["version_defs"] = nodes;
    json needs = json::array();
    for (const json& symbol : undefined) {
      if (!symbol["version"].is_string()) continue;
      needs.push_back({{"file", symbol["version"]}, {"versions", {symbol["version"]}}});
    }
    elf["version_needs"] = needs;
    SetElf(path, elf.dump());
  };
  const auto symbol = [](const char* name, const char* version) {
    json one = {{"name", name}, {"version", nullptr}};
    if (version != nullptr) one["version"] = version;
    return one;
  };
  const std::string system = "/usr/lib/x86_64-linux-gnu/";
  const std::string ollama = "/usr/local/lib/ollama/";
  const std::string variant = ollama + "cuda_v12/";
  SetFile("/lib64/ld-linux-x86-64.so.2", "x");
  library(system + "libc.so.6", "libc.so.6", {}, json::array({symbol("malloc", "GLIBC_2.2.5")}),
          json::array());
  SetFile("/etc/ld.so.conf", "/usr/lib/x86_64-linux-gnu\n");
  library(ollama + "libggml-base.so", "libggml-base.so", {"libc.so.6"}, json::array(),
          json::array());
  library(variant + "libcudart.so.12.8.90", "libcudart.so.12", {"libc.so.6"},
          json::array({symbol("cudaMalloc", "libcudart.so.12")}), json::array());
  SetLink(variant + "libcudart.so.12", "libcudart.so.12.8.90");
  json cublas = json::array({symbol("cublasCreate_v2", "libcublas.so.12")});
  for (int i = 0; i < 300; ++i) {
    cublas.push_back(symbol(absl::StrCat("cublasOther", i).c_str(), "libcublas.so.12"));
  }
  library(variant + "libcublas.so.12.8.4.1", "libcublas.so.12", {"libc.so.6"}, cublas,
          json::array());
  SetLink(variant + "libcublas.so.12", "libcublas.so.12.8.4.1");
  library(
      variant + "libggml-cuda.so", "libggml-cuda.so",
      {"libggml-base.so", "libcudart.so.12", "libcublas.so.12", "libcuda.so.1", "libc.so.6"},
      json::array(),
      json::array({symbol("cudaMalloc", "libcudart.so.12"),
                   symbol("cublasCreate_v2", "libcublas.so.12"), symbol("cuDeviceGet", nullptr)}));
  return *this;
}

HostBuilder& HostBuilder::NotReloaded() {
  StartedAt(At("2026-02-24 09:41:07"));
  ReloadedAt(At("2026-02-23 18:02:14"));
  SetShown("Environment", absl::StrCat("PATH=", kPath));
  RemoveShown("DropInPaths");
  SetShown("NeedDaemonReload", "yes");
  RemoveEnviron("LD_PRELOAD");
  SetMaps({{"/usr/local/bin/ollama", 262650}, {"/usr/lib/x86_64-linux-gnu/libc.so.6", 306}});
  return FoundNoGpu();
}

HostBuilder& HostBuilder::NotRestarted() {
  StartedAt(At("2026-02-24 09:41:07"));
  ReloadedAt(At("2026-02-24 10:05:13"));
  RemoveEnviron("LD_PRELOAD");
  SetMaps({{"/usr/local/bin/ollama", 262650}, {"/usr/lib/x86_64-linux-gnu/libc.so.6", 306}});
  return FoundNoGpu();
}

HostBuilder& HostBuilder::Stopped() {
  SetShown("MainPID", "0");
  SetShown("ActiveState", "inactive");
  SetShown("SubState", "dead");
  return RemoveFile(absl::StrCat("/proc/", kPid));
}

HostBuilder& HostBuilder::CrashLooping() {
  Stopped();
  SetShown("ActiveState", "activating");
  SetShown("SubState", "auto-restart");
  SetShown("Result", "core-dump");
  SetShown("NRestarts", "3");
  std::string journal;
  for (int i = 0; i < 3; ++i) {
    const std::string invocation = absl::StrCat("85ba0000000000000000000000000", i, "00");
    const absl::Time time = At("2026-02-24 10:06:00") + i * absl::Seconds(4);
    absl::StrAppend(
        &journal, SystemdSaid(invocation, time, "Started ollama.service - Ollama Service."),
        SystemdSaid(invocation, time + absl::Seconds(1),
                    "ollama.service: Main process exited, code=dumped, status=11/SEGV"),
        SystemdSaid(invocation, time + absl::Seconds(1),
                    "ollama.service: Failed with result 'core-dump'."),
        SystemdSaid(invocation, time + absl::Seconds(4),
                    absl::StrCat("ollama.service: Scheduled restart job, restart counter is at ",
                                 i + 1, ".")));
  }
  return SetJournal(journal);
}

HostBuilder& HostBuilder::EraA() {
  SetElf("/usr/local/bin/ollama",
         R"({"class": 64, "interp": "/lib64/ld-linux-x86-64.so.2", "needed": ["libc.so.6"],
      "go_build": {"module": "github.com/ollama/ollama", "version": "v0.12.3"}})");
  return SetLog(
      {kServerConfigLine,
       R"log(time=2026-02-24T10:06:00.358-05:00 level=INFO source=routes.go:1384 msg="Listening on 127.0.0.1:11434 (version 0.12.3)")log",
       R"log(time=2026-02-24T10:06:00.361-05:00 level=INFO source=gpu.go:217 msg="looking for compatible GPUs")log",
       R"log(time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:131 msg="inference compute" id=GPU-d110a105 library=cuda variant=v12 compute=9.0 driver=12.8 name="NVIDIA H100 80GB HBM3" total="80.0 GiB" available="78.0 GiB")log"});
}

HostBuilder& HostBuilder::NvidiasOwn() {
  for (const char* shim : {"exec", "syscall", "cuda", "nvml", "cudart"}) {
    RemoveFile(absl::StrCat("/usr/lib64/libvgpu-", shim, ".so"));
  }
  RemoveFile(kDropIn).RemoveFile("/sys/bus/pci/devices/0000:00:05.0");
  RemoveShown("DropInPaths").SetShown("Environment", absl::StrCat("PATH=", kPath));
  RemoveEnviron("LD_PRELOAD");
  SetMaps({{"/usr/local/bin/ollama", 262650}, {"/usr/lib/x86_64-linux-gnu/libc.so.6", 306}});
  SetFile("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nollama:x:997:997::/:/bin/false\n");
  SetFile("/etc/group", "root:x:0:\nvideo:x:44:\nollama:x:997:\n");
  SetFile("/proc/57290/status",
          "Name:\tollama\nPid:\t57290\nUid:\t997\t997\t997\t997\nGid:\t997\t997\t997\t997\n"
          "Groups:\t997\n");
  for (const char* library : {"libcuda.so", "libnvidia-ml.so"}) {
    const std::string path = absl::StrCat("/usr/lib/x86_64-linux-gnu/", library);
    SetFile(absl::StrCat(path, ".570.124.06"),
            "\x7f"
            "ELF");
    SetLink(absl::StrCat(path, ".1"), absl::StrCat(library, ".570.124.06"));
  }
  SetFile("/proc/driver/nvidia/version",
          "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  "
          "(dvs-builder@U16)\nGCC version:  gcc version 12.2.0\n");
  SetFile("/proc/modules",
          "nvidia_uvm 1814528 2 - Live 0x0\nnvidia 11423744 9 nvidia_uvm, Live 0x0\n"
          "ext4 987136 1 - Live 0x0\n");
  for (const char* node : {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"}) {
    SetFile(node, "").SetMode(node, 0666);
  }
  SetMode("/dev", 0755).SetMode("/", 0755);
  SetFile("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
  SetFile("/sys/bus/pci/devices/0000:01:00.0/device", "0x26b9\n");
  SetFile("/sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n");
  SetLink("/sys/bus/pci/devices/0000:01:00.0/driver", "../../../../bus/pci/drivers/nvidia");
  return SetLog({kServerConfigLine, kListeningLine, kBeganLine, kCardLine});
}

HostBuilder& HostBuilder::EraC() {
  SetElf("/usr/local/bin/ollama",
         R"({"class": 64, "interp": "/lib64/ld-linux-x86-64.so.2", "needed": ["libc.so.6"],
      "go_build": {"module": "github.com/ollama/ollama", "version": "v0.30.0"}})");
  SetFile("/usr/local/lib/ollama/llama-server",
          "\x7f"
          "ELF");
  return SetLog(
      {kServerConfigLine,
       R"log(time=2026-02-24T10:06:00.358-05:00 level=INFO source=routes.go:1718 msg="Listening on 127.0.0.1:11434 (version 0.30.0)")log",
       kBeganLine, kGpuLine});
}

HostBuilder& HostBuilder::NvidiaDriver(absl::string_view release) {
  for (const char* shim : {"exec", "syscall", "cuda", "nvml", "cudart"}) {
    RemoveFile(absl::StrCat("/usr/lib64/libvgpu-", shim, ".so"));
  }
  RemoveFile(kDropIn);
  SetShown("Environment", absl::StrCat("PATH=", kPath));
  RemoveShown("DropInPaths");
  RemoveEnviron("LD_PRELOAD");
  SetMaps({{"/usr/local/bin/ollama", 262650}, {"/usr/lib/x86_64-linux-gnu/libc.so.6", 306}});
  SetFile("/proc/driver/nvidia/version",
          absl::StrCat("NVRM version: NVIDIA UNIX x86_64 Kernel Module  ", release,
                       "  Tue Mar  5 22:23:56 UTC 2024\n"));
  SetFile("/proc/modules",
          "nvidia_uvm 1 0 - Live 0x0000000000000000\nnvidia 1 1 nvidia_uvm, Live 0x0\n");
  const std::string library = absl::StrCat("/usr/lib/x86_64-linux-gnu/libcuda.so.", release);
  SetFile(library,
          "\x7f"
          "ELF");
  return SetLink("/usr/lib/x86_64-linux-gnu/libcuda.so.1", library);
}

std::vector<std::string> HostBuilder::Paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, file] : files_) paths.push_back(path);
  return paths;
}

std::vector<std::string> HostBuilder::Tools() const {
  return {kShow, kManager, kShowEnvironment, kJournal, kPs};
}

std::string HostBuilder::ShowText() const {
  std::string text;
  for (const auto& [key, value] : shown_) absl::StrAppend(&text, key, "=", value, "\n");
  return text;
}

FakeHost HostBuilder::Host() const {
  FakeHost host;
  for (const auto& [path, file] : files_) {
    FileMeta meta;
    if (file.link) meta.type = host::FileType::kSymlink;
    if (!file.link) meta.size = file.content.size();
    if (file_times_) {
      meta.mtime = file.mtime;
      meta.id = host::FileId{2049, file.inode};
    }
    if (auto caps = caps_.find(path); caps != caps_.end()) meta.caps = caps->second;
    host.AddFile(path, file.content, std::move(meta));
  }
  for (const auto& [path, owner] : owners_) {
    host::Observed<host::Resolved> found = host.ResolveNoFollow(path);
    FileMeta meta;
    meta.type = host::FileType::kDir;
    if (found.present()) meta = found->meta;
    meta.mode = owner.mode;
    meta.uid = owner.uid;
    meta.gid = owner.gid;
    host.SetMeta(path, std::move(meta));
  }
  for (const auto& [path, why] : hidden_) host.Hide(path, why);
  for (const auto& [path, text] : elf_) host.AddElf(path, text);
  auto has = [&](absl::string_view source) {
    return std::find(removed_tools_.begin(), removed_tools_.end(), source) == removed_tools_.end();
  };
  if (has(kShow)) host.AddTool({.tool = Tool::kSystemctlShowUnit, .unit = kUnit}, ShowText());
  if (has(kManager)) {
    std::string text;
    for (const auto& [key, value] : manager_) absl::StrAppend(&text, key, "=", value, "\n");
    host.AddTool({.tool = Tool::kSystemctlShowManager}, text);
  }
  if (has(kShowEnvironment)) {
    host.AddTool({.tool = Tool::kSystemctlShowEnvironment}, manager_environment_);
  }
  if (!unit_list_.empty()) host.AddTool({.tool = Tool::kSystemctlListUnits}, unit_list_);
  if (has(kJournal)) host.AddTool({.tool = Tool::kJournalUnit, .unit = kUnit}, journal_);
  if (has(kPs)) host.AddTool({.tool = Tool::kOllamaPs}, ps_);
  host.SetRunning(true);
  host.SetObservedAt(At("2026-02-24 10:12:00"));
  return host;
}

facts::Facts HostBuilder::Gather() const { return facts::Gather(Host(), {}); }

std::string KernelSaid(absl::string_view at, absl::string_view message) {
  return absl::StrCat("{\"__REALTIME_TIMESTAMP\":\"", absl::ToUnixMicros(At(at)),
                      "\",\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"", message, "\"}\n");
}

facts::Facts WithKernelLog(const HostBuilder& machine, absl::string_view entries) {
  FakeHost host = machine.Host();
  host.AddTool({.tool = Tool::kJournalKernel}, entries);
  return facts::Gather(host, {});
}

const Evidence* FindQuote(const Holds& holds, absl::string_view part) {
  for (const Evidence& evidence : holds.evidence) {
    if (absl::StrContains(evidence.quote, part)) return &evidence;
  }
  return nullptr;
}

const Holds* AsHolds(const Judgement& judgement) { return std::get_if<Holds>(&judgement); }

std::string Because(const Judgement& judgement) {
  const auto* against = std::get_if<Contradicted>(&judgement);
  return against == nullptr ? "" : against->because;
}

std::string Lacks(const Judgement& judgement) {
  const auto* lacks = std::get_if<CannotTell>(&judgement);
  return lacks == nullptr ? "" : lacks->what;
}

}  // namespace vgpu::rules

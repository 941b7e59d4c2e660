#include "tools/vgpu_doctor/live/stand_in/discovery.h"

#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <regex>
#include <set>

#include "nlohmann/json.hpp"
#include "tools/vgpu_doctor/live/stand_in/child.h"
#include "tools/vgpu_doctor/live/stand_in/log.h"
#include "tools/vgpu_doctor/live/stand_in/loopback.h"

namespace vgpu::stand_in {
namespace {

using nlohmann::json;

constexpr double kPassSeconds = 30;  // of both eras

struct Found {
  std::string library = "CUDA", id, filter_id, name, description, directory, driver, pci_id,
              compute;
  unsigned long long total = 0, free = 0;
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string Parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string Base(const std::string& path) { return path.substr(path.rfind('/') + 1); }

double Now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string Milliseconds(double seconds) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.6fms", seconds * 1000);
  return text;
}

// Go's filepath.Glob(lib/*/*ggml-*): the directories. It passes over what it cannot read.
std::vector<std::string> Variants(const std::string& library) {
  std::set<std::string> directories;
  glob_t matches = {};
  if (glob((library + "/*/*ggml-*").c_str(), 0, nullptr, &matches) == 0) {
    for (size_t at = 0; at < matches.gl_pathc; ++at)
      directories.insert(Parent(matches.gl_pathv[at]));
  }
  globfree(&matches);
  if (directories.empty()) return {""};
  return {directories.begin(), directories.end()};
}

std::string Joined(const std::vector<std::string>& directories) {
  std::string joined;
  for (const std::string& directory : directories) {
    if (!joined.empty()) joined += ':';
    joined += directory;
  }
  return joined;
}

// Go's %v of a []string and of a map[string]string.
std::string Slice(const std::vector<std::string>& texts) {
  std::string text = "[";
  for (const std::string& item : texts) text += (text.size() > 1 ? " " : "") + item;
  return text + "]";
}

std::string Map(const Keys& keys) {
  std::string text = "map[";
  for (const auto& [key, value] : keys) text += (text.size() > 4 ? " " : "") + key + ":" + value;
  return text + "]";
}

Keys LibraryPaths(const std::vector<std::string>& directories) {
  std::vector<std::string> search = directories;
  const std::string inherited = Variable("LD_LIBRARY_PATH");
  if (!inherited.empty()) search.push_back(inherited);
  return {{"LD_LIBRARY_PATH", Joined(search)}};
}

// llm.StartRunner and GetDevicesFromRunner: the child's answer, polled every 10 ms.
std::vector<Found> AskRunner(const std::string& program,
                             const std::vector<std::string>& directories, const Keys& extra) {
  const double begin = Now();
  const int probe = Listen(0);
  const int port = PortOf(probe);
  close(probe);
  const std::vector<std::string> command = {program, "runner", "--ollama-engine", "--port",
                                            std::to_string(port)};
  Log("INFO", "server.go:429", "starting runner",
      {{"cmd", program + " runner --ollama-engine --port " + std::to_string(port)}});
  Keys set = LibraryPaths(directories);
  set.emplace_back("OLLAMA_LIBRARY_PATH", Joined(directories));
  Keys shown = {{"PATH", Variable("PATH")}};
  shown.insert(shown.end(), set.begin(), set.end());
  Log("DEBUG", "server.go:430", "subprocess", shown);
  set.insert(set.end(), extra.begin(), extra.end());

  std::vector<Found> found;
  std::string error = "failed to finish discovery before timeout";
  {
    Child child(command, set, false);
    while (Now() < begin + kPassSeconds) {
      if (child.Ended()) {
        // ProcessState.ExitCode is -1 for a signal. Any other end is told at TRACE alone.
        error = child.exit_code() == -1 ? "runner crashed" : "";
        break;
      }
      const json answer = json::parse(Get(port, "/info"), nullptr, false);
      if (answer.is_array()) {
        for (const json& item : answer) {
          Found device;
          device.id = item.value("id", "");
          device.name = item.value("name", "");
          device.description = item.value("description", "");
          device.pci_id = item.value("pci_id", "");
          device.compute = std::to_string(item.value("ComputeMajor", 0)) + "." +
                           std::to_string(item.value("ComputeMinor", 0));
          device.driver = std::to_string(item.value("driver_major", 0)) + "." +
                          std::to_string(item.value("driver_minor", 0));
          device.total = item.value("total_memory", 0ULL);
          device.free = item.value("free_memory", 0ULL);
          device.directory = directories.back();
          found.push_back(device);
        }
        error.clear();
        break;
      }
      usleep(10000);
    }
  }
  if (!error.empty()) {
    Log("INFO", "runner.go:464", "failure during GPU discovery",
        {{"OLLAMA_LIBRARY_PATH", Slice(directories)},
         {"extra_envs", Map(extra)},
         {"error", error}});
  }
  Log("DEBUG", "runner.go:437", "bootstrap discovery took",
      {{"duration", Milliseconds(Now() - begin)},
       {"OLLAMA_LIBRARY_PATH", Slice(directories)},
       {"extra_envs", Map(extra)}});
  return found;
}

// The first backend of a directory: what GGML_BACKEND_PATH is set to (llm/llama_server.go).
std::string BackendOf(const std::string& directory) {
  glob_t matches = {};
  std::string backend;
  if (glob((directory + "/libggml-*").c_str(), 0, nullptr, &matches) == 0) {
    for (size_t at = 0; at < matches.gl_pathc && backend.empty(); ++at) {
      const std::string name = Base(matches.gl_pathv[at]);
      if (name.find("base") == std::string::npos && name.find("cpu") == std::string::npos) {
        backend = matches.gl_pathv[at];
      }
    }
  }
  globfree(&matches);
  return backend;
}

// "500,610,900" of `system_info: ... | CUDA : ARCHS = 500,610,900 | ...`.
std::string ArchsIn(const std::string& output) {
  std::smatch match;
  return std::regex_search(output, match, std::regex("CUDA : ARCHS = ([0-9,]+)")) ? match.str(1)
                                                                                  : "";
}

// "9.0" is among "500,900".
bool CompiledFor(const std::string& archs, const std::string& compute) {
  std::string number = compute;
  number.erase(std::remove(number.begin(), number.end(), '.'), number.end());
  return number.empty() || ("," + archs + ",").find("," + number + "0,") != std::string::npos;
}

// discover/llama_server.go: the start that tells the architectures, --list-devices, gpu-discover.
std::vector<Found> AskLlamaServer(const std::string& program, const std::string& server,
                                  const std::vector<std::string>& directories, const Keys& extra) {
  const double begin = Now();
  const std::string shown = Slice(directories);
  Keys set = LibraryPaths(directories);
  const std::string backend = BackendOf(directories.back());
  if (!backend.empty()) set.emplace_back("GGML_BACKEND_PATH", backend);
  set.insert(set.end(), extra.begin(), extra.end());
  std::string archs;
  {
    Child start(
        {server, "--port", "49153", "--host", "127.0.0.1", "--no-webui", "--offline", "--verbose"},
        set, true);
    while (start.output().find("system_info:") == std::string::npos && !start.Ended() &&
           Now() < begin + kPassSeconds) {
      start.Wait(0.05);
    }
    archs = ArchsIn(start.output());
    if (start.output().find("system_info:") == std::string::npos) {
      Log("WARN", "llama_server.go:135",
          "llama-server discovery: system_info line not found in output - CUDA architecture "
          "filtering will be disabled. If GPU inference fails, this may indicate an incompatible "
          "llama-server version.",
          {{"libDirs", shown}, {"lines_captured", "0"}});
    }
  }
  std::vector<Found> found;
  Child list({server, "--list-devices", "--offline", "--verbose"}, set, true);
  const bool ended = list.Wait(begin + kPassSeconds - Now());
  if (!ended || list.exit_code() != 0) {
    const std::string error = !ended ? "context deadline exceeded"
                              : list.exit_code() == -1
                                  ? "signal: aborted"
                                  : "exit status " + std::to_string(list.exit_code());
    if (!ended) {
      Log("WARN", "runner.go:584", "llama-server GPU discovery watchdog timed out",
          {{"OLLAMA_LIBRARY_PATH", shown}, {"extra_envs", Map(extra)}, {"error", error}});
    }
    Log("INFO", "runner.go:522", "failure during llama-server GPU discovery",
        {{"OLLAMA_LIBRARY_PATH", shown},
         {"extra_envs", Map(extra)},
         {"error", error},
         {"detail", ""}});
    return found;
  }
  Child native(
      {program, "gpu-discover", "--lib-dir", directories.front(), "--lib-dir", directories.back()},
      set, true);
  native.Wait(15);
  // ggml's own lines come before the answer.
  const size_t answer = native.output().find("{\"devices\"");
  const json told = answer == std::string::npos
                        ? json()
                        : json::parse(native.output().substr(answer), nullptr, false);
  // The expression is Ollama's.
  const std::regex line(R"(^\s+(.+?):\s+(.+?)\s+\((\d+)\s+MiB,\s+(\d+)\s+MiB\s+free\))",
                        std::regex::ECMAScript | std::regex::multiline);
  const std::string& text = list.output();
  for (std::sregex_iterator match(text.begin(), text.end(), line), end; match != end; ++match) {
    Found device;
    device.id = device.filter_id = std::to_string(found.size());
    device.name = (*match)[1];
    device.description = (*match)[2];
    device.total = std::stoull((*match)[3]) << 20;
    device.free = std::stoull((*match)[4]) << 20;
    device.directory = directories.back();
    if (told.is_object() && told.contains("devices") && told["devices"].is_array() &&
        told["devices"].size() > found.size()) {
      const json& more = told["devices"][found.size()];
      device.pci_id = more.value("device_id", "");
      device.compute = std::to_string(more.value("compute_major", 0)) + "." +
                       std::to_string(more.value("compute_minor", 0));
      device.driver = std::to_string(more.value("cuda_driver_major", 0)) + "." +
                      std::to_string(more.value("cuda_driver_minor", 0));
    }
    // By the name, as llama_server.go does.
    if (device.name.find("Vulkan") == 0) device.library = "Vulkan";
    if (device.library == "CUDA" && !archs.empty() && !CompiledFor(archs, device.compute)) {
      std::string digits = device.compute;
      digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
      Log("INFO", "llama_server.go:299",
          "skipping CUDA device \u2014 compute capability not in compiled architectures",
          {{"device", device.name}, {"cc", digits + "0"}, {"archs", archs}, {"libDirs", shown}});
      continue;
    }
    found.push_back(device);
  }
  return found;
}

void LogResult(const std::vector<Found>& devices, const char* gpu_line, const char* cpu_line) {
  for (const Found& device : devices) {
    Log("INFO", gpu_line, "inference compute",
        {{"id", device.id},
         {"filter_id", device.filter_id},
         {"library", device.library},
         {"compute", device.compute},
         {"name", device.name},
         {"description", device.description},
         {"libdirs", "ollama," + Base(device.directory)},
         {"driver", device.driver},
         {"pci_id", device.pci_id},
         {"type", "discrete"},
         {"total", Gibibytes(device.total)},
         {"available", Gibibytes(device.free)}});
  }
  if (!devices.empty()) return;
  const unsigned long long page = static_cast<unsigned long long>(sysconf(_SC_PAGESIZE));
  Log("INFO", cpu_line, "inference compute",
      {{"id", "cpu"},
       {"library", "cpu"},
       {"compute", ""},
       {"name", "cpu"},
       {"description", "cpu"},
       {"libdirs", "ollama"},
       {"driver", ""},
       {"pci_id", ""},
       {"type", ""},
       {"total", Gibibytes(page * static_cast<unsigned long long>(sysconf(_SC_PHYS_PAGES)))},
       {"available",
        Gibibytes(page * static_cast<unsigned long long>(sysconf(_SC_AVPHYS_PAGES)))}});
}

void WarnOfOverrides(const char* first, const char* second) {
  bool any = false;
  for (const char* name :
       {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
        "GGML_VK_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HSA_OVERRIDE_GFX_VERSION"}) {
    const std::string value = Variable(name);
    if (value.empty()) continue;
    Log("WARN", first, "user overrode visible devices", {{name, value}});
    any = true;
  }
  if (any) Log("WARN", second, "if GPUs are not correctly discovered, unset and try again");
}

// The variants that OLLAMA_LLM_LIBRARY leaves.
std::vector<std::string> Requested(const std::string& library, const char* line) {
  const std::string requested = Variable("OLLAMA_LLM_LIBRARY");
  std::vector<std::string> left;
  const std::string vulkan = Variable("OLLAMA_VULKAN");
  for (const std::string& directory : Variants(library)) {
    if (Base(directory) == "vulkan" && (vulkan == "0" || vulkan == "false")) continue;
    if (!requested.empty() && !directory.empty() && Base(directory) != requested) {
      Log("DEBUG", line, "skipping available library at user's request",
          {{"requested", requested}, {"libDir", directory}});
      continue;
    }
    left.push_back(directory);
  }
  return left;
}

unsigned long long Total(const std::vector<Found>& devices) {
  unsigned long long total = 0;
  for (const Found& device : devices) total += device.total;
  return total;
}

}  // namespace

std::string LibraryDirectory(const std::string& program) {
  const std::string directory = Parent(program);
  for (const std::string& candidate :
       {Parent(directory) + "/lib/ollama", directory + "/build/lib/ollama"}) {
    struct stat seen = {};
    if (stat(candidate.c_str(), &seen) == 0) return candidate;
  }
  return directory;
}

void DiscoverWithRunners(const std::string& program) {
  const double begin = Now();
  const std::string library = LibraryDirectory(program);
  Log("INFO", "runner.go:67", "discovering available GPUs...");
  WarnOfOverrides("runner.go:485", "runner.go:489");
  std::vector<Found> first;
  for (const std::string& variant : Requested(library, "runner.go:98")) {
    std::vector<std::string> directories = {library};
    if (!variant.empty()) directories.push_back(variant);
    for (Found& device : AskRunner(program, directories, {})) first.push_back(device);
  }
  Log("DEBUG", "runner.go:124", "evaluating which, if any, devices to filter out",
      {{"initial_count", std::to_string(first.size())}});
  std::vector<Found> kept;
  for (const Found& device : first) {
    Log("DEBUG", "runner.go:146", "verifying if device is supported",
        {{"library", device.directory},
         {"description", device.description},
         {"compute", device.compute},
         {"id", device.id},
         {"pci_id", device.pci_id}});
    const Keys extra = {{"CUDA_VISIBLE_DEVICES", device.id}, {"GGML_CUDA_INIT", "1"}};
    if (AskRunner(program, {library, device.directory}, extra).empty()) {
      Log("DEBUG", "runner.go:153", "filtering device which didn't fully initialize",
          {{"id", device.id},
           {"libdir", device.directory},
           {"pci_id", device.pci_id},
           {"library", "CUDA"}});
      continue;
    }
    kept.push_back(device);
  }
  Log("DEBUG", "runner.go:40", "GPU bootstrap discovery took",
      {{"duration", Milliseconds(Now() - begin)}});
  LogResult(kept, "types.go:42", "types.go:60");
  if (Total(kept) < 20ULL << 30) {
    Log("INFO", "routes.go:1648", "entering low vram mode",
        {{"total vram", Gibibytes(Total(kept))}, {"threshold", "20.0 GiB"}});
  }
}

void DiscoverWithLlamaServer(const std::string& program) {
  const double begin = Now();
  const std::string library = LibraryDirectory(program);
  Log("INFO", "runner.go:60", "discovering available GPUs...");
  WarnOfOverrides("runner.go:722", "runner.go:726");
  const std::string server = library + "/llama-server";
  std::vector<Found> kept;
  for (const std::string& variant : Requested(library, "runner.go:153")) {
    std::vector<std::string> directories = {library};
    if (!variant.empty()) directories.push_back(variant);
    if (access(server.c_str(), X_OK) != 0) {
      Log("INFO", "runner.go:522", "failure during llama-server GPU discovery",
          {{"OLLAMA_LIBRARY_PATH", Slice(directories)},
           {"extra_envs", "map[]"},
           {"error", "llama-server binary not found (checked: " + server +
                         "). Run 'cmake -S llama/server --preset cpu && cmake --build --preset "
                         "cpu' first"},
           {"detail", ""}});
      continue;
    }
    for (const Found& device : AskLlamaServer(program, server, directories, {})) {
      // Those of CUDA and ROCm alone are tried again (ml/device.go, NeedsInitValidation).
      if (device.library != "CUDA") {
        kept.push_back(device);
        continue;
      }
      const Keys extra = {{"CUDA_VISIBLE_DEVICES", device.id}, {"GGML_CUDA_INIT", "1"}};
      if (!AskLlamaServer(program, server, directories, extra).empty()) kept.push_back(device);
    }
  }
  Log("DEBUG", "runner.go:45", "GPU bootstrap discovery took",
      {{"duration", Milliseconds(Now() - begin)}});
  LogResult(kept, "types.go:32", "types.go:50");
  Log("INFO", "routes.go:2058", "vram-based default context",
      {{"total_vram", Gibibytes(Total(kept))},
       {"default_num_ctx", Total(kept) == 0 ? "4096" : "262144"}});
}

}  // namespace vgpu::stand_in

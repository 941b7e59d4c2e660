// Stands in for Ollama v0.13.5 and v0.33.0, which cannot be built here (Debian 12 has neither their
// Go nor their CMake), where a service is to be broken and diagnosed: discovery happens in children
// of the same names, environment and calls, over a real CUDA backend of ggml, and the log has the
// same lines. It serves no model. Which of the two it is, the name of its directory's llama-server
// says: only v0.30 and later bring one.
//
//   ollama serve
//   ollama runner --ollama-engine --port N           discovery's child up to v0.24: GET /info
//   ollama gpu-discover --lib-dir DIR --lib-dir DIR  from v0.30: driver, address, as JSON
//   llama-server --list-devices | --port N ...       from v0.30: the devices, as text

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tools/vgpu_doctor/live/stand_in/backend.h"
#include "tools/vgpu_doctor/live/stand_in/discovery.h"
#include "tools/vgpu_doctor/live/stand_in/log.h"
#include "tools/vgpu_doctor/live/stand_in/loopback.h"

namespace vgpu::stand_in {
namespace {

using nlohmann::json;

constexpr int kPort = 11434;

std::string Self() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : "";
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string After(const std::vector<std::string>& words, const std::string& option) {
  for (size_t at = 0; at + 1 < words.size(); ++at) {
    if (words[at] == option) return words[at + 1];
  }
  return "";
}

json Described(const Device& device) {
  return {{"id", device.uuid},
          {"backend", "CUDA"},
          {"name", device.name},
          {"description", device.description},
          {"filter_id", ""},
          {"pci_id", device.pci_id},
          {"total_memory", device.total},
          {"free_memory", device.free},
          {"ComputeMajor", device.compute_major},
          {"ComputeMinor", device.compute_minor},
          {"driver_major", device.driver / 1000},
          {"driver_minor", device.driver % 1000 / 10}};
}

int RunServer() {
  const std::string program = Self();
  const bool with_llama_server =
      access((LibraryDirectory(program) + "/llama-server").c_str(), F_OK) == 0;
  const std::string version = with_llama_server ? "0.33.0" : "0.13.5";
  Log("INFO", with_llama_server ? "routes.go:1951" : "routes.go:1554", "server config",
      {{"env", "map[CUDA_VISIBLE_DEVICES:" + Variable("CUDA_VISIBLE_DEVICES") +
                   " OLLAMA_DEBUG:INFO OLLAMA_HOST:http://127.0.0.1:11434 OLLAMA_LLM_LIBRARY:" +
                   Variable("OLLAMA_LLM_LIBRARY") + "]"}});
  const int listening = Listen(kPort);
  if (listening < 0) {
    std::fprintf(stderr, "Error: listen tcp 127.0.0.1:%d: bind: address already in use\n", kPort);
    return 1;
  }
  Log("INFO", with_llama_server ? "routes.go:2008" : "routes.go:1607",
      "Listening on 127.0.0.1:11434 (version " + version + ")");
  if (with_llama_server) {
    DiscoverWithLlamaServer(program);
  } else {
    DiscoverWithRunners(program);
  }
  Serve(listening, [&version](const std::string& path) -> std::string {
    if (path == "/api/version") return json{{"version", version}}.dump();
    if (path == "/api/ps") return R"({"models":[]})";
    if (path == "/") return "Ollama is running";
    return "";
  });
}

int RunRunner(const std::vector<std::string>& words) {
  json answer = json::array();
  std::string search = Variable("OLLAMA_LIBRARY_PATH");
  while (!search.empty()) {
    const size_t colon = search.find(':');
    const std::string directory = search.substr(0, colon);
    search = colon == std::string::npos ? "" : search.substr(colon + 1);
    // ggml.go: a directory that is not part of Ollama is passed over. A backend that cannot be
    // opened is too, without a word (NDEBUG).
    if (directory.find("lib/ollama") == std::string::npos) continue;
    const std::string backend = directory + "/libggml-cuda.so";
    if (access(backend.c_str(), F_OK) != 0) continue;
    for (const Device& device : OpenBackend(backend).devices) answer.push_back(Described(device));
  }
  const int listening = Listen(std::atoi(After(words, "--port").c_str()));
  if (listening < 0) return 1;
  Serve(listening, [&answer](const std::string& path) {
    return path == "/info" ? answer.dump() : std::string();
  });
}

// nativeProbeResult of discover/native_probe.go.
int RunGpuDiscover(const std::vector<std::string>& words) {
  json devices = json::array();
  const Opened opened = OpenBackend(words.back() + "/libggml-cuda.so");
  // native_probe_linux.go asks NVML for the release, and does without.
  for (const Device& device : opened.devices) {
    devices.push_back({{"library", "CUDA"},
                       {"index", devices.size()},
                       {"index_matches_backend", true},
                       {"name", device.name},
                       {"description", device.description},
                       {"device_id", device.pci_id},
                       {"integrated_known", false},
                       {"total_memory", device.total},
                       {"free_memory", device.free},
                       {"compute_major", device.compute_major},
                       {"compute_minor", device.compute_minor},
                       {"cuda_driver_major", device.driver / 1000},
                       {"cuda_driver_minor", device.driver % 1000 / 10}});
  }
  std::printf("%s\n", json{{"devices", devices}}.dump().c_str());
  return 0;
}

// A GPU of Vulkan cannot be had here. What a backend of that name is to say of its devices, in
// llama-server's words, a function of it returns; nothing where it has none.
std::string ListedByVulkan(const std::string& backend) {
  if (backend.find("/libggml-vulkan") == std::string::npos) return "";
  void* library = dlopen(backend.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return "";
  auto* listed = reinterpret_cast<const char* (*)()>(dlsym(library, "stand_in_devices"));
  return listed == nullptr ? "" : listed();
}

int RunLlamaServer(const std::vector<std::string>& words) {
  const std::string path = Variable("GGML_BACKEND_PATH");
  const std::string by_vulkan = ListedByVulkan(path);
  const Opened opened = path.empty() || !by_vulkan.empty() ? Opened{} : OpenBackend(path);
  if (!opened.error.empty()) {
    std::fprintf(stderr, "load_backend: failed to load %s: %s\n", path.c_str(),
                 opened.error.c_str());
  }
  if (words[1] != "--list-devices") {
    std::fprintf(stderr,
                 "system_info: n_threads = 2 | CUDA : ARCHS = 500,610,700,750,800,860,890,"
                 "900,1200 | CPU : SSE3 = 1 | \n");
    pause();
    return 0;
  }
  std::printf("Available devices:\n%s", by_vulkan.c_str());
  for (const Device& device : opened.devices) {
    std::printf("  %s: %s (%llu MiB, %llu MiB free)\n", device.name.c_str(),
                device.description.c_str(), static_cast<unsigned long long>(device.total >> 20),
                static_cast<unsigned long long>(device.free >> 20));
  }
  return 0;
}

}  // namespace
}  // namespace vgpu::stand_in

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments, arguments + count);
  if (words.size() < 2) return 2;
  const std::string name = words[0].substr(words[0].rfind('/') + 1);
  if (name == "llama-server") return vgpu::stand_in::RunLlamaServer(words);
  if (words[1] == "serve") return vgpu::stand_in::RunServer();
  if (words[1] == "runner") return vgpu::stand_in::RunRunner(words);
  if (words[1] == "gpu-discover") return vgpu::stand_in::RunGpuDiscover(words);
  std::fprintf(stderr, "Error: unknown command \"%s\" for \"ollama\"\n", words[1].c_str());
  return 1;
}

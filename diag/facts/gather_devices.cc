#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/facts/gather_parts.h"
#include "diag/procfs/system.h"
#include "re2/re2.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::Content;
using host::NotObserved;
using host::Observed;

// Where libraries are installed, NVIDIA's own and the shims. Not /usr/local/cuda/compat:
// what is there is meant to differ from the kernel module.
constexpr absl::string_view kLibraryDirs[] = {
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/nvidia/current",
    "/usr/lib64/nvidia",
    "/usr/lib/nvidia",
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/run/opengl-driver/lib",
    "/usr/local/lib",
    "/usr/lib/vgpu",
    "/usr/lib64/vgpu",
    "/usr/lib/x86_64-linux-gnu/vgpu",
    "/usr/local/lib/vgpu",
    "/opt/vgpu/lib",
};

constexpr size_t kMaxLibraries = 64;

// A path that the shims are installed under, whatever the file is called.
bool SpeaksOfShims(absl::string_view path) {
  std::optional<ShimName> name = ShimOf(path);
  return name && (name->named_as_shim || absl::StrContains(path, "/vgpu/"));
}

// One file of a library directory.
void LookAtLibrary(const host::Host& host, const std::string& path, absl::string_view root,
                   std::set<std::string>& seen, DeviceFacts& devices) {
  static const RE2& versioned =
      *new RE2("lib(?:cuda|nvidia-ml|nvidia-ptxjitcompiler)\\.so\\.([0-9]{3,4}(?:\\.[0-9]+)+)");
  const std::string name(host::Basename(path));
  std::string version;
  if (RE2::FullMatch(name, versioned, &version)) {
    Observed<host::Resolved> found = host.Resolve(path, root);
    if (found.absent() || devices.driver_libraries.size() >= kMaxLibraries) return;
    if (found.present() && !seen.insert(found->path).second) return;  // /lib and /usr/lib
    devices.driver_libraries.push_back({path, version});
    return;
  }
  std::optional<ShimName> shim = ShimOf(path);
  if (!shim || !devices.shim.empty()) return;
  if (SpeaksOfShims(path)) {
    devices.shim = path;
  } else if (Observed<host::Resolved> found = host.Resolve(path, root);
             found.present() && SpeaksOfShims(found->path)) {
    devices.shim = path;
  }
}

void AddWords(absl::string_view list, std::vector<std::string>& dirs) {
  for (absl::string_view dir : absl::StrSplit(list, absl::ByAnyChar(":;"), absl::SkipEmpty())) {
    if (absl::StartsWith(dir, "/")) dirs.emplace_back(dir);
  }
}

// The directories that libraries are looked for in: those of the system, those that the
// service names, and Ollama's own.
std::vector<std::string> LibraryDirs(const Facts& facts) {
  std::vector<std::string> dirs(std::begin(kLibraryDirs), std::end(kLibraryDirs));
  if (facts.process.present() && facts.process->environ.present()) {
    AddWords(facts.process->environ->FindAsLoader("LD_LIBRARY_PATH").value_or(""), dirs);
  }
  for (const Environment* given :
       {facts.unit.loaded_environment.present() ? &*facts.unit.loaded_environment : nullptr,
        &facts.unit.disk_environment}) {
    if (given == nullptr) continue;
    auto it = given->find("LD_LIBRARY_PATH");
    if (it != given->end()) AddWords(it->second.value.value_or(""), dirs);
  }
  if (facts.ollama.library_dir.present()) {
    dirs.push_back(facts.ollama.library_dir->path);
    for (const ollama::Variant& variant : facts.ollama.library_dir->variants) {
      dirs.push_back(variant.path);
    }
  }
  return dirs;
}

void LookForStack(const host::Host& host, const Facts& facts, absl::string_view root,
                  DeviceFacts& devices) {
  for (const std::optional<PreloadList>* list :
       {&facts.process_preload, &facts.unit_preload, &facts.disk_preload}) {
    if (!*list) continue;
    for (const PreloadEntry& entry : (*list)->entries) {
      if (devices.shim.empty() && SpeaksOfShims(entry.file.path)) devices.shim = entry.file.path;
    }
  }
  if (facts.process.present() && facts.process->maps.present()) {
    for (const procfs::MappedFile& file : facts.process->maps->files) {
      if (devices.shim.empty() && SpeaksOfShims(file.path)) devices.shim = file.path;
    }
  }
  std::set<std::string> seen_dirs, seen_files;
  for (const std::string& dir : LibraryDirs(facts)) {
    if (!seen_dirs.insert(dir).second) continue;
    Observed<std::vector<std::string>> names = host.List(dir, root);
    if (!names.present()) continue;
    for (const std::string& name : *names) {
      LookAtLibrary(host, host::JoinPath(dir, name), root, seen_files, devices);
    }
  }
}

void ReadConfig(const host::Host& host, absl::string_view root, DeviceFacts& devices) {
  devices.config_source = kDeviceConfigFile;
  Observed<Content> content = host.Read(kDeviceConfigFile, host::Host::kDefaultLimit, root);
  if (content.absent()) {
    devices.configured = Absent{};
    if (devices.shim.empty()) return;
    devices.config_source = "the default profile";
    devices.configured = DefaultDeviceConfig();
    return;
  }
  devices.configured = content.Map([](const Content& read) -> Observed<DeviceConfig> {
    if (read.truncated) return NotObserved{"longer than was read"};
    absl::StatusOr<DeviceConfig> config = ParseDeviceConfig(read.bytes);
    if (!config.ok()) return NotObserved{std::string(config.status().message())};
    return *std::move(config);
  });
  devices.config_broken = devices.configured.not_observed();
}

}  // namespace

DeviceFacts GatherDevices(const host::Host& host, const Facts& facts) {
  DeviceFacts devices;
  const std::string root = facts.process.present() ? facts.process->root : "";
  LookForStack(host, facts, root, devices);
  ReadConfig(host, root, devices);
  return devices;
}

}  // namespace vgpu::facts

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/facts/gather_parts.h"
#include "diag/facts/put_aside.h"
#include "diag/facts/service_view.h"
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
constexpr size_t kMaxFunctions = 4096;
constexpr char kPciDevices[] = "/sys/bus/pci/devices";

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
  if (!shim || !devices.shim.empty() || PutAside(name)) return;
  const auto leads_to_shims = [&] {
    const Observed<host::Resolved> found = host.Resolve(path, root);
    return found.present() && SpeaksOfShims(found->path);
  };
  if (SpeaksOfShims(path) || leads_to_shims()) devices.shim = path;
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
  std::vector<const PreloadList*> lists = facts.PreloadsNow();
  for (const PreloadList* list : facts.PreloadsNextStart()) lists.push_back(list);
  if (facts.disk_preload) lists.push_back(&*facts.disk_preload);
  for (const PreloadList* list : lists) {
    for (const PreloadEntry& entry : list->entries) {
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
  // In a root that was not seen, nothing says that there is one.
  const bool there = root.empty() || host.Resolve(kDeviceConfigFile, root).present();
  devices.config_broken = there && devices.configured.not_observed();
}

// A file of one line, as sysfs has them.
// A number of a PCI function: "0x10de" (drivers/pci/pci-sysfs.c: four digits, six of a
// class), or "1" of `enable`. Anything else is no answer.
Observed<std::string> ReadNumber(const host::Host& host, absl::string_view path,
                                 absl::string_view root) {
  return host.Read(path, 64, root).Map([&](const Content& content) -> Observed<std::string> {
    static const RE2& form = *new RE2("0x[0-9a-fA-F]{4}|0x[0-9a-fA-F]{6}|[0-9]{1,9}");
    std::string number(absl::StripAsciiWhitespace(content.bytes));
    if (!RE2::FullMatch(number, form)) return NotObserved{absl::StrCat(path, ": holds no number")};
    return number;
  });
}

PciFunction ReadFunction(const host::Host& host, const Facts& facts, absl::string_view root,
                         const std::string& address) {
  PciFunction function;
  function.address = address;
  function.directory = absl::StrCat(kPciDevices, "/", address);
  // Where the process's own root was looked at, its mounts were too. Else they are looked
  // up here: a bind lies over the directory that the link leads to.
  if (Observed<host::Resolved> found = host.Resolve(function.directory);
      root.empty() && found.present()) {
    function.directory = found->path;
  }
  auto read = [&](absl::string_view file) -> Observed<std::string> {
    const std::string path = host::JoinPath(function.directory, file);
    if (!root.empty()) return ReadNumber(host, path, root);
    const Sight sight = SeenByService(facts.unit, facts.process, path);
    switch (sight.what) {
      case Sight::What::kAsHost:
        return ReadNumber(host, path, "");
      case Sight::What::kBound:
        function.bound_over = true;
        return ReadNumber(host, sight.host_path, "");
      case Sight::What::kHidden:
      case Sight::What::kUnknown:
        break;
    }
    return NotObserved{absl::StrCat("something else stands there for the service (",
                                    sight.because.empty() ? sight.source : sight.because, ")")};
  };
  function.vendor = read("vendor");
  function.device = read("device");
  function.device_class = read("class");
  function.enable = read("enable");
  function.driver =
      host.ReadLink(absl::StrCat(root, function.directory, "/driver"))
          .Map([](const std::string& target) { return std::string(host::Basename(target)); });
  return function;
}

Observed<std::vector<PciFunction>> ReadFunctions(const host::Host& host, const Facts& facts,
                                                 absl::string_view root) {
  Observed<std::vector<std::string>> addresses = host.List(kPciDevices, root);
  // No PCI bus. (Of a plain root the answer is not observed.)
  if (addresses.absent()) return std::vector<PciFunction>();
  return addresses.Map([&](const std::vector<std::string>& names) {
    std::vector<PciFunction> functions;
    for (const std::string& address : names) {
      if (functions.size() >= kMaxFunctions) break;
      functions.push_back(ReadFunction(host, facts, root, address));
    }
    return functions;
  });
}

// Of "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Tue …", and of the open
// module's "… Open Kernel Module for x86_64  570.124.06  Release Build …".
Observed<std::string> ModuleVersion(const host::Host& host) {
  return host.Read("/proc/driver/nvidia/version", 4096)
      .Map([](const Content& content) -> Observed<std::string> {
        static const RE2& form =
            *new RE2("Kernel Module(?: for \\S+)?\\s+([0-9]{2,4}(?:\\.[0-9]+)+)\\s");
        std::string version;
        if (!RE2::PartialMatch(content.bytes, form, &version)) {
          return NotObserved{"/proc/driver/nvidia/version: names no version"};
        }
        return version;
      });
}

Observed<procfs::Modules> LoadedModules(const host::Host& host) {
  Observed<Content> content = host.Read("/proc/modules");
  if (content.absent()) return NotObserved{"/proc/modules: not captured"};
  return content.Map([](const Content& read) -> Observed<procfs::Modules> {
    absl::StatusOr<procfs::Modules> modules = procfs::ParseModules(read.bytes);
    if (!modules.ok()) return NotObserved{std::string(modules.status().message())};
    return *std::move(modules);
  });
}

DeviceNode LookAtNode(const host::Host& host, std::string path) {
  DeviceNode node;
  node.found = host.Resolve(path);
  if (node.found.present()) node.way = WayTo(host, *node.found);
  node.path = std::move(path);
  return node;
}

// The nodes that libcuda opens: of a device, of the driver, of unified memory.
std::vector<DeviceNode> LookAtNodes(const host::Host& host) {
  std::vector<std::string> paths;
  Observed<std::vector<std::string>> names = host.List("/dev");
  for (const std::string& name : names.value_or({})) {
    absl::string_view number = name;
    int ignored = 0;
    if (absl::ConsumePrefix(&number, "nvidia") && absl::SimpleAtoi(number, &ignored)) {
      paths.push_back(absl::StrCat("/dev/", name));
    }
  }
  if (paths.empty()) paths.push_back("/dev/nvidia0");
  paths.push_back("/dev/nvidiactl");
  paths.push_back("/dev/nvidia-uvm");
  std::vector<DeviceNode> nodes;
  for (std::string& path : paths) {
    nodes.push_back(LookAtNode(host, std::move(path)));
    if (names.absent()) nodes.back().found = NotObserved{"/dev: not captured"};
  }
  return nodes;
}

// A rule of udev, or a path of the unit, that is there to open a BAR to the service.
std::string WhoWantsBars(const host::Host& host, const Facts& facts) {
  constexpr absl::string_view kRules = "/etc/udev/rules.d";
  for (const std::string& name : host.List(kRules).value_or({})) {
    std::string path = host::JoinPath(kRules, name);
    if (!absl::EndsWith(name, ".rules")) continue;
    for (absl::string_view line : absl::StrSplit(host.Read(path).value_or({}).bytes, '\n')) {
      line = absl::StripLeadingAsciiWhitespace(line);
      if (!absl::StartsWith(line, "#") && absl::StrContains(line, "resource0")) return path;
    }
  }
  for (const systemd::Setting& setting : facts.unit.on_disk.All("Service", "ReadWritePaths")) {
    if (absl::StrContains(setting.value, "/sys/bus/pci/devices")) {
      return absl::StrCat(setting.place.file, ", line ", setting.place.line);
    }
  }
  return "";
}

Observed<int> TegraRelease(const host::Host& host) {
  return host.Read("/etc/nv_tegra_release", 4096).Map([](const Content& content) -> Observed<int> {
    static const RE2& form = *new RE2("R([0-9]{1,3})\\b");
    int release = 0;
    if (!RE2::PartialMatch(content.bytes, form, &release)) {
      return NotObserved{"/etc/nv_tegra_release: names no release"};
    }
    return release;
  });
}

}  // namespace

DeviceFacts GatherDevices(const host::Host& host, const Facts& facts) {
  DeviceFacts devices;
  const std::string root = facts.process.present() ? facts.process->root : "";
  LookForStack(host, facts, root, devices);
  ReadConfig(host, root, devices);
  devices.module_version = ModuleVersion(host);
  // What is left of a trial: no shim is there to read it, and NVIDIA's driver has the machine.
  if (devices.shim.empty() && devices.module_version.present()) {
    devices.configured = Absent{};
    devices.config_broken = false;
  }
  devices.modules = LoadedModules(host);
  // A container has the kernel's own sysfs: where its root was not captured, the host's tells.
  const bool captured = host.Resolve("/", root).present();
  devices.functions = ReadFunctions(host, facts, captured ? root : "");
  devices.nodes = LookAtNodes(host);
  devices.bar_wanted_by = WhoWantsBars(host, facts);
  if (devices.configured.present()) {
    for (const ConfiguredDevice& device : devices.configured->devices) {
      const PciFunction* function = devices.FunctionAt(device.pci_address);
      if (function == nullptr || devices.bars.size() >= kMaxLibraries) continue;
      devices.bars.push_back(
          LookAtNode(host, absl::StrCat(kPciDevices, "/", function->address, "/resource0")));
    }
  }
  devices.wsl =
      host.Resolve("/dev/dxg").present() || host.Resolve("/usr/lib/wsl/lib/libcuda.so.1").present();
  devices.l4t_major = TegraRelease(host);
  return devices;
}

}  // namespace vgpu::facts

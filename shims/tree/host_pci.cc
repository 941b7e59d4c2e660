// Reads what a host's sysfs says of its PCI functions.

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "shims/tree/tree.h"

namespace vgpu::tree {
namespace {

namespace fs = std::filesystem;

// No directory that is listed here has as many names on any machine.
constexpr size_t kMaxNames = 65536;

absl::Status Unreadable(const fs::path& path, const std::error_code& error) {
  return absl::Status(absl::StatusCode::kUnavailable,
                      absl::StrCat(path.string(), ": ", error.message()));
}

// A directory that is not there has no names.
absl::Status List(const fs::path& root, const std::string& path, HostPci& host) {
  std::error_code error;
  fs::directory_iterator entries(root / path, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  if (error) return Unreadable(root / path, error);
  auto& names = host.directories[path];
  for (const fs::directory_iterator end; entries != end; entries.increment(error)) {
    if (names.size() == kMaxNames) break;
    HostPci::Node node;
    std::error_code gone;  // between the listing and now: then it has neither type nor target
    fs::file_status status = entries->symlink_status(gone);
    node.is_directory = fs::is_directory(status);
    if (fs::is_symlink(status)) node.target = fs::read_symlink(entries->path(), gone).string();
    names[entries->path().filename().string()] = node;
    if (error) break;
  }
  if (error) return Unreadable(root / path, error);
  return absl::OkStatus();
}

// The first line of a small file; empty where it cannot be read.
std::string Line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool IsAddress(absl::string_view name) {
  device::PciAddress address;
  return device::ParsePci({name.data(), name.size()}, &address);
}

// From the directory of the link at `link`, inside the root: "sys/devices/pci0000:00/0000:00:05.0".
std::string Canonical(const std::string& link, const std::string& target) {
  fs::path path = (fs::path("/") / fs::path(link).parent_path() / target).lexically_normal();
  return path.string().substr(1);
}

}  // namespace

absl::StatusOr<HostPci> ReadHostPci(const std::string& root) {
  HostPci host;
  fs::path base(root);
  for (const char* path : {"sys/bus/pci/devices", "sys/bus/pci/drivers", "proc/driver"}) {
    if (absl::Status listed = List(base, path, host); !listed.ok()) return listed;
  }
  const std::string devices = "sys/bus/pci/devices";
  for (const auto& [name, node] : host.directories[devices]) {
    if (!IsAddress(name) || node.target.empty()) continue;
    std::string directory = Canonical(absl::StrCat(devices, "/", name), node.target);
    // A link that leads elsewhere is none of a PCI function.
    if (!absl::StartsWith(directory, "sys/devices/")) continue;
    host.functions[name] = directory;
    // A bridge's directory has one named "pci_bus" with a name for its secondary bus.
    HostPci inside;
    if (absl::Status listed = List(base, absl::StrCat(directory, "/pci_bus"), inside);
        !listed.ok()) {
      return listed;
    }
    for (const auto& [path, buses] : inside.directories) {
      for (const auto& [bus, ignored] : buses) host.buses[bus] = directory;
    }
  }
  HostPci top;
  if (absl::Status listed = List(base, "sys/devices", top); !listed.ok()) return listed;
  for (const auto& [name, node] : top.directories["sys/devices"]) {
    absl::string_view bus = name;
    if (node.is_directory && absl::ConsumePrefix(&bus, "pci") && absl::StrContains(bus, ':')) {
      host.buses[std::string(bus)] = absl::StrCat("sys/devices/", name);
    }
  }
  std::vector<std::string> drivers;
  for (const auto& [name, node] : host.directories["sys/bus/pci/drivers"]) {
    if (node.is_directory) drivers.push_back(absl::StrCat("sys/bus/pci/drivers/", name));
  }
  for (const std::string& driver : drivers) {
    if (absl::Status listed = List(base, driver, host); !listed.ok()) return listed;
  }
  for (const auto& [bus, directory] : host.buses) {
    if (absl::Status listed = List(base, directory, host); !listed.ok()) return listed;
  }
  // Any function's will do: a virtual device is near to no memory.
  for (const auto& [address, directory] : host.functions) {
    std::string cpus = Line(base / directory / "local_cpus");
    std::string list = Line(base / directory / "local_cpulist");
    if (cpus.empty() || list.empty()) continue;
    host.local_cpus = cpus;
    host.local_cpulist = list;
    break;
  }
  return host;
}

}  // namespace vgpu::tree

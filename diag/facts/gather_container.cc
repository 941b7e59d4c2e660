#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather_parts.h"
#include "re2/re2.h"

namespace vgpu::facts {
namespace {

using host::Content;
using host::NotObserved;
using host::Observed;

constexpr size_t kMaxCdiPaths = 1024;
constexpr size_t kMaxMissing = 8;
constexpr size_t kMaxMounts = 16;

Observed<procfs::Container> ContainerOf(const host::Host& host, int pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/cgroup");
  Observed<Content> content = host.Read(path, 65536);
  if (content.absent()) return NotObserved{absl::StrCat(path, ": not captured")};
  return content.Map([](const Content& read) -> Observed<procfs::Container> {
    absl::StatusOr<procfs::Cgroup> cgroup = procfs::ParseCgroup(read.bytes);
    if (!cgroup.ok()) return NotObserved{std::string(cgroup.status().message())};
    return cgroup->InContainer();
  });
}

// The host paths that a description names, in YAML or JSON: those of mounts, of device
// nodes and of hooks.
CdiSpec ReadCdi(const host::Host& host, std::string path, absl::string_view text) {
  static const RE2& named = *new RE2("\"?(?:hostPath|path)\"?\\s*:\\s*['\"]?(/[^\\s'\",}]+)");
  CdiSpec spec;
  spec.path = std::move(path);
  re2::StringPiece rest(text.data(), text.size());
  std::string found;
  while (spec.named < kMaxCdiPaths && RE2::FindAndConsume(&rest, named, &found)) {
    ++spec.named;
    spec.maps_driver = spec.maps_driver || absl::StrContains(found, "/libcuda.so.");
    if (spec.missing.size() < kMaxMissing && host.Resolve(found).absent()) {
      spec.missing.push_back(found);
    }
  }
  return spec;
}

bool IsNvidiaMount(absl::string_view mount_point) {
  const absl::string_view name = host::Basename(mount_point);
  return absl::StartsWith(mount_point, "/dev/nvidia") ||
         absl::StrContains(mount_point, "/driver/nvidia") || absl::StartsWith(name, "libcuda.so") ||
         absl::StartsWith(name, "libnvidia-ml.so");
}

}  // namespace

ContainerFacts GatherContainer(const host::Host& host, const Facts& facts) {
  ContainerFacts container;
  const std::string root = facts.process.present() ? facts.process->root : "";
  for (absl::string_view marker : {"/.dockerenv", "/run/.containerenv"}) {
    if (host.Resolve(marker, root).present()) container.marker = std::string(marker);
  }
  if (facts.process.present()) {
    container.container = ContainerOf(host, facts.process->pid);
    const auto& mounts = facts.process->mounts;
    if (mounts.present()) {
      std::vector<std::string> mounted;
      for (const procfs::Mount& mount : mounts->mounts()) {
        if (IsNvidiaMount(mount.mount_point) && mounted.size() < kMaxMounts) {
          mounted.push_back(mount.mount_point);
        }
      }
      container.mounted = std::move(mounted);
      if (container.mounted->empty() && !mounts->whole()) {
        container.mounted = NotObserved{absl::StrCat(mounts.source, ": was not read whole")};
      }
    } else {
      container.mounted = NotObserved{absl::StrCat(mounts.source, ": ", mounts.why_not())};
    }
    // Of a container, the host's own /dev says nothing.
    const bool own_root = !root.empty() || !container.marker.empty();
    if (own_root || container.container.absent()) {
      Observed<std::vector<std::string>> names = host.List("/dev", root);
      if (names.absent()) names = NotObserved{absl::StrCat(root, "/dev: not captured")};
      container.nodes = names.Map([](const std::vector<std::string>& all) {
        std::vector<std::string> nodes;
        for (const std::string& name : all) {
          if (absl::StartsWith(name, "nvidia")) nodes.push_back(absl::StrCat("/dev/", name));
        }
        return nodes;
      });
    } else {
      container.nodes = NotObserved{"the root of the container was not captured"};
    }
  }
  for (absl::string_view dir : {"/etc/cdi", "/run/cdi", "/var/run/cdi"}) {
    Observed<std::vector<std::string>> names = host.List(dir);
    if (!names.present()) continue;
    if (dir == "/var/run/cdi" && host.Resolve(dir).value_or({}).path == "/run/cdi") continue;
    for (const std::string& name : *names) {
      const std::string path = host::JoinPath(dir, name);
      Observed<Content> content = host.Read(path);
      if (!content.present() || !absl::StrContains(content->bytes, "nvidia.com/")) continue;
      container.nvidia_cdi.push_back(ReadCdi(host, path, content->bytes));
    }
  }
  return container;
}

}  // namespace vgpu::facts

#include "diag/procfs/cgroup.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {
namespace {

using ::vgpu::host::Absent;
using ::vgpu::host::NotObserved;
using ::vgpu::host::Observed;

// systemd puts an underscore before a name that would look like a file of the kernel
// ("_cpu.service"): cg_escape, src/basic/cgroup-util.c.
absl::string_view Unescape(absl::string_view component) {
  absl::ConsumePrefix(&component, "_");
  return component;
}

// unit_name_is_valid of systemd, for the types that can have a group of their own.
bool IsUnitName(absl::string_view name) {
  static constexpr absl::string_view kTypes[] = {".service", ".scope", ".slice",
                                                 ".socket",  ".mount", ".swap"};
  constexpr size_t kLongestName = 255;
  if (name.size() > kLongestName || name.empty() || name[0] == '@') return false;
  for (char c : name) {
    if (!absl::ascii_isalnum(c) && !absl::StrContains(":-_.\\@", absl::string_view(&c, 1))) {
      return false;
    }
  }
  return std::any_of(std::begin(kTypes), std::end(kTypes), [name](absl::string_view type) {
    return name.size() > type.size() && absl::EndsWith(name, type);
  });
}

bool IsSlice(absl::string_view component) {
  const absl::string_view name = Unescape(component);
  return absl::EndsWith(name, ".slice") && IsUnitName(name);
}

// Takes the next component off `path`; empty at its end.
absl::string_view TakeComponent(absl::string_view* path) {
  path->remove_prefix(std::min(path->find_first_not_of('/'), path->size()));
  return TakeUntil('/', path);
}

// Takes slices and the component behind them off `path`; that component, unescaped,
// where it is a unit.
std::optional<std::string> TakeUnit(absl::string_view* path) {
  absl::string_view component = TakeComponent(path);
  while (IsSlice(component)) component = TakeComponent(path);
  const absl::string_view name = Unescape(component);
  if (!IsUnitName(name)) return std::nullopt;
  return std::string(name);
}

bool IsUserManager(absl::string_view unit) {
  uint32_t uid = 0;
  return absl::ConsumePrefix(&unit, "user@") && absl::ConsumeSuffix(&unit, ".service") &&
         ParseNumber(unit, &uid);
}

bool IsSession(absl::string_view unit) {
  return absl::StartsWith(unit, "session-") && absl::EndsWith(unit, ".scope");
}

// The identifiers that the runtimes make are 64 hexadecimal digits. A dozen will do for
// a text that was shortened, and no word is that long.
bool IsContainerId(absl::string_view text) {
  constexpr size_t kShortId = 12;
  return text.size() >= kShortId && std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

// How the runtimes call the group of a container: PREFIX and an identifier, as a scope
// of systemd's or without the suffix under the cgroupfs driver.
struct Naming {
  absl::string_view prefix;
  absl::string_view runtime;
};
constexpr Naming kNamings[] = {
    {"docker-", "docker"}, {"libpod-payload-", "podman"},  // podman run --cgroups=split, Quadlet
    {"libpod-", "podman"}, {"cri-containerd-", "containerd"}, {"nerdctl-", "containerd"},
    {"crio-", "cri-o"},
};

// The container that one component names, in the light of the components before it.
std::optional<Container> ContainerOf(absl::string_view component, absl::string_view before,
                                     bool below_kubepods) {
  absl::string_view name = component;
  absl::ConsumeSuffix(&name, ".scope");
  for (const Naming& naming : kNamings) {
    absl::string_view id = name;
    if (absl::ConsumePrefix(&id, naming.prefix) && IsContainerId(id)) {
      return Container{std::string(naming.runtime), std::string(id)};
    }
  }
  // containerd's format for systemd under the cgroupfs driver: SLICE:cri-containerd:ID.
  const size_t colon = component.rfind(':');
  if (colon != absl::string_view::npos && IsContainerId(component.substr(colon + 1)) &&
      absl::EndsWith(component.substr(0, colon), ":cri-containerd")) {
    return Container{"containerd", std::string(component.substr(colon + 1))};
  }
  if (IsContainerId(component)) {
    if (before == "docker") return Container{"docker", std::string(component)};
    if (below_kubepods) return Container{"kubernetes", std::string(component)};
  }
  // lxc.monitor is the runtime's own process, on the host.
  absl::string_view payload = component;
  if (before == "lxc" || before == "lxc.payload") return Container{"lxc", std::string(component)};
  if (absl::ConsumePrefix(&payload, "lxc.payload.") && !payload.empty()) {
    return Container{"lxc", std::string(payload)};
  }
  return std::nullopt;
}

std::optional<Container> InnermostContainer(absl::string_view path) {
  std::optional<Container> innermost;
  absl::string_view before;
  bool below_kubepods = false;
  for (absl::string_view component = TakeComponent(&path); !component.empty();
       component = TakeComponent(&path)) {
    std::optional<Container> container = ContainerOf(component, before, below_kubepods);
    if (container.has_value()) innermost = std::move(container);
    below_kubepods |= absl::StartsWith(component, "kubepods");
    before = component;
  }
  return innermost;
}

template <typename T>
Observed<T> NotShown(bool truncated) {
  if (truncated) return NotObserved{"cgroup: the text is cut off"};
  return Absent{};
}

std::optional<CgroupLine> ParseLine(absl::string_view line) {
  CgroupLine parsed;
  if (!ParseNumber(TakeUntil(':', &line), &parsed.hierarchy)) return std::nullopt;
  const size_t colon = line.find(":/");
  if (colon == absl::string_view::npos) return std::nullopt;
  parsed.controllers = std::string(line.substr(0, colon));
  absl::string_view path = line.substr(colon + 1);
  // kernel/cgroup/cgroup.c, proc_cgroup_show.
  parsed.deleted = absl::ConsumeSuffix(&path, " (deleted)");
  parsed.path = std::string(path);
  return parsed;
}

}  // namespace

absl::StatusOr<Cgroup> ParseCgroup(absl::string_view text) {
  Cgroup cgroup;
  cgroup.truncated_ = IsCut(text);
  const absl::string_view whole = text;
  absl::string_view line;
  while (TakeLine(&text, &line)) {
    std::optional<CgroupLine> parsed = ParseLine(line);
    if (parsed.has_value()) {
      cgroup.lines_.push_back(*std::move(parsed));
    } else {
      ++cgroup.malformed_lines_;
    }
  }
  if (cgroup.lines_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cgroup: no line HIERARCHY:CONTROLLERS:PATH: ", Quoted(whole)));
  }
  return cgroup;
}

Observed<std::string> Cgroup::SystemdPath() const {
  const CgroupLine* found = nullptr;
  for (const CgroupLine& line : lines_) {
    const bool version2 = line.hierarchy == 0 && line.controllers.empty();
    if (!version2 && line.controllers != "name=systemd") continue;
    if (found == nullptr || found->path == "/") found = &line;
    if (version2 && line.path != "/") found = &line;
  }
  if (found == nullptr) {
    return NotObserved{"cgroup: neither version 2 nor the hierarchy name=systemd"};
  }
  return found->path;
}

Observed<std::string> Cgroup::SystemdUnit() const {
  return SystemdPath().Map([this](const std::string& path) -> Observed<std::string> {
    absl::string_view rest = path;
    std::optional<std::string> unit = TakeUnit(&rest);
    if (!unit.has_value()) return NotShown<std::string>(truncated_);
    return *std::move(unit);
  });
}

Observed<std::string> Cgroup::UserUnit() const {
  return SystemdPath().Map([this](const std::string& path) -> Observed<std::string> {
    absl::string_view rest = path;
    const std::optional<std::string> outer = TakeUnit(&rest);
    if (!outer.has_value()) return NotShown<std::string>(truncated_);
    if (!IsUserManager(*outer) && !IsSession(*outer)) return Absent{};
    std::optional<std::string> unit = TakeUnit(&rest);
    if (!unit.has_value()) return NotShown<std::string>(truncated_);
    return *std::move(unit);
  });
}

Observed<Container> Cgroup::InContainer() const {
  for (const CgroupLine& line : lines_) {
    std::optional<Container> container = InnermostContainer(line.path);
    if (container.has_value()) return *std::move(container);
  }
  return NotShown<Container>(truncated_);
}

}  // namespace vgpu::procfs

#include "tools/vgpu_doctor/watch/unit_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/host/file_io.h"
#include "diag/host/subprocess.h"

namespace vgpu::doctor {
namespace {

constexpr absl::Duration kAnswerTime = absl::Seconds(10);
constexpr size_t kMaxAnswer = 16384;
constexpr size_t kMaxProcs = 1 << 18;

// The unified hierarchy, systemd's own of the older kind, and that of both (systemd 252,
// src/basic/cgroup-util.c).
constexpr const char* kHierarchies[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/systemd",
                                        "/sys/fs/cgroup/unified"};

absl::StatusOr<std::map<std::string, std::string>> Show(std::vector<std::string> arguments) {
  std::vector<std::string> argv = {"systemctl", "show", "--no-pager"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  absl::StatusOr<host::ProcessResult> result = host::RunProcess(argv, kMaxAnswer, kAnswerTime);
  if (!result.ok()) return result.status();
  if (result->signal != 0 || result->exit_status != 0) {
    return absl::UnavailableError(absl::StrCat("systemctl show ", host::DescribeFailure(*result)));
  }
  std::map<std::string, std::string> properties;
  for (absl::string_view line : absl::StrSplit(result->out, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> property =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    properties.emplace(property.first, property.second);
  }
  return properties;
}

}  // namespace

std::string PathOfSlice(absl::string_view slice) {
  absl::ConsumeSuffix(&slice, ".slice");
  std::string path;
  if (slice == "-" || slice.empty()) return path;
  std::string name;
  for (absl::string_view part : absl::StrSplit(slice, '-')) {
    name = name.empty() ? std::string(part) : absl::StrCat(name, "-", part);
    absl::StrAppend(&path, "/", name, ".slice");
  }
  return path;
}

absl::StatusOr<UnitProcesses> UnitProcesses::Find(const std::string& unit) {
  auto properties = Show({"-p", "LoadState,Slice,ControlGroup", "--", unit});
  if (!properties.ok()) return properties.status();
  auto& of_unit = *properties;
  if (of_unit["LoadState"] == "not-found") {
    return absl::NotFoundError(absl::StrCat(unit, ": systemd knows no such unit"));
  }
  std::string group = of_unit["ControlGroup"];
  std::string slice;
  if (group.empty()) {
    auto manager = Show({"-p", "ControlGroup"});
    if (!manager.ok()) return manager.status();
    slice = absl::StrCat((*manager)["ControlGroup"], PathOfSlice(of_unit["Slice"]));
    group = absl::StrCat(slice, "/", unit);
  } else {
    slice = group.substr(0, group.rfind('/'));
  }
  for (const char* hierarchy : kHierarchies) {
    // The slice of a unit that never ran may not be there yet; its own slice's parent is.
    for (absl::string_view dir = slice;; dir = dir.substr(0, dir.rfind('/'))) {
      if (dir.empty()) break;
      if (access(absl::StrCat(hierarchy, dir, "/cgroup.procs").c_str(), F_OK) == 0) {
        return UnitProcesses(absl::StrCat(hierarchy, group, "/cgroup.procs"));
      }
      if (dir.rfind('/') == absl::string_view::npos) break;
    }
  }
  return absl::UnavailableError(
      absl::StrCat(group, ": no control group of that kind is mounted below /sys/fs/cgroup"));
}

std::vector<pid_t> UnitProcesses::Now() const {
  std::vector<pid_t> pids;
  const host::Fd fd(open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return pids;
  std::string text;
  char buffer[8192];
  while (text.size() < kMaxProcs) {
    const ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    pid_t pid = 0;
    // 0: a process of another PID namespace.
    if (absl::SimpleAtoi(line, &pid) && pid > 0) pids.push_back(pid);
  }
  return pids;
}

}  // namespace vgpu::doctor

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather_parts.h"
#include "diag/procfs/cmdline.h"
#include "diag/procfs/stat.h"

namespace vgpu::facts {
namespace {

using host::Content;
using host::Observed;

constexpr size_t kMaxChildren = 16;
constexpr size_t kMaxMapped = 64;

int ParentOf(const host::Host& host, int pid) {
  Observed<Content> text = host.Read(absl::StrCat("/proc/", pid, "/stat"), 65536);
  if (!text.present()) return 0;
  absl::StatusOr<procfs::ProcessStat> stat = procfs::ParseProcessStat(text->bytes);
  return stat.ok() ? stat->ppid : 0;
}

// `ollama runner …` (A, B), `…/llama-server …` and `ollama gpu-discover …` (C).
bool Discovers(const std::vector<std::string>& args) {
  if (args.empty()) return false;
  if (host::Basename(args[0]) == "llama-server") return true;
  return args.size() > 1 && (args[1] == "runner" || args[1] == "gpu-discover");
}

// What discovery stands and falls with: the shims by either name, ggml's backends, and the
// CUDA libraries beside them.
bool DecidesDiscovery(absl::string_view path) {
  const absl::string_view name = host::Basename(path);
  return ShimOf(path).has_value() || absl::StartsWith(name, "libggml") ||
         absl::StartsWith(name, "libcublas");
}

// Whether the process sees at `path` what the host has there. Through /proc/PID/root it
// does; in a capture a mount of its own stands between.
bool SameView(const host::Host& host, const ProcessFacts& process, absl::string_view path) {
  if (!process.root.empty()) return true;
  if (host.complete() || !process.mounts.present()) return true;
  if (!process.mounts->whole()) return false;
  const procfs::Mount* mount = process.mounts->MountOf(path);
  if (mount == nullptr) return true;
  return mount->fs_type != "overlay" && (mount->mount_point == "/" || mount->root == "/");
}

}  // namespace

std::vector<ProcessFacts> FindChildren(const host::Host& host, int server) {
  std::vector<ProcessFacts> children;
  std::map<int, int> parents;
  for (int pid : AllProcesses(host)) {
    if (pid == server || children.size() == kMaxChildren) continue;
    Observed<Content> content = host.Read(absl::StrCat("/proc/", pid, "/cmdline"), 65536);
    if (!content.present()) continue;
    const absl::StatusOr<procfs::Cmdline> cmdline =
        procfs::ParseCmdline(content->bytes, content->truncated);
    if (!cmdline.ok() || !Discovers(cmdline->args)) continue;
    // Of this server, and not of another one: at most a wrapper or two between.
    int above = pid;
    for (int steps = 0; steps < 4 && above > 1 && above != server; ++steps) {
      above = ParentOf(host, above);
    }
    if (above != server) continue;
    Observed<ProcessFacts> child = GatherProcess(host, pid);
    if (child.present()) children.push_back(*std::move(child));
  }
  return children;
}

std::vector<MappedLibrary> FindMapped(const host::Host& host, const ProcessFacts& process) {
  std::vector<MappedLibrary> mapped;
  if (!process.maps.present()) return mapped;
  for (const procfs::MappedFile& file : process.maps->files) {
    if (mapped.size() == kMaxMapped) break;
    if (!DecidesDiscovery(file.path)) continue;
    MappedLibrary library{process.pid, file, {}, {}};
    // A file whose name really ends so is not deleted.
    if (file.marked_deleted && host.Resolve(file.shown_path(), process.root).present()) {
      library.mapped.path = file.shown_path();
      library.mapped.marked_deleted = false;
    }
    library.on_disk = host.Resolve(library.mapped.path, process.root);
    library.freshness = CompareWithDisk(library.mapped, library.on_disk, process.started,
                                        SameView(host, process, library.mapped.path));
    mapped.push_back(std::move(library));
  }
  return mapped;
}

}  // namespace vgpu::facts

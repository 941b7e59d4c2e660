#include <set>

#include "absl/strings/str_split.h"
#include "diag/facts/gather_parts.h"

namespace vgpu::facts {
namespace {

// Where distributions, NVIDIA's installer and the shims' own put such libraries.
constexpr absl::string_view kUsualDirs[] = {
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/vgpu",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/usr/lib64",
    "/usr/lib64/vgpu",
    "/usr/lib",
    "/usr/lib/vgpu",
    "/usr/local/lib",
    "/usr/local/lib/vgpu",
    "/opt/vgpu/lib",
    "/opt/vgpu/lib64",
    "/opt/vgpu",
    "/usr/local/cuda/lib64",
};

// A search path of any length is followed up to here, and so many files are looked at.
constexpr size_t kMaxDirs = 64;
constexpr size_t kMaxFiles = 128;

class Directories {
 public:
  void Add(absl::string_view dir) {
    if (dir.empty() || dir.front() != '/' || dirs_.size() >= kMaxDirs) return;
    if (seen_.insert(std::string(dir)).second) dirs_.emplace_back(dir);
  }
  void AddPath(absl::string_view library_path) {
    for (absl::string_view dir : absl::StrSplit(library_path, absl::ByAnyChar(":;"))) Add(dir);
  }
  void AddLists(const std::vector<const PreloadList*>& lists) {
    for (const PreloadList* list : lists) {
      for (const PreloadEntry& entry : list->entries) {
        if (entry.shim) Add(host::Dirname(entry.file.path));
      }
    }
  }
  const std::vector<std::string>& dirs() const { return dirs_; }

 private:
  std::vector<std::string> dirs_;
  std::set<std::string> seen_;
};

void AddLibraryPath(const Environment& environment, Directories& dirs) {
  auto it = environment.find("LD_LIBRARY_PATH");
  if (it != environment.end()) dirs.AddPath(it->second.value.value_or(""));
}

}  // namespace

std::vector<FileFacts> GatherGpuLibraries(const host::Host& host, const Facts& facts) {
  std::string root;
  Directories dirs;
  dirs.AddLists(facts.PreloadsNow());
  dirs.AddLists(facts.PreloadsNextStart());
  if (facts.process.present()) {
    root = facts.process->root;
    if (facts.process->environ.present()) {
      dirs.AddPath(facts.process->environ->FindAsLoader("LD_LIBRARY_PATH").value_or(""));
    }
  }
  if (facts.unit.loaded_environment.present()) AddLibraryPath(*facts.unit.loaded_environment, dirs);
  AddLibraryPath(facts.unit.disk_environment, dirs);
  if (facts.ollama.library_dir.present()) {
    dirs.Add(facts.ollama.library_dir->path);
    for (const ollama::Variant& variant : facts.ollama.library_dir->variants) {
      dirs.Add(variant.path);
    }
  }
  for (absl::string_view dir : kUsualDirs) dirs.Add(dir);

  std::vector<FileFacts> files;
  std::set<std::string> listed;  // by their resolved paths: /lib64 may be a link to /usr/lib64
  for (const std::string& dir : dirs.dirs()) {
    host::Observed<host::Resolved> found = host.Resolve(dir, root);
    if (!found.present() || !listed.insert(found->path).second) continue;
    host::Observed<std::vector<std::string>> names = host.List(dir, root);
    if (!names.present()) continue;
    for (const std::string& name : *names) {
      if (!ShimOf(name)) continue;
      if (files.size() >= kMaxFiles) return files;
      files.push_back(LookAtFile(host, host::JoinPath(dir, name), root));
    }
  }
  return files;
}

}  // namespace vgpu::facts

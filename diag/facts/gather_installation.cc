#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/facts/gather_parts.h"
#include "diag/facts/usual_programs.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::Content;
using host::NotObserved;
using host::Observed;

// Beside each of kUsualPrograms its library directory.
constexpr absl::string_view kLibraryDirs[] = {"/usr/local/lib/ollama", "/usr/lib/ollama",
                                              "/usr/lib64/ollama", "/opt/ollama/lib/ollama"};

constexpr absl::string_view kPrefixes[] = {"libggml-", "libcuda", "libcublas", "libnvidia-ml"};

bool Matters(absl::string_view name) {
  if (!absl::StrContains(name, ".so")) return false;
  for (absl::string_view prefix : kPrefixes) {
    if (absl::StartsWith(name, prefix)) return true;
  }
  return false;
}

// Whose symbols are compared with each other.
bool IsOfGgml(absl::string_view name) {
  return absl::StartsWith(name, "libggml-base") || absl::StartsWith(name, "libggml-cuda");
}

void AddLibraries(const host::Host& host, const std::string& dir, const std::string& variant,
                  absl::string_view root, std::vector<InstalledLibrary>& libraries) {
  Observed<std::vector<std::string>> names = host.List(dir, root);
  if (!names.present()) return;
  for (const std::string& name : *names) {
    if (!Matters(name) || libraries.size() == InstallationFacts::kMaxLibraries) continue;
    InstalledLibrary library;
    library.path = host::JoinPath(dir, name);
    library.variant = variant;
    Observed<host::Resolved> itself = host.ResolveNoFollow(library.path, root);
    library.link = itself.present() && itself->meta.type == host::FileType::kSymlink;
    if (IsOfGgml(name)) {
      FileFacts file = LookAtFile(host, library.path, root);
      library.found = std::move(file.found);
      library.trace = std::move(file.trace);
      library.elf = std::move(file.elf);
    } else {
      library.found = host.Resolve(library.path, root, &library.trace);
    }
    libraries.push_back(std::move(library));
  }
}

// ID=arch, or ID="arch" (os-release(5)).
Observed<std::string> Distribution(const host::Host& host, absl::string_view root) {
  return host.Read("/etc/os-release", 65536, root)
      .Map([](const Content& content) -> Observed<std::string> {
        for (absl::string_view line : absl::StrSplit(content.bytes, '\n')) {
          if (!absl::ConsumePrefix(&line, "ID=")) continue;
          while (absl::ConsumePrefix(&line, "\"") || absl::ConsumePrefix(&line, "'")) {
          }
          return std::string(line.substr(0, line.find_first_of("\"'\r")));
        }
        if (!absl::StrContains(content.bytes, "NAME=")) {
          return NotObserved{"/etc/os-release: names no system"};
        }
        return Absent{};
      });
}

// /run/ostree-booted is there on a host that OSTree started, and /ostree in each of its
// deployments (ostreedev.github.io/ostree/adapting-existing).
Keeper KeeperOf(const host::Host& host) {
  if (Distribution(host, "").value_or("") == "nixos") return Keeper::kNixos;
  for (absl::string_view mark : {"/run/ostree-booted", "/ostree"}) {
    if (host.ResolveNoFollow(mark, "").present()) return Keeper::kOstree;
  }
  return Keeper::kNobody;
}

}  // namespace

InstallationFacts GatherInstallation(const host::Host& host, const Facts& facts) {
  InstallationFacts installation;
  const std::string root = facts.process.present() ? facts.process->root : "";
  installation.distribution = Distribution(host, root);
  installation.keeper = KeeperOf(host);

  std::set<std::string> seen;  // resolved paths
  const Observed<ollama::LibraryDir>& own = facts.ollama.library_dir;
  if (own.present()) {
    AddLibraries(host, own->path, "", root, installation.libraries);
    for (const ollama::Variant& variant : own->variants) {
      AddLibraries(host, variant.path, variant.name, root, installation.libraries);
    }
    if (auto found = host.Resolve(own->path, root); found.present()) seen.insert(found->path);
  }
  // Where it is not known, all that is there is another one.
  const std::string exe = facts.ollama.exe.value_or("");
  if (auto found = host.Resolve(exe, root); !exe.empty() && found.present())
    seen.insert(found->path);

  std::vector<std::string> dirs(std::begin(kLibraryDirs), std::end(kLibraryDirs));
  // What an archive unpacks beside the program, when the program alone was moved.
  if (!exe.empty()) dirs.push_back(host::JoinPath(host::Dirname(exe), "lib/ollama"));
  for (const std::string& dir : dirs) {
    Observed<host::Resolved> found = host.Resolve(dir, root);
    if (!found.present() || !seen.insert(found->path).second) continue;
    Observed<ollama::LibraryDir> other = ReadLibraryDir(host, dir, facts.ollama.era, root);
    // What a package leaves behind, or keeps its service's data in, is no installation.
    if (!other.present() || (other->variants.empty() && !other->has_llama_server &&
                             other->top_level_cuda_backend.absent())) {
      continue;
    }
    installation.others.push_back({"", NotObserved{"no program beside it"}, *std::move(other)});
  }
  for (absl::string_view path : kUsualPrograms) {
    Observed<host::Resolved> found = host.Resolve(path, root);
    if (!found.present() || found->meta.type != host::FileType::kFile) continue;
    if (!seen.insert(found->path).second) continue;
    // A script in its place is a wrapper of the one in use.
    Observed<elf::ElfInfo> elf = LookAtFile(host, path, root).elf;
    if (!elf.present() || elf->error.present()) continue;
    OtherInstallation program{std::string(path), GoVersion(host, std::string(path), root), {}};
    const auto candidates = ollama::LibraryDirCandidates({.exe = found->path});
    bool joined = false;
    for (OtherInstallation& other : installation.others) {
      if (!other.program.empty() || !other.library_dir) continue;
      for (const std::string& candidate : candidates) {
        if (candidate != other.library_dir->path || joined) continue;
        other.program = program.program;
        other.version = program.version;
        joined = true;
      }
    }
    if (!joined) installation.others.push_back(std::move(program));
  }
  return installation;
}

}  // namespace vgpu::facts

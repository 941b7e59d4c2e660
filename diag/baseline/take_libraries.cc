// The libraries of the discovery path: where each name leads, what is in the file, and what the
// loader makes of them.

#include <map>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/baseline/sha256.h"
#include "diag/baseline/take_parts.h"
#include "diag/facts/shims.h"
#include "diag/loader/files.h"

namespace vgpu::baseline {
namespace {

using facts::Facts;
using host::Absent;
using host::NotObserved;
using host::Observed;

// Whose library it is, by its path alone: a key must not change with what the file holds.
constexpr absl::string_view kRoles[] = {"shim", "ollama", "gpu", "system"};

absl::string_view RoleOf(absl::string_view path) {
  const std::optional<facts::ShimName> shim = facts::ShimOf(path);
  if (shim && shim->named_as_shim) return "shim";
  if (absl::StrContains(path, "/ollama/")) return "ollama";
  if (shim || absl::StrContains(host::Basename(path), "libcublas") ||
      absl::StrContains(host::Basename(path), "libcudart")) {
    return "gpu";
  }
  return "system";
}

// The path with no link among its directories, as the process sees it: one file has one key,
// whether /lib64 is a link or not.
std::string Canonical(const Subject& subject, absl::string_view path) {
  const std::string root = subject.Root();
  const Observed<host::Resolved> dir = subject.host.Resolve(host::Dirname(path), root);
  if (!dir.present()) return std::string(path);
  absl::string_view seen = dir->path;
  absl::ConsumePrefix(&seen, root);
  return host::JoinPath(seen.empty() ? "/" : seen, host::Basename(path));
}

class Paths {
 public:
  explicit Paths(const Subject& subject) : subject_(subject) {}

  void Add(absl::string_view path) {
    if (!absl::StartsWith(path, "/") || absl::StartsWith(path, "/proc/")) return;
    if (!seen_.insert(std::string(path)).second) return;
    paths_.insert(Canonical(subject_, path));
    const std::string root = subject_.Root();
    const Observed<host::Resolved> found = subject_.host.Resolve(path, root);
    absl::string_view target = found.present() ? absl::string_view(found->path) : path;
    absl::ConsumePrefix(&target, root);
    paths_.insert(std::string(target));
  }
  void AddAll(const std::vector<facts::FileFacts>& files) {
    for (const facts::FileFacts& file : files) Add(file.path);
  }
  void AddLists(const std::vector<const facts::PreloadList*>& lists) {
    for (const facts::PreloadList* list : lists) {
      for (const facts::PreloadEntry& entry : list->entries) {
        if (entry.is_path) Add(entry.file.path);
      }
    }
  }
  void AddObjects(const loader::Load& load) {
    // The first is the program.
    for (size_t i = 1; i < load.objects.size(); ++i) Add(load.objects[i].place.path);
  }
  const std::set<std::string>& paths() const { return paths_; }

 private:
  const Subject& subject_;
  std::set<std::string> seen_;
  std::set<std::string> paths_;
};

std::set<std::string> PathsOf(const Subject& subject) {
  const Facts& facts = subject.facts;
  Paths paths(subject);
  paths.AddLists(facts.PreloadsNow());
  paths.AddLists(facts.PreloadsNextStart());
  paths.AddAll(facts.gpu_libraries);
  paths.AddAll(facts.program.named_objects);
  for (const facts::InstalledLibrary& library : facts.installation.libraries) {
    paths.Add(library.path);
  }
  for (const facts::ModelledProcess& process : facts.loader.Deciding()) {
    paths.AddObjects(process.start);
    for (const loader::Opened& opened : process.opened) paths.AddObjects(opened.load);
  }
  for (absl::string_view role : kRoles) {
    for (const std::string& path : Stars(subject.like, absl::StrCat("library.", role, ".*"))) {
      paths.Add(path);
    }
  }
  return paths.paths();
}

// The libraries that it needs, and the newest versions of theirs: "libc.so.6 (GLIBC_2.34)".
Observed<std::string> NeedsOf(const elf::ElfInfo& info) {
  if (!info.needed.present()) return NoValue<std::string>(info.needed);
  if (info.version_needs.not_observed()) return NoValue<std::string>(info.version_needs);
  Strings words;
  for (const std::string& name : *info.needed) {
    words.push_back(name);
    for (const elf::VersionNeed& need : info.version_needs.value_or({})) {
      if (need.file == name)
        absl::StrAppend(&words.back(), " (", absl::StrJoin(need.versions, " "), ")");
    }
  }
  if (words.empty()) return Absent{};
  return absl::StrJoin(words, ", ");
}

// What it asks of others and gives them, as one hash: there are thousands.
Observed<std::string> SymbolsOf(const elf::ElfInfo& info) {
  if (!info.undefined.present()) return NoValue<std::string>(info.undefined);
  if (!info.exports.present()) return NoValue<std::string>(info.exports);
  std::set<std::string> symbols;
  for (const elf::UndefinedSymbol& symbol : *info.undefined) {
    symbols.insert(absl::StrCat("U ", symbol.name, "@", symbol.version.value_or("")));
  }
  for (const elf::ExportedSymbol& symbol : *info.exports) {
    symbols.insert(absl::StrCat("T ", symbol.name, "@", symbol.version.value_or("")));
  }
  Sha256 hash;
  for (const std::string& symbol : symbols) hash.Add(absl::StrCat(symbol, "\n"));
  return absl::StrCat(info.undefined->size(), " asked for, ", info.exports->size(), " given, ",
                      absl::BytesToHexString(hash.Finish()).substr(0, 16));
}

void TakeLibrary(const Subject& subject, const std::string& path, Builder& out) {
  const std::string key = absl::StrCat("library.", RoleOf(path), ".", path);
  const std::string root = subject.Root();
  Observed<host::Resolved> found;
  out.Put(key, WhatIs(subject.host, path, root, &found), {path});
  const auto put = [&](absl::string_view property, const Observed<std::string>& value) {
    out.Put(absl::StrCat(key, ".", property), value, {path});
  };
  // What is in the file behind a link stands under the file's own path.
  if (!found.present() || found->meta.type != host::FileType::kFile || !found->links.empty()) {
    return;
  }
  put("owner", OwnerText(found->meta));
  put("mode", ModeOf(found->meta));
  put("content", subject.hashes.Of(*found, root));
  const Observed<elf::ElfInfo> elf = loader::ReadElfOf(subject.host, *found, path, root);
  put("build_id", elf.Map([](const elf::ElfInfo& info) { return info.build_id; }));
  put("soname", elf.Map([](const elf::ElfInfo& info) { return info.soname; }));
  put("versions", elf.Map([](const elf::ElfInfo& info) {
    return info.version_defs.Map([](const Strings& nodes) -> Observed<std::string> {
      if (nodes.empty()) return Absent{};
      return absl::StrJoin(nodes, " ");
    });
  }));
  put("size", found->meta.size.Map([](uint64_t size) { return absl::StrCat(size); }));
  put("needs", elf.Map(NeedsOf));
  put("symbols", elf.Map(SymbolsOf));
  if (RoleOf(path) == "ollama") {
    put("archs", elf.Map([](const elf::ElfInfo& info) {
      return info.cuda_archs.Map([](const Strings& archs) { return absl::StrJoin(archs, " "); });
    }));
  }
  put("loadable", elf.Map([](const elf::ElfInfo& info) -> Observed<std::string> {
    if (info.error.absent()) return std::string("yes");
    return info.error;
  }));
}

std::string NameOf(const facts::ModelledProcess& process) {
  return process.variant.empty() ? process.role
                                 : absl::StrCat(process.role, " of ", process.variant);
}

Observed<std::string> WhereItLeads(const Subject& subject, const loader::Opened& opened) {
  const Observed<bool> succeeds = opened.Succeeds();
  if (!succeeds.present()) return NoValue<std::string>(succeeds);
  if (*succeeds) {
    if (!opened.object || *opened.object >= opened.load.objects.size()) {
      return NotObserved{"the model does not say which file it is"};
    }
    return Canonical(subject, opened.load.objects[*opened.object].place.path);
  }
  return opened.problems.empty()
             ? std::string("it cannot be opened")
             : absl::StrCat("it cannot be opened: ", opened.problems.front().text);
}

void TakeLoader(const Subject& subject, Builder& out) {
  const std::vector<facts::ModelledProcess>& processes = subject.facts.loader.Deciding();
  Observed<bool> looked = true;
  if (processes.empty()) looked = NotObserved{"what the loader would do is not known"};
  for (const facts::ModelledProcess& process : processes) {
    const loader::Load& start = process.start;
    Observed<Strings> order = Absent{};  // static, or a script
    if (start.kind == loader::Kind::kGlibc) {
      Strings paths;
      for (size_t i = 1; i < start.objects.size(); ++i) {
        paths.push_back(Canonical(subject, start.objects[i].place.path));
      }
      order = paths;
      if (!start.unseen.empty()) {
        order = NotObserved{absl::StrCat(start.unseen[0].what, ": ", start.unseen[0].why)};
      }
    } else if (start.kind == loader::Kind::kNotObserved) {
      order = NotObserved{"its program was not seen"};
    }
    const From from = {absl::StartsWith(process.source, "/proc/") ? "/proc/PID/environ"
                                                                  : process.source};
    out.PutList(absl::StrCat("loader.order.", NameOf(process)), order, from);
    for (const loader::Opened& opened : process.opened) {
      out.Put(absl::StrCat("loader.opens.", opened.name, " by the ", NameOf(process)),
              WhereItLeads(subject, opened), from);
    }
  }
  out.Looked("loader.order.*", looked);
  out.Looked("loader.opens.*", looked);
}

// The newest version node of libc.so.6: "2.36".
Observed<std::string> LibcVersion(const Facts& facts) {
  for (const facts::ModelledProcess& process : facts.loader.Deciding()) {
    for (const loader::Object& object : process.start.objects) {
      const elf::ElfInfo* info = object.info();
      if (info == nullptr || object.soname() != "libc.so.6") continue;
      if (!info->version_defs.present()) return NoValue<std::string>(info->version_defs);
      std::pair<int, int> newest = {0, 0};
      for (absl::string_view node : *info->version_defs) {
        if (!absl::ConsumePrefix(&node, "GLIBC_")) continue;
        const std::vector<absl::string_view> parts = absl::StrSplit(node, '.');
        std::pair<int, int> version;
        if (parts.size() >= 2 && absl::SimpleAtoi(parts[0], &version.first) &&
            absl::SimpleAtoi(parts[1], &version.second)) {
          newest = std::max(newest, version);
        }
      }
      if (newest.first == 0) return NotObserved{"libc.so.6 has no version nodes of glibc"};
      return absl::StrCat(newest.first, ".", newest.second);
    }
  }
  return NotObserved{"libc.so.6 was not seen"};
}

}  // namespace

void TakeLibraries(const Subject& subject, Builder& out) {
  const Facts& facts = subject.facts;
  // It makes no variant, and has a key of its own.
  const std::string top = facts.ollama.library_dir.present()
                              ? host::JoinPath(facts.ollama.library_dir->path, "libggml-cuda.so")
                              : "";
  for (const std::string& path : PathsOf(subject)) {
    if (path != top) TakeLibrary(subject, path, out);
  }
  Observed<bool> looked = true;
  if (facts.process.present() && !facts.process->environ.present()) {
    looked = NotObserved{"which libraries matter is not known without the process's environment"};
  }
  for (absl::string_view role : kRoles) {
    const std::string pattern = absl::StrCat("library.", role, ".*");
    out.Looked(pattern, looked);
    for (absl::string_view property : {"owner", "mode", "content", "build_id", "soname", "versions",
                                       "loadable", "size", "needs", "symbols", "archs"}) {
      out.Looked(absl::StrCat(pattern, ".", property), looked);
    }
  }
  TakeLoader(subject, out);
  out.Put("host.libc", LibcVersion(facts), {"libc.so.6"});
}

}  // namespace vgpu::baseline

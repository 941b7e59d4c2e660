#include "diag/rules/shared/copies.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace vgpu::rules {
namespace {

using facts::Shim;
using host::NotObserved;
using host::Observed;

// A list of any length gives so much evidence.
constexpr size_t kMaxEvidence = 16;

enum class Same { kYes, kNo, kCannotTell };

Same SameFile(const host::Resolved& a, const host::Resolved& b) {
  if (a.path == b.path) return Same::kYes;
  if (a.meta.id.present() && b.meta.id.present()) {
    return *a.meta.id == *b.meta.id ? Same::kYes : Same::kNo;
  }
  if (a.meta.sha256.present() && b.meta.sha256.present() && *a.meta.sha256 != *b.meta.sha256) {
    return Same::kNo;
  }
  if (a.meta.size.present() && b.meta.size.present() && *a.meta.size != *b.meta.size) {
    return Same::kNo;
  }
  return Same::kCannotTell;  // a copy or a hard link
}

std::string Identity(const host::Resolved& file) {
  if (!file.meta.id.present()) return file.path;
  return absl::StrCat(file.path, " (inode ", file.meta.id->ino, ")");
}

// "libcuda.so.570.124.06", "libcudart.so.12.8.90": NVIDIA's files carry their release in
// their names, and the soname is a link to them. The kernel shows files, not links, so a
// mapped "libcuda.so.1" is a file that somebody put there.
bool IsReleased(absl::string_view path) {
  const absl::string_view name = host::Basename(path);
  const size_t version = name.find(".so.");
  return version != absl::string_view::npos && absl::StrContains(name.substr(version + 4), ".");
}

}  // namespace

Observed<std::vector<Evidence>> CopiesMapped(const facts::Facts& facts) {
  if (!facts.process.present()) return NotObserved{"no process was seen"};
  const auto& maps = facts.process->maps;
  if (!maps.present())
    return NotObserved{absl::StartsWith(maps.why_not(), maps.source)
                           ? std::string(maps.why_not())
                           : absl::StrCat(maps.source, ": ", maps.why_not())};
  std::map<Shim, std::vector<const procfs::MappedFile*>> files;
  std::map<Shim, bool> named;
  for (const procfs::MappedFile& file : maps->files) {
    std::optional<facts::ShimName> shim = facts::ShimOf(file.path);
    if (!shim || (!shim->named_as_shim && IsReleased(file.path))) continue;
    files[shim->shim].push_back(&file);
    named[shim->shim] |= shim->named_as_shim;
  }
  std::vector<Evidence> evidence;
  for (const auto& [shim, of_shim] : files) {
    // Without a file that is called as the shim is, these may be NVIDIA's own.
    if (of_shim.size() < 2 || !named[shim]) continue;
    for (const procfs::MappedFile* file : of_shim) {
      evidence.push_back({maps.source, 0, absl::StrCat(file->path, " (inode ", file->inode, ")"),
                          absl::StrCat("a file of ", facts::InfoOf(shim).name, " that is loaded")});
    }
  }
  return evidence;
}

std::vector<Evidence> CopiesPreloaded(const facts::Facts& facts) {
  std::vector<Evidence> evidence;
  const facts::PreloadList* list = facts.Preload();
  if (list == nullptr) return evidence;
  std::map<Shim, const facts::PreloadEntry*> first;
  for (const facts::PreloadEntry& entry : list->entries) {
    if (!entry.shim || !entry.file.found.present()) continue;
    const auto [it, is_first] = first.emplace(*entry.shim, &entry);
    if (is_first || SameFile(*it->second->file.found, *entry.file.found) != Same::kNo) continue;
    for (const facts::PreloadEntry* of_both : {it->second, &entry}) {
      if (evidence.size() >= kMaxEvidence) return evidence;
      evidence.push_back(
          {list->source, list->line, Identity(*of_both->file.found),
           absl::StrCat("the preload list has this file of ", facts::InfoOf(*of_both->shim).name)});
    }
  }
  return evidence;
}

std::vector<Evidence> CopiesNamedByProgram(const facts::Facts& facts) {
  std::vector<Evidence> evidence;
  const facts::PreloadList* list = facts.Preload();
  if (list == nullptr) return evidence;
  for (const facts::FileFacts& named : facts.program.named_objects) {
    std::optional<facts::ShimName> shim = facts::ShimOf(named.path);
    if (!shim || !named.found.present()) continue;
    for (const facts::PreloadEntry& entry : list->entries) {
      if (entry.shim != shim->shim || !entry.file.found.present()) continue;
      const Same same = SameFile(*entry.file.found, *named.found);
      if (same == Same::kYes) continue;
      evidence.push_back(
          {facts.program.file.path, 0, Identity(*named.found),
           same == Same::kNo
               ? absl::StrCat("the wrapper names this file; the preload list loads another one, ",
                              Identity(*entry.file.found))
               : absl::StrCat("the wrapper names this file beside the preloaded ",
                              entry.file.found->path,
                              "; without inode numbers a copy and a hard link look the same")});
    }
  }
  return evidence;
}

}  // namespace vgpu::rules

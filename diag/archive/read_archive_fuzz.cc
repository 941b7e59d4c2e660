// Whatever an archive holds: it is refused, or every name in it can be looked at, lies below
// the root, and makes a host.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "diag/archive/read_archive.h"
#include "diag/baseline/carried.h"
#include "diag/host/tree_host.h"
#include "diag/logfmt/memory_source.h"

namespace {

using vgpu::host::FileType;
using vgpu::host::TreeFiles;

size_t Walk(const TreeFiles& files, const std::string& path, int depth) {
  if (depth > 64) abort();
  const auto meta = files.Stat(path);
  if (!meta.present()) abort();
  size_t count = 1;
  switch (meta->type) {
    case FileType::kDir:
      for (const std::string& name : *files.List(path)) {
        if (name.empty() || name == "." || name == ".." || absl::StrContains(name, '/')) abort();
        count += Walk(files, (path == "/" ? "" : path) + "/" + name, depth + 1);
      }
      break;
    case FileType::kFile:
      if (files.Read(path, 1 << 20)->bytes.size() > *meta->size) abort();
      break;
    case FileType::kSymlink:
      if (!files.ReadLink(path).present()) abort();
      break;
    default:
      abort();
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vgpu::logfmt::MemorySource source(absl::string_view(reinterpret_cast<const char*>(data), size));
  const vgpu::archive::ArchiveLimits limits = {
      .tar = {.members = 1000, .bytes = 1 << 20},
      .names = {.entries = 1000, .name_bytes = 1 << 20, .depth = 64}};
  auto files = vgpu::archive::ReadArchive(source, limits);
  if (!files.ok()) {
    if (files.status().message().empty()) abort();
    return 0;
  }
  if (Walk(**files, "/", 0) > 1001) abort();
  const auto host = vgpu::host::TreeHost::Over(*std::move(files));
  if (!host.ok()) return 0;
  (*host)->Read("/etc/hostname");
  vgpu::baseline::CarriedText(vgpu::baseline::ReadCarried(**host));
  const auto journal =
      (*host)->StreamTool({.tool = vgpu::host::Tool::kJournalUnit, .unit = "a.service"});
  if (!journal.present()) return 0;
  char buffer[1024];
  for (size_t left = 2 << 20; left > 0; --left) {
    const absl::StatusOr<size_t> n = (*journal)->Read(buffer, sizeof(buffer));
    if (!n.ok() || *n == 0) return 0;
  }
  abort();
  return 0;
}

#include "diag/loader/files.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/elf/elf_json.h"

namespace vgpu::loader {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

}  // namespace

Observed<elf::ElfInfo> ReadElfOf(const host::Host& host, const host::Resolved& found,
                                 absl::string_view path, absl::string_view root,
                                 elf::ReadOptions options) {
  const Observed<std::string> recorded = host.RecordedElf(found.path);
  if (recorded.present()) {
    absl::StatusOr<elf::ElfInfo> info = elf::ParseElfJson(*recorded);
    if (info.ok()) return *std::move(info);
    return NotObserved{std::string(info.status().message())};
  }
  // By way of the path: a process's root is a link that leads elsewhere as a text ("/").
  const Observed<std::unique_ptr<host::RangeSource>> file = host.OpenRanges(path, root);
  if (file.absent()) return Absent{};
  if (!file.present()) return NotObserved{std::string(file.why_not())};
  return elf::ReadElf(**file, options);
}

Files::Known& Files::Get(const View& view, absl::string_view path) {
  auto [it, is_new] = known_.try_emplace(absl::StrCat(view.root, "\n", view.name, "\n", path));
  if (!is_new) return *it->second;
  it->second = std::make_unique<Known>();
  Known& known = *it->second;
  known.host_path = std::string(path);
  known.root = view.root;
  known.look.found = host_.Resolve(path, view.root, &known.look.trace);
  if (!view.sees) return known;
  // Mounts stand on paths without links.
  absl::string_view real = path;
  if (known.look.found.present()) {
    real = known.look.found->path;
    absl::ConsumePrefix(&real, view.root);
  }
  Seen seen = view.sees(real);
  switch (seen.what) {
    case Seen::What::kAsHost:
      break;
    case Seen::What::kElsewhere:
      known.host_path = std::move(seen.host_path);
      known.root = "";
      known.look.found = host_.Resolve(known.host_path, "", &known.look.trace);
      break;
    case Seen::What::kHidden:
      known.look.found = Absent{};
      break;
    case Seen::What::kUnknown:
      known.look.found = NotObserved{std::move(seen.why)};
      break;
  }
  return known;
}

const Files::Look& Files::At(const View& view, absl::string_view path) {
  return Get(view, path).look;
}

Observed<host::Content> Files::Read(const View& view, absl::string_view path, size_t limit) {
  const Known& known = Get(view, path);
  return host_.Read(known.host_path, limit, known.root);
}

const Observed<ElfRef>& Files::ElfOf(const View& view, absl::string_view path) {
  Known& known = Get(view, path);
  if (known.elf) return *known.elf;
  if (!known.look.found.present()) {
    known.elf = known.look.found.Map([](const host::Resolved&) { return ElfRef(); });
    return *known.elf;
  }
  const host::Resolved& found = *known.look.found;
  if (found.meta.type != host::FileType::kFile) {
    known.elf =
        NotObserved{absl::StrCat("is no regular file (", host::FileTypeName(found.meta.type), ")")};
    return *known.elf;
  }
  auto [it, is_new] = by_file_.try_emplace(found.path);
  if (is_new) {
    it->second = ReadElfOf(host_, found, known.host_path, known.root).Map([](const auto& info) {
      return ElfRef(std::make_shared<const elf::ElfInfo>(info));
    });
  }
  known.elf = it->second;
  return *known.elf;
}

}  // namespace vgpu::loader

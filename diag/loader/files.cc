#include "diag/loader/files.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/elf/elf_json.h"

namespace vgpu::loader {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// Where a path of the process lies: below its root, or behind the innermost bind.
struct Place {
  std::string path;
  bool bound = false;
};

Place Through(const View& view, absl::string_view path) {
  for (auto bind = view.binds.rbegin(); bind != view.binds.rend(); ++bind) {
    if (path == bind->target) return {bind->source, true};
    if (absl::StartsWith(path, absl::StrCat(bind->target, "/"))) {
      return {absl::StrCat(bind->source, path.substr(bind->target.size())), true};
    }
  }
  return {std::string(path), false};
}

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
  Place place = Through(view, path);
  const std::string root = place.bound ? "" : view.root;
  auto [it, is_new] = known_.try_emplace(absl::StrCat(root, "\n", place.path));
  Known& known = it->second;
  if (!is_new) return known;
  known.look.found = host_.Resolve(place.path, root, &known.look.trace);
  // A link may lead below a bind.
  if (!place.bound && !view.binds.empty() && known.look.found.present() &&
      !known.look.found->links.empty()) {
    const absl::string_view real =
        absl::string_view(known.look.found->path).substr(view.root.size());
    if (Place behind = Through(view, real); behind.bound) {
      known.look.found = host_.Resolve(behind.path);
      place = std::move(behind);
    }
  }
  known.host_path = place.path;
  known.root = place.bound ? "" : view.root;
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
    known.elf = NotObserved{
        absl::StrCat("is no regular file (", host::FileTypeName(found.meta.type), ")")};
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

#include "absl/strings/str_cat.h"
#include "diag/facts/gather_parts.h"
#include "diag/loader/files.h"
#include "diag/loader/loader.h"
#include "diag/loader/preload_list.h"

namespace vgpu::facts {
namespace {

using host::NotObserved;

// A list of any length is looked at up to here.
constexpr size_t kMaxEntries = 256;

}  // namespace

FileFacts LookAtFile(const host::Host& host, absl::string_view path, absl::string_view root) {
  FileFacts file;
  file.path = std::string(path);
  file.found = host.Resolve(path, root, &file.trace);
  if (file.found.present()) file.way = WayTo(host, *file.found, root);
  if (file.found.absent()) {
    file.elf = host::Absent{};
  } else if (!file.found.present()) {
    file.elf = NotObserved{std::string(file.found.why_not())};
  } else if (file.found->meta.type != host::FileType::kFile) {
    file.elf = NotObserved{
        absl::StrCat("is no regular file (", host::FileTypeName(file.found->meta.type), ")")};
  } else {
    file.elf = loader::ReadElfOf(host, *file.found, path, root, {.go_build = true});
  }
  return file;
}

PreloadList LookAtPreload(const host::Host& host, absl::string_view value, std::string source,
                          int line, absl::string_view library_path, absl::string_view exe,
                          absl::string_view root) {
  PreloadList list;
  list.value = std::string(value);
  list.source = std::move(source);
  list.line = line;
  loader::Loader loader(host);
  loader::StartOptions options;
  options.program = std::string(exe);
  options.environment.library_path = std::string(library_path);
  options.view.root = std::string(root);

  const auto texts = loader::SplitPreload(value);
  for (absl::string_view text : texts) {
    PreloadEntry entry;
    if (list.entries.size() == kMaxEntries) {
      entry.text = absl::StrCat("(", texts.size() - kMaxEntries, " more)");
      entry.file.path = entry.text;
      entry.file.found =
          NotObserved{absl::StrCat("only the first ", kMaxEntries, " entries were looked at")};
      list.entries.push_back(std::move(entry));
      break;
    }
    entry.text = std::string(text);
    entry.shim = [&]() -> std::optional<Shim> {
      std::optional<ShimName> name = ShimOf(text);
      if (!name) return std::nullopt;
      return name->shim;
    }();
    loader::Loader::Entry look = loader.LookAtEntry(text, options);
    entry.file.path = std::move(look.path);
    entry.file.found = std::move(look.found);
    entry.file.trace = std::move(look.trace);
    if (entry.file.found.present()) entry.file.way = WayTo(host, *entry.file.found, root);
    entry.file.elf = look.elf.Map([](const loader::ElfRef& elf) { return *elf; });
    list.entries.push_back(std::move(entry));
  }
  return list;
}

}  // namespace vgpu::facts

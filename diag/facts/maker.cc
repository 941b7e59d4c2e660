#include "diag/facts/maker.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace vgpu::facts {
namespace {

bool NamedAsShim(absl::string_view path) {
  const std::optional<ShimName> name = ShimOf(path);
  return name && name->named_as_shim;
}

// "libcuda.so.570.124.06": of a driver, whose releases have three digits and more.
bool HasDriverRelease(absl::string_view path) {
  const absl::string_view name = host::Basename(path);
  const absl::string_view number = name.substr(std::min(name.size(), name.find(".so.") + 4));
  return HasRelease(path) && number.find('.') >= 3;
}

// What the shims export beside the names of the ABI.
bool ExportsMark(const elf::ElfInfo& elf) {
  if (!elf.exports.present()) return false;
  return std::any_of(elf.exports->begin(), elf.exports->end(), [](const elf::ExportedSymbol& s) {
    return absl::StartsWith(s.name, "libvgpu_") || absl::StartsWith(s.name, "vgpu_");
  });
}

// One content, by what identifies one.
bool IsCopy(const FileFacts& a, const FileFacts& b) {
  if (!a.found.present() || !b.found.present()) return false;
  if (a.found->path == b.found->path) return true;
  const host::FileMeta& left = a.found->meta;
  const host::FileMeta& right = b.found->meta;
  if (left.id.present() && right.id.present() && *left.id == *right.id) return true;
  if (left.sha256.present() && right.sha256.present()) return *left.sha256 == *right.sha256;
  return a.elf.present() && b.elf.present() && a.elf->build_id.present() &&
         b.elf->build_id.present() && *a.elf->build_id == *b.elf->build_id;
}

}  // namespace

bool HasRelease(absl::string_view path) {
  const absl::string_view name = host::Basename(path);
  const size_t version = name.find(".so.");
  if (version == absl::string_view::npos) return false;
  const std::vector<absl::string_view> numbers = absl::StrSplit(name.substr(version + 4), '.');
  return numbers.size() >= 2 &&
         std::all_of(numbers.begin(), numbers.end(), [](absl::string_view number) {
           return !number.empty() && number.find_first_not_of("0123456789") == number.npos;
         });
}

Maker MakerOf(const FileFacts& file, absl::Span<const FileFacts> known) {
  const absl::string_view path = file.found.present() ? file.found->path : file.path;
  if (file.elf.present() && ExportsMark(*file.elf)) return Maker::kShim;
  if (absl::StrContains(path, "/stubs/")) return Maker::kStub;
  const bool shim_name = NamedAsShim(path);
  if (HasDriverRelease(path)) return Maker::kNvidia;
  // A copy under a name that is not its own. Nobody gives a shim the number of a driver; the
  // runtime's name in Ollama's directory has been given to one.
  for (const FileFacts& other : known) {
    if (!other.found.present() || other.found->path == path || !IsCopy(file, other)) continue;
    if (shim_name && HasDriverRelease(other.found->path)) return Maker::kNvidia;
    if (!shim_name && NamedAsShim(other.found->path)) return Maker::kShim;
  }
  if (shim_name) return Maker::kShim;
  const std::optional<ShimName> name = ShimOf(path);
  if (name && HasRelease(path)) return Maker::kNvidia;
  return Maker::kUnknown;
}

}  // namespace vgpu::facts

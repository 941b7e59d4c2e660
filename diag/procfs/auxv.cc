#include "diag/procfs/auxv.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace vgpu::procfs {
namespace {

using ::vgpu::host::Absent;
using ::vgpu::host::NotObserved;
using ::vgpu::host::Observed;

// The highest tag is 51, AT_MINSIGSTKSZ (include/uapi/linux/auxvec.h, Linux 6.12): with room
// for what comes.
constexpr uint64_t kHighestTag = 255;

uint64_t LittleEndian64(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

absl::StatusOr<Auxv> ParseAuxv(absl::string_view bytes) {
  if (bytes.empty()) {
    return absl::InvalidArgumentError("auxv: empty, as for a kernel thread or a zombie");
  }
  Auxv auxv;
  while (bytes.size() >= 16) {
    const uint64_t tag = LittleEndian64(bytes);
    if (tag == Auxv::kNull) return auxv;
    if (tag > kHighestTag) {
      return absl::InvalidArgumentError(
          absl::StrCat("auxv: there is no tag ", tag, " (a 32-bit process, or another file?)"));
    }
    auxv.entries_.emplace_back(tag, LittleEndian64(bytes.substr(8)));
    bytes.remove_prefix(16);
  }
  if (auxv.entries_.empty()) return absl::InvalidArgumentError("auxv: too short for one tag");
  auxv.truncated_ = true;
  return auxv;
}

Observed<uint64_t> Auxv::Find(uint64_t tag) const {
  for (const auto& [entry_tag, value] : entries_) {
    if (entry_tag == tag) return value;
  }
  if (truncated_) return NotObserved{"auxv: cut off before AT_NULL"};
  return Absent{};
}

Observed<bool> Auxv::Secure() const {
  return Find(kSecure).Map([](uint64_t value) -> Observed<bool> {
    if (value > 1) {
      return NotObserved{
          absl::StrCat("auxv: AT_SECURE is ", value, ", neither 0 nor 1 (a 32-bit process?)")};
    }
    return value == 1;
  });
}

Observed<bool> Auxv::HasInterpreter() const {
  return Find(kBase).Map([](uint64_t value) { return value != 0; });
}

}  // namespace vgpu::procfs

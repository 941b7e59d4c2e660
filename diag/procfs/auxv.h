// /proc/PID/auxv: what the kernel told a program when it started it.
//
//   absl::StatusOr<Auxv> auxv = ParseAuxv(content.bytes);
//   Observed<bool> secure = auxv->Secure();   // did the loader ignore LD_PRELOAD?
//
// The format is that of 64-bit little-endian processes: pairs of a tag and a value, eight
// bytes each, up to the tag AT_NULL. The file does not say whose it is. In that of a 32-bit
// process, values appear as tags that do not exist: it is refused, as any other bytes are,
// and Secure() refuses what is neither 0 nor 1.
//
// Strings (AT_EXECFN, AT_PLATFORM) are addresses in the memory of the process.
//
// A value type; thread-compatible.

#ifndef DIAG_PROCFS_AUXV_H_
#define DIAG_PROCFS_AUXV_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/host/observed.h"

namespace vgpu::procfs {

class Auxv {
 public:
  // include/uapi/linux/auxvec.h
  static constexpr uint64_t kNull = 0;
  static constexpr uint64_t kPhdr = 3;
  static constexpr uint64_t kBase = 7;
  static constexpr uint64_t kEntry = 9;
  static constexpr uint64_t kPlatform = 15;
  static constexpr uint64_t kClockTick = 17;
  static constexpr uint64_t kSecure = 23;
  static constexpr uint64_t kExecFn = 31;

  // In the order of the file, without AT_NULL.
  const std::vector<std::pair<uint64_t, uint64_t>>& entries() const { return entries_; }

  // AT_NULL was not reached: a tag that is not found may stand behind the end.
  bool truncated() const { return truncated_; }

  // The value of a tag (the first, as getauxval(3) gives it). Not found: absent, or not
  // observed where the vector is truncated.
  host::Observed<uint64_t> Find(uint64_t tag) const;

  // AT_SECURE: the kernel started the program in secure mode (set-uid, file
  // capabilities, a security module). Then the loader dropped LD_PRELOAD and
  // LD_LIBRARY_PATH, whatever environ shows.
  host::Observed<bool> Secure() const;

  // Whether the program was started through an interpreter (AT_BASE is its address, or 0
  // for a static program, which loads no preload).
  host::Observed<bool> HasInterpreter() const;

 private:
  friend absl::StatusOr<Auxv> ParseAuxv(absl::string_view bytes);

  std::vector<std::pair<uint64_t, uint64_t>> entries_;
  bool truncated_ = false;
};

// An error where there is nothing (the file of a kernel thread or a zombie), or no tag that
// there is.
absl::StatusOr<Auxv> ParseAuxv(absl::string_view bytes);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_AUXV_H_

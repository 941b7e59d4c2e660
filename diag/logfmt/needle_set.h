// NeedleSet: finds any of a few dozen literal texts in a large one, about as fast as
// memory delivers it.
//
//   absl::StatusOr<NeedleSet> set = NeedleSet::Create({"inference compute", "CUDA error"});
//   if (set->Find(block).has_value()) ...
//
// The method is that of Hyperscan's "Teddy". Each needle is known by a window of up to
// four bytes, chosen where its bytes are rare in logs; the windows are dealt into eight
// buckets. Two nibble tables per window byte give, for 16 or 32 positions at once, the
// buckets whose windows may begin there; only those are compared with the needles.
//
// A value, immutable after Create; safe from any thread.

#ifndef DIAG_LOGFMT_NEEDLE_SET_H_
#define DIAG_LOGFMT_NEEDLE_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::logfmt {

class NeedleSet {
 public:
  static constexpr size_t kMaxNeedles = 96;
  static constexpr size_t kMaxNeedleSize = 256;

  // How the text is walked. All ways find the same.
  enum class Path { kBest, kPortable, kSsse3, kAvx2 };
  static bool Supported(Path path);  // by this machine

  struct Match {
    size_t position = 0;  // where the needle begins
    size_t needle = 0;    // its index in Create's argument
  };

  // Keeps copies of the needles. InvalidArgument: more than kMaxNeedles, or one that is
  // empty, longer than kMaxNeedleSize or holds a newline; Unimplemented: a path that
  // this machine lacks. Without needles nothing is found.
  static absl::StatusOr<NeedleSet> Create(absl::Span<const absl::string_view> needles,
                                          Path path = Path::kBest);

  // An occurrence, if there is one. Not always the leftmost: but no line before the
  // one that it stands in holds any.
  std::optional<Match> Find(absl::string_view text) const;

  size_t size() const { return needles_.size(); }
  absl::string_view needle(size_t index) const { return needles_[index]; }

 private:
  static constexpr size_t kWindow = 4;
  static constexpr size_t kBuckets = 8;

  // One needle in its bucket.
  struct Anchor {
    uint32_t window = 0;  // the window's bytes, in memory order
    uint32_t mask = 0;    // 0 in the bytes that a short needle lacks
    size_t needle = 0;
    size_t offset = 0;  // of the window in the needle
  };

  NeedleSet() = default;
  void ChooseWindows();
  // The first needle of `buckets` (a bit each) whose window stands at `position`.
  std::optional<Match> Verify(absl::string_view text, size_t position, uint32_t buckets) const;
  // The same for each position from + i, i a bit of `positions`, in order.
  std::optional<Match> VerifyMany(absl::string_view text, size_t from, uint32_t positions,
                                  const uint8_t* buckets) const;
  std::optional<Match> FindPortable(absl::string_view text, size_t from) const;
#if defined(__x86_64__)
  std::optional<Match> FindSsse3(absl::string_view text) const;
  std::optional<Match> FindAvx2(absl::string_view text) const;
#endif

  Path path_ = Path::kPortable;
  std::vector<std::string> needles_;
  std::array<std::vector<Anchor>, kBuckets> buckets_;
  // The buckets with a window whose byte [i] has this low, and this high, nibble.
  std::array<std::array<uint8_t, 16>, kWindow> low_{};
  std::array<std::array<uint8_t, 16>, kWindow> high_{};
  // Both in one, by byte.
  std::array<std::array<uint8_t, 256>, kWindow> byte_{};
};

}  // namespace vgpu::logfmt

#endif  // DIAG_LOGFMT_NEEDLE_SET_H_

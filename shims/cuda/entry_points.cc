#include "shims/cuda/entry_points.h"

#include <algorithm>
#include <array>
#include <cstddef>

// Declared without their arguments, and so without cuda_types.h: only the addresses matter here.
extern "C" {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration has none
#define VGPU_CUDA_DRIVER(kind, name, since) void name();
#include "shims/abi/cuda_driver.inc"
#undef VGPU_CUDA_DRIVER
}

namespace vgpu::cuda {
namespace {

struct Row {
  std::string_view name;
  int since;
  void (*address)();
};

constexpr Row kRows[] = {
#define VGPU_CUDA_DRIVER(kind, name, since) {#name, since, &(name)},
#include "shims/abi/cuda_driver.inc"
#undef VGPU_CUDA_DRIVER
};

constexpr bool Sorted() {
  for (size_t i = 1; i < std::size(kRows); ++i) {
    if (!(kRows[i - 1].name < kRows[i].name)) return false;
  }
  return true;
}
static_assert(Sorted(), "cuda_driver.inc is searched by bisection");

// What follows the base name: nothing, or _v2 … _v9, then nothing, _ptds or _ptsz.
struct Ending {
  bool valid = false;
  bool per_thread = false;
};

constexpr Ending ParseEnding(std::string_view text) {
  if (text.size() >= 3 && text.starts_with("_v") && text[2] >= '2' && text[2] <= '9') {
    text.remove_prefix(3);
  }
  if (text.empty()) return {.valid = true, .per_thread = false};
  if (text == "_ptds" || text == "_ptsz") return {.valid = true, .per_thread = true};
  return {};
}

constexpr bool HasEnding(std::string_view name) {
  if (name.ends_with("_ptds") || name.ends_with("_ptsz")) return true;
  return name.size() > 3 && name[name.size() - 3] == '_' && name[name.size() - 2] == 'v' &&
         name.back() >= '2' && name.back() <= '9';
}

}  // namespace

EntryPoint FindEntryPoint(std::string_view base, int cuda_version, int driver_version,
                          bool per_thread) {
  if (HasEnding(base)) return {};
  const Row* shared = nullptr;
  const Row* own = nullptr;  // for the per-thread default stream
  bool exists = false;
  const Row* row = std::lower_bound(std::begin(kRows), std::end(kRows), base,
                                    [](const Row& r, std::string_view n) { return r.name < n; });
  for (; row != std::end(kRows) && row->name.starts_with(base); ++row) {
    const Ending ending = ParseEnding(row->name.substr(base.size()));
    if (!ending.valid || row->since > driver_version) continue;
    exists = exists || !ending.per_thread;
    if (row->since > cuda_version) continue;
    const Row*& newest = ending.per_thread ? own : shared;
    if (newest == nullptr || newest->since < row->since) newest = row;
  }
  const Row* found = per_thread && own != nullptr ? own : shared;
  if (found == nullptr) {
    return {.status =
                exists ? EntryPointStatus::kVersionNotSufficient : EntryPointStatus::kNotFound};
  }
  return {.status = EntryPointStatus::kFound,
          .address = reinterpret_cast<void*>(found->address),
          .name = found->name.data()};
}

}  // namespace vgpu::cuda

// What a redirecting library knows of the synthetic tree: where it is, and which paths are ours.
//
//   const TreeView* view = CurrentView();
//   if (view == nullptr) ...                  // there is none: every path is the host's
//   if (view->IsOwned("sys/devices/pci0000:00/0000:00:05.0/vendor")) ...
//
// The tree is where VGPU_TREE says (not in a program with privileges that its caller has not), else
// /run/vgpu/root, where vgpu-view.service writes it, else /var/lib/vgpu/root. Its manifest
// (shims/tree/tree.h) is read at the first path that may be ours, and again when it has changed:
// that is looked for at most once a second. A manifest without its last line is half-written: what
// was known before holds. Where it is gone, so is the tree: every path is the host's again.
//
// Thread-safe, async-signal-safe, safe after fork and vfork: no lock, no allocator; errno is kept.
// Paths here have no slash before them.

#ifndef SHIMS_SYSCALL_TREE_VIEW_H_
#define SHIMS_SYSCALL_TREE_VIEW_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vgpu::redirect {

// 16 devices have two aliases each, and some a third by the driver of the function that they
// replace.
inline constexpr size_t kMaxOwned = 64;
inline constexpr size_t kMaxMerged = 64;
inline constexpr size_t kMaxAliases = 128;
inline constexpr size_t kMaxManifest = 32768;

struct Alias {
  std::string_view from;
  std::string_view to;
};

// Views into `text`, so it cannot be copied.
struct TreeView {
  TreeView() = default;
  TreeView(const TreeView&) = delete;
  TreeView& operator=(const TreeView&) = delete;

  std::array<char, 512> root = {};  // absolute and canonical, without a slash at its end
  size_t root_size = 0;
  // Which manifest this is.
  dev_t device = 0;
  ino_t inode = 0;
  int64_t changed_ns = 0;
  // Mounts show the tree's files already (a unit's, or vgpu-run's): nothing is to be redirected.
  bool mounted = false;

  size_t owned_count = 0, merged_count = 0, alias_count = 0, stem_count = 0;
  std::array<std::string_view, kMaxOwned> owned = {};
  std::array<std::string_view, kMaxMerged> merged = {};
  std::array<Alias, kMaxAliases> aliases = {};
  // The first three names of all those paths, each once: few.
  std::array<std::string_view, kMaxOwned + kMaxMerged + kMaxAliases> stems = {};
  std::array<char, kMaxManifest> text = {};

  std::string_view Root() const { return {root.data(), root_size}; }
  // The path is an owned directory or below one.
  bool IsOwned(std::string_view path) const;
  bool IsMerged(std::string_view path) const;
  // Whether the path can be one of those above, or below one: what is asked first, of every path.
  bool HasStem(std::string_view path) const;
  // Null: it is none.
  const Alias* FindAlias(std::string_view path) const;
};

// Reads the lines of a manifest in `view->text`, of `size` bytes. False: it is not whole, or of
// another format.
bool ParseManifest(size_t size, TreeView* view);

// Null: there is no tree, or its files are in view by mounts.
const TreeView* CurrentView();

}  // namespace vgpu::redirect

#endif  // SHIMS_SYSCALL_TREE_VIEW_H_

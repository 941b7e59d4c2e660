#include "shims/syscall/tree_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "shims/base/file.h"
#include "shims/base/sys.h"
#include "shims/base/text.h"

namespace vgpu::redirect {
namespace {

constexpr const char* kPlaces[] = {"/run/vgpu/root", "/var/lib/vgpu/root"};
constexpr std::string_view kFirstLine = "vgpu-tree 1\n";
constexpr std::string_view kLastLine = "\nend\n";

// Views stay mapped for the life of the process: another thread, or a signal handler, may read
// one. A tree that changes more often than this is not followed any more.
constexpr int kMaxViews = 64;

constinit std::atomic<const TreeView*> current = nullptr;
constinit std::atomic<bool> gone = false;      // the tree that is current was removed
constinit std::atomic<int> views = 0;          // those that were current
constinit std::atomic<int64_t> looked_at = 0;  // seconds of the coarse monotonic clock, plus 1

bool IsBelow(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

void AddStem(std::string_view path, TreeView* view) {
  size_t size = 0;
  for (int names = 0; size < path.size(); ++size) {
    if (path[size] == '/' && ++names == 3) break;
  }
  path.remove_suffix(path.size() - size);
  if (!view->HasStem(path)) view->stems[view->stem_count++] = path;
}

bool Manifest(const char* root, size_t root_size, std::array<char, 600>& path) {
  constexpr std::string_view kName = "/manifest";
  if (root_size + kName.size() + 1 > path.size()) return false;
  memcpy(path.data(), root, root_size);
  memcpy(path.data() + root_size, kName.data(), kName.size());
  path[root_size + kName.size()] = '\0';
  return true;
}

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Whether the first owned PCI function shows the tree's own text without us: then mounts do it.
bool IsMounted(const TreeView& view) {
  for (size_t i = 0; i < view.owned_count; ++i) {
    std::string_view owned = view.owned[i];
    if (!owned.starts_with("sys/devices/")) continue;
    constexpr std::string_view kName = "/uevent";
    std::array<char, 1024> real_path, tree_path;
    if (view.root_size + owned.size() + kName.size() + 2 > tree_path.size()) return false;
    auto write = [&](char* to, std::string_view prefix) {
      auto add = [&to](std::string_view part) {
        memcpy(to, part.data(), part.size());
        to += part.size();
      };
      add(prefix);
      add("/");
      add(owned);
      add(kName);
      *to = '\0';
    };
    write(real_path.data(), "");
    write(tree_path.data(), view.Root());
    std::array<char, 2048> real_buffer, tree_buffer;
    std::string_view real_text, tree_text;
    return ReadSmallFile(real_path.data(), real_buffer, &real_text) == 0 &&
           ReadSmallFile(tree_path.data(), tree_buffer, &tree_text) == 0 && real_text == tree_text;
  }
  return false;
}

// The status of the manifest in `root`; false where there is none.
bool Look(std::string_view root, std::array<char, 600>& path, struct stat* status) {
  return Manifest(root.data(), root.size(), path) &&
         sys::StatAt(AT_FDCWD, path.data(), status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status->st_mode);
}

// VGPU_TREE, as it was when it was first asked for, without slashes at its end: a program may
// change its environment in one thread while another opens files. Empty: none.
std::string_view NamedTree() {
  static constinit std::atomic<int> state = 0;  // 1: being written, 2: written
  static constinit std::array<char, sizeof(TreeView::root)> text = {};
  static constinit std::atomic<size_t> text_size = 0;
  int before = 0;
  if (state.load(std::memory_order_acquire) == 2) return {text.data(), text_size};
  const char* named = secure_getenv("VGPU_TREE");
  std::string_view root;
  if (named != nullptr && named[0] == '/') root = named;
  while (root.size() > 1 && root.back() == '/') root.remove_suffix(1);
  if (root.size() >= text.size()) root = {};
  if (state.compare_exchange_strong(before, 1, std::memory_order_acquire)) {
    memcpy(text.data(), root.data(), root.size());
    text_size = root.size();
    state.store(2, std::memory_order_release);
  }
  return root;
}

// The tree's directory, and its manifest's path and status.
bool FindTree(std::string_view* root, std::array<char, 600>& path, struct stat* status) {
  *root = NamedTree();
  if (!root->empty()) return Look(*root, path, status);
  for (const char* place : kPlaces) {
    *root = place;
    if (Look(*root, path, status)) return true;
  }
  return false;
}

// The name by which the kernel knows the tree's directory, and gives names in it (getcwd(2),
// readlink(2) of a descriptor); `root` where that cannot be told. In `name`, or `root`'s.
std::string_view CanonicalName(std::string_view root, std::span<char, 512> name) {
  if (root.size() >= name.size()) return root;
  memcpy(name.data(), root.data(), root.size());
  name[root.size()] = '\0';
  int fd = sys::OpenAt(AT_FDCWD, name.data(), O_PATH | O_DIRECTORY);
  if (fd < 0) return root;
  std::array<char, 40> link;
  TextWriter(link).Add("/proc/self/fd/").AddNumber(fd);
  long size = syscall(SYS_readlinkat, AT_FDCWD, link.data(), name.data(), name.size());
  sys::Close(fd);
  if (size <= 1 || static_cast<size_t>(size) == name.size() || name[0] != '/') return root;
  return {name.data(), static_cast<size_t>(size)};
}

void Unmap(const TreeView* view) { munmap(const_cast<TreeView*>(view), sizeof(TreeView)); }

// Null where it cannot be read, or is half-written.
const TreeView* Load(std::string_view root, const char* manifest, const struct stat& status) {
  void* memory =
      mmap(nullptr, sizeof(TreeView), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* view = new (memory) TreeView;
  std::string_view text;
  bool read = root.size() < view->root.size() && ReadSmallFile(manifest, view->text, &text) == 0;
  if (read) {
    memcpy(view->root.data(), root.data(), root.size());
    view->root_size = root.size();
    view->device = status.st_dev;
    view->inode = status.st_ino;
    view->changed_ns = Nanoseconds(status.st_mtim);
    read = ParseManifest(text.size(), view);
  }
  if (!read) {
    Unmap(view);
    return nullptr;
  }
  view->mounted = IsMounted(*view);
  return view;
}

void Refresh() {
  const int saved_errno = errno;
  std::string_view root;
  std::array<char, 600> manifest;
  struct stat status = {};
  const bool found = FindTree(&root, manifest, &status);
  gone.store(!found, std::memory_order_relaxed);
  if (found) {
    std::array<char, 512> name;
    root = CanonicalName(root, name);
    const TreeView* known = current.load(std::memory_order_acquire);
    bool same = known != nullptr && known->device == status.st_dev &&
                known->inode == status.st_ino && known->changed_ns == Nanoseconds(status.st_mtim) &&
                known->Root() == root;
    if (!same && views.load(std::memory_order_relaxed) < kMaxViews) {
      const TreeView* fresh = Load(root, manifest.data(), status);
      if (fresh != nullptr) {
        // Of threads that look at once, one's view becomes current; nobody has seen the others'.
        if (current.compare_exchange_strong(known, fresh, std::memory_order_acq_rel)) {
          views.fetch_add(1, std::memory_order_relaxed);
        } else {
          Unmap(fresh);
        }
      }
    }
  }
  errno = saved_errno;
}

}  // namespace

bool TreeView::IsOwned(std::string_view path) const {
  return std::any_of(owned.begin(), owned.begin() + owned_count,
                     [path](std::string_view directory) { return IsBelow(path, directory); });
}

bool TreeView::HasStem(std::string_view path) const {
  // By hand: a call into the C library costs more than the comparison, right after a system call.
  for (size_t i = 0; i < stem_count; ++i) {
    std::string_view stem = stems[i];
    if (path.size() < stem.size()) continue;
    size_t same = 0;
    while (same < stem.size() && path[same] == stem[same]) ++same;
    if (same == stem.size() && (same == path.size() || path[same] == '/')) return true;
  }
  return false;
}

bool TreeView::IsMerged(std::string_view path) const {
  return std::find(merged.begin(), merged.begin() + merged_count, path) !=
         merged.begin() + merged_count;
}

const Alias* TreeView::FindAlias(std::string_view path) const {
  const Alias* end = aliases.data() + alias_count;
  const Alias* found =
      std::find_if(aliases.data(), end, [path](const Alias& alias) { return alias.from == path; });
  return found == end ? nullptr : found;
}

bool ParseManifest(size_t size, TreeView* view) {
  std::string_view text(view->text.data(), size);
  if (!text.starts_with(kFirstLine) || !text.ends_with(kLastLine)) return false;
  text.remove_prefix(kFirstLine.size());
  text.remove_suffix(kLastLine.size() - 1);  // the newline of the line before stays
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    size_t space = line.find(' ');
    if (space == std::string_view::npos) return false;
    std::string_view word = line.substr(0, space);
    std::string_view path = Behind(space + 1, line);
    if (path.empty() || path[0] == '/') return false;
    if (word == "own" && view->owned_count < kMaxOwned) {
      view->owned[view->owned_count++] = path;
    } else if (word == "merge" && view->merged_count < kMaxMerged) {
      view->merged[view->merged_count++] = path;
    } else if (word == "alias" && view->alias_count < kMaxAliases) {
      size_t to = path.find(' ');
      if (to == std::string_view::npos || to + 1 == path.size()) return false;
      view->aliases[view->alias_count++] = {path.substr(0, to), Behind(to + 1, path)};
    } else {
      return false;
    }
    AddStem(word == "alias" ? view->aliases[view->alias_count - 1].from : path, view);
  }
  return true;
}

const TreeView* CurrentView() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  int64_t second = int64_t{now.tv_sec} + 1;
  if (looked_at.load(std::memory_order_relaxed) != second) {
    // Several threads may look at once, the first time: none goes on without having looked.
    Refresh();
    looked_at.store(second, std::memory_order_relaxed);
  }
  const TreeView* view = current.load(std::memory_order_acquire);
  return view == nullptr || view->mounted || gone.load(std::memory_order_relaxed) ? nullptr : view;
}

}  // namespace vgpu::redirect

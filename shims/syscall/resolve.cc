#include "shims/syscall/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "shims/base/text.h"

namespace vgpu::redirect {
namespace {

// As the kernel's (MAXSYMLINKS, linux/namei.h).
constexpr int kMaxLinks = 40;

// A path without a slash before it and with none behind it; "" is the root.
class Path {
 public:
  std::string_view view() const { return {text_, size_}; }
  void Clear() { size_ = 0; }
  bool Assign(std::string_view path) {
    Clear();
    return Append(path);
  }
  // "a" and "b/c" become "a/b/c".
  bool Append(std::string_view more) {
    size_t slash = size_ == 0 ? 0 : 1;
    if (size_ + slash + more.size() + 1 > kMaxPath) return false;
    if (slash != 0) text_[size_++] = '/';
    memcpy(text_ + size_, more.data(), more.size());
    size_ += more.size();
    return true;
  }
  void Pop() {
    size_t slash = view().rfind('/');
    size_ = slash == std::string_view::npos ? 0 : slash;
  }

 private:
  size_t size_ = 0;
  char text_[kMaxPath];
};

// Text that is still to be walked: it grows at its front, as links are followed.
class Rest {
 public:
  bool Assign(std::string_view path) {
    begin_ = sizeof text_;
    return Prepend(path);
  }
  bool Prepend(std::string_view path) {
    if (path.size() + 1 > begin_) return false;
    text_[--begin_] = '/';
    begin_ -= path.size();
    memcpy(text_ + begin_, path.data(), path.size());
    return true;
  }
  // The next component; empty when there is none left.
  std::string_view Take() {
    while (begin_ < sizeof text_ && text_[begin_] == '/') ++begin_;
    size_t start = begin_;
    while (begin_ < sizeof text_ && text_[begin_] != '/') ++begin_;
    return {text_ + start, begin_ - start};
  }
  bool IsEmpty() const {
    return std::all_of(text_ + begin_, text_ + sizeof text_, [](char c) { return c == '/'; });
  }

 private:
  size_t begin_ = 0;
  char text_[2 * kMaxPath];
};

bool Write(std::string_view prefix, std::string_view path, std::span<char, kMaxPath> to) {
  if (prefix.size() + 1 + path.size() + 1 > to.size()) return false;
  memcpy(to.data(), prefix.data(), prefix.size());
  to[prefix.size()] = '/';
  memcpy(to.data() + prefix.size() + 1, path.data(), path.size());
  to[prefix.size() + 1 + path.size()] = '\0';
  return true;
}

// The target of the link at `path`; empty where it is none.
std::string_view ReadLink(const char* path, std::span<char, kMaxPath> target) {
  // Not the C library's: that is ours, perhaps.
  long size = syscall(SYS_readlinkat, AT_FDCWD, path, target.data(), target.size());
  if (size <= 0 || static_cast<size_t>(size) == target.size()) return {};
  return {target.data(), static_cast<size_t>(size)};
}

bool StartsWithRoot(std::string_view path, const TreeView& view) {
  return path.starts_with(view.Root()) &&
         (path.size() == view.root_size || path[view.root_size] == '/');
}

// Where a relative path begins: the canonical name of the directory, as the program knows it.
// Whether it is in the tree is told by `inside`.
bool StartingPoint(const TreeView& view, const Process& process, int directory, Path& start,
                   bool* inside) {
  char name[kMaxPath];
  std::string_view path;
  if (directory == AT_FDCWD && process.id == 0) {
    long size = syscall(SYS_getcwd, name, sizeof name);  // with its NUL
    if (size <= 1) return false;
    path = {name, static_cast<size_t>(size) - 1};
  } else {
    std::array<char, 60> link;
    TextWriter text(link);
    text.Add("/proc/");
    if (process.id == 0) {
      text.Add("self");
    } else {
      text.AddNumber(process.id);
    }
    if (directory == AT_FDCWD) {
      text.Add("/cwd");
    } else {
      text.Add("/fd/").AddNumber(directory);
    }
    path = ReadLink(link.data(), name);
  }
  if (path.empty() || path[0] != '/') return false;  // "(unreachable)/…", or no directory
  *inside = StartsWithRoot(path, view);
  if (*inside) path.remove_prefix(view.root_size);
  if (!path.empty()) path.remove_prefix(1);
  return start.Assign(path);
}

// Whether a relative path can lead to something of ours from a directory of the host: from
// within /sys or /proc, or by a name in it. ("../include/x.h", from a directory of sources, is
// what most programs open by such a path.)
bool CanReach(std::string_view start, std::string_view path) {
  return start.empty() || start.starts_with("sys") || start.starts_with("proc") ||
         path.find(':') != std::string_view::npos || path.find("sys") != std::string_view::npos ||
         path.find("proc") != std::string_view::npos;
}

// The target of the link `path`, seen with the tree in its place; empty: it is none.
std::string_view LinkTarget(const TreeView& view, const Process& process, std::string_view path,
                            std::span<char, kMaxPath> target) {
  std::array<char, kMaxPath> real;
  bool ours = view.IsOwned(path) || view.FindAlias(path) != nullptr;
  std::array<char, 40> root;
  TextWriter prefix(root);
  if (ours) {
    if (!Write(view.Root(), path, real)) return {};
    return ReadLink(real.data(), target);
  }
  if (process.id != 0) {
    // procfs answers for who asks.
    if (path == "proc/self") {
      TextWriter own(target);
      own.AddNumber(process.id);
      return own.view();
    }
    prefix.Add("/proc/").AddNumber(process.id).Add("/root");
  }
  if (!Write(root.data(), path, real)) return {};
  return ReadLink(real.data(), target);
}

struct Walked {
  Path path;            // canonical, but for a last link that is not followed
  bool inside = false;  // the walk began in the tree, or went through it
};

// False: the path cannot be followed, and the kernel may say why.
bool Walk(const TreeView& view, const Process& process, int directory, std::string_view path,
          bool follow_last, Walked* walked) {
  Rest rest;
  if (!rest.Assign(path)) return false;
  if (path[0] == '/') {
    walked->path.Clear();
  } else if (!StartingPoint(view, process, directory, walked->path, &walked->inside) ||
             (!walked->inside && !CanReach(walked->path.view(), path))) {
    return false;
  }
  bool wants_directory = path.back() == '/';
  int links = 0;
  for (std::string_view name = rest.Take(); !name.empty(); name = rest.Take()) {
    if (name == ".") continue;
    if (name == "..") {
      walked->path.Pop();
      continue;
    }
    if (!walked->path.Append(name)) return false;
    bool last = rest.IsEmpty();
    std::array<char, kMaxPath> buffer;
    std::string_view target = LinkTarget(view, process, walked->path.view(), buffer);
    if (!target.empty() && (!last || follow_last || wants_directory)) {
      if (++links > kMaxLinks) return false;
      walked->path.Pop();
      if (target[0] == '/') {
        walked->path.Clear();
        if (StartsWithRoot(target, view)) target.remove_prefix(view.root_size);
        if (target.empty()) continue;
      } else if (target.find(":[") != std::string_view::npos) {
        return false;  // "pipe:[4711]", a descriptor that has no path
      }
      if (!rest.Prepend(target)) return false;
    }
    if (view.IsOwned(walked->path.view())) walked->inside = true;
  }
  return true;
}

// From a canonical path as the program knows it to the file.
Resolved Place(const TreeView& view, const Walked& walked, Purpose purpose,
               std::span<char, kMaxPath> resolved) {
  std::string_view path = walked.path.view();
  bool in_tree = view.IsOwned(path) || (purpose == Purpose::kOpen && view.IsMerged(path)) ||
                 (purpose == Purpose::kNoFollow && view.FindAlias(path) != nullptr);
  if (in_tree) {
    std::string_view prefix = purpose == Purpose::kName ? std::string_view() : view.Root();
    return Write(prefix, path, resolved) ? Resolved::kInTree : Resolved::kNot;
  }
  // What leads out of the tree leads to the host's file of that name.
  return walked.inside && Write("", path, resolved) ? Resolved::kOutside : Resolved::kNot;
}

// A path that is nothing but names and single slashes, below an owned directory by its own name or
// an alias: no look at a file system is needed. False: it is none of these.
bool ResolveByName(const TreeView& view, std::string_view path, Purpose purpose,
                   std::span<char, kMaxPath> resolved) {
  if (purpose == Purpose::kName) return false;
  auto place = [&](std::string_view from, std::string_view to) {
    std::string_view below = Behind(from.size(), path);
    // Links inside an owned directory lead out of it.
    if (below.find('/', 1) != std::string_view::npos) return false;
    if (below.empty() && purpose == Purpose::kNoFollow) to = from;
    if (view.Root().size() + to.size() + below.size() + 2 > resolved.size()) return false;
    Write(view.Root(), to, resolved);
    memcpy(resolved.data() + view.root_size + 1 + to.size(), below.data(), below.size());
    resolved[view.root_size + 1 + to.size() + below.size()] = '\0';
    return true;
  };
  auto is_below = [path](std::string_view directory) {
    return path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/');
  };
  for (size_t i = 0; i < view.owned_count; ++i) {
    if (is_below(view.owned[i])) return place(view.owned[i], view.owned[i]);
  }
  for (size_t i = 0; i < view.alias_count; ++i) {
    if (is_below(view.aliases[i].from)) return place(view.aliases[i].from, view.aliases[i].to);
  }
  return false;
}

// Names and single slashes alone, from the root.
bool IsClean(std::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '/') continue;
    if (i + 1 == path.size() || path[i + 1] == '/' || path[i + 1] == '.') return false;
  }
  return path[0] == '/';
}

// Whether a clean, absolute path can lead to something of ours by a link of the host's: those of
// /sys/class, /sys/block and /sys/dev lead to devices, those of /proc to a process's files.
bool MayLeadThere(const TreeView& view, std::string_view path) {
  if (path.starts_with("/sys/devices/") || path.starts_with("/sys/bus/") ||
      path.starts_with("/proc/driver/")) {
    return view.IsOwned(Behind(1, path)) || view.IsMerged(Behind(1, path)) ||
           std::any_of(
               view.aliases.data(), view.aliases.data() + view.alias_count,
               [path](const Alias& alias) { return Behind(1, path).starts_with(alias.from); }) ||
           path.find("/subsystem") != std::string_view::npos ||
           path.find("/driver/") != std::string_view::npos ||
           path.find("/device/") != std::string_view::npos;
  }
  if (path.starts_with("/sys/")) return path.find("/device") != std::string_view::npos;
  if (path.starts_with("/proc/")) {
    return path.find("/root/") != std::string_view::npos ||
           path.find("/cwd") != std::string_view::npos ||
           path.find("/fd/") != std::string_view::npos;
  }
  return true;  // it has a colon in it
}

Resolved ResolveIn(const TreeView& view, const Process& process, int directory, const char* text,
                   Purpose purpose, std::span<char, kMaxPath> resolved) {
  std::string_view path(text);
  if (path.empty() || path.size() >= kMaxPath) return Resolved::kNot;
  if (IsClean(path)) {
    if (ResolveByName(view, Behind(1, path), purpose, resolved)) return Resolved::kInTree;
    if (!MayLeadThere(view, path)) return Resolved::kNot;
  }
  Walked walked;
  if (!Walk(view, process, directory, path, purpose != Purpose::kNoFollow, &walked)) {
    return Resolved::kNot;
  }
  return Place(view, walked, purpose, resolved);
}

bool Ends(const char* path, const char* end, std::string_view name) {
  auto size = static_cast<size_t>(end - path);
  return size >= name.size() && memcmp(end - name.size(), name.data(), name.size()) == 0 &&
         (size == name.size() || end[-1 - static_cast<ptrdiff_t>(name.size())] == '/');
}

}  // namespace

bool MayBeOurs(const char* path) {
  if (path == nullptr) return false;
  if (path[0] == '/') {
    if (path[1] == 's' && path[2] == 'y' && path[3] == 's') return true;
    if (path[1] == 'p' && path[2] == 'r' && path[3] == 'o' && path[4] == 'c') return true;
  }
  const char* c = path;
  bool at_start = path[0] != '/';  // of a component
  for (; *c != '\0'; ++c) {
    if (*c == ':') return true;
    if (at_start && *c == '.') {
      if (c[1] == '.' && (c[2] == '/' || c[2] == '\0')) return true;
      if (c[1] == '/' && path[0] == '/') return true;
    }
    if (*c == '/' && at_start && c != path) return true;  // "//"
    at_start = *c == '/';
  }
  if (path[0] == '/') return false;
  // From /sys, /sys/bus, /sys/bus/pci or /proc.
  return Ends(path, c, "devices") || Ends(path, c, "drivers") || Ends(path, c, "driver") ||
         strstr(path, "nvidia") != nullptr;
}

Resolved Resolve(int directory, const char* path, Purpose purpose,
                 std::span<char, kMaxPath> resolved) {
  const int saved_errno = errno;
  const TreeView* view = CurrentView();
  Resolved done = Resolved::kNot;
  if (view != nullptr) done = ResolveIn(*view, {}, directory, path, purpose, resolved);
  errno = saved_errno;
  return done;
}

Resolved ResolveFor(const TreeView& view, const Process& process, int directory, const char* path,
                    Purpose purpose, std::span<char, kMaxPath> resolved) {
  if (path[0] == '/' && !MayBeOurs(path)) return Resolved::kNot;
  const int saved_errno = errno;
  Resolved done = ResolveIn(view, process, directory, path, purpose, resolved);
  errno = saved_errno;
  return done;
}

size_t HideTree(const TreeView& view, char* path, size_t size) {
  if (!StartsWithRoot({path, size}, view)) return size;
  size_t left = size - view.root_size;
  if (left == 0) {
    path[0] = '/';
    return 1;
  }
  memmove(path, path + view.root_size, left);
  return left;
}

size_t HideTree(char* path, size_t size) {
  if (size == 0 || path[0] != '/') return size;
  const TreeView* view = CurrentView();
  return view == nullptr ? size : HideTree(*view, path, size);
}

}  // namespace vgpu::redirect

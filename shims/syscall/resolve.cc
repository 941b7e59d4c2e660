#include "shims/syscall/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "shims/base/sys.h"
#include "shims/base/text.h"

namespace vgpu::redirect {
namespace {

// As the kernel's (MAXSYMLINKS, linux/namei.h).
constexpr int kMaxLinks = 40;

// Whether this process may have a directory of the tree as its working directory, or open.
enum class Entered : int { kUnknown, kNo, kYes };
constinit std::atomic<Entered> entered = Entered::kUnknown;

bool Opens(Purpose purpose) {
  return purpose == Purpose::kOpen || purpose == Purpose::kOpenNoFollow;
}

bool Follows(Purpose purpose) {
  return purpose != Purpose::kOpenNoFollow && purpose != Purpose::kNoFollow;
}

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
    std::copy(more.begin(), more.end(), text_ + size_);
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
    std::copy(path.begin(), path.end(), text_ + begin_);
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
  char* end = std::copy(prefix.begin(), prefix.end(), to.data());
  *end++ = '/';
  std::copy(path.begin(), path.end(), end);
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

bool IsLink(const char* path) {
  char first;
  return syscall(SYS_readlinkat, AT_FDCWD, path, &first, 1) == 1;
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
  // The path asks for a directory (a slash or a dot at its end): the kernel is to say so if it is
  // none.
  bool wants_directory = false;
};

// Whether what `path` names, in the tree or on the host, is a directory.
bool IsDirectory(const TreeView& view, const Process& process, std::string_view path) {
  std::array<char, kMaxPath> real;
  std::array<char, 40> root;
  TextWriter prefix(root);
  if (process.id != 0) prefix.Add("/proc/").AddNumber(process.id).Add("/root");
  struct stat status = {};
  return Write(view.IsOwned(path) ? view.Root() : prefix.view(), path, real) &&
         sys::StatAt(AT_FDCWD, real.data(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

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
  walked->wants_directory = path.back() == '/' || path.ends_with("/.");
  int links = 0;
  for (std::string_view name = rest.Take(); !name.empty(); name = rest.Take()) {
    if (name == ".") continue;
    if (name == "..") {
      // The host may have a directory of that name where the tree has none: what the kernel says
      // of the host's would not be true. It is asked of the tree's.
      if (!IsDirectory(view, process, walked->path.view())) {
        walked->wants_directory = true;
        return view.IsOwned(walked->path.view());
      }
      walked->path.Pop();
      continue;
    }
    if (!walked->path.Append(name)) return false;
    bool last = rest.IsEmpty();
    std::array<char, kMaxPath> buffer;
    std::string_view target = LinkTarget(view, process, walked->path.view(), buffer);
    if (!target.empty() && (!last || follow_last || walked->wants_directory)) {
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
  bool in_tree = view.IsOwned(path) || (purpose != Purpose::kName && view.IsMerged(path)) ||
                 (!Follows(purpose) && view.FindAlias(path) != nullptr);
  // What leads out of the tree leads to the host's file of that name.
  if (!in_tree && !walked.inside) return Resolved::kNot;
  std::string_view prefix = in_tree && purpose != Purpose::kName ? view.Root() : std::string_view();
  if (!Write(prefix, path, resolved)) return Resolved::kNot;
  if (walked.wants_directory && !path.empty()) {
    size_t size = prefix.size() + 1 + path.size();
    if (size + 2 > resolved.size()) return Resolved::kNot;
    resolved[size] = '/';
    resolved[size + 1] = '\0';
  }
  return in_tree ? Resolved::kInTree : Resolved::kOutside;
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
    if (below.empty() && !Follows(purpose)) to = from;
    if (view.Root().size() + to.size() + below.size() + 2 > resolved.size()) return false;
    Write(view.Root(), to, resolved);
    memcpy(resolved.data() + view.root_size + 1 + to.size(), below.data(), below.size());
    resolved[view.root_size + 1 + to.size() + below.size()] = '\0';
    return below.empty() || !Follows(purpose) || !IsLink(resolved.data());
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

// What the text of an absolute path says. One pass, without the C library: see HasStem.
struct Look {
  bool is_clean = true;        // names and single slashes alone
  bool may_have_link = false;  // it has a name like those of the links that MayLeadThere looks for
};

Look LookAt(std::string_view path) {
  Look look;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '/') continue;
    if (path.size() - i < 3) {
      if (i + 1 == path.size() || path[i + 1] == '/' || path[i + 1] == '.') look.is_clean = false;
      continue;
    }
    switch (path[i + 1]) {
      case '/':
      case '.':
        look.is_clean = false;
        break;
      case 'd':  // device, driver; not /sys/devices
        if ((path[i + 2] == 'e' && i != 4) || path[i + 2] == 'r') look.may_have_link = true;
        break;
      case 's':  // subsystem
        if (path[i + 2] == 'u') look.may_have_link = true;
        break;
      case 'p':  // physical_node
        if (path[i + 2] == 'h') look.may_have_link = true;
        break;
      case 'r':  // root
        if (path[i + 2] == 'o') look.may_have_link = true;
        break;
      case 'c':  // cwd
        if (path[i + 2] == 'w') look.may_have_link = true;
        break;
      case 'f':  // fd
        if (path[i + 2] == 'd') look.may_have_link = true;
        break;
      default:
        break;
    }
  }
  return look;
}

// Whether a clean, absolute path can lead to something of ours by a link of the host's: those of
// /sys/class, /sys/block and /sys/dev lead to devices, those of /proc to a process's files.
bool MayLeadThere(const TreeView& view, std::string_view path) {
  if (view.IsMerged(Behind(1, path))) return true;  // /proc/driver, with no slash behind it
  if (path == "/sys" || path == "/proc") return false;
  if (path.starts_with("/sys/devices/") || path.starts_with("/sys/bus/") ||
      path.starts_with("/proc/driver/")) {
    return view.IsOwned(Behind(1, path)) ||
           std::any_of(
               view.aliases.data(), view.aliases.data() + view.alias_count,
               [path](const Alias& alias) { return Behind(1, path).starts_with(alias.from); }) ||
           path.find("/subsystem") != std::string_view::npos ||
           path.find("/driver/") != std::string_view::npos ||
           path.find("/physical_node") != std::string_view::npos ||
           path.find("/device/") != std::string_view::npos;
  }
  if (path.starts_with("/sys/")) return path.find("/device") != std::string_view::npos;
  if (path.starts_with("/proc/")) {
    return path.find("/root/") != std::string_view::npos ||
           path.find("/cwd") != std::string_view::npos ||
           path.find("/fd/") != std::string_view::npos;
  }
  return true;  // it has the name of a PCI function in it
}

[[gnu::noinline]] Resolved ResolveByWalk(const TreeView& view, const Process& process,
                                         int directory, std::string_view path, Purpose purpose,
                                         std::span<char, kMaxPath> resolved) {
  Walked walked;
  if (!Walk(view, process, directory, path, Follows(purpose), &walked)) return Resolved::kNot;
  return Place(view, walked, purpose, resolved);
}

bool IsInSysOrProc(std::string_view path) {
  if (path.size() < 6) return false;
  return (path[1] == 's' && path[2] == 'y' && path[3] == 's' && path[4] == '/') ||
         (path[1] == 'p' && path[2] == 'r' && path[3] == 'o' && path[4] == 'c' && path[5] == '/');
}

// Little stack is used where no look at a file system is needed: a signal's handler, on a stack of
// its own of 8 KiB, reads /proc/self/maps.
Resolved ResolveIn(const TreeView& view, const Process& process, int directory, const char* text,
                   Purpose purpose, std::span<char, kMaxPath> resolved) {
  std::string_view path(text);
  if (path.empty() || path.size() >= kMaxPath) return Resolved::kNot;
  if (path[0] == '/') {
    const Look look = LookAt(path);
    if (look.is_clean) {
      const bool has_stem = view.HasStem(Behind(1, path));
      if (has_stem && ResolveByName(view, Behind(1, path), purpose, resolved)) {
        return Resolved::kInTree;
      }
      if (!has_stem && !look.may_have_link && IsInSysOrProc(path)) return Resolved::kNot;
      if (!MayLeadThere(view, path)) return Resolved::kNot;
    }
  }
  return ResolveByWalk(view, process, directory, path, purpose, resolved);
}

bool Ends(const char* path, const char* end, std::string_view name) {
  auto size = static_cast<size_t>(end - path);
  return size >= name.size() && memcmp(end - name.size(), name.data(), name.size()) == 0 &&
         (size == name.size() || end[-1 - static_cast<ptrdiff_t>(name.size())] == '/');
}

// Eight bytes that are one another's copies.
constexpr uint64_t Eight(unsigned char byte) { return byte * uint64_t{0x0101010101010101}; }

// Has the highest bit of each byte of `word` set that is zero, and perhaps of bytes above such a
// one: not zero exactly if there is one.
constexpr uint64_t Zeros(uint64_t word) { return (word - Eight(1)) & ~word & Eight(0x80); }

// Whether there is a colon in the text, or a slash with a slash or a dot behind it.
bool IsUnusual(const char* text, size_t size) {
  auto is_unusual = [](uint64_t word) {
    // '.' and '/' differ in the lowest bit alone. Bytes behind: the low one is first.
    uint64_t slash = word ^ Eight('/');
    uint64_t behind = ((word | Eight(1)) ^ Eight('/')) >> 8 | uint64_t{0xff} << 56;
    return (Zeros(slash | behind) | Zeros(word ^ Eight(':'))) != 0;
  };
  uint64_t word;
  if (size < sizeof word) {
    word = 0;
    memcpy(&word, text, size);
    return is_unusual(word);
  }
  // The pair at the end of one word is in the next one too.
  for (size_t i = 0; i + sizeof word <= size; i += sizeof word - 1) {
    memcpy(&word, text + i, sizeof word);
    if (is_unusual(word)) return true;
  }
  memcpy(&word, text + size - sizeof word, sizeof word);
  return is_unusual(word);
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Whether a colon at `at` is the first one in the name of a PCI function, "0000:00:05.0".
bool IsAddress(std::string_view path, size_t at) {
  return at >= 4 && at + 3 < path.size() && path[at + 3] == ':' && IsHex(path[at - 1]) &&
         IsHex(path[at - 2]) && IsHex(path[at - 3]) && IsHex(path[at - 4]) && IsHex(path[at + 1]) &&
         IsHex(path[at + 2]);
}

// Whether a colon at `at` is the one in the name of a host bridge, "pci0000:00".
bool IsHostBridge(std::string_view path, size_t at) {
  return at >= 7 && Behind(at - 7, path).starts_with("pci") && IsHex(path[at - 1]) &&
         IsHex(path[at - 2]) && IsHex(path[at - 3]) && IsHex(path[at - 4]);
}

// Whether there is the name of a PCI function or a host bridge in the path, a "..", or in an
// absolute one a "." or an empty name.
bool HasTellingName(std::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == ':' && (IsAddress(path, i) || IsHostBridge(path, i))) return true;
    if (path[i] != '/' && i != 0) continue;
    std::string_view name = Behind(path[i] == '/' ? i + 1 : i, path);
    if (name.starts_with("..") && (name.size() == 2 || name[2] == '/')) return true;
    if (path[0] == '/' && (name.starts_with('/') || name.starts_with("./"))) return true;
  }
  return false;
}

// Trees have something below /sys/bus/pci, /sys/devices/pci* and /proc/driver, and lists of what is
// above those.
bool LooksOursInSys(std::string_view path) {
  const Look look = LookAt(path);
  if (!look.is_clean || look.may_have_link) return true;
  if (path.size() < 6) return true;
  if (path[5] == 'b') return path == "/sys/bus" || path.starts_with("/sys/bus/pci");
  if (path[5] != 'd') return false;
  return path == "/sys/devices" || path.starts_with("/sys/devices/pci");
}

// The part of MayBeOurs that the text tells.
bool LooksOurs(const char* path) {
  if (path[0] == '/') {
    auto is_end = [](char c) { return c == '/' || c == '\0'; };
    if (path[1] == 's' && path[2] == 'y' && path[3] == 's' && is_end(path[4])) {
      return LooksOursInSys(path);
    }
    if (path[1] == 'p' && path[2] == 'r' && path[3] == 'o' && path[4] == 'c' && is_end(path[5])) {
      const Look look = LookAt(path);
      return path[5] == '\0' || !look.is_clean || look.may_have_link;  // "driver" is among those
    }
    size_t size = strlen(path);
    return IsUnusual(path, size) && HasTellingName({path, size});
  }
  size_t size = strlen(path);
  if ((path[0] == '.' || IsUnusual(path, size)) && HasTellingName({path, size})) return true;
  // From /sys, /sys/bus, /sys/bus/pci or /proc.
  const char* end = path + size;
  return Ends(path, end, "devices") || Ends(path, end, "drivers") || Ends(path, end, "driver") ||
         strstr(path, "nvidia") != nullptr;
}

// Whether the working directory is in the tree.
[[gnu::noinline]] bool BeganInTree() {
  const int saved_errno = errno;
  char name[kMaxPath];
  const TreeView* view = CurrentView();
  bool inside = false;
  if (view != nullptr) {
    long size = syscall(SYS_getcwd, name, sizeof name);
    inside = size > 1 && StartsWithRoot({name, static_cast<size_t>(size) - 1}, *view);
  }
  errno = saved_errno;
  return inside;
}

// Whether a directory, which is open, can be in the tree: this is asked for every name below one,
// in a program that walks over all files, and the name of it costs far more.
bool IsOnTreesDevice(const TreeView& view, int directory) {
  struct stat status = {};
  return directory == AT_FDCWD ||
         (sys::Stat(directory, &status) == 0 && status.st_dev == view.device);
}

}  // namespace

bool MayBeOurs(const char* path) {
  if (path == nullptr) return false;
  if (LooksOurs(path)) return true;
  if (path[0] == '/' || path[0] == '\0') return false;
  Entered known = entered.load(std::memory_order_relaxed);
  if (known == Entered::kUnknown) {
    known = BeganInTree() ? Entered::kYes : Entered::kNo;
    Entered unknown = Entered::kUnknown;
    entered.compare_exchange_strong(unknown, known, std::memory_order_relaxed);
  }
  return known == Entered::kYes;
}

Resolved Resolve(int directory, const char* path, Purpose purpose,
                 std::span<char, kMaxPath> resolved) {
  const int saved_errno = errno;
  const TreeView* view = CurrentView();
  Resolved done = Resolved::kNot;
  if (view != nullptr && (path[0] == '/' || LooksOurs(path) || IsOnTreesDevice(*view, directory))) {
    done = ResolveIn(*view, {}, directory, path, purpose, resolved);
  }
  if (done == Resolved::kInTree && Opens(purpose)) {
    entered.store(Entered::kYes, std::memory_order_relaxed);
  }
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

// From a path as a program gives it to the file that it means, where that is in the synthetic
// tree.
//
//   std::array<char, kMaxPath> redirected;
//   if (MayBeOurs(path) &&
//       Resolve(directory, path, Purpose::kOpen, redirected) != Resolved::kNot) {
//     path = redirected.data();
//   }
//
// The kernel resolves paths against its own file systems; here the same is done against those with
// the tree in them: component by component, with "..", "//", links of the host and of the tree,
// names relative to a directory or to the working directory, and the names that procfs gives to
// a process's root, directories and descriptors (path_resolution(7)).
//
// Thread-safe, async-signal-safe, safe after fork and vfork; errno is kept.

#ifndef SHIMS_SYSCALL_RESOLVE_H_
#define SHIMS_SYSCALL_RESOLVE_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "shims/syscall/tree_view.h"

namespace vgpu::redirect {

inline constexpr size_t kMaxPath = 4096;  // PATH_MAX, linux/limits.h

// A merged directory is the tree's, to open and in its attributes: a program that walks over files
// asks whether what it has opened is what it has seen (fts: device and inode).
enum class Purpose {
  kOpen,          // the last component is followed
  kOpenNoFollow,  // it is not (O_NOFOLLOW)
  kFollow,        // followed: stat
  kNoFollow,      // the last component itself: lstat, readlink
  kName,          // followed; the canonical name as the program is to see it (realpath)
};

// Whether the path can be ours: false for nearly all, in a few nanoseconds. What is taken for
// granted of a tree is that all of it is below /sys/bus/pci, /sys/devices/pci* and /proc/driver, or
// lists what is above those. An absolute path is judged from its text alone, and so is a relative
// one in a process that has no directory of the tree open: a name that leads from a directory of
// the host into the tree has a name in it that gives it away. In a process that has opened
// something of the tree, or began in it, any relative one may be: what lies below a merged
// directory is the host's.
//
// A descriptor of a directory of the tree that another program has left open is not known of,
// until this one opens something of the tree itself.
bool MayBeOurs(const char* path);

enum class Resolved {
  kNot,      // the call is to be made as it was
  kInTree,   // the file's path in the tree is in `resolved`
  kOutside,  // the way led through the tree to a file of the host: its path is in `resolved`
};

// Whose path it is: its working directory, descriptors and root directory are meant. A caller
// that answers for another process has the rights to read them (proc(5)).
struct Process {
  pid_t id = 0;  // 0: the calling one
};

// `directory` may be AT_FDCWD. The file need not exist. For Purpose::kName the answer is the name
// that the program knows, also where it is kInTree.
Resolved Resolve(int directory, const char* path, Purpose purpose,
                 std::span<char, kMaxPath> resolved);

// The same with a view of the caller's, for a path of another process. A relative path is looked
// at whatever its names are: the process may have entered a directory of the host in whose
// place the tree has one. A file that is kOutside is named by its path in that process's root.
Resolved ResolveFor(const TreeView& view, const Process& process, int directory, const char* path,
                    Purpose purpose, std::span<char, kMaxPath> resolved);

// Takes the tree's own directory off a path that the kernel has given (getcwd, readlink), in
// place. `size` is its length; returns the new one.
size_t HideTree(char* path, size_t size);
size_t HideTree(const TreeView& view, char* path, size_t size);

}  // namespace vgpu::redirect

#endif  // SHIMS_SYSCALL_RESOLVE_H_

// The synthetic tree: what sysfs and procfs would show of the virtual devices.
//
//   absl::StatusOr<HostPci> host = ReadHostPci("/");
//   Tree tree = MakeTree(configuration, *host);
//   absl::Status written = WriteTree(tree, "/var/lib/vgpu/root");
//
// One tree, and four ways that lead a program to it (bound into a unit, mounted by vgpu-run,
// paths redirected by libvgpu-syscall.so, system calls answered by vgpu-run --notify): they
// differ in how a path gets there, and in nothing that is read. Every value is that of
// shims/device.
//
// Paths in a tree are relative to its root and mirror the host's: "sys/devices/pci0000:00/
// 0000:00:05.0/vendor". Symbolic links are relative, and stay inside the tree. A directory that the
// host has too, and of which a listing has to show ours beside the host's, is *merged*:
// it holds the host's links as they are and an empty directory for each of its
// directories, so that names and types are right; what lies below those is the host's. Where the
// host has all names of ours there, the directory is in the tree and counts as the host's.
//
// Where the host has a function at a device's address, the tree has the device in its place; where
// it has none, under the host bridge of that bus.
//
// What a file holds, and in which form: Linux 6.1, drivers/pci/pci-sysfs.c and lib/kobject.c
// (uevent); the configuration space: PCI Local Bus 3.0, 6.1, and PCI Express Base 4.0, 7.5;
// /proc/driver/nvidia: the NVIDIA driver's README, "The /proc interface".

#ifndef SHIMS_TREE_TREE_H_
#define SHIMS_TREE_TREE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "shims/device/device.h"

namespace vgpu::tree {

// What a host's sysfs says of its PCI functions.
struct HostPci {
  struct Node {
    bool is_directory = false;
    std::string target;  // of a symbolic link, verbatim; empty: none
  };
  // Names of a directory of sysfs, by the directory: "sys/bus/pci/devices". Those that merged
  // directories need.
  std::map<std::string, std::map<std::string, Node>> directories;
  // Where a function's own directory is: "0000:00:05.0" to "sys/devices/pci0000:00/0000:00:05.0".
  std::map<std::string, std::string> functions;
  // Secondary bus of a bridge, "0000:01", to the bridge's directory; host bridges ("pci0000:00")
  // are among them.
  std::map<std::string, std::string> buses;
  std::string local_cpus = "1";  // as a function's local_cpus and local_cpulist say
  std::string local_cpulist = "0";
};

// `root` is "/", or a directory that holds a copy of `sys` and `proc/driver`. A machine without PCI
// has no functions; that is no error. Errors name the path.
absl::StatusOr<HostPci> ReadHostPci(const std::string& root);

struct Entry {
  enum class Kind { kDirectory, kFile, kLink };
  Kind kind = Kind::kFile;
  std::string content;  // of a file; the target of a link
  int mode = 0444;      // of a file
};

struct Tree {
  std::map<std::string, Entry> entries;  // by path; a parent before its children
  // Whole subtrees that are ours, and merged directories; see Manifest.
  std::vector<std::string> owned;
  std::vector<std::string> merged;
  // A link's path and what it leads to, for each link to an owned directory from outside it.
  std::map<std::string, std::string> aliases;
};

Tree MakeTree(const device::Configuration& configuration, const HostPci& host);

// The file "manifest" at a tree's root, which says to a redirecting library what is ours:
//
//   vgpu-tree 1
//   own sys/devices/pci0000:00/0000:00:05.0        this directory and all below it
//   merge sys/bus/pci/devices                       a listing of it; what is below is the host's
//   alias sys/bus/pci/devices/0000:00:05.0 sys/devices/pci0000:00/0000:00:05.0
//   end
//
// Without its last line it is half-written, and nothing is redirected.
std::string Manifest(const Tree& tree);

// Writes the tree as the directory `directory`, whose parent exists. A reader sees the old
// tree or the new one, never a half: it is written beside it and exchanged by renameat2(2); the
// old one is then removed. Who has a directory of the old one open keeps it. Errors name the path
// and leave the old tree as it was.
absl::Status WriteTree(const Tree& tree, const std::string& directory);

// The 256 bytes of a device's configuration space.
std::string ConfigurationSpace(const device::Device& device);

}  // namespace vgpu::tree

#endif  // SHIMS_TREE_TREE_H_

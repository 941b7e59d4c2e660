// Writes a tree to a disk, whole or not at all.

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "shims/tree/tree.h"

namespace vgpu::tree {
namespace {

namespace fs = std::filesystem;

absl::Status Failed(absl::string_view path, absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": ", what));
}

absl::Status WriteFile(const std::string& path, absl::string_view content, int mode) {
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return Failed(path, "cannot be created");
  absl::Cleanup close_file = [file] { close(file); };
  while (!content.empty()) {
    ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed(path, "cannot be written");
    content.remove_prefix(static_cast<size_t>(written));
  }
  // Not by open's mode, which the umask cuts.
  if (fchmod(file, static_cast<mode_t>(mode)) != 0) return Failed(path, "cannot set its mode");
  return absl::OkStatus();
}

absl::Status WriteEntries(const Tree& tree, const std::string& directory) {
  // A parent's path is the beginning of its children's, so std::map has it before them.
  for (const auto& [path, entry] : tree.entries) {
    std::string full = absl::StrCat(directory, "/", path);
    switch (entry.kind) {
      case Entry::Kind::kDirectory:
        if (mkdir(full.c_str(), 0755) != 0) return Failed(full, "cannot be created");
        if (chmod(full.c_str(), 0755) != 0) return Failed(full, "cannot set its mode");
        break;
      case Entry::Kind::kFile:
        if (absl::Status written = WriteFile(full, entry.content, entry.mode); !written.ok()) {
          return written;
        }
        break;
      case Entry::Kind::kLink:
        if (symlink(entry.content.c_str(), full.c_str()) != 0) {
          return Failed(full, "cannot be linked");
        }
        break;
    }
  }
  return WriteFile(absl::StrCat(directory, "/manifest"), Manifest(tree), 0444);
}

}  // namespace

absl::Status WriteTree(const Tree& tree, const std::string& directory) {
  std::string fresh = absl::StrCat(directory, ".XXXXXX");
  if (mkdtemp(fresh.data()) == nullptr) return Failed(fresh, "cannot be created");
  absl::Cleanup remove_fresh = [&fresh] {
    std::error_code ignored;  // what is left is beside the tree, and nobody reads it
    fs::remove_all(fresh, ignored);
  };
  if (chmod(fresh.c_str(), 0755) != 0) return Failed(fresh, "cannot set its mode");
  if (absl::Status written = WriteEntries(tree, fresh); !written.ok()) return written;
  if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, directory.c_str(), RENAME_EXCHANGE) == 0) {
    return absl::OkStatus();  // `fresh` is the old one now
  }
  if (errno != ENOENT) return Failed(directory, "cannot be replaced");
  if (rename(fresh.c_str(), directory.c_str()) != 0) {
    return Failed(directory, "cannot be put in its place");
  }
  std::move(remove_fresh).Cancel();
  return absl::OkStatus();
}

}  // namespace vgpu::tree

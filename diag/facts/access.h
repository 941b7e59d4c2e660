// May a user read, search or execute what a path leads to: the kernel's walk along the
// modes of every directory on the way (path_resolution(7), inode_permission in fs/namei.c).
//
//   std::vector<PathStep> way = WayTo(host, *file.found, root);
//   Observed<Barrier> barrier = WhatStops(way, who, Want::kRead);
//   if (barrier.present()) Say(barrier->path, barrier->mode);   // "/home/u", 0700
//   if (barrier.absent()) ...                                   // nothing stops it
//
// Modes and owners only: an access control list, a mandatory access control or a mount
// that hides the path are not looked at. What is not known of a step makes the answer not
// observed, unless another step stops the user anyway.
//
// Values; WhatStops is pure. Thread-compatible.

#ifndef DIAG_FACTS_ACCESS_H_
#define DIAG_FACTS_ACCESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::facts {

// Who asks. `groups` are the supplementary ones; false for groups_known where there may be
// more of them than are listed.
struct Identity {
  std::string name = {};  // "ollama", or the number where it has no name
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups = {};
  bool groups_known = true;
};

// One inode that the way passes; the last one is what the path leads to.
struct PathStep {
  std::string path;
  host::FileMeta meta;
};

enum class Want { kRead, kSearch, kExecute };

// The first step that does not let the user through.
struct Barrier {
  std::string path;
  bool directory = false;
  uint32_t mode = 0;
};

// Absent: nothing stops `who`.
host::Observed<Barrier> WhatStops(absl::Span<const PathStep> way, const Identity& who, Want want);

// The directories that a walk to `found` passes, those of its links too, and `found` itself.
// `root` is the one that `found` was resolved with.
std::vector<PathStep> WayTo(const host::Host& host, const host::Resolved& found,
                            absl::string_view root = "");

// "0700", as ls and chmod write it.
std::string ModeText(uint32_t mode);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_ACCESS_H_

// Mounts that put the synthetic tree in the place of the host's files.
//
//   std::vector<ViewMount> plan = PlanView(tree, host);
//   absl::Status mounted = MountView(plan, "/tmp/root", "/");
//
// A virtual device in the place of one that the host has needs one bind mount of its directory. A
// new one, or a driver that the host has not, needs a directory in which ours stand beside the
// host's. In /sys/bus, which holds links, that is an overlay. In /sys/devices and in /proc/driver
// the host's entries are bound onto the tree's placeholders: so they stay on their own file
// system, which libudev asks for, and procfs allows no overlay (overlayfs: "maximum fs stacking
// depth exceeded"). What is ours is read-only; the host's entries are what they were. All
// mounts lie on the canonical paths: links lead to them.
//
// PlanView is pure. The others change the mount namespace of the calling process.

#ifndef TOOLS_VGPU_RUN_VIEW_H_
#define TOOLS_VGPU_RUN_VIEW_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "shims/tree/tree.h"

namespace vgpu::run {

struct ViewMount {
  enum class Kind {
    kBind,          // the tree's directory over the host's
    kOverlay,       // the tree's directory and the host's as one
    kBindWithHost,  // as kBind, with the host's children bound onto the tree's placeholders
  };
  Kind kind = Kind::kBind;
  std::string path;                   // of both, without a slash before it
  std::vector<std::string> children;  // of the host, for kBindWithHost
};

// In the order in which they are to be made. An error names the directory that the host lacks,
// over which a mount would have to go.
absl::StatusOr<std::vector<ViewMount>> PlanView(const tree::Tree& tree, const tree::HostPci& host);

// Makes the mounts: from the tree in the directory `tree_root`, over the paths below `target_root`.
absl::Status MountView(const std::vector<ViewMount>& plan, const std::string& tree_root,
                       const std::string& target_root);

// Makes what a unit binds: the overlays, each at OverlayPath(mount), and the host's children on
// the tree's placeholders. What was made is unmade where one fails.
absl::Status MountForUnits(const std::vector<ViewMount>& plan, const std::string& run_directory);
absl::Status UnmountForUnits(const std::string& run_directory);

// Below the run directory: where the tree is, and where an overlay is mounted.
std::string TreePath(const std::string& run_directory);
std::string OverlayPath(const std::string& run_directory, const ViewMount& mount);

// Gives this process a mount namespace (in a user namespace of its own where it has not the right)
// in which the configuration's devices are in view. The working directory stays what it was. The
// process must have one thread. Errors say what the kernel refused and which way is left.
absl::Status EnterView(const device::Configuration& configuration);

}  // namespace vgpu::run

#endif  // TOOLS_VGPU_RUN_VIEW_H_

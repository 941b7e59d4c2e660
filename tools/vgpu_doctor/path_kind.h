// What a path of the caller's own machine leads to, of the things that vgpu-doctor reads: told from
// the names and the first bytes alone, so that an error can name the command that takes it.

#ifndef TOOLS_VGPU_DOCTOR_PATH_KIND_H_
#define TOOLS_VGPU_DOCTOR_PATH_KIND_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::doctor {

enum class PathKind {
  kNothing,    // there is nothing of that name, or it cannot be looked at
  kHost,       // the root of a host, or an archive of one
  kHosts,      // a directory that holds some
  kHostBelow,  // a directory whose host/ is one, as in testdata/incidents
  kDirectory,  // another one
  kBaseline,   // what `baseline save` wrote
  kProbe,      // what `verify --format json` wrote
  kText,       // any other file: a log, where it is of use at all
};

PathKind KindOfPath(const std::string& path);

// Whether `path` is a directory that is a host's root, or a file that is called as an archive is;
// true also where that cannot be told, so that judging it says why. `name` is its last part.
bool IsHost(const std::string& path, absl::string_view name);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_PATH_KIND_H_

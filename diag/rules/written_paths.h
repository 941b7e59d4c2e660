// Which paths a step's command writes.
//
//   WrittenPaths("sudo mv -T /a/x /b/x && sudo ln -s /c /a/x");   // /a/x, /b/x, /a/x
//
// The commands are those that the rules make: simple commands, joined by "&&", ";" or "|", with
// single quotes. What systemctl keeps (a unit that is enabled, masked or edited) is a path below
// /etc/systemd/system. A verb that is not known writes nothing. Pure; thread-safe.

#ifndef DIAG_RULES_WRITTEN_PATHS_H_
#define DIAG_RULES_WRITTEN_PATHS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::rules {

std::vector<std::string> WrittenPaths(absl::string_view command);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_WRITTEN_PATHS_H_

// What configuration.nix says where a drop-in says the same of a service.
//
//   NixSettings("ollama.service", {"Environment=\"LD_PRELOAD=/x.so\""})
//       // systemd.services.ollama.environment.LD_PRELOAD = lib.mkForce "/x.so";
//
// NixOS makes its units from that file (nixos/modules/system/boot/systemd.nix): `environment`
// holds variables, where null unsets one, and `serviceConfig` every other line of [Service].
// mkForce stands before what a module gives. Pure; thread-safe.

#ifndef DIAG_RULES_NIX_SETTINGS_H_
#define DIAG_RULES_NIX_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::rules {

// One line of text. Empty where `lines` only take something back.
std::string NixSettings(absl::string_view unit, const std::vector<std::string>& lines);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_NIX_SETTINGS_H_

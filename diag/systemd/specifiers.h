// Specifiers of unit files: %n, %i, %h ... (unit-printf.c of systemd 252, for units of
// the system manager).
//
//   SpecifierContext context;
//   context.unit = "ollama@gpu0.service";
//   *ExpandSpecifiers("/run/%p/%i", context);   // present: "/run/ollama/gpu0"
//   *ExpandSpecifiers("boot-%b", context);      // not observed: "%b: boot id not known"
//   ExpandSpecifiers("50%z", context);          // an error: systemd knows no %z
//
// Pure; thread-safe.

#ifndef DIAG_SYSTEMD_SPECIFIERS_H_
#define DIAG_SYSTEMD_SPECIFIERS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/host/observed.h"

namespace vgpu::systemd {

// What expansion may know. Everything but the unit's name may be left as it is: then
// an expansion that needs it is not observed. An absent value expands to nothing, as
// a field that os-release does not have.
struct SpecifierContext {
  std::string unit;                              // "ollama.service"
  host::Observed<std::string> fragment_path;     // %y %Y
  host::Observed<std::string> boot_id;           // %b
  host::Observed<std::string> machine_id;        // %m
  host::Observed<std::string> hostname;          // %H %l
  host::Observed<std::string> pretty_hostname;   // %q
  host::Observed<std::string> kernel_release;    // %v
  host::Observed<std::string> architecture;      // %a: "x86-64"
  host::Observed<std::string> os_id;             // %o
  host::Observed<std::string> os_version_id;     // %w
  host::Observed<std::string> os_variant_id;     // %W
  host::Observed<std::string> os_build_id;       // %B
  host::Observed<std::string> os_image_id;       // %M
  host::Observed<std::string> os_image_version;  // %A
  host::Observed<std::string> shell;             // %s, of root
};

// An error where systemd refuses the text ("Invalid slot" for an unknown specifier,
// a name that cannot be unescaped, a result beyond 128 KiB).
absl::StatusOr<host::Observed<std::string>> ExpandSpecifiers(absl::string_view text,
                                                             const SpecifierContext& context);

// The parts of a unit's name: "ollama@gpu0.service" is prefix "ollama", instance
// "gpu0", type "service". A template ("ollama@.service") has an empty instance and
// is_template. Valid where the name is one (unit-name.c, unit_name_is_valid).
struct UnitName {
  bool valid = false;
  std::string prefix;
  std::string instance;
  std::string type;
  bool is_instance = false;
  bool is_template = false;
};
UnitName ParseUnitName(absl::string_view name);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_SPECIFIERS_H_

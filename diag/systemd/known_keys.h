// Which keys systemd 252 knows in the sections of a service, and what a bare `Key=`
// does to each. The table in known_keys.cc is the one place of this knowledge.
//
//   FindKey("Service", "environment") == KeyKind::kUnknown   // keys have their case
//
// Thread-safe.

#ifndef DIAG_SYSTEMD_KNOWN_KEYS_H_
#define DIAG_SYSTEMD_KNOWN_KEYS_H_

#include "absl/strings/string_view.h"

namespace vgpu::systemd {

enum class KeyKind {
  kUnknown,
  kResets,    // a bare `Key=` takes back what was set before
  kBoolean,   // what is no boolean, a bare one too, is ignored
  kKeeps,     // a bare one is ignored: an enumeration, or a dependency (After=)
  kNoEffect,  // accepted for compatibility, and without effect
};

KeyKind FindKey(absl::string_view section, absl::string_view key);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_KNOWN_KEYS_H_

// The part of TOML 1.0 that a configuration of ours is written in: tables, arrays of
// tables, and keys with a text, a whole number or a truth value on one line.
//
//   absl::StatusOr<std::vector<Table>> tables = ParseToml(content.bytes);
//   // [[device]]                     tables[0]: "device", of_array, line 1
//   // profile = "h100-80gb-hbm3"     tables[0].keys[0]: "profile", line 2
//
// Strict: what it does not read (an array, an inline table, a fraction, a date, a text
// over several lines, a dotted key) is an error, and an error names its line. So no
// setting is passed over in silence.
//
// Pure; thread-safe. Memory is bounded by the text; nothing recurses.

#ifndef DIAG_TOML_TOML_H_
#define DIAG_TOML_TOML_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::toml {

using Value = std::variant<std::string, int64_t, bool>;

struct Key {
  std::string name;
  Value value;
  int line = 0;
};

// One header and the keys below it. Keys above the first header stand in a table without
// a name.
struct Table {
  std::string name;
  bool of_array = false;  // [[name]]: there may be several
  int line = 0;
  std::vector<Key> keys;
};

// INVALID_ARGUMENT, "line 3: why", for what is not TOML and for what is not read here.
absl::StatusOr<std::vector<Table>> ParseToml(absl::string_view text);

}  // namespace vgpu::toml

#endif  // DIAG_TOML_TOML_H_

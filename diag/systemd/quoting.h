// systemd's two ways of writing words: in unit files, and in what systemctl prints.
//
//   SplitWords("LD_PRELOAD=/a.so /b.so", Escapes::kC)    // {"LD_PRELOAD=/a.so", "/b.so"}
//   SplitWords("\"LD_PRELOAD=/a.so /b.so\"", Escapes::kC)  // {"LD_PRELOAD=/a.so /b.so"}
//   SplitShown("A=1 \"E=\\$ORIGIN\"")                    // {"A=1", "E=$ORIGIN"}
//
// Errors are INVALID_ARGUMENT and say what is wrong with the text.
//
// Pure; thread-safe.

#ifndef DIAG_SYSTEMD_QUOTING_H_
#define DIAG_SYSTEMD_QUOTING_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::systemd {

// What a backslash means (extract-word.h of systemd 252; quotes are always removed).
enum class Escapes {
  kC,         // \n \t \s \x41 \101 \u20ac ...; another one is an error (Environment=)
  kCRelaxed,  // another one stands as written (ExecStart=, after a warning)
  kPlain,     // the next byte stands for itself (PassEnvironment=)
  kKeep,      // a backslash is a byte like others (After=)
};

// Takes the next word off `rest`, with the white space behind it. Nothing where
// there is no further word. An error leaves `rest` as it was: an unbalanced quote,
// an escape that is none, a backslash at the end.
absl::StatusOr<std::optional<std::string>> TakeWord(absl::string_view* rest, Escapes escapes);

// All words; an error where one of them has one.
absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view text, Escapes escapes);

// The words of a list as `systemctl show` prints it (Environment=): bare, or between
// double quotes with C escapes (escape.c, shell_maybe_quote).
absl::StatusOr<std::vector<std::string>> SplitShown(absl::string_view text);

// One value as `systemctl show-environment` prints it: bare, or $'with C escapes'.
absl::StatusOr<std::string> UnquotePosix(absl::string_view text);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_QUOTING_H_

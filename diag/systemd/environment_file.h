// The file that EnvironmentFile= names, read as systemd 252 reads it (env-file.c).
//
//   EnvironmentFile file = ParseEnvironmentFile("LD_PRELOAD='/a.so /b.so' # both\n");
//   // {"LD_PRELOAD", "/a.so /b.so# both", 1}: only a line that begins with # is a comment
//
// It is not a shell script: there is no `export`, no $VARIABLE and no comment behind
// a value. Of two lines with one key the later wins.
//
// Pure; thread-safe.

#ifndef DIAG_SYSTEMD_ENVIRONMENT_FILE_H_
#define DIAG_SYSTEMD_ENVIRONMENT_FILE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::systemd {

struct EnvironmentFile {
  struct Variable {
    std::string key;
    std::string value;
    int line = 0;  // where the key stands
  };
  struct Problem {
    int line = 0;
    std::string message;
  };

  std::vector<Variable> variables;  // in file order, those with valid names
  std::vector<Problem> problems;
  // systemd refuses the whole file; the unit does not start, or, with `-` before the
  // path, starts without it. `variables` is empty then.
  bool refused = false;
};

EnvironmentFile ParseEnvironmentFile(absl::string_view text);

// A name that systemd takes for a variable: letters, digits and underscores, not
// beginning with a digit (env-util.c, env_name_is_valid).
bool IsEnvironmentName(absl::string_view name);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_ENVIRONMENT_FILE_H_

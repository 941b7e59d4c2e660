// The text of one unit file or drop-in, read as systemd reads it (conf-parser.c of
// systemd 252).
//
//   UnitFile file = ParseUnitFile("/etc/systemd/system/ollama.service.d/vgpu.conf", text);
//   for (const Assignment& a : file.assignments) ...  // {"Service", "Environment", "A=1", 2}
//   for (const UnitFileProblem& p : file.problems) ...  // {3, "Missing '=', ignoring line."}
//
// Reading never fails: there is what could be read, and what systemd says about the
// rest, in its words. Values are as written: quotes, escapes and specifiers are for
// quoting.h and specifiers.h; what a key means is for effective_unit.h.
//
// Pure; thread-safe. Time and memory are linear in the text.

#ifndef DIAG_SYSTEMD_UNIT_FILE_H_
#define DIAG_SYSTEMD_UNIT_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::systemd {

// systemd stops reading a file at a line of this many bytes (fileio.h, LONG_LINE_MAX).
inline constexpr size_t kLongLineMax = size_t{1} << 20;

struct Assignment {
  std::string section;  // "" where it stands before the first section header
  std::string key;      // never empty
  std::string value;    // without white space on its ends; continued lines joined
  int line = 0;         // its first line, from 1. systemd's own messages name its last
};

struct UnitFileProblem {
  int line = 0;
  std::string message;
};

struct UnitFile {
  std::string path;
  // In file order. Those that systemd ignores because of where they stand (no
  // section, or one that is not of a service) are here too, since they tell what
  // was meant; TakesEffect() tells them apart.
  std::vector<Assignment> assignments;
  std::vector<UnitFileProblem> problems;
  // systemd gave the file up at its last problem: what follows was not read. A
  // fragment that ends so is not loaded at all; of a drop-in, what came before it
  // stands.
  bool stopped = false;
};

// The sections of a service: Unit, Service, Install.
bool IsServiceSection(absl::string_view section);

// Whether the assignment stands in one of them.
inline bool TakesEffect(const Assignment& assignment) {
  return IsServiceSection(assignment.section);
}

UnitFile ParseUnitFile(absl::string_view path, absl::string_view text);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_UNIT_FILE_H_

// /proc/PID/cmdline: the arguments of a process.
//
//   absl::StatusOr<Cmdline> cmdline = ParseCmdline(content.bytes, content.truncated);
//   if (absl::StrContains(cmdline->Text(), " runner ")) ...
//
// A process may write over its arguments (setproctitle). Then the file is one text
// instead of a list, often with blanks between what looks like arguments
// (fs/proc/base.c, get_mm_cmdline): look for words in Text(), not for elements of args.
//
// A value type; thread-compatible.

#ifndef DIAG_PROCFS_CMDLINE_H_
#define DIAG_PROCFS_CMDLINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::procfs {

struct Cmdline {
  // Empty for a kernel thread and for a zombie.
  std::vector<std::string> args;

  // A read limit cut the file: the last argument may go on.
  bool truncated = false;

  // The list is probably a title: one argument that holds a blank or is followed by
  // nothing but empty ones, or a text that does not end with NUL.
  bool probably_title = false;

  // The arguments with single blanks between them, without empty ones at the end.
  std::string Text() const;
};

// `truncated`: the file goes on behind `bytes`. An error where the first argument is no text:
// it is a program's name.
absl::StatusOr<Cmdline> ParseCmdline(absl::string_view bytes, bool truncated = false);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_CMDLINE_H_

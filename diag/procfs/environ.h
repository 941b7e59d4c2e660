// /proc/PID/environ: the environment that a process was started with.
//
//   absl::StatusOr<Environ> environ = ParseEnviron(content.bytes, content.truncated);
//   std::optional<absl::string_view> list = environ->FindAsLoader("LD_PRELOAD");
//
// The file shows the memory where execve put the block (proc(5)), so
//   - what the process set or removed later, with setenv or os.Setenv, is not in it;
//   - a program that the kernel started in secure mode still shows the LD_ variables
//     that the dynamic loader took away from it;
//   - a process may have written over it: setproctitle implementations do. Then names
//     are missing that were there: see irregular().
// It is empty for kernel threads and for zombies.
//
// A value type that owns its text; thread-compatible.

#ifndef DIAG_PROCFS_ENVIRON_H_
#define DIAG_PROCFS_ENVIRON_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::procfs {

class Environ {
 public:
  struct Entry {
    std::string name;        // before the first '='; the whole entry where there is none
    std::string value;       // behind it
    bool assignment = true;  // false where there is no '='; no program finds such an entry

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // In the order of the block, duplicates included, empty entries left out.
  const std::vector<Entry>& entries() const { return entries_; }

  // The value that getenv(3) gives: the first of that name.
  std::optional<absl::string_view> Find(absl::string_view name) const;

  // The value that glibc's dynamic loader takes for an LD_ variable: the last of that
  // name (elf/rtld.c, process_envvars; measured with glibc 2.36).
  std::optional<absl::string_view> FindAsLoader(absl::string_view name) const;

  // A read limit cut the block: a name that is not found may stand behind it. The
  // entry that was cut is left out.
  bool truncated() const { return truncated_; }

  // Some entry is empty or has no '=', or the last one does not end with NUL. execve
  // could have been given that, but it is most often a block that its process wrote
  // over: a name that is not found may have been there.
  bool irregular() const { return irregular_; }

 private:
  friend absl::StatusOr<Environ> ParseEnviron(absl::string_view bytes, bool truncated);

  std::vector<Entry> entries_;
  bool truncated_ = false;
  bool irregular_ = false;
};

// `truncated`: the file goes on behind `bytes`. Any bytes could be some environment. An
// error where fewer than half of the entries look like one: NAME=value, with a name of
// letters, digits and '_'. (Bash exports functions as BASH_FUNC_name%%: a few others there
// may be.)
absl::StatusOr<Environ> ParseEnviron(absl::string_view bytes, bool truncated = false);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_ENVIRON_H_

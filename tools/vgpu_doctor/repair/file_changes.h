// Changes files of this machine so that every change can be taken back.
//
//   FileChanges changes("20260224T151200Z");
//   absl::Status status = changes.Do(rules::ChangeMode{"/usr/lib64/libvgpu-cuda.so", 0444, 0});
//   ...
//   if (!repaired) status = changes.RollBack();
//
// A file that gets another content is never written over: the new one is written beside it,
// flushed, given the old one's owner, mode and extended attributes, and renamed into its place.
// What stood there keeps its inode under the name FILE.vgpu-doctor-STAMP.bak (a hard link; a
// copy where the file system has none), so a backup takes no space and taking it back is one
// rename. Of a mode or a capability, the old value is kept here.
//
// Do changes all that its action says, or nothing. It refuses what is not as the action
// expects: an entry that is gone, a line that assigns something else, a name that is taken.
// Root's changes are refused, too, where another user decides what a path means: where a
// directory on the way is his, or he may write in it, he could have another file changed, before
// the diagnosis or between two calls.
//
// What somebody else has put in the place of a change meanwhile is not taken back.
//
// Thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_REPAIR_FILE_CHANGES_H_
#define TOOLS_VGPU_DOCTOR_REPAIR_FILE_CHANGES_H_

#include <sys/stat.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/rules/action.h"

namespace vgpu::doctor {

// One thing that was done, in words, and the command that takes it back.
struct Change {
  std::string what = {};    // "wrote /etc/default/ollama"
  std::string path = {};    // that was changed
  std::string backup = {};  // what stood there; empty where nothing did, or nothing is kept
  std::string undo = {};    // "sudo mv -T … …"
};

class FileChanges {
 public:
  explicit FileChanges(std::string stamp) : stamp_(std::move(stamp)) {}

  // Whether Do knows what to do: the action is about a file.
  static bool IsAboutFile(const rules::Action& action);

  // Errors: "PATH: reason"; nothing is changed then. An action that finds all as it should be
  // is no error, and adds no change.
  absl::Status Do(const rules::Action& action);

  const std::vector<Change>& changes() const { return changes_; }

  // Takes everything back, the newest first. Errors: what could not be, the rest is.
  absl::Status RollBack();

 private:
  struct Inode {
    dev_t device = 0;
    ino_t number = 0;
    friend bool operator==(const Inode&, const Inode&) = default;
  };
  // What takes one step back. An inode is what was put there: it is gone, or still there.
  struct RenameBack {
    std::string from, to;
    std::optional<Inode> placed;  // nothing: `to` was left free
  };
  struct RemoveFile {
    std::string path;
    Inode placed;
  };
  struct RemoveDirectory {
    std::string path;
  };
  struct SetMode {
    std::string path;
    mode_t mode = 0;
  };
  struct SetCapabilities {
    std::string path, value;
  };
  using Undo = std::variant<RenameBack, RemoveFile, RemoveDirectory, SetMode, SetCapabilities>;

  absl::Status Write(const rules::WriteFile& write);
  absl::Status RemoveFrom(const rules::RemoveEntries& remove);
  absl::Status Assign(const rules::AssignVariable& assign);
  absl::Status Move(const rules::MoveFile& move);
  absl::Status Link(const rules::MakeLink& link);
  absl::Status Mode(const rules::ChangeMode& change);
  absl::Status Capabilities(const rules::RemoveCapabilities& remove);

  // Puts the finished file `fresh` in the place of `path`, whose old one is kept.
  absl::Status PutInPlace(const std::string& fresh, const std::string& path, bool exists,
                          absl::string_view what);
  absl::Status WriteContent(const std::string& path, absl::string_view content,
                            const struct stat* old);
  absl::Status MakeDirectories(const std::string& dir);
  // Errors: the reason, without the path.
  static absl::Status Back(const RenameBack& step);
  static absl::Status Back(const RemoveFile& step);
  static absl::Status Back(const RemoveDirectory& step);
  static absl::Status Back(const SetMode& step);
  static absl::Status Back(const SetCapabilities& step);
  static const std::string& PathOf(const Undo& undo);
  static absl::StatusOr<Inode> InodeAt(const std::string& path);
  std::string FreshName(const std::string& path) const;
  std::string BackupName(const std::string& path) const;
  absl::Status TakeBack(size_t keep);

  std::string stamp_;
  std::vector<Undo> undo_;
  std::vector<Change> changes_;
};

// `text`, the content of a list of the loader's, without `entries`: what is left between
// the separators that glibc knows (blank, tab, line end, colon), and no empty line where an
// entry was. Errors: an entry is not there.
absl::StatusOr<std::string> WithoutListEntries(absl::string_view text,
                                               const std::vector<std::string>& entries);

// `text`, an EnvironmentFile=, with another value of `name` on its line `line`. Errors: that
// line is not one whole assignment of `name`, or the value cannot be written on one line.
absl::StatusOr<std::string> WithAssignment(absl::string_view text, int line, absl::string_view name,
                                           absl::string_view value);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_REPAIR_FILE_CHANGES_H_

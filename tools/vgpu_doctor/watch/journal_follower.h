// What a unit says from now on: `journalctl --follow`, a line for each entry, without waiting.
//
// Thread-compatible. The program is ended with the follower.

#ifndef TOOLS_VGPU_DOCTOR_WATCH_JOURNAL_FOLLOWER_H_
#define TOOLS_VGPU_DOCTOR_WATCH_JOURNAL_FOLLOWER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "diag/host/file_io.h"

namespace vgpu::doctor {

class JournalFollower {
 public:
  // Entries from `since` on. Errors: there is no journalctl, or it cannot be started.
  static absl::StatusOr<std::unique_ptr<JournalFollower>> Start(const std::string& unit,
                                                                absl::Time since);
  ~JournalFollower();
  JournalFollower(const JournalFollower&) = delete;
  JournalFollower& operator=(const JournalFollower&) = delete;

  // Readable when there is more.
  int fd() const { return out_.get(); }

  // The whole lines that have come since, without their ends. One of more than 256 KiB is
  // left out.
  std::vector<std::string> Take();

  // journalctl has ended: no more comes.
  bool ended() const { return ended_; }

 private:
  JournalFollower(pid_t pid, host::Fd out) : pid_(pid), out_(std::move(out)) {}

  pid_t pid_;
  host::Fd out_;
  std::string rest_;
  bool skipping_ = false;
  bool ended_ = false;
};

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WATCH_JOURNAL_FOLLOWER_H_

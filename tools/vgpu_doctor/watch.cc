#include "tools/vgpu_doctor/watch.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "diag/journal/journal_entry.h"
#include "diag/report/visible.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/watch/journal_follower.h"
#include "tools/vgpu_doctor/watch/process_events.h"
#include "tools/vgpu_doctor/watch/sightings.h"
#include "tools/vgpu_doctor/watch/story.h"
#include "tools/vgpu_doctor/watch/unit_processes.h"

namespace vgpu::doctor {
namespace {

// Discovery prints a line for each device, one right after the other, and its children may
// end a moment later.
constexpr absl::Duration kAfterResult = absl::Milliseconds(500);
// A look that takes long is followed by a longer pause: at most a tenth of a processor.
constexpr int kPauseForLook = 9;
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

volatile sig_atomic_t interrupted = 0;

void Interrupt(int) { interrupted = 1; }

class Watch {
 public:
  Watch(UnitProcesses processes, std::unique_ptr<JournalFollower> journal,
        absl::StatusOr<std::unique_ptr<ProcessEvents>> events, Story& story)
      : processes_(std::move(processes)),
        journal_(std::move(journal)),
        story_(story),
        seen_("/proc", [this](const Sighting& sighting, Moment moment) {
          if (moment == Moment::kProgram) story_.Program(sighting, absl::Now());
          if (moment == Moment::kEnded) story_.Ended(sighting, absl::Now());
        }) {
    if (events.ok()) events_ = *std::move(events);
  }

  // Until discovery has ended, at most until `end`, or until somebody interrupts.
  Found Run(absl::Time begin, absl::Time end);

 private:
  void TakeEvents(absl::Time now);
  void TakeLog(absl::Time begin, absl::Time now);

  const UnitProcesses processes_;
  const std::unique_ptr<JournalFollower> journal_;
  std::unique_ptr<ProcessEvents> events_;
  Story& story_;
  Sightings seen_;
  bool events_lost_ = false;
  uint64_t log_lines_ = 0;
  Found found_ = Found::kNothing;
  std::string result_;
  std::optional<absl::Time> result_at_;
};

void Watch::TakeEvents(absl::Time now) {
  for (const ProcessEvent& event : events_->Take(events_lost_)) {
    if (event.kind == ProcessEvent::Kind::kExit) {
      seen_.Ended(event.pid, event.status, now);
    } else if (event.kind == ProcessEvent::Kind::kFork ? seen_.Watches(event.parent)
                                                       : seen_.Watches(event.pid)) {
      seen_.Appeared(event.pid, now);
    }
  }
}

void Watch::TakeLog(absl::Time begin, absl::Time now) {
  for (const std::string& line : journal_->Take()) {
    const absl::StatusOr<journal::JournalEntry> entry = journal::ParseJournalEntry(line);
    if (!entry.ok()) continue;
    const absl::Time time = entry->realtime.value_or(now);
    if (time < begin) continue;
    ++log_lines_;
    if (!entry->message.present()) continue;
    story_.Log(time, *entry->message);
    const Found found = ResultIn(*entry->message);
    if (found == Found::kNothing) continue;
    // Of several devices, one that is a GPU decides.
    if (found_ != Found::kGpu) {
      found_ = found;
      result_ = *entry->message;
    }
    if (!result_at_) result_at_ = now;
  }
}

Found Watch::Run(absl::Time begin, absl::Time end) {
  seen_.Ignore(processes_.Now());
  absl::Duration pause = absl::Milliseconds(1);
  while (interrupted == 0) {
    pollfd fds[] = {{journal_->ended() ? -1 : journal_->fd(), POLLIN, 0},
                    {events_ == nullptr ? -1 : events_->fd(), POLLIN, 0}};
    const timespec time = absl::ToTimespec(pause);
    ppoll(fds, 2, &time, nullptr);
    const absl::Time now = absl::Now();
    if (events_ != nullptr) TakeEvents(now);
    seen_.Look(processes_.Now(), now);
    TakeLog(begin, now);
    if (now >= end || (result_at_ && now - *result_at_ >= kAfterResult)) break;
    pause = std::clamp((absl::Now() - now) * kPauseForLook, absl::Milliseconds(1), kLongestPause);
  }
  std::vector<Unseen> unseen = NotSeenOf(seen_);
  if (log_lines_ == 0) {
    unseen.insert(unseen.begin(),
                  {"the log", journal_->ended() ? "journalctl has ended"
                                                : "no line of the unit came (who is neither root "
                                                  "nor in the group systemd-journal sees none)"});
  }
  if (seen_.all().empty()) {
    unseen.insert(unseen.begin(), {"a start of the unit", "no process of it appeared"});
  }
  if (events_lost_) unseen.push_back({"some processes", "the kernel had more news than were read"});
  story_.Summary(seen_, found_, result_, absl::Now() - begin, unseen);
  return found_;
}

}  // namespace

CLI::App* AddWatch(CLI::App& app, WatchOptions& options) {
  CLI::App* watch = app.add_subcommand(
      "watch", "Look on while the service starts: its log, and the child of discovery.");
  watch->add_option("--unit", options.unit, "The systemd unit (default: ollama.service)")
      ->type_name("UNIT");
  watch->add_option("--timeout", options.timeout, "End after that many seconds (default: 120)")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400))
      ->option_text("SECONDS");
  watch->add_option("--format", options.format, "text (the default), or json: a line per event")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  watch->footer(
      "It restarts nothing: do that in another terminal. As root it sees the environment and the\n"
      "libraries of the child in which discovery runs, which lives less than a second.\n\n"
      "Exit status: 0 discovery found a GPU, 1 it found none, 2 nothing can be watched here,\n"
      "3 its end was not seen.\n\n"
      "Example:\n"
      "  sudo vgpu-doctor watch");
  return watch;
}

int RunWatch(const WatchOptions& options) {
  std::string unit = options.unit;
  if (!absl::StrContains(unit, ".")) unit += ".service";  // as systemctl(1) does
  absl::StatusOr<UnitProcesses> processes = UnitProcesses::Find(unit);
  if (!processes.ok()) {
    fprintf(stderr, "vgpu-doctor: watch follows a unit of systemd: %s\n",
            report::Visible(processes.status().message()).c_str());
    return kUsage;
  }
  struct sigaction action = {};
  action.sa_handler = Interrupt;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);

  const absl::Time begin = absl::Now();
  absl::StatusOr<std::unique_ptr<JournalFollower>> journal = JournalFollower::Start(unit, begin);
  if (!journal.ok()) {
    fprintf(stderr, "vgpu-doctor: %s\n", report::Visible(journal.status().message()).c_str());
    return kUsage;
  }
  absl::StatusOr<std::unique_ptr<ProcessEvents>> events = ProcessEvents::Open();
  bool written = true;
  command_line::Progress progress;
  const std::string doing =
      absl::StrCat("looking on while ", unit, " starts, for at most ", options.timeout, " s");
  Story story(options.format == "json", absl::LocalTimeZone(), [&](const std::string& text) {
    progress.Hide();
    written = written && fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
              fflush(stdout) == 0;
    progress.Say(doing);
  });
  story.Watching(unit, !processes->Now().empty(),
                 events.ok() ? "" : std::string(events.status().message()));
  Watch watch(*processes, *std::move(journal), std::move(events), story);
  const Found found = watch.Run(begin, begin + absl::Seconds(options.timeout));
  if (!written) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return found == Found::kGpu ? 0 : found == Found::kNoGpu ? 1 : 3;
}

}  // namespace vgpu::doctor

// One line on a terminal that says what is being done, where that takes long.
//
//   Progress progress(!options.quiet);
//   progress.Say("reading the journal of ollama.service");
//   …                                   // after a second, on standard error:
//                                       // vgpu-doctor: reading the journal … (3 s)
//   progress.Hide();                    // before anything else is printed there
//
// Nothing is written in the first second, nor ever where standard error is no terminal (or a
// dumb one, or that of another job's foreground), so that what programs read has none of it. The
// line is wiped by Hide and when the object goes.
//
// The line is drawn by a thread of its own, which blocks every signal and uses no lock that a
// child of fork(2) could miss. Safe in any thread.

#ifndef TOOLS_COMMAND_LINE_PROGRESS_H_
#define TOOLS_COMMAND_LINE_PROGRESS_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"

namespace vgpu::command_line {

class Progress {
 public:
  // `wanted` false: it never says anything.
  explicit Progress(bool wanted = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // What is being done from now on; it may hold a host's text.
  void Say(absl::string_view what);
  // Wipes the line. What Say says next is shown when it has taken a second again.
  void Hide();

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  // Both with the lock held.
  void Draw(Clock::time_point now);  // where it says something new
  void Wipe();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;         // fit for a terminal; empty: nothing is being done
  Clock::time_point since_;  // when that began of which the first second is not shown
  std::string drawn_;        // what stands on the terminal; empty: nothing of this
  bool over_ = false;
  std::thread thread_;  // only where there is a terminal
};

}  // namespace vgpu::command_line

#endif  // TOOLS_COMMAND_LINE_PROGRESS_H_

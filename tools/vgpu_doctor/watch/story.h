// What a watcher tells: each thing as it is seen, and a summary. As text, or as JSON lines
// with the key "event": watching, log, program, ended, cut (from here on nothing is told but the
// summary), summary.
//
// Text from the host is redacted, made visible and bounded; so is the number of lines.
// Thread-compatible.

#ifndef TOOLS_VGPU_DOCTOR_WATCH_STORY_H_
#define TOOLS_VGPU_DOCTOR_WATCH_STORY_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/vgpu_doctor/watch/sightings.h"

namespace vgpu::doctor {

// What the log said of discovery's end.
enum class Found { kNothing, kNoGpu, kGpu };

// "none", "cpu", "gpu".
const char* Name(Found found);

// Of a line of Ollama's: whether it is the result of discovery, and which.
Found ResultIn(absl::string_view message);

// A library by which a program reaches a GPU, by its name.
bool IsOfGpu(absl::string_view path);

struct Unseen {
  std::string what = {};
  std::string why = {};
};

class Story {
 public:
  static constexpr size_t kMaxLines = 2000;

  Story(bool json, absl::TimeZone zone, std::function<void(const std::string&)> print)
      : json_(json), zone_(zone), print_(std::move(print)) {}

  void Watching(const std::string& unit, bool running, const std::string& no_events_because);
  void Log(absl::Time time, absl::string_view message);
  void Program(const Sighting& sighting, absl::Time now);
  void Ended(const Sighting& sighting, absl::Time now);
  // `result` is the line that decided.
  void Summary(const Sightings& seen, Found found, const std::string& result,
               absl::Duration watched, const std::vector<Unseen>& unseen);

 private:
  void Print(const std::string& line);

  const bool json_;
  const absl::TimeZone zone_;
  const std::function<void(const std::string&)> print_;
  size_t lines_ = 0;
};

// What of these processes was not seen.
std::vector<Unseen> NotSeenOf(const Sightings& seen);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WATCH_STORY_H_

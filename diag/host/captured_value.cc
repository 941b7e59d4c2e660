#include "diag/host/captured_value.h"

#include <string>

namespace vgpu::host {

Observed<absl::Time> CapturedTime(absl::string_view text) {
  absl::Time time;
  std::string error;
  // absl reads "infinite-future" too.
  if (!absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &error) ||
      time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return NotObserved{"the capture has no RFC 3339 time there"};
  }
  return time;
}

Observed<uint32_t> CapturedId(uint64_t number) {
  if (number > UINT32_MAX)
    return NotObserved{"the capture has a number of more than 32 bits there"};
  return static_cast<uint32_t>(number);
}

Observed<uint32_t> CapturedMode(absl::string_view text) {
  if (text.empty() || text.find_first_not_of("01234567") != absl::string_view::npos) {
    return NotObserved{"the capture has no octal digits there"};
  }
  uint32_t mode = 0;  // of the last digits: what is shifted out is no permission
  for (const char digit : text) mode = mode << 3 | static_cast<uint32_t>(digit - '0');
  return mode & 07777;
}

}  // namespace vgpu::host

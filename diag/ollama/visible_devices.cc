#include "diag/ollama/visible_devices.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace vgpu::ollama {
namespace {

enum class Answer { kNo, kYes, kUnknown };

// Whether `entry` names a device, and which.
Answer Find(absl::string_view entry, const std::optional<DeviceIds>& devices, size_t& index) {
  int64_t number = 0;
  if (absl::SimpleAtoi(entry, &number)) {
    if (number < 0) return Answer::kNo;
    index = static_cast<size_t>(number);
    return !devices || index < devices->size() ? Answer::kYes : Answer::kNo;
  }
  if (!entry.empty() && absl::ascii_isdigit(static_cast<unsigned char>(entry[0]))) {
    return Answer::kUnknown;
  }
  // A MIG instance has an id of its own, which no list here holds.
  if (absl::StartsWith(entry, "MIG-")) return Answer::kUnknown;
  if (!absl::StartsWith(entry, "GPU-")) return Answer::kNo;
  if (!devices) return Answer::kUnknown;
  const std::string wanted = absl::AsciiStrToLower(entry);
  bool unknown = false;
  for (size_t i = 0; i < devices->size(); ++i) {
    const std::optional<std::string>& id = (*devices)[i];
    if (!id) {
      unknown = true;
    } else if (absl::StartsWith(absl::AsciiStrToLower(*id), wanted)) {
      index = i;
      return Answer::kYes;
    }
  }
  return unknown ? Answer::kUnknown : Answer::kNo;
}

}  // namespace

VisibleDevices ParseVisibleDevices(absl::string_view value,
                                   const std::optional<DeviceIds>& devices) {
  VisibleDevices visible;
  for (absl::string_view entry : absl::StrSplit(value, ',')) {
    const absl::string_view word = absl::StripAsciiWhitespace(entry);
    size_t index = 0;
    switch (Find(word, devices, index)) {
      case Answer::kYes:
        break;
      case Answer::kUnknown:
        visible.uncertain = true;
        return visible;
      case Answer::kNo:
        visible.stopped_at = std::string(word);
        return visible;
    }
    if (std::find(visible.indices.begin(), visible.indices.end(), index) != visible.indices.end()) {
      visible.uncertain = true;  // what a repeated one does is not written down
      return visible;
    }
    visible.indices.push_back(index);
  }
  return visible;
}

}  // namespace vgpu::ollama

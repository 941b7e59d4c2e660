#include "shims/device/visible.h"

#include <algorithm>
#include <string_view>

namespace vgpu::device {
namespace {

constexpr int kNone = -1;
constexpr std::string_view kUuidPrefix = "GPU-";

// Whether the driver would take `a` for faster than `b`. Its heuristic is not documented; this one
// asks for the newer kind first, and then for what the kind can compute in a second.
bool IsFaster(const Device& a, const Device& b) {
  if (a.compute_major != b.compute_major) return a.compute_major > b.compute_major;
  if (a.compute_minor != b.compute_minor) return a.compute_minor > b.compute_minor;
  const auto speed = [](const Profile& profile) {
    return int64_t{profile.multiprocessors} * profile.cores_per_multiprocessor *
           profile.max_sm_clock_khz;
  };
  return speed(*a.profile) > speed(*b.profile);
}

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view WithoutBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// As strtol(3) does for base 10: a sign, digits, and anything behind them. kNone: it begins with no
// number, or that is negative or beyond all devices.
int TakeOrdinal(std::string_view name) {
  const bool negative = name.starts_with('-');
  if (negative || name.starts_with('+')) name.remove_prefix(1);
  if (name.empty() || name.front() < '0' || name.front() > '9') return kNone;
  int number = 0;
  for (char c : name) {
    if (c < '0' || c > '9') break;
    number = std::min(number * 10 + (c - '0'), kMaxDevices);
  }
  return negative && number != 0 ? kNone : number;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool StartsWithAnyCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return Lower(a) == Lower(b); });
}

// The one device whose UUID begins like that; kNone: there is none, or more than one.
int FindByUuid(const Configuration& configuration, std::string_view name) {
  int found = kNone;
  for (int i = 0; i < configuration.count; ++i) {
    std::array<char, kUuidText> uuid;
    FormatUuid(configuration.devices[i].uuid, uuid);
    if (!StartsWithAnyCase(uuid.data(), name)) continue;
    if (found != kNone) return kNone;
    found = i;
  }
  return found;
}

}  // namespace

Visible SelectVisible(const Configuration& configuration, const char* names, const char* order) {
  Visible all;
  all.count = configuration.count;
  for (int i = 0; i < all.count; ++i) all.device[i] = i;
  // Configuration::devices is in the order of PCI_BUS_ID.
  if (order == nullptr || std::string_view(order) != "PCI_BUS_ID") {
    std::sort(all.device.begin(), all.device.begin() + all.count, [&](int a, int b) {
      const Device& one = configuration.devices[a];
      const Device& other = configuration.devices[b];
      if (IsFaster(one, other)) return true;
      return !IsFaster(other, one) && a < b;
    });
  }
  if (names == nullptr) return all;
  Visible visible;
  std::string_view rest = names;
  while (true) {
    const size_t comma = rest.find(',');
    const std::string_view name = WithoutBlanks(rest.substr(0, comma));
    int device = kNone;
    if (name.starts_with(kUuidPrefix) && name.size() > kUuidPrefix.size()) {
      device = FindByUuid(configuration, name);
    } else if (const int ordinal = TakeOrdinal(name); ordinal != kNone && ordinal < all.count) {
      device = all.device[ordinal];
    }
    if (device == kNone) return visible;
    const auto seen = visible.device.begin() + visible.count;
    if (std::find(visible.device.begin(), seen, device) != seen) return Visible();
    visible.device[visible.count++] = device;
    if (comma == std::string_view::npos) return visible;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace vgpu::device

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "shims/device/visible.h"

// The input is CUDA_DEVICE_ORDER, a newline, and CUDA_VISIBLE_DEVICES. Devices that are seen are
// there and differ; whoever names them by the UUIDs that he was told sees the same ones; what
// stands behind a name that names nothing does not matter.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vgpu::device;
  static const Configuration configuration = [] {
    Configuration parsed;
    ConfigError error;
    std::string text;
    for (int i = 0; i < kMaxDevices; ++i) {
      text += i % 3 == 0 ? "[[device]]\nprofile = \"t4\"\n" : "[[device]]\n";
    }
    if (!ParseConfiguration(text, "machine", &parsed, &error)) abort();
    return parsed;
  }();
  std::string order(reinterpret_cast<const char*>(data), size);
  std::string names;
  if (const size_t newline = order.find('\n'); newline != std::string::npos) {
    names = order.substr(newline + 1);
    order.resize(newline);
  }
  const Visible visible = SelectVisible(configuration, names.c_str(), order.c_str());
  if (visible.count < 0 || visible.count > configuration.count) abort();
  std::array<bool, kMaxDevices> seen = {};
  std::string uuids;
  for (int i = 0; i < visible.count; ++i) {
    const int device = visible.device[i];
    if (device < 0 || device >= configuration.count || seen[device]) abort();
    seen[device] = true;
    std::array<char, kUuidText> uuid;
    FormatUuid(configuration.devices[device].uuid, uuid);
    uuids += uuid.data();
    uuids += ',';
  }
  const auto same = [&](const Visible& other) {
    return other.count == visible.count &&
           std::equal(visible.device.begin(), visible.device.begin() + visible.count,
                      other.device.begin());
  };
  if (!same(SelectVisible(configuration, uuids.c_str(), nullptr))) abort();
  uuids += "-1,0";
  if (!same(SelectVisible(configuration, uuids.c_str(), order.c_str()))) abort();
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "shims/base/text.h"
#include "shims/device/config.h"
#include "shims/device/doctor_agreement.h"

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

}  // namespace

// A configuration is whole, an error says where and why in words that can be shown, and the doctor
// agrees.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vgpu::device;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Configuration configuration;
  ConfigError error;
  if (ParseConfiguration(text, "machine", &configuration, &error)) {
    Require(configuration.count > 0 && configuration.count <= kMaxDevices, "count");
    const auto devices = configuration.All();
    for (size_t i = 0; i < devices.size(); ++i) {
      Require(devices[i].profile != nullptr, "profile");
      Require(!devices[i].Name().empty() && devices[i].Name().size() < kMaxName, "name");
      Require(devices[i].memory_bytes > 0, "memory");
      Require(devices[i].uuid != Uuid(), "a nil UUID");
      Require(i == 0 || devices[i - 1].pci < devices[i].pci, "the order of addresses");
      for (size_t j = 0; j < i; ++j) Require(devices[i].uuid != devices[j].uuid, "equal UUIDs");
    }
    Require(!configuration.driver.Version().empty(), "driver");
  } else {
    Require(configuration.count == 0, "a rejected configuration has devices");
    Require(error.line > 0, "an error without a line");
    std::string_view reason = error.reason.data();
    Require(!reason.empty(), "an error without a reason");
    while (!reason.empty()) {
      const size_t length = vgpu::PrintableLength(reason);
      // A text that was cut may end within a character.
      if (length == 0) Require(strlen(error.reason.data()) == error.reason.size() - 1, "visible");
      reason.remove_prefix(length == 0 ? 1 : length);
    }
  }
  const std::string disagreement = DisagreementWithDoctor(text);
  Require(disagreement.empty(), disagreement.c_str());
  return 0;
}

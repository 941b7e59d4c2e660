#include "shims/device/device.h"

#include <pthread.h>
#include <stdlib.h>

#include <atomic>

#include "shims/base/file.h"
#include "shims/base/text.h"
#include "shims/device/config.h"
#include "shims/log/log.h"

namespace vgpu::device {
namespace {

// This process's. glibc runs a pthread_once(3) again that a fork cut short.
constinit pthread_once_t once = PTHREAD_ONCE_INIT;
constinit bool valid = false;
constinit Configuration current;
constinit ConfigError current_error;
constinit std::atomic<bool> error_was_said = false;
constinit char config_text[kMaxConfigBytes] = {};

void Load() {
  std::array<char, 256> buffer;
  std::string_view machine_id;
  // A machine without an id derives its UUIDs from the addresses alone.
  if (ReadSmallFile("/etc/machine-id", buffer, &machine_id) != 0) machine_id = {};
  valid = LoadConfiguration(secure_getenv("VGPU_CONFIG"), kConfigFile, machine_id, config_text,
                            &current, &current_error);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `least` to `most` hexadecimal digits at the beginning.
bool TakeHex(size_t least, size_t most, std::string_view* text, uint32_t* number) {
  *number = 0;
  size_t size = 0;
  for (; size < text->size() && size < most; ++size) {
    const int value = HexValue((*text)[size]);
    if (value < 0) break;
    *number = *number << 4 | static_cast<uint32_t>(value);
  }
  text->remove_prefix(size);
  return size >= least;
}

bool TakeByte(char c, std::string_view* text) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

// "00:05.0".
bool ParseSlot(std::string_view text, PciAddress* address) {
  uint32_t bus, device, function;
  if (!TakeHex(2, 2, &text, &bus) || !TakeByte(':', &text)) return false;
  if (!TakeHex(2, 2, &text, &device) || device > 0x1f || !TakeByte('.', &text)) return false;
  if (!TakeHex(1, 1, &text, &function) || function > 7 || !text.empty()) return false;
  address->bus = static_cast<uint8_t>(bus);
  address->device = static_cast<uint8_t>(device);
  address->function = static_cast<uint8_t>(function);
  return true;
}

}  // namespace

const Configuration* Current(std::string_view library) {
  pthread_once(&once, Load);
  if (valid) return &current;
  if (!error_was_said.exchange(true, std::memory_order_relaxed)) {
    log::Write(log::Level::kError, library, "configuration rejected",
               {{"file", current_error.file.data()},
                {"line", current_error.line},
                {"reason", current_error.reason.data()}});
  }
  return nullptr;
}

void FormatPci(const PciAddress& address, std::span<char, kPciText> text) {
  TextWriter writer(text);
  writer.AddHex(address.domain, 4).AddByte(':').AddHex(address.bus, 2).AddByte(':');
  writer.AddHex(address.device, 2).AddByte('.').AddHex(address.function, 1);
}

void FormatUuid(const Uuid& uuid, std::span<char, kUuidText> text) {
  TextWriter writer(text);
  writer.Add("GPU");
  for (size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 0 || (i >= 4 && i <= 10 && i % 2 == 0)) writer.AddByte('-');
    writer.AddHex(uuid.bytes[i], 2);
  }
}

bool ParsePci(std::string_view text, PciAddress* address) {
  PciAddress parsed;
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
    if (!TakeHex(4, 8, &text, &parsed.domain) || !TakeByte(':', &text)) return false;
  }
  if (!ParseSlot(text, &parsed)) return false;
  *address = parsed;
  return true;
}

bool ParseUuid(std::string_view text, Uuid* uuid) {
  constexpr std::string_view kPrefix = "gpu";
  if (text.size() != kUuidText - 1) return false;
  for (size_t i = 0; i < kPrefix.size(); ++i) {
    if ((text[i] | 0x20) != kPrefix[i]) return false;
  }
  text.remove_prefix(kPrefix.size());
  Uuid parsed;
  for (size_t i = 0; i < parsed.bytes.size(); ++i) {
    uint32_t byte;
    if ((i == 0 || (i >= 4 && i <= 10 && i % 2 == 0)) && !TakeByte('-', &text)) return false;
    if (!TakeHex(2, 2, &text, &byte)) return false;
    parsed.bytes[i] = static_cast<uint8_t>(byte);
  }
  *uuid = parsed;
  return text.empty();
}

}  // namespace vgpu::device

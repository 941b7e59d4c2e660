#include "shims/device/config.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <bit>

#include "shims/base/file.h"
#include "shims/base/sha256.h"
#include "shims/base/text.h"
#include "shims/device/toml.h"

namespace vgpu::device {
namespace {

using Kind = TomlItem::Kind;

// Where in the file each value that must be a device's alone was given; 0: nowhere.
struct Lines {
  int header = 0;
  int pci = 0;
  int uuid = 0;
};

class Interpreter {
 public:
  Interpreter(Configuration* configuration, ConfigError* error)
      : configuration_(*configuration), error_(*error) {}

  bool Read(std::string_view text, std::string_view machine_id);

 private:
  bool Wrong(int line, std::string_view why) {
    error_.line = line;
    TextWriter(error_.reason).Add(why);
    return false;
  }
  bool Wrong(const TomlItem& key, std::string_view why) {
    error_.line = key.line;
    TextWriter reason(error_.reason);
    std::array<char, 128> name;
    TextWriter written(name);
    key.name.AddTo(written);
    reason.AddVisible(written.view()).Add(": ").Add(why);
    return false;
  }

  // The value of a key that is to be a text, into `text`. One that is longer is no valid
  // one: `why` says what is wanted.
  bool Text(const TomlItem& key, std::string_view why, TextWriter* text) {
    if (key.kind != Kind::kText) return Wrong(key, "a text in quotes is wanted");
    key.text.AddTo(*text);
    return !text->cut() || Wrong(key, why);
  }
  bool Number(const TomlItem& key, int64_t least, int64_t most, uint64_t* number) {
    if (key.kind != Kind::kNumber) return Wrong(key, "a number without quotes is wanted");
    if (key.number < least || key.number > most) return Wrong(key, "out of range");
    *number = static_cast<uint64_t>(key.number);
    return true;
  }

  bool ReadDevice(TomlReader reader, int line);
  bool ReadProfile(const TomlItem& key, const Profile** profile);
  bool ReadDeviceKey(const TomlItem& key, Device& device, Lines& lines);
  bool ReadDriverKey(const TomlItem& key);
  bool Complete(std::string_view machine_id);
  void PlaceDevices();
  bool AllDiffer();

  Configuration& configuration_;
  ConfigError& error_;
  std::array<Lines, kMaxDevices> lines_;
};

void SetName(std::string_view name, Device& device) { TextWriter(device.name).Add(name); }

Device DeviceOf(const Profile& profile) {
  Device device;
  device.profile = &profile;
  SetName(profile.name, device);
  device.memory_bytes = profile.memory_mib << 20;
  device.compute_major = profile.compute_major;
  device.compute_minor = profile.compute_minor;
  device.pci_vendor = profile.pci_vendor;
  device.pci_device = profile.pci_device;
  device.pci_class = profile.pci_class;
  return device;
}

void SetDefaultDriver(Driver& driver) {
  TextWriter(driver.version).Add(kDefaultDriver);
  driver.cuda_version = kDefaultCuda;
}

// A number of at most `digits` digits at the beginning; -1: there is none.
int TakeDigits(size_t digits, std::string_view* text) {
  int number = 0;
  size_t size = 0;
  for (; size < text->size() && size < digits; ++size) {
    const char c = (*text)[size];
    if (c < '0' || c > '9') break;
    number = number * 10 + (c - '0');
  }
  text->remove_prefix(size);
  return size == 0 ? -1 : number;
}

// "9.0", "12.8": two numbers of at most so many digits.
bool ParseVersion(std::string_view text, size_t major_digits, size_t minor_digits, int* major,
                  int* minor) {
  *major = TakeDigits(major_digits, &text);
  if (*major < 0 || !text.starts_with('.')) return false;
  text.remove_prefix(1);
  *minor = TakeDigits(minor_digits, &text);
  return *minor >= 0 && text.empty();
}

// Digits with single points between them.
bool IsDriverVersion(std::string_view text) {
  char before = '.';
  for (char c : text) {
    if ((c < '0' || c > '9') && (c != '.' || before == '.')) return false;
    before = c;
  }
  return before != '.';
}

bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    const size_t length = PrintableLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool Interpreter::Read(std::string_view text, std::string_view machine_id) {
  // What is no TOML is said first, wherever it stands.
  TomlError error;
  if (!CheckToml(text, &error)) return Wrong(error.line, error.reason.data());
  SetDefaultDriver(configuration_.driver);
  bool of_driver = false;
  TomlReader reader(text);
  TomlItem item;
  while (reader.Next(&item, &error)) {
    if (!item.IsHeader()) {
      if (of_driver && !ReadDriverKey(item)) return false;
      continue;
    }
    of_driver = item.name == "driver";
    if (item.name != "device") continue;
    if (item.kind == Kind::kTable) return Wrong(item.line, "[device] should be [[device]]");
    if (!ReadDevice(reader, item.line)) return false;
  }
  return Complete(machine_id);
}

bool Interpreter::ReadDevice(TomlReader reader, int line) {
  if (configuration_.count == kMaxDevices) return Wrong(line, "more than 16 devices");
  static_assert(kMaxDevices == 16);
  TomlError error;
  TomlItem key;
  const Profile* profile = &AllProfiles()[0];
  for (TomlReader ahead = reader; ahead.Next(&key, &error) && !key.IsHeader();) {
    if (key.name == "profile" && !ReadProfile(key, &profile)) return false;
  }
  Device& device = configuration_.devices[configuration_.count];
  Lines& lines = lines_[configuration_.count];
  device = DeviceOf(*profile);
  lines.header = line;
  while (reader.Next(&key, &error) && !key.IsHeader()) {
    if (!ReadDeviceKey(key, device, lines)) return false;
  }
  ++configuration_.count;
  return true;
}

bool Interpreter::ReadProfile(const TomlItem& key, const Profile** profile) {
  if (key.kind != Kind::kText) return Wrong(key, "a text in quotes is wanted");
  for (const Profile& one : AllProfiles()) {
    if (key.text != one.id) continue;
    *profile = &one;
    return true;
  }
  std::array<char, 40> given;
  TextWriter id(given);
  key.text.AddTo(id);
  std::array<char, 160> buffer;
  TextWriter why(buffer);
  why.Add("there is no profile ").AddVisible(id.view()).Add("; there are ");
  for (const Profile& one : AllProfiles()) {
    if (&one != &AllProfiles()[0]) why.Add(", ");
    why.Add(one.id);
  }
  return Wrong(key, why.view());
}

bool Interpreter::ReadDeviceKey(const TomlItem& key, Device& device, Lines& lines) {
  uint64_t number;
  std::array<char, kMaxName> buffer;
  TextWriter text(buffer);
  if (key.name == "memory_mib") {
    if (!Number(key, 1, int64_t{1} << 30, &number)) return false;
    device.memory_bytes = number << 20;
  } else if (key.name == "pci_vendor_id") {
    if (!Number(key, 0, 0xffff, &number)) return false;
    device.pci_vendor = static_cast<uint16_t>(number);
  } else if (key.name == "pci_device_id") {
    if (!Number(key, 0, 0xffff, &number)) return false;
    device.pci_device = static_cast<uint16_t>(number);
  } else if (key.name == "pci_class") {
    if (!Number(key, 0, 0xffffff, &number)) return false;
    device.pci_class = static_cast<uint32_t>(number);
  } else if (key.name == "pci_address") {
    constexpr std::string_view kWhy = "not of the form 0000:00:05.0";
    if (!Text(key, kWhy, &text)) return false;
    if (!ParsePci(text.view(), &device.pci)) return Wrong(key, kWhy);
    lines.pci = key.line;
  } else if (key.name == "uuid") {
    constexpr std::string_view kWhy = "not of the form GPU-8-4-4-4-12 hexadecimal digits";
    if (!Text(key, kWhy, &text)) return false;
    if (!ParseUuid(text.view(), &device.uuid)) return Wrong(key, kWhy);
    lines.uuid = key.line;
  } else if (key.name == "compute_capability") {
    constexpr std::string_view kWhy = "not of the form 9.0";
    if (!Text(key, kWhy, &text)) return false;
    if (!ParseVersion(text.view(), 3, 1, &device.compute_major, &device.compute_minor)) {
      return Wrong(key, kWhy);
    }
  } else if (key.name == "name") {
    if (!Text(key, "longer than 95 bytes", &text)) return false;
    static_assert(kMaxName == 96);
    if (text.size() == 0) return Wrong(key, "empty");
    if (!IsPrintable(text.view())) {
      return Wrong(key, "a control character, or a byte that is no UTF-8");
    }
    SetName(text.view(), device);
  }
  return true;
}

bool Interpreter::ReadDriverKey(const TomlItem& key) {
  Driver& driver = configuration_.driver;
  if (key.name == "version") {
    constexpr std::string_view kWhy = "not of the form 570.124.06";
    TextWriter text(driver.version);
    if (!Text(key, kWhy, &text)) return false;
    if (!IsDriverVersion(text.view())) return Wrong(key, kWhy);
  } else if (key.name == "cuda_version") {
    constexpr std::string_view kWhy = "not of the form 12.8";
    std::array<char, 8> buffer;
    TextWriter text(buffer);
    int major, minor;
    if (!Text(key, kWhy, &text)) return false;
    if (!ParseVersion(text.view(), 2, 2, &major, &minor)) return Wrong(key, kWhy);
    driver.cuda_version = 1000 * major + 10 * minor;
  }
  return true;
}

// What was left out, and what only all devices together show.
bool Interpreter::Complete(std::string_view machine_id) {
  if (configuration_.count == 0) return Wrong(1, "no [[device]] follows");
  PlaceDevices();
  for (int i = 0; i < configuration_.count; ++i) {
    Device& device = configuration_.devices[i];
    if (lines_[i].uuid == 0) device.uuid = DeriveUuid(machine_id, device.pci);
  }
  if (!AllDiffer()) return false;
  const auto first = configuration_.devices.begin();
  std::sort(first, first + configuration_.count,
            [](const Device& a, const Device& b) { return a.pci < b.pci; });
  return true;
}

// Gives an address to those that have none.
void Interpreter::PlaceDevices() {
  const auto is_taken = [this](const PciAddress& address) {
    for (int i = 0; i < configuration_.count; ++i) {
      if (lines_[i].pci != 0 && configuration_.devices[i].pci == address) return true;
    }
    return false;
  };
  PciAddress next = kDefaultPci;
  for (int i = 0; i < configuration_.count; ++i) {
    if (lines_[i].pci != 0) continue;
    while (i > 0 && (next == kDefaultPci || is_taken(next))) {
      ++next.device;
      static_assert(kDefaultPci.device + kMaxDevices <= 32, "they find room on one bus");
    }
    configuration_.devices[i].pci = i == 0 ? kDefaultPci : next;
    lines_[i].pci = lines_[i].header;
  }
}

bool Interpreter::AllDiffer() {
  for (int i = 0; i < configuration_.count; ++i) {
    for (int j = 0; j < i; ++j) {
      const Device& one = configuration_.devices[i];
      const Device& other = configuration_.devices[j];
      std::array<char, 80> buffer;
      TextWriter why(buffer);
      if (one.pci == other.pci) {
        why.Add("pci_address: the device of line ").AddNumber(lines_[j].header);
        return Wrong(lines_[i].pci, why.Add(" has it too").view());
      }
      if (one.uuid == other.uuid) {
        why.Add("uuid: the device of line ").AddNumber(lines_[j].header);
        return Wrong(std::max(lines_[i].uuid, lines_[i].header), why.Add(" has it too").view());
      }
    }
  }
  return true;
}

std::string_view WithoutBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  while (!text.empty() && kBlanks.find(text.front()) != kBlanks.npos) text.remove_prefix(1);
  while (!text.empty() && kBlanks.find(text.back()) != kBlanks.npos) text.remove_suffix(1);
  return text;
}

}  // namespace

bool ParseConfiguration(std::string_view text, std::string_view machine_id, Configuration* parsed,
                        ConfigError* error) {
  *parsed = Configuration();
  *error = ConfigError();
  if (Interpreter(parsed, error).Read(text, machine_id)) return true;
  *parsed = Configuration();
  return false;
}

void DefaultConfiguration(std::string_view machine_id, Configuration* configuration) {
  *configuration = Configuration();
  SetDefaultDriver(configuration->driver);
  configuration->count = 1;
  Device& device = configuration->devices[0];
  device = DeviceOf(AllProfiles()[0]);
  device.pci = kDefaultPci;
  device.uuid = DeriveUuid(machine_id, device.pci);
}

Uuid DeriveUuid(std::string_view machine_id, const PciAddress& address) {
  std::array<char, kPciText> pci;
  FormatPci(address, pci);
  constexpr std::string_view kNul("\0", 1);
  Sha256 hash;
  hash.Add("vgpu device uuid");
  hash.Add(kNul);
  hash.Add(WithoutBlanks(machine_id));
  hash.Add(kNul);
  hash.Add(pci.data());
  const std::array<uint8_t, 32> digest = hash.Finish();
  Uuid uuid;
  std::copy_n(digest.begin(), uuid.bytes.size(), uuid.bytes.begin());
  if (uuid == Uuid()) uuid.bytes.back() = 1;
  return uuid;
}

bool LoadConfiguration(const char* named, const char* default_file, std::string_view machine_id,
                       std::span<char> buffer, Configuration* configuration, ConfigError* error) {
  const bool is_named = named != nullptr && named[0] != '\0';
  const char* file = is_named ? named : default_file;
  *error = ConfigError();
  std::string_view text;
  const int why = ReadSmallFile(file, buffer, &text);
  if (!is_named && (why == ENOENT || why == ENOTDIR)) {
    DefaultConfiguration(machine_id, configuration);
    return true;
  }
  if (why == 0 && ParseConfiguration(text, machine_id, configuration, error)) {
    return true;
  }
  *configuration = Configuration();
  TextWriter(error->file).AddVisible(file);
  if (why == 0) return false;
  TextWriter reason(error->reason);
  if (why == EINVAL) {
    reason.Add("not a regular file");
  } else if (why == EFBIG) {
    reason.Add("larger than ").AddUnsigned(buffer.size()).Add(" bytes");
  } else {
    const char* words = strerrordesc_np(why);
    reason.Add(words == nullptr ? "cannot be read" : words);
  }
  return false;
}

}  // namespace vgpu::device

#include "shims/device/doctor_agreement.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "diag/facts/devices.h"
#include "shims/base/text.h"
#include "shims/device/config.h"

namespace vgpu::device {
namespace {

// What the doctor does not look for: text that a terminal would not show as it is, and what only
// somebody writes who wants to be slow.
constexpr const char* kStricter[] = {
    ": a control character, or a byte that is no UTF-8",
    "too many tables",
    "too many keys in one table",
};

template <size_t kSize, typename Value>
std::string Text(void (*format)(const Value&, std::span<char, kSize>), const Value& value) {
  std::array<char, kSize> text;
  format(value, text);
  return text.data();
}

// "12.8" as the driver counts; -1: it is none.
int Version(const std::string& text, int of_major, int of_minor) {
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  int major, minor;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &major) ||
      !absl::SimpleAtoi(parts[1], &minor)) {
    return -1;
  }
  return of_major * major + of_minor * minor;
}

std::string Compare(const Device& ours, const facts::ConfiguredDevice& theirs) {
  const auto differ = [](absl::string_view what, const auto& a, const auto& b) {
    return absl::StrCat(what, ": the shims say ", a, ", the doctor ", b, "\n");
  };
  std::string all;
  if (ours.profile->id != theirs.profile) {
    absl::StrAppend(&all, differ("profile", std::string(ours.profile->id), theirs.profile));
  }
  if (std::string(ours.Name()) != theirs.name) {
    absl::StrAppend(&all, differ("name", std::string(ours.Name()), theirs.name));
  }
  if (ours.memory_bytes >> 20 != static_cast<uint64_t>(theirs.memory_mib)) {
    absl::StrAppend(&all, differ("memory", ours.memory_bytes >> 20, theirs.memory_mib));
  }
  if (ours.compute_major * 10 + ours.compute_minor != Version(theirs.compute_capability, 10, 1)) {
    absl::StrAppend(&all, differ("compute capability", ours.compute_major * 10 + ours.compute_minor,
                                 theirs.compute_capability));
  }
  if (ours.pci_vendor != theirs.pci_vendor_id) {
    absl::StrAppend(&all, differ("vendor", ours.pci_vendor, theirs.pci_vendor_id));
  }
  if (ours.pci_device != theirs.pci_device_id) {
    absl::StrAppend(&all, differ("device", ours.pci_device, theirs.pci_device_id));
  }
  if (ours.pci_class != theirs.pci_class) {
    absl::StrAppend(&all, differ("class", ours.pci_class, theirs.pci_class));
  }
  if (theirs.uuid && Text(FormatUuid, ours.uuid) != *theirs.uuid) {
    absl::StrAppend(&all, differ("uuid", Text(FormatUuid, ours.uuid), *theirs.uuid));
  }
  return all;
}

std::string CompareAll(const Configuration& ours, const facts::DeviceConfig& theirs) {
  if (static_cast<size_t>(ours.count) != theirs.devices.size()) {
    return absl::StrCat("the shims have ", ours.count, " devices, the doctor ",
                        theirs.devices.size(), "\n");
  }
  // Ours are in the order of their addresses, theirs in that of the file. Those that were given no
  // address have the free ones, in the order of the file.
  std::string all;
  std::vector<const Device*> rest;
  for (const Device& device : ours.All()) rest.push_back(&device);
  for (const facts::ConfiguredDevice& device : theirs.devices) {
    if (device.pci_address.empty()) continue;
    const auto found = std::find_if(rest.begin(), rest.end(), [&](const Device* one) {
      return Text(FormatPci, one->pci) == device.pci_address;
    });
    if (found == rest.end()) return absl::StrCat("the shims have none at ", device.pci_address);
    absl::StrAppend(&all, Compare(**found, device));
    rest.erase(found);
  }
  for (const facts::ConfiguredDevice& device : theirs.devices) {
    if (!device.pci_address.empty()) continue;
    absl::StrAppend(&all, Compare(*rest.front(), device));
    rest.erase(rest.begin());
  }
  if (ours.driver.Version() != theirs.driver_version.value_or(std::string(kDefaultDriver))) {
    absl::StrAppend(&all, "driver: the shims say ", ours.driver.version.data(), "\n");
  }
  const int cuda = theirs.cuda_version ? Version(*theirs.cuda_version, 1000, 10) : kDefaultCuda;
  if (ours.driver.cuda_version != cuda) {
    absl::StrAppend(&all, "CUDA: the shims say ", ours.driver.cuda_version, ", the doctor ", cuda);
  }
  return all;
}

// A reason that neither was cut nor has bytes of the file that only one of them makes visible.
bool IsComparable(absl::string_view reason) {
  return reason.size() < 120 &&
         std::all_of(reason.begin(), reason.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::string DisagreementWithDoctor(std::string_view text) {
  Configuration ours;
  ConfigError error;
  const bool taken = ParseConfiguration(text, "", &ours, &error);
  const absl::StatusOr<facts::DeviceConfig> theirs =
      facts::ParseDeviceConfig(absl::string_view(text.data(), text.size()));
  if (taken) {
    if (theirs.ok()) return CompareAll(ours, *theirs);
    return absl::StrCat("the shims take it, the doctor says: ", theirs.status().message());
  }
  const std::string reason = absl::StrCat("line ", error.line, ": ", error.reason.data());
  for (const char* stricter : kStricter) {
    if (absl::StrContains(reason, stricter)) return "";
  }
  if (theirs.ok()) return absl::StrCat("the doctor takes it, the shims say: ", reason);
  const absl::string_view doctors = theirs.status().message();
  const bool same = IsComparable(doctors)
                        ? doctors == reason
                        : absl::StartsWith(doctors, absl::StrCat("line ", error.line, ": "));
  return same ? "" : absl::StrCat("the shims say: ", reason, "\nthe doctor says: ", doctors);
}

}  // namespace vgpu::device

#include <array>
#include <cstddef>
#include <cstdio>
#include <optional>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

// What nvmlDeviceGetPciInfo without a version fills (NVML before 2.285), and what _v2 does: the
// beginnings of today's structure. A client of then has no room for the rest.
inline constexpr size_t kSizeV1 = offsetof(nvmlPciInfo_t, pciSubSystemId);
inline constexpr size_t kSizeV2 = offsetof(nvmlPciInfo_t, busId);

unsigned int DeviceId(const Device& device) {
  return static_cast<unsigned int>(device.pci_device) << 16 | device.pci_vendor;
}

unsigned int SubsystemId(const Device& device) {
  return static_cast<unsigned int>(device.profile->pci_subsystem_device) << 16 |
         device.profile->pci_subsystem_vendor;
}

// Bus ids have capital digits, and the wider one a domain of eight (nvml.h 12.9, …_BUS_ID_FMT).
void FormatBusId(const device::PciAddress& pci, char (&text)[NVML_DEVICE_PCI_BUS_ID_BUFFER_SIZE]) {
  snprintf(text, sizeof text, "%08X:%02X:%02X.%X", pci.domain, pci.bus, pci.device, pci.function);
}

nvmlPciInfo_t Info(const Device& device) {
  nvmlPciInfo_t info = {};
  const device::PciAddress& pci = device.pci;
  snprintf(info.busIdLegacy, sizeof info.busIdLegacy, "%04X:%02X:%02X.%X", pci.domain & 0xffff,
           pci.bus, pci.device, pci.function);
  FormatBusId(pci, info.busId);
  info.domain = pci.domain;
  info.bus = pci.bus;
  info.device = pci.device;
  info.pciDeviceId = DeviceId(device);
  info.pciSubSystemId = SubsystemId(device);
  return info;
}

nvmlReturn_t GetInfo(nvmlDevice_t handle, void* result, size_t size) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, result); error != NVML_SUCCESS) return error;
  const nvmlPciInfo_t info = Info(*device);
  memcpy(result, &info, size);
  return NVML_SUCCESS;
}

// One generation of PCI Express: its number is the index.
struct Generation {
  unsigned int transfers;  // per second and lane, in millions
  unsigned int nvml_speed;
};

inline constexpr std::array<Generation, 7> kGenerations = {{
    {0, NVML_PCIE_LINK_MAX_SPEED_INVALID},
    {2500, NVML_PCIE_LINK_MAX_SPEED_2500MBPS},
    {5000, NVML_PCIE_LINK_MAX_SPEED_5000MBPS},
    {8000, NVML_PCIE_LINK_MAX_SPEED_8000MBPS},
    {16000, NVML_PCIE_LINK_MAX_SPEED_16000MBPS},
    {32000, NVML_PCIE_LINK_MAX_SPEED_32000MBPS},
    {64000, NVML_PCIE_LINK_MAX_SPEED_64000MBPS},
}};

std::optional<Generation> GenerationOf(const Device& device) {
  const size_t number = static_cast<size_t>(device.profile->pcie_generation);
  if (number == 0 || number >= kGenerations.size()) return std::nullopt;
  return kGenerations[number];
}

// The link is as wide and as fast as the device can, at all times.
nvmlReturn_t GetGeneration(nvmlDevice_t handle, unsigned int* result) {
  return Answer(handle, result,
                [](const Device& device) { return device.profile->pcie_generation; });
}

nvmlReturn_t GetWidth(nvmlDevice_t handle, unsigned int* result) {
  return Answer(handle, result, [](const Device& device) { return device.profile->pcie_width; });
}

}  // namespace

NVML_API nvmlReturn_t nvmlDeviceGetPciInfo(nvmlDevice_t device, nvmlPciInfo_t* pci) {
  return GetInfo(device, pci, kSizeV1);
}

NVML_API nvmlReturn_t nvmlDeviceGetPciInfo_v2(nvmlDevice_t device, nvmlPciInfo_t* pci) {
  return GetInfo(device, pci, kSizeV2);
}

NVML_API nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t* pci) {
  return GetInfo(device, pci, sizeof *pci);
}

NVML_API nvmlReturn_t nvmlDeviceGetPciInfoExt(nvmlDevice_t device, nvmlPciInfoExt_t* pci) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, pci); error != NVML_SUCCESS) return error;
  if (!HasVersion(*pci, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  pci->domain = found->pci.domain;
  pci->bus = found->pci.bus;
  pci->device = found->pci.device;
  pci->pciDeviceId = DeviceId(*found);
  pci->pciSubSystemId = SubsystemId(*found);
  pci->baseClass = found->pci_class >> 16 & 0xff;
  pci->subClass = found->pci_class >> 8 & 0xff;
  FormatBusId(found->pci, pci->busId);
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetBusType(nvmlDevice_t device, nvmlBusType_t* type) {
  return Answer(device, type, [](const Device&) { return NVML_BUS_TYPE_PCIE; });
}

NVML_API nvmlReturn_t nvmlDeviceGetMaxPcieLinkGeneration(nvmlDevice_t device,
                                                         unsigned int* maxLinkGen) {
  return GetGeneration(device, maxLinkGen);
}

NVML_API nvmlReturn_t nvmlDeviceGetGpuMaxPcieLinkGeneration(nvmlDevice_t device,
                                                            unsigned int* maxLinkGenDevice) {
  return GetGeneration(device, maxLinkGenDevice);
}

NVML_API nvmlReturn_t nvmlDeviceGetCurrPcieLinkGeneration(nvmlDevice_t device,
                                                          unsigned int* currLinkGen) {
  return GetGeneration(device, currLinkGen);
}

NVML_API nvmlReturn_t nvmlDeviceGetMaxPcieLinkWidth(nvmlDevice_t device,
                                                    unsigned int* maxLinkWidth) {
  return GetWidth(device, maxLinkWidth);
}

NVML_API nvmlReturn_t nvmlDeviceGetCurrPcieLinkWidth(nvmlDevice_t device,
                                                     unsigned int* currLinkWidth) {
  return GetWidth(device, currLinkWidth);
}

// In millions of transfers per second, which the API calls MBPS.
NVML_API nvmlReturn_t nvmlDeviceGetPcieSpeed(nvmlDevice_t device, unsigned int* pcieSpeed) {
  return Answer(device, pcieSpeed, [](const Device& found) -> std::optional<unsigned int> {
    const auto generation = GenerationOf(found);
    if (!generation) return std::nullopt;
    return generation->transfers;
  });
}

NVML_API nvmlReturn_t nvmlDeviceGetPcieLinkMaxSpeed(nvmlDevice_t device, unsigned int* maxSpeed) {
  return Answer(device, maxSpeed, [](const Device& found) -> std::optional<unsigned int> {
    const auto generation = GenerationOf(found);
    if (!generation) return std::nullopt;
    return generation->nvml_speed;
  });
}

// Memory of the device is memory of the host: nothing goes over the bus.
NVML_API nvmlReturn_t nvmlDeviceGetPcieThroughput(nvmlDevice_t device,
                                                  nvmlPcieUtilCounter_t counter,
                                                  unsigned int* value) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, value); error != NVML_SUCCESS) return error;
  if (counter >= NVML_PCIE_UTIL_COUNT) return NVML_ERROR_INVALID_ARGUMENT;
  *value = 0;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetPcieReplayCounter(nvmlDevice_t device, unsigned int* value) {
  return Answer(device, value, [](const Device&) { return 0; });
}

}  // namespace vgpu::nvml

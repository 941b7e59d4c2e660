#include <algorithm>
#include <array>
#include <cstring>

#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

nvmlReturn_t GetCount(unsigned int* count) {
  const Configuration* configuration = Initialized();
  if (configuration == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (count == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *count = static_cast<unsigned int>(configuration->count);
  return NVML_SUCCESS;
}

nvmlReturn_t GetByIndex(unsigned int index, nvmlDevice_t* handle) {
  const Configuration* configuration = Initialized();
  if (configuration == nullptr) return NVML_ERROR_UNINITIALIZED;
  const auto devices = configuration->All();
  if (handle == nullptr || index >= devices.size()) return NVML_ERROR_INVALID_ARGUMENT;
  *handle = HandleOf(devices[index]);
  return NVML_SUCCESS;
}

// The first device that `matches` fits.
template <typename Matches>
nvmlReturn_t GetBy(nvmlDevice_t* handle, Matches matches) {
  for (const Device& device : Initialized()->All()) {
    if (matches(device)) {
      *handle = HandleOf(device);
      return NVML_SUCCESS;
    }
  }
  return NVML_ERROR_NOT_FOUND;
}

nvmlReturn_t GetByPci(const char* address, nvmlDevice_t* handle) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (address == nullptr || handle == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  device::PciAddress wanted;
  if (!device::ParsePci(address, &wanted)) return NVML_ERROR_INVALID_ARGUMENT;
  return GetBy(handle, [&](const Device& device) { return device.pci == wanted; });
}

nvmlReturn_t GetByUuid(const device::Uuid& uuid, nvmlDevice_t* handle) {
  return GetBy(handle, [&](const Device& device) { return device.uuid == uuid; });
}

}  // namespace

NVML_API nvmlReturn_t nvmlDeviceGetCount(unsigned int* deviceCount) {
  return GetCount(deviceCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int* deviceCount) {
  return GetCount(deviceCount);
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned int index, nvmlDevice_t* device) {
  return GetByIndex(index, device);
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t* device) {
  return GetByIndex(index, device);
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByPciBusId(const char* pciBusId, nvmlDevice_t* device) {
  return GetByPci(pciBusId, device);
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char* pciBusId, nvmlDevice_t* device) {
  return GetByPci(pciBusId, device);
}

// No virtual device has a serial number (nvmlDeviceGetSerial is NOT_SUPPORTED), so none is found.
NVML_API nvmlReturn_t nvmlDeviceGetHandleBySerial(const char* serial, nvmlDevice_t* device) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (serial == nullptr || device == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  return NVML_ERROR_NOT_FOUND;
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByUUID(const char* uuid, nvmlDevice_t* device) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (uuid == nullptr || device == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  device::Uuid wanted;
  if (!device::ParseUuid(uuid, &wanted)) return NVML_ERROR_INVALID_ARGUMENT;
  return GetByUuid(wanted, device);
}

NVML_API nvmlReturn_t nvmlDeviceGetHandleByUUIDV(const nvmlUUID_t* uuid, nvmlDevice_t* device) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (uuid == nullptr || device == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  if (!HasVersion(*uuid, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  device::Uuid wanted;
  if (uuid->type == NVML_UUID_TYPE_BINARY) {
    std::copy_n(uuid->value.bytes, wanted.bytes.size(), wanted.bytes.begin());
  } else if (uuid->type != NVML_UUID_TYPE_ASCII ||
             !device::ParseUuid({uuid->value.str, strnlen(uuid->value.str, sizeof uuid->value.str)},
                                &wanted)) {
    return NVML_ERROR_INVALID_ARGUMENT;
  }
  return GetByUuid(wanted, device);
}

NVML_API nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char* name, unsigned int length) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found); error != NVML_SUCCESS) return error;
  return CopyText(found->Name(), name, length);
}

NVML_API nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char* uuid, unsigned int length) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found); error != NVML_SUCCESS) return error;
  std::array<char, device::kUuidText> text;
  device::FormatUuid(found->uuid, text);
  return CopyText(text.data(), uuid, length);
}

NVML_API nvmlReturn_t nvmlDeviceGetBoardPartNumber(nvmlDevice_t device, char* partNumber,
                                                   unsigned int length) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found); error != NVML_SUCCESS) return error;
  return CopyText(found->profile->part_number, partNumber, length);
}

NVML_API nvmlReturn_t nvmlDeviceGetVbiosVersion(nvmlDevice_t device, char* version,
                                                unsigned int length) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found); error != NVML_SUCCESS) return error;
  return CopyText(found->profile->vbios, version, length);
}

NVML_API nvmlReturn_t nvmlDeviceGetBrand(nvmlDevice_t device, nvmlBrandType_t* type) {
  return Answer(device, type, [](const Device& found) { return found.profile->nvml_brand; });
}

NVML_API nvmlReturn_t nvmlDeviceGetArchitecture(nvmlDevice_t device,
                                                nvmlDeviceArchitecture_t* arch) {
  return Answer(device, arch, [](const Device& found) { return found.profile->nvml_architecture; });
}

NVML_API nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned int* index) {
  return Answer(device, index, IndexOf);
}

// N of /dev/nvidiaN.
NVML_API nvmlReturn_t nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned int* minorNumber) {
  return Answer(device, minorNumber, IndexOf);
}

// Each device is a board by itself, on no baseboard.
NVML_API nvmlReturn_t nvmlDeviceGetModuleId(nvmlDevice_t device, unsigned int* moduleId) {
  return Answer(device, moduleId, [](const Device&) { return 0; });
}

NVML_API nvmlReturn_t nvmlDeviceGetMultiGpuBoard(nvmlDevice_t device, unsigned int* multiGpuBool) {
  return Answer(device, multiGpuBool, [](const Device&) { return 0; });
}

// Made from the address, as the driver makes it (open-gpu-kernel-modules 570, gpuGenerate32BitId).
NVML_API nvmlReturn_t nvmlDeviceGetBoardId(nvmlDevice_t device, unsigned int* boardId) {
  return Answer(device, boardId, [](const Device& found) {
    return (found.pci.domain & 0xffff) << 16 | static_cast<unsigned int>(found.pci.bus) << 8 |
           found.pci.device;
  });
}

NVML_API nvmlReturn_t nvmlDeviceOnSameBoard(nvmlDevice_t device1, nvmlDevice_t device2,
                                            int* onSameBoard) {
  const Device* first;
  const Device* second;
  if (nvmlReturn_t error = Find(device1, &first); error != NVML_SUCCESS) return error;
  if (nvmlReturn_t error = Find(device2, &second, onSameBoard); error != NVML_SUCCESS) return error;
  *onSameBoard = first == second;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int* major,
                                                         int* minor) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, major, minor); error != NVML_SUCCESS) return error;
  *major = found->compute_major;
  *minor = found->compute_minor;
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetNumGpuCores(nvmlDevice_t device, unsigned int* numCores) {
  return Answer(device, numCores, [](const Device& found) {
    return found.profile->multiprocessors * found.profile->cores_per_multiprocessor;
  });
}

NVML_API nvmlReturn_t nvmlDeviceGetMemoryBusWidth(nvmlDevice_t device, unsigned int* busWidth) {
  return Answer(device, busWidth,
                [](const Device& found) { return found.profile->memory_bus_bits; });
}

// Of capabilities, there is one to be asked for (extended GPU memory), and it is not there.
NVML_API nvmlReturn_t nvmlDeviceGetCapabilities(nvmlDevice_t device,
                                                nvmlDeviceCapabilities_t* caps) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, caps); error != NVML_SUCCESS) return error;
  if (!HasVersion(*caps, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  caps->capMask = 0;
  return NVML_SUCCESS;
}

// A device's pointers are those of host memory already: there is nothing to translate.
NVML_API nvmlReturn_t nvmlDeviceGetAddressingMode(nvmlDevice_t device,
                                                  nvmlDeviceAddressingMode_t* mode) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, mode); error != NVML_SUCCESS) return error;
  if (!HasVersion(*mode, 1)) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  mode->value = NVML_DEVICE_ADDRESSING_MODE_NONE;
  return NVML_SUCCESS;
}

// No performance counters, so no metrics of them.
NVML_API nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, nvmlGpmSupport_t* gpmSupport) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, gpmSupport); error != NVML_SUCCESS) return error;
  if (gpmSupport->version != NVML_GPM_SUPPORT_VERSION) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  gpmSupport->isSupportedDevice = 0;
  return NVML_SUCCESS;
}

}  // namespace vgpu::nvml

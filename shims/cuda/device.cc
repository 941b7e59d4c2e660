// What a program asks of a device.

#include "shims/device/device.h"

#include <string.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/attributes.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/state.h"

namespace cuda = vgpu::cuda;
namespace device = vgpu::device;

namespace {

// As much as fits, and a NUL.
void CopyText(std::string_view text, char* out, int size) {
  const size_t copied = std::min(text.size(), static_cast<size_t>(size) - 1);
  memcpy(out, text.data(), copied);
  out[copied] = '\0';
}

int Value(const device::Device& device, int ordinal, CUdevice_attribute attribute) {
  return cuda::Attribute(device, ordinal, attribute).value_or(0);
}

CUresult NoAtomics(unsigned* capabilities, const CUatomicOperation* operations, unsigned count) {
  if (capabilities == nullptr || operations == nullptr || count == 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (unsigned i = 0; i < count; ++i) {
    if (operations[i] < CU_ATOMIC_OPERATION_INTEGER_ADD ||
        operations[i] > CU_ATOMIC_OPERATION_FLOAT_MAX) {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  for (unsigned i = 0; i < count; ++i) capabilities[i] = 0;
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

VGPU_EXPORT CUresult cuDeviceGetCount(int* count) {
  cuda::Call call;
  if (CUresult error = call.status()) return error;
  if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *count = cuda::DeviceCount();
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGet(CUdevice* out, int ordinal) {
  cuda::Call call;
  if (CUresult error = call.status()) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  *out = ordinal;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGetName(char* name, int size, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (name == nullptr || size <= 0) return CUDA_ERROR_INVALID_VALUE;
  CopyText(found->Name(), name, size);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (uuid == nullptr) return CUDA_ERROR_INVALID_VALUE;
  memcpy(uuid->bytes, found->uuid.bytes.data(), sizeof uuid->bytes);
  return CUDA_SUCCESS;
}

// Differs for a device that is split (MIG), which a virtual one never is.
VGPU_EXPORT CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice ordinal) {
  return cuDeviceGetUuid(uuid, ordinal);
}

VGPU_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (bytes == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *bytes = found->memory_bytes;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceTotalMem(unsigned* bytes, CUdevice ordinal) {
  size_t all = 0;
  const CUresult error = cuDeviceTotalMem_v2(bytes == nullptr ? nullptr : &all, ordinal);
  if (error == CUDA_SUCCESS) *bytes = static_cast<unsigned>(std::min<size_t>(all, UINT32_MAX));
  return error;
}

VGPU_EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute,
                                          CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const std::optional<int> answer = cuda::Attribute(*found, ordinal, attribute);
  if (!answer.has_value()) return CUDA_ERROR_INVALID_VALUE;
  *value = *answer;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (major == nullptr || minor == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *major = found->compute_major;
  *minor = found->compute_minor;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGetProperties(CUdevprop* properties, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (properties == nullptr) return CUDA_ERROR_INVALID_VALUE;
  auto value = [&](CUdevice_attribute attribute) { return Value(*found, ordinal, attribute); };
  *properties = {
      .maxThreadsPerBlock = value(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
      .maxThreadsDim = {value(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X),
                        value(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y),
                        value(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z)},
      .maxGridSize = {value(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X),
                      value(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y),
                      value(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)},
      .sharedMemPerBlock = value(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK),
      .totalConstantMemory = value(CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY),
      .SIMDWidth = value(CU_DEVICE_ATTRIBUTE_WARP_SIZE),
      .memPitch = value(CU_DEVICE_ATTRIBUTE_MAX_PITCH),
      .regsPerBlock = value(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK),
      .clockRate = value(CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
      .textureAlign = value(CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT),
  };
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGetPCIBusId(char* text, int size, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (text == nullptr || size <= 0) return CUDA_ERROR_INVALID_VALUE;
  char whole[device::kPciText];
  device::FormatPci(found->pci, whole);
  // As NVML, and unlike sysfs, the driver writes it in upper case: 0000:0E:00.0 is a real one's
  // (ggml-org/llama.cpp, pull request 22533).
  for (char& c : whole) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  CopyText(whole, text, size);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGetByPCIBusId(CUdevice* out, const char* text) {
  cuda::Call call;
  if (CUresult error = call.status()) return error;
  device::PciAddress address;
  if (out == nullptr || text == nullptr || !device::ParsePci(text, &address)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (int i = 0; i < cuda::DeviceCount(); ++i) {
    if (cuda::DeviceAt(i).pci == address) {
      *out = i;
      return CUDA_SUCCESS;
    }
  }
  return CUDA_ERROR_INVALID_DEVICE;
}

// A name that Windows gives a device.
VGPU_EXPORT CUresult cuDeviceGetLuid(char* luid, unsigned* node_mask, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (luid == nullptr || node_mask == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return CUDA_ERROR_NOT_SUPPORTED;
}

VGPU_EXPORT CUresult cuDeviceGetTexture1DLinearMaxWidth(size_t* elements, CUarray_format format,
                                                        unsigned channels, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (elements == nullptr || channels < 1 || channels > 4) return CUDA_ERROR_INVALID_VALUE;
  switch (format) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
    case CU_AD_FORMAT_UNSIGNED_INT16:
    case CU_AD_FORMAT_UNSIGNED_INT32:
    case CU_AD_FORMAT_SIGNED_INT8:
    case CU_AD_FORMAT_SIGNED_INT16:
    case CU_AD_FORMAT_SIGNED_INT32:
    case CU_AD_FORMAT_HALF:
    case CU_AD_FORMAT_FLOAT:
      break;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
  *elements = static_cast<size_t>(
      Value(*found, ordinal, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_LINEAR_WIDTH));
  return CUDA_SUCCESS;
}

// A context that is bound to some of the multiprocessors is for Volta under MPS.
VGPU_EXPORT CUresult cuDeviceGetExecAffinitySupport(int* supported, CUexecAffinityType type,
                                                    CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (supported == nullptr || type != CU_EXEC_AFFINITY_TYPE_SM_COUNT) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  *supported = 0;
  return CUDA_SUCCESS;
}

// Nothing runs on a device, so nothing does it atomically.
VGPU_EXPORT CUresult cuDeviceGetHostAtomicCapabilities(unsigned* capabilities,
                                                       const CUatomicOperation* operations,
                                                       unsigned count, CUdevice ordinal) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  return NoAtomics(capabilities, operations, count);
}

VGPU_EXPORT CUresult cuDeviceGetP2PAtomicCapabilities(unsigned* capabilities,
                                                      const CUatomicOperation* operations,
                                                      unsigned count, CUdevice source,
                                                      CUdevice destination) {
  cuda::Call call;
  const device::Device* found;
  if (CUresult error = call.Device(source, &found)) return error;
  if (CUresult error = call.Device(destination, &found)) return error;
  if (source == destination) return CUDA_ERROR_INVALID_DEVICE;
  return NoAtomics(capabilities, operations, count);
}

}  // extern "C"

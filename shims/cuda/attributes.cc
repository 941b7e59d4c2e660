#include "shims/cuda/attributes.h"

namespace vgpu::cuda {
namespace {

// How many times as many operations of single as of double precision a multiprocessor does:
// CUDA C++ Programming Guide 12.8, "Throughput of Native Arithmetic Instructions".
int DoublePrecisionRatio(const device::Device& device) {
  switch (device.compute_major) {
    case 7:
      return device.compute_minor == 5 ? 32 : 2;
    case 8:
      return device.compute_minor == 0 ? 2 : 64;
    case 9:
      return 2;
    case 10:
      return device.compute_minor == 0 ? 2 : 64;
    default:
      return 64;
  }
}

// As cuda.h 12.8 describes GPU_PCI_DEVICE_ID: the device's number above the vendor's.
int PciPair(uint16_t device, uint16_t vendor) {
  return static_cast<int>(uint32_t{device} << 16 | vendor);
}

}  // namespace

std::optional<int> Attribute(const device::Device& device, int ordinal,
                             CUdevice_attribute attribute) {
  const device::Profile& profile = *device.profile;
  switch (attribute) {
#define VGPU_CUDA_ATTRIBUTE(name, number, value) \
  case CU_DEVICE_ATTRIBUTE_##name:               \
    return value;
#include "shims/abi/cuda_attributes.inc"
#undef VGPU_CUDA_ATTRIBUTE
  }
  return std::nullopt;
}

}  // namespace vgpu::cuda

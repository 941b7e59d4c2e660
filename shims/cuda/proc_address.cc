// cuGetProcAddress, in both versions, and cuGetExportTable.

#include <atomic>

#include "shims/abi/cuda_work_types.h"
#include "shims/cuda/entry_points.h"
#include "shims/cuda/export.h"
#include "shims/cuda/work_api.h"
#include "shims/device/device.h"
#include "shims/log/log.h"

namespace {

using ::vgpu::cuda::EntryPoint;

// CUdriverProcAddress_flags of cuda.h 12; 0 asks for the legacy stream, as a program compiled
// without --default-stream per-thread does.
constexpr cuuint64_t kLegacyStream = 1;
constexpr cuuint64_t kPerThreadStream = 2;

CUresult Look(const char* symbol, int cuda_version, cuuint64_t flags, EntryPoint* found) {
  const vgpu::device::Configuration* configuration = vgpu::device::Current("libvgpu-cuda");
  if (configuration == nullptr) return CUDA_ERROR_UNKNOWN;
  const int driver_version = configuration->driver.cuda_version;
  if (symbol == nullptr || (flags & ~(kLegacyStream | kPerThreadStream)) != 0 ||
      flags == (kLegacyStream | kPerThreadStream) || cuda_version > driver_version) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  *found =
      vgpu::cuda::FindEntryPoint(symbol, cuda_version, driver_version, flags == kPerThreadStream);
  if (vgpu::log::Enabled(vgpu::log::Level::kTrace)) {
    vgpu::log::Write(vgpu::log::Level::kTrace, "libvgpu-cuda", "entry point asked for",
                     {{"func", "cuGetProcAddress"},
                      {"symbol", symbol},
                      {"version", cuda_version},
                      {"answer", found->name == nullptr ? "none" : found->name}});
  }
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

// CUDA 11.3's: what is not there is an error.
VGPU_EXPORT CUresult cuGetProcAddress(const char* symbol, void** address, int cuda_version,
                                      cuuint64_t flags) {
  if (address == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *address = nullptr;
  EntryPoint found;
  const CUresult result = Look(symbol, cuda_version, flags, &found);
  if (result != CUDA_SUCCESS) return result;
  *address = found.address;
  return found.address == nullptr ? CUDA_ERROR_NOT_FOUND : CUDA_SUCCESS;
}

// CUDA 12's: what is not there is a null, and `status` says why.
VGPU_EXPORT CUresult cuGetProcAddress_v2(const char* symbol, void** address, int cuda_version,
                                         cuuint64_t flags, CUdriverProcAddressQueryResult* status) {
  if (address == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *address = nullptr;
  EntryPoint found;
  const CUresult result = Look(symbol, cuda_version, flags, &found);
  if (result != CUDA_SUCCESS) return result;
  *address = found.address;
  if (status != nullptr) *status = static_cast<CUdriverProcAddressQueryResult>(found.status);
  return CUDA_SUCCESS;
}

// NVIDIA's own runtime asks a driver for private tables by this call, and checks by one of them
// that the driver is NVIDIA's. That check is not ours to answer: there is no table, whichever is
// asked for. Its user is told so, once in a process:
//
//   level=error lib=libvgpu-cuda msg="NVIDIA's own CUDA runtime is loaded" func=cuGetExportTable
//   reason="it accepts NVIDIA's driver alone" fix="load libvgpu-cudart.so in its place; …"
VGPU_EXPORT CUresult cuGetExportTable(const void** table, const CUuuid* id) {
  if (table == nullptr || id == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *table = nullptr;
  static constinit std::atomic<bool> said{false};
  if (said.exchange(true, std::memory_order_relaxed)) return CUDA_ERROR_NOT_FOUND;
  vgpu::log::Write(vgpu::log::Level::kError, "libvgpu-cuda", "NVIDIA's own CUDA runtime is loaded",
                   {{"func", "cuGetExportTable"},
                    {"reason", "it accepts NVIDIA's driver alone"},
                    {"fix",
                     "load libvgpu-cudart.so in its place; a program that has it linked "
                     "statically, or uses cuBLAS, cannot work"}});
  return CUDA_ERROR_NOT_FOUND;
}

}  // extern "C"

// What the driver shim knows in this process: whether it is initialised, its visible devices,
// its contexts, and which context each thread works in.
//
//   CUresult cuCtxGetDevice(CUdevice* device) {
//     Call call;
//     Context* context;
//     if (CUresult error = call.Current(&context)) return error;
//     if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
//     *device = context->ordinal;
//     return CUDA_SUCCESS;
//   }
//
// Every exported function that touches state makes a Call first: it holds the one lock of the
// state, and keeps errno. Long work (a copy, a program's own callback) is done after the Call has
// gone. Functions below that say nothing else want the lock held.
//
// The order of errors is the driver's: without cuInit NOT_INITIALIZED, whatever the arguments;
// then the context; then the arguments.
//
// A child of fork(2) of a process that was initialised cannot use the driver, as with NVIDIA's:
// cuInit and all else say NOT_INITIALIZED there, and it holds no device memory.
//
// Lock order: this lock, then those of shims/usage and shims/log.

#ifndef SHIMS_CUDA_STATE_H_
#define SHIMS_CUDA_STATE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/device/device.h"

namespace vgpu::cuda {

inline constexpr char kLibrary[] = "libvgpu-cuda";

struct Allocation;

inline constexpr int kLimits = CU_LIMIT_PER_BLOCK_MEMORY_SIZE + 1;

// A context whose peer a context may use.
struct PeerLink {
  CUcontext peer;
  PeerLink* next;
};

struct Context {
  CUcontext handle = nullptr;
  int ordinal = 0;  // of its device
  uint64_t id = 0;  // never used again in this process
  unsigned flags = 0;
  unsigned api_version = 0;
  bool primary = false;
  // Of a primary context that nobody retains: its handle stays valid, what it had is gone.
  bool destroyed = false;
  // How often it was retained (primary; a reset does not change it) or attached (others).
  int references = 0;
  std::array<size_t, kLimits> limits = {};
  CUfunc_cache cache = CU_FUNC_CACHE_PREFER_NONE;
  PeerLink* peers = nullptr;
  Allocation* allocations = nullptr;  // those that end with it
};

// One call of the API. Made on the stack of the calling thread.
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // CUDA_SUCCESS once cuInit has succeeded in this process.
  CUresult status() const;

  // The calling thread's context: INVALID_CONTEXT where there is none.
  CUresult Current(Context** context) const;
  CUresult Current() const;

  // By ordinal: INVALID_DEVICE where there is none.
  CUresult Device(CUdevice ordinal, const device::Device** device) const;

  // By handle; null is the calling thread's own.
  CUresult ContextOf(CUcontext handle, Context** context) const;

  // Lets other calls be made meanwhile: what was found before may be gone afterwards.
  void Yield();

 private:
  int errno_;
};

// Whether cuInit has succeeded in this process. Needs no lock.
bool Initialized();

// cuInit.
CUresult Initialize(unsigned flags);

// The version of CUDA that the driver has, 12080; 0: the configuration is broken. Needs neither
// cuInit nor the lock.
int DriverCudaVersion();

int DeviceCount();
// `ordinal` is of a device.
const device::Device& DeviceAt(int ordinal);

// Null: no such context, or no longer. A primary context may be destroyed and yet found.
Context* FindContext(CUcontext handle);

// The primary context of a device, which may be destroyed. Null: no memory.
Context* PrimaryContext(int ordinal);

// Makes a context, which counts in shims/usage. Null: no memory.
Context* CreateContext(int ordinal, unsigned flags, unsigned api_version);
// Gives a primary context life, or takes it: whoever holds its handle keeps the handle.
void RevivePrimary(Context* context);
// Ends a context and all that belongs to it. Its memory goes, unless it is a primary one.
void EndContext(Context* context);

// The calling thread's stack of contexts. Null: nothing is on it. The lock need not be held.
CUcontext CurrentHandle();
bool PushCurrent(CUcontext handle);  // false: the stack is full
CUcontext PopCurrent();
bool SetCurrent(CUcontext handle);  // in place of the topmost; null takes that away

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_STATE_H_

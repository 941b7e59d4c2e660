// What every function of the runtime begins and ends with.
//
//   cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
//     return WithContext([&](const Driver& driver) {
//       return FromDriver(driver.cuMemGetInfo_v2(free, total));
//     });
//   }
//
// errno is kept, and an error is recorded for cudaGetLastError of the calling thread.
//
// Contexts are the driver's primary ones, as the documentation ("Interactions with the CUDA Driver
// API") says: the runtime retains a device's once in the process, at the first call that needs it,
// and makes it current to each thread that has none; a context that the program has made current
// itself is used as it is.

#ifndef SHIMS_CUDART_RUNTIME_H_
#define SHIMS_CUDART_RUNTIME_H_

#include <errno.h>

#include "shims/cudart/driver.h"
#include "shims/cudart/types.h"

namespace vgpu::cudart {

inline constexpr char kLibrary[] = "libvgpu-cudart";

// More than any driver shows (NVIDIA's stops at 64).
inline constexpr int kMaxDevices = 64;

class ErrnoKeeper {
 public:
  ErrnoKeeper() : saved_(errno) {}
  ~ErrnoKeeper() { errno = saved_; }
  ErrnoKeeper(const ErrnoKeeper&) = delete;
  ErrnoKeeper& operator=(const ErrnoKeeper&) = delete;

 private:
  int saved_;
};

// Since CUDA 10.1 both number what they share alike; what the runtime has no code for is
// cudaErrorUnknown.
cudaError_t FromDriver(CUresult result);

// Notes an error for cudaGetLastError, and returns it.
cudaError_t Record(cudaError_t error);

// Of the calling thread: the device of its context, else what cudaSetDevice chose, else the first.
int CurrentDevice(const Driver& driver);

// The calling thread has a context after this.
cudaError_t EnsureContext(const Driver& driver);

// The primary context of a device, retained. Null `context` is allowed.
cudaError_t RetainPrimary(const Driver& driver, int device, CUcontext* context);

// Ends the primary context of a device and all that the runtime keeps for it.
cudaError_t ResetDevice(const Driver& driver, int device);

// Refuses a launch, with one log line; `name` is the kernel's, null where it is not known.
cudaError_t RefuseLaunch(const Driver& driver, const char* function, const char* name);

template <typename Body>
cudaError_t WithDriver(Body body) {
  ErrnoKeeper keeper;
  cudaError_t error = cudaErrorUnknown;
  const Driver* driver = InitializedDriver(&error);
  if (driver == nullptr) return Record(error);
  return Record(body(*driver));
}

template <typename Body>
cudaError_t WithContext(Body body) {
  return WithDriver([&](const Driver& driver) {
    if (cudaError_t error = EnsureContext(driver); error != cudaSuccess) return error;
    return body(driver);
  });
}

// A function that is the driver's: the same arguments, in a context.
template <typename... Parameters, typename... Arguments>
cudaError_t Forward(CUresult (*Driver::*function)(Parameters...), Arguments... arguments) {
  return WithContext(
      [&](const Driver& driver) { return FromDriver((driver.*function)(arguments...)); });
}

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_RUNTIME_H_

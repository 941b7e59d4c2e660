// What the runtime keeps of each thread. Trivial, so that no thread needs a destructor.

#ifndef SHIMS_CUDART_THREAD_H_
#define SHIMS_CUDART_THREAD_H_

#include "shims/cudart/types.h"

namespace vgpu::cudart {

// What stands between <<< and >>>, on its way to the launch.
struct CallConfiguration {
  dim3 grid;
  dim3 block;
  size_t shared_memory;
  cudaStream_t stream;
};

struct Thread {
  // Of a launch whose arguments launch something themselves.
  static constexpr int kMaxConfigurations = 16;

  cudaError_t last_error;
  int device;  // what cudaSetDevice chose
  int configurations;
  CallConfiguration configuration[kMaxConfigurations];
};

extern constinit thread_local Thread thread;

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_THREAD_H_

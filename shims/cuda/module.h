// Modules, libraries, and the functions in them. Loading an image reads the names in it (image.h)
// and runs nothing.
//
// A function can be asked for if the image names it. Of an image that is opaque (its code is
// compressed) every name is answered with a function, because none can be denied: what is wrong
// with it is said at the launch, which is refused whatever the name.
//
// What an image does not say of a function is answered as of an undemanding one: 32 registers a
// thread, no static shared memory, 1024 threads a block. A variable gets device memory when it is
// first asked for, with the value that a cubin gives it; PTX's begin as zeros.
//
// Functions want the state's lock (state.h).

#ifndef SHIMS_CUDA_MODULE_H_
#define SHIMS_CUDA_MODULE_H_

#include <cstddef>

#include "shims/abi/cuda_work_types.h"
#include "shims/cuda/state.h"

namespace vgpu::cuda {

// What a launch has to know of a function.
struct FunctionInfo {
  const char* name = nullptr;  // of the module's; null: not known
  int max_threads = 1024;      // a block
  int max_dynamic_shared_bytes = 0;
};

// Of a function, or of a kernel of a library (which a launch takes too). False: it is neither.
bool FindFunctionInfo(CUfunction function, const Context* context, FunctionInfo* info);

// The modules of a context end.
void EndModules(const Context* context);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_MODULE_H_

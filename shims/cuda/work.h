// What a stream can be asked to do with memory, and the way there.
//
// The work of this driver is eager: memory is host RAM and there is no device to wait for, so an
// operation is done when the call that asked for it returns, and a stream is always idle.
// Events and captures see the order of calls, which is a stream's order.

#ifndef SHIMS_CUDA_WORK_H_
#define SHIMS_CUDA_WORK_H_

#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/state.h"

namespace vgpu::cuda {

// One side of a copy. Memory that is not an array has rows `pitch` bytes apart, and slices
// `height` rows apart.
struct Operand {
  CUmemorytype type = CU_MEMORYTYPE_UNIFIED;
  uintptr_t address = 0;    // unless it is an array
  CUarray array = nullptr;  // if it is one
  size_t x = 0;             // bytes
  size_t y = 0;
  size_t z = 0;
  size_t pitch = 0;  // 0: the rows of the copy follow each other
  size_t height = 0;
};

struct Copy {
  Operand from;
  Operand to;
  size_t width = 0;  // bytes
  size_t height = 1;
  size_t depth = 1;
};

struct Fill {
  uintptr_t address = 0;
  uint32_t value = 0;
  unsigned element = 1;  // bytes: 1, 2 or 4
  size_t width = 0;      // elements
  size_t height = 1;
  size_t pitch = 0;  // bytes
};

// Do it now, in the calling thread, which does not hold the lock. INVALID_VALUE: a side that is
// device memory or an array does not hold what is asked for; nothing was written.
CUresult Run(const Copy& copy);
CUresult Run(const Fill& fill);

// Do it in the order of a stream, which one that is capturing only notes. As above.
CUresult Submit(CUstream stream, const Copy& copy);
CUresult Submit(CUstream stream, const Fill& fill);

// The context of a stream, which lives: INVALID_HANDLE where there is no such stream. Wants the
// lock.
CUresult ContextOfStream(const Call& call, CUstream stream, Context** context);

// The same, for work that no graph can hold: of a stream that is capturing
// STREAM_CAPTURE_UNSUPPORTED, and the capture is invalid from then on.
CUresult ContextOutsideCapture(const Call& call, CUstream stream, Context** context);

// What was put off until nobody holds the lock: the program's own functions (user_object.h). At the
// end of each Call, without the lock.
void AfterCall();

// A context ends: so do its streams, events, modules. Wants the lock.
void ContextEnds(Context* context);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_WORK_H_

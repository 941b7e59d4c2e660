// Functions that exist twice: NAME, for which stream 0 is the legacy stream, and NAME_ptsz, for
// which it is the calling thread's own (programs compiled with --default-stream per-thread).
//
//   VGPU_STREAM_2(cuStreamFoo, Foo, int, void*)      // both call CUresult Foo(CUstream, int,
//   void*)

#ifndef SHIMS_CUDA_PER_THREAD_H_
#define SHIMS_CUDA_PER_THREAD_H_

#include <cstdint>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/export.h"

namespace vgpu::cuda {

inline CUstream PerThread(CUstream stream) {
  return stream == nullptr ? reinterpret_cast<CUstream>(kStreamPerThread) : stream;
}

}  // namespace vgpu::cuda

#define VGPU_STREAM_0(name, function)                                      \
  extern "C" VGPU_EXPORT CUresult name(CUstream s) { return function(s); } \
  extern "C" VGPU_EXPORT CUresult name##_ptsz(CUstream s) {                \
    return function(::vgpu::cuda::PerThread(s));                           \
  }
#define VGPU_STREAM_1(name, function, A)                                           \
  extern "C" VGPU_EXPORT CUresult name(CUstream s, A a) { return function(s, a); } \
  extern "C" VGPU_EXPORT CUresult name##_ptsz(CUstream s, A a) {                   \
    return function(::vgpu::cuda::PerThread(s), a);                                \
  }
#define VGPU_STREAM_2(name, function, A, B)                                                \
  extern "C" VGPU_EXPORT CUresult name(CUstream s, A a, B b) { return function(s, a, b); } \
  extern "C" VGPU_EXPORT CUresult name##_ptsz(CUstream s, A a, B b) {                      \
    return function(::vgpu::cuda::PerThread(s), a, b);                                     \
  }
#define VGPU_STREAM_3(name, function, A, B, C)                                                     \
  extern "C" VGPU_EXPORT CUresult name(CUstream s, A a, B b, C c) { return function(s, a, b, c); } \
  extern "C" VGPU_EXPORT CUresult name##_ptsz(CUstream s, A a, B b, C c) {                         \
    return function(::vgpu::cuda::PerThread(s), a, b, c);                                          \
  }
#define VGPU_STREAM_4(name, function, A, B, C, D)                               \
  extern "C" VGPU_EXPORT CUresult name(CUstream s, A a, B b, C c, D d) {        \
    return function(s, a, b, c, d);                                             \
  }                                                                             \
  extern "C" VGPU_EXPORT CUresult name##_ptsz(CUstream s, A a, B b, C c, D d) { \
    return function(::vgpu::cuda::PerThread(s), a, b, c, d);                    \
  }
#define VGPU_STREAM_5(name, function, A, B, C, D, E)                                 \
  extern "C" VGPU_EXPORT CUresult name(CUstream s, A a, B b, C c, D d, E e) {        \
    return function(s, a, b, c, d, e);                                               \
  }                                                                                  \
  extern "C" VGPU_EXPORT CUresult name##_ptsz(CUstream s, A a, B b, C c, D d, E e) { \
    return function(::vgpu::cuda::PerThread(s), a, b, c, d, e);                      \
  }
#define VGPU_STREAM_6(name, function, A, B, C, D, E, F)                                   \
  extern "C" VGPU_EXPORT CUresult name(CUstream s, A a, B b, C c, D d, E e, F f) {        \
    return function(s, a, b, c, d, e, f);                                                 \
  }                                                                                       \
  extern "C" VGPU_EXPORT CUresult name##_ptsz(CUstream s, A a, B b, C c, D d, E e, F f) { \
    return function(::vgpu::cuda::PerThread(s), a, b, c, d, e, f);                        \
  }

#endif  // SHIMS_CUDA_PER_THREAD_H_

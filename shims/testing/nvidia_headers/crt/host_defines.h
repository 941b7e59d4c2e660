// What NVIDIA's headers of the runtime include and their package of the runtime lacks: theirs
// comes with the compiler nvcc. A C compiler needs these words to mean nothing, and alignment.

#ifndef SHIMS_TESTING_NVIDIA_HEADERS_CRT_HOST_DEFINES_H_
#define SHIMS_TESTING_NVIDIA_HEADERS_CRT_HOST_DEFINES_H_

#define __host__
#define __device__
#define __cudart_builtin__
#define __device_builtin__
#define __device_builtin_surface_type__
#define __device_builtin_texture_type__
#define __specialization_static static
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __builtin_align__(bytes) __attribute__((aligned(bytes)))
#define CUDARTAPI
#define CUDARTAPI_CDECL

#endif  // SHIMS_TESTING_NVIDIA_HEADERS_CRT_HOST_DEFINES_H_

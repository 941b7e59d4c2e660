// Every function of the runtime API that the shim implements, declared from the table: a definition
// that has other parameters than the table says does not compile. What they do is NVIDIA's
// documentation of the CUDA Runtime API, 12.8 and 13.5; what differs stands in README.md and with
// the function.
//
// All keep errno, are thread-safe, and record their error for cudaGetLastError where the
// documentation says so. Stream operations are done when the call returns: device memory is the
// host's, and there is nothing to wait for.

// What it says in its log (shims/log/log.h), with lib=libvgpu-cudart:
//
//   level=error msg="kernel launch refused" func= device= reason="no compute backend" kernel=
//       every launch, cudaErrorNotSupported
//   level=error msg="no driver" looked_for=libcuda.so.1 reason=
//   level=error msg="driver too old" driver=12080 runtime=13050
//       once; every call is cudaErrorInsufficientDriver
//   level=error msg="variable not read" func= variable= reason=
//       its initial value is wanted, which is in device code: cudaErrorNotSupported
//   level=trace msg="not supported" func=
//       a function that is only a name

#ifndef SHIMS_CUDART_API_H_
#define SHIMS_CUDART_API_H_

#include "shims/cudart/types.h"

namespace vgpu::cudart {

#pragma GCC visibility push(default)
extern "C" {
#define VGPU_CUDART_Own(name, returns, parameters) returns name parameters;
#define VGPU_CUDART_Stub(name, returns, parameters)
#define VGPU_CUDART(majors, kind, name, returns, ...) \
  VGPU_IF_##majors(VGPU_CUDART_##kind(name, returns, __VA_ARGS__))
#include "shims/abi/cudart.inc"
#undef VGPU_CUDART
#undef VGPU_CUDART_Stub
#undef VGPU_CUDART_Own
}
#pragma GCC visibility pop

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_API_H_

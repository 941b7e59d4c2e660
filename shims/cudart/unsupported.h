// What a function returns that the shim does not have.

#ifndef SHIMS_CUDART_UNSUPPORTED_H_
#define SHIMS_CUDART_UNSUPPORTED_H_

namespace vgpu::cudart {

// cudaErrorNotSupported, recorded for cudaGetLastError; one line of level trace names `function`.
int Unsupported(const char* function);

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_UNSUPPORTED_H_

// The runtime's descriptions of a copy in the driver's form.

#ifndef SHIMS_CUDART_COPY_H_
#define SHIMS_CUDART_COPY_H_

#include "shims/cudart/runtime.h"

namespace vgpu::cudart {

// cudaErrorInvalidMemcpyDirection where it is no cudaMemcpyKind.
cudaError_t CheckKind(cudaMemcpyKind kind);

// What each side of a copy of this kind is: the host, a device, or whatever the address says.
CUmemorytype SourceMemory(cudaMemcpyKind kind);
CUmemorytype DestinationMemory(cudaMemcpyKind kind);

// The runtime counts a copy's width in elements where an array takes part, else in bytes; the
// driver in bytes.
cudaError_t ToDriverCopy(const Driver& driver, const cudaMemcpy3DParms& copy, CUDA_MEMCPY3D* out);

// And back, for what cudaGraphMemcpyNodeGetParams returns.
cudaError_t FromDriverCopy(const Driver& driver, const CUDA_MEMCPY3D& copy, cudaMemcpy3DParms* out);

// A copy of `size` bytes in a line, as a graph's node takes it.
CUDA_MEMCPY3D LinearCopy(void* destination, const void* source, size_t size, cudaMemcpyKind kind);

// The part of a variable that a copy names. `reads`: out of the variable.
cudaError_t SymbolRange(const Driver& driver, const void* symbol, size_t size, size_t offset,
                        bool reads, void** address);

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_COPY_H_

#include "shims/cuda/array.h"

#include "shims/cuda/handles.h"

namespace vgpu::cuda {
namespace {

constinit Handles<Array, HandleKind::kArray> g_arrays;

}  // namespace

Array* FindArray(CUarray handle) { return g_arrays.Find(handle); }

}  // namespace vgpu::cuda

// The functions that the table says are stubs. They look at no argument, so they have none: on
// x86-64 it is the caller that takes them away.

#include "shims/cudart/types.h"
#include "shims/cudart/unsupported.h"

#pragma GCC visibility push(default)
extern "C" {
#define VGPU_CUDART_Own(name)
#define VGPU_CUDART_Stub(name) \
  int name() { return vgpu::cudart::Unsupported(#name); }
#define VGPU_CUDART(majors, kind, name, ...) VGPU_IF_##majors(VGPU_CUDART_##kind(name))
#include "shims/abi/cudart.inc"
#undef VGPU_CUDART
#undef VGPU_CUDART_Stub
#undef VGPU_CUDART_Own
}
#pragma GCC visibility pop

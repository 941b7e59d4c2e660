// Contexts: made by the program, or the primary one of a device.

#include <stdlib.h>

#include <algorithm>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/attributes.h"
#include "shims/cuda/driver_api.h"
#include "shims/cuda/export.h"
#include "shims/cuda/state.h"

namespace cuda = vgpu::cuda;
namespace device = vgpu::device;
using cuda::Call;
using cuda::Context;

namespace {

// cuCtxGetApiVersion: of contexts that cuCtxCreate of before CUDA 3.2 made, and of all others.
constexpr unsigned kFirstApi = 3010;
constexpr unsigned kSecondApi = 3020;

// Of an H100 under driver 570: 0 is the least of six priorities.
constexpr int kGreatestPriority = -5;

bool ValidFlags(unsigned flags) {
  const unsigned schedule = flags & CU_CTX_SCHED_MASK;
  return (flags & ~unsigned{CU_CTX_FLAGS_MASK}) == 0 &&
         (schedule == CU_CTX_SCHED_AUTO || schedule == CU_CTX_SCHED_SPIN ||
          schedule == CU_CTX_SCHED_YIELD || schedule == CU_CTX_SCHED_BLOCKING_SYNC);
}

CUresult Create(CUcontext* out, unsigned flags, CUdevice ordinal, unsigned api_version) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (out == nullptr || !ValidFlags(flags)) return CUDA_ERROR_INVALID_VALUE;
  Context* context = cuda::CreateContext(ordinal, flags, api_version);
  if (context == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  if (!cuda::PushCurrent(context->handle)) {
    cuda::EndContext(context);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *out = context->handle;
  return CUDA_SUCCESS;
}

void Destroy(Context* context) {
  if (cuda::CurrentHandle() == context->handle) cuda::PopCurrent();
  cuda::EndContext(context);
}

// A context that the program made itself; `handle` is not null.
CUresult OwnContext(const Call& call, CUcontext handle, Context** context) {
  if (CUresult error = call.status()) return error;
  if (handle == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  if (CUresult error = call.ContextOf(handle, context)) return error;
  return (*context)->primary ? CUDA_ERROR_INVALID_CONTEXT : CUDA_SUCCESS;
}

cuda::PeerLink** FindPeer(Context* context, CUcontext peer) {
  cuda::PeerLink** link = &context->peers;
  while (*link != nullptr && (*link)->peer != peer) link = &(*link)->next;
  return link;
}

}  // namespace

extern "C" {

// --- Contexts of the program's own

VGPU_EXPORT CUresult cuCtxCreate(CUcontext* context, unsigned flags, CUdevice ordinal) {
  return Create(context, flags, ordinal, kFirstApi);
}

VGPU_EXPORT CUresult cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice ordinal) {
  return Create(context, flags, ordinal, kSecondApi);
}

VGPU_EXPORT CUresult cuCtxCreate_v3(CUcontext* context, CUexecAffinityParam* affinity, int count,
                                    unsigned flags, CUdevice ordinal) {
  {
    Call call;
    if (CUresult error = call.status()) return error;
    if (count < 0 || (count > 0 && affinity == nullptr)) return CUDA_ERROR_INVALID_VALUE;
    if (count > 0) return CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY;
  }
  return Create(context, flags, ordinal, kSecondApi);
}

VGPU_EXPORT CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams* parameters,
                                    unsigned flags, CUdevice ordinal) {
  if (parameters == nullptr) return cuCtxCreate_v2(context, flags, ordinal);
  {
    Call call;
    if (CUresult error = call.status()) return error;
    if (parameters->cigParams != nullptr) {
      return parameters->execAffinityParams == nullptr ? CUDA_ERROR_NOT_SUPPORTED
                                                       : CUDA_ERROR_INVALID_VALUE;
    }
  }
  return cuCtxCreate_v3(context, parameters->execAffinityParams, parameters->numExecAffinityParams,
                        flags, ordinal);
}

VGPU_EXPORT CUresult cuCtxDestroy_v2(CUcontext handle) {
  Call call;
  Context* context;
  if (CUresult error = OwnContext(call, handle, &context)) return error;
  Destroy(context);
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxAttach(CUcontext* out, unsigned flags) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (out == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  if (context->primary) return CUDA_ERROR_INVALID_CONTEXT;
  ++context->references;
  *out = context->handle;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxDetach(CUcontext handle) {
  Call call;
  Context* context;
  if (CUresult error = OwnContext(call, handle, &context)) return error;
  if (cuda::CurrentHandle() != handle) return CUDA_ERROR_INVALID_CONTEXT;
  if (--context->references == 0) Destroy(context);
  return CUDA_SUCCESS;
}

// --- The primary context of a device

VGPU_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* out, CUdevice ordinal) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  Context* context = cuda::PrimaryContext(ordinal);
  if (context == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  ++context->references;
  if (context->destroyed) cuda::RevivePrimary(context);
  *out = context->handle;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice ordinal) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  Context* context = cuda::PrimaryContext(ordinal);
  if (context == nullptr || context->references == 0) return CUDA_ERROR_INVALID_CONTEXT;
  if (--context->references == 0) cuda::EndContext(context);
  return CUDA_SUCCESS;
}

// Whoever has retained it has to release it all the same.
VGPU_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice ordinal) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  Context* context = cuda::PrimaryContext(ordinal);
  if (context == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  cuda::EndContext(context);
  context->flags = 0;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice ordinal, unsigned flags) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (!ValidFlags(flags)) return CUDA_ERROR_INVALID_VALUE;
  Context* context = cuda::PrimaryContext(ordinal);
  if (context == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  context->flags = flags;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned* flags, int* active) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (flags == nullptr || active == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const Context* context = cuda::PrimaryContext(ordinal);
  if (context == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  *flags = context->flags;
  *active = context->destroyed ? 0 : 1;
  return CUDA_SUCCESS;
}

// --- The thread's stack

VGPU_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (handle == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  Context* context;
  if (CUresult error = call.ContextOf(handle, &context)) return error;
  return cuda::PushCurrent(handle) ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

VGPU_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* out) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (cuda::CurrentHandle() == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  const CUcontext popped = cuda::PopCurrent();
  if (out != nullptr) *out = popped;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxSetCurrent(CUcontext handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (handle != nullptr) {
    Context* context;
    if (CUresult error = call.ContextOf(handle, &context)) return error;
  }
  return cuda::SetCurrent(handle) ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

VGPU_EXPORT CUresult cuCtxGetCurrent(CUcontext* out) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *out = cuda::CurrentHandle();
  return CUDA_SUCCESS;
}

// --- What a context says of itself

VGPU_EXPORT CUresult cuCtxGetDevice_v2(CUdevice* out, CUcontext handle) {
  Call call;
  Context* context;
  if (CUresult error = call.ContextOf(handle, &context)) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *out = context->ordinal;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxGetDevice(CUdevice* out) { return cuCtxGetDevice_v2(out, nullptr); }

VGPU_EXPORT CUresult cuCtxGetId(CUcontext handle, unsigned long long* id) {
  Call call;
  Context* context;
  if (CUresult error = call.ContextOf(handle, &context)) return error;
  if (id == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *id = context->id;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxGetApiVersion(CUcontext handle, unsigned* version) {
  Call call;
  Context* context;
  if (CUresult error = call.ContextOf(handle, &context)) return error;
  if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *version = context->api_version;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxGetFlags(unsigned* flags) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *flags = context->flags;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxSetFlags(unsigned flags) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (!ValidFlags(flags)) return CUDA_ERROR_INVALID_VALUE;
  context->flags = flags;
  return CUDA_SUCCESS;
}

// Work is done when it is asked for (work.h).
VGPU_EXPORT CUresult cuCtxSynchronize_v2(CUcontext handle) {
  Call call;
  Context* context;
  return call.ContextOf(handle, &context);
}

VGPU_EXPORT CUresult cuCtxSynchronize() { return cuCtxSynchronize_v2(nullptr); }

VGPU_EXPORT CUresult cuCtxGetLimit(size_t* value, CUlimit limit) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  switch (limit) {
    // CUDA C++ Programming Guide 12.8: a block cannot wait for its children from 9.0 on.
    case CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH:
      if (cuda::DeviceAt(context->ordinal).compute_major >= 9) return CUDA_ERROR_UNSUPPORTED_LIMIT;
      [[fallthrough]];
    case CU_LIMIT_STACK_SIZE:
    case CU_LIMIT_PRINTF_FIFO_SIZE:
    case CU_LIMIT_MALLOC_HEAP_SIZE:
    case CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT:
    case CU_LIMIT_MAX_L2_FETCH_GRANULARITY:
    case CU_LIMIT_PERSISTING_L2_CACHE_SIZE:
    case CU_LIMIT_CIG_ENABLED:
    case CU_LIMIT_CIG_SHMEM_FALLBACK_ENABLED:
      *value = context->limits[limit];
      return CUDA_SUCCESS;
    // Of contexts that share a device with graphics.
    case CU_LIMIT_SHMEM_SIZE:
    case CU_LIMIT_PER_BLOCK_MEMORY_SIZE:
      break;
  }
  return CUDA_ERROR_UNSUPPORTED_LIMIT;
}

VGPU_EXPORT CUresult cuCtxSetLimit(CUlimit limit, size_t value) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  const device::Device& own = cuda::DeviceAt(context->ordinal);
  switch (limit) {
    case CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH:
      if (own.compute_major >= 9) return CUDA_ERROR_UNSUPPORTED_LIMIT;
      break;
    case CU_LIMIT_STACK_SIZE:
    case CU_LIMIT_PRINTF_FIFO_SIZE:
    case CU_LIMIT_MALLOC_HEAP_SIZE:
    case CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT:
      break;
    // A hint from 0 to 128, and a part of the cache: what is more is cut.
    case CU_LIMIT_MAX_L2_FETCH_GRANULARITY:
      value = std::min<size_t>(value, 128);
      break;
    case CU_LIMIT_PERSISTING_L2_CACHE_SIZE:
      value = std::min<size_t>(value, own.profile->persisting_l2_cache_bytes);
      break;
    default:
      return CUDA_ERROR_UNSUPPORTED_LIMIT;
  }
  context->limits[limit] = value;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxGetCacheConfig(CUfunc_cache* config) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (config == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *config = context->cache;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxSetCacheConfig(CUfunc_cache config) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (config < CU_FUNC_CACHE_PREFER_NONE || config > CU_FUNC_CACHE_PREFER_EQUAL) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  context->cache = config;
  return CUDA_SUCCESS;
}

// Banks of shared memory have four bytes on all these devices, whatever is asked for.
VGPU_EXPORT CUresult cuCtxGetSharedMemConfig(CUsharedconfig* config) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (config == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *config = CU_SHARED_MEM_CONFIG_FOUR_BYTE_BANK_SIZE;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxSetSharedMemConfig(CUsharedconfig config) {
  Call call;
  if (CUresult error = call.Current()) return error;
  return config >= CU_SHARED_MEM_CONFIG_DEFAULT_BANK_SIZE &&
                 config <= CU_SHARED_MEM_CONFIG_EIGHT_BYTE_BANK_SIZE
             ? CUDA_SUCCESS
             : CUDA_ERROR_INVALID_VALUE;
}

VGPU_EXPORT CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = kGreatestPriority;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxGetExecAffinity(CUexecAffinityParam* affinity, CUexecAffinityType type) {
  Call call;
  if (CUresult error = call.Current()) return error;
  if (affinity == nullptr || type != CU_EXEC_AFFINITY_TYPE_SM_COUNT) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY;
}

VGPU_EXPORT CUresult cuCtxResetPersistingL2Cache() {
  Call call;
  return call.Current();
}

// --- Peers: all devices of a machine reach each other, as their memory is one.

VGPU_EXPORT CUresult cuDeviceCanAccessPeer(int* can, CUdevice ordinal, CUdevice peer) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(ordinal, &found)) return error;
  if (CUresult error = call.Device(peer, &found)) return error;
  if (can == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *can = ordinal != peer ? 1 : 0;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuDeviceGetP2PAttribute(int* value, CUdevice_P2PAttribute attribute,
                                             CUdevice source, CUdevice destination) {
  Call call;
  const device::Device* found;
  if (CUresult error = call.Device(source, &found)) return error;
  if (CUresult error = call.Device(destination, &found)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (source == destination) return CUDA_ERROR_INVALID_DEVICE;
  switch (attribute) {
    case CU_DEVICE_P2P_ATTRIBUTE_ACCESS_SUPPORTED:
    case CU_DEVICE_P2P_ATTRIBUTE_CUDA_ARRAY_ACCESS_SUPPORTED:
      *value = 1;
      return CUDA_SUCCESS;
    case CU_DEVICE_P2P_ATTRIBUTE_PERFORMANCE_RANK:
    case CU_DEVICE_P2P_ATTRIBUTE_NATIVE_ATOMIC_SUPPORTED:
    case CU_DEVICE_P2P_ATTRIBUTE_ONLY_PARTIAL_NATIVE_ATOMIC_SUPPORTED:
      *value = 0;
      return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

VGPU_EXPORT CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  if (peer == nullptr || peer == context->handle) return CUDA_ERROR_INVALID_CONTEXT;
  Context* other;
  if (CUresult error = call.ContextOf(peer, &other)) return error;
  if (other->ordinal == context->ordinal) return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
  cuda::PeerLink** link = FindPeer(context, peer);
  if (*link != nullptr) return CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED;
  auto* made = static_cast<cuda::PeerLink*>(malloc(sizeof(cuda::PeerLink)));
  if (made == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  *made = {peer, nullptr};
  *link = made;
  return CUDA_SUCCESS;
}

VGPU_EXPORT CUresult cuCtxDisablePeerAccess(CUcontext peer) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (peer == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  Context* other;
  if (CUresult error = call.ContextOf(peer, &other)) return error;
  cuda::PeerLink** link = FindPeer(context, peer);
  if (*link == nullptr) return CUDA_ERROR_PEER_ACCESS_NOT_ENABLED;
  cuda::PeerLink* old = *link;
  *link = old->next;
  free(old);
  return CUDA_SUCCESS;
}

}  // extern "C"

// Names of earlier versions whose arguments are the same.
VGPU_ALIAS(cuCtxDestroy, cuCtxDestroy_v2);
VGPU_ALIAS(cuCtxPopCurrent, cuCtxPopCurrent_v2);
VGPU_ALIAS(cuCtxPushCurrent, cuCtxPushCurrent_v2);
VGPU_ALIAS(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2);
VGPU_ALIAS(cuDevicePrimaryCtxReset, cuDevicePrimaryCtxReset_v2);
VGPU_ALIAS(cuDevicePrimaryCtxSetFlags, cuDevicePrimaryCtxSetFlags_v2);

#include "shims/cuda/state.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <atomic>
#include <new>

#include "shims/base/mutex.h"
#include "shims/cuda/array.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/work.h"
#include "shims/device/visible.h"
#include "shims/usage/usage.h"

namespace vgpu::cuda {
namespace {

enum class Phase : int { kNew, kReady, kForked };

// Deeper than any client nests; NVIDIA's own limit is not documented.
constexpr int kMaxStack = 128;

struct ThreadState {
  int depth;
  CUcontext stack[kMaxStack];
};

constinit Mutex g_lock;
constinit std::atomic<Phase> g_phase{Phase::kNew};
constinit bool g_fork_handlers = false;
constinit const device::Configuration* g_configuration = nullptr;
constinit device::Visible g_visible;
constinit uint64_t g_next_context_id = 1;
constinit Handles<Context, HandleKind::kContext> g_contexts;
constinit Context* g_primary[device::kMaxDevices] = {};
thread_local constinit ThreadState t_state = {};

void BeforeFork() { g_lock.Lock(); }
void AfterForkInParent() { g_lock.Unlock(); }
void AfterForkInChild() {
  if (g_phase.load(std::memory_order_relaxed) == Phase::kReady) {
    g_phase.store(Phase::kForked, std::memory_order_relaxed);
  }
  g_lock.Unlock();
}

// The defaults of an H100's context under driver 570: cuCtxGetLimit of a new context.
constexpr std::array<size_t, kLimits> DefaultLimits() {
  std::array<size_t, kLimits> limits = {};
  limits[CU_LIMIT_STACK_SIZE] = 1024;
  limits[CU_LIMIT_PRINTF_FIFO_SIZE] = 7340032;
  limits[CU_LIMIT_MALLOC_HEAP_SIZE] = 8388608;
  limits[CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH] = 2;
  limits[CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT] = 2048;
  limits[CU_LIMIT_MAX_L2_FETCH_GRANULARITY] = 64;
  return limits;
}

void Reset(Context* context) {
  context->limits = DefaultLimits();
  context->cache = CU_FUNC_CACHE_PREFER_NONE;
}

Context* NewContext(int ordinal, unsigned flags, unsigned api_version) {
  void* memory = malloc(sizeof(Context));
  if (memory == nullptr) return nullptr;
  auto* context = new (memory) Context();
  context->handle = reinterpret_cast<CUcontext>(g_contexts.Add(context));
  if (context->handle == nullptr) {
    free(context);
    return nullptr;
  }
  context->ordinal = ordinal;
  context->id = g_next_context_id++;
  context->flags = flags;
  context->api_version = api_version;
  Reset(context);
  return context;
}

void ForgetPeer(CUcontext gone) {
  g_contexts.ForEach([gone](uintptr_t, Context* context) {
    for (PeerLink** link = &context->peers; *link != nullptr;) {
      if ((*link)->peer != gone) {
        link = &(*link)->next;
        continue;
      }
      PeerLink* old = *link;
      *link = old->next;
      free(old);
    }
  });
}

}  // namespace

Call::Call() : errno_(errno) { g_lock.Lock(); }

Call::~Call() {
  g_lock.Unlock();
  AfterCall();
  errno = errno_;
}

void Call::Yield() {
  g_lock.Unlock();
  sched_yield();
  g_lock.Lock();
}

CUresult Call::status() const { return Initialized() ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED; }

CUresult Call::ContextOf(CUcontext handle, Context** context) const {
  if (CUresult error = status()) return error;
  const bool current = handle == nullptr;
  if (current) handle = CurrentHandle();
  if (handle == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
  *context = FindContext(handle);
  // A handle that a thread has made current was good once.
  if (*context == nullptr) {
    return current ? CUDA_ERROR_CONTEXT_IS_DESTROYED : CUDA_ERROR_INVALID_CONTEXT;
  }
  return (*context)->destroyed ? CUDA_ERROR_CONTEXT_IS_DESTROYED : CUDA_SUCCESS;
}

CUresult Call::Current(Context** context) const { return ContextOf(nullptr, context); }

CUresult Call::Current() const {
  Context* context;
  return Current(&context);
}

CUresult Call::Device(CUdevice ordinal, const device::Device** device) const {
  if (CUresult error = status()) return error;
  if (ordinal < 0 || ordinal >= g_visible.count) return CUDA_ERROR_INVALID_DEVICE;
  *device = &DeviceAt(ordinal);
  return CUDA_SUCCESS;
}

bool Initialized() { return g_phase.load(std::memory_order_acquire) == Phase::kReady; }

CUresult Initialize(unsigned flags) {
  switch (g_phase.load(std::memory_order_relaxed)) {
    case Phase::kReady:
      return flags == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    case Phase::kForked:
      return CUDA_ERROR_NOT_INITIALIZED;
    case Phase::kNew:
      break;
  }
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  const device::Configuration* configuration = device::Current(kLibrary);
  // "The system configuration is to be verified" is what a program's user is told.
  if (configuration == nullptr) return CUDA_ERROR_SYSTEM_NOT_READY;
  const device::Visible visible = device::SelectVisible(
      *configuration, getenv("CUDA_VISIBLE_DEVICES"), getenv("CUDA_DEVICE_ORDER"));
  if (visible.count == 0) return CUDA_ERROR_NO_DEVICE;
  if (!g_fork_handlers) {
    // Handlers that were registered last run first before a fork: usage's, which it registers at
    // its first use, have to be there already, as its lock is taken after ours.
    usage::Used(configuration->devices[0]);
    if (pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild) != 0) {
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
    g_fork_handlers = true;
  }
  g_configuration = configuration;
  g_visible = visible;
  g_phase.store(Phase::kReady, std::memory_order_release);
  return CUDA_SUCCESS;
}

int DriverCudaVersion() {
  const device::Configuration* configuration = device::Current(kLibrary);
  return configuration == nullptr ? 0 : configuration->driver.cuda_version;
}

int DeviceCount() { return g_visible.count; }

const device::Device& DeviceAt(int ordinal) {
  return g_configuration->devices[g_visible.device[ordinal]];
}

Context* FindContext(CUcontext handle) { return g_contexts.Find(handle); }

Context* PrimaryContext(int ordinal) {
  Context*& primary = g_primary[ordinal];
  if (primary == nullptr) {
    // Primary contexts are of the newest interface: cuCtxGetApiVersion.
    primary = NewContext(ordinal, 0, 3020);
    if (primary != nullptr) {
      primary->primary = true;
      primary->destroyed = true;
    }
  }
  return primary;
}

Context* CreateContext(int ordinal, unsigned flags, unsigned api_version) {
  Context* context = NewContext(ordinal, flags, api_version);
  if (context == nullptr) return nullptr;
  context->references = 1;
  usage::ContextCreated(DeviceAt(ordinal));
  return context;
}

void RevivePrimary(Context* context) {
  Reset(context);
  context->destroyed = false;
  usage::ContextCreated(DeviceAt(context->ordinal));
}

void EndContext(Context* context) {
  if (context->destroyed) return;
  ContextEnds(context);
  ArraysEnd(context);
  FreeAllOf(context);
  ForgetPeer(context->handle);
  while (context->peers != nullptr) {
    PeerLink* link = context->peers;
    context->peers = link->next;
    free(link);
  }
  usage::ContextDestroyed(DeviceAt(context->ordinal));
  if (context->primary) {
    context->destroyed = true;
    return;
  }
  g_contexts.Remove(context->handle);
  free(context);
}

CUcontext CurrentHandle() {
  return t_state.depth == 0 ? nullptr : t_state.stack[t_state.depth - 1];
}

bool PushCurrent(CUcontext handle) {
  if (t_state.depth == kMaxStack) return false;
  t_state.stack[t_state.depth++] = handle;
  return true;
}

CUcontext PopCurrent() { return t_state.depth == 0 ? nullptr : t_state.stack[--t_state.depth]; }

bool SetCurrent(CUcontext handle) {
  if (t_state.depth > 0) --t_state.depth;
  return handle == nullptr || PushCurrent(handle);
}

}  // namespace vgpu::cuda

// Streams: cuStream* but for capture (capture.cc), and what work.h says of them.

#include "shims/cuda/stream.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "shims/cuda/export.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/module.h"
#include "shims/cuda/object.h"
#include "shims/cuda/per_thread.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {
namespace {

constinit Handles<Stream, HandleKind::kStream> g_streams;
// Default streams of which there is something to remember.
constinit Stream* g_defaults[256] = {};
constinit uint64_t g_next_id = 1;

pid_t Thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// Null: there is nothing to remember of it. The legacy stream is of no thread.
Stream** FindDefault(CUcontext context, pid_t thread) {
  for (Stream*& stream : g_defaults) {
    if (stream != nullptr && stream->context == context && stream->thread == thread) {
      return &stream;
    }
  }
  return nullptr;
}

void Leave(Stream* stream) {
  Capture* capture = stream->capture;
  stream->capture = nullptr;
  stream->last.Clear();
  if (capture == nullptr) return;
  capture->invalid = true;
  if (capture->origin == stream) capture->origin = nullptr;
  Release(capture);
}

CUresult Create(CUstream* handle, unsigned flags, int priority) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (handle == nullptr || (flags & ~CU_STREAM_NON_BLOCKING) != 0) return CUDA_ERROR_INVALID_VALUE;
  auto* stream = Make<Stream>();
  if (stream == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  stream->handle = reinterpret_cast<CUstream>(g_streams.Add(stream));
  if (stream->handle == nullptr) {
    Destroy(stream);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  stream->context = context->handle;
  stream->id = g_next_id++;
  stream->flags = flags;
  stream->priority = std::clamp(priority, kGreatestPriority, kLeastPriority);
  *handle = stream->handle;
  return CUDA_SUCCESS;
}

CUresult DestroyStream(CUstream handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  // The default streams are not the program's to destroy.
  Stream* stream = g_streams.Remove(handle);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  Leave(stream);
  Destroy(stream);
  return CUDA_SUCCESS;
}

// A stream that is idle, as all are but those that capture.
CUresult Idle(CUstream handle) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  return RefuseCapture(ref);
}

// Calls `function` when the stream has come to it: now, or when a captured graph is launched.
CUresult HostFunction(CUstream handle, CUhostFn function, void* argument) {
  {
    Call call;
    StreamRef ref;
    if (CUresult error = FindStream(call, handle, &ref)) return error;
    if (function == nullptr) return CUDA_ERROR_INVALID_VALUE;
    Capture* capture;
    if (CUresult error = Admit(ref, &capture)) return error;
    if (capture != nullptr) {
      Operation operation;
      operation.type = CU_GRAPH_NODE_TYPE_HOST;
      operation.function = function;
      operation.argument = argument;
      return Note(ref.stream, operation);
    }
  }
  function(argument);
  return CUDA_SUCCESS;
}

// `mode` says how the stream waits for the function, which here has returned.
CUresult HostFunction2(CUstream handle, CUhostFn function, void* argument, unsigned mode) {
  return mode > 1 ? CUDA_ERROR_INVALID_VALUE : HostFunction(handle, function, argument);
}

CUresult Callback(CUstream handle, CUstreamCallback function, void* argument, unsigned flags) {
  {
    Call call;
    StreamRef ref;
    if (CUresult error = FindStream(call, handle, &ref)) return error;
    if (function == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult error = RefuseCapture(ref)) return error;
  }
  function(handle, CUDA_SUCCESS, argument);
  return CUDA_SUCCESS;
}

CUresult GetFlags(CUstream handle, unsigned* flags) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *flags = ref.stream == nullptr ? CU_STREAM_DEFAULT : ref.stream->flags;
  return CUDA_SUCCESS;
}

CUresult GetPriority(CUstream handle, int* priority) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (priority == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *priority = ref.stream == nullptr ? kLeastPriority : ref.stream->priority;
  return CUDA_SUCCESS;
}

CUresult GetId(CUstream handle, unsigned long long* id) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (id == nullptr) return CUDA_ERROR_INVALID_VALUE;
  // Of a default stream: distinct from all that count up, and from those of other contexts.
  *id = ref.name > kStreamPerThread
            ? ref.stream->id
            : (ref.context->id << 33) | (ref.name == kStreamPerThread
                                             ? (uint64_t{1} << 32) | static_cast<uint32_t>(Thread())
                                             : 0);
  return CUDA_SUCCESS;
}

CUresult GetContext(CUstream handle, CUcontext* context) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (context == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *context = ref.context->handle;
  return CUDA_SUCCESS;
}

// The second is for streams of green contexts: this stream is of none.
CUresult GetContext2(CUstream handle, CUcontext* context, CUgreenCtx* green) {
  if (CUresult error = GetContext(handle, context)) return error;
  if (green != nullptr) *green = nullptr;
  return CUDA_SUCCESS;
}

CUresult GetDevice(CUstream handle, CUdevice* device) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *device = ref.context->ordinal;
  return CUDA_SUCCESS;
}

// The object of a stream, made where it is a default one; null: no memory.
Stream* Remember(StreamRef* ref) {
  if (ref->stream != nullptr) return ref->stream;
  for (Stream*& slot : g_defaults) {
    if (slot != nullptr) continue;
    slot = Make<Stream>();
    if (slot == nullptr) return nullptr;
    slot->handle = reinterpret_cast<CUstream>(ref->name);
    slot->context = ref->context->handle;
    slot->thread = ref->name == kStreamPerThread ? Thread() : 0;
    ref->stream = slot;
    return slot;
  }
  return nullptr;
}

CUresult GetAttribute(CUstream handle, CUlaunchAttributeID attribute,
                      CUlaunchAttributeValue* value) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const StreamAttributes attributes =
      ref.stream == nullptr ? StreamAttributes() : ref.stream->attributes;
  *value = {};
  switch (attribute) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
      value->accessPolicyWindow = attributes.window;
      return CUDA_SUCCESS;
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
      value->syncPolicy = attributes.policy;
      return CUDA_SUCCESS;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
      value->priority = ref.stream == nullptr ? kLeastPriority : ref.stream->priority;
      return CUDA_SUCCESS;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
      value->memSyncDomainMap = {attributes.domain_map[0], attributes.domain_map[1]};
      return CUDA_SUCCESS;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
      value->memSyncDomain = attributes.domain;
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult SetAttribute(CUstream handle, CUlaunchAttributeID attribute,
                      const CUlaunchAttributeValue* value) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
      break;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
  Stream* stream = Remember(&ref);
  if (stream == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  switch (attribute) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
      stream->attributes.window = value->accessPolicyWindow;
      break;
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
      if (value->syncPolicy < CU_SYNC_POLICY_AUTO ||
          value->syncPolicy > CU_SYNC_POLICY_BLOCKING_SYNC) {
        return CUDA_ERROR_INVALID_VALUE;
      }
      stream->attributes.policy = value->syncPolicy;
      break;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
      stream->priority = std::clamp(value->priority, kGreatestPriority, kLeastPriority);
      break;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
      stream->attributes.domain_map[0] = value->memSyncDomainMap.default_;
      stream->attributes.domain_map[1] = value->memSyncDomainMap.remote;
      break;
    default:
      stream->attributes.domain = value->memSyncDomain;
  }
  return CUDA_SUCCESS;
}

CUresult CopyAttributes(CUstream to, CUstream from) {
  Call call;
  StreamRef source;
  StreamRef destination;
  if (CUresult error = FindStream(call, from, &source)) return error;
  if (CUresult error = FindStream(call, to, &destination)) return error;
  Stream* stream = Remember(&destination);
  if (stream == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  stream->attributes = source.stream == nullptr ? StreamAttributes() : source.stream->attributes;
  return CUDA_SUCCESS;
}

// Managed memory is host RAM, which every stream sees at all times.
CUresult AttachMemory(CUstream handle, CUdeviceptr, size_t, unsigned flags) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST &&
      flags != CU_MEM_ATTACH_SINGLE) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return RefuseCapture(ref);
}

}  // namespace

CUresult FindStream(const Call& call, CUstream handle, StreamRef* ref) {
  if (CUresult error = call.status()) return error;
  const auto name = reinterpret_cast<uintptr_t>(handle);
  if (name > kStreamPerThread) {
    Stream* stream = g_streams.Find(handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    ref->stream = stream;
    ref->name = name;
    return call.ContextOf(stream->context, &ref->context);
  }
  if (CUresult error = call.Current(&ref->context)) return error;
  ref->name = name == kStreamPerThread ? kStreamPerThread : kStreamLegacy;
  Stream** slot = FindDefault(ref->context->handle, ref->name == kStreamPerThread ? Thread() : 0);
  ref->stream = slot == nullptr ? nullptr : *slot;
  return CUDA_SUCCESS;
}

CUresult RememberStream(StreamRef* ref) {
  return Remember(ref) == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

bool LegacyWaitsForCapture(const StreamRef& legacy, bool invalidate) {
  bool waits = false;
  g_streams.ForEach([&](uintptr_t, Stream* stream) {
    if (stream->context != legacy.context->handle || stream->capture == nullptr) return;
    if ((stream->flags & CU_STREAM_NON_BLOCKING) != 0 || stream->capture->invalid) return;
    stream->capture->invalid = invalidate;
    waits = true;
  });
  return waits;
}

CUresult Admit(const StreamRef& ref, Capture** capture) {
  *capture = nullptr;
  if (ref.name == kStreamLegacy) {
    return LegacyWaitsForCapture(ref, true) ? CUDA_ERROR_STREAM_CAPTURE_IMPLICIT : CUDA_SUCCESS;
  }
  if (ref.stream == nullptr || ref.stream->capture == nullptr) return CUDA_SUCCESS;
  if (ref.stream->capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  *capture = ref.stream->capture;
  return CUDA_SUCCESS;
}

CUresult Note(Stream* stream, const Operation& operation) {
  Node* node = AddNode(stream->capture->graph, operation, stream->last);
  if (node == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  stream->last.Clear();
  if (!stream->last.Push(node)) {
    stream->capture->invalid = true;
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return CUDA_SUCCESS;
}

CUresult RefuseCapture(const StreamRef& ref) {
  Capture* capture;
  if (CUresult error = Admit(ref, &capture)) return error;
  if (capture == nullptr) return CUDA_SUCCESS;
  capture->invalid = true;
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

void Release(Capture* capture) {
  if (--capture->references > 0) return;
  if (!capture->program_graph) DestroyGraph(capture->graph);
  Destroy(capture);
}

void LeaveCapture(Stream* stream) {
  Leave(stream);
  // A default stream is remembered for its attributes only where it is the legacy one: threads
  // come and go.
  if (stream->thread == 0) return;
  Stream** slot = FindDefault(stream->context, stream->thread);
  if (slot == nullptr || *slot != stream) return;
  *slot = nullptr;
  Destroy(stream);
}

void ForEachStream(void (*visit)(Stream*, void*), void* argument) {
  g_streams.ForEach([&](uintptr_t, Stream* stream) { visit(stream, argument); });
  for (Stream* stream : g_defaults) {
    if (stream != nullptr) visit(stream, argument);
  }
}

void EndStreams(const Context* context) {
  g_streams.ForEach([context](uintptr_t handle, Stream* stream) {
    if (stream->context != context->handle) return;
    g_streams.Remove(handle);
    Leave(stream);
    Destroy(stream);
  });
  for (Stream*& stream : g_defaults) {
    if (stream == nullptr || stream->context != context->handle) continue;
    Leave(stream);
    Destroy(stream);
    stream = nullptr;
  }
}

CUresult ContextOfStream(const Call& call, CUstream stream, Context** context) {
  StreamRef ref;
  if (CUresult error = FindStream(call, stream, &ref)) return error;
  *context = ref.context;
  return CUDA_SUCCESS;
}

CUresult ContextOutsideCapture(const Call& call, CUstream stream, Context** context) {
  StreamRef ref;
  if (CUresult error = FindStream(call, stream, &ref)) return error;
  *context = ref.context;
  return RefuseCapture(ref);
}

CUresult Submit(CUstream handle, const Copy& copy) {
  {
    Call call;
    StreamRef ref;
    if (CUresult error = FindStream(call, handle, &ref)) return error;
    Capture* capture;
    if (CUresult error = Admit(ref, &capture)) return error;
    if (capture != nullptr) {
      Operation operation;
      operation.type = CU_GRAPH_NODE_TYPE_MEMCPY;
      operation.copy = copy;
      operation.context = ref.context->handle;
      return Note(ref.stream, operation);
    }
  }
  return Run(copy);
}

CUresult Submit(CUstream handle, const Fill& fill) {
  {
    Call call;
    StreamRef ref;
    if (CUresult error = FindStream(call, handle, &ref)) return error;
    Capture* capture;
    if (CUresult error = Admit(ref, &capture)) return error;
    if (capture != nullptr) {
      Operation operation;
      operation.type = CU_GRAPH_NODE_TYPE_MEMSET;
      operation.fill = fill;
      operation.context = ref.context->handle;
      return Note(ref.stream, operation);
    }
  }
  return Run(fill);
}

void ContextEnds(Context* context) {
  EndStreams(context);
  EndEvents(context);
  EndModules(context);
}

}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

extern "C" VGPU_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  return Create(stream, flags, kLeastPriority);
}

extern "C" VGPU_EXPORT CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags,
                                                           int priority) {
  return Create(stream, flags, priority);
}

extern "C" VGPU_EXPORT CUresult cuStreamDestroy(CUstream stream) { return DestroyStream(stream); }
extern "C" VGPU_EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  return DestroyStream(stream);
}

VGPU_STREAM_0(cuStreamQuery, Idle)
VGPU_STREAM_0(cuStreamSynchronize, Idle)
VGPU_STREAM_1(cuStreamGetFlags, GetFlags, unsigned*)
VGPU_STREAM_1(cuStreamGetPriority, GetPriority, int*)
VGPU_STREAM_1(cuStreamGetId, GetId, unsigned long long*)
VGPU_STREAM_1(cuStreamGetCtx, GetContext, CUcontext*)
VGPU_STREAM_2(cuStreamGetCtx_v2, GetContext2, CUcontext*, CUgreenCtx*)
VGPU_STREAM_1(cuStreamGetDevice, GetDevice, CUdevice*)
VGPU_STREAM_2(cuStreamGetAttribute, GetAttribute, CUlaunchAttributeID, CUlaunchAttributeValue*)
VGPU_STREAM_2(cuStreamSetAttribute, SetAttribute, CUlaunchAttributeID,
              const CUlaunchAttributeValue*)
VGPU_STREAM_1(cuStreamCopyAttributes, CopyAttributes, CUstream)
VGPU_STREAM_3(cuStreamAttachMemAsync, AttachMemory, CUdeviceptr, size_t, unsigned)
VGPU_STREAM_3(cuStreamAddCallback, Callback, CUstreamCallback, void*, unsigned)
VGPU_STREAM_2(cuLaunchHostFunc, HostFunction, CUhostFn, void*)
VGPU_STREAM_3(cuLaunchHostFunc_v2, HostFunction2, CUhostFn, void*, unsigned)

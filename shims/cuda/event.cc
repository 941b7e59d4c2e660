// Events: cuEvent* and cuStreamWaitEvent. An event that was recorded has happened, so it is never
// waited for. Its time is that of the clock when it was recorded.

#include <time.h>

#include "shims/cuda/export.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/object.h"
#include "shims/cuda/per_thread.h"
#include "shims/cuda/stream.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {
namespace {

struct Event {
  CUcontext context = nullptr;
  unsigned flags = 0;
  bool recorded = false;
  int64_t time = 0;  // ns
  // Where it was last recorded while a stream was capturing: a stream that waits for it comes
  // after these.
  Capture* capture = nullptr;
  List<Node*> after;
};

constinit Handles<Event, HandleKind::kEvent> g_events;

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void LeaveCapture(Event* event) {
  if (event->capture != nullptr) Release(event->capture);
  event->capture = nullptr;
  event->after.Clear();
}

CUresult Find(const Call& call, CUevent handle, Event** event) {
  if (CUresult error = call.status()) return error;
  *event = g_events.Find(handle);
  return *event == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

CUresult Record(CUevent handle, CUstream stream, unsigned flags) {
  Call call;
  Event* event;
  StreamRef ref;
  if (CUresult error = FindStream(call, stream, &ref)) return error;
  if (CUresult error = Find(call, handle, &event)) return error;
  if ((flags & ~CU_EVENT_RECORD_EXTERNAL) != 0) return CUDA_ERROR_INVALID_VALUE;
  // An event can be recorded in a stream of its own context alone.
  if (event->context != ref.context->handle) return CUDA_ERROR_INVALID_HANDLE;
  Capture* capture;
  if (CUresult error = Admit(ref, &capture)) return error;
  if (capture == nullptr) {
    if ((flags & CU_EVENT_RECORD_EXTERNAL) != 0) return CUDA_ERROR_INVALID_VALUE;
    LeaveCapture(event);
    event->recorded = true;
    event->time = Now();
    return CUDA_SUCCESS;
  }
  if ((flags & CU_EVENT_RECORD_EXTERNAL) != 0) {
    Operation operation;
    operation.type = CU_GRAPH_NODE_TYPE_EVENT_RECORD;
    operation.event = handle;
    return Note(ref.stream, operation);
  }
  List<Node*> after;
  if (!after.Append(ref.stream->last)) return CUDA_ERROR_OUT_OF_MEMORY;
  LeaveCapture(event);
  event->after.Swap(after);
  event->capture = capture;
  ++capture->references;
  return CUDA_SUCCESS;
}

CUresult Wait(CUstream stream, CUevent handle, unsigned flags) {
  Call call;
  StreamRef ref;
  Event* event;
  if (CUresult error = FindStream(call, stream, &ref)) return error;
  if (CUresult error = Find(call, handle, &event)) return error;
  if ((flags & ~CU_EVENT_WAIT_EXTERNAL) != 0) return CUDA_ERROR_INVALID_VALUE;
  Capture* capture;
  if (CUresult error = Admit(ref, &capture)) return error;
  if ((flags & CU_EVENT_WAIT_EXTERNAL) != 0) {
    if (capture == nullptr) return CUDA_ERROR_INVALID_VALUE;
    Operation operation;
    operation.type = CU_GRAPH_NODE_TYPE_WAIT_EVENT;
    operation.event = handle;
    return Note(ref.stream, operation);
  }
  if (event->capture == nullptr) {
    if (capture == nullptr) return CUDA_SUCCESS;
    // Captured work would wait for work that is not.
    capture->invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  }
  if (event->capture->origin == nullptr) return CUDA_ERROR_CAPTURED_EVENT;  // it has ended
  if (event->capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (ref.name == kStreamLegacy) {
    event->capture->invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
  }
  if (capture == nullptr) {
    if (CUresult error = RememberStream(&ref)) return error;
    ref.stream->capture = event->capture;
    ++event->capture->references;
  } else if (capture != event->capture) {
    capture->invalid = true;
    event->capture->invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_MERGE;
  }
  for (Node* node : event->after) {
    if (!ref.stream->last.Contains(node) && !ref.stream->last.Push(node)) {
      event->capture->invalid = true;
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
  }
  return CUDA_SUCCESS;
}

// Of an event that is not captured: all that was recorded has happened, and what was never
// recorded counts as that.
CUresult Happened(CUevent handle) {
  Call call;
  Event* event;
  if (CUresult error = Find(call, handle, &event)) return error;
  if (event->capture == nullptr) return CUDA_SUCCESS;
  event->capture->invalid = true;
  return CUDA_ERROR_CAPTURED_EVENT;
}

CUresult Elapsed(float* milliseconds, CUevent from, CUevent to) {
  Call call;
  Event* first;
  Event* second;
  if (CUresult error = Find(call, from, &first)) return error;
  if (CUresult error = Find(call, to, &second)) return error;
  if (milliseconds == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (!first->recorded || !second->recorded || first->context != second->context ||
      ((first->flags | second->flags) & CU_EVENT_DISABLE_TIMING) != 0) {
    return CUDA_ERROR_INVALID_HANDLE;
  }
  *milliseconds = static_cast<float>(static_cast<double>(second->time - first->time) / 1e6);
  return CUDA_SUCCESS;
}

CUresult FindIn(const Call& call, CUcontext context_handle, CUevent handle, Context** context,
                Event** event) {
  if (CUresult error = call.ContextOf(context_handle, context)) return error;
  return Find(call, handle, event);
}

CUresult RecordIn(CUcontext context_handle, CUevent handle) {
  Call call;
  Context* context;
  Event* event;
  if (CUresult error = FindIn(call, context_handle, handle, &context, &event)) return error;
  if (event->context != context->handle) return CUDA_ERROR_INVALID_HANDLE;
  LeaveCapture(event);
  event->recorded = true;
  event->time = Now();
  return CUDA_SUCCESS;
}

CUresult WaitIn(CUcontext context_handle, CUevent handle) {
  Call call;
  Context* context;
  Event* event;
  if (CUresult error = FindIn(call, context_handle, handle, &context, &event)) return error;
  return event->capture == nullptr ? CUDA_SUCCESS : CUDA_ERROR_CAPTURED_EVENT;
}

CUresult DestroyEvent(CUevent handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  Event* event = g_events.Remove(handle);
  if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  LeaveCapture(event);
  Destroy(event);
  return CUDA_SUCCESS;
}

}  // namespace

CUresult RecordNow(CUevent handle) {
  Call call;
  Event* event;
  if (CUresult error = Find(call, handle, &event)) return error;
  LeaveCapture(event);
  event->recorded = true;
  event->time = Now();
  return CUDA_SUCCESS;
}

bool IsEvent(CUevent handle) { return g_events.Find(handle) != nullptr; }

void ForgetNodeInEvents(const Node* node) {
  g_events.ForEach(
      [node](uintptr_t, Event* event) { event->after.Remove(const_cast<Node*>(node)); });
}

void EndEvents(const Context* context) {
  g_events.ForEach([context](uintptr_t handle, Event* event) {
    if (event->context != context->handle) return;
    g_events.Remove(handle);
    LeaveCapture(event);
    Destroy(event);
  });
}

}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

extern "C" VGPU_EXPORT CUresult cuEventCreate(CUevent* handle, unsigned flags) {
  constexpr unsigned kKnown =
      CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (handle == nullptr || (flags & ~kKnown) != 0) return CUDA_ERROR_INVALID_VALUE;
  // cuda.h: an event for other processes has no time.
  if ((flags & CU_EVENT_INTERPROCESS) != 0 && (flags & CU_EVENT_DISABLE_TIMING) == 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  auto* event = Make<Event>();
  if (event == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  event->context = context->handle;
  event->flags = flags;
  *handle = reinterpret_cast<CUevent>(g_events.Add(event));
  if (*handle != nullptr) return CUDA_SUCCESS;
  Destroy(event);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

extern "C" VGPU_EXPORT CUresult cuEventDestroy(CUevent event) { return DestroyEvent(event); }
extern "C" VGPU_EXPORT CUresult cuEventDestroy_v2(CUevent event) { return DestroyEvent(event); }

extern "C" VGPU_EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  return Record(event, stream, 0);
}
extern "C" VGPU_EXPORT CUresult cuEventRecord_ptsz(CUevent event, CUstream stream) {
  return Record(event, PerThread(stream), 0);
}
extern "C" VGPU_EXPORT CUresult cuEventRecordWithFlags(CUevent event, CUstream stream,
                                                       unsigned flags) {
  return Record(event, stream, flags);
}
extern "C" VGPU_EXPORT CUresult cuEventRecordWithFlags_ptsz(CUevent event, CUstream stream,
                                                            unsigned flags) {
  return Record(event, PerThread(stream), flags);
}

extern "C" VGPU_EXPORT CUresult cuEventQuery(CUevent event) { return Happened(event); }
extern "C" VGPU_EXPORT CUresult cuEventSynchronize(CUevent event) { return Happened(event); }

// The second differs in what it says of events whose work is not finished: none here.
extern "C" VGPU_EXPORT CUresult cuEventElapsedTime(float* milliseconds, CUevent from, CUevent to) {
  return Elapsed(milliseconds, from, to);
}
extern "C" VGPU_EXPORT CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent from,
                                                      CUevent to) {
  return Elapsed(milliseconds, from, to);
}

// Of a whole context: all that is in its streams is done.
extern "C" VGPU_EXPORT CUresult cuCtxRecordEvent(CUcontext context, CUevent event) {
  return RecordIn(context, event);
}
extern "C" VGPU_EXPORT CUresult cuCtxWaitEvent(CUcontext context, CUevent event) {
  return WaitIn(context, event);
}

VGPU_STREAM_2(cuStreamWaitEvent, Wait, CUevent, unsigned)

// Capture: what is put on a stream is written down as a graph.

#include <sys/syscall.h>
#include <unistd.h>

#include "shims/cuda/export.h"
#include "shims/cuda/object.h"
#include "shims/cuda/per_thread.h"
#include "shims/cuda/stream.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {
namespace {

constinit uint64_t g_next_capture = 1;
thread_local constinit CUstreamCaptureMode t_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

pid_t Thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

bool IsMode(CUstreamCaptureMode mode) {
  return mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED;
}

// The nodes that handles name, all of one graph.
CUresult FindNodes(const CUgraphNode* handles, size_t count, const Graph* graph,
                   List<Node*>* nodes) {
  if (count != 0 && handles == nullptr) return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < count; ++i) {
    Node* node = FindNode(handles[i]);
    if (node == nullptr || node->graph != graph) return CUDA_ERROR_INVALID_VALUE;
    if (!nodes->Contains(node) && !nodes->Push(node)) return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return CUDA_SUCCESS;
}

// `graph` null: a new one.
CUresult BeginOn(const Call& call, CUstream handle, Graph* graph, const CUgraphNode* after,
                 size_t count, CUstreamCaptureMode mode) {
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (!IsMode(mode)) return CUDA_ERROR_INVALID_VALUE;
  if (ref.name == kStreamLegacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (ref.stream != nullptr && ref.stream->capture != nullptr) return CUDA_ERROR_ILLEGAL_STATE;
  List<Node*> last;
  if (graph != nullptr) {
    if (CUresult error = FindNodes(after, count, graph, &last)) return error;
  }
  auto* capture = Make<Capture>();
  if (capture == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  capture->program_graph = graph != nullptr;
  capture->graph = graph != nullptr ? graph : MakeGraph();
  if (capture->graph == nullptr || RememberStream(&ref) != CUDA_SUCCESS) {
    if (!capture->program_graph) DestroyGraph(capture->graph);
    Destroy(capture);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  // Until its end the program has no say over a graph that we made.
  capture->graph->owned = !capture->program_graph;
  capture->id = g_next_capture++;
  capture->mode = mode;
  capture->thread = Thread();
  capture->origin = ref.stream;
  capture->references = 1;
  ref.stream->capture = capture;
  ref.stream->last.Swap(last);
  return CUDA_SUCCESS;
}

CUresult BeginToGraph(CUstream stream, CUgraph handle, const CUgraphNode* after,
                      const CUgraphEdgeData*, size_t count, CUstreamCaptureMode mode) {
  Call call;
  if (CUresult error = call.status()) return error;
  Graph* graph = FindGraph(handle);
  if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return BeginOn(call, stream, graph, after, count, mode);
}

CUresult Begin(CUstream stream, CUstreamCaptureMode mode) {
  Call call;
  return BeginOn(call, stream, nullptr, nullptr, 0, mode);
}

CUresult BeginGlobal(CUstream stream) { return Begin(stream, CU_STREAM_CAPTURE_MODE_GLOBAL); }

// Whether all that `stream` has done in the capture comes before what the origin does next.
bool Joined(const Capture* capture, const Stream* stream, List<Node*>* reached) {
  reached->Clear();
  if (!reached->Append(capture->origin->last)) return false;
  for (size_t i = 0; i < reached->size(); ++i) {
    for (Node* node : (*reached)[i]->after) {
      if (!reached->Contains(node) && !reached->Push(node)) return false;
    }
  }
  for (Node* node : stream->last) {
    if (!reached->Contains(node)) return false;
  }
  return true;
}

struct Members {
  Capture* capture;
  List<Stream*> streams;
};

CUresult End(CUstream handle, CUgraph* graph) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *graph = nullptr;
  if (ref.stream == nullptr || ref.stream->capture == nullptr) return CUDA_ERROR_ILLEGAL_STATE;
  Capture* capture = ref.stream->capture;
  if (capture->origin != ref.stream) {
    // A stream that was left behind by a capture that is over: it is free again.
    if (capture->origin == nullptr) {
      LeaveCapture(ref.stream);
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  }
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && capture->thread != Thread()) {
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  }
  Members members = {capture, {}};
  ForEachStream(
      [](Stream* stream, void* argument) {
        auto* m = static_cast<Members*>(argument);
        if (stream->capture != m->capture || stream == m->capture->origin) return;
        if (!m->streams.Push(stream)) m->capture->invalid = true;
      },
      &members);
  CUresult result = capture->invalid ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : CUDA_SUCCESS;
  List<Node*> reached;
  for (Stream* stream : members.streams) {
    if (result == CUDA_SUCCESS && !Joined(capture, stream, &reached)) {
      result = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    }
  }
  ++capture->references;  // ours
  for (Stream* stream : members.streams) LeaveCapture(stream);
  LeaveCapture(ref.stream);
  if (result == CUDA_SUCCESS) {
    capture->program_graph = true;
    capture->graph->owned = false;
    *graph = capture->graph->handle;
  }
  Release(capture);
  return result;
}

CUresult Status(const StreamRef& ref, CUstreamCaptureStatus* status) {
  *status = CU_STREAM_CAPTURE_STATUS_NONE;
  if (ref.name == kStreamLegacy) {
    return LegacyWaitsForCapture(ref, false) ? CUDA_ERROR_STREAM_CAPTURE_IMPLICIT : CUDA_SUCCESS;
  }
  if (ref.stream != nullptr && ref.stream->capture != nullptr) {
    *status = ref.stream->capture->invalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                           : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  }
  return CUDA_SUCCESS;
}

CUresult IsCapturing(CUstream handle, CUstreamCaptureStatus* status) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (status == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return Status(ref, status);
}

CUresult Info3(CUstream handle, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
               const CUgraphNode** after, const CUgraphEdgeData** edges, size_t* count) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (status == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = Status(ref, status)) return error;
  // The others are only set while a capture is active.
  if (*status != CU_STREAM_CAPTURE_STATUS_ACTIVE) return CUDA_SUCCESS;
  Stream* stream = ref.stream;
  if (id != nullptr) *id = stream->capture->id;
  if (graph != nullptr) *graph = stream->capture->graph->handle;
  stream->shown.Clear();
  stream->shown_edges.Clear();
  for (Node* node : stream->last) {
    if (!stream->shown.Push(node->handle) || !stream->shown_edges.Push({})) {
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
  }
  if (after != nullptr) *after = stream->shown.begin();
  if (edges != nullptr) *edges = stream->shown_edges.begin();
  if (count != nullptr) *count = stream->shown.size();
  return CUDA_SUCCESS;
}

CUresult Info2(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
               const CUgraphNode** after, size_t* count) {
  return Info3(stream, status, id, graph, after, nullptr, count);
}

CUresult Info1(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id) {
  return Info3(stream, status, id, nullptr, nullptr, nullptr, nullptr);
}

CUresult Update2(CUstream handle, CUgraphNode* after, const CUgraphEdgeData*, size_t count,
                 unsigned flags) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, handle, &ref)) return error;
  if (flags != CU_STREAM_ADD_CAPTURE_DEPENDENCIES && flags != CU_STREAM_SET_CAPTURE_DEPENDENCIES) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (ref.stream == nullptr || ref.stream->capture == nullptr) return CUDA_ERROR_ILLEGAL_STATE;
  if (ref.stream->capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  List<Node*> nodes;
  if (CUresult error = FindNodes(after, count, ref.stream->capture->graph, &nodes)) return error;
  if (flags == CU_STREAM_ADD_CAPTURE_DEPENDENCIES) {
    for (Node* node : ref.stream->last) {
      if (!nodes.Contains(node) && !nodes.Push(node)) return CUDA_ERROR_OUT_OF_MEMORY;
    }
  }
  ref.stream->last.Swap(nodes);
  return CUDA_SUCCESS;
}

CUresult Update(CUstream stream, CUgraphNode* after, size_t count, unsigned flags) {
  return Update2(stream, after, nullptr, count, flags);
}

}  // namespace

void ForgetGraph(const Graph* graph) {
  ForEachStream(
      [](Stream* stream, void* argument) {
        if (stream->capture == nullptr || stream->capture->graph != argument) return;
        stream->capture->invalid = true;
        stream->last.Clear();
      },
      const_cast<Graph*>(graph));
}

void ForgetNode(const Node* node) {
  ForEachStream(
      [](Stream* stream, void* argument) { stream->last.Remove(static_cast<Node*>(argument)); },
      const_cast<Node*>(node));
  ForgetNodeInEvents(node);
}

}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

VGPU_STREAM_0(cuStreamBeginCapture, BeginGlobal)
VGPU_STREAM_1(cuStreamBeginCapture_v2, Begin, CUstreamCaptureMode)
VGPU_STREAM_5(cuStreamBeginCaptureToGraph, BeginToGraph, CUgraph, const CUgraphNode*,
              const CUgraphEdgeData*, size_t, CUstreamCaptureMode)
VGPU_STREAM_1(cuStreamEndCapture, End, CUgraph*)
VGPU_STREAM_1(cuStreamIsCapturing, IsCapturing, CUstreamCaptureStatus*)
VGPU_STREAM_2(cuStreamGetCaptureInfo, Info1, CUstreamCaptureStatus*, cuuint64_t*)
VGPU_STREAM_5(cuStreamGetCaptureInfo_v2, Info2, CUstreamCaptureStatus*, cuuint64_t*, CUgraph*,
              const CUgraphNode**, size_t*)
VGPU_STREAM_6(cuStreamGetCaptureInfo_v3, Info3, CUstreamCaptureStatus*, cuuint64_t*, CUgraph*,
              const CUgraphNode**, const CUgraphEdgeData**, size_t*)
VGPU_STREAM_3(cuStreamUpdateCaptureDependencies, Update, CUgraphNode*, size_t, unsigned)
VGPU_STREAM_4(cuStreamUpdateCaptureDependencies_v2, Update2, CUgraphNode*, const CUgraphEdgeData*,
              size_t, unsigned)

extern "C" VGPU_EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  if (!Initialized()) return CUDA_ERROR_NOT_INITIALIZED;
  if (mode == nullptr || !IsMode(*mode)) return CUDA_ERROR_INVALID_VALUE;
  const CUstreamCaptureMode old = t_mode;
  t_mode = *mode;
  *mode = old;
  return CUDA_SUCCESS;
}

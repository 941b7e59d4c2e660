// Streams and what is being captured from them.
//
// Work is eager (work.h): a stream is a name, and an operation on it is done when the call returns.
// Only a stream that is capturing does nothing: it notes the operation as a node of a graph.
//
// Functions want the state's lock (state.h).

#ifndef SHIMS_CUDA_STREAM_H_
#define SHIMS_CUDA_STREAM_H_

#include <sys/types.h>

#include <cstdint>

#include "shims/abi/cuda_work_types.h"
#include "shims/cuda/graph.h"
#include "shims/cuda/list.h"
#include "shims/cuda/state.h"

namespace vgpu::cuda {

// cuCtxGetStreamPriorityRange: what NVIDIA's driver says of GPUs since Pascal.
inline constexpr int kLeastPriority = 0;
inline constexpr int kGreatestPriority = -5;

struct Stream;

// One capture: it begins on one stream, and others join by waiting for its events.
struct Capture {
  uint64_t id = 0;
  Graph* graph = nullptr;
  bool program_graph = false;  // it is the program's own (cuStreamBeginCaptureToGraph)
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  pid_t thread = 0;
  Stream* origin = nullptr;
  bool invalid = false;
  int references = 0;  // streams and events
};

// The attributes of a stream that can be set and read.
struct StreamAttributes {
  CUaccessPolicyWindow window = {};
  CUsynchronizationPolicy policy = CU_SYNC_POLICY_AUTO;
  unsigned char domain_map[2] = {0, 1};
  int domain = 0;
};

struct Stream {
  CUstream handle = nullptr;
  CUcontext context = nullptr;
  uint64_t id = 0;
  unsigned flags = 0;
  int priority = 0;
  pid_t thread = 0;  // of a per-thread default stream: whose
  StreamAttributes attributes;
  Capture* capture = nullptr;
  List<Node*> last;  // of the capture: what the next operation comes after
  // What cuStreamGetCaptureInfo has handed out of `last`.
  List<CUgraphNode> shown;
  List<CUgraphEdgeData> shown_edges;
};

// A stream that a program named. The legacy stream and the per-thread ones have an object only
// while there is something to remember of them.
struct StreamRef {
  Context* context = nullptr;
  Stream* stream = nullptr;
  uintptr_t name = 0;  // kStreamLegacy, kStreamPerThread, or a handle
};

// INVALID_HANDLE: no such stream.
CUresult FindStream(const Call& call, CUstream handle, StreamRef* ref);

// Makes `ref->stream` where it is a default stream of which there was nothing to remember.
CUresult RememberStream(StreamRef* ref);

// What happens to an operation: `*capture` is null if it is to be done now, else it is to be noted
// there (Note). An error: the stream's capture is invalid, or the legacy stream would have to wait
// for captured work, which makes that capture invalid.
CUresult Admit(const StreamRef& ref, Capture** capture);

// Whether the legacy stream would wait for a stream that is capturing; `invalidate`: that capture
// is invalid from now on.
bool LegacyWaitsForCapture(const StreamRef& legacy, bool invalidate);

// Writes an operation down as what the stream does next.
CUresult Note(Stream* stream, const Operation& operation);

// An operation that cannot be captured was asked of this stream: its capture is over.
// SUCCESS where it was not capturing, else STREAM_CAPTURE_UNSUPPORTED.
CUresult RefuseCapture(const StreamRef& ref);

// The stream takes no part in its capture any more, which is invalid if it goes on. A per-thread
// default stream is gone then.
void LeaveCapture(Stream* stream);

// One reference less; the last one takes its graph along, unless that is the program's.
void Release(Capture* capture);

void ForEachStream(void (*visit)(Stream* stream, void* argument), void* argument);

// A graph or a node is about to go: nothing is captured into it, or after it, any more.
void ForgetGraph(const Graph* graph);
void ForgetNode(const Node* node);

// What belongs to a context ends with it.
void EndStreams(const Context* context);
void EndEvents(const Context* context);

// What an operation on an event does: for graphs. Needs no lock.
CUresult RecordNow(CUevent event);

// Wants the lock.
bool IsEvent(CUevent event);

// As ForgetNode, of the events that were recorded in a capture.
void ForgetNodeInEvents(const Node* node);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_STREAM_H_

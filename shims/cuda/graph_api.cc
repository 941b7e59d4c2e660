// cuGraph*: graphs that a program builds, makes ready, changes and launches.

#include "shims/cuda/export.h"
#include "shims/cuda/graph.h"
#include "shims/cuda/launch.h"
#include "shims/cuda/per_thread.h"
#include "shims/cuda/stream.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {
namespace {

// --- What is in a node, and in the structures that say it

CUresult FromCopy(const Call& call, const CUDA_MEMCPY3D* p, CUcontext context,
                  Operation* operation) {
  Context* owner;
  if (p == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = call.ContextOf(context, &owner)) return error;
  operation->type = CU_GRAPH_NODE_TYPE_MEMCPY;
  operation->context = context;
  operation->copy = {
      .from = {.type = p->srcMemoryType,
               .address = p->srcMemoryType == CU_MEMORYTYPE_HOST
                              ? reinterpret_cast<uintptr_t>(p->srcHost)
                              : static_cast<uintptr_t>(p->srcDevice),
               .array = p->srcArray,
               .x = p->srcXInBytes,
               .y = p->srcY,
               .z = p->srcZ,
               .pitch = p->srcPitch,
               .height = p->srcHeight},
      .to = {.type = p->dstMemoryType,
             .address = p->dstMemoryType == CU_MEMORYTYPE_HOST
                            ? reinterpret_cast<uintptr_t>(p->dstHost)
                            : static_cast<uintptr_t>(p->dstDevice),
             .array = p->dstArray,
             .x = p->dstXInBytes,
             .y = p->dstY,
             .z = p->dstZ,
             .pitch = p->dstPitch,
             .height = p->dstHeight},
      .width = p->WidthInBytes,
      .height = p->Height,
      .depth = p->Depth,
  };
  return CUDA_SUCCESS;
}

void ToCopy(const Copy& copy, CUDA_MEMCPY3D* p) {
  *p = {};
  p->srcMemoryType = copy.from.type;
  if (copy.from.type == CU_MEMORYTYPE_HOST) {
    p->srcHost = reinterpret_cast<const void*>(copy.from.address);
  } else {
    p->srcDevice = copy.from.address;
  }
  p->srcArray = copy.from.array;
  p->srcXInBytes = copy.from.x;
  p->srcY = copy.from.y;
  p->srcZ = copy.from.z;
  p->srcPitch = copy.from.pitch;
  p->srcHeight = copy.from.height;
  p->dstMemoryType = copy.to.type;
  if (copy.to.type == CU_MEMORYTYPE_HOST) {
    p->dstHost = reinterpret_cast<void*>(copy.to.address);
  } else {
    p->dstDevice = copy.to.address;
  }
  p->dstArray = copy.to.array;
  p->dstXInBytes = copy.to.x;
  p->dstY = copy.to.y;
  p->dstZ = copy.to.z;
  p->dstPitch = copy.to.pitch;
  p->dstHeight = copy.to.height;
  p->WidthInBytes = copy.width;
  p->Height = copy.height;
  p->Depth = copy.depth;
}

CUresult FromFill(const Call& call, const CUDA_MEMSET_NODE_PARAMS_v1* p, CUcontext context,
                  Operation* operation) {
  Context* owner;
  if (p == nullptr || (p->elementSize != 1 && p->elementSize != 2 && p->elementSize != 4) ||
      p->width == 0 || p->height == 0 || (p->height > 1 && p->pitch / p->elementSize < p->width)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = call.ContextOf(context, &owner)) return error;
  operation->type = CU_GRAPH_NODE_TYPE_MEMSET;
  operation->context = context;
  operation->fill = {.address = static_cast<uintptr_t>(p->dst),
                     .value = p->value,
                     .element = p->elementSize,
                     .width = p->width,
                     .height = p->height,
                     .pitch = p->pitch};
  return CUDA_SUCCESS;
}

void ToFill(const Fill& fill, CUDA_MEMSET_NODE_PARAMS_v1* p) {
  *p = {.dst = fill.address,
        .pitch = fill.pitch,
        .value = fill.value,
        .elementSize = fill.element,
        .width = fill.width,
        .height = fill.height};
}

CUresult FromHost(const CUDA_HOST_NODE_PARAMS_v1* p, Operation* operation) {
  if (p == nullptr || p->fn == nullptr) return CUDA_ERROR_INVALID_VALUE;
  operation->type = CU_GRAPH_NODE_TYPE_HOST;
  operation->function = p->fn;
  operation->argument = p->userData;
  return CUDA_SUCCESS;
}

CUresult FromEvent(CUevent event, CUgraphNodeType type, Operation* operation) {
  if (!IsEvent(event)) return CUDA_ERROR_INVALID_HANDLE;
  operation->type = type;
  operation->event = event;
  return CUDA_SUCCESS;
}

// Of a node of any type but GRAPH. `function` is for the log.
CUresult FromParameters(const Call& call, const char* function, const CUgraphNodeParams& p,
                        Operation* operation) {
  switch (p.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL:
      return RefuseLaunch(function);
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return FromCopy(call, &p.memcpy.copyParams, p.memcpy.copyCtx, operation);
    case CU_GRAPH_NODE_TYPE_MEMSET:
      return FromFill(call, &p.memset.set, p.memset.ctx, operation);
    case CU_GRAPH_NODE_TYPE_HOST:
      return FromHost(&p.host, operation);
    case CU_GRAPH_NODE_TYPE_EMPTY:
      return CUDA_SUCCESS;
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
      return FromEvent(p.event, p.type, operation);
    default:
      return CUDA_ERROR_NOT_SUPPORTED;
  }
}

// --- Building

CUresult FindGraphAndNodes(CUgraph handle, const CUgraphNode* after, size_t count, Graph** graph,
                           List<Node*>* nodes) {
  *graph = FindGraph(handle);
  if (*graph == nullptr || (count != 0 && after == nullptr)) return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < count; ++i) {
    Node* node = FindNode(after[i]);
    // Neither a node of another graph nor one twice.
    if (node == nullptr || node->graph != *graph || nodes->Contains(node)) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    if (!nodes->Push(node)) return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return CUDA_SUCCESS;
}

// Where a node is to be added.
struct Place {
  CUgraphNode* node;
  CUgraph graph;
  const CUgraphNode* after;
  size_t count;
};

CUresult AddTo(const Place& place, const Operation& operation) {
  Graph* graph;
  List<Node*> after;
  if (place.node == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = FindGraphAndNodes(place.graph, place.after, place.count, &graph, &after)) {
    return error;
  }
  Node* node = AddNode(graph, operation, after);
  if (node == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  *place.node = node->handle;
  return CUDA_SUCCESS;
}

CUresult AddChild(const Place& place, CUgraph child_handle) {
  Graph* graph;
  List<Node*> after;
  const Graph* child = FindGraph(child_handle);
  if (place.node == nullptr || child == nullptr || child_handle == place.graph) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = FindGraphAndNodes(place.graph, place.after, place.count, &graph, &after)) {
    return error;
  }
  Operation operation;
  operation.type = CU_GRAPH_NODE_TYPE_GRAPH;
  Graph* clone = CloneGraph(child);
  Node* node = clone == nullptr ? nullptr : AddNode(graph, operation, after, clone);
  if (node == nullptr) {
    DestroyGraph(clone);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *place.node = node->handle;
  return CUDA_SUCCESS;
}

CUresult AddAny(const char* function, const Place& place, const CUgraphNodeParams* p) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (p == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (p->type == CU_GRAPH_NODE_TYPE_GRAPH) return AddChild(place, p->graph);
  Operation operation;
  if (CUresult error = FromParameters(call, function, *p, &operation)) return error;
  return AddTo(place, operation);
}

// The node, if it is of this type.
CUresult FindTyped(const Call& call, CUgraphNode handle, CUgraphNodeType type, Node** node) {
  if (CUresult error = call.status()) return error;
  *node = FindNode(handle);
  return *node == nullptr || (*node)->operation.type != type ? CUDA_ERROR_INVALID_VALUE
                                                             : CUDA_SUCCESS;
}

CUresult SetAny(const char* function, const Call& call, Node* node, const CUgraphNodeParams* p) {
  if (p == nullptr || p->type != node->operation.type) return CUDA_ERROR_INVALID_VALUE;
  Operation operation;
  if (CUresult error = FromParameters(call, function, *p, &operation)) return error;
  node->operation = operation;
  return CUDA_SUCCESS;
}

// The node of an instantiated graph that was made of `handle`.
CUresult FindInExec(const Call& call, CUgraphExec exec_handle, CUgraphNode handle, Node** node) {
  if (CUresult error = call.status()) return error;
  GraphExec* exec = FindExec(exec_handle);
  if (exec == nullptr || handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
  for (Node* own : exec->graph->nodes) {
    if (own->original == handle) {
      *node = own;
      return CUDA_SUCCESS;
    }
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult FindTypedInExec(const Call& call, CUgraphExec exec, CUgraphNode handle,
                         CUgraphNodeType type, Node** node) {
  if (CUresult error = FindInExec(call, exec, handle, node)) return error;
  return (*node)->operation.type == type ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// --- Looking

// Fills `out`, if there is one, with at most *count of `nodes`; *count becomes how many there were
// put there, or how many there are.
CUresult Show(const List<Node*>& nodes, CUgraphNode* out, CUgraphEdgeData* edges, size_t* count) {
  if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (out == nullptr) {
    *count = nodes.size();
    return CUDA_SUCCESS;
  }
  for (size_t i = 0; i < *count; ++i) {
    out[i] = i < nodes.size() ? nodes[i]->handle : nullptr;
    if (edges != nullptr) edges[i] = {};
  }
  if (*count > nodes.size()) *count = nodes.size();
  return CUDA_SUCCESS;
}

CUresult Edges(CUgraph handle, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* data,
               size_t* count) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Graph* graph = FindGraph(handle);
  if (graph == nullptr || count == nullptr || (from == nullptr) != (to == nullptr)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  size_t edges = 0;
  for (const Node* node : graph->nodes) {
    for (const Node* before : node->after) {
      if (from != nullptr && edges < *count) {
        from[edges] = before->handle;
        to[edges] = node->handle;
        if (data != nullptr) data[edges] = {};
      }
      ++edges;
    }
  }
  for (size_t i = edges; from != nullptr && i < *count; ++i) {
    from[i] = nullptr;
    to[i] = nullptr;
  }
  if (from == nullptr || *count > edges) *count = edges;
  return CUDA_SUCCESS;
}

CUresult Before(CUgraphNode handle, CUgraphNode* out, CUgraphEdgeData* edges, size_t* count) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Node* node = FindNode(handle);
  return node == nullptr ? CUDA_ERROR_INVALID_VALUE : Show(node->after, out, edges, count);
}

CUresult After(CUgraphNode handle, CUgraphNode* out, CUgraphEdgeData* edges, size_t* count) {
  Call call;
  if (CUresult error = call.status()) return error;
  Node* node = FindNode(handle);
  if (node == nullptr) return CUDA_ERROR_INVALID_VALUE;
  List<Node*> nodes;
  for (Node* other : node->graph->nodes) {
    if (other->after.Contains(node) && !nodes.Push(other)) return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return Show(nodes, out, edges, count);
}

CUresult ChangeEdges(CUgraph handle, const CUgraphNode* from, const CUgraphNode* to, size_t count,
                     bool add) {
  Call call;
  if (CUresult error = call.status()) return error;
  Graph* graph = FindGraph(handle);
  if (graph == nullptr || (count != 0 && (from == nullptr || to == nullptr))) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  // All are looked at before one is changed.
  for (size_t i = 0; i < count; ++i) {
    Node* before = FindNode(from[i]);
    const Node* node = FindNode(to[i]);
    if (before == nullptr || node == nullptr || before == node || before->graph != graph ||
        node->graph != graph || node->after.Contains(before) == add) {
      return CUDA_ERROR_INVALID_VALUE;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    Node* before = FindNode(from[i]);
    Node* node = FindNode(to[i]);
    if (!add) {
      node->after.Remove(before);
    } else if (!node->after.Contains(before) && !node->after.Push(before)) {
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
  }
  return CUDA_SUCCESS;
}

// --- Making ready, changing, launching

CUresult Ready(CUgraphExec* out, CUgraph handle, cuuint64_t flags) {
  constexpr cuuint64_t kKnown =
      CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH | CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD |
      CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH | CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
  Call call;
  if (CUresult error = call.status()) return error;
  const Graph* graph = FindGraph(handle);
  if (graph == nullptr || out == nullptr || (flags & ~kKnown) != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  // A kernel would launch it.
  if ((flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) != 0) return CUDA_ERROR_NOT_SUPPORTED;
  GraphExec* exec;
  if (CUresult error = Instantiate(graph, flags, &exec)) return error;
  *out = exec->handle;
  return CUDA_SUCCESS;
}

CUresult ReadyWithLog(CUgraphExec* out, CUgraph graph, CUgraphNode* bad, char* log, size_t size) {
  if (bad != nullptr) *bad = nullptr;
  if (log != nullptr && size != 0) *log = '\0';
  return Ready(out, graph, 0);
}

CUresult ReadyWithParameters(CUgraphExec* out, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS* p) {
  if (p == nullptr) return Initialized() ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_NOT_INITIALIZED;
  const CUresult result = Ready(out, graph, p->flags);
  p->hErrNode_out = nullptr;
  p->result_out =
      result == CUDA_SUCCESS ? CUDA_GRAPH_INSTANTIATE_SUCCESS : CUDA_GRAPH_INSTANTIATE_ERROR;
  return result;
}

// Whether `graph` has the shape of `own`. If not, `info` says where.
bool SameShape(const Graph* own, const Graph* graph, CUgraphExecUpdateResultInfo* info) {
  const auto differs = [info](CUgraphExecUpdateResult result, const Node* node) {
    info->result = result;
    info->errorNode = node == nullptr ? nullptr : node->handle;
    return false;
  };
  if (own->nodes.size() != graph->nodes.size()) {
    return differs(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, nullptr);
  }
  const auto index = [](const Graph* in, const Node* node) {
    size_t i = 0;
    while (in->nodes[i] != node) ++i;
    return i;
  };
  for (size_t i = 0; i < own->nodes.size(); ++i) {
    const Node* mine = own->nodes[i];
    const Node* other = graph->nodes[i];
    if (mine->operation.type != other->operation.type) {
      return differs(CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED, other);
    }
    if (mine->after.size() != other->after.size()) {
      return differs(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, other);
    }
    for (const Node* before : other->after) {
      if (!mine->after.Contains(own->nodes[index(graph, before)])) {
        return differs(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, other);
      }
    }
    if (mine->child != nullptr && !SameShape(mine->child, other->child, info)) return false;
  }
  return true;
}

void Assign(Graph* own, const Graph* graph) {
  for (size_t i = 0; i < own->nodes.size(); ++i) {
    own->nodes[i]->operation = graph->nodes[i]->operation;
    if (own->nodes[i]->child != nullptr) Assign(own->nodes[i]->child, graph->nodes[i]->child);
  }
}

CUresult UpdateExec(CUgraphExec exec_handle, CUgraph handle, CUgraphExecUpdateResultInfo* info) {
  Call call;
  if (CUresult error = call.status()) return error;
  GraphExec* exec = FindExec(exec_handle);
  const Graph* graph = FindGraph(handle);
  if (exec == nullptr || graph == nullptr || info == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *info = {};
  if (!SameShape(exec->graph, graph, info)) return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  Assign(exec->graph, graph);
  return CUDA_SUCCESS;
}

CUresult LaunchGraph(CUgraphExec handle, CUstream stream) {
  List<Operation> operations;
  {
    Call call;
    StreamRef ref;
    if (CUresult error = FindStream(call, stream, &ref)) return error;
    const GraphExec* exec = FindExec(handle);
    if (exec == nullptr) return CUDA_ERROR_INVALID_VALUE;
    Capture* capture;
    if (CUresult error = Admit(ref, &capture)) return error;
    if (capture != nullptr) {
      Operation operation;
      operation.type = CU_GRAPH_NODE_TYPE_GRAPH;
      Graph* clone = CloneGraph(exec->graph);
      Node* node =
          clone == nullptr ? nullptr : AddNode(capture->graph, operation, ref.stream->last, clone);
      if (node == nullptr) {
        DestroyGraph(clone);
        return CUDA_ERROR_OUT_OF_MEMORY;
      }
      ref.stream->last.Clear();
      return ref.stream->last.Push(node) ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
    }
    if (CUresult error = Flatten(exec->graph, &operations)) return error;
  }
  for (const Operation& operation : operations) {
    if (CUresult error = Do(operation)) return error;
  }
  return CUDA_SUCCESS;
}

CUresult UploadGraph(CUgraphExec handle, CUstream stream) {
  Call call;
  StreamRef ref;
  if (CUresult error = FindStream(call, stream, &ref)) return error;
  return FindExec(handle) == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult SetEvent(CUgraphNode handle, CUgraphNodeType type, CUevent event) {
  Call call;
  Node* node;
  if (CUresult error = FindTyped(call, handle, type, &node)) return error;
  return FromEvent(event, type, &node->operation);
}

CUresult SetEventInExec(CUgraphExec exec, CUgraphNode handle, CUgraphNodeType type, CUevent event) {
  Call call;
  Node* node;
  if (CUresult error = FindTypedInExec(call, exec, handle, type, &node)) return error;
  return FromEvent(event, type, &node->operation);
}

CUresult GetEvent(CUgraphNode handle, CUgraphNodeType type, CUevent* event) {
  Call call;
  Node* node;
  if (CUresult error = FindTyped(call, handle, type, &node)) return error;
  if (event == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *event = node->operation.event;
  return CUDA_SUCCESS;
}

// Copies and fills of a captured operation keep their context; a program sets none here.
template <typename Parameters, typename Read>
CUresult SetOperation(CUgraphNode handle, CUgraphNodeType type, const Parameters* p, Read read) {
  Call call;
  Node* node;
  if (CUresult error = FindTyped(call, handle, type, &node)) return error;
  Operation operation = node->operation;
  if (CUresult error = read(call, p, &operation)) return error;
  node->operation = operation;
  return CUDA_SUCCESS;
}

template <typename Read>
CUresult SetOperationInExec(CUgraphExec exec, CUgraphNode handle, CUgraphNodeType type, Read read) {
  Call call;
  Node* node;
  if (CUresult error = FindTypedInExec(call, exec, handle, type, &node)) return error;
  Operation operation = node->operation;
  if (CUresult error = read(call, &operation)) return error;
  node->operation = operation;
  return CUDA_SUCCESS;
}

CUresult Update1(CUgraphExec exec, CUgraph graph, CUgraphNode* bad,
                 CUgraphExecUpdateResult* result) {
  CUgraphExecUpdateResultInfo info = {};
  const CUresult error = UpdateExec(exec, graph, &info);
  if (bad != nullptr) *bad = info.errorNode;
  if (result != nullptr) *result = info.result;
  return error;
}

}  // namespace
}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

#define VGPU_API extern "C" VGPU_EXPORT CUresult

VGPU_API cuGraphCreate(CUgraph* handle, unsigned flags) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (handle == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  const Graph* graph = MakeGraph();
  if (graph == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  *handle = graph->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphDestroy(CUgraph handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  Graph* graph = FindGraph(handle);
  if (graph == nullptr || graph->owned) return CUDA_ERROR_INVALID_VALUE;
  DestroyGraph(graph);
  return CUDA_SUCCESS;
}

VGPU_API cuGraphClone(CUgraph* clone, CUgraph handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Graph* graph = FindGraph(handle);
  if (graph == nullptr || clone == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const Graph* made = CloneGraph(graph);
  if (made == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  *clone = made->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphNodeFindInClone(CUgraphNode* out, CUgraphNode original, CUgraph clone_handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Graph* clone = FindGraph(clone_handle);
  if (out == nullptr || clone == nullptr || FindNode(original) == nullptr) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (const Node* node : clone->nodes) {
    if (node->original == original) {
      *out = node->handle;
      return CUDA_SUCCESS;
    }
  }
  return CUDA_ERROR_INVALID_VALUE;
}

VGPU_API cuGraphAddEmptyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                             size_t count) {
  Call call;
  if (CUresult error = call.status()) return error;
  return AddTo({node, graph, after, count}, {});
}

VGPU_API cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                              size_t count, const CUDA_MEMCPY3D* p, CUcontext context) {
  Call call;
  Operation operation;
  if (CUresult error = call.status()) return error;
  if (CUresult error = FromCopy(call, p, context, &operation)) return error;
  return AddTo({node, graph, after, count}, operation);
}

VGPU_API cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                              size_t count, const CUDA_MEMSET_NODE_PARAMS_v1* p,
                              CUcontext context) {
  Call call;
  Operation operation;
  if (CUresult error = call.status()) return error;
  if (CUresult error = FromFill(call, p, context, &operation)) return error;
  return AddTo({node, graph, after, count}, operation);
}

VGPU_API cuGraphAddHostNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                            size_t count, const CUDA_HOST_NODE_PARAMS_v1* p) {
  Call call;
  Operation operation;
  if (CUresult error = call.status()) return error;
  if (CUresult error = FromHost(p, &operation)) return error;
  return AddTo({node, graph, after, count}, operation);
}

VGPU_API cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                                  size_t count, CUgraph child) {
  Call call;
  if (CUresult error = call.status()) return error;
  return AddChild({node, graph, after, count}, child);
}

VGPU_API cuGraphAddEventRecordNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                                   size_t count, CUevent event) {
  Call call;
  Operation operation;
  if (CUresult error = call.status()) return error;
  if (CUresult error = FromEvent(event, CU_GRAPH_NODE_TYPE_EVENT_RECORD, &operation)) return error;
  return AddTo({node, graph, after, count}, operation);
}

VGPU_API cuGraphAddEventWaitNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                                 size_t count, CUevent event) {
  Call call;
  Operation operation;
  if (CUresult error = call.status()) return error;
  if (CUresult error = FromEvent(event, CU_GRAPH_NODE_TYPE_WAIT_EVENT, &operation)) return error;
  return AddTo({node, graph, after, count}, operation);
}

VGPU_API cuGraphAddNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after, size_t count,
                        CUgraphNodeParams* p) {
  return AddAny("cuGraphAddNode", {node, graph, after, count}, p);
}
VGPU_API cuGraphAddNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                           const CUgraphEdgeData*, size_t count, CUgraphNodeParams* p) {
  return AddAny("cuGraphAddNode_v2", {node, graph, after, count}, p);
}
VGPU_API cuGraphAddNode_v3(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                           const CUgraphEdgeData*, size_t count, CUgraphNodeParams* p) {
  return AddAny("cuGraphAddNode_v3", {node, graph, after, count}, p);
}

VGPU_API cuGraphDestroyNode(CUgraphNode handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  Node* node = FindNode(handle);
  if (node == nullptr || node->graph->owned) return CUDA_ERROR_INVALID_VALUE;
  DestroyNode(node);
  return CUDA_SUCCESS;
}

VGPU_API cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Node* node = FindNode(handle);
  if (node == nullptr || type == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *type = node->operation.type;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphMemcpyNodeGetParams(CUgraphNode handle, CUDA_MEMCPY3D* p) {
  Call call;
  Node* node;
  if (CUresult error = FindTyped(call, handle, CU_GRAPH_NODE_TYPE_MEMCPY, &node)) return error;
  if (p == nullptr) return CUDA_ERROR_INVALID_VALUE;
  ToCopy(node->operation.copy, p);
  return CUDA_SUCCESS;
}

VGPU_API cuGraphMemcpyNodeSetParams(CUgraphNode node, const CUDA_MEMCPY3D* p) {
  return SetOperation(node, CU_GRAPH_NODE_TYPE_MEMCPY, p,
                      [](const Call& call, const CUDA_MEMCPY3D* q, Operation* operation) {
                        return FromCopy(call, q, operation->context, operation);
                      });
}

VGPU_API cuGraphMemsetNodeGetParams(CUgraphNode handle, CUDA_MEMSET_NODE_PARAMS_v1* p) {
  Call call;
  Node* node;
  if (CUresult error = FindTyped(call, handle, CU_GRAPH_NODE_TYPE_MEMSET, &node)) return error;
  if (p == nullptr) return CUDA_ERROR_INVALID_VALUE;
  ToFill(node->operation.fill, p);
  return CUDA_SUCCESS;
}

VGPU_API cuGraphMemsetNodeSetParams(CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS_v1* p) {
  return SetOperation(
      node, CU_GRAPH_NODE_TYPE_MEMSET, p,
      [](const Call& call, const CUDA_MEMSET_NODE_PARAMS_v1* q, Operation* operation) {
        return FromFill(call, q, operation->context, operation);
      });
}

VGPU_API cuGraphHostNodeGetParams(CUgraphNode handle, CUDA_HOST_NODE_PARAMS_v1* p) {
  Call call;
  Node* node;
  if (CUresult error = FindTyped(call, handle, CU_GRAPH_NODE_TYPE_HOST, &node)) return error;
  if (p == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *p = {node->operation.function, node->operation.argument};
  return CUDA_SUCCESS;
}

VGPU_API cuGraphHostNodeSetParams(CUgraphNode node, const CUDA_HOST_NODE_PARAMS_v1* p) {
  return SetOperation(node, CU_GRAPH_NODE_TYPE_HOST, p,
                      [](const Call&, const CUDA_HOST_NODE_PARAMS_v1* q, Operation* operation) {
                        return FromHost(q, operation);
                      });
}

VGPU_API cuGraphChildGraphNodeGetGraph(CUgraphNode handle, CUgraph* child) {
  Call call;
  Node* node;
  if (CUresult error = FindTyped(call, handle, CU_GRAPH_NODE_TYPE_GRAPH, &node)) return error;
  if (child == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *child = node->child->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent* event) {
  return GetEvent(node, CU_GRAPH_NODE_TYPE_EVENT_RECORD, event);
}
VGPU_API cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event) {
  return SetEvent(node, CU_GRAPH_NODE_TYPE_EVENT_RECORD, event);
}
VGPU_API cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent* event) {
  return GetEvent(node, CU_GRAPH_NODE_TYPE_WAIT_EVENT, event);
}
VGPU_API cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event) {
  return SetEvent(node, CU_GRAPH_NODE_TYPE_WAIT_EVENT, event);
}

VGPU_API cuGraphNodeSetParams(CUgraphNode handle, CUgraphNodeParams* p) {
  Call call;
  if (CUresult error = call.status()) return error;
  Node* node = FindNode(handle);
  if (node == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return SetAny("cuGraphNodeSetParams", call, node, p);
}

VGPU_API cuGraphNodeSetParams_v2(CUgraphNode node, CUgraphNodeParams* p) {
  return cuGraphNodeSetParams(node, p);
}

VGPU_API cuGraphNodeGetParams(CUgraphNode handle, CUgraphNodeParams* p) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Node* node = FindNode(handle);
  if (node == nullptr || p == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *p = {};
  p->type = node->operation.type;
  switch (p->type) {
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      p->memcpy.copyCtx = node->operation.context;
      ToCopy(node->operation.copy, &p->memcpy.copyParams);
      break;
    case CU_GRAPH_NODE_TYPE_MEMSET:
      p->memset.ctx = node->operation.context;
      ToFill(node->operation.fill, &p->memset.set);
      break;
    case CU_GRAPH_NODE_TYPE_HOST:
      p->host = {node->operation.function, node->operation.argument};
      break;
    case CU_GRAPH_NODE_TYPE_GRAPH:
      p->graph = node->child->handle;
      break;
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
      p->event = node->operation.event;
      break;
    default:
      break;
  }
  return CUDA_SUCCESS;
}

VGPU_API cuGraphNodeGetContainingGraph(CUgraphNode handle, CUgraph* graph) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Node* node = FindNode(handle);
  if (node == nullptr || graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *graph = node->graph->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphNodeGetLocalId(CUgraphNode handle, unsigned* id) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Node* node = FindNode(handle);
  if (node == nullptr || id == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *id = node->id;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphGetId(CUgraph handle, unsigned* id) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Graph* graph = FindGraph(handle);
  if (graph == nullptr || id == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *id = graph->id;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphExecGetId(CUgraphExec handle, unsigned* id) {
  Call call;
  if (CUresult error = call.status()) return error;
  const GraphExec* exec = FindExec(handle);
  if (exec == nullptr || id == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *id = exec->graph->id;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Graph* graph = FindGraph(handle);
  return graph == nullptr ? CUDA_ERROR_INVALID_VALUE : Show(graph->nodes, nodes, nullptr, count);
}

VGPU_API cuGraphGetRootNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  Call call;
  if (CUresult error = call.status()) return error;
  const Graph* graph = FindGraph(handle);
  if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
  List<Node*> roots;
  for (Node* node : graph->nodes) {
    if (node->after.empty() && !roots.Push(node)) return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return Show(roots, nodes, nullptr, count);
}

VGPU_API cuGraphGetEdges(CUgraph graph, CUgraphNode* from, CUgraphNode* to, size_t* count) {
  return Edges(graph, from, to, nullptr, count);
}
VGPU_API cuGraphGetEdges_v2(CUgraph graph, CUgraphNode* from, CUgraphNode* to,
                            CUgraphEdgeData* data, size_t* count) {
  return Edges(graph, from, to, data, count);
}
VGPU_API cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode* out, size_t* count) {
  return Before(node, out, nullptr, count);
}
VGPU_API cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode* out, CUgraphEdgeData* edges,
                                       size_t* count) {
  return Before(node, out, edges, count);
}
VGPU_API cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode* out, size_t* count) {
  return After(node, out, nullptr, count);
}
VGPU_API cuGraphNodeGetDependentNodes_v2(CUgraphNode node, CUgraphNode* out, CUgraphEdgeData* edges,
                                         size_t* count) {
  return After(node, out, edges, count);
}
VGPU_API cuGraphAddDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                size_t count) {
  return ChangeEdges(graph, from, to, count, true);
}
VGPU_API cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   const CUgraphEdgeData*, size_t count) {
  return ChangeEdges(graph, from, to, count, true);
}
VGPU_API cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   size_t count) {
  return ChangeEdges(graph, from, to, count, false);
}
VGPU_API cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                      const CUgraphEdgeData*, size_t count) {
  return ChangeEdges(graph, from, to, count, false);
}

VGPU_API cuGraphInstantiate(CUgraphExec* exec, CUgraph graph, CUgraphNode* bad, char* log,
                            size_t size) {
  return ReadyWithLog(exec, graph, bad, log, size);
}
VGPU_API cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* bad, char* log,
                               size_t size) {
  return ReadyWithLog(exec, graph, bad, log, size);
}
VGPU_API cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
  return Ready(exec, graph, flags);
}
VGPU_API cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph,
                                      CUDA_GRAPH_INSTANTIATE_PARAMS* p) {
  return ReadyWithParameters(exec, graph, p);
}
VGPU_API cuGraphInstantiateWithParams_ptsz(CUgraphExec* exec, CUgraph graph,
                                           CUDA_GRAPH_INSTANTIATE_PARAMS* p) {
  return ReadyWithParameters(exec, graph, p);
}

VGPU_API cuGraphExecDestroy(CUgraphExec handle) {
  Call call;
  if (CUresult error = call.status()) return error;
  GraphExec* exec = FindExec(handle);
  if (exec == nullptr) return CUDA_ERROR_INVALID_VALUE;
  DestroyExec(exec);
  return CUDA_SUCCESS;
}

VGPU_API cuGraphExecGetFlags(CUgraphExec handle, cuuint64_t* flags) {
  Call call;
  if (CUresult error = call.status()) return error;
  const GraphExec* exec = FindExec(handle);
  if (exec == nullptr || flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *flags = exec->flags;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphNode* bad,
                           CUgraphExecUpdateResult* result) {
  return Update1(exec, graph, bad, result);
}
VGPU_API cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo* info) {
  return UpdateExec(exec, graph, info);
}

VGPU_API cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D* p,
                                        CUcontext context) {
  return SetOperationInExec(exec, node, CU_GRAPH_NODE_TYPE_MEMCPY,
                            [p, context](const Call& call, Operation* operation) {
                              return FromCopy(call, p, context, operation);
                            });
}
VGPU_API cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMSET_NODE_PARAMS_v1* p, CUcontext context) {
  return SetOperationInExec(exec, node, CU_GRAPH_NODE_TYPE_MEMSET,
                            [p, context](const Call& call, Operation* operation) {
                              return FromFill(call, p, context, operation);
                            });
}
VGPU_API cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                      const CUDA_HOST_NODE_PARAMS_v1* p) {
  return SetOperationInExec(
      exec, node, CU_GRAPH_NODE_TYPE_HOST,
      [p](const Call&, Operation* operation) { return FromHost(p, operation); });
}
VGPU_API cuGraphExecChildGraphNodeSetParams(CUgraphExec exec, CUgraphNode handle, CUgraph child) {
  Call call;
  Node* node;
  if (CUresult error = FindTypedInExec(call, exec, handle, CU_GRAPH_NODE_TYPE_GRAPH, &node)) {
    return error;
  }
  const Graph* graph = FindGraph(child);
  CUgraphExecUpdateResultInfo info = {};
  if (graph == nullptr || !SameShape(node->child, graph, &info)) return CUDA_ERROR_INVALID_VALUE;
  Assign(node->child, graph);
  return CUDA_SUCCESS;
}
VGPU_API cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return SetEventInExec(exec, node, CU_GRAPH_NODE_TYPE_EVENT_RECORD, event);
}
VGPU_API cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return SetEventInExec(exec, node, CU_GRAPH_NODE_TYPE_WAIT_EVENT, event);
}
VGPU_API cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode handle, CUgraphNodeParams* p) {
  Call call;
  Node* node;
  if (CUresult error = FindInExec(call, exec, handle, &node)) return error;
  return SetAny("cuGraphExecNodeSetParams", call, node, p);
}

// Of the types of nodes that can be switched off there are here copies and fills.
VGPU_API cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode handle, unsigned enabled) {
  Call call;
  Node* node;
  if (CUresult error = FindInExec(call, exec, handle, &node)) return error;
  if (node->operation.type != CU_GRAPH_NODE_TYPE_MEMCPY &&
      node->operation.type != CU_GRAPH_NODE_TYPE_MEMSET) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  node->enabled = enabled != 0;
  return CUDA_SUCCESS;
}
VGPU_API cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode handle, unsigned* enabled) {
  Call call;
  Node* node;
  if (CUresult error = FindInExec(call, exec, handle, &node)) return error;
  if (enabled == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *enabled = node->enabled ? 1 : 0;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphLaunch(CUgraphExec exec, CUstream stream) { return LaunchGraph(exec, stream); }
VGPU_API cuGraphLaunch_ptsz(CUgraphExec exec, CUstream stream) {
  return LaunchGraph(exec, PerThread(stream));
}
VGPU_API cuGraphUpload(CUgraphExec exec, CUstream stream) { return UploadGraph(exec, stream); }
VGPU_API cuGraphUpload_ptsz(CUgraphExec exec, CUstream stream) {
  return UploadGraph(exec, PerThread(stream));
}

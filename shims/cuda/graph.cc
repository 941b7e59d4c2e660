#include "shims/cuda/graph.h"

#include "shims/cuda/handles.h"
#include "shims/cuda/object.h"
#include "shims/cuda/stream.h"

namespace vgpu::cuda {
namespace {

constinit Handles<Graph, HandleKind::kGraph> g_graphs;
constinit Handles<Node, HandleKind::kGraphNode> g_nodes;
constinit Handles<GraphExec, HandleKind::kGraphExec> g_execs;
constinit unsigned g_next_id = 1;

size_t IndexOf(const Graph* graph, const Node* node) {
  size_t index = 0;
  while (graph->nodes[index] != node) ++index;
  return index;
}

}  // namespace

Graph* MakeGraph() {
  auto* graph = Make<Graph>();
  if (graph == nullptr) return nullptr;
  graph->handle = reinterpret_cast<CUgraph>(g_graphs.Add(graph));
  if (graph->handle == nullptr) {
    Destroy(graph);
    return nullptr;
  }
  graph->id = g_next_id++;
  return graph;
}

Graph* CloneGraph(const Graph* graph) {
  Graph* clone = MakeGraph();
  if (clone == nullptr) return nullptr;
  clone->original = graph->handle;
  for (const HeldObject& held : graph->objects) {
    if (!clone->objects.Push(held)) {
      DestroyGraph(clone);
      return nullptr;
    }
    held.object->references += held.count;
  }
  const List<Node*> none;
  for (const Node* node : graph->nodes) {
    Graph* child = nullptr;
    if (node->child != nullptr) {
      child = CloneGraph(node->child);
      if (child == nullptr) {
        DestroyGraph(clone);
        return nullptr;
      }
    }
    Node* copy = AddNode(clone, node->operation, none, child);
    if (copy == nullptr) {
      DestroyGraph(child);
      DestroyGraph(clone);
      return nullptr;
    }
    copy->original = node->handle;
    copy->enabled = node->enabled;
  }
  // Edges are copied last: a node may come after one that was added later.
  for (size_t i = 0; i < graph->nodes.size(); ++i) {
    for (const Node* before : graph->nodes[i]->after) {
      if (!clone->nodes[i]->after.Push(clone->nodes[IndexOf(graph, before)])) {
        DestroyGraph(clone);
        return nullptr;
      }
    }
  }
  return clone;
}

void DestroyGraph(Graph* graph) {
  if (graph == nullptr) return;
  ForgetGraph(graph);
  while (!graph->nodes.empty()) DestroyNode(graph->nodes[graph->nodes.size() - 1]);
  for (const HeldObject& held : graph->objects) DropReferences(held.object, held.count);
  g_graphs.Remove(graph->handle);
  Destroy(graph);
}

Graph* FindGraph(CUgraph handle) { return g_graphs.Find(handle); }
Node* FindNode(CUgraphNode handle) { return g_nodes.Find(handle); }
GraphExec* FindExec(CUgraphExec handle) { return g_execs.Find(handle); }

Node* AddNode(Graph* graph, const Operation& operation, const List<Node*>& after, Graph* child) {
  auto* node = Make<Node>();
  if (node == nullptr) return nullptr;
  node->handle = reinterpret_cast<CUgraphNode>(g_nodes.Add(node));
  if (node->handle == nullptr || !node->after.Append(after) || !graph->nodes.Push(node)) {
    if (node->handle != nullptr) g_nodes.Remove(node->handle);
    Destroy(node);
    return nullptr;
  }
  node->graph = graph;
  node->id = graph->next_node++;
  node->operation = operation;
  node->child = child;
  if (child != nullptr) child->owned = true;
  return node;
}

void DestroyNode(Node* node) {
  ForgetNode(node);
  node->graph->nodes.Remove(node);
  for (Node* other : node->graph->nodes) other->after.Remove(node);
  g_nodes.Remove(node->handle);
  DestroyGraph(node->child);
  Destroy(node);
}

CUresult Flatten(const Graph* graph, List<Operation>* operations) {
  for (Node* node : graph->nodes) node->ordered = false;
  size_t left = graph->nodes.size();
  for (bool moved = true; left != 0 && moved;) {
    moved = false;
    for (Node* node : graph->nodes) {
      if (node->ordered) continue;
      bool ready = true;
      for (const Node* before : node->after) ready = ready && before->ordered;
      if (!ready) continue;
      node->ordered = true;
      moved = true;
      --left;
      if (!node->enabled) continue;
      if (node->child != nullptr) {
        if (CUresult error = Flatten(node->child, operations)) return error;
      } else if (!operations->Push(node->operation)) {
        return CUDA_ERROR_OUT_OF_MEMORY;
      }
    }
  }
  return left == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult Instantiate(const Graph* graph, cuuint64_t flags, GraphExec** exec) {
  List<Operation> operations;
  if (CUresult error = Flatten(graph, &operations)) return error;
  auto* made = Make<GraphExec>();
  if (made == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  made->graph = CloneGraph(graph);
  if (made->graph != nullptr) {
    made->graph->owned = true;
    made->flags = flags;
    made->handle = reinterpret_cast<CUgraphExec>(g_execs.Add(made));
  }
  if (made->handle == nullptr) {
    DestroyGraph(made->graph);
    Destroy(made);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *exec = made;
  return CUDA_SUCCESS;
}

void DestroyExec(GraphExec* exec) {
  g_execs.Remove(exec->handle);
  DestroyGraph(exec->graph);
  Destroy(exec);
}

CUresult Do(const Operation& operation) {
  switch (operation.type) {
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return Run(operation.copy);
    case CU_GRAPH_NODE_TYPE_MEMSET:
      return Run(operation.fill);
    case CU_GRAPH_NODE_TYPE_HOST:
      operation.function(operation.argument);
      return CUDA_SUCCESS;
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
      return RecordNow(operation.event);
    default:  // what is waited for has happened, and nothing is nothing
      return CUDA_SUCCESS;
  }
}

}  // namespace vgpu::cuda

// Graphs: work that is written down once and done when it is launched.
//
// A node is what a host can do: a copy, a fill, a function of the program's, an event, another
// graph, or nothing. A node that runs a kernel is refused when it is added (launch.h), so a graph
// that exists can be done whole.
//
// Functions want the state's lock (state.h), except where they say otherwise.

#ifndef SHIMS_CUDA_GRAPH_H_
#define SHIMS_CUDA_GRAPH_H_

#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_work_types.h"
#include "shims/cuda/list.h"
#include "shims/cuda/user_object.h"
#include "shims/cuda/work.h"

namespace vgpu::cuda {

struct Graph;

// What a node does, as plain values; which of them, its type says.
struct Operation {
  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
  Copy copy;
  Fill fill;
  CUcontext context = nullptr;  // of a copy or a fill, as the program gave it
  CUhostFn function = nullptr;
  void* argument = nullptr;
  CUevent event = nullptr;
};

struct Node {
  CUgraphNode handle = nullptr;
  Graph* graph = nullptr;  // that it is in
  unsigned id = 0;         // among the nodes of the graph; never used again
  Operation operation;
  Graph* child = nullptr;  // of a node of type GRAPH: its own copy
  bool enabled = true;
  // In a clone: the node of the original.
  CUgraphNode original = nullptr;
  List<Node*> after;     // what it depends on
  bool ordered = false;  // used by Flatten
};

struct Graph {
  CUgraph handle = nullptr;
  unsigned id = 0;
  unsigned next_node = 0;
  CUgraph original = nullptr;  // of a clone
  bool owned = false;  // by a node or by an instantiated graph: not the program's to destroy
  List<HeldObject> objects;
  List<Node*> nodes;  // as they were added
};

// A graph that was made ready: its own copy of what was written down.
struct GraphExec {
  CUgraphExec handle = nullptr;
  cuuint64_t flags = 0;
  Graph* graph = nullptr;
};

// Null: no memory.
Graph* MakeGraph();
Graph* CloneGraph(const Graph* graph);
// And what is in it.
void DestroyGraph(Graph* graph);

// Null: no such thing, or no longer.
Graph* FindGraph(CUgraph handle);
Node* FindNode(CUgraphNode handle);
GraphExec* FindExec(CUgraphExec handle);

// `after` are nodes of `graph`, `child` becomes the node's. Null: no memory.
Node* AddNode(Graph* graph, const Operation& operation, const List<Node*>& after,
              Graph* child = nullptr);
// Takes the node and its edges away.
void DestroyNode(Node* node);

// Makes a graph ready. INVALID_VALUE: there is a cycle in it.
CUresult Instantiate(const Graph* graph, cuuint64_t flags, GraphExec** exec);
void DestroyExec(GraphExec* exec);

// All that there is to do, in an order in which it can be done. INVALID_VALUE: there is a cycle.
CUresult Flatten(const Graph* graph, List<Operation>* operations);

// Does what it says, in the calling thread, which does not hold the lock.
CUresult Do(const Operation& operation);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_GRAPH_H_

// Graphs. The driver has them; what differs is how the runtime describes a copy, and that its
// kernels are functions of the program. A node that would run a kernel is refused when it is added
// or changed, as a launch is: a graph can hold none.

#include <string.h>

#include "shims/abi/cuda_work_types.h"
#include "shims/cudart/api.h"
#include "shims/cudart/copy.h"
#include "shims/cudart/kernel.h"
#include "shims/cudart/registration.h"
#include "shims/cudart/runtime.h"

namespace vgpu::cudart {
namespace {

CUcontext CurrentContext(const Driver& driver) {
  CUcontext context = nullptr;
  driver.cuCtxGetCurrent(&context);
  return context;
}

// Adds or changes a node that copies: `use` hands the driver's form of it on.
template <typename Use>
cudaError_t WithCopy(const cudaMemcpy3DParms* parameters, Use use) {
  return WithContext([&](const Driver& driver) {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    if (cudaError_t error = ToDriverCopy(driver, *parameters, &copy); error != cudaSuccess) {
      return error;
    }
    return FromDriver(use(driver, copy));
  });
}

template <typename Use>
cudaError_t WithLine(void* destination, const void* source, size_t size, cudaMemcpyKind kind,
                     Use use) {
  return WithContext([&](const Driver& driver) {
    if (cudaError_t error = CheckKind(kind); error != cudaSuccess) return error;
    return FromDriver(use(driver, LinearCopy(destination, source, size, kind)));
  });
}

template <typename Use>
cudaError_t WithLineToSymbol(const void* symbol, const void* source, size_t size, size_t offset,
                             cudaMemcpyKind kind, Use use) {
  return WithContext([&](const Driver& driver) {
    if (cudaError_t error = CheckKind(kind); error != cudaSuccess) return error;
    void* address = nullptr;
    if (cudaError_t error = SymbolRange(driver, symbol, size, offset, false, &address);
        error != cudaSuccess) {
      return error;
    }
    return FromDriver(use(driver, LinearCopy(address, source, size, kind)));
  });
}

template <typename Use>
cudaError_t WithLineFromSymbol(void* destination, const void* symbol, size_t size, size_t offset,
                               cudaMemcpyKind kind, Use use) {
  return WithContext([&](const Driver& driver) {
    if (cudaError_t error = CheckKind(kind); error != cudaSuccess) return error;
    void* address = nullptr;
    if (cudaError_t error = SymbolRange(driver, symbol, size, offset, true, &address);
        error != cudaSuccess) {
      return error;
    }
    return FromDriver(use(driver, LinearCopy(destination, address, size, kind)));
  });
}

// Kinds of nodes that are not passed on as they are. CUDA 13 has an execution context in both where
// the driver wants a context: no other than the device's own can be made.
enum NodeType : int { kKernelNode = 0, kCopyNode = 1, kSetNode = 2 };

// Where the union of all kinds begins.
constexpr size_t kUnion = offsetof(cudaGraphNodeParams, reserved1);

template <typename Node>
Node GetNode(const cudaGraphNodeParams& parameters) {
  static_assert(sizeof(Node) <= sizeof(parameters.reserved1));
  Node node;
  memcpy(&node, reinterpret_cast<const char*>(&parameters) + kUnion, sizeof(node));
  return node;
}

template <typename Node>
void SetNode(const Node& node, cudaGraphNodeParams* parameters) {
  static_assert(sizeof(Node) <= sizeof(parameters->reserved1));
  memcpy(reinterpret_cast<char*>(parameters) + kUnion, &node, sizeof(node));
}

// A node of any kind: `use` gets the driver's form, and may write into what it is given.
template <typename Use>
cudaError_t WithNode(const char* function, cudaGraphNodeParams* parameters, Use use) {
  return WithContext([&](const Driver& driver) {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    cudaGraphNodeParams converted = *parameters;
    switch (parameters->type) {
      case kKernelNode:
        return RefuseKernel(driver, function, GetNode<const void*>(*parameters));
      case kCopyNode: {
        auto node = GetNode<cudaMemcpyNodeParams>(*parameters);
        CUDA_MEMCPY_NODE_PARAMS out = {node.flags, 0, CurrentContext(driver), {}};
        if (cudaError_t error = ToDriverCopy(driver, node.copyParams, &out.copyParams);
            error != cudaSuccess) {
          return error;
        }
        SetNode(out, &converted);
        return FromDriver(use(driver, &converted));
      }
      case kSetNode: {
        auto node = GetNode<CUDA_MEMSET_NODE_PARAMS>(*parameters);
        node.ctx = CurrentContext(driver);
        SetNode(node, &converted);
        return FromDriver(use(driver, &converted));
      }
      default:
        return FromDriver(use(driver, parameters));
    }
  });
}

}  // namespace

// What is the driver's, with the same arguments.

#define VGPU_FORWARD_1(name, function, A) \
  cudaError_t name(A a) { return Forward(&Driver::function, a); }
#define VGPU_FORWARD_2(name, function, A, B) \
  cudaError_t name(A a, B b) { return Forward(&Driver::function, a, b); }
#define VGPU_FORWARD_3(name, function, A, B, C) \
  cudaError_t name(A a, B b, C c) { return Forward(&Driver::function, a, b, c); }
#define VGPU_FORWARD_4(name, function, A, B, C, D) \
  cudaError_t name(A a, B b, C c, D d) { return Forward(&Driver::function, a, b, c, d); }
#define VGPU_FORWARD_5(name, function, A, B, C, D, E) \
  cudaError_t name(A a, B b, C c, D d, E e) { return Forward(&Driver::function, a, b, c, d, e); }
#define VGPU_FORWARD_COUNT(a, b, c, d, e, count, ...) count
#define VGPU_FORWARD_JOIN(count) VGPU_FORWARD_##count
#define VGPU_FORWARD_PICK(count) VGPU_FORWARD_JOIN(count)
#define VGPU_FORWARD(name, function, ...) \
  VGPU_FORWARD_PICK(VGPU_FORWARD_COUNT(__VA_ARGS__, 5, 4, 3, 2, 1))(name, function, __VA_ARGS__)

VGPU_FORWARD(cudaGraphAddChildGraphNode, cuGraphAddChildGraphNode, cudaGraphNode_t*, cudaGraph_t,
             const cudaGraphNode_t*, size_t, cudaGraph_t)
VGPU_FORWARD(cudaGraphAddEmptyNode, cuGraphAddEmptyNode, cudaGraphNode_t*, cudaGraph_t,
             const cudaGraphNode_t*, size_t)
VGPU_FORWARD(cudaGraphAddEventRecordNode, cuGraphAddEventRecordNode, cudaGraphNode_t*, cudaGraph_t,
             const cudaGraphNode_t*, size_t, cudaEvent_t)
VGPU_FORWARD(cudaGraphAddEventWaitNode, cuGraphAddEventWaitNode, cudaGraphNode_t*, cudaGraph_t,
             const cudaGraphNode_t*, size_t, cudaEvent_t)
VGPU_FORWARD(cudaGraphAddHostNode, cuGraphAddHostNode, cudaGraphNode_t*, cudaGraph_t,
             const cudaGraphNode_t*, size_t, const cudaHostNodeParams*)
VGPU_FORWARD(cudaGraphAddMemAllocNode, cuGraphAddMemAllocNode, cudaGraphNode_t*, cudaGraph_t,
             const cudaGraphNode_t*, size_t, cudaMemAllocNodeParams*)
VGPU_FORWARD(cudaGraphAddMemFreeNode, cuGraphAddMemFreeNode, cudaGraphNode_t*, cudaGraph_t,
             const cudaGraphNode_t*, size_t, void*)
VGPU_FORWARD(cudaGraphChildGraphNodeGetGraph, cuGraphChildGraphNodeGetGraph, cudaGraphNode_t,
             cudaGraph_t*)
VGPU_FORWARD(cudaGraphClone, cuGraphClone, cudaGraph_t*, cudaGraph_t)
VGPU_FORWARD(cudaGraphCreate, cuGraphCreate, cudaGraph_t*, unsigned)
VGPU_FORWARD(cudaGraphDebugDotPrint, cuGraphDebugDotPrint, cudaGraph_t, const char*, unsigned)
VGPU_FORWARD(cudaGraphDestroy, cuGraphDestroy, cudaGraph_t)
VGPU_FORWARD(cudaGraphDestroyNode, cuGraphDestroyNode, cudaGraphNode_t)
VGPU_FORWARD(cudaGraphEventRecordNodeGetEvent, cuGraphEventRecordNodeGetEvent, cudaGraphNode_t,
             cudaEvent_t*)
VGPU_FORWARD(cudaGraphEventRecordNodeSetEvent, cuGraphEventRecordNodeSetEvent, cudaGraphNode_t,
             cudaEvent_t)
VGPU_FORWARD(cudaGraphEventWaitNodeGetEvent, cuGraphEventWaitNodeGetEvent, cudaGraphNode_t,
             cudaEvent_t*)
VGPU_FORWARD(cudaGraphEventWaitNodeSetEvent, cuGraphEventWaitNodeSetEvent, cudaGraphNode_t,
             cudaEvent_t)
VGPU_FORWARD(cudaGraphExecChildGraphNodeSetParams, cuGraphExecChildGraphNodeSetParams,
             cudaGraphExec_t, cudaGraphNode_t, cudaGraph_t)
VGPU_FORWARD(cudaGraphExecDestroy, cuGraphExecDestroy, cudaGraphExec_t)
VGPU_FORWARD(cudaGraphExecEventRecordNodeSetEvent, cuGraphExecEventRecordNodeSetEvent,
             cudaGraphExec_t, cudaGraphNode_t, cudaEvent_t)
VGPU_FORWARD(cudaGraphExecEventWaitNodeSetEvent, cuGraphExecEventWaitNodeSetEvent, cudaGraphExec_t,
             cudaGraphNode_t, cudaEvent_t)
VGPU_FORWARD(cudaGraphExecGetFlags, cuGraphExecGetFlags, cudaGraphExec_t, uint64_t*)
VGPU_FORWARD(cudaGraphExecHostNodeSetParams, cuGraphExecHostNodeSetParams, cudaGraphExec_t,
             cudaGraphNode_t, const cudaHostNodeParams*)
VGPU_FORWARD(cudaGraphExecUpdate, cuGraphExecUpdate_v2, cudaGraphExec_t, cudaGraph_t,
             cudaGraphExecUpdateResultInfo*)
VGPU_FORWARD(cudaGraphGetNodes, cuGraphGetNodes, cudaGraph_t, cudaGraphNode_t*, size_t*)
VGPU_FORWARD(cudaGraphGetRootNodes, cuGraphGetRootNodes, cudaGraph_t, cudaGraphNode_t*, size_t*)
VGPU_FORWARD(cudaGraphHostNodeGetParams, cuGraphHostNodeGetParams, cudaGraphNode_t,
             cudaHostNodeParams*)
VGPU_FORWARD(cudaGraphHostNodeSetParams, cuGraphHostNodeSetParams, cudaGraphNode_t,
             const cudaHostNodeParams*)
VGPU_FORWARD(cudaGraphInstantiate, cuGraphInstantiateWithFlags, cudaGraphExec_t*, cudaGraph_t,
             uint64_t)
VGPU_FORWARD(cudaGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, cudaGraphExec_t*,
             cudaGraph_t, uint64_t)
VGPU_FORWARD(cudaGraphInstantiateWithParams, cuGraphInstantiateWithParams, cudaGraphExec_t*,
             cudaGraph_t, cudaGraphInstantiateParams*)
VGPU_FORWARD(cudaGraphKernelNodeGetAttribute, cuGraphKernelNodeGetAttribute, cudaGraphNode_t,
             cudaLaunchAttributeID, cudaLaunchAttributeValue*)
VGPU_FORWARD(cudaGraphKernelNodeSetAttribute, cuGraphKernelNodeSetAttribute, cudaGraphNode_t,
             cudaLaunchAttributeID, const cudaLaunchAttributeValue*)
VGPU_FORWARD(cudaGraphLaunch, cuGraphLaunch, cudaGraphExec_t, cudaStream_t)
VGPU_FORWARD(cudaGraphMemAllocNodeGetParams, cuGraphMemAllocNodeGetParams, cudaGraphNode_t,
             cudaMemAllocNodeParams*)
VGPU_FORWARD(cudaGraphMemsetNodeGetParams, cuGraphMemsetNodeGetParams, cudaGraphNode_t,
             cudaMemsetParams*)
VGPU_FORWARD(cudaGraphMemsetNodeSetParams, cuGraphMemsetNodeSetParams, cudaGraphNode_t,
             const cudaMemsetParams*)
VGPU_FORWARD(cudaGraphNodeFindInClone, cuGraphNodeFindInClone, cudaGraphNode_t*, cudaGraphNode_t,
             cudaGraph_t)
VGPU_FORWARD(cudaGraphNodeGetEnabled, cuGraphNodeGetEnabled, cudaGraphExec_t, cudaGraphNode_t,
             unsigned*)
VGPU_FORWARD(cudaGraphNodeGetType, cuGraphNodeGetType, cudaGraphNode_t, cudaGraphNodeType*)
VGPU_FORWARD(cudaGraphNodeSetEnabled, cuGraphNodeSetEnabled, cudaGraphExec_t, cudaGraphNode_t,
             unsigned)
VGPU_FORWARD(cudaGraphReleaseUserObject, cuGraphReleaseUserObject, cudaGraph_t, cudaUserObject_t,
             unsigned)
VGPU_FORWARD(cudaGraphRetainUserObject, cuGraphRetainUserObject, cudaGraph_t, cudaUserObject_t,
             unsigned, unsigned)
VGPU_FORWARD(cudaGraphUpload, cuGraphUpload, cudaGraphExec_t, cudaStream_t)

#if VGPU_CUDART_MAJOR == 12
VGPU_FORWARD(cudaGraphAddDependencies, cuGraphAddDependencies, cudaGraph_t, const cudaGraphNode_t*,
             const cudaGraphNode_t*, size_t)
VGPU_FORWARD(cudaGraphAddDependencies_v2, cuGraphAddDependencies_v2, cudaGraph_t,
             const cudaGraphNode_t*, const cudaGraphNode_t*, const cudaGraphEdgeData*, size_t)
VGPU_FORWARD(cudaGraphGetEdges, cuGraphGetEdges, cudaGraph_t, cudaGraphNode_t*, cudaGraphNode_t*,
             size_t*)
VGPU_FORWARD(cudaGraphGetEdges_v2, cuGraphGetEdges_v2, cudaGraph_t, cudaGraphNode_t*,
             cudaGraphNode_t*, cudaGraphEdgeData*, size_t*)
VGPU_FORWARD(cudaGraphNodeGetDependencies, cuGraphNodeGetDependencies, cudaGraphNode_t,
             cudaGraphNode_t*, size_t*)
VGPU_FORWARD(cudaGraphNodeGetDependencies_v2, cuGraphNodeGetDependencies_v2, cudaGraphNode_t,
             cudaGraphNode_t*, cudaGraphEdgeData*, size_t*)
VGPU_FORWARD(cudaGraphNodeGetDependentNodes, cuGraphNodeGetDependentNodes, cudaGraphNode_t,
             cudaGraphNode_t*, size_t*)
VGPU_FORWARD(cudaGraphNodeGetDependentNodes_v2, cuGraphNodeGetDependentNodes_v2, cudaGraphNode_t,
             cudaGraphNode_t*, cudaGraphEdgeData*, size_t*)
VGPU_FORWARD(cudaGraphRemoveDependencies, cuGraphRemoveDependencies, cudaGraph_t,
             const cudaGraphNode_t*, const cudaGraphNode_t*, size_t)
VGPU_FORWARD(cudaGraphRemoveDependencies_v2, cuGraphRemoveDependencies_v2, cudaGraph_t,
             const cudaGraphNode_t*, const cudaGraphNode_t*, const cudaGraphEdgeData*, size_t)
#else
VGPU_FORWARD(cudaGraphAddDependencies, cuGraphAddDependencies_v2, cudaGraph_t,
             const cudaGraphNode_t*, const cudaGraphNode_t*, const cudaGraphEdgeData*, size_t)
VGPU_FORWARD(cudaGraphExecGetId, cuGraphExecGetId, cudaGraphExec_t, unsigned*)
VGPU_FORWARD(cudaGraphGetEdges, cuGraphGetEdges_v2, cudaGraph_t, cudaGraphNode_t*, cudaGraphNode_t*,
             cudaGraphEdgeData*, size_t*)
VGPU_FORWARD(cudaGraphGetId, cuGraphGetId, cudaGraph_t, unsigned*)
VGPU_FORWARD(cudaGraphNodeGetContainingGraph, cuGraphNodeGetContainingGraph, cudaGraphNode_t,
             cudaGraph_t*)
VGPU_FORWARD(cudaGraphNodeGetDependencies, cuGraphNodeGetDependencies_v2, cudaGraphNode_t,
             cudaGraphNode_t*, cudaGraphEdgeData*, size_t*)
VGPU_FORWARD(cudaGraphNodeGetDependentNodes, cuGraphNodeGetDependentNodes_v2, cudaGraphNode_t,
             cudaGraphNode_t*, cudaGraphEdgeData*, size_t*)
VGPU_FORWARD(cudaGraphNodeGetLocalId, cuGraphNodeGetLocalId, cudaGraphNode_t, unsigned*)
VGPU_FORWARD(cudaGraphNodeGetToolsId, cuGraphNodeGetToolsId, cudaGraphNode_t, uint64_t*)
VGPU_FORWARD(cudaGraphRemoveDependencies, cuGraphRemoveDependencies_v2, cudaGraph_t,
             const cudaGraphNode_t*, const cudaGraphNode_t*, const cudaGraphEdgeData*, size_t)
#endif

#undef VGPU_FORWARD
#undef VGPU_FORWARD_PICK
#undef VGPU_FORWARD_JOIN
#undef VGPU_FORWARD_COUNT
#undef VGPU_FORWARD_5
#undef VGPU_FORWARD_4
#undef VGPU_FORWARD_3
#undef VGPU_FORWARD_2
#undef VGPU_FORWARD_1

cudaError_t cudaGraphMemFreeNodeGetParams(cudaGraphNode_t node, void* address) {
  return Forward(&Driver::cuGraphMemFreeNodeGetParams, node, static_cast<void**>(address));
}

// CUDA 13 has turned its arguments round.
#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaGraphKernelNodeCopyAttributes(cudaGraphNode_t source, cudaGraphNode_t destination) {
#else
cudaError_t cudaGraphKernelNodeCopyAttributes(cudaGraphNode_t destination, cudaGraphNode_t source) {
#endif
  return Forward(&Driver::cuGraphKernelNodeCopyAttributes, destination, source);
}

// Kernels.

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t*, cudaGraph_t, const cudaGraphNode_t*, size_t,
                                   const cudaKernelNodeParams* parameters) {
  return WithContext([&](const Driver& driver) {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    return RefuseKernel(driver, "cudaGraphAddKernelNode", parameters->func);
  });
}

// No node is one of a kernel.
cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t, cudaKernelNodeParams*) {
  return WithContext([](const Driver&) { return cudaErrorInvalidValue; });
}

cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t, const cudaKernelNodeParams*) {
  return WithContext([](const Driver&) { return cudaErrorInvalidValue; });
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t, cudaGraphNode_t,
                                             const cudaKernelNodeParams*) {
  return WithContext([](const Driver&) { return cudaErrorInvalidValue; });
}

// Copies.

cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, size_t count,
                                   const cudaMemcpy3DParms* parameters) {
  return WithCopy(parameters, [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
    return driver.cuGraphAddMemcpyNode(node, graph, dependencies, count, &copy,
                                       CurrentContext(driver));
  });
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph,
                                     const cudaGraphNode_t* dependencies, size_t count,
                                     void* destination, const void* source, size_t size,
                                     cudaMemcpyKind kind) {
  return WithLine(destination, source, size, kind,
                  [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
                    return driver.cuGraphAddMemcpyNode(node, graph, dependencies, count, &copy,
                                                       CurrentContext(driver));
                  });
}

cudaError_t cudaGraphAddMemcpyNodeToSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                           const cudaGraphNode_t* dependencies, size_t count,
                                           const void* symbol, const void* source, size_t size,
                                           size_t offset, cudaMemcpyKind kind) {
  return WithLineToSymbol(symbol, source, size, offset, kind,
                          [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
                            return driver.cuGraphAddMemcpyNode(node, graph, dependencies, count,
                                                               &copy, CurrentContext(driver));
                          });
}

cudaError_t cudaGraphAddMemcpyNodeFromSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                             const cudaGraphNode_t* dependencies, size_t count,
                                             void* destination, const void* symbol, size_t size,
                                             size_t offset, cudaMemcpyKind kind) {
  return WithLineFromSymbol(destination, symbol, size, offset, kind,
                            [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
                              return driver.cuGraphAddMemcpyNode(node, graph, dependencies, count,
                                                                 &copy, CurrentContext(driver));
                            });
}

cudaError_t cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* parameters) {
  return WithContext([&](const Driver& driver) {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy = {};
    if (CUresult result = driver.cuGraphMemcpyNodeGetParams(node, &copy)) return FromDriver(result);
    return FromDriverCopy(driver, copy, parameters);
  });
}

cudaError_t cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node,
                                         const cudaMemcpy3DParms* parameters) {
  return WithCopy(parameters, [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
    return driver.cuGraphMemcpyNodeSetParams(node, &copy);
  });
}

cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* destination,
                                           const void* source, size_t size, cudaMemcpyKind kind) {
  return WithLine(destination, source, size, kind,
                  [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
                    return driver.cuGraphMemcpyNodeSetParams(node, &copy);
                  });
}

cudaError_t cudaGraphMemcpyNodeSetParamsToSymbol(cudaGraphNode_t node, const void* symbol,
                                                 const void* source, size_t size, size_t offset,
                                                 cudaMemcpyKind kind) {
  return WithLineToSymbol(symbol, source, size, offset, kind,
                          [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
                            return driver.cuGraphMemcpyNodeSetParams(node, &copy);
                          });
}

cudaError_t cudaGraphMemcpyNodeSetParamsFromSymbol(cudaGraphNode_t node, void* destination,
                                                   const void* symbol, size_t size, size_t offset,
                                                   cudaMemcpyKind kind) {
  return WithLineFromSymbol(destination, symbol, size, offset, kind,
                            [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
                              return driver.cuGraphMemcpyNodeSetParams(node, &copy);
                            });
}

cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t graph, cudaGraphNode_t node,
                                             const cudaMemcpy3DParms* parameters) {
  return WithCopy(parameters, [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
    return driver.cuGraphExecMemcpyNodeSetParams(graph, node, &copy, CurrentContext(driver));
  });
}

cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t graph, cudaGraphNode_t node,
                                               void* destination, const void* source, size_t size,
                                               cudaMemcpyKind kind) {
  return WithLine(
      destination, source, size, kind, [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
        return driver.cuGraphExecMemcpyNodeSetParams(graph, node, &copy, CurrentContext(driver));
      });
}

cudaError_t cudaGraphExecMemcpyNodeSetParamsToSymbol(cudaGraphExec_t graph, cudaGraphNode_t node,
                                                     const void* symbol, const void* source,
                                                     size_t size, size_t offset,
                                                     cudaMemcpyKind kind) {
  return WithLineToSymbol(
      symbol, source, size, offset, kind, [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
        return driver.cuGraphExecMemcpyNodeSetParams(graph, node, &copy, CurrentContext(driver));
      });
}

cudaError_t cudaGraphExecMemcpyNodeSetParamsFromSymbol(cudaGraphExec_t graph, cudaGraphNode_t node,
                                                       void* destination, const void* symbol,
                                                       size_t size, size_t offset,
                                                       cudaMemcpyKind kind) {
  return WithLineFromSymbol(destination, symbol, size, offset, kind,
                            [&](const Driver& driver, const CUDA_MEMCPY3D& copy) {
                              return driver.cuGraphExecMemcpyNodeSetParams(graph, node, &copy,
                                                                           CurrentContext(driver));
                            });
}

// Sets: the driver wants to know the context.

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, size_t count,
                                   const cudaMemsetParams* parameters) {
  return WithContext([&](const Driver& driver) {
    return FromDriver(driver.cuGraphAddMemsetNode(node, graph, dependencies, count, parameters,
                                                  CurrentContext(driver)));
  });
}

cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t graph, cudaGraphNode_t node,
                                             const cudaMemsetParams* parameters) {
  return WithContext([&](const Driver& driver) {
    return FromDriver(
        driver.cuGraphExecMemsetNodeSetParams(graph, node, parameters, CurrentContext(driver)));
  });
}

// Nodes of any kind.

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaGraphAddNode(cudaGraphNode_t* node, cudaGraph_t graph,
                             const cudaGraphNode_t* dependencies, size_t count,
                             cudaGraphNodeParams* parameters) {
  return cudaGraphAddNode_v2(node, graph, dependencies, nullptr, count, parameters);
}

cudaError_t cudaGraphAddNode_v2(cudaGraphNode_t* node, cudaGraph_t graph,
                                const cudaGraphNode_t* dependencies, const cudaGraphEdgeData* edges,
                                size_t count, cudaGraphNodeParams* parameters) {
#else
cudaError_t cudaGraphAddNode(cudaGraphNode_t* node, cudaGraph_t graph,
                             const cudaGraphNode_t* dependencies, const cudaGraphEdgeData* edges,
                             size_t count, cudaGraphNodeParams* parameters) {
#endif
  return WithNode(
      "cudaGraphAddNode", parameters, [&](const Driver& driver, cudaGraphNodeParams* converted) {
        return driver.cuGraphAddNode_v2(node, graph, dependencies, edges, count, converted);
      });
}

cudaError_t cudaGraphNodeSetParams(cudaGraphNode_t node, cudaGraphNodeParams* parameters) {
  return WithNode("cudaGraphNodeSetParams", parameters,
                  [&](const Driver& driver, cudaGraphNodeParams* converted) {
                    return driver.cuGraphNodeSetParams(node, converted);
                  });
}

cudaError_t cudaGraphExecNodeSetParams(cudaGraphExec_t graph, cudaGraphNode_t node,
                                       cudaGraphNodeParams* parameters) {
  return WithNode("cudaGraphExecNodeSetParams", parameters,
                  [&](const Driver& driver, cudaGraphNodeParams* converted) {
                    return driver.cuGraphExecNodeSetParams(graph, node, converted);
                  });
}

#if VGPU_CUDART_MAJOR == 13
cudaError_t cudaGraphNodeGetParams(cudaGraphNode_t node, cudaGraphNodeParams* parameters) {
  return WithContext([&](const Driver& driver) {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    cudaGraphNodeParams found = {};
    if (CUresult result = driver.cuGraphNodeGetParams(node, &found)) return FromDriver(result);
    *parameters = found;
    if (found.type == kCopyNode) {
      auto from = GetNode<CUDA_MEMCPY_NODE_PARAMS>(found);
      cudaMemcpyNodeParams to = {from.flags, {}, {}};
      if (cudaError_t error = FromDriverCopy(driver, from.copyParams, &to.copyParams);
          error != cudaSuccess) {
        return error;
      }
      *parameters = {};
      parameters->type = found.type;
      SetNode(to, parameters);
    } else if (found.type == kSetNode) {
      auto set = GetNode<CUDA_MEMSET_NODE_PARAMS>(found);
      set.ctx = nullptr;
      SetNode(set, parameters);
    }
    return cudaSuccess;
  });
}
#endif

}  // namespace vgpu::cudart

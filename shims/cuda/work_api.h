// The functions of the driver API that are about work, as our own code calls them: the second half
// of driver_api.h, and as that. What each one does is NVIDIA's to say (CUDA Driver API
// Reference 12.8 and 13); where ours differs, the file that defines it says so.
//
// Thread-safe, all of them; none throws; errno is kept.

#ifndef SHIMS_CUDA_WORK_API_H_
#define SHIMS_CUDA_WORK_API_H_

#include <cstddef>

#include "shims/abi/cuda_work_types.h"

extern "C" {

// --- errors.cc
CUresult cuGetErrorName(CUresult number, const char** name);
CUresult cuGetErrorString(CUresult number, const char** text);

// --- proc_address.cc
CUresult cuGetProcAddress(const char* symbol, void** address, int cuda_version, cuuint64_t flags);
CUresult cuGetProcAddress_v2(const char* symbol, void** address, int cuda_version, cuuint64_t flags,
                             CUdriverProcAddressQueryResult* status);
CUresult cuGetExportTable(const void** table, const CUuuid* id);

// --- stream.cc
CUresult cuStreamCreate(CUstream* stream, unsigned flags);
CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority);
CUresult cuStreamDestroy(CUstream stream);
CUresult cuStreamDestroy_v2(CUstream stream);
CUresult cuStreamQuery(CUstream stream);
CUresult cuStreamQuery_ptsz(CUstream stream);
CUresult cuStreamSynchronize(CUstream stream);
CUresult cuStreamSynchronize_ptsz(CUstream stream);
CUresult cuStreamGetFlags(CUstream stream, unsigned*);
CUresult cuStreamGetFlags_ptsz(CUstream stream, unsigned*);
CUresult cuStreamGetPriority(CUstream stream, int*);
CUresult cuStreamGetPriority_ptsz(CUstream stream, int*);
CUresult cuStreamGetId(CUstream stream, unsigned long long*);
CUresult cuStreamGetId_ptsz(CUstream stream, unsigned long long*);
CUresult cuStreamGetCtx(CUstream stream, CUcontext*);
CUresult cuStreamGetCtx_ptsz(CUstream stream, CUcontext*);
CUresult cuStreamGetCtx_v2(CUstream stream, CUcontext*, CUgreenCtx*);
CUresult cuStreamGetCtx_v2_ptsz(CUstream stream, CUcontext*, CUgreenCtx*);
CUresult cuStreamGetDevice(CUstream stream, CUdevice*);
CUresult cuStreamGetDevice_ptsz(CUstream stream, CUdevice*);
CUresult cuStreamGetAttribute(CUstream stream, CUlaunchAttributeID, CUlaunchAttributeValue*);
CUresult cuStreamGetAttribute_ptsz(CUstream stream, CUlaunchAttributeID, CUlaunchAttributeValue*);
CUresult cuStreamSetAttribute(CUstream stream, CUlaunchAttributeID, const CUlaunchAttributeValue*);
CUresult cuStreamSetAttribute_ptsz(CUstream stream, CUlaunchAttributeID,
                                   const CUlaunchAttributeValue*);
CUresult cuStreamCopyAttributes(CUstream stream, CUstream);
CUresult cuStreamCopyAttributes_ptsz(CUstream stream, CUstream);
CUresult cuStreamAttachMemAsync(CUstream stream, CUdeviceptr, size_t, unsigned);
CUresult cuStreamAttachMemAsync_ptsz(CUstream stream, CUdeviceptr, size_t, unsigned);
CUresult cuStreamAddCallback(CUstream stream, CUstreamCallback, void*, unsigned);
CUresult cuStreamAddCallback_ptsz(CUstream stream, CUstreamCallback, void*, unsigned);
CUresult cuLaunchHostFunc(CUstream stream, CUhostFn, void*);
CUresult cuLaunchHostFunc_ptsz(CUstream stream, CUhostFn, void*);
CUresult cuLaunchHostFunc_v2(CUstream stream, CUhostFn, void*, unsigned);
CUresult cuLaunchHostFunc_v2_ptsz(CUstream stream, CUhostFn, void*, unsigned);

// --- event.cc
CUresult cuEventCreate(CUevent* handle, unsigned flags);
CUresult cuEventDestroy(CUevent event);
CUresult cuEventDestroy_v2(CUevent event);
CUresult cuEventRecord(CUevent event, CUstream stream);
CUresult cuEventRecord_ptsz(CUevent event, CUstream stream);
CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags);
CUresult cuEventRecordWithFlags_ptsz(CUevent event, CUstream stream, unsigned flags);
CUresult cuEventQuery(CUevent event);
CUresult cuEventSynchronize(CUevent event);
CUresult cuEventElapsedTime(float* milliseconds, CUevent from, CUevent to);
CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent from, CUevent to);
CUresult cuCtxRecordEvent(CUcontext context, CUevent event);
CUresult cuCtxWaitEvent(CUcontext context, CUevent event);
CUresult cuStreamWaitEvent(CUstream stream, CUevent, unsigned);
CUresult cuStreamWaitEvent_ptsz(CUstream stream, CUevent, unsigned);

// --- capture.cc
CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode);
CUresult cuStreamBeginCapture(CUstream stream);
CUresult cuStreamBeginCapture_ptsz(CUstream stream);
CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode);
CUresult cuStreamBeginCapture_v2_ptsz(CUstream stream, CUstreamCaptureMode);
CUresult cuStreamBeginCaptureToGraph(CUstream stream, CUgraph, const CUgraphNode*,
                                     const CUgraphEdgeData*, size_t, CUstreamCaptureMode);
CUresult cuStreamBeginCaptureToGraph_ptsz(CUstream stream, CUgraph, const CUgraphNode*,
                                          const CUgraphEdgeData*, size_t, CUstreamCaptureMode);
CUresult cuStreamEndCapture(CUstream stream, CUgraph*);
CUresult cuStreamEndCapture_ptsz(CUstream stream, CUgraph*);
CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus*);
CUresult cuStreamIsCapturing_ptsz(CUstream stream, CUstreamCaptureStatus*);
CUresult cuStreamGetCaptureInfo(CUstream stream, CUstreamCaptureStatus*, cuuint64_t*);
CUresult cuStreamGetCaptureInfo_ptsz(CUstream stream, CUstreamCaptureStatus*, cuuint64_t*);
CUresult cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus*, cuuint64_t*, CUgraph*,
                                   const CUgraphNode**, size_t*);
CUresult cuStreamGetCaptureInfo_v2_ptsz(CUstream stream, CUstreamCaptureStatus*, cuuint64_t*,
                                        CUgraph*, const CUgraphNode**, size_t*);
CUresult cuStreamGetCaptureInfo_v3(CUstream stream, CUstreamCaptureStatus*, cuuint64_t*, CUgraph*,
                                   const CUgraphNode**, const CUgraphEdgeData**, size_t*);
CUresult cuStreamGetCaptureInfo_v3_ptsz(CUstream stream, CUstreamCaptureStatus*, cuuint64_t*,
                                        CUgraph*, const CUgraphNode**, const CUgraphEdgeData**,
                                        size_t*);
CUresult cuStreamUpdateCaptureDependencies(CUstream stream, CUgraphNode*, size_t, unsigned);
CUresult cuStreamUpdateCaptureDependencies_ptsz(CUstream stream, CUgraphNode*, size_t, unsigned);
CUresult cuStreamUpdateCaptureDependencies_v2(CUstream stream, CUgraphNode*, const CUgraphEdgeData*,
                                              size_t, unsigned);
CUresult cuStreamUpdateCaptureDependencies_v2_ptsz(CUstream stream, CUgraphNode*,
                                                   const CUgraphEdgeData*, size_t, unsigned);

// --- graph_api.cc
CUresult cuGraphCreate(CUgraph* handle, unsigned flags);
CUresult cuGraphDestroy(CUgraph handle);
CUresult cuGraphClone(CUgraph* clone, CUgraph handle);
CUresult cuGraphNodeFindInClone(CUgraphNode* out, CUgraphNode original, CUgraph clone_handle);
CUresult cuGraphAddEmptyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                             size_t count);
CUresult cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                              size_t count, const CUDA_MEMCPY3D* p, CUcontext context);
CUresult cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                              size_t count, const CUDA_MEMSET_NODE_PARAMS_v1* p, CUcontext context);
CUresult cuGraphAddHostNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                            size_t count, const CUDA_HOST_NODE_PARAMS_v1* p);
CUresult cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                                  size_t count, CUgraph child);
CUresult cuGraphAddEventRecordNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                                   size_t count, CUevent event);
CUresult cuGraphAddEventWaitNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                                 size_t count, CUevent event);
CUresult cuGraphAddNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after, size_t count,
                        CUgraphNodeParams* p);
CUresult cuGraphAddNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                           const CUgraphEdgeData*, size_t count, CUgraphNodeParams* p);
CUresult cuGraphAddNode_v3(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                           const CUgraphEdgeData*, size_t count, CUgraphNodeParams* p);
CUresult cuGraphDestroyNode(CUgraphNode handle);
CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type);
CUresult cuGraphMemcpyNodeGetParams(CUgraphNode handle, CUDA_MEMCPY3D* p);
CUresult cuGraphMemcpyNodeSetParams(CUgraphNode node, const CUDA_MEMCPY3D* p);
CUresult cuGraphMemsetNodeGetParams(CUgraphNode handle, CUDA_MEMSET_NODE_PARAMS_v1* p);
CUresult cuGraphMemsetNodeSetParams(CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS_v1* p);
CUresult cuGraphHostNodeGetParams(CUgraphNode handle, CUDA_HOST_NODE_PARAMS_v1* p);
CUresult cuGraphHostNodeSetParams(CUgraphNode node, const CUDA_HOST_NODE_PARAMS_v1* p);
CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode handle, CUgraph* child);
CUresult cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent* event);
CUresult cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event);
CUresult cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent* event);
CUresult cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event);
CUresult cuGraphNodeSetParams(CUgraphNode handle, CUgraphNodeParams* p);
CUresult cuGraphNodeSetParams_v2(CUgraphNode node, CUgraphNodeParams* p);
CUresult cuGraphNodeGetParams(CUgraphNode handle, CUgraphNodeParams* p);
CUresult cuGraphNodeGetContainingGraph(CUgraphNode handle, CUgraph* graph);
CUresult cuGraphNodeGetLocalId(CUgraphNode handle, unsigned* id);
CUresult cuGraphGetId(CUgraph handle, unsigned* id);
CUresult cuGraphExecGetId(CUgraphExec handle, unsigned* id);
CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count);
CUresult cuGraphGetRootNodes(CUgraph handle, CUgraphNode* nodes, size_t* count);
CUresult cuGraphGetEdges(CUgraph graph, CUgraphNode* from, CUgraphNode* to, size_t* count);
CUresult cuGraphGetEdges_v2(CUgraph graph, CUgraphNode* from, CUgraphNode* to,
                            CUgraphEdgeData* data, size_t* count);
CUresult cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode* out, size_t* count);
CUresult cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode* out, CUgraphEdgeData* edges,
                                       size_t* count);
CUresult cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode* out, size_t* count);
CUresult cuGraphNodeGetDependentNodes_v2(CUgraphNode node, CUgraphNode* out, CUgraphEdgeData* edges,
                                         size_t* count);
CUresult cuGraphAddDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                size_t count);
CUresult cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   const CUgraphEdgeData*, size_t count);
CUresult cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   size_t count);
CUresult cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                      const CUgraphEdgeData*, size_t count);
CUresult cuGraphInstantiate(CUgraphExec* exec, CUgraph graph, CUgraphNode* bad, char* log,
                            size_t size);
CUresult cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* bad, char* log,
                               size_t size);
CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags);
CUresult cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph,
                                      CUDA_GRAPH_INSTANTIATE_PARAMS* p);
CUresult cuGraphInstantiateWithParams_ptsz(CUgraphExec* exec, CUgraph graph,
                                           CUDA_GRAPH_INSTANTIATE_PARAMS* p);
CUresult cuGraphExecDestroy(CUgraphExec handle);
CUresult cuGraphExecGetFlags(CUgraphExec handle, cuuint64_t* flags);
CUresult cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphNode* bad,
                           CUgraphExecUpdateResult* result);
CUresult cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo* info);
CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D* p,
                                        CUcontext context);
CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMSET_NODE_PARAMS_v1* p, CUcontext context);
CUresult cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                      const CUDA_HOST_NODE_PARAMS_v1* p);
CUresult cuGraphExecChildGraphNodeSetParams(CUgraphExec exec, CUgraphNode handle, CUgraph child);
CUresult cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event);
CUresult cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event);
CUresult cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode handle, CUgraphNodeParams* p);
CUresult cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode handle, unsigned enabled);
CUresult cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode handle, unsigned* enabled);
CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream);
CUresult cuGraphLaunch_ptsz(CUgraphExec exec, CUstream stream);
CUresult cuGraphUpload(CUgraphExec exec, CUstream stream);
CUresult cuGraphUpload_ptsz(CUgraphExec exec, CUstream stream);

// --- launch.cc
CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                        unsigned by, unsigned bz, unsigned shared_bytes, CUstream stream, void**,
                        void**);
CUresult cuLaunchKernel_ptsz(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                             unsigned by, unsigned bz, unsigned shared_bytes, CUstream stream,
                             void**, void**);
CUresult cuLaunchCooperativeKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                                   unsigned by, unsigned bz, unsigned shared_bytes, CUstream stream,
                                   void**);
CUresult cuLaunchCooperativeKernel_ptsz(CUfunction f, unsigned gx, unsigned gy, unsigned gz,
                                        unsigned bx, unsigned by, unsigned bz,
                                        unsigned shared_bytes, CUstream stream, void**);
CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction f, void**, void**);
CUresult cuLaunchKernelEx_ptsz(const CUlaunchConfig* config, CUfunction f, void**, void**);
CUresult cuLaunch(CUfunction f);
CUresult cuLaunchGrid(CUfunction f, int width, int height);
CUresult cuLaunchGridAsync(CUfunction f, int width, int height, CUstream stream);
CUresult cuLaunchCooperativeKernelMultiDevice(void* launches, unsigned count, unsigned);
CUresult cuGraphAddKernelNode(CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const void*);
CUresult cuGraphAddKernelNode_v2(CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const void*);

// --- module.cc
CUresult cuModuleLoad(CUmodule* module, const char* path);
CUresult cuModuleLoadData(CUmodule* module, const void* image);
CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, int*, void**);
CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image);
CUresult cuModuleUnload(CUmodule handle);
CUresult cuModuleGetLoadingMode(int* mode);
CUresult cuModuleGetFunction(CUfunction* out, CUmodule handle, const char* name);
CUresult cuModuleGetFunctionCount(unsigned* count, CUmodule handle);
CUresult cuModuleEnumerateFunctions(CUfunction* out, unsigned count, CUmodule handle);
CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule handle,
                              const char* name);
CUresult cuFuncGetModule(CUmodule* module, CUfunction handle);
CUresult cuFuncGetName(const char** name, CUfunction handle);
CUresult cuFuncIsLoaded(int* state, CUfunction handle);
CUresult cuFuncLoad(CUfunction handle);
CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction handle);
CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value);
CUresult cuFuncSetCacheConfig(CUfunction handle, CUfunc_cache config);
CUresult cuFuncSetSharedMemConfig(CUfunction handle, CUsharedconfig config);
CUresult cuLibraryLoadData(CUlibrary* library, const void* code, int*, void**, unsigned, int*,
                           void**, unsigned);
CUresult cuLibraryLoadFromFile(CUlibrary* library, const char* path, int*, void**, unsigned, int*,
                               void**, unsigned);
CUresult cuLibraryUnload(CUlibrary handle);
CUresult cuLibraryGetKernel(CUkernel* out, CUlibrary handle, const char* name);
CUresult cuLibraryGetKernelCount(unsigned* count, CUlibrary handle);
CUresult cuLibraryEnumerateKernels(CUkernel* out, unsigned count, CUlibrary handle);
CUresult cuLibraryGetModule(CUmodule* out, CUlibrary handle);
CUresult cuLibraryGetGlobal(CUdeviceptr* address, size_t* bytes, CUlibrary handle,
                            const char* name);
CUresult cuLibraryGetManaged(CUdeviceptr* address, size_t* bytes, CUlibrary handle,
                             const char* name);
CUresult cuLibraryGetUnifiedFunction(void** function, CUlibrary handle, const char* name);
CUresult cuKernelGetFunction(CUfunction* out, CUkernel handle);
CUresult cuKernelGetLibrary(CUlibrary* out, CUkernel handle);
CUresult cuKernelGetName(const char** name, CUkernel handle);
CUresult cuKernelGetAttribute(int* value, CUfunction_attribute attribute, CUkernel handle,
                              CUdevice ordinal);
CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel handle,
                              CUdevice ordinal);
CUresult cuKernelSetCacheConfig(CUkernel handle, CUfunc_cache config, CUdevice ordinal);
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function,
                                                     int block_size, size_t dynamic_bytes);
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function,
                                                              int block_size, size_t dynamic_bytes,
                                                              unsigned flags);
CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction function,
                                          CUoccupancyB2DSize bytes_of, size_t dynamic_bytes,
                                          int limit);
CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(int* grid, int* block, CUfunction function,
                                                   CUoccupancyB2DSize bytes_of,
                                                   size_t dynamic_bytes, int limit, unsigned flags);
CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, CUfunction handle, int blocks,
                                                 int block_size);

// --- texture.cc
CUresult cuTexObjectCreate(CUtexObject* object, const CUDA_RESOURCE_DESC* resource,
                           const CUDA_TEXTURE_DESC* texture, const CUDA_RESOURCE_VIEW_DESC* view);
CUresult cuTexObjectDestroy(CUtexObject object);
CUresult cuTexObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUtexObject object);
CUresult cuTexObjectGetTextureDesc(CUDA_TEXTURE_DESC* description, CUtexObject object);
CUresult cuTexObjectGetResourceViewDesc(CUDA_RESOURCE_VIEW_DESC* view, CUtexObject object);
CUresult cuSurfObjectCreate(CUsurfObject* object, const CUDA_RESOURCE_DESC* resource);
CUresult cuSurfObjectDestroy(CUsurfObject object);
CUresult cuSurfObjectGetResourceDesc(CUDA_RESOURCE_DESC* resource, CUsurfObject object);

// --- user_object.cc
CUresult cuUserObjectCreate(CUuserObject* out, void* object, CUhostFn end, unsigned references,
                            unsigned flags);
CUresult cuUserObjectRetain(CUuserObject handle, unsigned count);
CUresult cuUserObjectRelease(CUuserObject handle, unsigned count);
CUresult cuGraphRetainUserObject(CUgraph graph_handle, CUuserObject handle, unsigned count,
                                 unsigned flags);
CUresult cuGraphReleaseUserObject(CUgraph graph_handle, CUuserObject handle, unsigned count);

// --- interop.cc
CUresult cuGLGetDevices(unsigned* count, CUdevice* devices, unsigned size, int);
CUresult cuGLGetDevices_v2(unsigned* count, CUdevice* devices, unsigned size, int);
CUresult cuProfilerStart();
CUresult cuProfilerStop();

}  // extern "C"

#endif  // SHIMS_CUDA_WORK_API_H_

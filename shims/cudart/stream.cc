// Streams, capture, host functions and events: the driver's.

#include "shims/cudart/api.h"
#include "shims/cudart/runtime.h"

namespace vgpu::cudart {

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return Forward(&Driver::cuStreamCreate, stream, 0u);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return Forward(&Driver::cuStreamCreate, stream, flags);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return Forward(&Driver::cuStreamCreateWithPriority, stream, flags, priority);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return Forward(&Driver::cuStreamDestroy_v2, stream);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) { return Forward(&Driver::cuStreamQuery, stream); }

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return Forward(&Driver::cuStreamSynchronize, stream);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  return Forward(&Driver::cuStreamWaitEvent, stream, event, flags);
}

cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback,
                                  void* user_data, unsigned flags) {
  return Forward(&Driver::cuStreamAddCallback, stream, callback, user_data, flags);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* user_data) {
  return Forward(&Driver::cuLaunchHostFunc, stream, function, user_data);
}

cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void* address, size_t length,
                                     unsigned flags) {
  return Forward(&Driver::cuStreamAttachMemAsync, stream, address, length, flags);
}

cudaError_t cudaStreamCopyAttributes(cudaStream_t destination, cudaStream_t source) {
  return Forward(&Driver::cuStreamCopyAttributes, destination, source);
}

cudaError_t cudaStreamGetAttribute(cudaStream_t stream, cudaLaunchAttributeID attribute,
                                   cudaLaunchAttributeValue* value) {
  return Forward(&Driver::cuStreamGetAttribute, stream, attribute, value);
}

cudaError_t cudaStreamSetAttribute(cudaStream_t stream, cudaLaunchAttributeID attribute,
                                   const cudaLaunchAttributeValue* value) {
  return Forward(&Driver::cuStreamSetAttribute, stream, attribute, value);
}

cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
  return Forward(&Driver::cuStreamGetDevice, stream, device);
}

cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned* flags) {
  return Forward(&Driver::cuStreamGetFlags, stream, flags);
}

cudaError_t cudaStreamGetId(cudaStream_t stream, uint64_t* id) {
  return Forward(&Driver::cuStreamGetId, stream, id);
}

cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  return Forward(&Driver::cuStreamGetPriority, stream, priority);
}

// Capture.

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return Forward(&Driver::cuStreamBeginCapture_v2, stream, mode);
}

cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph,
                                          const cudaGraphNode_t* dependencies,
                                          const cudaGraphEdgeData* edges, size_t count,
                                          cudaStreamCaptureMode mode) {
  return Forward(&Driver::cuStreamBeginCaptureToGraph, stream, graph, dependencies, edges, count,
                 mode);
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return Forward(&Driver::cuStreamEndCapture, stream, graph);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return Forward(&Driver::cuStreamIsCapturing, stream, status);
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return Forward(&Driver::cuThreadExchangeStreamCaptureMode, mode);
}

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                     uint64_t* id) {
  return cudaStreamGetCaptureInfo_v2(stream, status, id, nullptr, nullptr, nullptr);
}

cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        uint64_t* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies, size_t* count) {
  return Forward(&Driver::cuStreamGetCaptureInfo_v2, stream, status, id, graph, dependencies,
                 count);
}

cudaError_t cudaStreamGetCaptureInfo_v3(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        uint64_t* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies,
                                        const cudaGraphEdgeData** edges, size_t* count) {
  return Forward(&Driver::cuStreamGetCaptureInfo_v3, stream, status, id, graph, dependencies, edges,
                 count);
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                                size_t count, unsigned flags) {
  return Forward(&Driver::cuStreamUpdateCaptureDependencies, stream, dependencies, count, flags);
}

cudaError_t cudaStreamUpdateCaptureDependencies_v2(cudaStream_t stream,
                                                   cudaGraphNode_t* dependencies,
                                                   const cudaGraphEdgeData* edges, size_t count,
                                                   unsigned flags) {
  return Forward(&Driver::cuStreamUpdateCaptureDependencies_v2, stream, dependencies, edges, count,
                 flags);
}
#else
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                     uint64_t* id, cudaGraph_t* graph,
                                     const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData** edges, size_t* count) {
  return Forward(&Driver::cuStreamGetCaptureInfo_v3, stream, status, id, graph, dependencies, edges,
                 count);
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                                const cudaGraphEdgeData* edges, size_t count,
                                                unsigned flags) {
  return Forward(&Driver::cuStreamUpdateCaptureDependencies_v2, stream, dependencies, edges, count,
                 flags);
}

cudaError_t cudaLaunchHostFunc_v2(cudaStream_t stream, cudaHostFn_t function, void* user_data,
                                  unsigned mode) {
  return Forward(&Driver::cuLaunchHostFunc_v2, stream, function, user_data, mode);
}
#endif

// Events.

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return Forward(&Driver::cuEventCreate, event, 0u);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return Forward(&Driver::cuEventCreate, event, flags);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return Forward(&Driver::cuEventDestroy_v2, event);
}

cudaError_t cudaEventQuery(cudaEvent_t event) { return Forward(&Driver::cuEventQuery, event); }

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return Forward(&Driver::cuEventRecord, event, stream);
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  return Forward(&Driver::cuEventRecordWithFlags, event, stream, flags);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return Forward(&Driver::cuEventSynchronize, event);
}

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return Forward(&Driver::cuEventElapsedTime, milliseconds, start, end);
}

cudaError_t cudaEventElapsedTime_v2(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return Forward(&Driver::cuEventElapsedTime_v2, milliseconds, start, end);
}
#else
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return Forward(&Driver::cuEventElapsedTime_v2, milliseconds, start, end);
}
#endif

// User objects: memory of the program that a graph keeps alive.

cudaError_t cudaUserObjectCreate(cudaUserObject_t* object, void* pointer, cudaHostFn_t destroy,
                                 unsigned references, unsigned flags) {
  return Forward(&Driver::cuUserObjectCreate, object, pointer, destroy, references, flags);
}

cudaError_t cudaUserObjectRetain(cudaUserObject_t object, unsigned count) {
  return Forward(&Driver::cuUserObjectRetain, object, count);
}

cudaError_t cudaUserObjectRelease(cudaUserObject_t object, unsigned count) {
  return Forward(&Driver::cuUserObjectRelease, object, count);
}

}  // namespace vgpu::cudart

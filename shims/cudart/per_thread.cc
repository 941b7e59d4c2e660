// The same functions for programs that were compiled with --default-stream per-thread: what they
// mean by stream 0 is the calling thread's own (_ptsz). Without a stream among their arguments
// (_ptds) they do the same as the others, since every copy is done when the call returns.

#include "shims/cudart/api.h"
#include "shims/cudart/runtime.h"

namespace vgpu::cudart {
namespace {

cudaStream_t PerThread(cudaStream_t stream) {
  return stream == nullptr ? reinterpret_cast<cudaStream_t>(kStreamPerThread) : stream;
}

}  // namespace

cudaError_t __cudaLaunchKernel_ptsz(cudaKernel_t a, dim3 b, dim3 c, void** d, size_t e,
                                    cudaStream_t f) {
  return __cudaLaunchKernel(a, b, c, d, e, PerThread(f));
}

cudaError_t cudaEventRecordWithFlags_ptsz(cudaEvent_t a, cudaStream_t b, unsigned c) {
  return cudaEventRecordWithFlags(a, PerThread(b), c);
}

cudaError_t cudaEventRecord_ptsz(cudaEvent_t a, cudaStream_t b) {
  return cudaEventRecord(a, PerThread(b));
}

cudaError_t cudaFreeAsync_ptsz(void* a, cudaStream_t b) { return cudaFreeAsync(a, PerThread(b)); }

cudaError_t cudaGraphInstantiateWithParams_ptsz(cudaGraphExec_t* a, cudaGraph_t b,
                                                cudaGraphInstantiateParams* c) {
  return cudaGraphInstantiateWithParams(a, b, c);
}

cudaError_t cudaGraphLaunch_ptsz(cudaGraphExec_t a, cudaStream_t b) {
  return cudaGraphLaunch(a, PerThread(b));
}

cudaError_t cudaGraphUpload_ptsz(cudaGraphExec_t a, cudaStream_t b) {
  return cudaGraphUpload(a, PerThread(b));
}

cudaError_t cudaLaunchCooperativeKernel_ptsz(const void* a, dim3 b, dim3 c, void** d, size_t e,
                                             cudaStream_t f) {
  return cudaLaunchCooperativeKernel(a, b, c, d, e, PerThread(f));
}

cudaError_t cudaLaunchHostFunc_ptsz(cudaStream_t a, cudaHostFn_t b, void* c) {
  return cudaLaunchHostFunc(PerThread(a), b, c);
}

cudaError_t cudaLaunchKernel_ptsz(const void* a, dim3 b, dim3 c, void** d, size_t e,
                                  cudaStream_t f) {
  return cudaLaunchKernel(a, b, c, d, e, PerThread(f));
}

cudaError_t cudaMallocAsync_ptsz(void** a, size_t b, cudaStream_t c) {
  return cudaMallocAsync(a, b, PerThread(c));
}

cudaError_t cudaMallocFromPoolAsync_ptsz(void** a, size_t b, cudaMemPool_t c, cudaStream_t d) {
  return cudaMallocFromPoolAsync(a, b, c, PerThread(d));
}

cudaError_t cudaMemcpy2DAsync_ptsz(void* a, size_t b, const void* c, size_t d, size_t e, size_t f,
                                   cudaMemcpyKind g, cudaStream_t h) {
  return cudaMemcpy2DAsync(a, b, c, d, e, f, g, PerThread(h));
}

cudaError_t cudaMemcpy2DFromArrayAsync_ptsz(void* a, size_t b, cudaArray_const_t c, size_t d,
                                            size_t e, size_t f, size_t g, cudaMemcpyKind h,
                                            cudaStream_t i) {
  return cudaMemcpy2DFromArrayAsync(a, b, c, d, e, f, g, h, PerThread(i));
}

cudaError_t cudaMemcpy2DToArrayAsync_ptsz(cudaArray_t a, size_t b, size_t c, const void* d,
                                          size_t e, size_t f, size_t g, cudaMemcpyKind h,
                                          cudaStream_t i) {
  return cudaMemcpy2DToArrayAsync(a, b, c, d, e, f, g, h, PerThread(i));
}

cudaError_t cudaMemcpy3DAsync_ptsz(const cudaMemcpy3DParms* a, cudaStream_t b) {
  return cudaMemcpy3DAsync(a, PerThread(b));
}

cudaError_t cudaMemcpy3DPeerAsync_ptsz(const cudaMemcpy3DPeerParms* a, cudaStream_t b) {
  return cudaMemcpy3DPeerAsync(a, PerThread(b));
}

cudaError_t cudaMemcpyAsync_ptsz(void* a, const void* b, size_t c, cudaMemcpyKind d,
                                 cudaStream_t e) {
  return cudaMemcpyAsync(a, b, c, d, PerThread(e));
}

cudaError_t cudaMemcpyFromArrayAsync_ptsz(void* a, cudaArray_const_t b, size_t c, size_t d,
                                          size_t e, cudaMemcpyKind f, cudaStream_t g) {
  return cudaMemcpyFromArrayAsync(a, b, c, d, e, f, PerThread(g));
}

cudaError_t cudaMemcpyFromSymbolAsync_ptsz(void* a, const void* b, size_t c, size_t d,
                                           cudaMemcpyKind e, cudaStream_t f) {
  return cudaMemcpyFromSymbolAsync(a, b, c, d, e, PerThread(f));
}

cudaError_t cudaMemcpyToArrayAsync_ptsz(cudaArray_t a, size_t b, size_t c, const void* d, size_t e,
                                        cudaMemcpyKind f, cudaStream_t g) {
  return cudaMemcpyToArrayAsync(a, b, c, d, e, f, PerThread(g));
}

cudaError_t cudaMemcpyToSymbolAsync_ptsz(const void* a, const void* b, size_t c, size_t d,
                                         cudaMemcpyKind e, cudaStream_t f) {
  return cudaMemcpyToSymbolAsync(a, b, c, d, e, PerThread(f));
}

cudaError_t cudaMemset2DAsync_ptsz(void* a, size_t b, int c, size_t d, size_t e, cudaStream_t f) {
  return cudaMemset2DAsync(a, b, c, d, e, PerThread(f));
}

cudaError_t cudaMemset3DAsync_ptsz(cudaPitchedPtr a, int b, cudaExtent c, cudaStream_t d) {
  return cudaMemset3DAsync(a, b, c, PerThread(d));
}

cudaError_t cudaMemsetAsync_ptsz(void* a, int b, size_t c, cudaStream_t d) {
  return cudaMemsetAsync(a, b, c, PerThread(d));
}

cudaError_t cudaStreamAddCallback_ptsz(cudaStream_t a, cudaStreamCallback_t b, void* c,
                                       unsigned d) {
  return cudaStreamAddCallback(PerThread(a), b, c, d);
}

cudaError_t cudaStreamAttachMemAsync_ptsz(cudaStream_t a, void* b, size_t c, unsigned d) {
  return cudaStreamAttachMemAsync(PerThread(a), b, c, d);
}

cudaError_t cudaStreamBeginCaptureToGraph_ptsz(cudaStream_t a, cudaGraph_t b,
                                               const cudaGraphNode_t* c, const cudaGraphEdgeData* d,
                                               size_t e, cudaStreamCaptureMode f) {
  return cudaStreamBeginCaptureToGraph(PerThread(a), b, c, d, e, f);
}

cudaError_t cudaStreamBeginCapture_ptsz(cudaStream_t a, cudaStreamCaptureMode b) {
  return cudaStreamBeginCapture(PerThread(a), b);
}

cudaError_t cudaStreamCopyAttributes_ptsz(cudaStream_t a, cudaStream_t b) {
  return cudaStreamCopyAttributes(PerThread(a), PerThread(b));
}

cudaError_t cudaStreamEndCapture_ptsz(cudaStream_t a, cudaGraph_t* b) {
  return cudaStreamEndCapture(PerThread(a), b);
}

cudaError_t cudaStreamGetAttribute_ptsz(cudaStream_t a, cudaLaunchAttributeID b,
                                        cudaLaunchAttributeValue* c) {
  return cudaStreamGetAttribute(PerThread(a), b, c);
}

cudaError_t cudaStreamGetDevice_ptsz(cudaStream_t a, int* b) {
  return cudaStreamGetDevice(PerThread(a), b);
}

cudaError_t cudaStreamGetFlags_ptsz(cudaStream_t a, unsigned* b) {
  return cudaStreamGetFlags(PerThread(a), b);
}

cudaError_t cudaStreamGetId_ptsz(cudaStream_t a, uint64_t* b) {
  return cudaStreamGetId(PerThread(a), b);
}

cudaError_t cudaStreamGetPriority_ptsz(cudaStream_t a, int* b) {
  return cudaStreamGetPriority(PerThread(a), b);
}

cudaError_t cudaStreamIsCapturing_ptsz(cudaStream_t a, cudaStreamCaptureStatus* b) {
  return cudaStreamIsCapturing(PerThread(a), b);
}

cudaError_t cudaStreamQuery_ptsz(cudaStream_t a) { return cudaStreamQuery(PerThread(a)); }

cudaError_t cudaStreamSetAttribute_ptsz(cudaStream_t a, cudaLaunchAttributeID b,
                                        const cudaLaunchAttributeValue* c) {
  return cudaStreamSetAttribute(PerThread(a), b, c);
}

cudaError_t cudaStreamSynchronize_ptsz(cudaStream_t a) {
  return cudaStreamSynchronize(PerThread(a));
}

cudaError_t cudaStreamWaitEvent_ptsz(cudaStream_t a, cudaEvent_t b, unsigned c) {
  return cudaStreamWaitEvent(PerThread(a), b, c);
}

cudaError_t cudaMemcpy2DArrayToArray_ptds(cudaArray_t a, size_t b, size_t c, cudaArray_const_t d,
                                          size_t e, size_t f, size_t g, size_t h,
                                          cudaMemcpyKind i) {
  return cudaMemcpy2DArrayToArray(a, b, c, d, e, f, g, h, i);
}

cudaError_t cudaMemcpy2DFromArray_ptds(void* a, size_t b, cudaArray_const_t c, size_t d, size_t e,
                                       size_t f, size_t g, cudaMemcpyKind h) {
  return cudaMemcpy2DFromArray(a, b, c, d, e, f, g, h);
}

cudaError_t cudaMemcpy2DToArray_ptds(cudaArray_t a, size_t b, size_t c, const void* d, size_t e,
                                     size_t f, size_t g, cudaMemcpyKind h) {
  return cudaMemcpy2DToArray(a, b, c, d, e, f, g, h);
}

cudaError_t cudaMemcpy2D_ptds(void* a, size_t b, const void* c, size_t d, size_t e, size_t f,
                              cudaMemcpyKind g) {
  return cudaMemcpy2D(a, b, c, d, e, f, g);
}

cudaError_t cudaMemcpy3DPeer_ptds(const cudaMemcpy3DPeerParms* a) { return cudaMemcpy3DPeer(a); }

cudaError_t cudaMemcpy3D_ptds(const cudaMemcpy3DParms* a) { return cudaMemcpy3D(a); }

cudaError_t cudaMemcpyArrayToArray_ptds(cudaArray_t a, size_t b, size_t c, cudaArray_const_t d,
                                        size_t e, size_t f, size_t g, cudaMemcpyKind h) {
  return cudaMemcpyArrayToArray(a, b, c, d, e, f, g, h);
}

cudaError_t cudaMemcpyFromArray_ptds(void* a, cudaArray_const_t b, size_t c, size_t d, size_t e,
                                     cudaMemcpyKind f) {
  return cudaMemcpyFromArray(a, b, c, d, e, f);
}

cudaError_t cudaMemcpyFromSymbol_ptds(void* a, const void* b, size_t c, size_t d,
                                      cudaMemcpyKind e) {
  return cudaMemcpyFromSymbol(a, b, c, d, e);
}

cudaError_t cudaMemcpyToArray_ptds(cudaArray_t a, size_t b, size_t c, const void* d, size_t e,
                                   cudaMemcpyKind f) {
  return cudaMemcpyToArray(a, b, c, d, e, f);
}

cudaError_t cudaMemcpyToSymbol_ptds(const void* a, const void* b, size_t c, size_t d,
                                    cudaMemcpyKind e) {
  return cudaMemcpyToSymbol(a, b, c, d, e);
}

cudaError_t cudaMemcpy_ptds(void* a, const void* b, size_t c, cudaMemcpyKind d) {
  return cudaMemcpy(a, b, c, d);
}

cudaError_t cudaMemset2D_ptds(void* a, size_t b, int c, size_t d, size_t e) {
  return cudaMemset2D(a, b, c, d, e);
}

cudaError_t cudaMemset3D_ptds(cudaPitchedPtr a, int b, cudaExtent c) {
  return cudaMemset3D(a, b, c);
}

cudaError_t cudaMemset_ptds(void* a, int b, size_t c) { return cudaMemset(a, b, c); }

cudaError_t cudaLaunchKernelExC_ptsz(const cudaLaunchConfig_t* configuration, const void* function,
                                     void** arguments) {
  return cudaLaunchKernelExC(configuration, function, arguments);
}

#if VGPU_CUDART_MAJOR == 12
cudaError_t cudaMemPrefetchAsync_ptsz(const void* a, size_t b, int c, cudaStream_t d) {
  return cudaMemPrefetchAsync(a, b, c, PerThread(d));
}

cudaError_t cudaMemPrefetchAsync_v2_ptsz(const void* a, size_t b, cudaMemLocation c, unsigned d,
                                         cudaStream_t e) {
  return cudaMemPrefetchAsync_v2(a, b, c, d, PerThread(e));
}

cudaError_t cudaMemcpy3DBatchAsync_ptsz(size_t a, cudaMemcpy3DBatchOp* b, size_t* c, uint64_t d,
                                        cudaStream_t e) {
  return cudaMemcpy3DBatchAsync(a, b, c, d, PerThread(e));
}

cudaError_t cudaMemcpyBatchAsync_ptsz(void** a, void** b, size_t* c, size_t d,
                                      cudaMemcpyAttributes* e, size_t* f, size_t g, size_t* h,
                                      cudaStream_t i) {
  return cudaMemcpyBatchAsync(a, b, c, d, e, f, g, h, PerThread(i));
}

cudaError_t cudaStreamGetCaptureInfo_ptsz(cudaStream_t a, cudaStreamCaptureStatus* b, uint64_t* c) {
  return cudaStreamGetCaptureInfo(PerThread(a), b, c);
}

cudaError_t cudaStreamGetCaptureInfo_v2_ptsz(cudaStream_t a, cudaStreamCaptureStatus* b,
                                             uint64_t* c, cudaGraph_t* d, const cudaGraphNode_t** e,
                                             size_t* f) {
  return cudaStreamGetCaptureInfo_v2(PerThread(a), b, c, d, e, f);
}

cudaError_t cudaStreamGetCaptureInfo_v3_ptsz(cudaStream_t a, cudaStreamCaptureStatus* b,
                                             uint64_t* c, cudaGraph_t* d, const cudaGraphNode_t** e,
                                             const cudaGraphEdgeData** f, size_t* g) {
  return cudaStreamGetCaptureInfo_v3(PerThread(a), b, c, d, e, f, g);
}

cudaError_t cudaStreamUpdateCaptureDependencies_ptsz(cudaStream_t a, cudaGraphNode_t* b, size_t c,
                                                     unsigned d) {
  return cudaStreamUpdateCaptureDependencies(PerThread(a), b, c, d);
}

cudaError_t cudaStreamUpdateCaptureDependencies_v2_ptsz(cudaStream_t a, cudaGraphNode_t* b,
                                                        const cudaGraphEdgeData* c, size_t d,
                                                        unsigned e) {
  return cudaStreamUpdateCaptureDependencies_v2(PerThread(a), b, c, d, e);
}
#else
cudaError_t cudaLaunchHostFunc_v2_ptsz(cudaStream_t a, cudaHostFn_t b, void* c, unsigned d) {
  return cudaLaunchHostFunc_v2(PerThread(a), b, c, d);
}

cudaError_t cudaMemDiscardAndPrefetchBatchAsync_ptsz(void** a, size_t* b, size_t c,
                                                     cudaMemLocation* d, size_t* e, size_t f,
                                                     uint64_t g, cudaStream_t h) {
  return cudaMemDiscardAndPrefetchBatchAsync(a, b, c, d, e, f, g, PerThread(h));
}

cudaError_t cudaMemDiscardBatchAsync_ptsz(void** a, size_t* b, size_t c, uint64_t d,
                                          cudaStream_t e) {
  return cudaMemDiscardBatchAsync(a, b, c, d, PerThread(e));
}

cudaError_t cudaMemPrefetchAsync_ptsz(const void* a, size_t b, cudaMemLocation c, unsigned d,
                                      cudaStream_t e) {
  return cudaMemPrefetchAsync(a, b, c, d, PerThread(e));
}

cudaError_t cudaMemPrefetchBatchAsync_ptsz(void** a, size_t* b, size_t c, cudaMemLocation* d,
                                           size_t* e, size_t f, uint64_t g, cudaStream_t h) {
  return cudaMemPrefetchBatchAsync(a, b, c, d, e, f, g, PerThread(h));
}

cudaError_t cudaMemcpy3DBatchAsync_ptsz(size_t a, cudaMemcpy3DBatchOp* b, uint64_t c,
                                        cudaStream_t d) {
  return cudaMemcpy3DBatchAsync(a, b, c, PerThread(d));
}

cudaError_t cudaMemcpy3DWithAttributesAsync_ptsz(cudaMemcpy3DBatchOp* a, uint64_t b,
                                                 cudaStream_t c) {
  return cudaMemcpy3DWithAttributesAsync(a, b, PerThread(c));
}

cudaError_t cudaMemcpyBatchAsync_ptsz(void* const* a, const void* const* b, const size_t* c,
                                      size_t d, cudaMemcpyAttributes* e, size_t* f, size_t g,
                                      cudaStream_t h) {
  return cudaMemcpyBatchAsync(a, b, c, d, e, f, g, PerThread(h));
}

cudaError_t cudaMemcpyWithAttributesAsync_ptsz(void* a, const void* b, size_t c,
                                               cudaMemcpyAttributes* d, cudaStream_t e) {
  return cudaMemcpyWithAttributesAsync(a, b, c, d, PerThread(e));
}

cudaError_t cudaStreamGetCaptureInfo_ptsz(cudaStream_t a, cudaStreamCaptureStatus* b, uint64_t* c,
                                          cudaGraph_t* d, const cudaGraphNode_t** e,
                                          const cudaGraphEdgeData** f, size_t* g) {
  return cudaStreamGetCaptureInfo(PerThread(a), b, c, d, e, f, g);
}

cudaError_t cudaStreamUpdateCaptureDependencies_ptsz(cudaStream_t a, cudaGraphNode_t* b,
                                                     const cudaGraphEdgeData* c, size_t d,
                                                     unsigned e) {
  return cudaStreamUpdateCaptureDependencies(PerThread(a), b, c, d, e);
}
#endif

}  // namespace vgpu::cudart

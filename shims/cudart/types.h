// The types of the runtime API, as far as the shim has to know them: our own declarations of the
// names, the order and the sizes that programs are compiled against (driver_types.h and
// texture_types.h of CUDA 12.8 and 13.5). abi_test.py compares every offset with NVIDIA's headers.
//
// VGPU_CUDART_MAJOR (12 or 13) says whose layout. Handles are the driver's.

#ifndef SHIMS_CUDART_TYPES_H_
#define SHIMS_CUDART_TYPES_H_

#include <cstddef>
#include <cstdint>

#include "shims/abi/cuda_types.h"

#if VGPU_CUDART_MAJOR != 12 && VGPU_CUDART_MAJOR != 13
#error "VGPU_CUDART_MAJOR is 12 or 13"
#endif

// A line of a table with a `majors` column, if it is for the library that is being compiled.
#define VGPU_IF_Both(...) __VA_ARGS__
#if VGPU_CUDART_MAJOR == 12
#define VGPU_IF_Only12(...) __VA_ARGS__
#define VGPU_IF_Only13(...)
#else
#define VGPU_IF_Only12(...)
#define VGPU_IF_Only13(...) __VA_ARGS__
#endif

namespace vgpu::cudart {

inline constexpr int kMajor = VGPU_CUDART_MAJOR;
// What cudaRuntimeGetVersion says: that of the header whose names and layouts these are.
inline constexpr int kRuntimeVersion = kMajor == 12 ? 12080 : 13050;

enum cudaError_t : int {
#define VGPU_CUDART_ERROR(majors, name, number, text) name = number,
#include "shims/abi/cudart_errors.inc"
#undef VGPU_CUDART_ERROR
};

// Handles.
using cudaArray_t = CUarray;
using cudaArray_const_t = const CUarray_st*;
using cudaMipmappedArray_t = CUmipmappedArray;
using cudaMipmappedArray_const_t = const CUmipmappedArray_st*;
using cudaEvent_t = CUevent;
using cudaFunction_t = CUfunction;
using cudaGraph_t = CUgraph;
using cudaGraphExec_t = CUgraphExec;
using cudaGraphNode_t = CUgraphNode;
using cudaKernel_t = CUkernel;
using cudaLibrary_t = CUlibrary;
using cudaMemPool_t = CUmemoryPool;
using cudaStream_t = CUstream;
using cudaUserObject_t = CUuserObject;
using cudaLogsCallbackHandle = struct CUlogsCallbackEntry_st*;
using cudaLogIterator = unsigned;
using cudaSurfaceObject_t = uint64_t;
using cudaTextureObject_t = uint64_t;

// Functions that programs hand over.
using cudaHostFn_t = void (*)(void* user_data);
using cudaStreamCallback_t = void (*)(cudaStream_t stream, cudaError_t status, void* user_data);
using cudaLogsCallback_t = void (*)(void* data, int level, char* message, size_t length);

// Enumerations whose values only pass through.
using cudaAtomicOperation = int;
using cudaDeviceAttr = int;
using cudaDeviceP2PAttr = int;
using cudaDriverEntryPointQueryResult = int;
using cudaFlushGPUDirectRDMAWritesScope = int;
using cudaFlushGPUDirectRDMAWritesTarget = int;
using cudaFuncCache = int;
using cudaGraphMemAttributeType = int;
using cudaGraphNodeType = int;
using cudaJitOption = int;
using cudaLaunchAttributeID = int;
using cudaLibraryOption = int;
using cudaLimit = int;
using cudaMemAccessFlags = int;
using cudaMemAllocationHandleType = int;
using cudaMemAllocationType = int;
using cudaMemPoolAttr = int;
using cudaMemRangeAttribute = int;
using cudaMemoryAdvise = int;
using cudaSharedMemConfig = int;
using cudaStreamCaptureMode = int;
using cudaStreamCaptureStatus = int;

enum cudaChannelFormatKind : int {
  cudaChannelFormatKindSigned = 0,
  cudaChannelFormatKindUnsigned = 1,
  cudaChannelFormatKindFloat = 2,
  cudaChannelFormatKindNone = 3,
  cudaChannelFormatKindNV12 = 4,
};

enum cudaFuncAttribute : int {
  cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  cudaFuncAttributePreferredSharedMemoryCarveout = 9,
  cudaFuncAttributeClusterDimMustBeSet = 10,
  cudaFuncAttributeRequiredClusterWidth = 11,
  cudaFuncAttributeRequiredClusterHeight = 12,
  cudaFuncAttributeRequiredClusterDepth = 13,
  cudaFuncAttributeNonPortableClusterSizeAllowed = 14,
  cudaFuncAttributeClusterSchedulingPolicyPreference = 15,
  cudaFuncAttributeSharedMemoryMode = 16,
};

enum cudaMemcpyKind : int {
  cudaMemcpyHostToHost = 0,
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4,
};

enum cudaMemoryType : int {
  cudaMemoryTypeUnregistered = 0,
  cudaMemoryTypeHost = 1,
  cudaMemoryTypeDevice = 2,
  cudaMemoryTypeManaged = 3,
};

enum cudaResourceType : int {
  cudaResourceTypeArray = 0,
  cudaResourceTypeMipmappedArray = 1,
  cudaResourceTypeLinear = 2,
  cudaResourceTypePitch2D = 3,
};

// Values.
struct dim3 {
  unsigned x, y, z;
};

struct cudaUUID_t {
  char bytes[16];
};

struct cudaChannelFormatDesc {
  int x, y, z, w;  // bits of each component
  cudaChannelFormatKind f;
};

struct cudaExtent {
  size_t width, height, depth;
};

struct cudaPos {
  size_t x, y, z;
};

struct cudaPitchedPtr {
  void* ptr;
  size_t pitch, xsize, ysize;
};

struct cudaMemLocation {
  int type;
  int id;
};

using cudaIpcEventHandle_t = CUipcEventHandle;
using cudaIpcMemHandle_t = CUipcMemHandle;

struct cudaGraphEdgeData {
  unsigned char from_port, to_port, type, reserved[5];
};

// Structures that the shim reads or writes. What passes through to the driver unread has the
// driver's layout, as abi_test.py shows, and only its size stands here.

// Each field is an array, of one where C has none: the layout is the same, and the table can fill
// them all alike.
struct cudaDeviceProp {
#define VGPU_DEVICE_PROP(majors, type, name, count, ...) VGPU_IF_##majors(type name[count];)
#include "shims/abi/cudart_device_prop.inc"
#undef VGPU_DEVICE_PROP
};
#if VGPU_CUDART_MAJOR == 12
// The layout before CUDA 12.
struct cudaDeviceProp_v1 {
  alignas(cudaDeviceProp) char bytes[offsetof(cudaDeviceProp, hostRegisterSupported)];
};
#endif

struct cudaPointerAttributes {
  cudaMemoryType type;
  int device;
  void* devicePointer;
  void* hostPointer;
#if VGPU_CUDART_MAJOR == 13
  int localityDomainOrdinal;
  long reserved[7];
#endif
};

struct cudaFuncAttributes {
  size_t sharedSizeBytes;
  size_t constSizeBytes;
  size_t localSizeBytes;
  int maxThreadsPerBlock;
  int numRegs;
  int ptxVersion;
  int binaryVersion;
  int cacheModeCA;
  int maxDynamicSharedSizeBytes;
  int preferredShmemCarveout;
  int clusterDimMustBeSet;
  int requiredClusterWidth;
  int requiredClusterHeight;
  int requiredClusterDepth;
  int clusterSchedulingPolicyPreference;
  int nonPortableClusterSizeAllowed;
  int reserved[16];  // CUDA 13 has given the first two names
};

struct cudaMemcpy3DParms {
  cudaArray_t srcArray;
  cudaPos srcPos;
  cudaPitchedPtr srcPtr;
  cudaArray_t dstArray;
  cudaPos dstPos;
  cudaPitchedPtr dstPtr;
  cudaExtent extent;
  cudaMemcpyKind kind;
};

struct cudaMemcpy3DPeerParms {
  cudaArray_t srcArray;
  cudaPos srcPos;
  cudaPitchedPtr srcPtr;
  int srcDevice;
  cudaArray_t dstArray;
  cudaPos dstPos;
  cudaPitchedPtr dstPtr;
  int dstDevice;
  cudaExtent extent;
};

struct cudaKernelNodeParams {
  void* func;
  dim3 gridDim;
  dim3 blockDim;
  unsigned sharedMemBytes;
  void** kernelParams;
  void** extra;
};

struct cudaMemsetParams {
  void* dst;
  size_t pitch;
  unsigned value;
  unsigned elementSize;
  size_t width;
  size_t height;
};

struct cudaMemcpyNodeParams {
  int flags;
  int reserved[3];  // CUDA 13 has an execution context in the last two
  cudaMemcpy3DParms copyParams;
};

struct cudaHostNodeParams {
  cudaHostFn_t fn;
  void* userData;
};

struct cudaMemPoolProps {
  cudaMemAllocationType allocType;
  cudaMemAllocationHandleType handleTypes;
  cudaMemLocation location;
  void* win32SecurityAttributes;
  size_t maxSize;
  unsigned short usage;
  unsigned char reserved[54];
};

struct cudaMemAccessDesc {
  cudaMemLocation location;
  cudaMemAccessFlags flags;
};

struct cudaMemPoolPtrExportData {
  unsigned char reserved[64];
};

struct cudaMemAllocNodeParams {
  cudaMemPoolProps poolProps;
  const cudaMemAccessDesc* accessDescs;
  size_t accessDescCount;
  size_t bytesize;
  void* dptr;
};

struct cudaMemcpyAttributes {
  int srcAccessOrder;
  cudaMemLocation srcLocHint;
  cudaMemLocation dstLocHint;
  unsigned flags;
};

struct cudaMemcpy3DOperand {
  int type;  // 1 pointer, 2 array
  union {
    struct {
      void* ptr;
      size_t rowLength, layerHeight;  // in elements
      cudaMemLocation locHint;
    } ptr;
    struct {
      cudaArray_t array;
      cudaPos offset;
    } array;
  } op;
};

struct cudaMemcpy3DBatchOp {
  cudaMemcpy3DOperand src;
  cudaMemcpy3DOperand dst;
  cudaExtent extent;
  int srcAccessOrder;
  unsigned flags;
};

struct cudaArrayMemoryRequirements {
  size_t size;
  size_t alignment;
  unsigned reserved[4];
};

struct cudaArraySparseProperties {
  struct {
    unsigned width, height, depth;
  } tileExtent;
  unsigned miptailFirstLevel;
  uint64_t miptailSize;
  unsigned flags;
  unsigned reserved[4];
};

struct cudaResourceDesc {
  cudaResourceType resType;
  union {
    struct {
      cudaArray_t array;
    } array;
    struct {
      cudaMipmappedArray_t mipmap;
    } mipmap;
    struct {
      void* devPtr;
      cudaChannelFormatDesc desc;
      size_t sizeInBytes;
    } linear;
    struct {
      void* devPtr;
      cudaChannelFormatDesc desc;
      size_t width, height, pitchInBytes;
    } pitch2D;
#if VGPU_CUDART_MAJOR == 13
    struct {
      int reserved[32];
    } reserved;
#endif
  } res;
#if VGPU_CUDART_MAJOR == 13
  unsigned flags;
#endif
};

struct cudaResourceViewDesc {
  int format;
  size_t width, height, depth;
  unsigned firstMipmapLevel, lastMipmapLevel;
  unsigned firstLayer, lastLayer;
#if VGPU_CUDART_MAJOR == 13
  unsigned reserved[16];
#endif
};

struct cudaTextureDesc {
  int addressMode[3];
  int filterMode;
  int readMode;
  int sRGB;
  float borderColor[4];
  int normalizedCoords;
  unsigned maxAnisotropy;
  int mipmapFilterMode;
  float mipmapLevelBias;
  float minMipmapLevelClamp;
  float maxMipmapLevelClamp;
  int disableTrilinearOptimization;
  int seamlessCubemap;
};

// A node of any kind. The union begins behind `reserved0`.
struct cudaGraphNodeParams {
  cudaGraphNodeType type;
  int reserved0[3];
  int64_t reserved1[29];
  int64_t reserved2;
};

struct cudaGraphInstantiateParams {
  uint64_t flags;
  cudaStream_t uploadStream;
  cudaGraphNode_t errNode_out;
  int result_out;
};

struct cudaGraphExecUpdateResultInfo {
  int result;
  cudaGraphNode_t errorNode;
  cudaGraphNode_t errorFromNode;
};

union cudaLaunchAttributeValue {
  char pad[64];
  void* alignment;
};

struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  cudaLaunchAttributeValue val;
};

struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

#if VGPU_CUDART_MAJOR == 12
struct cudaLaunchParams {
  void* func;
  dim3 gridDim;
  dim3 blockDim;
  void** args;
  size_t sharedMem;
  cudaStream_t stream;
};
#endif

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_TYPES_H_

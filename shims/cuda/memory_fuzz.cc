// Any sequence of calls about memory, with any arguments, ends in results and never in a fault; and
// when all is given back, nothing is counted against the device any more.
//
// Pointers are those that calls have given, near them, stale, or invented. Only what a program
// answers for itself is always good: the memory of the host that a call names as such.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"

namespace {

constexpr size_t kGranule = size_t{2} << 20;
constexpr size_t kHost = 1 << 16;  // bytes that the program answers for
// So that all of it can be looked through for what is mapped.
constexpr size_t kLargestReservation = 8 * kGranule;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool Empty() const { return size_ == 0; }

  uint8_t Byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }

  uint64_t Word() {
    uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word = word << 8 | Byte();
    return word;
  }

  // Small, near a power of two, or any.
  size_t Size() {
    switch (Byte() % 4) {
      case 0:
        return Byte();
      case 1:
        return (size_t{1} << Byte() % 64) + Byte() - 128;
      case 2:
        return size_t{Byte()} << 9;
      default:
        return Word();
    }
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

struct State {
  std::vector<CUdeviceptr> pointers;
  std::vector<CUmemGenericAllocationHandle> physical;
  std::vector<CUmemoryPool> pools;
  std::vector<CUarray> arrays;
  std::vector<CUmipmappedArray> mipmapped;
  std::vector<CUcontext> contexts;
  struct Reservation {
    CUdeviceptr address;
    size_t size;
  };
  std::vector<Reservation> reservations;

  CUdeviceptr Pointer(Input* input) {
    if (pointers.empty() || input->Byte() % 8 == 0) return input->Word();
    const CUdeviceptr known = pointers[input->Byte() % pointers.size()];
    return input->Byte() % 2 == 0 ? known : known + input->Size();
  }
};

template <typename T>
T OneOf(const std::vector<T>& all, Input* input) {
  if (all.empty() || input->Byte() % 16 == 0) return (T)input->Word();
  return all[input->Byte() % all.size()];
}

CUstream Stream(Input* input) {
  const uint8_t byte = input->Byte();
  return reinterpret_cast<CUstream>(byte < 250 ? byte % 3 : input->Word());
}

void CopyBox(State* state, Input* input, void* host) {
  CUDA_MEMCPY3D box = {};
  box.srcXInBytes = input->Size();
  box.srcY = input->Size();
  box.srcZ = input->Size();
  box.srcPitch = input->Size();
  box.srcHeight = input->Size();
  box.dstXInBytes = input->Size();
  box.dstY = input->Size();
  box.dstZ = input->Size();
  box.dstPitch = input->Size();
  box.dstHeight = input->Size();
  box.WidthInBytes = input->Size();
  box.Height = input->Size();
  box.Depth = input->Size();
  // Of host memory one row that fits; all else is for the driver to check.
  const uint8_t kinds = input->Byte();
  auto kind = [](int bits) {
    return bits == 0 ? CU_MEMORYTYPE_ARRAY : bits == 1 ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
  };
  box.srcMemoryType = kind(kinds & 3);
  box.dstMemoryType = kind(kinds >> 2 & 3);
  if (box.srcMemoryType == CU_MEMORYTYPE_HOST || box.dstMemoryType == CU_MEMORYTYPE_HOST) {
    box.WidthInBytes %= kHost;
    box.Height = 1;
    box.Depth = 1;
    if (box.srcMemoryType == CU_MEMORYTYPE_HOST) box.srcXInBytes = box.srcY = box.srcZ = 0;
    if (box.dstMemoryType == CU_MEMORYTYPE_HOST) box.dstXInBytes = box.dstY = box.dstZ = 0;
  }
  box.srcHost = host;
  box.dstHost = host;
  box.srcDevice = state->Pointer(input);
  box.dstDevice = state->Pointer(input);
  box.srcArray = OneOf(state->arrays, input);
  box.dstArray = OneOf(state->arrays, input);
  cuMemcpy3DAsync_v2(&box, Stream(input));
}

void Step(State* state, Input* input, void* host) {
  CUdeviceptr pointer = 0;
  switch (input->Byte() % 24) {
    case 0:
      if (cuMemAlloc_v2(&pointer, input->Size()) == CUDA_SUCCESS) {
        state->pointers.push_back(pointer);
      }
      break;
    case 1:
      cuMemFree_v2(state->Pointer(input));
      break;
    case 2:
      cuMemcpyHtoD_v2(state->Pointer(input), host, input->Size() % kHost);
      break;
    case 3:
      cuMemcpyDtoH_v2(host, state->Pointer(input), input->Size() % kHost);
      break;
    case 4: {
      const CUdeviceptr to = state->Pointer(input);
      cuMemcpyDtoD_v2(to, state->Pointer(input), input->Size());
      break;
    }
    case 5:
      cuMemsetD8_v2(state->Pointer(input), input->Byte(), input->Size());
      break;
    case 6: {
      const CUdeviceptr to = state->Pointer(input);
      const size_t pitch = input->Size();
      const size_t width = input->Size();
      cuMemsetD2D32Async(to, pitch, input->Byte(), width, input->Size(), Stream(input));
      break;
    }
    case 7: {
      const size_t size = input->Byte() % 4 == 0 ? input->Size() : kGranule * (input->Byte() % 8);
      if (cuMemAddressReserve(&pointer, size, input->Size(), 0, 0) != CUDA_SUCCESS) break;
      if (size > kLargestReservation) {
        if (cuMemAddressFree(pointer, size) != CUDA_SUCCESS) abort();
      } else {
        state->reservations.push_back({pointer, size});
        for (size_t at = 0; at < size; at += kGranule) {
          state->pointers.push_back(pointer + at);
        }
      }
      break;
    }
    case 8: {
      CUmemAllocationProp properties = {};
      properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
      properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, input->Byte() % 8 == 0 ? 9 : 0};
      properties.requestedHandleTypes = static_cast<CUmemAllocationHandleType>(input->Byte() % 3);
      CUmemGenericAllocationHandle handle = 0;
      const size_t size = input->Byte() % 8 == 0 ? input->Size() : kGranule * (input->Byte() % 4);
      if (cuMemCreate(&handle, size, &properties, 0) == CUDA_SUCCESS) {
        state->physical.push_back(handle);
      }
      break;
    }
    case 9: {
      const CUdeviceptr at = state->Pointer(input);
      const size_t size = kGranule * (input->Byte() % 4);
      cuMemMap(at, size, kGranule * (input->Byte() % 2), OneOf(state->physical, input), 0);
      break;
    }
    case 10: {
      const CUdeviceptr at = state->Pointer(input);
      const CUmemAccessDesc access = {{CU_MEM_LOCATION_TYPE_DEVICE, input->Byte() % 2},
                                      static_cast<CUmemAccess_flags>(input->Byte() % 5)};
      cuMemSetAccess(at, kGranule * (input->Byte() % 4), &access, 1);
      break;
    }
    case 11: {
      const CUdeviceptr at = state->Pointer(input);
      cuMemUnmap(at, kGranule * (input->Byte() % 8));
      break;
    }
    case 12:
      cuMemRelease(OneOf(state->physical, input));
      break;
    case 13: {
      const CUdeviceptr at = state->Pointer(input);
      cuMemAddressFree(at, kGranule * (input->Byte() % 8));
      break;
    }
    case 14:
      if (cuMemAllocAsync(&pointer, input->Size(), Stream(input)) == CUDA_SUCCESS) {
        state->pointers.push_back(pointer);
      }
      break;
    case 15:
      cuMemFreeAsync(state->Pointer(input), Stream(input));
      break;
    case 16: {
      CUmemPoolProps properties = {};
      properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
      properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
      properties.maxSize = input->Size();
      CUmemoryPool pool = nullptr;
      if (cuMemPoolCreate(&pool, &properties) == CUDA_SUCCESS) state->pools.push_back(pool);
      break;
    }
    case 17:
      if (cuMemAllocFromPoolAsync(&pointer, input->Size(), OneOf(state->pools, input), nullptr) ==
          CUDA_SUCCESS) {
        state->pointers.push_back(pointer);
      }
      break;
    case 18:
      cuMemPoolDestroy(OneOf(state->pools, input));
      break;
    case 19: {
      const CUDA_ARRAY3D_DESCRIPTOR descriptor = {
          input->Byte() % 8 == 0 ? input->Size() : input->Byte(),
          input->Byte(),
          input->Byte(),
          static_cast<CUarray_format>(input->Byte() % 8 == 0 ? input->Byte() : 1),
          input->Byte() % 5u,
          input->Byte()};
      CUarray array = nullptr;
      CUmipmappedArray mipmapped = nullptr;
      if (input->Byte() % 2 == 0) {
        if (cuArray3DCreate_v2(&array, &descriptor) == CUDA_SUCCESS) state->arrays.push_back(array);
      } else if (cuMipmappedArrayCreate(&mipmapped, &descriptor, input->Byte()) == CUDA_SUCCESS) {
        state->mipmapped.push_back(mipmapped);
        if (cuMipmappedArrayGetLevel(&array, mipmapped, input->Byte() % 4) == CUDA_SUCCESS) {
          state->arrays.push_back(array);
        }
      }
      break;
    }
    case 20:
      if (input->Byte() % 2 == 0) {
        cuArrayDestroy(OneOf(state->arrays, input));
      } else {
        cuMipmappedArrayDestroy(OneOf(state->mipmapped, input));
      }
      break;
    case 21:
      CopyBox(state, input, host);
      break;
    case 22: {
      if (cuMemAllocManaged(&pointer, input->Size() % (1 << 24), CU_MEM_ATTACH_GLOBAL) ==
          CUDA_SUCCESS) {
        state->pointers.push_back(pointer);
      }
      const CUdeviceptr at = state->Pointer(input);
      const size_t size = input->Size();
      cuMemAdvise(at, size, static_cast<CUmem_advise>(input->Byte() % 8),
                  static_cast<int8_t>(input->Byte()));
      int answer[4];
      cuMemRangeGetAttribute(answer, input->Byte() % 2 == 0 ? 4 : 16,
                             static_cast<CUmem_range_attribute>(input->Byte() % 10), at, size);
      break;
    }
    case 23: {
      uint64_t value[2];
      const auto attribute = static_cast<CUpointer_attribute>(input->Byte() % 25);
      cuPointerGetAttribute(value, attribute, state->Pointer(input));
      size_t size = 0;
      cuMemGetAddressRange_v2(&pointer, &size, state->Pointer(input));
      CUcontext context = nullptr;
      if (input->Byte() % 4 == 0 && cuCtxCreate_v2(&context, 0, 0) == CUDA_SUCCESS) {
        state->contexts.push_back(context);
      } else if (input->Byte() % 4 == 0) {
        cuCtxDestroy_v2(OneOf(state->contexts, input));
      }
      break;
    }
  }
}

void Initialize() {
  const std::string path = "/tmp/vgpu-memory-fuzz." + std::to_string(getpid()) + ".toml";
  char uuid[48];
  std::snprintf(uuid, sizeof uuid, "GPU-%08x-0000-4000-8000-0000000f0221", getpid());
  std::ofstream(path) << "[[device]]\nmemory_mib = 16\nuuid = \"" << uuid << "\"\n";
  setenv("VGPU_CONFIG", path.c_str(), 1);
  if (cuInit(0) != CUDA_SUCCESS) abort();
  unlink(path.c_str());
}

void Clean(State* state) {
  for (CUcontext context : state->contexts) cuCtxDestroy_v2(context);
  while (cuCtxPopCurrent_v2(nullptr) == CUDA_SUCCESS) {
  }
  // One that frees what belongs to no context.
  CUcontext last = nullptr;
  if (cuCtxCreate_v2(&last, 0, 0) != CUDA_SUCCESS) abort();
  for (CUdeviceptr pointer : state->pointers) cuMemFree_v2(pointer);
  for (CUmemoryPool pool : state->pools) cuMemPoolDestroy(pool);
  for (const State::Reservation& reservation : state->reservations) {
    // Mappings begin at granules; the size of each is found out.
    for (size_t at = 0; at < reservation.size; at += kGranule) {
      for (size_t size = kGranule; size <= 4 * kGranule; size += kGranule) {
        if (cuMemUnmap(reservation.address + at, size) == CUDA_SUCCESS) break;
      }
    }
    cuMemAddressFree(reservation.address, reservation.size);
  }
  for (CUmemGenericAllocationHandle handle : state->physical) {
    while (cuMemRelease(handle) == CUDA_SUCCESS) {
    }
  }
  size_t free_bytes = 0;
  size_t total = 0;
  if (cuMemGetInfo_v2(&free_bytes, &total) != CUDA_SUCCESS || free_bytes != total) abort();
  cuCtxDestroy_v2(last);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool initialized = (Initialize(), true);
  static char host[kHost];
  if (!initialized || size > 4096) return 0;
  Input input(data, size);
  State state;
  CUcontext first = nullptr;
  if (cuCtxCreate_v2(&first, 0, 0) != CUDA_SUCCESS) abort();
  state.contexts.push_back(first);
  while (!input.Empty()) Step(&state, &input, host);
  Clean(&state);
  return 0;
}

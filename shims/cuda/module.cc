#include "shims/cuda/module.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "shims/cuda/export.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/image.h"
#include "shims/cuda/memory.h"
#include "shims/cuda/object.h"
#include "shims/cuda/occupancy.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {
namespace {

constexpr int kAssumedRegisters = 32;
constexpr int kMaxThreads = 1024;  // CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, since cc 2.0
constexpr off_t kMaxFile = off_t{1} << 32;

// Of an image that several modules come from: a library's in each context.
struct SharedImage {
  Image image;
  int references = 1;
};

struct FunctionSettings {
  int max_dynamic_shared_bytes = -1;  // -1: as the device has it without being asked
  int carveout = -1;
  int cluster[4] = {0, 0, 0, 0};  // must be set, width, height, depth
  int non_portable = 0;
  int cluster_policy = 0;
};

struct Module;

struct Function {
  CUfunction handle = nullptr;
  Module* module = nullptr;
  char* name = nullptr;  // owned
  ImageKernel kernel;    // its name is the image's
  FunctionSettings settings;
};

struct Variable {
  const ImageVariable* variable;
  Allocation* memory;
};

struct Library;

struct Module {
  CUmodule handle = nullptr;
  CUcontext context = nullptr;
  int ordinal = 0;
  Library* library = nullptr;  // that it belongs to, and with which it ends
  SharedImage* image = nullptr;
  List<Function*> functions;
  List<Variable> variables;
};

struct Kernel {
  CUkernel handle = nullptr;
  Library* library = nullptr;
  char* name = nullptr;  // owned
  ImageKernel kernel;
  FunctionSettings settings;
};

struct Library {
  CUlibrary handle = nullptr;
  SharedImage* image = nullptr;
  List<Kernel*> kernels;
};

constinit Handles<Module, HandleKind::kModule> g_modules;
constinit Handles<Function, HandleKind::kFunction> g_functions;
constinit Handles<Library, HandleKind::kLibrary> g_libraries;
constinit Handles<Kernel, HandleKind::kKernel> g_kernels;

void Drop(SharedImage* image) {
  if (--image->references == 0) Destroy(image);
}

void EndModule(Module* module) {
  for (Function* function : module->functions) {
    g_functions.Remove(function->handle);
    free(function->name);
    Destroy(function);
  }
  for (const Variable& variable : module->variables) Free(variable.memory);
  g_modules.Remove(module->handle);
  Drop(module->image);
  Destroy(module);
}

ComputeCapability Capability(int ordinal) {
  const device::Device& device = DeviceAt(ordinal);
  return {device.compute_major, device.compute_minor};
}

CUresult Read(const void* data, size_t size, int ordinal, SharedImage** image) {
  *image = Make<SharedImage>();
  if (*image == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  const CUresult error = ReadImage(data, size, Capability(ordinal), &(*image)->image);
  if (error != CUDA_SUCCESS) Destroy(*image);
  return error;
}

CUresult ReadFile(const char* path, int ordinal, SharedImage** image) {
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return CUDA_ERROR_FILE_NOT_FOUND;
  struct stat about;
  CUresult result = CUDA_ERROR_FILE_NOT_FOUND;
  if (fstat(file, &about) == 0 && S_ISREG(about.st_mode)) {
    result = CUDA_ERROR_INVALID_IMAGE;
    if (about.st_size > 0 && about.st_size <= kMaxFile) {
      const auto size = static_cast<size_t>(about.st_size);
      auto* data = static_cast<char*>(malloc(size));
      size_t have = 0;
      while (data != nullptr && have < size) {
        const ssize_t count = read(file, data + have, size - have);
        if (count <= 0) break;
        have += static_cast<size_t>(count);
      }
      result = data == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : Read(data, have, ordinal, image);
      free(data);
    }
  }
  close(file);
  return result;
}

// Takes `image`, whatever the result.
CUresult AddModule(const Context* context, SharedImage* image, Library* library, Module** out) {
  auto* module = Make<Module>();
  if (module != nullptr) module->handle = reinterpret_cast<CUmodule>(g_modules.Add(module));
  if (module == nullptr || module->handle == nullptr) {
    Destroy(module);
    Drop(image);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  module->context = context->handle;
  module->ordinal = context->ordinal;
  module->image = image;
  module->library = library;
  *out = module;
  return CUDA_SUCCESS;
}

// `path` null: `data` is the image.
CUresult Load(CUmodule* out, const void* data, const char* path, bool from_file) {
  Call call;
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  if (out == nullptr || (from_file ? path == nullptr : data == nullptr)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  SharedImage* image = nullptr;
  const CUresult read = from_file ? ReadFile(path, context->ordinal, &image)
                                  : Read(data, kUnknownSize, context->ordinal, &image);
  if (read != CUDA_SUCCESS) return read;
  Module* module;
  if (CUresult error = AddModule(context, image, nullptr, &module)) return error;
  *out = module->handle;
  return CUDA_SUCCESS;
}

// A copy of the kernel of this name, as the image has it. NOT_FOUND: it has none.
CUresult FindKernel(const Image& image, const char* name, ImageKernel* kernel) {
  const ImageKernel* found = image.FindKernel(name);
  if (found == nullptr && !(image.opaque && *name != '\0')) return CUDA_ERROR_NOT_FOUND;
  *kernel = found == nullptr ? ImageKernel() : *found;
  return CUDA_SUCCESS;
}

CUresult GetFunction(Module* module, const char* name, Function** out) {
  for (Function* function : module->functions) {
    if (strcmp(function->name, name) == 0) {
      *out = function;
      return CUDA_SUCCESS;
    }
  }
  ImageKernel kernel;
  if (CUresult error = FindKernel(module->image->image, name, &kernel)) return error;
  auto* function = Make<Function>();
  if (function == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  function->module = module;
  function->kernel = kernel;
  function->name = strdup(name);
  function->handle = reinterpret_cast<CUfunction>(g_functions.Add(function));
  if (function->name == nullptr || function->handle == nullptr ||
      !module->functions.Push(function)) {
    if (function->handle != nullptr) g_functions.Remove(function->handle);
    free(function->name);
    Destroy(function);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *out = function;
  return CUDA_SUCCESS;
}

CUresult GetVariable(const Call& call, Module* module, const char* name, CUdeviceptr* address,
                     size_t* bytes) {
  const ImageVariable* variable = module->image->image.FindVariable(name);
  if (variable == nullptr) return CUDA_ERROR_NOT_FOUND;
  Allocation* memory = nullptr;
  for (const Variable& known : module->variables) {
    if (known.variable == variable) memory = known.memory;
  }
  if (memory == nullptr) {
    Context* context;
    if (CUresult error = call.ContextOf(module->context, &context)) return error;
    const MemoryRequest request = {.owned = false};
    const size_t size = std::max<size_t>(variable->bytes, 1);
    if (CUresult error = Allocate(context, module->ordinal, size, request, &memory)) return error;
    if (!module->variables.Push({variable, memory})) {
      Free(memory);
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
    if (variable->initial != nullptr) {
      memcpy(reinterpret_cast<void*>(memory->range.begin), variable->initial, variable->bytes);
    }
  }
  if (address != nullptr) *address = memory->range.begin;
  if (bytes != nullptr) *bytes = variable->bytes;
  return CUDA_SUCCESS;
}

CUresult FindModule(const Call& call, CUmodule handle, Module** module) {
  if (CUresult error = call.Current()) return error;
  *module = g_modules.Find(handle);
  return *module == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

// --- What is known of a function

int OptinSharedBytes(int ordinal, const ImageKernel& kernel) {
  return std::max(0, DeviceAt(ordinal).profile->shared_memory_per_block_optin -
                         std::max(0, kernel.shared_bytes));
}

int MaxDynamicSharedBytes(int ordinal, const ImageKernel& kernel,
                          const FunctionSettings& settings) {
  if (settings.max_dynamic_shared_bytes >= 0) return settings.max_dynamic_shared_bytes;
  return std::max(
      0, DeviceAt(ordinal).profile->shared_memory_per_block - std::max(0, kernel.shared_bytes));
}

int Registers(const ImageKernel& kernel) {
  return kernel.registers < 0 ? kAssumedRegisters : kernel.registers;
}

// As many as the kernel was compiled for, and as its registers let run.
int MaxThreads(int ordinal, const ImageKernel& kernel) {
  int threads = kernel.max_threads < 1 ? kMaxThreads : std::min(kernel.max_threads, kMaxThreads);
  const KernelNeeds needs = {.registers = Registers(kernel)};
  while (threads > 32 && ActiveBlocks(DeviceAt(ordinal), needs, threads) == 0) threads -= 32;
  return threads;
}

CUresult GetAttribute(int ordinal, const Image& image, const ImageKernel& kernel,
                      const FunctionSettings& settings, CUfunction_attribute attribute,
                      int* value) {
  const ComputeCapability capability = Capability(ordinal);
  const int architecture = 10 * capability.major + capability.minor;
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      *value = MaxThreads(ordinal, kernel);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      *value = std::max(0, kernel.shared_bytes);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
      *value = std::max(0, kernel.local_bytes);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_NUM_REGS:
      *value = Registers(kernel);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
      *value = image.ptx_target != 0       ? image.ptx_target
               : image.binary_version != 0 ? image.binary_version
                                           : architecture;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
      *value = image.binary_version != 0 ? image.binary_version : architecture;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      *value = MaxDynamicSharedBytes(ordinal, kernel, settings);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      *value = settings.carveout;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
      *value = settings.cluster[attribute - CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET];
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      *value = settings.non_portable;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      *value = settings.cluster_policy;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
    case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
      *value = 0;
      return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult SetAttribute(int ordinal, const ImageKernel& kernel, CUfunction_attribute attribute,
                      int value, FunctionSettings* settings) {
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      if (value < 0 || value > OptinSharedBytes(ordinal, kernel)) return CUDA_ERROR_INVALID_VALUE;
      settings->max_dynamic_shared_bytes = value;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      if (value < -1 || value > 100) return CUDA_ERROR_INVALID_VALUE;
      settings->carveout = value;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
      if (value < 0) return CUDA_ERROR_INVALID_VALUE;
      settings->cluster[attribute - CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET] = value;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      if (value != 0 && value != 1) return CUDA_ERROR_INVALID_VALUE;
      settings->non_portable = value;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      if (value < 0 || value > 2) return CUDA_ERROR_INVALID_VALUE;
      settings->cluster_policy = value;
      return CUDA_SUCCESS;
    default:  // the others are what the function is
      return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult FindFunction(const Call& call, CUfunction handle, Function** function) {
  if (CUresult error = call.status()) return error;
  *function = g_functions.Find(handle);
  return *function == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

CUresult FindKernel(const Call& call, CUkernel handle, Kernel** kernel) {
  if (CUresult error = call.status()) return error;
  *kernel = g_kernels.Find(handle);
  return *kernel == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

// --- Libraries: images that are loaded into each context when it first asks

CUresult LoadLibrary(CUlibrary* out, const void* data, const char* path, bool from_file) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (out == nullptr || (from_file ? path == nullptr : data == nullptr)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  // Of several devices the first decides which part of a fat binary counts.
  SharedImage* image = nullptr;
  const CUresult read = from_file ? ReadFile(path, 0, &image) : Read(data, kUnknownSize, 0, &image);
  if (read != CUDA_SUCCESS) return read;
  auto* library = Make<Library>();
  if (library != nullptr) library->handle = reinterpret_cast<CUlibrary>(g_libraries.Add(library));
  if (library == nullptr || library->handle == nullptr) {
    Destroy(library);
    Drop(image);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  library->image = image;
  *out = library->handle;
  return CUDA_SUCCESS;
}

CUresult FindLibrary(const Call& call, CUlibrary handle, Library** library) {
  if (CUresult error = call.status()) return error;
  *library = g_libraries.Find(handle);
  return *library == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

CUresult GetKernel(Library* library, const char* name, Kernel** out) {
  for (Kernel* kernel : library->kernels) {
    if (strcmp(kernel->name, name) == 0) {
      *out = kernel;
      return CUDA_SUCCESS;
    }
  }
  ImageKernel about;
  if (CUresult error = FindKernel(library->image->image, name, &about)) return error;
  auto* kernel = Make<Kernel>();
  if (kernel == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  kernel->library = library;
  kernel->kernel = about;
  kernel->name = strdup(name);
  kernel->handle = reinterpret_cast<CUkernel>(g_kernels.Add(kernel));
  if (kernel->name == nullptr || kernel->handle == nullptr || !library->kernels.Push(kernel)) {
    if (kernel->handle != nullptr) g_kernels.Remove(kernel->handle);
    free(kernel->name);
    Destroy(kernel);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *out = kernel;
  return CUDA_SUCCESS;
}

// The library's module in the calling thread's context.
CUresult ModuleOf(const Call& call, Library* library, Module** out) {
  Context* context;
  if (CUresult error = call.Current(&context)) return error;
  *out = nullptr;
  g_modules.ForEach([&](uintptr_t, Module* module) {
    if (module->library == library && module->context == context->handle) *out = module;
  });
  if (*out != nullptr) return CUDA_SUCCESS;
  ++library->image->references;
  return AddModule(context, library->image, library, out);
}

// --- Occupancy

CUresult Blocks(int* blocks, CUfunction handle, int block_size, size_t dynamic_bytes,
                unsigned flags) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  if (blocks == nullptr || block_size <= 0 ||
      (flags & ~CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE) != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const int ordinal = function->module->ordinal;
  if (block_size > MaxThreads(ordinal, function->kernel)) {
    *blocks = 0;
    return CUDA_SUCCESS;
  }
  const KernelNeeds needs = {
      .registers = Registers(function->kernel),
      .shared_bytes =
          dynamic_bytes + static_cast<size_t>(std::max(0, function->kernel.shared_bytes))};
  *blocks = ActiveBlocks(DeviceAt(ordinal), needs, block_size);
  return CUDA_SUCCESS;
}

// The block size with which most threads run at once; of several, the largest.
CUresult BestBlockSize(int* grid, int* best, CUfunction handle, CUoccupancyB2DSize bytes_of,
                       size_t dynamic_bytes, int limit, unsigned flags) {
  int max_threads;
  int multiprocessors;
  {
    Call call;
    Function* function;
    if (CUresult error = FindFunction(call, handle, &function)) return error;
    if (grid == nullptr || best == nullptr || limit < 0 ||
        (flags & ~CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE) != 0) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    max_threads = MaxThreads(function->module->ordinal, function->kernel);
    multiprocessors = DeviceAt(function->module->ordinal).profile->multiprocessors;
  }
  if (limit == 0 || limit > max_threads) limit = max_threads;
  int most = 0;
  for (int size = limit; size > 0;) {
    // The program's function is called without the lock.
    const size_t bytes = bytes_of == nullptr ? dynamic_bytes : bytes_of(size);
    int blocks;
    if (CUresult error = Blocks(&blocks, handle, size, bytes, flags)) return error;
    if (blocks * size > most) {
      most = blocks * size;
      *best = size;
      *grid = blocks * multiprocessors;
    }
    size = size % 32 == 0 ? size - 32 : size / 32 * 32;
  }
  return most == 0 ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

}  // namespace

bool FindFunctionInfo(CUfunction handle, const Context* context, FunctionInfo* info) {
  if (const Function* function = g_functions.Find(handle)) {
    const int ordinal = function->module->ordinal;
    *info = {function->name, MaxThreads(ordinal, function->kernel),
             MaxDynamicSharedBytes(ordinal, function->kernel, function->settings)};
    return true;
  }
  const Kernel* kernel = g_kernels.Find(handle);
  if (kernel == nullptr) return false;
  *info = {kernel->name, MaxThreads(context->ordinal, kernel->kernel),
           MaxDynamicSharedBytes(context->ordinal, kernel->kernel, kernel->settings)};
  return true;
}

void EndModules(const Context* context) {
  g_modules.ForEach([context](uintptr_t, Module* module) {
    if (module->context == context->handle) EndModule(module);
  });
}

}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

#define VGPU_API extern "C" VGPU_EXPORT CUresult

VGPU_API cuModuleLoad(CUmodule* module, const char* path) {
  return Load(module, nullptr, path, true);
}
VGPU_API cuModuleLoadData(CUmodule* module, const void* image) {
  return Load(module, image, nullptr, false);
}
// Options say how PTX is to be compiled. Nothing is: the logs that a program asks for stay empty.
VGPU_API cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, int*, void**) {
  return Load(module, image, nullptr, false);
}
VGPU_API cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return Load(module, image, nullptr, false);
}

VGPU_API cuModuleUnload(CUmodule handle) {
  Call call;
  Module* module;
  if (CUresult error = FindModule(call, handle, &module)) return error;
  // A library's module ends with it.
  if (module->library != nullptr) return CUDA_ERROR_NOT_PERMITTED;
  EndModule(module);
  return CUDA_SUCCESS;
}

VGPU_API cuModuleGetLoadingMode(int* mode) {
  if (mode == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const char* asked = getenv("CUDA_MODULE_LOADING");
  *mode = asked != nullptr && strcmp(asked, "EAGER") == 0 ? CU_MODULE_EAGER_LOADING
                                                          : CU_MODULE_LAZY_LOADING;
  return CUDA_SUCCESS;
}

VGPU_API cuModuleGetFunction(CUfunction* out, CUmodule handle, const char* name) {
  Call call;
  Module* module;
  if (CUresult error = FindModule(call, handle, &module)) return error;
  if (out == nullptr || name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  Function* function;
  if (CUresult error = GetFunction(module, name, &function)) return error;
  *out = function->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuModuleGetFunctionCount(unsigned* count, CUmodule handle) {
  Call call;
  Module* module;
  if (CUresult error = FindModule(call, handle, &module)) return error;
  if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (module->image->image.opaque) return CUDA_ERROR_NOT_SUPPORTED;
  *count = static_cast<unsigned>(module->image->image.kernels.size());
  return CUDA_SUCCESS;
}

VGPU_API cuModuleEnumerateFunctions(CUfunction* out, unsigned count, CUmodule handle) {
  Call call;
  Module* module;
  if (CUresult error = FindModule(call, handle, &module)) return error;
  if (out == nullptr || count == 0) return CUDA_ERROR_INVALID_VALUE;
  const Image& image = module->image->image;
  if (image.opaque) return CUDA_ERROR_NOT_SUPPORTED;
  for (size_t i = 0; i < count && i < image.kernels.size(); ++i) {
    Function* function;
    if (CUresult error = GetFunction(module, image.kernels[i].name, &function)) return error;
    out[i] = function->handle;
  }
  return CUDA_SUCCESS;
}

VGPU_API cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule handle,
                              const char* name) {
  Call call;
  Module* module;
  if (CUresult error = FindModule(call, handle, &module)) return error;
  if (name == nullptr || (address == nullptr && bytes == nullptr)) return CUDA_ERROR_INVALID_VALUE;
  return GetVariable(call, module, name, address, bytes);
}

VGPU_API cuFuncGetModule(CUmodule* module, CUfunction handle) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  if (module == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *module = function->module->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuFuncGetName(const char** name, CUfunction handle) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *name = function->name;
  return CUDA_SUCCESS;
}

// CU_FUNCTION_LOADING_STATE_LOADED is 1.
VGPU_API cuFuncIsLoaded(int* state, CUfunction handle) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  if (state == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *state = 1;
  return CUDA_SUCCESS;
}

VGPU_API cuFuncLoad(CUfunction handle) {
  Call call;
  Function* function;
  return FindFunction(call, handle, &function);
}

VGPU_API cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction handle) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return GetAttribute(function->module->ordinal, function->module->image->image, function->kernel,
                      function->settings, attribute, value);
}

VGPU_API cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  return SetAttribute(function->module->ordinal, function->kernel, attribute, value,
                      &function->settings);
}

// Preferences for hardware that is not there: what they may be is checked.
VGPU_API cuFuncSetCacheConfig(CUfunction handle, CUfunc_cache config) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  return config < CU_FUNC_CACHE_PREFER_NONE || config > CU_FUNC_CACHE_PREFER_EQUAL
             ? CUDA_ERROR_INVALID_VALUE
             : CUDA_SUCCESS;
}

VGPU_API cuFuncSetSharedMemConfig(CUfunction handle, CUsharedconfig config) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  return config < CU_SHARED_MEM_CONFIG_DEFAULT_BANK_SIZE ||
                 config > CU_SHARED_MEM_CONFIG_EIGHT_BYTE_BANK_SIZE
             ? CUDA_ERROR_INVALID_VALUE
             : CUDA_SUCCESS;
}

VGPU_API cuLibraryLoadData(CUlibrary* library, const void* code, int*, void**, unsigned, int*,
                           void**, unsigned) {
  return LoadLibrary(library, code, nullptr, false);
}
VGPU_API cuLibraryLoadFromFile(CUlibrary* library, const char* path, int*, void**, unsigned, int*,
                               void**, unsigned) {
  return LoadLibrary(library, nullptr, path, true);
}

VGPU_API cuLibraryUnload(CUlibrary handle) {
  Call call;
  Library* library;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  g_modules.ForEach([library](uintptr_t, Module* module) {
    if (module->library == library) EndModule(module);
  });
  for (Kernel* kernel : library->kernels) {
    g_kernels.Remove(kernel->handle);
    free(kernel->name);
    Destroy(kernel);
  }
  g_libraries.Remove(handle);
  Drop(library->image);
  Destroy(library);
  return CUDA_SUCCESS;
}

VGPU_API cuLibraryGetKernel(CUkernel* out, CUlibrary handle, const char* name) {
  Call call;
  Library* library;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  if (out == nullptr || name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  Kernel* kernel;
  if (CUresult error = GetKernel(library, name, &kernel)) return error;
  *out = kernel->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuLibraryGetKernelCount(unsigned* count, CUlibrary handle) {
  Call call;
  Library* library;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (library->image->image.opaque) return CUDA_ERROR_NOT_SUPPORTED;
  *count = static_cast<unsigned>(library->image->image.kernels.size());
  return CUDA_SUCCESS;
}

VGPU_API cuLibraryEnumerateKernels(CUkernel* out, unsigned count, CUlibrary handle) {
  Call call;
  Library* library;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  if (out == nullptr || count == 0) return CUDA_ERROR_INVALID_VALUE;
  const Image& image = library->image->image;
  if (image.opaque) return CUDA_ERROR_NOT_SUPPORTED;
  for (size_t i = 0; i < count && i < image.kernels.size(); ++i) {
    Kernel* kernel;
    if (CUresult error = GetKernel(library, image.kernels[i].name, &kernel)) return error;
    out[i] = kernel->handle;
  }
  return CUDA_SUCCESS;
}

VGPU_API cuLibraryGetModule(CUmodule* out, CUlibrary handle) {
  Call call;
  Library* library;
  Module* module;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = ModuleOf(call, library, &module)) return error;
  *out = module->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuLibraryGetGlobal(CUdeviceptr* address, size_t* bytes, CUlibrary handle,
                            const char* name) {
  Call call;
  Library* library;
  Module* module;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  if (name == nullptr || (address == nullptr && bytes == nullptr)) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = ModuleOf(call, library, &module)) return error;
  return GetVariable(call, module, name, address, bytes);
}

// Neither exists here: managed variables and functions for host and device are the work of a
// compiler whose tables come with the image, which is not unpacked.
VGPU_API cuLibraryGetManaged(CUdeviceptr* address, size_t* bytes, CUlibrary handle,
                             const char* name) {
  Call call;
  Library* library;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  return name == nullptr || (address == nullptr && bytes == nullptr) ? CUDA_ERROR_INVALID_VALUE
                                                                     : CUDA_ERROR_NOT_FOUND;
}
VGPU_API cuLibraryGetUnifiedFunction(void** function, CUlibrary handle, const char* name) {
  Call call;
  Library* library;
  if (CUresult error = FindLibrary(call, handle, &library)) return error;
  return name == nullptr || function == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_NOT_FOUND;
}

VGPU_API cuKernelGetFunction(CUfunction* out, CUkernel handle) {
  Call call;
  Kernel* kernel;
  Module* module;
  Function* function;
  if (CUresult error = FindKernel(call, handle, &kernel)) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = ModuleOf(call, kernel->library, &module)) return error;
  if (CUresult error = GetFunction(module, kernel->name, &function)) return error;
  *out = function->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuKernelGetLibrary(CUlibrary* out, CUkernel handle) {
  Call call;
  Kernel* kernel;
  if (CUresult error = FindKernel(call, handle, &kernel)) return error;
  if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *out = kernel->library->handle;
  return CUDA_SUCCESS;
}

VGPU_API cuKernelGetName(const char** name, CUkernel handle) {
  Call call;
  Kernel* kernel;
  if (CUresult error = FindKernel(call, handle, &kernel)) return error;
  if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *name = kernel->name;
  return CUDA_SUCCESS;
}

VGPU_API cuKernelGetAttribute(int* value, CUfunction_attribute attribute, CUkernel handle,
                              CUdevice ordinal) {
  Call call;
  Kernel* kernel;
  const vgpu::device::Device* device;
  if (CUresult error = FindKernel(call, handle, &kernel)) return error;
  if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return GetAttribute(ordinal, kernel->library->image->image, kernel->kernel, kernel->settings,
                      attribute, value);
}

VGPU_API cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel handle,
                              CUdevice ordinal) {
  Call call;
  Kernel* kernel;
  const vgpu::device::Device* device;
  if (CUresult error = FindKernel(call, handle, &kernel)) return error;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return SetAttribute(ordinal, kernel->kernel, attribute, value, &kernel->settings);
}

VGPU_API cuKernelSetCacheConfig(CUkernel handle, CUfunc_cache config, CUdevice ordinal) {
  Call call;
  Kernel* kernel;
  const vgpu::device::Device* device;
  if (CUresult error = FindKernel(call, handle, &kernel)) return error;
  if (CUresult error = call.Device(ordinal, &device)) return error;
  return config < CU_FUNC_CACHE_PREFER_NONE || config > CU_FUNC_CACHE_PREFER_EQUAL
             ? CUDA_ERROR_INVALID_VALUE
             : CUDA_SUCCESS;
}

VGPU_API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function,
                                                     int block_size, size_t dynamic_bytes) {
  return Blocks(blocks, function, block_size, dynamic_bytes, 0);
}
VGPU_API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function,
                                                              int block_size, size_t dynamic_bytes,
                                                              unsigned flags) {
  return Blocks(blocks, function, block_size, dynamic_bytes, flags);
}
VGPU_API cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction function,
                                          CUoccupancyB2DSize bytes_of, size_t dynamic_bytes,
                                          int limit) {
  return BestBlockSize(grid, block, function, bytes_of, dynamic_bytes, limit, 0);
}
VGPU_API cuOccupancyMaxPotentialBlockSizeWithFlags(int* grid, int* block, CUfunction function,
                                                   CUoccupancyB2DSize bytes_of,
                                                   size_t dynamic_bytes, int limit,
                                                   unsigned flags) {
  return BestBlockSize(grid, block, function, bytes_of, dynamic_bytes, limit, flags);
}
VGPU_API cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, CUfunction handle, int blocks,
                                                 int block_size) {
  Call call;
  Function* function;
  if (CUresult error = FindFunction(call, handle, &function)) return error;
  if (bytes == nullptr || blocks <= 0 || block_size <= 0 ||
      block_size > MaxThreads(function->module->ordinal, function->kernel)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  const KernelNeeds needs = {
      .registers = Registers(function->kernel),
      .shared_bytes = static_cast<size_t>(std::max(0, function->kernel.shared_bytes))};
  const vgpu::device::Device& device = DeviceAt(function->module->ordinal);
  if (blocks > ActiveBlocks(device, needs, block_size)) return CUDA_ERROR_INVALID_VALUE;
  *bytes = AvailableSharedBytes(device, needs, blocks);
  return CUDA_SUCCESS;
}

#include "shims/cudart/registration.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shims/base/mutex.h"
#include "shims/cudart/api.h"
#include "shims/cudart/host_table.h"
#include "shims/cudart/thread.h"

namespace vgpu::cudart {
namespace {

struct Kernel {
  const void* host;
  Kernel* in_bucket;
  Kernel* in_image;
  const char* name;
  KernelSettings settings;
};

// Memory of a variable on one device.
struct Home {
  int device;
  void* address;
  Home* next;
};

struct Variable {
  const void* host;
  Variable* in_bucket;
  Variable* in_image;
  const char* name;
  size_t size;
  void** managed;  // where the program reads its address; null: not a managed one
  Home* homes;
  bool touched;
};

struct Image {
  // What a program that looks behind its handle finds, as with NVIDIA's: what it registered.
  void* wrapper;
  const void* host;  // the image's own address, by which it is found
  Image* in_bucket;
  Kernel* kernels;
  Variable* variables;
};

// Never held across a call of the driver: at fork(2) both locks are taken, the driver's first.
constinit Mutex mutex;
constinit HostTable<Image> images;
constinit HostTable<Kernel> kernels;
constinit HostTable<Variable> variables;
constinit bool watches_fork = false;

void WatchFork() {
  if (watches_fork) return;
  watches_fork = true;
  pthread_atfork([] { mutex.Lock(); }, [] { mutex.Unlock(); }, [] { mutex.Unlock(); });
}

template <typename T>
T* New() {
  return static_cast<T*>(calloc(1, sizeof(T)));
}

void AddVariable(void** handle, const void* host, const char* name, size_t size, void** managed) {
  ErrnoKeeper keeper;
  MutexLock lock(mutex);
  Image* image = images.Find(handle);
  if (image == nullptr) return;
  auto* variable = New<Variable>();
  if (variable == nullptr) return;
  variable->host = host;
  variable->name = name;
  variable->size = size;
  variable->managed = managed;
  if (!variables.Insert(variable)) {
    free(variable);
    return;
  }
  variable->in_image = image->variables;
  image->variables = variable;
}

Home* FindHome(const Variable& variable, int device) {
  Home* home = variable.homes;
  // Managed memory is at one address for all devices.
  while (home != nullptr && home->device != device && variable.managed == nullptr) {
    home = home->next;
  }
  return home;
}

}  // namespace

bool FindKernel(const void* host, KernelInfo* kernel) {
  MutexLock lock(mutex);
  const Kernel* found = kernels.Find(host);
  if (found == nullptr) return false;
  *kernel = {found->name, found->settings};
  return true;
}

bool SetKernelSettings(const void* host, const KernelSettings& settings) {
  MutexLock lock(mutex);
  Kernel* found = kernels.Find(host);
  if (found == nullptr) return false;
  found->settings = settings;
  return true;
}

bool FindVariable(const void* host, VariableInfo* variable) {
  MutexLock lock(mutex);
  const Variable* found = variables.Find(host);
  if (found == nullptr) return false;
  *variable = {found->name, found->size, found->touched};
  return true;
}

cudaError_t VariableAddress(const Driver& driver, const void* host, int device, void** address) {
  size_t size = 0;
  bool managed = false;
  {
    MutexLock lock(mutex);
    Variable* variable = variables.Find(host);
    if (variable == nullptr) return cudaErrorInvalidSymbol;
    if (Home* home = FindHome(*variable, device)) {
      variable->touched = true;
      *address = home->address;
      return cudaSuccess;
    }
    size = variable->size;
    managed = variable->managed != nullptr;
  }
  auto* home = New<Home>();
  if (home == nullptr) return cudaErrorMemoryAllocation;
  home->device = device;
  CUresult result = managed ? driver.cuMemAllocManaged(&home->address, size, CU_MEM_ATTACH_GLOBAL)
                            : driver.cuMemAlloc_v2(&home->address, size);
  if (result == CUDA_SUCCESS) result = driver.cuMemsetD8_v2(home->address, 0, size);
  if (result != CUDA_SUCCESS) {
    if (home->address != nullptr) driver.cuMemFree_v2(home->address);
    free(home);
    return FromDriver(result);
  }
  void* unused = home->address;
  cudaError_t error = cudaSuccess;
  {
    MutexLock lock(mutex);
    Variable* variable = variables.Find(host);
    Home* other = variable == nullptr ? nullptr : FindHome(*variable, device);
    if (variable == nullptr) {
      error = cudaErrorInvalidSymbol;
    } else if (other != nullptr) {
      variable->touched = true;
      *address = other->address;
    } else {
      home->next = variable->homes;
      variable->homes = home;
      variable->touched = true;
      if (variable->managed != nullptr) *variable->managed = home->address;
      *address = home->address;
      home = nullptr;
    }
  }
  if (home != nullptr) {
    driver.cuMemFree_v2(unused);
    free(home);
  }
  return error;
}

void ForgetVariables(int device) {
  MutexLock lock(mutex);
  variables.ForEach([device](Variable& variable) {
    for (Home** at = &variable.homes; *at != nullptr;) {
      Home* home = *at;
      if (home->device != device) {
        at = &home->next;
        continue;
      }
      *at = home->next;
      free(home);
      // Zeroed or not: no longer what the program wrote.
      if (variable.homes == nullptr) variable.touched = false;
    }
  });
}

// What compilers emit (clang/lib/CodeGen/CGCUDANV.cpp). A handle that is none is not looked at.

void** __cudaRegisterFatBinary(void* wrapper) {
  ErrnoKeeper keeper;
  MutexLock lock(mutex);
  WatchFork();
  auto* image = New<Image>();
  if (image == nullptr) return nullptr;
  image->wrapper = wrapper;
  image->host = image;
  if (!images.Insert(image)) {
    free(image);
    return nullptr;
  }
  return reinterpret_cast<void**>(image);
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void** handle) {
  ErrnoKeeper keeper;
  Home* homes = nullptr;
  {
    MutexLock lock(mutex);
    Image* image = images.Find(handle);
    if (image == nullptr) return;
    while (Kernel* kernel = image->kernels) {
      image->kernels = kernel->in_image;
      kernels.Remove(kernel);
      free(kernel);
    }
    while (Variable* variable = image->variables) {
      image->variables = variable->in_image;
      variables.Remove(variable);
      while (Home* home = variable->homes) {
        variable->homes = home->next;
        home->next = homes;
        homes = home;
      }
      free(variable);
    }
    images.Remove(image);
    free(image);
    if (images.empty()) {  // the library may be closed next
      images.Clear();
      kernels.Clear();
      variables.Clear();
    }
  }
  // The driver is there: it gave the memory.
  while (Home* home = homes) {
    homes = home->next;
    if (const Driver* driver = FoundDriver()) driver->cuMemFree_v2(home->address);
    free(home);
  }
}

void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, void*,
                            void*, dim3*, dim3*, int*) {
  ErrnoKeeper keeper;
  MutexLock lock(mutex);
  Image* image = images.Find(handle);
  if (image == nullptr) return;
  auto* kernel = New<Kernel>();
  if (kernel == nullptr) return;
  kernel->host = host;
  kernel->name = name;
  kernel->settings = KernelSettings();
  if (!kernels.Insert(kernel)) {
    free(kernel);
    return;
  }
  kernel->in_image = image->kernels;
  image->kernels = kernel;
}

void __cudaRegisterVar(void** handle, char* host, char*, const char* name, int, size_t size, int,
                       int) {
  AddVariable(handle, host, name, size, nullptr);
}

void __cudaRegisterManagedVar(void** handle, void** host, char*, const char* name, int, size_t size,
                              int, int) {
  AddVariable(handle, host, name, size, host);
}

// Host memory that device code would see: there is no device code that runs.
void __cudaRegisterHostVar(void**, const char*, char*, size_t) {}
void __cudaRegisterUnifiedTable(void**, void*, size_t, void*, size_t) {}

// Managed variables of an image get their memory before the program reads them. 0: they have none,
// and the program asks again.
char __cudaInitModule(void** handle) {
  cudaError_t error = WithContext([&](const Driver& driver) {
    int device = CurrentDevice(driver);
    for (;;) {
      const void* next = nullptr;
      {
        MutexLock lock(mutex);
        Image* image = images.Find(handle);
        Variable* variable = image == nullptr ? nullptr : image->variables;
        while (variable != nullptr &&
               (variable->managed == nullptr || variable->homes != nullptr)) {
          variable = variable->in_image;
        }
        if (variable == nullptr) return cudaSuccess;
        next = variable->host;
      }
      void* address = nullptr;
      if (cudaError_t failed = VariableAddress(driver, next, device, &address);
          failed != cudaSuccess) {
        return failed;
      }
    }
  });
  return error == cudaSuccess;
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared_memory,
                                     cudaStream_t stream) {
  if (thread.configurations == Thread::kMaxConfigurations) {
    Record(cudaErrorLaunchOutOfResources);
    return 1;  // the program leaves out the launch
  }
  thread.configuration[thread.configurations++] = {grid, block, shared_memory, stream};
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared_memory,
                                       void* stream) {
  if (thread.configurations == 0) return Record(cudaErrorMissingConfiguration);
  const CallConfiguration& top = thread.configuration[--thread.configurations];
  if (grid != nullptr) *grid = top.grid;
  if (block != nullptr) *block = top.block;
  if (shared_memory != nullptr) *shared_memory = top.shared_memory;
  if (stream != nullptr) memcpy(stream, &top.stream, sizeof(top.stream));
  return cudaSuccess;
}

#if VGPU_CUDART_MAJOR == 13
// Exported since CUDA 13.1, with a prototype that no public header has. Null is "there is none" for
// every kind of pointer that it may return.
void* __cudaGetProcAddress() { return nullptr; }
#endif

}  // namespace vgpu::cudart

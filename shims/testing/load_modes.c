// Loads the shims in the ways in which programs do, and lives with them as programs do.
//
//   load_modes reopen LIBRARY FUNCTION FILE   dlopen, call, dlclose, many times; then fork
//   load_modes one [LIBRARY SYMBOL]...     dlopen finds what is loaded already: one copy of it
//   load_modes threads                     many threads with contexts and memory of their own
//   load_modes fork                        children of a program whose threads use the shims
//   load_modes spawn PROGRAM               vfork and exec, from many threads
//
// Compiled with -DLINKED it also needs the libraries by NEEDED, and calls one function of each.
// Exit status 1: something is not as it should be, and standard error says what.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LINKED
int cuDriverGetVersion(int*);
int nvmlSystemGetCudaDriverVersion(int*);
int cudaRuntimeGetVersion(int*);
#endif

static void Fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void Expect(const char* what, int good) {
  if (!good) Fail(what, "is not so");
}

static void* Open(const char* name) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) Fail(name, dlerror());
  return library;
}

static void* Find(void* library, const char* name) {
  void* symbol = dlsym(library, name);
  if (symbol == NULL) Fail(name, dlerror());
  return symbol;
}

static int Mapped(const char* part) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[4096];
  int found = 0;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    if (strstr(line, part) != NULL) found = 1;
  }
  if (maps != NULL) fclose(maps);
  return found;
}

static int Threads(void) {
  DIR* directory = opendir("/proc/self/task");
  int count = 0;
  while (directory != NULL && readdir(directory) != NULL) ++count;
  if (directory != NULL) closedir(directory);
  return count - 2;
}

static int OpenFiles(void) {
  DIR* directory = opendir("/proc/self/fd");
  int count = 0;
  while (directory != NULL && readdir(directory) != NULL) ++count;
  if (directory != NULL) closedir(directory);
  return count;
}

static void WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) Fail("waitpid", strerror(errno));
  }
  if (status != 0) {
    fprintf(stderr, "a child ended with wait status %#x\n", status);
    exit(1);
  }
}

static void Reopen(const char* name, const char* function, const char* file) {
  const int files = OpenFiles();
  for (int time = 0; time < 50; ++time) {
    void* library = Open(name);
    if (strcmp(function, "cuInit") == 0) {
      int (*init)(unsigned) = (int (*)(unsigned))Find(library, function);
      Expect("cuInit", init(0) == 0);
    } else if (strcmp(function, "nvmlInit_v2") == 0) {
      int (*init)(void) = (int (*)(void))Find(library, function);
      int (*shutdown)(void) = (int (*)(void))Find(library, "nvmlShutdown");
      Expect("nvmlInit_v2", init() == 0);
      Expect("nvmlShutdown", shutdown() == 0);
    } else {
      int number = -1;
      int (*get)(int*) = (int (*)(int*))Find(library, function);
      Expect(function, get(&number) == 0 && number == 1);
    }
    Expect("dlclose", dlclose(library) == 0);
  }
  // The driver stays, with what the program holds of it, and so does the one that the runtime
  // opened, as NVIDIA's does; the others go.
  if (strcmp(function, "cuInit") == 0) {
    Expect("after dlclose, the driver is still there", Mapped(file));
  } else {
    Expect("after dlclose, the library is gone", !Mapped(file));
  }
  Expect("after dlclose, no thread is left", Threads() == 1);
  Expect("after dlclose, no file is left open", OpenFiles() == files);
  // A handler that it registered and left behind would be called here.
  const pid_t child = fork();
  if (child == 0) _exit(0);
  WaitFor(child);
}

static void One(int count, char** words) {
  for (int at = 0; at + 1 < count; at += 2) {
    void* symbol = dlsym(RTLD_DEFAULT, words[at + 1]);
    if (symbol == NULL) Fail(words[at + 1], "is not loaded with the program");
    if (Find(Open(words[at]), words[at + 1]) != symbol) {
      Fail(words[at], "dlopen gave another copy than the program has");
    }
  }
}

typedef int (*GetInt)(int*);
typedef int (*GetInfo)(size_t*, size_t*);
typedef int (*Alloc)(uint64_t*, size_t);
typedef int (*Free)(uint64_t);

static struct {
  int (*cuInit)(unsigned);
  int (*cuCtxCreate)(void**, unsigned, int);
  int (*cuCtxDestroy)(void*);
  Alloc cuMemAlloc;
  Free cuMemFree;
  int (*cuMemcpyHtoD)(uint64_t, const void*, size_t);
  int (*cuMemcpyDtoH)(void*, uint64_t, size_t);
  GetInfo cuMemGetInfo;
  int (*nvmlInit)(void);
  int (*nvmlShutdown)(void);
  int (*nvmlDeviceGetHandleByIndex)(unsigned, void**);
  int (*nvmlDeviceGetMemoryInfo)(void*, uint64_t[3]);
  GetInt cudaGetDeviceCount;
  int (*cudaMalloc)(void**, size_t);
  int (*cudaFree)(void*);
} api;

static void OpenAll(void) {
  void* cuda = Open("libcuda.so.1");
  void* nvml = Open("libnvidia-ml.so.1");
  void* cudart = Open("libcudart.so.12");
  *(void**)&api.cuInit = Find(cuda, "cuInit");
  *(void**)&api.cuCtxCreate = Find(cuda, "cuCtxCreate_v2");
  *(void**)&api.cuCtxDestroy = Find(cuda, "cuCtxDestroy_v2");
  *(void**)&api.cuMemAlloc = Find(cuda, "cuMemAlloc_v2");
  *(void**)&api.cuMemFree = Find(cuda, "cuMemFree_v2");
  *(void**)&api.cuMemcpyHtoD = Find(cuda, "cuMemcpyHtoD_v2");
  *(void**)&api.cuMemcpyDtoH = Find(cuda, "cuMemcpyDtoH_v2");
  *(void**)&api.cuMemGetInfo = Find(cuda, "cuMemGetInfo_v2");
  *(void**)&api.nvmlInit = Find(nvml, "nvmlInit_v2");
  *(void**)&api.nvmlShutdown = Find(nvml, "nvmlShutdown");
  *(void**)&api.nvmlDeviceGetHandleByIndex = Find(nvml, "nvmlDeviceGetHandleByIndex_v2");
  *(void**)&api.nvmlDeviceGetMemoryInfo = Find(nvml, "nvmlDeviceGetMemoryInfo");
  *(void**)&api.cudaGetDeviceCount = Find(cudart, "cudaGetDeviceCount");
  *(void**)&api.cudaMalloc = Find(cudart, "cudaMalloc");
  *(void**)&api.cudaFree = Find(cudart, "cudaFree");
}

static atomic_int stop;

static void* Work(void* argument) {
  const unsigned rounds = (unsigned)(uintptr_t)argument;
  char sent[4096], came[4096];
  memset(sent, 0x5a, sizeof sent);
  for (unsigned round = 0; rounds == 0 ? !atomic_load(&stop) : round < rounds; ++round) {
    void* context = NULL;
    uint64_t memory = 0;
    size_t free_bytes = 0, total = 0;
    Expect("cuCtxCreate", api.cuCtxCreate(&context, 0, 0) == 0);
    Expect("cuMemAlloc", api.cuMemAlloc(&memory, 1 << 20) == 0);
    Expect("cuMemcpyHtoD", api.cuMemcpyHtoD(memory, sent, sizeof sent) == 0);
    Expect("cuMemcpyDtoH", api.cuMemcpyDtoH(came, memory, sizeof came) == 0);
    Expect("what was copied came back", memcmp(sent, came, sizeof sent) == 0);
    Expect("cuMemGetInfo", api.cuMemGetInfo(&free_bytes, &total) == 0);
    Expect("memory is held", total - free_bytes >= 1 << 20);
    Expect("cuMemFree", api.cuMemFree(memory) == 0);
    Expect("cuCtxDestroy", api.cuCtxDestroy(context) == 0);
    void* device = NULL;
    uint64_t info[3];
    Expect("nvmlInit", api.nvmlInit() == 0);
    Expect("nvmlDeviceGetHandleByIndex", api.nvmlDeviceGetHandleByIndex(0, &device) == 0);
    Expect("nvmlDeviceGetMemoryInfo", api.nvmlDeviceGetMemoryInfo(device, info) == 0);
    Expect("nvmlShutdown", api.nvmlShutdown() == 0);
    void* block = NULL;
    Expect("cudaMalloc", api.cudaMalloc(&block, 4096) == 0);
    Expect("cudaFree", api.cudaFree(block) == 0);
  }
  return NULL;
}

// What the device has in use, as NVML says.
static uint64_t Used(void) {
  void* device = NULL;
  uint64_t info[3];
  Expect("nvmlInit", api.nvmlInit() == 0);
  Expect("nvmlDeviceGetHandleByIndex", api.nvmlDeviceGetHandleByIndex(0, &device) == 0);
  Expect("nvmlDeviceGetMemoryInfo", api.nvmlDeviceGetMemoryInfo(device, info) == 0);
  Expect("nvmlShutdown", api.nvmlShutdown() == 0);
  return info[2];
}

enum { kThreads = 8 };
static pthread_t threads[kThreads];

static void StartThreads(unsigned rounds) {
  for (int at = 0; at < kThreads; ++at) {
    Expect("pthread_create",
           pthread_create(&threads[at], NULL, Work, (void*)(uintptr_t)rounds) == 0);
  }
}

static void JoinThreads(void) {
  for (int at = 0; at < kThreads; ++at) pthread_join(threads[at], NULL);
}

static void ThreadsUse(void) {
  OpenAll();
  Expect("cuInit", api.cuInit(0) == 0);
  StartThreads(100);
  JoinThreads();
  Expect("all memory is free again", Used() == 0);
}

static void ForkWhileThreadsUse(void) {
  OpenAll();
  Expect("cuInit", api.cuInit(0) == 0);
  StartThreads(0);
  for (int time = 0; time < 100; ++time) {
    const pid_t child = fork();
    if (child == 0) {
      // A lock that another thread held at the fork would stop this child for ever.
      alarm(20);
      void* context = NULL;
      // The real driver does not work in a child of a process that has initialised it
      // (CUDA C++ Programming Guide); it must say so, and neither crash nor wait.
      Expect("cuCtxCreate in a child is refused", api.cuCtxCreate(&context, 0, 0) != 0);
      Expect("nvmlInit in a child", api.nvmlInit() == 0);
      Expect("nvmlShutdown in a child", api.nvmlShutdown() == 0);
      _exit(0);
    }
    WaitFor(child);
  }
  atomic_store(&stop, 1);
  JoinThreads();
  Expect("all memory is free again", Used() == 0);
}

static void* Spawn(void* program) {
  for (int time = 0; time < 25; ++time) {
    const pid_t child = vfork();
    if (child == 0) {
      execl(program, program, (char*)NULL);
      _exit(127);
    }
    WaitFor(child);
  }
  return NULL;
}

static void SpawnWhileThreadsUse(char* program) {
  OpenAll();
  Expect("cuInit", api.cuInit(0) == 0);
  StartThreads(0);
  pthread_t spawning[4];
  for (int at = 0; at < 4; ++at) {
    Expect("pthread_create", pthread_create(&spawning[at], NULL, Spawn, program) == 0);
  }
  for (int at = 0; at < 4; ++at) pthread_join(spawning[at], NULL);
  atomic_store(&stop, 1);
  JoinThreads();
}

int main(int count, char** words) {
#ifdef LINKED
  int driver = 0, nvml = 0, runtime = 0;
  Expect("cuDriverGetVersion", cuDriverGetVersion(&driver) == 0);
  Expect("nvmlSystemGetCudaDriverVersion before nvmlInit",
         nvmlSystemGetCudaDriverVersion(&nvml) != 0 || nvml == driver);
  Expect("cudaRuntimeGetVersion", cudaRuntimeGetVersion(&runtime) == 0 && runtime > 0);
#endif
  const char* mode = count > 1 ? words[1] : "";
  if (strcmp(mode, "reopen") == 0 && count == 5) {
    Reopen(words[2], words[3], words[4]);
  } else if (strcmp(mode, "one") == 0) {
    One(count - 2, words + 2);
  } else if (strcmp(mode, "threads") == 0) {
    ThreadsUse();
  } else if (strcmp(mode, "fork") == 0) {
    ForkWhileThreadsUse();
  } else if (strcmp(mode, "spawn") == 0 && count == 3) {
    SpawnWhileThreadsUse(words[2]);
  } else {
    return 64;
  }
  return 0;
}

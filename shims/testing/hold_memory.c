// Holds memory of the first device until standard input ends:
//
//   hold_memory BYTES
//
// Prints "held" when it has it. Exit status 1: it could not, and standard error says why.

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef int (*Init)(unsigned);
typedef int (*DeviceGet)(int*, int);
typedef int (*Retain)(void**, int);
typedef int (*SetCurrent)(void*);
typedef int (*Alloc)(unsigned long long*, size_t);

static void* library;

static void* Find(const char* name) {
  void* function = dlsym(library, name);
  if (function == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return function;
}

static void Check(const char* name, int result) {
  if (result != 0) {
    fprintf(stderr, "%s: %d\n", name, result);
    exit(1);
  }
}

int main(int count, char** words) {
  if (count != 2) return 64;
  library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  int device = 0;
  void* context = NULL;
  unsigned long long memory = 0;
  Check("cuInit", ((Init)Find("cuInit"))(0));
  Check("cuDeviceGet", ((DeviceGet)Find("cuDeviceGet"))(&device, 0));
  Check("cuDevicePrimaryCtxRetain", ((Retain)Find("cuDevicePrimaryCtxRetain"))(&context, device));
  Check("cuCtxSetCurrent", ((SetCurrent)Find("cuCtxSetCurrent"))(context));
  Check("cuMemAlloc_v2", ((Alloc)Find("cuMemAlloc_v2"))(&memory, strtoull(words[1], NULL, 10)));
  puts("held");
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return 0;
}

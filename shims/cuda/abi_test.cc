// Prints what callers of the driver API rely on, of whichever header it is compiled with: ours, or
// NVIDIA's (-DNVIDIA), one for each line of the file -DLINES=. exports_test.py compares.
//
//   function NAME RESULT ARGUMENT...     p: a pointer or a handle; iN: N bytes by value
//   size STRUCTURE N
//   offset STRUCTURE.FIELD N
//   value ENUMERATOR N

#include <cstddef>
#include <cstdio>
#include <type_traits>

#ifdef NVIDIA
#define __CUDA_API_VERSION_INTERNAL
#define CUDA_ENABLE_DEPRECATED
#include <cuda.h>
#include <cudaGL.h>
#else
#include "shims/cuda/driver_api.h"
#include "shims/cuda/work_api.h"
#endif

namespace {

template <typename T>
void Type() {
  if constexpr (std::is_pointer_v<T>) {
    printf(" p");
  } else {
    printf(" i%zu", sizeof(T));
  }
}

template <typename Result, typename... Arguments>
void Function(const char* name, Result (*)(Arguments...)) {
  printf("function %s", name);
  Type<Result>();
  (Type<Arguments>(), ...);
  printf("\n");
}

}  // namespace

#define FUNCTION(name) Function(#name, &(name));
#define SIZE(structure) printf("size %s %zu\n", #structure, sizeof(structure));
#define OFFSET(structure, field) \
  printf("offset %s.%s %zu\n", #structure, #field, offsetof(structure, field));
#define VALUE(name) printf("value %s %lld\n", #name, static_cast<long long>(name));

int main() {
#ifdef LINES
#include LINES
#endif
}

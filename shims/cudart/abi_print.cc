// Prints the binary interface that a set of declarations makes, a fact a line, so that ours and
// NVIDIA's can be compared: compiled with our headers by the build, and with NVIDIA's by
// abi_test.py (VGPU_NVIDIA_HEADERS, and the names that those declare in VGPU_FUNCTIONS).
//
//   version RUNTIME
//   size STRUCTURE BYTES              offset STRUCTURE FIELD BYTES
//   error NAME NUMBER                 function NAME RESULT(PARAMETER,...)
//
// and of ours alone, "export NAME Own|Stub" for every line of the table.
//
// What a parameter is to the calling convention: p pointer, iN integer or enumeration of N bytes,
// fN floating point, sN structure of N bytes, v nothing.

#include <cstddef>
#include <cstdio>
#include <string>
#include <type_traits>

#ifdef VGPU_NVIDIA_HEADERS
#define __CUDA_API_VERSION_INTERNAL  // all versions of all names
#include <cuda.h>
#include <cuda_runtime_api.h>
#define VGPU_IF_Both(...) __VA_ARGS__
#if VGPU_CUDART_MAJOR == 12
#define VGPU_IF_Only12(...) __VA_ARGS__
#define VGPU_IF_Only13(...)
#else
#define VGPU_IF_Only12(...)
#define VGPU_IF_Only13(...) __VA_ARGS__
#endif
#else
#include "shims/abi/cuda_work_types.h"
#include "shims/cudart/api.h"
#include "shims/cudart/driver.h"
namespace {
using namespace vgpu::cudart;
constexpr int CUDART_VERSION = kRuntimeVersion;
}  // namespace
#endif

namespace {

template <typename T>
std::string Class() {
  if constexpr (std::is_void_v<T>) {
    return "v";
  } else if constexpr (std::is_pointer_v<T>) {
    return "p";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "f" + std::to_string(sizeof(T));
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return "i" + std::to_string(sizeof(T));
  } else {
    return "s" + std::to_string(sizeof(T));
  }
}

// By the type alone: an address, which an instrumented program keeps, would have to be linked.
template <typename Function>
struct Signature;

template <typename Result, typename... Parameters>
struct Signature<Result(Parameters...)> {
  static std::string Text() {
    std::string all;
    ((all += (all.empty() ? "" : ",") + Class<Parameters>()), ...);
    return Class<Result>() + "(" + all + ")";
  }
};

template <typename Result, typename... Parameters>
struct Signature<Result(Parameters...) noexcept> : Signature<Result(Parameters...)> {};

template <typename Function>
struct Signature<Function*> : Signature<Function> {};

void Function(const char* name, const std::string& signature) {
  std::printf("function %s %s\n", name, signature.c_str());
}

}  // namespace

int main() {
  std::printf("version %d\n", CUDART_VERSION);

#define VGPU_OFFSET(structure, field) \
  std::printf("offset %s %s %zu\n", #structure, #field, offsetof(structure, field));
#define VGPU_DEVICE_PROP(majors, type, name, count, ...) \
  VGPU_IF_##majors(VGPU_OFFSET(cudaDeviceProp, name))
#include "shims/abi/cudart_device_prop.inc"
#undef VGPU_DEVICE_PROP
  std::printf("size cudaDeviceProp %zu\n", sizeof(cudaDeviceProp));

#define VGPU_LAYOUT(majors, structure, field)    \
  VGPU_IF_##majors(VGPU_OFFSET(structure, field) \
                       std::printf("size %s %zu\n", #structure, sizeof(structure));)
#if VGPU_CUDART_MAJOR == 13
#define VGPU_DRIVER_LAYOUT(structure, field) VGPU_LAYOUT(Both, structure, field)
#else
#define VGPU_DRIVER_LAYOUT(structure, field)
#endif
#include "shims/cudart/layout.inc"
#undef VGPU_DRIVER_LAYOUT
#undef VGPU_LAYOUT
#undef VGPU_OFFSET

#define VGPU_CUDART_ERROR(majors, name, number, text) \
  VGPU_IF_##majors(std::printf("error %s %d\n", #name, static_cast<int>(name));)
#include "shims/abi/cudart_errors.inc"
#undef VGPU_CUDART_ERROR

#ifdef VGPU_NVIDIA_HEADERS
#define VGPU_NAME(name) Function(#name, Signature<decltype(::name)>::Text());
#include VGPU_FUNCTIONS
#else
#define VGPU_CUDART_Own(name) Function(#name, Signature<decltype(::vgpu::cudart::name)>::Text());
#define VGPU_CUDART_Stub(name)
#define VGPU_CUDART(majors, kind, name, ...) \
  VGPU_IF_##majors(std::printf("export %s %s\n", #name, #kind); VGPU_CUDART_##kind(name))
#include "shims/abi/cudart.inc"
#undef VGPU_CUDART
#define VGPU_CUDART_DRIVER(name, ...) Function(#name, Signature<decltype(Driver::name)>::Text());
#include "shims/cudart/driver.inc"
#undef VGPU_CUDART_DRIVER
#endif
}

// What the runtime costs: registering what ggml's CUDA backend of 2025 registers before main (143
// images, 6731 kernels, 1927 variables; beside as many insertions into an unordered_map), finding a
// kernel, asking for a device, and a call that goes through to the driver (beside that call
// itself).
//
//   bazel run -c opt //shims/cudart:runtime_benchmark

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "benchmark/benchmark.h"
#include "shims/cuda/driver_api.h"
#include "shims/cudart/api.h"
#include "shims/cudart/registration.h"
#include "shims/cudart/test_machine.h"

namespace vgpu::cudart {
namespace {

constexpr int kImages = 143;
constexpr int kKernels = 6731;
constexpr int kVariables = 1927;

const bool configured = (UseTestMachine(), true);

// Host functions and variables lie 16 bytes apart.
struct Program {
  std::vector<char> kernels = std::vector<char>(kKernels * 16);
  std::vector<char> variables = std::vector<char>(kVariables * 16);
  int wrapper = 0;
  std::vector<void**> images;

  void Register() {
    int kernel = 0;
    int variable = 0;
    for (int i = 0; i < kImages; ++i) {
      void** image = __cudaRegisterFatBinary(&wrapper);
      images.push_back(image);
      for (; kernel < kKernels * (i + 1) / kImages; ++kernel) {
        char* host = &kernels[kernel * 16];
        __cudaRegisterFunction(image, host, host, "kernel", -1, nullptr, nullptr, nullptr, nullptr,
                               nullptr);
      }
      for (; variable < kVariables * (i + 1) / kImages; ++variable) {
        char* host = &variables[variable * 16];
        __cudaRegisterVar(image, host, host, "variable", 0, 16, 0, 0);
      }
      __cudaRegisterFatBinaryEnd(image);
    }
  }
  void Unregister() {
    for (void** image : images) __cudaUnregisterFatBinary(image);
    images.clear();
  }
};

void RegisterAndUnregister(benchmark::State& state) {
  Program program;
  for (auto _ : state) {
    program.Register();
    program.Unregister();
  }
  state.SetItemsProcessed(state.iterations() * (kImages + kKernels + kVariables));
}
BENCHMARK(RegisterAndUnregister);

void PeerUnorderedMap(benchmark::State& state) {
  Program program;
  for (auto _ : state) {
    std::unordered_map<const void*, std::unique_ptr<KernelInfo>> map;
    for (int i = 0; i < kKernels; ++i) {
      map[&program.kernels[i * 16]] = std::make_unique<KernelInfo>();
    }
    for (int i = 0; i < kVariables; ++i) {
      map[&program.variables[i * 16]] = std::make_unique<KernelInfo>();
    }
    benchmark::DoNotOptimize(map.size());
  }
  state.SetItemsProcessed(state.iterations() * (kKernels + kVariables));
}
BENCHMARK(PeerUnorderedMap);

void FindAKernel(benchmark::State& state) {
  Program program;
  program.Register();
  KernelInfo kernel;
  int i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(FindKernel(&program.kernels[i * 16], &kernel));
    i = (i + 1) % kKernels;
  }
  program.Unregister();
}
BENCHMARK(FindAKernel);

void RefusedLaunch(benchmark::State& state) {
  Program program;
  program.Register();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cudaLaunchKernel(program.kernels.data(), {1, 1, 1}, {1, 1, 1}, nullptr, 0, nullptr));
  }
  program.Unregister();
}
BENCHMARK(RefusedLaunch);

void GetDevice(benchmark::State& state) {
  cudaFree(nullptr);
  int device = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cudaGetDevice(&device));
}
BENCHMARK(GetDevice);

void DeviceProperties(benchmark::State& state) {
  cudaDeviceProp properties;
  for (auto _ : state) {
#if VGPU_CUDART_MAJOR == 12
    benchmark::DoNotOptimize(cudaGetDeviceProperties_v2(&properties, 0));
#else
    benchmark::DoNotOptimize(cudaGetDeviceProperties(&properties, 0));
#endif
  }
}
BENCHMARK(DeviceProperties);

void MemoryInfo(benchmark::State& state) {
  cudaFree(nullptr);
  size_t free = 0;
  size_t total = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cudaMemGetInfo(&free, &total));
}
BENCHMARK(MemoryInfo);

void PeerMemoryInfoOfTheDriver(benchmark::State& state) {
  cudaFree(nullptr);
  size_t free = 0;
  size_t total = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cuMemGetInfo_v2(&free, &total));
}
BENCHMARK(PeerMemoryInfoOfTheDriver);

void CopySmall(benchmark::State& state) {
  void* address = nullptr;
  cudaMalloc(&address, 4096);
  char host[4096] = {};
  for (auto _ : state) {
    benchmark::DoNotOptimize(cudaMemcpy(address, host, sizeof(host), cudaMemcpyHostToDevice));
  }
  cudaFree(address);
}
BENCHMARK(CopySmall);

void PeerCopySmallOfTheDriver(benchmark::State& state) {
  void* address = nullptr;
  cudaMalloc(&address, 4096);
  char host[4096] = {};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cuMemcpyHtoD_v2(reinterpret_cast<CUdeviceptr>(address), host, sizeof(host)));
  }
  cudaFree(address);
}
BENCHMARK(PeerCopySmallOfTheDriver);

}  // namespace
}  // namespace vgpu::cudart

BENCHMARK_MAIN();

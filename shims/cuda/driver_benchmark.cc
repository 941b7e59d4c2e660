// What a program pays for the driver's calls, beside what the same costs without a driver.
//
//   bazel run -c opt //shims/cuda:driver_benchmark
//
// A pair is measured in one run, so that its ratio does not depend on the machine.

#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "shims/abi/cuda_types.h"
#include "shims/cuda/driver_api.h"

namespace {

constexpr size_t kGibibyte = size_t{1} << 30;

void Check(CUresult result) {
  if (result != CUDA_SUCCESS) abort();
}

CUcontext Context() {
  static const CUcontext context = [] {
    Check(cuInit(0));
    CUcontext made = nullptr;
    Check(cuCtxCreate_v2(&made, 0, 0));
    return made;
  }();
  return context;
}

// Touched, so that no page is taken while it is measured.
char* HostMemory(size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) abort();
  memset(memory, 1, size);
  return static_cast<char*>(memory);
}

// Run before all others: cuInit is measured once in each of many processes.
void CuInit(benchmark::State& state) {
  for (auto _ : state) {
    int ends[2];
    if (pipe(ends) != 0) abort();
    const pid_t child = fork();
    if (child == 0) {
      const auto begin = std::chrono::steady_clock::now();
      Check(cuInit(0));
      const double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      _exit(write(ends[1], &seconds, sizeof seconds) == sizeof seconds ? 0 : 1);
    }
    double seconds = 0;
    if (read(ends[0], &seconds, sizeof seconds) != sizeof seconds) abort();
    waitpid(child, nullptr, 0);
    close(ends[0]);
    close(ends[1]);
    state.SetIterationTime(seconds);
  }
}
BENCHMARK(CuInit)->UseManualTime()->Iterations(200)->Unit(benchmark::kMicrosecond);

void CuDeviceGetAttribute(benchmark::State& state) {
  Context();
  for (auto _ : state) {
    int value;
    Check(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0));
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(CuDeviceGetAttribute);

void CuDeviceGetName(benchmark::State& state) {
  Context();
  for (auto _ : state) {
    char name[96];
    Check(cuDeviceGetName(name, sizeof name, 0));
    benchmark::DoNotOptimize(name);
  }
}
BENCHMARK(CuDeviceGetName);

void CuMemGetInfo(benchmark::State& state) {
  Context();
  for (auto _ : state) {
    size_t free_bytes;
    size_t total;
    Check(cuMemGetInfo_v2(&free_bytes, &total));
    benchmark::DoNotOptimize(free_bytes);
  }
}
BENCHMARK(CuMemGetInfo);

void CopyByMemcpy(benchmark::State& state) {
  const auto size = static_cast<size_t>(state.range(0));
  char* from = HostMemory(size);
  char* to = HostMemory(size);
  for (auto _ : state) {
    memcpy(to, from, size);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  munmap(from, size);
  munmap(to, size);
}
BENCHMARK(CopyByMemcpy)->Arg(4096)->Arg(1 << 20)->Arg(kGibibyte);

void CopyByCuMemcpyHtoD(benchmark::State& state) {
  Context();
  const auto size = static_cast<size_t>(state.range(0));
  char* from = HostMemory(size);
  CUdeviceptr to = 0;
  Check(cuMemAlloc_v2(&to, size));
  Check(cuMemsetD8_v2(to, 1, size));
  for (auto _ : state) Check(cuMemcpyHtoD_v2(to, from, size));
  state.SetBytesProcessed(state.iterations() * state.range(0));
  Check(cuMemFree_v2(to));
  munmap(from, size);
}
BENCHMARK(CopyByCuMemcpyHtoD)->Arg(4096)->Arg(1 << 20)->Arg(kGibibyte);

void AllocateByMmap(benchmark::State& state) {
  const auto size = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    munmap(memory, size);
  }
}
BENCHMARK(AllocateByMmap)->Arg(1 << 20)->Arg(kGibibyte);

void AllocateByCuMemAlloc(benchmark::State& state) {
  Context();
  for (auto _ : state) {
    CUdeviceptr pointer = 0;
    Check(cuMemAlloc_v2(&pointer, static_cast<size_t>(state.range(0))));
    Check(cuMemFree_v2(pointer));
  }
}
BENCHMARK(AllocateByCuMemAlloc)->Arg(4096)->Arg(1 << 20)->Arg(kGibibyte);

// Beside so many others, among which the driver has to find what is freed.
void AllocateAmongOthers(benchmark::State& state) {
  Context();
  for (int64_t i = 0; i < state.range(0); ++i) {
    CUdeviceptr pointer = 0;
    Check(cuMemAlloc_v2(&pointer, 512));
  }
  for (auto _ : state) {
    CUdeviceptr pointer = 0;
    Check(cuMemAlloc_v2(&pointer, 1 << 20));
    Check(cuMemFree_v2(pointer));
  }
}
BENCHMARK(AllocateAmongOthers)->Arg(10000);

}  // namespace

BENCHMARK_MAIN();

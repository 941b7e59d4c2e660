// The first nvmlInit_v2 of a process reads the configuration; these are the ones after it.

#include "benchmark/benchmark.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

void BM_InitAndShutdown(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(nvmlInit_v2());
    nvmlShutdown();
  }
}
BENCHMARK(BM_InitAndShutdown);

// With the library started and the first device's handle.
template <typename Query>
void Ask(benchmark::State& state, Query query) {
  nvmlDevice_t device = nullptr;
  if (nvmlInit_v2() != NVML_SUCCESS || nvmlDeviceGetHandleByIndex_v2(0, &device) != NVML_SUCCESS) {
    state.SkipWithError("no device: is the configuration broken?");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(query(device));
  nvmlShutdown();
}

void BM_Temperature(benchmark::State& state) {
  unsigned int celsius;
  Ask(state, [&](nvmlDevice_t device) {
    return nvmlDeviceGetTemperature(device, NVML_TEMPERATURE_GPU, &celsius);
  });
}
BENCHMARK(BM_Temperature);

void BM_PciInfo(benchmark::State& state) {
  nvmlPciInfo_t pci;
  Ask(state, [&](nvmlDevice_t device) { return nvmlDeviceGetPciInfo_v3(device, &pci); });
}
BENCHMARK(BM_PciInfo);

// Looks at what every process of the machine holds.
void BM_MemoryInfo(benchmark::State& state) {
  nvmlMemory_t memory;
  Ask(state, [&](nvmlDevice_t device) { return nvmlDeviceGetMemoryInfo(device, &memory); });
}
BENCHMARK(BM_MemoryInfo);

}  // namespace
}  // namespace vgpu::nvml

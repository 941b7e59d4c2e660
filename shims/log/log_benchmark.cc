// What a message costs that nobody wants, and one that is written.
//
//   bazel run -c opt //shims/log:log_benchmark

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>

#include "benchmark/benchmark.h"
#include "shims/base/ratio.h"
#include "shims/log/log.h"

namespace vgpu::log {
namespace {

constexpr char kLine[] =
    "level=error lib=libvgpu-cuda msg=\"kernel launch refused\" func=cuLaunchKernel device=0 "
    "reason=\"no compute backend\" pid=4711 time=2026-02-24T10:12:00.123456Z\n";

void Say(Level level) {
  Write(level, "libvgpu-cuda", "kernel launch refused",
        {{"func", "cuLaunchKernel"}, {"device", 0}, {"reason", "no compute backend"}});
}

void BM_AnAtomicLoad(benchmark::State& state) {
  static std::atomic<int> number = 0;
  Time(state, "atomic load", [] { benchmark::DoNotOptimize(number.load()); });
}
BENCHMARK(BM_AnAtomicLoad);

void BM_NotEnabled(benchmark::State& state) {
  Time(
      state, "Enabled", [] { benchmark::DoNotOptimize(Enabled(Level::kTrace)); }, "atomic load");
}
BENCHMARK(BM_NotEnabled);

void BM_WriteThatIsNotWanted(benchmark::State& state) {
  Time(
      state, "Write", [] { Say(Level::kTrace); }, "atomic load");
}
BENCHMARK(BM_WriteThatIsNotWanted);

void BM_OpenWriteClose(benchmark::State& state) {
  Time(state, "open, write, close", [] {
    const int fd = open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC);
    benchmark::DoNotOptimize(write(fd, kLine, sizeof kLine - 1));
    close(fd);
  });
}
BENCHMARK(BM_OpenWriteClose);

void BM_WriteThatIsWanted(benchmark::State& state) {
  Time(
      state, "line", [] { Say(Level::kError); }, "open, write, close");
}
BENCHMARK(BM_WriteThatIsWanted);

}  // namespace
}  // namespace vgpu::log

int main(int argc, char** argv) {
  setenv("VGPU_LOG", "error", 1);
  setenv("VGPU_LOG_FILE", "/dev/null", 1);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}

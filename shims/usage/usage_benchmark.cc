// What accounting adds to an allocation.
//
//   bazel run -c opt //shims/usage:usage_benchmark

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "shims/base/ratio.h"
#include "shims/usage/store.h"

namespace vgpu::usage {
namespace {

// As large as is common, and larger than the C library keeps for itself.
constexpr size_t kAllocation = size_t{2} << 20;

const std::string& Directory() {
  static const std::string& directory = *new std::string([] {
    std::string name = "/dev/shm/vgpu_benchmarkXXXXXX";
    return std::string(mkdtemp(name.data()));
  }());
  return directory;
}

device::Device OneDevice() {
  device::Device device;
  device.memory_bytes = uint64_t{80} << 30;
  device.uuid.bytes[0] = 1;
  return device;
}

// What an allocation of the driver shim does besides: memory of the host, touched once.
void BM_HostMemory(benchmark::State& state) {
  Time(state, "mmap, touch, munmap", [] {
    void* memory = mmap(nullptr, kAllocation, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    benchmark::DoNotOptimize(memory);
    munmap(memory, kAllocation);
  });
}
BENCHMARK(BM_HostMemory);

void BM_LockAndWriteAFile(benchmark::State& state) {
  const std::string path = Directory() + "/peer";
  close(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  Time(state, "lock, write", [&] {
    const Record record;
    const int directory = open(Directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    flock(directory, LOCK_EX | LOCK_NB);
    const int fd = openat(directory, "peer", O_WRONLY | O_CLOEXEC);
    benchmark::DoNotOptimize(pwrite(fd, &record, sizeof record, 0));
    close(fd);
    close(directory);
  });
  unlink(path.c_str());
}
BENCHMARK(BM_LockAndWriteAFile);

// With so many other processes that hold memory.
void BM_ReserveAndRelease(benchmark::State& state) {
  const device::Device device = OneDevice();
  const std::string directory = Directory() + "/store";
  std::vector<pid_t> others;
  for (int64_t i = 0; i < state.range(0); ++i) {
    int ready[2];
    if (pipe(ready) != 0) abort();
    others.push_back(fork());
    if (others.back() == 0) {
      static Store store(directory.c_str());
      store.Reserve(device, 1);
      if (write(ready[1], "", 1) != 1) _exit(1);
      while (true) pause();
    }
    char c;
    if (read(ready[0], &c, 1) != 1) abort();
    close(ready[0]);
    close(ready[1]);
  }
  Store store(directory.c_str());
  store.ContextCreated(device);
  Time(
      state, "Reserve, Release",
      [&] {
        if (!store.Reserve(device, kAllocation)) abort();
        store.Release(device, kAllocation);
      },
      "mmap, touch, munmap");
  state.counters["x lock, write"] = Times()["Reserve, Release"] / Times()["lock, write"];
  store.ContextDestroyed(device);
  for (pid_t other : others) kill(other, SIGKILL);
  for (pid_t other : others) waitpid(other, nullptr, 0);
}
BENCHMARK(BM_ReserveAndRelease)->Arg(0)->Arg(1)->Arg(8);

void BM_Used(benchmark::State& state) {
  const device::Device device = OneDevice();
  const std::string directory = Directory() + "/used";
  Store holder(directory.c_str());
  holder.Reserve(device, 1);
  Time(
      state, "Used", [&] { benchmark::DoNotOptimize(holder.Used(device)); }, "lock, write");
  holder.Release(device, 1);
}
BENCHMARK(BM_Used);

}  // namespace
}  // namespace vgpu::usage

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  for (const char* name : {"/store", "/used", ""}) {
    rmdir((vgpu::usage::Directory() + name).c_str());
  }
}

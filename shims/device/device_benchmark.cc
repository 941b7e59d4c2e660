// What a program pays once, at its first call: the configuration; and each time: asking for it.
//
//   bazel run -c opt //shims/device:device_benchmark

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "benchmark/benchmark.h"
#include "diag/facts/devices.h"
#include "shims/base/file.h"
#include "shims/base/ratio.h"
#include "shims/device/config.h"
#include "shims/device/visible.h"

namespace vgpu::device {
namespace {

constexpr char kOne[] = R"([[device]]
profile = "h100-80gb-hbm3"        # the default
pci_address = "0000:00:05.0"
uuid = "GPU-d110a105-ac29-1d54-7b49-9c90440f215b"
name = "NVIDIA H100 80GB HBM3"
memory_mib = 81920
compute_capability = "9.0"
pci_vendor_id = 0x10de
pci_device_id = 0x2331
pci_class = 0x030200

[driver]
version = "570.124.06"
cuda_version = "12.8"
)";

std::string Sixteen() {
  std::string text;
  for (int i = 0; i < kMaxDevices; ++i) text += "[[device]]\nprofile = \"t4\"\nmemory_mib = 100\n";
  return text;
}

void BM_DoctorReadsOneDevice(benchmark::State& state) {
  Time(state, "the doctor's parser",
       [] { benchmark::DoNotOptimize(facts::ParseDeviceConfig(kOne)); });
}
BENCHMARK(BM_DoctorReadsOneDevice);

void BM_OneDevice(benchmark::State& state) {
  Time(
      state, "one device",
      [] {
        Configuration configuration;
        ConfigError error;
        benchmark::DoNotOptimize(ParseConfiguration(kOne, "machine", &configuration, &error));
      },
      "the doctor's parser");
}
BENCHMARK(BM_OneDevice);

void BM_SixteenDevices(benchmark::State& state) {
  const std::string text = Sixteen();
  Time(
      state, "sixteen devices",
      [&] {
        Configuration configuration;
        ConfigError error;
        benchmark::DoNotOptimize(ParseConfiguration(text, "machine", &configuration, &error));
      },
      "one device");
}
BENCHMARK(BM_SixteenDevices);

// The worst that a file can be: as long as may be, as many names as may be.
void BM_TheLargestFile(benchmark::State& state) {
  std::string text;
  for (int i = 0; i < 62; ++i) text += "[t" + std::to_string(i) + "]\n";
  text += "[[device]]\n[[other]]\n";
  for (int i = 0; text.size() < kMaxConfigBytes - 64; ++i) {
    if (i % 64 == 0) text += "[[other]]\n";
    text += "\"\\u0061" + std::to_string(i % 64) + "\"=1\n";
  }
  Time(
      state, "largest",
      [&] {
        Configuration configuration;
        ConfigError error;
        benchmark::DoNotOptimize(ParseConfiguration(text, "machine", &configuration, &error));
      },
      "one device");
}
BENCHMARK(BM_TheLargestFile);

void BM_OpenReadClose(benchmark::State& state) {
  Time(state, "open, read, close", [] {
    std::array<char, 4096> buffer;
    const int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    benchmark::DoNotOptimize(read(fd, buffer.data(), buffer.size()));
    close(fd);
  });
}
BENCHMARK(BM_OpenReadClose);

void BM_ReadSmallFile(benchmark::State& state) {
  Time(
      state, "ReadSmallFile",
      [] {
        std::array<char, 65536> buffer;
        std::string_view text;
        benchmark::DoNotOptimize(ReadSmallFile("/etc/passwd", buffer, &text));
      },
      "open, read, close");
}
BENCHMARK(BM_ReadSmallFile);

void BM_Current(benchmark::State& state) {
  Time(state, "Current", [] { benchmark::DoNotOptimize(Current("benchmark")); });
}
BENCHMARK(BM_Current);

void BM_Visible(benchmark::State& state) {
  Configuration configuration;
  ConfigError error;
  if (!ParseConfiguration(Sixteen(), "machine", &configuration, &error)) return;
  Time(state, "visible",
       [&] { benchmark::DoNotOptimize(SelectVisible(configuration, "3,GPU-1,GPU-2,7", nullptr)); });
}
BENCHMARK(BM_Visible);

}  // namespace
}  // namespace vgpu::device

BENCHMARK_MAIN();

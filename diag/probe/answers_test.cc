#include "diag/probe/answers.h"

#include "gtest/gtest.h"

namespace vgpu::probe {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(ProgramAnswerTest, AStepThatWentWell) {
  const ProgramAnswer answer = ParseProgramAnswer(
      "call dlopen libcuda.so.1\ncall cuInit\n"
      R"({"library":"/usr/lib/libcuda.so.1","devices":[{"name":"H100","uuid":"GPU-1",)"
      R"("pci_address":"0000:00:05.0","memory_bytes":85899345920,"compute":"9.0"}],"ok":true})"
      "\n");
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.ok);
  EXPECT_EQ(answer.library, "/usr/lib/libcuda.so.1");
  ASSERT_EQ(answer.devices.size(), 1u);
  EXPECT_EQ(answer.devices[0].uuid, "GPU-1");
  EXPECT_EQ(answer.devices[0].memory_bytes, 80 * kGiB);
}

TEST(ProgramAnswerTest, OneThatDiedIsKnownByItsLastCall) {
  const ProgramAnswer answer = ParseProgramAnswer("call dlopen libcuda.so.1\ncall cuInit\n");
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.call, "cuInit");
}

TEST(ProgramAnswerTest, OneThatFailed) {
  const ProgramAnswer answer = ParseProgramAnswer(
      "call dlopen x.so\n"
      R"({"missing":true,"ok":false,"call":"dlopen","why":"x.so: cannot open"})");
  EXPECT_TRUE(answer.complete);
  EXPECT_FALSE(answer.ok);
  EXPECT_TRUE(answer.missing);
  EXPECT_EQ(answer.call, "dlopen");
  EXPECT_EQ(answer.why, "x.so: cannot open");
}

TEST(ProgramAnswerTest, WhatALibraryPrintsThereIsPassedOver) {
  const ProgramAnswer answer = ParseProgramAnswer("hello\n{broken\n[1]\ncall cuInit\n");
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.call, "cuInit");
}

// ml.DeviceInfo of Ollama v0.13.5.
TEST(RunnerInfoTest, OfEraB) {
  const auto devices = ParseRunnerInfo(
      R"([{"id":"GPU-d110a105-ac29-1d54-7b49-9c90440f215b","backend":"CUDA","name":"CUDA0",)"
      R"("description":"NVIDIA H100 80GB HBM3","pci_id":"0000:00:05.0",)"
      R"("total_memory":85899345920,"ComputeMajor":9,"ComputeMinor":0,"LibraryPath":["a"]},)"
      R"({"id":"0","backend":"Vulkan","name":"Vulkan0"}])");
  ASSERT_TRUE(devices.has_value());
  ASSERT_EQ(devices->size(), 1u);
  EXPECT_EQ(devices->front().uuid, "GPU-d110a105-ac29-1d54-7b49-9c90440f215b");
  EXPECT_EQ(devices->front().pci_address, "0000:00:05.0");
  EXPECT_EQ(devices->front().name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(devices->front().compute, "9.0");
  EXPECT_EQ(devices->front().memory_bytes, 80 * kGiB);
  EXPECT_TRUE(ParseRunnerInfo("null")->empty());
  EXPECT_TRUE(ParseRunnerInfo("[]")->empty());
  EXPECT_FALSE(ParseRunnerInfo("404 page not found").has_value());
}

TEST(ListedDevicesTest, OfEraC) {
  const std::vector<Device> devices = ParseListedDevices(
      "ggml_cuda_init: found 1 CUDA devices (Total VRAM: 81559 MiB):\n"
      "  Device 0: NVIDIA H100 80GB HBM3, compute capability 9.0, VMM: yes, VRAM: 81559 MiB\n"
      "Available devices:\n"
      "  CUDA0: NVIDIA H100 80GB HBM3 (81559 MiB, 81000 MiB free)\n"
      "  CUDA1: NVIDIA L40S (0 MiB, 0 MiB free)\n"
      "  Vulkan0: NVIDIA L40S (1 MiB, 1 MiB free)\n");
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(devices[0].memory_bytes, uint64_t{81559} << 20);
  EXPECT_EQ(devices[0].compute, "9.0");
}

TEST(CompiledForTest, AsLlamaServerSaysAtItsStart) {
  EXPECT_EQ(ParseCompiledFor("system_info: n_threads = 2 | CUDA : ARCHS = 500,610,1200 | CPU : "
                             "SSE3 = 1 | \n"),
            (std::vector<std::string>{"5.0", "6.1", "12.0"}));
  EXPECT_TRUE(ParseCompiledFor("system_info: n_threads = 2 | CPU : SSE3 = 1 |").empty());
  EXPECT_TRUE(ParseCompiledFor("CUDA : ARCHS = ,0,99999999999999999999,").empty());
}

TEST(GpuDiscoverTest, OfEraC) {
  const auto devices = ParseGpuDiscover(
      R"({"devices":[{"library":"CUDA","index":0,"index_matches_backend":true,"name":"CUDA0",)"
      R"("description":"NVIDIA H100 80GB HBM3","device_id":"0000:00:05.0",)"
      R"("total_memory":85899345920,"compute_major":9}]})");
  ASSERT_TRUE(devices.has_value());
  ASSERT_EQ(devices->size(), 1u);
  EXPECT_EQ(devices->front().pci_address, "0000:00:05.0");
  EXPECT_EQ(devices->front().compute, "9.0");
  EXPECT_TRUE(ParseGpuDiscover(R"({"devices":null})")->empty());
  EXPECT_FALSE(ParseGpuDiscover("").has_value());
}

}  // namespace
}  // namespace vgpu::probe

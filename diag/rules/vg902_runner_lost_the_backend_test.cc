#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kCudaLine[] =
    R"log(time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:131 msg="inference compute" id=GPU-d110a105 library=cuda variant=v12 compute=9.0 driver=12.8 name="NVIDIA H100 80GB HBM3")log";
constexpr char kLoad[] =
    R"log(time=2026-02-24T10:07:00.000-05:00 level=INFO source=server.go:405 msg="starting llama server" cmd="/usr/local/bin/ollama runner --model /m --ctx-size 4096 --port 4")log";

facts::Facts EraA(std::vector<std::string> after) {
  HostBuilder machine;
  machine.EraA();
  std::vector<std::string> lines = {kServerConfigLine, kCudaLine, kLoad};
  for (std::string& line : after) lines.push_back(std::move(line));
  return machine.SetLog(lines).Gather();
}

TEST(RunnerLostTheBackendTest, TheRunnerCannotOpenIt) {
  const Judgement judgement = RunnerLostTheBackend(EraA(
      {"load_backend: failed to load /usr/local/lib/ollama/cuda_v12/libggml-cuda.so: "
       "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so: undefined symbol: cublasGetStatusString",
       "load_tensors: offloaded 0/33 layers to GPU"}));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_NE(FindQuote(*holds, "library=cuda"), nullptr);
}

TEST(RunnerLostTheBackendTest, TheLoaderCannotStartTheRunner) {
  const Judgement judgement = RunnerLostTheBackend(EraA(
      {R"log(time=2026-02-24T10:07:01.000-05:00 level=ERROR source=sched.go:456 msg="error loading llama server" error="llama runner process has terminated: exit status 127")log"}));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
}

TEST(RunnerLostTheBackendTest, OnlyTheCpuBackendAndNoLayerOnTheGpu) {
  const Judgement judgement = RunnerLostTheBackend(
      EraA({"load_backend: loaded CPU backend from /usr/local/lib/ollama/libggml-cpu-haswell.so",
            "load_tensors: offloaded 0/33 layers to GPU"}));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kPossible);
}

TEST(RunnerLostTheBackendTest, TheRunnerOpenedIt) {
  EXPECT_EQ(Because(RunnerLostTheBackend(
                EraA({"load_backend: loaded CUDA backend from /usr/local/lib/ollama/cuda_v12/x.so",
                      "load_backend: loaded CPU backend from /usr/local/lib/ollama/libggml-cpu.so",
                      "load_tensors: offloaded 33/33 layers to GPU"}))),
            "the runner of the last model opened the CUDA backend");
}

TEST(RunnerLostTheBackendTest, NoModelWasLoadedYet) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(RunnerLostTheBackend(machine.EraA().Gather())),
            "whether a model's runner can use the GPU");
}

TEST(RunnerLostTheBackendTest, InLaterErasDiscoveryItselfOpensIt) {
  EXPECT_EQ(Because(RunnerLostTheBackend(HostBuilder().Gather())),
            "in era B discovery itself opens the backend");
}

}  // namespace
}  // namespace vgpu::rules

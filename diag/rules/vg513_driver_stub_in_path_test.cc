#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kStubs[] = "/usr/local/cuda/lib64/stubs";
constexpr char kStubLine[] =
    R"log(time=2026-02-24T10:06:00.361-05:00 level=INFO source=gpu.go:612 msg="Unable to load cudart library /usr/local/cuda/lib64/stubs/libcuda.so: cuda driver library init failure: 34")log";

HostBuilder Machine() {
  HostBuilder machine;
  machine.SetFile("/usr/lib/x86_64-linux-gnu/libc.so.6", "");
  machine.SetFile("/usr/local/cuda/lib64/stubs/libcuda.so", "");
  machine.SetElf("/usr/local/cuda/lib64/stubs/libcuda.so",
                 R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
                     "soname": "libcuda.so.1", "needed": []})");
  machine.SetLink("/usr/local/cuda/lib64/stubs/libcuda.so.1", "libcuda.so");
  machine.SetElf("/usr/local/bin/ollama", R"({"class": 64, "machine": "x86_64", "type": "EXEC",
      "error": null, "interp": "/lib64/ld-linux-x86-64.so.2", "needed": [],
      "go_build": {"go": "go1.24.1", "module": "github.com/ollama/ollama",
      "version": "v0.16.2"}})");
  machine.SetElf("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so",
                 R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
                     "soname": null, "needed": ["libcuda.so.1"]})");
  machine.RemoveEnviron("LD_PRELOAD");
  return machine.FoundNoGpu();
}

TEST(DriverStubInPathTest, TheBackendGetsTheStub) {
  HostBuilder machine = Machine();
  machine.SetEnviron("LD_LIBRARY_PATH", std::string(kStubs) + ":/opt/vgpu/lib");
  const Judgement judgement = DriverStubInPath(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].source, kStubs));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "LD_LIBRARY_PATH=/opt/vgpu/lib"));
}

TEST(DriverStubInPathTest, TheServerOfEraAOpensIt) {
  HostBuilder machine = Machine();
  machine.EraA();
  machine.SetLog({kServerConfigLine, kStubLine, kCpuLine});
  const Judgement judgement = DriverStubInPath(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_NE(FindQuote(*AsHolds(judgement), "init failure: 34"), nullptr);
}

TEST(DriverStubInPathTest, StubsThatNobodySearches) {
  EXPECT_EQ(AsHolds(DriverStubInPath(Machine().Gather())), nullptr);
  EXPECT_FALSE(Because(DriverStubInPath(HostBuilder().Gather())).empty());
}

}  // namespace
}  // namespace vgpu::rules

#include "diag/ollama/child_environment.h"

#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

const ChildLibraries kLibraries = {
    .directory = "/l", .variant = "/l/cuda_v12", .backend = "/l/cuda_v12/libggml-cuda.so"};

TEST(ChildEnvironmentTest, ARunnerFindsOllamasLibrariesBeforeTheInheritedOnes) {
  const Variables child =
      ChildEnvironment(Child::kDiscoveryRunner, kLibraries,
                       {{"LD_LIBRARY_PATH", "/opt/vgpu/lib"}, {"LD_PRELOAD", "/a.so"}});
  EXPECT_EQ(child.at("LD_LIBRARY_PATH"), "/l:/l/cuda_v12:/opt/vgpu/lib");
  EXPECT_EQ(child.at("OLLAMA_LIBRARY_PATH"), "/l:/l/cuda_v12");
  EXPECT_EQ(child.at("LD_PRELOAD"), "/a.so");
}

TEST(ChildEnvironmentTest, AModelRunnerHasItsVariantFirst) {
  const Variables child = ChildEnvironment(Child::kModelRunner, kLibraries, {});
  EXPECT_EQ(child.at("LD_LIBRARY_PATH"), "/l/cuda_v12:/l:/l");
}

TEST(ChildEnvironmentTest, LlamaServerIsToldTheBackend) {
  const Variables child =
      ChildEnvironment(Child::kLlamaServer, kLibraries,
                       {{"ggml_backend_path", "/mine.so"}, {"OLLAMA_LIBRARY_PATH", "/kept"}});
  EXPECT_EQ(child.at("GGML_BACKEND_PATH"), "/l/cuda_v12/libggml-cuda.so");
  EXPECT_EQ(child.count("ggml_backend_path"), 0u);
  EXPECT_EQ(child.at("OLLAMA_LIBRARY_PATH"), "/kept");
}

TEST(ChildEnvironmentTest, WithoutABackendTheUsersOwnStays) {
  const Variables child = ChildEnvironment(
      Child::kLlamaServer, {.directory = "/l", .variant = "/l/vulkan", .backend = ""},
      {{"GGML_BACKEND_PATH", "/mine.so"}});
  EXPECT_EQ(child.at("GGML_BACKEND_PATH"), "/mine.so");
}

}  // namespace
}  // namespace vgpu::ollama

#include "diag/ollama/library_dir.h"

#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

using host::FakeHost;

TEST(LibraryDirTest, StandsBesideTheDirectoryOfTheProgram) {
  FakeHost host;
  host.AddFile("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", "");
  host.AddFile("/usr/local/lib/ollama/vulkan/libggml-vulkan.so", "");
  host.AddFile("/usr/local/lib/ollama/libggml-base.so", "");
  host::Observed<LibraryDir> dir = FindLibraryDir(host, "/usr/local/bin/ollama");
  ASSERT_TRUE(dir.present());
  EXPECT_EQ(dir->path, "/usr/local/lib/ollama");
  ASSERT_EQ(dir->variants.size(), 2u);
  EXPECT_EQ(dir->variants[0].name, "cuda_v12");
  EXPECT_TRUE(dir->variants[0].cuda_backend.present());
  EXPECT_TRUE(dir->variants[1].cuda_backend.absent());
  EXPECT_FALSE(dir->has_llama_server);
}

TEST(LibraryDirTest, ATopLevelLinkMakesNoVariant) {
  FakeHost host;
  host.AddFile("/usr/lib/ollama/libggml-base.so", "");
  host.AddLink("/usr/lib/ollama/libggml-cuda.so", "/opt/libggml-cuda.so");
  host.AddFile("/opt/libggml-cuda.so", "");
  host::Observed<LibraryDir> dir = FindLibraryDir(host, "/usr/bin/ollama");
  ASSERT_TRUE(dir.present());
  EXPECT_TRUE(dir->variants.empty());
  EXPECT_TRUE(dir->top_level_cuda_backend.present());
}

TEST(LibraryDirTest, AnyFileOfTheFormRegistersItsDirectory) {
  FakeHost host;
  host.AddFile("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so.bak", "");
  host::Observed<LibraryDir> dir = FindLibraryDir(host, "/usr/local/bin/ollama");
  ASSERT_EQ(dir->variants.size(), 1u);
  EXPECT_TRUE(dir->variants[0].cuda_backend.absent());
}

TEST(LibraryDirTest, ADanglingBackendIsAbsent) {
  FakeHost host;
  host.AddLink("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", "gone.so");
  host::Observed<LibraryDir> dir = FindLibraryDir(host, "/usr/local/bin/ollama");
  ASSERT_EQ(dir->variants.size(), 1u);
  EXPECT_TRUE(dir->variants[0].cuda_backend.absent());
}

TEST(LibraryDirTest, TheThreeAnswers) {
  FakeHost host;
  EXPECT_TRUE(FindLibraryDir(host, "/opt/ollama/ollama").absent());
  host.AddDir("/opt/lib/ollama");
  host.Hide("/opt/lib/ollama", "permission denied");
  EXPECT_TRUE(FindLibraryDir(host, "/opt/bin/ollama").not_observed());
}

TEST(LibraryDirTest, LlamaServerIsEraC) {
  FakeHost host;
  host.AddFile("/usr/local/lib/ollama/llama-server", "");
  EXPECT_TRUE(FindLibraryDir(host, "/usr/local/bin/ollama")->has_llama_server);
}

}  // namespace
}  // namespace vgpu::ollama

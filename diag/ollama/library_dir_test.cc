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
  host::Observed<LibraryDir> dir = FindLibraryDir(host, {.exe = "/usr/local/bin/ollama"});
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
  host::Observed<LibraryDir> dir = FindLibraryDir(host, {.exe = "/usr/bin/ollama"});
  ASSERT_TRUE(dir.present());
  EXPECT_TRUE(dir->variants.empty());
  EXPECT_TRUE(dir->top_level_cuda_backend.present());
}

TEST(LibraryDirTest, AnyFileOfTheFormRegistersItsDirectory) {
  FakeHost host;
  host.AddFile("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so.bak", "");
  host::Observed<LibraryDir> dir = FindLibraryDir(host, {.exe = "/usr/local/bin/ollama"});
  ASSERT_EQ(dir->variants.size(), 1u);
  EXPECT_TRUE(dir->variants[0].cuda_backend.absent());
}

TEST(LibraryDirTest, ADanglingBackendIsAbsent) {
  FakeHost host;
  host.AddLink("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", "gone.so");
  host::Observed<LibraryDir> dir = FindLibraryDir(host, {.exe = "/usr/local/bin/ollama"});
  ASSERT_EQ(dir->variants.size(), 1u);
  EXPECT_TRUE(dir->variants[0].cuda_backend.absent());
}

TEST(LibraryDirTest, TheThreeAnswers) {
  FakeHost host;
  EXPECT_TRUE(FindLibraryDir(host, {.exe = "/opt/ollama/ollama"}).absent());
  host.AddDir("/opt/lib/ollama");
  host.Hide("/opt/lib/ollama", "permission denied");
  EXPECT_TRUE(FindLibraryDir(host, {.exe = "/opt/bin/ollama"}).not_observed());
}

TEST(LibraryDirTest, LlamaServerIsEraC) {
  FakeHost host;
  host.AddFile("/usr/local/lib/ollama/llama-server", "");
  EXPECT_TRUE(FindLibraryDir(host, {.exe = "/usr/local/bin/ollama"})->has_llama_server);
}

TEST(LibraryDirTest, OnlyEraCLooksBelowTheDirectoryOfTheProgram) {
  FakeHost host;
  host.AddFile("/opt/ollama/lib/ollama/cuda_v12/libggml-cuda.so", "");
  EXPECT_TRUE(FindLibraryDir(host, {.exe = "/opt/ollama/ollama", .era = Era::kB}).absent());
  EXPECT_TRUE(FindLibraryDir(host, {.exe = "/opt/ollama/ollama", .era = Era::kC}).present());
}

TEST(LibraryDirTest, ADevelopersTreeIsFoundFromTheWorkingDirectory) {
  FakeHost host;
  host.AddFile("/home/dev/ollama/build/lib/ollama/cuda_v12/libggml-cuda.so", "");
  const LibraryDirSearch search{.exe = "/tmp/go-build1/exe/ollama", .cwd = "/home/dev/ollama"};
  ASSERT_TRUE(FindLibraryDir(host, search).present());
  EXPECT_TRUE(FindLibraryDir(host, search)->HasCuda());
}

TEST(LibraryDirTest, CandidatesStandInTheOrderOfTheSearch) {
  const LibraryDirSearch b{.exe = "/usr/local/bin/ollama", .era = Era::kB};
  EXPECT_EQ(LibraryDirCandidates(b),
            (std::vector<std::string>{"/usr/local/lib/ollama", "/usr/local/bin/build/lib/ollama",
                                      "/build/lib/ollama"}));
  const LibraryDirSearch c{.exe = "/usr/local/bin/ollama", .era = Era::kC};
  EXPECT_EQ(LibraryDirCandidates(c)[1], "/usr/local/bin/lib/ollama");
}

TEST(LibraryDirTest, EraCOpensTheFirstNameOfTheBackend) {
  FakeHost host;
  host.AddFile("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so.bak", "");
  const LibraryDirSearch c{.exe = "/usr/local/bin/ollama", .era = Era::kC};
  EXPECT_EQ(FindLibraryDir(host, c)->variants[0].backend_path,
            "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so.bak");
  const LibraryDirSearch b{.exe = "/usr/local/bin/ollama", .era = Era::kB};
  EXPECT_EQ(FindLibraryDir(host, b)->variants[0].backend_path, "");
}

TEST(LibraryDirTest, ALinkToNothingIsListed) {
  FakeHost host;
  host.AddLink("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", "/opt/gone.so");
  const auto dir = FindLibraryDir(host, {.exe = "/usr/local/bin/ollama"});
  EXPECT_NE(dir->variants[0].backend_path, "");
  EXPECT_TRUE(dir->variants[0].cuda_backend.absent());
}

TEST(LibraryDirTest, AFileIsNoLibraryDirectory) {
  FakeHost host;
  host.AddFile("/usr/local/lib/ollama", "");
  EXPECT_TRUE(FindLibraryDir(host, {.exe = "/usr/local/bin/ollama"}).absent());
}

}  // namespace
}  // namespace vgpu::ollama

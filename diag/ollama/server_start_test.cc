#include "diag/ollama/server_start.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/host/fake_host.h"
#include "diag/ollama/discovery_log.h"
#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

// What one start says, read from a text log.
ServerStart Start(const std::vector<std::string>& lines) {
  auto source = host::StringSource(absl::StrCat(absl::StrJoin(lines, "\n"), "\n"));
  DiscoveryLog log = ReadTextLog(*source, "/var/log/ollama.log", absl::UTCTimeZone());
  return log.starts.empty() ? ServerStart() : log.starts.back();
}

// A record, `second` seconds after the start.
std::string Record(int second, absl::string_view level, absl::string_view rest) {
  return absl::StrCat("time=2026-02-25T09:", 10 + second / 60, ":", second % 60 < 10 ? "0" : "",
                      second % 60, ".000-05:00 level=", level, " source=x.go:1 ", rest);
}

const std::string& Config() {
  static const std::string& line = *new std::string(
      Record(0, "INFO", R"(msg="server config" env="map[OLLAMA_DEBUG:INFO OLLAMA_HOST:x]")"));
  return line;
}
std::string Gpu(int second, absl::string_view library = "CUDA") {
  return Record(second, "INFO",
                absl::StrCat(R"(msg="inference compute" id=GPU-d1 library=)", library));
}

TEST(ServerStartTest, APassThatTimedOutAndOneThatCrashed) {
  ServerStart start =
      Start({Config(),
             Record(30, "INFO",
                    R"(msg="failure during GPU discovery" OLLAMA_LIBRARY_PATH="[/l /l/cuda_v12]" )"
                    R"(extra_envs=map[] error="failed to finish discovery before timeout")"),
             Record(31, "INFO",
                    R"(msg="failure during GPU discovery" OLLAMA_LIBRARY_PATH="[/l /l/cuda_v13]" )"
                    R"(extra_envs="map[CUDA_VISIBLE_DEVICES:GPU-1]" error="runner crashed")")});
  ASSERT_EQ(start.failures.size(), 2u);
  EXPECT_EQ(start.failures[0].why, Failure::Why::kTimeout);
  EXPECT_EQ(start.failures[0].library_dirs.back(), "/l/cuda_v12");
  EXPECT_FALSE(start.failures[0].second);
  EXPECT_EQ(start.failures[1].why, Failure::Why::kCrash);
  EXPECT_TRUE(start.failures[1].second);
}

TEST(ServerStartTest, TheWatchdogOfEraC) {
  ServerStart start =
      Start({Config(), Record(30, "WARN",
                              R"(msg="llama-server GPU discovery watchdog timed out" )"
                              R"(libDirs="[/l /l/cuda_v13]" error="context deadline exceeded")")});
  ASSERT_EQ(start.failures.size(), 1u);
  EXPECT_EQ(start.failures[0].why, Failure::Why::kTimeout);
}

TEST(ServerStartTest, AFailureQuotesTheLoaderAndTheStatus) {
  ServerStart start = Start(
      {Config(),
       Record(2, "INFO",
              R"(msg="failure during llama-server GPU discovery" OLLAMA_LIBRARY_PATH="[/l]" )"
              R"(error="exit status 127" detail="/l/llama-server: error while loading shared )"
              R"(libraries: libggml-base.so.0: cannot open shared object file")")});
  ASSERT_EQ(start.failures.size(), 1u);
  EXPECT_EQ(start.failures[0].why, Failure::Why::kCrash);
  ASSERT_EQ(start.loader_errors.size(), 1u) << "one line is one error";
}

TEST(ServerStartTest, HowAChildEnded) {
  ServerStart start = Start(
      {Config(), Record(2, "TRACE", R"(msg="runner exited" OLLAMA_LIBRARY_PATH="[/l]" code=2)"),
       Record(3, "DEBUG",
              R"(msg="llama-server --list-devices failed" error="signal: segmentation fault" )"
              R"x(exit="signal: segmentation fault (core dumped)")x")});
  ASSERT_EQ(start.child_ends.size(), 2u);
  EXPECT_EQ(start.child_ends[0].status, "exit status 2");
  EXPECT_EQ(start.child_ends[1].status, "signal: segmentation fault");
  EXPECT_EQ(start.detail, Detail::kTrace);
}

TEST(ServerStartTest, ACodeOfCudaInEveryForm) {
  ServerStart start = Start(
      {Config(), "ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected",
       Record(3, "DEBUG", R"(msg="native GPU discovery failed" error="cuInit failed: 999")"),
       Record(4, "INFO",
              R"(msg="Unable to load cudart library /usr/lib/libcuda.so.550: cuda driver library )"
              R"(init failure: 3")"),
       Record(5, "INFO",
              R"(msg="no nvidia devices detected by library /usr/lib/libcuda.so.550.54.15")")});
  ASSERT_EQ(start.cuda_errors.size(), 4u);
  EXPECT_EQ(start.cuda_errors[0].words.code, 100);
  EXPECT_EQ(start.cuda_errors[1].words.code, 999);
  EXPECT_EQ(start.cuda_errors[2].words.code, 3);
  EXPECT_EQ(start.cuda_errors[3].words.code, 100);
  EXPECT_FALSE(start.cuda_errors[3].after_result);
  ASSERT_NE(start.InitError(), nullptr);
  EXPECT_EQ(start.InitError()->words.code, 100);
}

TEST(ServerStartTest, OfSeveralErrorsTheOneThatTellsMost) {
  ServerStart start =
      Start({Config(), "ggml_cuda_init: failed to initialize CUDA: unknown error",
             "ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient for "
             "CUDA runtime version"});
  EXPECT_EQ(start.InitError()->words.code, 999) << "35 may be the variant for a newer CUDA";
}

TEST(ServerStartTest, TheGpuIsLostLater) {
  ServerStart start = Start(
      {Config(), Gpu(2), "ggml_cuda_init: failed to initialize CUDA: operation not permitted"});
  ASSERT_NE(start.LostLater(), nullptr);
  EXPECT_TRUE(start.LostLater()->Is(800));
  EXPECT_TRUE(start.LostLater()->after_result);
  EXPECT_EQ(start.InitError(), nullptr);
}

TEST(ServerStartTest, AndComesBack) {
  ServerStart start =
      Start({Config(), Gpu(2), "ggml_cuda_init: failed to initialize CUDA: unknown error",
             "ggml_cuda_init: found 1 CUDA devices:"});
  EXPECT_EQ(start.LostLater(), nullptr);
}

TEST(ServerStartTest, AModelThatRunsOutOfMemoryLosesNoDevice) {
  ServerStart start = Start({Config(), Gpu(2), "CUDA error: out of memory"});
  EXPECT_EQ(start.LostLater(), nullptr);
}

TEST(ServerStartTest, TheLastDiscoveryDecides) {
  EXPECT_EQ(Start({Config(), Gpu(2), Gpu(2, "Vulkan")}).Result()->library, "CUDA");
  EXPECT_EQ(Start({Config(), Gpu(2), Gpu(40, "Vulkan")}).Result()->library, "Vulkan")
      << "another discovery, half a minute later";
}

TEST(ServerStartTest, TheDriverIsTooOldForTheBackend) {
  ServerStart start =
      Start({Config(),
             Record(2, "WARN",
                    R"(msg="NVIDIA driver too old" device="NVIDIA H100" compute=9.0 driver=535 )"
                    R"(required_driver="550 or newer")")});
  ASSERT_EQ(start.driver_too_old.size(), 1u);
  EXPECT_EQ(start.driver_too_old[0].driver, "535");
  EXPECT_EQ(start.driver_too_old[0].required, "550 or newer");
}

TEST(ServerStartTest, AnArchitectureThatTheBackendLacks) {
  ServerStart start = Start(
      {Config(),
       Record(
           2, "INFO",
           "msg=\"skipping CUDA device \u2014 compute capability not in compiled architectures\" "
           "device=CUDA0 cc=610"),
       "ggml-cuda.cu:335: GGML_ASSERT(ggml_cuda_has_arch(info.devices[id].cc) && \"ggml was not "
       "compiled with support for this arch\") failed",
       Record(3, "INFO", R"(msg="[0] CUDA GPU is too old. Compute Capability detected: 3.5")")});
  EXPECT_EQ(start.arch_missing.size(), 3u);
}

TEST(ServerStartTest, WhichVariantsAreLeftOutAndWhatIsOverridden) {
  ServerStart start =
      Start({Config(),
             Record(1, "DEBUG",
                    R"(msg="skipping available library at user's request" requested=cuda_v12 )"
                    R"(libDir=/l/cuda_v13)"),
             Record(1, "WARN", R"(msg="user overrode visible devices" CUDA_VISIBLE_DEVICES=-1)")});
  ASSERT_EQ(start.skipped.size(), 1u);
  EXPECT_EQ(start.skipped[0].name, "/l/cuda_v13");
  EXPECT_EQ(start.skipped[0].value, "cuda_v12");
  ASSERT_EQ(start.overrides.size(), 1u);
  EXPECT_EQ(start.overrides[0].name, "CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(start.overrides[0].value, "-1");
}

TEST(ServerStartTest, AModelIsLoaded) {
  ServerStart start = Start(
      {Config(), Gpu(2),
       Record(60, "INFO",
              R"(msg="starting runner" cmd="/usr/local/bin/ollama runner --model /m --port 4")"),
       "load_backend: loaded CPU backend from /l/libggml-cpu-haswell.so",
       "load_backend: failed to load /l/cuda_v12/libggml-cuda.so: libcudart.so.12: cannot open "
       "shared object file: No such file or directory",
       "load_tensors: offloaded 20/33 layers to GPU",
       Record(61, "INFO", R"(msg=offload library=cuda layers.model=33 layers.offload=12)"),
       Record(62, "ERROR",
              R"(msg="error loading llama server" error="llama runner process has terminated: )"
              R"(exit status 127")")});
  ASSERT_EQ(start.loads.size(), 1u);
  ASSERT_EQ(start.backends.size(), 2u);
  EXPECT_EQ(start.backends[0].name, "CPU");
  EXPECT_FALSE(start.backends[1].loaded);
  EXPECT_EQ(start.backends[1].path, "/l/cuda_v12/libggml-cuda.so");
  EXPECT_EQ(start.loader_errors.size(), 1u);
  ASSERT_EQ(start.offloads.size(), 2u);
  EXPECT_EQ(start.offloads[0].on_gpu, 20);
  EXPECT_EQ(start.offloads[1].of, 33);
  ASSERT_EQ(start.runner_deaths.size(), 1u);
  EXPECT_EQ(start.runner_deaths[0].status, "exit status 127");
}

TEST(ServerStartTest, TheEraOfALogThatNamesNoVersion) {
  EXPECT_EQ(Start({Record(1, "INFO", R"(msg="looking for compatible GPUs")")}).era, Era::kA);
  EXPECT_EQ(
      Start({Record(1, "INFO",
                    R"(msg="starting runner" cmd="/b/ollama runner --ollama-engine --port 4")")})
          .era,
      Era::kB);
  EXPECT_EQ(
      Start({Record(1, "INFO", R"(msg="starting llama-server" cmd="/l/llama-server -m /m")")}).era,
      Era::kC);
  EXPECT_EQ(Start({Record(1, "INFO",
                          R"(msg="starting runner" cmd="/b/ollama runner --model /m --port 4")")})
                .era,
            Era::kUnknown)
      << "a model's runner is started in A and in B";
}

TEST(ServerStartTest, HowMuchIsLogged) {
  EXPECT_EQ(Start({Config()}).detail, Detail::kInfo);
  EXPECT_EQ(
      Start({Record(0, "INFO", R"(msg="server config" env="map[OLLAMA_DEBUG:DEBUG-4]")")}).detail,
      Detail::kTrace);
  EXPECT_EQ(Start({Gpu(1)}).detail, Detail::kUnknown);
}

TEST(ServerStartTest, AShimRefusesAKernel) {
  ServerStart start = Start(
      {Config(),
       R"(level=error lib=libvgpu-cuda msg="kernel launch refused" func=cuLaunchKernel device=0 )"
       R"(reason="no compute backend")"});
  EXPECT_EQ(start.launches_refused.size(), 1u);
}

TEST(ServerStartTest, RawWordsInFrontOfARecord) {
  ServerStart start =
      Start({Config(),
             absl::StrCat("ggml_cuda_init: failed to initialize CUDA: unknown error ", Gpu(2))});
  ASSERT_EQ(start.cuda_errors.size(), 1u);
  EXPECT_NE(start.Result(), nullptr);
}

TEST(ServerStartTest, APromptThatIsLoggedIsNoChild) {
  ServerStart start = Start(
      {Config(), Record(9, "DEBUG",
                        R"(msg="chat request" prompt="why: symbol lookup error, CUDA error: x")")});
  EXPECT_TRUE(start.cuda_errors.empty());
  EXPECT_TRUE(start.loader_errors.empty());
}

TEST(ServerStartTest, ManyLinesStayBounded) {
  std::vector<std::string> lines = {Config()};
  for (int i = 0; i < 500; ++i) lines.push_back("ggml_cuda_init: failed to initialize CUDA: x");
  ServerStart start = Start(lines);
  EXPECT_EQ(start.cuda_errors.size(), kMaxLines);
  EXPECT_EQ(start.cuda_errors.front().line.number, 2u);
  EXPECT_EQ(start.cuda_errors.back().line.number, 501u);
}

TEST(ServerStartTest, AResultThatATerminalCutOffTellsNothing) {
  for (absl::string_view cut : {"id=GPU-d110a105-ac29-1d54-7b49-9…", "id=GPU-d110a105-ac29-1d5",
                                "id=GPU-d1 libr", "id=GPU-d1 library=", "id=GPU-d1 library=CU…"}) {
    ServerStart start =
        Start({Config(), Record(1, "INFO", absl::StrCat(R"(msg="inference compute" )", cut))});
    EXPECT_EQ(start.Result(), nullptr) << cut;
    ASSERT_EQ(start.cut_results.size(), 1u) << cut;
    EXPECT_EQ(start.cut_results[0].number, 2u);
  }
  EXPECT_TRUE(Start({Config(), Gpu(1)}).Result()->on_cuda());
  EXPECT_TRUE(Start({Config(), Gpu(1)}).cut_results.empty());
}

}  // namespace
}  // namespace vgpu::ollama

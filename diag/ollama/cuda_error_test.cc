#include "diag/ollama/cuda_error.h"

#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

int CodeIn(absl::string_view words) {
  std::optional<CudaErrorWords> found = FindCudaError(words);
  return found ? found->code : -1;
}

TEST(CudaErrorTest, ATextOfTheRuntime) {
  EXPECT_EQ(CodeIn("ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected"),
            100);
  EXPECT_EQ(CodeIn("ggml_cuda_init: failed to initialize CUDA: CUDA driver version is insufficient "
                   "for CUDA runtime version"),
            35);
  EXPECT_EQ(CodeIn("ggml_cuda_init: failed to initialize CUDA: unknown error"), 999);
  EXPECT_EQ(CodeIn("ggml_cuda_init: failed to initialize CUDA: operation not permitted"), 800);
}

TEST(CudaErrorTest, ATextThatTheTableLacksIsKept) {
  std::optional<CudaErrorWords> found =
      FindCudaError("failed to initialize CUDA: the moon is full");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, 0);
  EXPECT_EQ(found->text, "the moon is full");
}

TEST(CudaErrorTest, ANumber) {
  EXPECT_EQ(CodeIn("cuInit err: 999"), 999);
  EXPECT_EQ(CodeIn("native GPU discovery failed cuInit failed: 803"), 803);
  EXPECT_EQ(CodeIn("cuda driver library init failure: 3"), 3);
  EXPECT_EQ(CodeIn("cuda driver library failed to get device context 46"), 46);
  EXPECT_EQ(CodeIn("unable to get device count: 35"), 35);
  EXPECT_EQ(CodeIn("cudart init failure: 100"), 100);
  EXPECT_EQ(CodeIn("cuInit err: 0"), -1) << "0 is success";
}

TEST(CudaErrorTest, WordsOfEraA) {
  EXPECT_EQ(CodeIn("no nvidia devices detected by library /usr/lib/libcuda.so.550.54.15"), 100);
  EXPECT_EQ(CodeIn("unknown error initializing cuda driver library /x/libcuda.so: ?"), 999);
  std::optional<CudaErrorWords> either = FindCudaError(
      "version mismatch between driver and cuda driver library - reboot or upgrade may be "
      "required: "
      "library /usr/lib/libcuda.so.550");
  ASSERT_TRUE(either);
  EXPECT_EQ(either->code, 35);
  EXPECT_EQ(either->or_code, 803);
}

TEST(CudaErrorTest, ACallThatFailsLater) {
  std::optional<CudaErrorWords> found = FindCudaError("CUDA error: out of memory");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, 2);
  EXPECT_FALSE(found->at_init);
  EXPECT_EQ(CodeIn("CUDA error 999 at ggml-cuda.cu:6002: unknown error"), 999);
}

TEST(CudaErrorTest, OtherWordsAreNone) {
  EXPECT_EQ(CodeIn("llama runner process has terminated: exit status 2"), -1);
}

TEST(CudaErrorTest, TheTableIsSortedAndNoTextBeginsWithAnother) {
  int last = 0;
  for (const CudaErrorInfo& info : CudaErrors()) {
    EXPECT_GT(info.code, last);
    last = info.code;
    EXPECT_EQ(CudaErrorOf(info.code), &info);
    EXPECT_EQ(CodeIn(std::string("failed to initialize CUDA: ") + std::string(info.text)),
              info.code);
  }
}

}  // namespace
}  // namespace vgpu::ollama

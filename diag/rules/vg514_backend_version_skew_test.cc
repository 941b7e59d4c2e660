#include <algorithm>

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kBackend[] = "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so";
constexpr char kBase[] = "/usr/local/lib/ollama/libggml-base.so";

HostBuilder With(absl::string_view base) {
  HostBuilder machine;
  machine.SetElf(kBackend, R"({"needed": ["libggml-base.so", "libcudart.so.12"], "undefined": [
      {"name": "ggml_nbytes", "version": null, "weak": false},
      {"name": "ggml_set_op_params_i32", "version": null, "weak": false},
      {"name": "cudaMalloc", "version": "libcudart.so.12", "weak": false}]})");
  machine.SetElf(kBase, base);
  return machine.FoundNoGpu();
}

TEST(BackendVersionSkewTest, TheBaseLacksWhatTheBackendAsksFor) {
  const Judgement judgement = BackendVersionSkew(
      With(R"({"exports": [{"name": "ggml_nbytes", "version": null}], "exports_complete": true})")
          .Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].source, kBackend);
  EXPECT_EQ(holds->evidence[0].quote, "ggml_set_op_params_i32");
  EXPECT_NE(std::find(holds->explains.begin(), holds->explains.end(), "VG505"),
            holds->explains.end());
}

TEST(BackendVersionSkewTest, TheBaseDefinesAll) {
  EXPECT_TRUE(absl::StrContains(
      Because(BackendVersionSkew(With(R"({"exports": [{"name": "ggml_nbytes", "version": null},
          {"name": "ggml_set_op_params_i32", "version": null}], "exports_complete": true})")
                                     .Gather())),
      "defines every ggml function"));
}

TEST(BackendVersionSkewTest, AListThatIsNotWholeSaysNothing) {
  EXPECT_EQ(
      Lacks(BackendVersionSkew(With(R"({"exports": [], "exports_complete": false})").Gather())),
      "whether backend and libggml-base fit each other");
}

TEST(BackendVersionSkewTest, AListThatMayBeWholeMakesItPossible) {
  HostBuilder machine = With(R"({"exports": [{"name": "ggml_nbytes", "version": null}]})");
  const Judgement judgement = BackendVersionSkew(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine});
  EXPECT_FALSE(Because(BackendVersionSkew(machine.Gather())).empty());
}

TEST(BackendVersionSkewTest, APreloadedObjectMayDefineIt) {
  HostBuilder machine = With(R"({"exports": []})");
  machine.SetEnviron("LD_PRELOAD", "/opt/vgpu/lib/libggml-alloc-intercept.so");
  EXPECT_EQ(AsHolds(BackendVersionSkew(machine.Gather())), nullptr);
}

TEST(BackendVersionSkewTest, TheLogNamesTheInterface) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  "load_backend: failed to load "
                  "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so: incompatible API version "
                  "(backend: 2, current: 1)",
                  kCpuLine});
  const Judgement judgement = BackendVersionSkew(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_NE(FindQuote(*AsHolds(judgement), "incompatible API version"), nullptr);
}

TEST(BackendVersionSkewTest, NothingSpeaksOfVersions) {
  EXPECT_FALSE(Because(BackendVersionSkew(HostBuilder().Gather())).empty());
}

}  // namespace
}  // namespace vgpu::rules

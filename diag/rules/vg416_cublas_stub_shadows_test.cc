#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kStub[] = "/usr/local/lib/ollama/libcublas.so.12";

// A stub with this function stands there: in Ollama's first directory, where nothing else is said.
HostBuilder WithStub(absl::string_view function, absl::string_view path = kStub) {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu().SetFile(path, "x");
  machine.SetElf(path,
                 absl::StrCat(R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
          "interp": null, "soname": "libcublas.so.12", "needed": ["libc.so.6"], "rpath": null,
          "runpath": null, "version_defs": ["libcublas.so.12"], "version_needs": [],
          "undefined": [], "exports_complete": true, "exports": [{"name": ")",
                              function, R"(", "version": "libcublas.so.12"}]})"));
  return machine;
}

TEST(CublasStubShadowsTest, AnIncompleteStubKeepsTheBackendOut) {
  const Judgement judgement = CublasStubShadows(WithStub("cublasDestroy_v2").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, kStub);
  EXPECT_EQ(holds->evidence[1].source, "/usr/local/lib/ollama/cuda_v12/libcublas.so.12");
  EXPECT_NE(FindQuote(*holds, "cublasCreate_v2"), nullptr);
  EXPECT_EQ(holds->explains[0], "VG505");
}

// A file of a list that is only moved away would be missed at every start.
TEST(CublasStubShadowsTest, OneThatIsPreloadedIsTakenOutOfTheList) {
  constexpr char kListed[] = "/opt/stub/libcublas.so.12";
  HostBuilder machine = WithStub("cublasDestroy_v2", kListed);
  machine.SetEnviron("LD_PRELOAD", absl::StrCat("/usr/lib64/libvgpu-cuda.so:", kListed));
  const Judgement judgement = CublasStubShadows(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  ASSERT_FALSE(holds->fix.empty());
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so"));
  EXPECT_FALSE(absl::StrContains(holds->fix[0].command, kListed)) << holds->fix[0].command;
}

TEST(CublasStubShadowsTest, ACompleteOneFailsAtTheFirstProduct) {
  const Judgement judgement = CublasStubShadows(WithStub("cublasCreate_v2").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG902"});
}

TEST(CublasStubShadowsTest, NvidiasOwn) {
  HostBuilder machine;
  machine.WithLibraries();
  EXPECT_EQ(Because(CublasStubShadows(machine.Gather())), "the backend gets NVIDIA's own cuBLAS");
}

TEST(CublasStubShadowsTest, LibrariesThatWereNotCapturedTellNothing) {
  EXPECT_EQ(Lacks(CublasStubShadows(HostBuilder().Gather())), "which cuBLAS the backend gets");
}

TEST(CublasStubShadowsTest, WithoutTheRealOneTheRepairBringsIt) {
  HostBuilder machine = WithStub("cublasDestroy_v2");
  machine.RemoveFile("/usr/local/lib/ollama/cuda_v12/libcublas.so.12");
  const Judgement judgement = CublasStubShadows(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  ASSERT_EQ(holds->fix.size(), 3u);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, ".stub"));
  EXPECT_TRUE(absl::StrContains(holds->fix[1].command, "install.sh"));
  EXPECT_EQ(holds->fix[2].command, "sudo systemctl restart ollama.service");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/host_builder.h"
#include "diag/rules/rules.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kVariant[] = "/usr/local/lib/ollama/cuda_v12/";
constexpr char kLibrary[] = R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
    "soname": null, "needed": [], "runpath": null, "rpath": null, "version_needs": [],
    "undefined": [], "exports": [], "exports_complete": true, "version_defs": []})";

// The backend asks libcublas.so.12 for cublasGetStatusString.
HostBuilder Machine(absl::string_view cublas_exports, bool weak = false) {
  HostBuilder machine;
  machine.SetElf("/usr/local/bin/ollama", R"({"class": 64, "machine": "x86_64", "type": "EXEC",
      "error": null, "interp": "/lib64/ld-linux-x86-64.so.2", "soname": null, "needed": [],
      "runpath": null, "rpath": null, "version_needs": [], "undefined": [], "exports": [],
      "exports_complete": true, "version_defs": [], "go_build": {"go": "go1.24.1",
      "module": "github.com/ollama/ollama", "version": "v0.16.2"}})");
  machine.SetFile("/usr/lib/x86_64-linux-gnu/libc.so.6", "");
  machine.SetElf("/usr/lib/x86_64-linux-gnu/libc.so.6", kLibrary);
  machine.SetFile("/lib64/ld-linux-x86-64.so.2", "")
      .SetElf("/lib64/ld-linux-x86-64.so.2", kLibrary);
  for (const char* shim : {"exec", "syscall", "cuda", "nvml", "cudart"}) {
    machine.SetElf(absl::StrCat("/usr/lib64/libvgpu-", shim, ".so"), kLibrary);
  }
  machine.SetElf(absl::StrCat(kVariant, "libggml-cuda.so"),
                 absl::StrCat(R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
      "soname": null, "runpath": null, "rpath": null, "version_needs": [], "exports": [],
      "exports_complete": true, "version_defs": [], "needed": ["libcublas.so.12"],
      "undefined": [{"name": "cublasGetStatusString", "version": null, "weak": )",
                              weak ? "true" : "false", "}]}"));
  machine.SetFile(absl::StrCat(kVariant, "libcublas.so.12"), "");
  machine.SetElf(absl::StrCat(kVariant, "libcublas.so.12"),
                 absl::StrCat(R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
      "soname": "libcublas.so.12", "runpath": null, "rpath": null, "version_needs": [],
      "undefined": [], "exports_complete": true, "version_defs": [], "needed": [],
      "exports": [)",
                              cublas_exports, "]}"));
  return machine.FoundNoGpu();
}

constexpr char kDefined[] = R"({"name": "cublasGetStatusString", "version": null})";

TEST(BackendSymbolUnresolvedTest, NobodyDefinesIt) {
  const Judgement judgement = BackendSymbolUnresolved(Machine("").Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->headline, "cublasGetStatusString"));
  EXPECT_NE(FindQuote(*holds, "undefined symbol: cublasGetStatusString"), nullptr);
}

TEST(BackendSymbolUnresolvedTest, ALibraryOfItsDefinesIt) {
  const Judgement judgement = BackendSymbolUnresolved(Machine(kDefined).Gather());
  EXPECT_TRUE(absl::StrContains(Because(judgement), "every symbol"))
      << Because(judgement) << Lacks(judgement);
}

TEST(BackendSymbolUnresolvedTest, AWeakOneMayStayEmpty) {
  EXPECT_EQ(AsHolds(BackendSymbolUnresolved(Machine("", true).Gather())), nullptr);
}

TEST(BackendSymbolUnresolvedTest, DiscoveryFoundTheGpuThroughIt) {
  EXPECT_FALSE(Because(BackendSymbolUnresolved(HostBuilder().Gather())).empty());
}

TEST(BackendSymbolUnresolvedTest, WhatIsNotSeenIsNotJudged) {
  HostBuilder machine = Machine("");
  machine.Hide(absl::StrCat(kVariant, "libggml-cuda.so"));
  EXPECT_EQ(AsHolds(BackendSymbolUnresolved(machine.Gather())), nullptr);
}

}  // namespace
}  // namespace vgpu::rules

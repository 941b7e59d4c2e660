#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
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

TEST(BackendSymbolUnresolvedTest, OfAStubOfCublasAnotherCodeTells) {
  const Judgement judgement = BackendSymbolUnresolved(Machine("").Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_FALSE(AsHolds(judgement)->independent);
}

// The backend wants a newer C library, and the library that it needs besides is gone.
HostBuilder NewerAndMissing() {
  HostBuilder machine = Machine("");
  machine.SetElf("/usr/lib/x86_64-linux-gnu/libc.so.6",
                 R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
      "soname": "libc.so.6", "needed": [], "runpath": null, "rpath": null, "version_needs": [],
      "undefined": [], "exports": [], "exports_complete": true,
      "version_defs": ["GLIBC_2.2.5", "GLIBC_2.36"]})");
  machine.SetFile("/etc/ld.so.conf", "/usr/lib/x86_64-linux-gnu\n");
  machine.SetElf(absl::StrCat(kVariant, "libggml-cuda.so"),
                 R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
      "soname": null, "runpath": null, "rpath": null, "exports": [], "exports_complete": true,
      "version_defs": [], "needed": ["libcublas.so.12", "libc.so.6"],
      "version_needs": [{"file": "libc.so.6", "versions": ["GLIBC_2.38"]}],
      "undefined": [{"name": "cublasGetStatusString", "version": null, "weak": false}]})");
  machine.RemoveFile(absl::StrCat(kVariant, "libcublas.so.12"));
  return machine;
}

TEST(BackendSymbolUnresolvedTest, AVersionIsLackedWhateverElseIsMissing) {
  const Judgement judgement = BackendSymbolUnresolved(NewerAndMissing().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_TRUE(holds->independent);
  EXPECT_NE(FindQuote(*holds, "GLIBC_2.38"), nullptr);
  EXPECT_EQ(FindQuote(*holds, "cublasGetStatusString"), nullptr);  // of the missing library
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

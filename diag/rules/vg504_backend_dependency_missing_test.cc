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

// The backend needs libcublas.so.12, which needs libcublasLt.so.12. libc.so.6 is there: so
// the tree can say of a library that it is not.
HostBuilder Machine() {
  HostBuilder machine;
  machine.SetElf("/usr/local/bin/ollama", R"({"class": 64, "machine": "x86_64", "type": "EXEC",
      "error": null, "interp": "/lib64/ld-linux-x86-64.so.2", "soname": null, "needed": [],
      "runpath": null, "rpath": null, "version_needs": [], "undefined": [], "exports": [],
      "version_defs": [], "go_build": {"go": "go1.24.1", "module": "github.com/ollama/ollama",
      "version": "v0.16.2"}})");
  machine.SetFile("/etc/ld.so.conf", "/usr/lib/x86_64-linux-gnu\n");
  machine.SetFile("/usr/lib/x86_64-linux-gnu/libc.so.6", "");
  machine.SetElf("/usr/lib/x86_64-linux-gnu/libc.so.6", kLibrary);
  machine.SetFile("/lib64/ld-linux-x86-64.so.2", "")
      .SetElf("/lib64/ld-linux-x86-64.so.2", kLibrary);
  for (const char* shim : {"exec", "syscall", "cuda", "nvml", "cudart"}) {
    machine.SetElf(absl::StrCat("/usr/lib64/libvgpu-", shim, ".so"), kLibrary);
  }
  const auto needing = [](absl::string_view name) {
    return absl::StrCat(R"({"class": 64, "machine": "x86_64", "type": "DYN", "error": null,
        "soname": null, "runpath": null, "rpath": null, "version_needs": [], "undefined": [],
        "exports": [], "exports_complete": true, "version_defs": [], "needed": [")",
                        name, "\"]}");
  };
  machine.SetElf(absl::StrCat(kVariant, "libggml-cuda.so"), needing("libcublas.so.12"));
  machine.SetFile(absl::StrCat(kVariant, "libcublas.so.12"), "");
  machine.SetElf(absl::StrCat(kVariant, "libcublas.so.12"), needing("libcublasLt.so.12"));
  machine.SetFile(absl::StrCat(kVariant, "libcublasLt.so.12"), "");
  machine.SetElf(absl::StrCat(kVariant, "libcublasLt.so.12"), kLibrary);
  return machine.FoundNoGpu();
}

TEST(BackendDependencyMissingTest, WhatALibraryOfItsNeedsIsGone) {
  HostBuilder machine = Machine();
  machine.RemoveFile(absl::StrCat(kVariant, "libcublasLt.so.12"));
  const Judgement judgement = BackendDependencyMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_TRUE(absl::StrContains(holds->headline, "libcublasLt.so.12"));
  EXPECT_NE(FindQuote(*holds, "cannot open shared object file"), nullptr);
  EXPECT_NE(FindQuote(*holds, "/usr/local/lib/ollama/cuda_v12"), nullptr);  // searched
  EXPECT_TRUE(holds->independent);
}

TEST(BackendDependencyMissingTest, ALinkThatDanglesIsNoLibraryThatIsGone) {
  HostBuilder machine = Machine();
  machine.SetLink(absl::StrCat(kVariant, "libcublasLt.so.12"), "libcublasLt.so.12.8.90");
  const Judgement judgement = BackendDependencyMissing(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_FALSE(AsHolds(judgement)->independent);
}

TEST(BackendDependencyMissingTest, AllIsThere) {
  const Judgement judgement = BackendDependencyMissing(Machine().Gather());
  EXPECT_TRUE(absl::StrContains(Because(judgement), "everything that it needs is found"))
      << Because(judgement) << Lacks(judgement);
}

TEST(BackendDependencyMissingTest, ALinkToNothingIsVg503) {
  HostBuilder machine = Machine();
  machine.SetLink(absl::StrCat(kVariant, "libcublasLt.so.12"), "libcublasLt.so.12.8.90");
  const Judgement judgement = BackendLinkDangling(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_TRUE(absl::StrContains(holds->headline, "libcublasLt.so.12 is a link to nothing"));
  EXPECT_NE(AsHolds(BackendDependencyMissing(machine.Gather())), nullptr);
}

TEST(BackendDependencyMissingTest, ItIsFoundElsewhere) {
  HostBuilder machine = Machine();
  machine.RemoveFile(absl::StrCat(kVariant, "libcublasLt.so.12"));
  machine.SetFile("/usr/lib/x86_64-linux-gnu/libcublasLt.so.12", "");
  machine.SetElf("/usr/lib/x86_64-linux-gnu/libcublasLt.so.12", kLibrary);
  EXPECT_EQ(AsHolds(BackendDependencyMissing(machine.Gather())), nullptr);
}

TEST(BackendDependencyMissingTest, ADirectoryThatCannotBeSeenMayHoldIt) {
  HostBuilder machine = Machine();
  machine.RemoveFile(absl::StrCat(kVariant, "libcublasLt.so.12"));
  machine.SetEnviron("LD_LIBRARY_PATH", "/opt/cuda/lib64");
  machine.SetFile("/opt/cuda/lib64/x", "").Hide("/opt/cuda/lib64");
  const Judgement judgement = BackendDependencyMissing(machine.Gather());
  EXPECT_TRUE(AsHolds(judgement) == nullptr ||
              AsHolds(judgement)->confidence == Confidence::kPossible);
}

TEST(BackendDependencyMissingTest, DiscoveryFoundTheGpuThroughIt) {
  EXPECT_FALSE(Because(BackendDependencyMissing(HostBuilder().Gather())).empty());
}

}  // namespace
}  // namespace vgpu::rules

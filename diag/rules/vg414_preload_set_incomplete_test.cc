#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// Unit, systemd and process agree on this list; discovery found no GPU.
HostBuilder With(absl::string_view list) {
  HostBuilder machine;
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", list, "\"\n"));
  machine.SetShown("Environment", absl::StrCat("LD_PRELOAD=", list));
  machine.SetEnviron("LD_PRELOAD", list).FoundNoGpu();
  machine.SetMaps({{"/usr/lib64/libvgpu-exec.so", 301}, {"/usr/lib64/libvgpu-nvml.so", 304}});
  return machine;
}

constexpr char kWithoutCuda[] =
    "/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-nvml.so:/usr/lib64/libvgpu-cudart.so";

TEST(PreloadSetIncompleteTest, CudaIsInstalledAndNotListed) {
  const Judgement judgement = PreloadSetIncomplete(With(kWithoutCuda).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
  EXPECT_EQ(holds->evidence[0].source, kDropIn);
  EXPECT_EQ(holds->evidence[0].line, 2);
  EXPECT_EQ(holds->evidence[1].source, "/usr/lib64/libvgpu-cuda.so");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command,
                                "libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-n"));
}

TEST(PreloadSetIncompleteTest, EraANeedsNoRuntime) {
  HostBuilder machine = With("/usr/lib64/libvgpu-cuda.so");
  machine.EraA();
  EXPECT_EQ(AsHolds(PreloadSetIncomplete(machine.Gather())), nullptr);
  EXPECT_NE(AsHolds(PreloadSetIncomplete(With("/usr/lib64/libvgpu-cuda.so").Gather())), nullptr);
}

TEST(PreloadSetIncompleteTest, OneThatIsFoundByPathNeedsNoEntry) {
  HostBuilder machine = With(kWithoutCuda);
  machine.SetLink("/usr/local/lib/ollama/cuda_v12/libcuda.so.1", "/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(Because(PreloadSetIncomplete(machine.Gather())),
            "libvgpu-cuda is found by path, as /usr/local/lib/ollama/cuda_v12/libcuda.so.1");
}

TEST(PreloadSetIncompleteTest, ALinkWhereDiscoveryDoesNotLookIsNone) {
  constexpr char kWithoutRuntime[] =
      "/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-nvml.so";
  HostBuilder machine = With(kWithoutRuntime);
  machine.WithLibraries();
  machine.SetLink("/opt/vgpu/lib/libcudart.so.12", "/usr/lib64/libvgpu-cudart.so");
  const Judgement judgement = PreloadSetIncomplete(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(AsHolds(judgement)->evidence[1].source, "/usr/lib64/libvgpu-cudart.so");
}

TEST(PreloadSetIncompleteTest, OneThatIsNotInstalledCannotBeListed) {
  HostBuilder machine = With(kWithoutCuda);
  machine.RemoveFile("/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(Because(PreloadSetIncomplete(machine.Gather())),
            "no libvgpu-cuda.so is installed that could be listed");
}

TEST(PreloadSetIncompleteTest, ALaterAssignmentThatDropsItIsAnotherFault) {
  HostBuilder machine = With(kWithoutCuda);
  machine.SetFile("/etc/systemd/system/ollama.service.d/10-first.conf",
                  absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload, "\"\n"));
  EXPECT_TRUE(absl::StrContains(Because(PreloadSetIncomplete(machine.Gather())),
                                "takes that assignment away"));
}

TEST(PreloadSetIncompleteTest, AValueThatABlankCutsIsAnotherFault) {
  HostBuilder machine = With("/usr/lib64/libvgpu-exec.so");
  machine.SetFile(kDropIn,
                  "[Service]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-exec.so "
                  "/usr/lib64/libvgpu-cuda.so /usr/lib64/libvgpu-cudart.so\n");
  EXPECT_EQ(AsHolds(PreloadSetIncomplete(machine.Gather())), nullptr);
}

TEST(PreloadSetIncompleteTest, AProcessThatIsOlderThanItsListIsAnotherFault) {
  HostBuilder machine;
  machine.SetEnviron("LD_PRELOAD", kWithoutCuda).FoundNoGpu();
  EXPECT_EQ(AsHolds(PreloadSetIncomplete(machine.Gather())), nullptr);
}

TEST(PreloadSetIncompleteTest, AListOfOtherThingsIsNoSet) {
  EXPECT_EQ(Because(PreloadSetIncomplete(With("/usr/lib/libjemalloc.so.2").Gather())),
            "the service's preload list names no shim at all");
}

// The shims lie in /usr/lib64, and neither the unit nor a path leads to them.
HostBuilder NothingLoads() {
  HostBuilder machine;
  machine.WithLibraries().FoundNoGpu();
  machine.SetFile(kDropIn, "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=1h\n");
  machine.SetShown("Environment", "OLLAMA_KEEP_ALIVE=1h");
  machine.RemoveEnviron("LD_PRELOAD").SetEnviron("OLLAMA_KEEP_ALIVE", "1h");
  machine.SetMaps({{"/usr/local/bin/ollama", 301}});
  return machine;
}

TEST(PreloadSetIncompleteTest, InstalledAndNothingLoadsThem) {
  const Judgement judgement = PreloadSetIncomplete(NothingLoads().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, "/usr/lib64/libvgpu-cuda.so");
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command,
                                "LD_PRELOAD=/usr/lib64/libvgpu-cuda.so:/usr/lib64/libvgpu-nvml.so:"
                                "/usr/lib64/libvgpu-cudart.so"))
      << holds->fix[0].command;
}

TEST(PreloadSetIncompleteTest, AListOfOtherThingsKeepsThem) {
  HostBuilder machine = NothingLoads();
  machine.SetFile("/usr/lib/libjemalloc.so.2",
                  "\x7f"
                  "ELF");
  machine.SetFile(kDropIn, "[Service]\nEnvironment=LD_PRELOAD=/usr/lib/libjemalloc.so.2\n");
  machine.SetShown("Environment", "LD_PRELOAD=/usr/lib/libjemalloc.so.2");
  machine.SetEnviron("LD_PRELOAD", "/usr/lib/libjemalloc.so.2");
  const Judgement judgement = PreloadSetIncomplete(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command,
                                "LD_PRELOAD=/usr/lib/libjemalloc.so.2:/usr/lib64/libvgpu-cuda.so"))
      << holds->fix[0].command;
}

TEST(PreloadSetIncompleteTest, WithoutAListEachIsFoundByPath) {
  HostBuilder machine = NothingLoads();
  const std::string variant = "/usr/local/lib/ollama/cuda_v12/";
  machine.SetLink(variant + "libcuda.so.1", "/usr/lib64/libvgpu-cuda.so");
  machine.RemoveFile(variant + "libcudart.so.12");
  machine.SetLink(variant + "libcudart.so.12", "/usr/lib64/libvgpu-cudart.so");
  EXPECT_EQ(Because(PreloadSetIncomplete(machine.Gather())), "no LD_PRELOAD is set");
}

TEST(PreloadSetIncompleteTest, WithoutAListAndTheGpuIsFound) {
  HostBuilder machine = NothingLoads();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine});
  EXPECT_EQ(Because(PreloadSetIncomplete(machine.Gather())), "no LD_PRELOAD is set");
}

TEST(PreloadSetIncompleteTest, ADropInThatIsNotReadIsAnotherFault) {
  HostBuilder machine = NothingLoads();
  machine.SetFile(absl::StrCat(kDropIn, ".bak"),
                  absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload, "\"\n"));
  EXPECT_EQ(Because(PreloadSetIncomplete(machine.Gather())),
            "the unit was to give a list, and another fault takes it away");
}

TEST(PreloadSetIncompleteTest, WhatCouldNotBeReadMayGiveTheList) {
  HostBuilder unread = NothingLoads();
  unread.Hide(kDropIn, "its content was not captured");
  EXPECT_FALSE(std::holds_alternative<Holds>(PreloadSetIncomplete(unread.Gather())));
  HostBuilder not_loaded = NothingLoads();
  not_loaded.SetShown("NeedDaemonReload", "yes");
  EXPECT_FALSE(std::holds_alternative<Holds>(PreloadSetIncomplete(not_loaded.Gather())));
}

TEST(PreloadSetIncompleteTest, AStartScriptMayGiveTheListOfAServiceThatDoesNotRun) {
  const std::string last = "exec /usr/local/bin/ollama serve\n";
  HostBuilder machine = NothingLoads();
  machine.Stopped().SetExecStart("/usr/local/sbin/start-ollama");
  machine.SetFile("/usr/local/sbin/start-ollama", absl::StrCat("#!/bin/sh\n", last));
  EXPECT_NE(AsHolds(PreloadSetIncomplete(machine.Gather())), nullptr);
  machine.SetFile("/usr/local/sbin/start-ollama",
                  absl::StrCat("#!/bin/sh\nexport LD_PRELOAD=", kPreload, "\n", last));
  EXPECT_EQ(Lacks(PreloadSetIncomplete(machine.Gather())),
            "the list that /usr/local/sbin/start-ollama gives");
}

TEST(PreloadSetIncompleteTest, WithoutAListAndOneIsShadowed) {
  HostBuilder machine = NothingLoads();
  machine.SetLink("/opt/vgpu/lib/libcuda.so.1", "/usr/lib64/libvgpu-cuda.so");
  machine.SetLink("/opt/vgpu/lib/libcudart.so.12", "/usr/lib64/libvgpu-cudart.so");
  machine.SetFile(kDropIn, "[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/vgpu/lib\n");
  machine.SetShown("Environment", "LD_LIBRARY_PATH=/opt/vgpu/lib");
  machine.SetEnviron("LD_LIBRARY_PATH", "/opt/vgpu/lib");
  EXPECT_EQ(AsHolds(PreloadSetIncomplete(machine.Gather())), nullptr);
  EXPECT_NE(AsHolds(ShimShadowed(machine.Gather())), nullptr);
}

TEST(PreloadSetIncompleteTest, NvidiasDriverNeedsNoShim) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  EXPECT_EQ(AsHolds(PreloadSetIncomplete(machine.Gather())), nullptr);
}

TEST(PreloadSetIncompleteTest, WithoutShimsThereIsNothingToList) {
  HostBuilder machine = NothingLoads();
  for (const char* name : {"exec", "syscall", "cuda", "nvml", "cudart"}) {
    machine.RemoveFile(absl::StrCat("/usr/lib64/libvgpu-", name, ".so"));
  }
  EXPECT_EQ(Because(PreloadSetIncomplete(machine.Gather())), "no LD_PRELOAD is set");
}

TEST(PreloadSetIncompleteTest, TheWholeSet) {
  EXPECT_EQ(Because(PreloadSetIncomplete(HostBuilder().Gather())),
            "the list names 5 shims, all that this version of Ollama needs among them");
}

}  // namespace
}  // namespace vgpu::rules

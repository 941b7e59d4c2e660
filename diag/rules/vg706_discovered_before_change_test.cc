#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(DiscoveredBeforeChangeTest, TheLoaderMissedAShimThatIsThereNow) {
  HostBuilder machine;
  machine.SetLog(
      {"ERROR: ld.so: object '/usr/lib64/libvgpu-cuda.so' from LD_PRELOAD cannot be "
       "preloaded (cannot open shared object file): ignored.",
       kServerConfigLine, kListeningLine, kBeganLine, kCpuLine});
  // The same words may mean that it could not be read: only a younger file was not there.
  EXPECT_EQ(AsHolds(DiscoveredBeforeChange(machine.Gather())), nullptr);
  machine.SetWritten("/usr/lib64/libvgpu-cuda.so", At("2026-02-24 10:09:00"));
  const Judgement judgement = DiscoveredBeforeChange(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->fix[0].command, "sudo systemctl restart ollama.service");
}

TEST(DiscoveredBeforeChangeTest, AShimThatTheLoaderRefusedWasThere) {
  HostBuilder machine;
  machine.SetLog(
      {"ERROR: ld.so: object '/usr/lib64/libvgpu-cuda.so' from LD_PRELOAD cannot be "
       "preloaded (failed to map segment from shared object): ignored.",
       kServerConfigLine, kListeningLine, kBeganLine, kCpuLine});
  machine.SetFile("/proc/57290/maps", "");
  machine.SetWritten("/usr/lib64/libvgpu-cuda.so", At("2026-02-24 10:09:00"));
  EXPECT_EQ(AsHolds(DiscoveredBeforeChange(machine.Gather())), nullptr);
}

// Its mode changed after the start, by the clock's grain, or a second time.
TEST(DiscoveredBeforeChangeTest, AShimThatIsClosedDidNotCome) {
  HostBuilder machine;
  machine.SetLog(
      {"ERROR: ld.so: object '/usr/lib64/libvgpu-cuda.so' from LD_PRELOAD cannot be "
       "preloaded (cannot open shared object file): ignored.",
       kServerConfigLine, kListeningLine, kBeganLine, kCpuLine});
  machine.SetFile("/proc/57290/maps", "");
  machine.SetWritten("/usr/lib64/libvgpu-cuda.so", At("2026-02-24 10:09:00"));
  ASSERT_NE(AsHolds(DiscoveredBeforeChange(machine.Gather())), nullptr);
  machine.SetFile("/etc/passwd", "ollama:x:998:998::/:/bin/false\n").SetFile("/etc/group", "");
  for (const char* dir : {"/", "/usr", "/usr/lib64"}) machine.SetMode(dir, 0755);
  machine.SetMode("/usr/lib64/libvgpu-cuda.so", 0600);
  EXPECT_EQ(AsHolds(DiscoveredBeforeChange(machine.Gather())), nullptr);
}

TEST(DiscoveredBeforeChangeTest, TheBackendCameLater) {
  HostBuilder machine;
  machine.FoundNoGpu().SetWritten("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so",
                                  At("2026-02-24 10:09:00"));
  const Judgement judgement = DiscoveredBeforeChange(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "there since 2026-02-24"), nullptr);
}

TEST(DiscoveredBeforeChangeTest, TheDriverWasLoadedLater) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15").FoundNoGpu();
  const Judgement judgement = DiscoveredBeforeChange(WithKernelLog(
      machine, KernelSaid("2026-02-24 08:00:00", "Linux version 6.1") +
                   KernelSaid("2026-02-24 10:09:00", "NVRM: loading NVIDIA UNIX x86_64 Kernel")));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(FindQuote(*holds, "NVRM")->meaning, "after discovery"));
  // Hours after the boot there is nothing to wait for at the next one.
  EXPECT_EQ(holds->fix.size(), 1u);
}

TEST(DiscoveredBeforeChangeTest, AUnitThatRacedTheDriverAtBootIsOrderedBehindIt) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15").FoundNoGpu();
  facts::Facts facts = WithKernelLog(
      machine, KernelSaid("2026-02-24 08:00:00", "Linux version 6.1") +
                   KernelSaid("2026-02-24 10:07:00", "NVRM: loading NVIDIA UNIX x86_64 Kernel"));
  facts::ProcessFacts process = *facts.process;
  process.started_usec = {"/proc/57290/stat", uint64_t{9'000'000}};
  facts.process = process;
  const auto last_step = [&] {
    const Judgement judgement = DiscoveredBeforeChange(facts);
    const Holds* holds = AsHolds(judgement);
    EXPECT_NE(holds, nullptr);
    return holds == nullptr || holds->fix.size() != 2 ? FixStep{} : holds->fix[1];
  };
  const FixStep step = last_step();
  EXPECT_TRUE(absl::StrContains(step.command, "After=nvidia-persistenced.service")) << step.command;
  EXPECT_TRUE(absl::StrContains(step.command, "Wants=nvidia-persistenced.service"));
  EXPECT_TRUE(absl::StrContains(step.undo, "rm ")) << step.undo;
  EXPECT_TRUE(std::holds_alternative<ByHand>(step.action));
  facts.installation.distribution = std::string("nixos");
  EXPECT_TRUE(absl::StrContains(last_step().why, "systemd.services.ollama.after"));
}

TEST(DiscoveredBeforeChangeTest, ADriverThatIsLoadedAgainWasThere) {
  HostBuilder machine;
  machine.NvidiaDriver("550.54.15").FoundNoGpu();
  EXPECT_EQ(
      AsHolds(DiscoveredBeforeChange(WithKernelLog(
          machine, KernelSaid("2026-02-24 08:00:00", "NVRM: loading NVIDIA UNIX x86_64 Kernel") +
                       KernelSaid("2026-02-24 10:09:00", "NVRM: loading NVIDIA UNIX x86_64")))),
      nullptr);
}

TEST(DiscoveredBeforeChangeTest, AnOldBackendIsNoChange) {
  HostBuilder machine;
  machine.FoundNoGpu().SetWritten("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so",
                                  At("2026-02-18 10:09:00"));
  EXPECT_TRUE(absl::StrContains(Because(DiscoveredBeforeChange(machine.Gather())),
                                "is older than discovery"));
}

TEST(DiscoveredBeforeChangeTest, AMappedShimWasThere) {
  HostBuilder machine;  // touched, or copied over in place
  machine.FoundNoGpu().SetWritten("/usr/lib64/libvgpu-cuda.so", At("2026-02-24 10:09:00"));
  EXPECT_EQ(AsHolds(DiscoveredBeforeChange(machine.Gather())), nullptr);
}

TEST(DiscoveredBeforeChangeTest, TheShimsConfigurationWasMendedSince) {
  HostBuilder machine;
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine,
                  "ggml_cuda_init: failed to initialize CUDA: system not yet initialized",
                  kCpuLine});
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\nprofile = \"h900\"\n");
  EXPECT_EQ(AsHolds(DiscoveredBeforeChange(machine.Gather())), nullptr);
  machine.SetFile("/etc/vgpu/devices.toml", "[[device]]\nprofile = \"t4\"\n");
  const Judgement judgement = DiscoveredBeforeChange(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_NE(FindQuote(*holds, "system not yet initialized"), nullptr);
}

TEST(DiscoveredBeforeChangeTest, NoTimesWereKept) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(DiscoveredBeforeChange(machine.FoundNoGpu().WithoutFileTimes().Gather())),
            "when the files and the device came that discovery needs");
}

TEST(DiscoveredBeforeChangeTest, TheGpuWasFound) {
  HostBuilder machine;
  machine.SetWritten("/usr/local/lib/ollama/cuda_v12/libggml-cuda.so", At("2026-02-24 10:09:00"));
  EXPECT_TRUE(
      absl::StrContains(Because(DiscoveredBeforeChange(machine.Gather())), "found the GPU"));
}

TEST(DiscoveredBeforeChangeTest, TheDriversLibraryCameLater) {
  HostBuilder machine;
  constexpr char kLibrary[] = "/usr/lib/x86_64-linux-gnu/libcuda.so.570.124.06";
  machine.NvidiasOwn().WithLibraries().FoundNoGpu();
  machine.SetElf(kLibrary, R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
                               "interp": null, "soname": "libcuda.so.1", "needed": ["libc.so.6"],
                               "rpath": null, "runpath": null, "version_defs": [],
                               "version_needs": [], "undefined": [], "exports": [],
                               "exports_complete": false})");
  machine.SetWritten(kLibrary, At("2026-02-24 10:09:00"));
  const Judgement judgement = DiscoveredBeforeChange(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr) << Because(judgement) << Lacks(judgement);
  EXPECT_NE(FindQuote(*holds, "there since 2026-02-24"), nullptr);
}

}  // namespace
}  // namespace vgpu::rules

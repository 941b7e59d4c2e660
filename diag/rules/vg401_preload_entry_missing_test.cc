#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kLoaderLine[] =
    "ERROR: ld.so: object '/usr/lib64/libvgpu-cuda.so' from LD_PRELOAD cannot be preloaded "
    "(cannot open shared object file): ignored.";

TEST(PreloadEntryMissingTest, TheCudaShimIsNotThere) {
  HostBuilder machine;
  machine.RemoveFile("/usr/lib64/libvgpu-cuda.so");
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}});
  machine.SetLog({kLoaderLine, kServerConfigLine, kListeningLine, kBeganLine, kCpuLine});
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, "/proc/57290/environ");
  EXPECT_EQ(holds->evidence[0].quote, "/usr/lib64/libvgpu-cuda.so");
  const Evidence* said = FindQuote(*holds, "cannot be preloaded");
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->line, 2);
  EXPECT_EQ(holds->explains, std::vector<std::string>{"VG704"});
}

TEST(PreloadEntryMissingTest, AllThere) {
  EXPECT_EQ(Because(PreloadEntryMissing(HostBuilder().Gather())), "5 of 5 entries exist");
}

TEST(PreloadEntryMissingTest, AShimThatNothingNeedsIsLatent) {
  HostBuilder machine;
  machine.RemoveFile("/usr/lib64/libvgpu-syscall.so").FoundNoGpu();
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(holds->explains.empty());
  EXPECT_TRUE(absl::StrContains(holds->evidence.back().meaning, "nothing fails of it"));
}

TEST(PreloadEntryMissingTest, ADanglingLinkSaysWhereItEnds) {
  HostBuilder machine;
  machine.SetLink("/usr/lib64/libvgpu-cuda.so", "/opt/vgpu/lib/libvgpu-cuda.so.1");
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "a link that ends at /opt"));
}

TEST(PreloadEntryMissingTest, ALinkLoop) {
  HostBuilder machine;
  machine.SetLink("/usr/lib64/libvgpu-cuda.so", "/usr/lib64/b.so");
  machine.SetLink("/usr/lib64/b.so", "/usr/lib64/libvgpu-cuda.so");
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "in a circle"));
}

TEST(PreloadEntryMissingTest, WhatCannotBeLookedAtIsNotMissing) {
  HostBuilder machine;
  machine.Hide("/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(Lacks(PreloadEntryMissing(machine.Gather())),
            "the preload entry /usr/lib64/libvgpu-cuda.so");
}

TEST(PreloadEntryMissingTest, ANameWithoutASlashIsSearchedAndNotMissing) {
  HostBuilder machine;
  machine.SetEnviron("LD_PRELOAD", "libvgpu-cuda.so");
  EXPECT_EQ(Because(PreloadEntryMissing(machine.Gather())), "6 of 6 entries exist");
  machine.SetEnviron("LD_PRELOAD", "libelsewhere.so");  // the loader's cache was not read
  EXPECT_EQ(Lacks(PreloadEntryMissing(machine.Gather())), "the preload entry libelsewhere.so");
}

TEST(PreloadEntryMissingTest, AProcessWithoutTheListLacksNothingOfIt) {
  HostBuilder machine;  // VG302 is why there is no GPU; this waits for the restart
  machine.NotRestarted().RemoveFile("/usr/lib64/libvgpu-cuda.so");
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(FindQuote(*holds, "library=cpu"), nullptr);
}

TEST(PreloadEntryMissingTest, TheListCannotBeRead) {
  HostBuilder machine;
  machine.Hide("/proc/57290/environ").RemoveTool(kShow).RemoveFile("/etc/systemd");
  EXPECT_EQ(Lacks(PreloadEntryMissing(machine.Gather())), "the preload list of the process");
}

TEST(PreloadEntryMissingTest, AListOfThousandsNamesAFew) {
  HostBuilder machine;
  std::string list;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&list, "/opt/gone/", i, ".so:");
  const Judgement judgement = PreloadEntryMissing(machine.SetEnviron("LD_PRELOAD", list).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_LT(holds->evidence.size(), 20u);
}

TEST(PreloadEntryMissingTest, WhatTheUnitBindsOverThePlaceIsNotMissing) {
  HostBuilder machine;
  machine.RemoveFile("/usr/lib64/libvgpu-cuda.so");
  machine.SetFile("/etc/systemd/system/ollama.service.d/zz-bind.conf",
                  "[Service]\nBindReadOnlyPaths=/opt/vgpu/lib:/usr/lib64\n");
  EXPECT_EQ(AsHolds(PreloadEntryMissing(machine.Gather())), nullptr);
}

TEST(PreloadEntryMissingTest, AFileThatWasDeletedAfterItWasLoadedIsMissingAtTheNextStart) {
  HostBuilder machine;
  machine.RemoveFile("/usr/lib64/libvgpu-cuda.so").FoundNoGpu();
  machine.SetMaps({{"/usr/lib64/libvgpu-cuda.so (deleted)", 77}});
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
}

TEST(PreloadEntryMissingTest, AListThatSystemdHasNotReadActsAfterTheReload) {
  HostBuilder machine;
  machine.NotReloaded().RemoveFile("/usr/lib64/libvgpu-cuda.so");
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(holds->evidence[0].source, kDropIn);
}

TEST(PreloadEntryMissingTest, TheFileThatTheUnitBindsIsAListToo) {
  HostBuilder machine;
  machine.RemoveEnviron("LD_PRELOAD").SetShown("Environment", "PATH=/usr/bin");
  machine.SetFile(kDropIn,
                  "[Service]\nBindReadOnlyPaths=/etc/vgpu/ld.so.preload:/etc/ld.so.preload\n");
  machine.SetFile("/etc/vgpu/ld.so.preload",
                  "/usr/lib64/libvgpu-nvml.so\n/opt/gone/libvgpu-cuda.so\n");
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].source, "/etc/vgpu/ld.so.preload");
  EXPECT_EQ(holds->evidence[0].line, 2);
}

TEST(PreloadEntryMissingTest, TheHostsOwnFileIsJudgedByItself) {
  HostBuilder machine;
  machine.RemoveEnviron("LD_PRELOAD").SetFile(kDropIn, "[Service]\n");
  machine.SetShown("Environment", "PATH=/usr/bin").SetFile("/etc/ld.so.preload", "/x.so\n");
  EXPECT_TRUE(absl::StrContains(Because(PreloadEntryMissing(machine.Gather())), "VG102"));
}

TEST(PreloadEntryMissingTest, AListOfADirectoryInWhichTheShimsAreNot) {
  HostBuilder machine;
  std::string wrong(kPreload);
  absl::StrReplaceAll({{"/usr/lib64/", "/usr/lib46/"}}, &wrong);
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", wrong, "\"\n"));
  machine.SetShown("Environment", absl::StrCat("LD_PRELOAD=", wrong));
  machine.SetEnviron("LD_PRELOAD", wrong).SetMaps({{"/usr/local/bin/ollama", 262650}}).FoundNoGpu();
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  ASSERT_FALSE(holds->fix.empty());
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, absl::StrCat("LD_PRELOAD=", kPreload)))
      << holds->fix[0].command;
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "install -m")) << step.command;
  }
}

TEST(PreloadEntryMissingTest, AFileThatWasPutAsideIsNoRepair) {
  HostBuilder machine;
  machine.FoundNoGpu().RemoveFile("/usr/lib64/libvgpu-cuda.so");
  for (const char* name : {"libvgpu-cuda.so.old", "libvgpu-cuda.so.bak-2026-02-24"}) {
    machine.SetFile(absl::StrCat("/usr/lib64/", name), "x");
    machine.SetElf(absl::StrCat("/usr/lib64/", name),
                   R"({"error": null, "class": 64, "machine": "x86_64", "type": "DYN",
                       "soname": "libcuda.so.1", "exports": [], "exports_complete": true})");
  }
  const Judgement judgement = PreloadEntryMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, ".old")) << step.command;
    EXPECT_FALSE(absl::StrContains(step.command, ".bak")) << step.command;
  }
  EXPECT_EQ(holds->fix[0].command,
            "sudo install -D -m 0755 libvgpu-cuda.so /usr/lib64/libvgpu-cuda.so");
}

}  // namespace
}  // namespace vgpu::rules

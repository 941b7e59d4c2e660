#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kCuda[] = "/usr/lib64/libvgpu-cuda.so";

HostBuilder Replaced() {
  HostBuilder machine;
  machine.SetInode(kCuda, 991001).SetWritten(kCuda, At("2026-02-24 10:09:00"));
  machine.SetMaps({{"/usr/local/bin/ollama", 262650},
                   {"/usr/lib64/libvgpu-cuda.so (deleted)", 303},
                   {"/usr/lib64/libvgpu-cudart.so", 305}});
  return machine;
}

TEST(StaleLibraryInMemoryTest, ReplacedAfterItFailed) {
  const Judgement judgement = StaleLibraryInMemory(Replaced().FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(FindQuote(*holds, "(deleted) (inode 303)")->source, "/proc/57290/maps");
  EXPECT_EQ(FindQuote(*holds, "inode 991001")->source, kCuda);
  EXPECT_EQ(holds->fix[0].command, "sudo systemctl restart ollama.service");
}

TEST(StaleLibraryInMemoryTest, ReplacedWhileItWorksIsARisk) {
  const Judgement judgement = StaleLibraryInMemory(Replaced().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_TRUE(holds->explains.empty());
}

TEST(StaleLibraryInMemoryTest, TheRunnerOfAModelHasTheOldBackend) {
  HostBuilder machine;
  machine.AddProcess(57345, kPid, {"/usr/local/bin/ollama", "runner", "--model", "/m"},
                     "/usr/local/bin/ollama", {}, "/system.slice/ollama.service");
  machine.SetFile("/proc/57345/maps",
                  "7f0000000000-7f0000001000 r-xp 00000000 08:01 77 "
                  "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so (deleted)\n");
  const Judgement judgement = StaleLibraryInMemory(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].source, "/proc/57345/maps");
}

TEST(StaleLibraryInMemoryTest, ATouchedFileIsTheSameFile) {
  HostBuilder machine;
  machine.SetWritten(kCuda, At("2026-02-24 10:09:00"));
  EXPECT_EQ(AsHolds(StaleLibraryInMemory(machine.Gather())), nullptr);
}

TEST(StaleLibraryInMemoryTest, RemovedIsTheNextStartsMatter) {
  HostBuilder machine = Replaced();
  machine.RemoveFile(kCuda);
  EXPECT_EQ(Because(StaleLibraryInMemory(machine.Gather())),
            "1 file that is mapped was removed, and nothing took its place");
}

TEST(StaleLibraryInMemoryTest, Fresh) {
  EXPECT_EQ(Because(StaleLibraryInMemory(HostBuilder().Gather())),
            "5 mapped libraries are the file that the disk has");
}

TEST(StaleLibraryInMemoryTest, ACheckoutKeepsNoInodes) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(StaleLibraryInMemory(machine.WithoutFileTimes().Gather())),
            "whether what is mapped is what the disk has now");
}

TEST(StaleLibraryInMemoryTest, TheMapsWereNotSeen) {
  HostBuilder machine;
  machine.Hide("/proc/57290/maps");
  EXPECT_EQ(Lacks(StaleLibraryInMemory(machine.Gather())), "loaded libraries of process 57290");
}

}  // namespace
}  // namespace vgpu::rules

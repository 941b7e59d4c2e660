#include <algorithm>

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kElf[] = R"({"class": 64, "interp": "/lib64/ld-linux-x86-64.so.2",
    "go_build": {"module": "github.com/ollama/ollama", "version": "v0.16.2"}})";

// The program was moved to /opt/vgpu/ollama.bin; its libraries stayed.
HostBuilder Moved() {
  HostBuilder machine;
  machine.RemoveFile("/usr/local/bin/ollama");
  machine.SetFile("/opt/vgpu/ollama.bin", "").SetElf("/opt/vgpu/ollama.bin", kElf);
  machine.SetLink("/proc/57290/exe", "/opt/vgpu/ollama.bin");
  machine.SetExecStart("/opt/vgpu/ollama.bin serve");
  return machine.FoundNoGpu();
}

TEST(BinaryRelocatedTest, TheLibrariesStayedBehind) {
  const Judgement judgement = BinaryRelocated(Moved().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].quote, "/opt/vgpu/ollama.bin");
  EXPECT_EQ(holds->evidence[1].source, "/opt/lib/ollama");
  EXPECT_EQ(holds->evidence[2].source, "/usr/local/lib/ollama");
  EXPECT_NE(std::find(holds->explains.begin(), holds->explains.end(), "VG501"),
            holds->explains.end());
  EXPECT_EQ(holds->fix[0].command,
            "sudo mkdir -p /opt/lib && sudo ln -s /usr/local/lib/ollama /opt/lib/ollama");
}

TEST(BinaryRelocatedTest, ALinkToTheProgramMovesItToo) {
  HostBuilder machine = Moved();
  machine.SetLink("/usr/local/bin/ollama", "/opt/vgpu/ollama.bin");
  machine.SetExecStart("/usr/local/bin/ollama serve");
  const Judgement judgement = BinaryRelocated(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->evidence[1].source, "/usr/local/bin/ollama");
}

TEST(BinaryRelocatedTest, WithNoLibrariesAnywhereThatIsVg501) {
  HostBuilder machine = Moved();
  machine.RemoveFile("/usr/local/lib/ollama");
  EXPECT_FALSE(Because(BinaryRelocated(machine.Gather())).empty());
  EXPECT_NE(AsHolds(OllamaLibdirMissing(machine.Gather())), nullptr);
}

TEST(BinaryRelocatedTest, AProcessThatFoundItsGpuFoundItsLibraries) {
  HostBuilder machine = Moved();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine});
  EXPECT_FALSE(Because(BinaryRelocated(machine.Gather())).empty());
}

TEST(BinaryRelocatedTest, ItIsWhereItBelongs) {
  EXPECT_EQ(Because(BinaryRelocated(HostBuilder().Gather())),
            "/usr/local/bin/ollama finds /usr/local/lib/ollama");
}

TEST(BinaryRelocatedTest, ThePlaceCannotBeSeen) {
  HostBuilder machine = Moved();
  machine.SetFile("/opt/lib/ollama/x", "").Hide("/opt/lib/ollama");
  EXPECT_EQ(Lacks(BinaryRelocated(machine.Gather())), "where the program finds its libraries");
}

}  // namespace
}  // namespace vgpu::rules

#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kProgram[] = "/snap/ollama/105/bin/ollama";

HostBuilder Snap() {
  HostBuilder machine;
  machine.SetFile(kProgram, "").SetLink("/proc/57290/exe", kProgram);
  machine.SetExecStart("/snap/ollama/105/bin/ollama serve");
  machine.SetMaps({{kProgram, 262650}});
  return machine.FoundNoGpu();
}

TEST(SnapConfinementTest, TheServerIsASnapsProgram) {
  const Judgement judgement = SnapConfinement(Snap().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->evidence[0].quote, kProgram);
  EXPECT_EQ(holds->explains, (std::vector<std::string>{"VG207", "VG303", "VG304", "VG302", "VG401",
                                                       "VG402", "VG704"}));
}

TEST(SnapConfinementTest, ASnapThatFoundTheGpuIsWell) {
  HostBuilder machine = Snap();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine});
  EXPECT_FALSE(Because(SnapConfinement(machine.Gather())).empty());
}

TEST(SnapConfinementTest, NoSnap) {
  EXPECT_EQ(Because(SnapConfinement(HostBuilder().FoundNoGpu().Gather())),
            "/usr/local/bin/ollama is of no snap");
}

TEST(SnapConfinementTest, TheProgramIsNotKnown) {
  HostBuilder machine;
  machine.Hide("/proc/57290/exe").Hide("/usr/local/bin/ollama");
  EXPECT_EQ(Lacks(SnapConfinement(machine.Gather())), "the program of the server");
}

}  // namespace
}  // namespace vgpu::rules

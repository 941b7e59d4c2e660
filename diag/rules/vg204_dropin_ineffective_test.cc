#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kDir[] = "/etc/systemd/system/ollama.service.d/";

std::string Text() {
  return absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload, "\"\n");
}

// The drop-in is not the one that the healthy machine has; the process lacks the shims.
HostBuilder Without() {
  HostBuilder machine;
  machine.RemoveFile(kDropIn).RemoveEnviron("LD_PRELOAD").FoundNoGpu();
  machine.SetShown("Environment", "PATH=/usr/bin").RemoveShown("DropInPaths");
  machine.SetMaps({{"/usr/local/bin/ollama", 262650}});
  return machine;
}

TEST(DropinIneffectiveTest, ANameThatDoesNotEndInConf) {
  HostBuilder machine = Without();
  machine.SetFile(absl::StrCat(kDir, "vgpu.conf.bak"), Text());
  const Judgement judgement = DropinIneffective(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].source, absl::StrCat(kDir, "vgpu.conf.bak"));
  EXPECT_EQ(holds->evidence[0].line, 2);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "ollama.service.d/vgpu.conf"));
}

TEST(DropinIneffectiveTest, AWrongDirectory) {
  for (const char* path : {"/etc/systemd/system/ollama.d/vgpu.conf",
                           "/etc/systemd/system/ollama.service.conf.d/vgpu.conf",
                           "/etc/systemd/system/ollama.service.d.bak/vgpu.conf"}) {
    HostBuilder machine = Without();
    machine.SetFile(path, Text());
    const Judgement judgement = DropinIneffective(machine.Gather());
    ASSERT_NE(AsHolds(judgement), nullptr) << path;
    EXPECT_EQ(AsHolds(judgement)->evidence[0].source, path);
  }
}

TEST(DropinIneffectiveTest, TextThatSystemdDoesNotTake) {
  for (const char* text : {"[service]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n",
                           "Environment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n",
                           "[Unit]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n",
                           "[Service]\nEnviroment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n",
                           "[Service]\nenvironment=\"LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\"\n",
                           "[Service]\nLD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n",
                           "[Service]\nEnvironment=\"LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n",
                           "[Service\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n"}) {
    HostBuilder machine = Without();
    machine.SetFile(kDropIn, text);
    const Judgement judgement = DropinIneffective(machine.Gather());
    const Holds* holds = AsHolds(judgement);
    ASSERT_NE(holds, nullptr) << text;
    EXPECT_EQ(holds->evidence[0].source, kDropIn) << text;
    EXPECT_GT(holds->evidence[0].line, 0) << text;
  }
}

TEST(DropinIneffectiveTest, TheRepairGivesAllThatTheFileWasMeantToGive) {
  HostBuilder machine = Without();
  machine.SetFile(kDropIn, absl::StrCat("Environment=\"LD_PRELOAD=", kPreload,
                                        "\"\nEnvironment=\"LD_LIBRARY_PATH=/usr/lib/vgpu\"\n"));
  const Judgement judgement = DropinIneffective(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  const std::string& command = AsHolds(judgement)->fix[0].command;
  EXPECT_TRUE(absl::StrContains(command, absl::StrCat("LD_PRELOAD=", kPreload))) << command;
  EXPECT_TRUE(absl::StrContains(command, "LD_LIBRARY_PATH=/usr/lib/vgpu")) << command;
}

TEST(DropinIneffectiveTest, AnEmptyDropInIsAGuess) {
  HostBuilder machine = Without();
  machine.SetFile(kDropIn, "");
  const Judgement judgement = DropinIneffective(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
}

TEST(DropinIneffectiveTest, MaskedByAFileOfTheSameName) {
  HostBuilder machine = Without();
  machine.SetLink(kDropIn, "/dev/null");
  machine.SetFile("/usr/lib/systemd/system/ollama.service.d/vgpu.conf", Text());
  const Judgement judgement = DropinIneffective(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_TRUE(absl::StrContains(AsHolds(judgement)->evidence[0].meaning, "shadowed"));
}

TEST(DropinIneffectiveTest, ABackupBesideTheDropInIsNoFault) {
  HostBuilder machine;
  machine.SetFile(absl::StrCat(kDir, "vgpu.conf.bak"),
                  "[Service]\nEnvironment=LD_PRELOAD=/usr/lib64/libvgpu-cuda.so\n");
  EXPECT_FALSE(Because(DropinIneffective(machine.Gather())).empty());
}

TEST(DropinIneffectiveTest, ATypoThatConcernsNoGpu) {
  HostBuilder machine = Without();
  machine.SetFile(kDropIn, "[Service]\nNicee=3\nEnviroment=OLLAMA_HOST=0.0.0.0\n");
  EXPECT_FALSE(Because(DropinIneffective(machine.Gather())).empty());
}

TEST(DropinIneffectiveTest, PutAsideOnPurpose) {
  HostBuilder machine = Without();
  machine.SetFile(absl::StrCat(kDir, "vgpu.conf.disabled"), Text());
  const Judgement judgement = DropinIneffective(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kLikely);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNow);
}

TEST(DropinIneffectiveTest, PutAsideWhereNothingShowsThatItIsMissed) {
  HostBuilder machine = Without();
  machine.SetFile(absl::StrCat(kDir, "vgpu.conf.disabled"), Text()).SetJournal("");
  const Judgement judgement = DropinIneffective(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
  EXPECT_EQ(AsHolds(judgement)->acts, Acts::kNextStart);
}

TEST(DropinIneffectiveTest, AGpuThatIsFoundWithoutIt) {
  HostBuilder machine = Without();
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kGpuLine});
  machine.SetFile(absl::StrCat(kDir, "vgpu.conf.disabled"), Text());
  EXPECT_FALSE(Because(DropinIneffective(machine.Gather())).empty());
}

TEST(DropinIneffectiveTest, ADirectoryThatCouldNotBeSeen) {
  HostBuilder machine = Without();
  machine.SetFile(kDropIn, "").Hide("/etc/systemd/system/ollama.service.d");
  EXPECT_EQ(Lacks(DropinIneffective(machine.Gather())),
            "every file that may be a drop-in of the unit");
}

}  // namespace
}  // namespace vgpu::rules

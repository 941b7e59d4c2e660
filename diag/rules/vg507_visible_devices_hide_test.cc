#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kName[] = "CUDA_VISIBLE_DEVICES";
constexpr char kConfig[] =
    "[[device]]\n"
    "uuid = \"GPU-d110a105-ac29-1d54-7b49-9c90440f215b\"\n";
constexpr char kOverrideLine[] =
    R"log(time=2026-02-24T10:06:00.399-05:00 level=WARN source=runner.go:485 msg="user overrode visible devices" CUDA_VISIBLE_DEVICES=-1)log";

Judgement With(absl::string_view value) {
  HostBuilder machine;
  machine.SetFile("/etc/vgpu/devices.toml", kConfig).SetEnviron(kName, value).FoundNoGpu();
  return VisibleDevicesHide(machine.Gather());
}

TEST(VisibleDevicesHideTest, WhatNamesNoDeviceHidesIt) {
  for (const char* value : {"", "-1", "NoDevFiles", "1", "GPU-ffffffff", "7,0"}) {
    const Judgement judgement = With(value);
    const Holds* holds = AsHolds(judgement);
    ASSERT_NE(holds, nullptr) << value;
    EXPECT_EQ(holds->confidence, Confidence::kCertain) << value;
    EXPECT_EQ(holds->acts, Acts::kNow);
    EXPECT_EQ(holds->evidence[0].quote, absl::StrCat(kName, "=", value));
    EXPECT_NE(FindQuote(*holds, "library=cpu"), nullptr);
  }
}

TEST(VisibleDevicesHideTest, WhatNamesTheDeviceDoesNot) {
  for (const char* value :
       {"0", "0,5", "GPU-d110a105", "GPU-d110a105-ac29-1d54-7b49-9c90440f215b"}) {
    EXPECT_EQ(Because(With(value)),
              absl::StrCat(kName, "=", value, " leaves 1 of 1 devices visible"));
  }
}

TEST(VisibleDevicesHideTest, WhatPicksOneOfTwoIsANote) {
  HostBuilder machine;
  machine.SetFile("/etc/vgpu/devices.toml",
                  absl::StrCat(kConfig, "[[device]]\npci_address = \"0000:00:06.0\"\n"));
  machine.SetEnviron(kName, "1");
  const Judgement judgement = VisibleDevicesHide(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(holds->is_note);
  EXPECT_TRUE(absl::StrContains(holds->evidence.back().meaning, "CUDA shows 1 of them to Ollama"));
  machine.SetEnviron(kName, "1,0");
  EXPECT_EQ(Because(VisibleDevicesHide(machine.Gather())),
            "CUDA_VISIBLE_DEVICES=1,0 leaves 2 of 2 devices visible");
}

TEST(VisibleDevicesHideTest, OllamasOwnWarningIsEvidence) {
  HostBuilder machine;
  machine.SetEnviron(kName, "-1");
  machine.SetLog({kServerConfigLine, kListeningLine, kBeganLine, kOverrideLine, kCpuLine});
  const Judgement judgement = VisibleDevicesHide(machine.Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_NE(FindQuote(*AsHolds(judgement), "user overrode"), nullptr);
}

TEST(VisibleDevicesHideTest, AnIdThatIsNotKnownMayBeOne) {
  HostBuilder machine;  // one device of the default profile: its id is derived
  machine.SetEnviron(kName, "GPU-ffffffff");
  EXPECT_EQ(Lacks(VisibleDevicesHide(machine.SetLog({kListeningLine}).Gather())),
            "whether CUDA_VISIBLE_DEVICES=GPU-ffffffff names a device");
  const Judgement judgement = VisibleDevicesHide(machine.FoundNoGpu().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_EQ(AsHolds(judgement)->confidence, Confidence::kPossible);
}

TEST(VisibleDevicesHideTest, OnlyTheUnitGivesIt) {
  HostBuilder machine;
  machine.SetShown("Environment", absl::StrCat(kName, "=-1"));
  const Judgement judgement = VisibleDevicesHide(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(VisibleDevicesHideTest, OnlyTheProcessHasIt) {
  HostBuilder machine;
  const Judgement judgement =
      VisibleDevicesHide(machine.SetEnviron(kName, "-1").FoundNoGpu().Gather());
  ASSERT_NE(AsHolds(judgement), nullptr);
  EXPECT_TRUE(absl::StrContains(AsHolds(judgement)->fix[0].command, "systemctl restart"));
}

TEST(VisibleDevicesHideTest, SiblingsHideNothingFromCuda) {
  HostBuilder machine;
  machine.SetEnviron("NVIDIA_VISIBLE_DEVICES", "none").SetEnviron("HIP_VISIBLE_DEVICES", "-1");
  machine.SetEnviron("GGML_VK_VISIBLE_DEVICES", "-1").FoundNoGpu();
  EXPECT_EQ(Because(VisibleDevicesHide(machine.Gather())), "CUDA_VISIBLE_DEVICES is not set");
}

TEST(VisibleDevicesHideTest, NothingOfItWasSeen) {
  HostBuilder machine;
  machine.Hide("/proc/57290/environ").RemoveTool(kShow).Hide(kUnitFile).Hide(kDropIn);
  EXPECT_EQ(AsHolds(VisibleDevicesHide(machine.Gather())), nullptr);
}

// One of the host's two cards is given to the container, by the host's number.
HostBuilder WithOneOfTwoCards(absl::string_view visible) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  for (const char* file : {"vendor", "device", "class"}) {
    const absl::string_view text = file[0] == 'v'   ? "0x10de\n"
                                   : file[0] == 'd' ? "0x26b9\n"
                                                    : "0x030200\n";
    machine.SetFile(absl::StrCat("/sys/bus/pci/devices/0000:02:00.0/", file), text);
  }
  machine.SetFile(
      "/proc/57290/cgroup",
      "0::/system.slice/"
      "docker-4f1c9b8a7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f00.scope\n");
  machine.SetFile("/proc/57290/mountinfo",
                  "500 400 0:60 / / rw - overlay overlay rw\n"
                  "502 500 0:5 /nvidia1 /dev/nvidia1 rw - devtmpfs udev rw\n"
                  "503 500 0:5 /nvidiactl /dev/nvidiactl rw - devtmpfs udev rw\n");
  machine.SetEnviron("NVIDIA_VISIBLE_DEVICES", "1").SetEnviron("CUDA_VISIBLE_DEVICES", visible);
  return machine;
}

facts::Facts OfContainer(const HostBuilder& machine) {
  return facts::Gather(machine.Host(), {.unit = "ollama.service", .pid = kPid});
}

TEST(VisibleDevicesHideTest, InAContainerTheDevicesAreNumberedFromZero) {
  const Judgement judgement = VisibleDevicesHide(OfContainer(WithOneOfTwoCards("1")));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_FALSE(holds->is_note);
  EXPECT_EQ(holds->acts, Acts::kNow);
  const Evidence* nodes = FindQuote(*holds, "/dev/nvidia1");
  ASSERT_NE(nodes, nullptr);
  EXPECT_EQ(nodes->quote, "/dev/nvidia1");  // nvidiactl is no card
  EXPECT_TRUE(absl::StrContains(nodes->meaning, "there is no device 1: in the container"));
  EXPECT_NE(FindQuote(*holds, "NVIDIA_VISIBLE_DEVICES=1"), nullptr);
  for (const FixStep& step : holds->fix) {
    EXPECT_FALSE(absl::StrContains(step.command, "UnsetEnvironment")) << step.command;
  }
}

TEST(VisibleDevicesHideTest, TheFirstOfTheContainerIsThere) {
  EXPECT_TRUE(absl::StrContains(Because(VisibleDevicesHide(OfContainer(WithOneOfTwoCards("0")))),
                                "leaves 1 of 1 devices visible"));
}

}  // namespace
}  // namespace vgpu::rules

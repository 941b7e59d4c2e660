#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kId[] = "4f1c9b8a7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f00";

// Ollama in a container of Docker on a host with a card, started without --gpus.
HostBuilder InDocker() {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetFile("/proc/57290/cgroup", absl::StrCat("0::/system.slice/docker-", kId, ".scope\n"));
  machine.SetFile("/proc/57290/mountinfo",
                  "500 400 0:60 / / rw - overlay overlay rw\n"
                  "501 500 0:61 / /proc rw - proc proc rw\n");
  return machine;
}

facts::Facts GatherProcess(const HostBuilder& machine) {
  return facts::Gather(machine.Host(), {.unit = "ollama.service", .pid = kPid});
}

TEST(ContainerWithoutGpuTest, NothingOfTheCardIsMounted) {
  const Judgement judgement = ContainerWithoutGpu(GatherProcess(InDocker()));
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(holds->confidence, Confidence::kPossible);
  EXPECT_EQ(holds->evidence[0].source, "/proc/57290/mountinfo");
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].meaning, "docker 4f1c9b8a7d6e"));
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "--gpus all"));
}

TEST(ContainerWithoutGpuTest, NodesAndLibrariesAreMounted) {
  HostBuilder machine = InDocker();
  machine.SetFile("/proc/57290/mountinfo",
                  "500 400 0:60 / / rw - overlay overlay rw\n"
                  "502 500 0:5 /nvidia0 /dev/nvidia0 rw - devtmpfs udev rw\n");
  EXPECT_EQ(Because(ContainerWithoutGpu(GatherProcess(machine))),
            "/dev/nvidia0 is given to the container");
}

TEST(ContainerWithoutGpuTest, TheHostHasNone) {
  HostBuilder machine = InDocker();
  machine.SetFile("/proc/modules", "ext4 987136 1 - Live 0x0\n").RemoveFile("/proc/driver");
  machine.RemoveFile("/sys/bus/pci/devices/0000:01:00.0");
  machine.SetFile("/sys/bus/pci/devices/0000:00:01.0/vendor", "0x1af4\n");
  EXPECT_EQ(Because(ContainerWithoutGpu(GatherProcess(machine))),
            "the host has no NVIDIA GPU to give");
}

TEST(ContainerWithoutGpuTest, WhatTheHostHasWasNotSeen) {
  HostBuilder machine = InDocker();
  machine.RemoveFile("/proc/modules").RemoveFile("/proc/driver").RemoveFile("/sys");
  EXPECT_EQ(Lacks(ContainerWithoutGpu(GatherProcess(machine))),
            "whether the container's host has a GPU to give it");
}

TEST(ContainerWithoutGpuTest, WhatItWasGivenWasNotSeen) {
  HostBuilder machine = InDocker();
  machine.RemoveFile("/proc/57290/mountinfo");
  EXPECT_EQ(Lacks(ContainerWithoutGpu(GatherProcess(machine))),
            "what the container (docker 4f1c9b8a7d6e) was given of a GPU");
}

TEST(ContainerWithoutGpuTest, TheUnitRunsTheContainer) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetExecStart("/usr/bin/podman run --rm --name ollama -p 11434:11434 ollama/ollama");
  const Judgement judgement = ContainerWithoutGpu(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->evidence[0].quote, "podman run"));
  EXPECT_TRUE(absl::StrContains(holds->headline, "--device nvidia.com/gpu=all"));
}

TEST(ContainerWithoutGpuTest, TheUnitGivesItTheGpu) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetExecStart("/usr/bin/docker run --rm --gpus=all ollama/ollama");
  EXPECT_EQ(Because(ContainerWithoutGpu(machine.Gather())), "the unit gives its container a GPU");
  machine.SetExecStart("/usr/bin/docker start -a ollama");
  EXPECT_EQ(Lacks(ContainerWithoutGpu(machine.Gather())), "what the container was created with");
}

TEST(ContainerWithoutGpuTest, AStaleDescription) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetExecStart("/usr/bin/podman run --device nvidia.com/gpu=all ollama/ollama");
  constexpr char kSpec[] =
      "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: all\n  containerEdits:\n"
      "    deviceNodes:\n    - path: /dev/nvidia0\ncontainerEdits:\n  mounts:\n"
      "  - containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.535.54.03\n"
      "    hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.535.54.03\n";
  machine.SetFile("/etc/cdi/nvidia.yaml", kSpec);
  const Judgement judgement = ContainerWithoutGpu(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_NE(FindQuote(*holds, "libcuda.so.535.54.03"), nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command, "nvidia-ctk cdi generate"));
  machine.SetFile("/usr/lib/x86_64-linux-gnu/libcuda.so.535.54.03", "x");
  EXPECT_EQ(Because(ContainerWithoutGpu(machine.Gather())), "the unit gives its container a GPU");
}

TEST(ContainerWithoutGpuTest, NoContainer) {
  EXPECT_EQ(Because(ContainerWithoutGpu(HostBuilder().FoundNoGpu().Gather())),
            "neither the process nor the unit is a container");
}

TEST(ContainerWithoutGpuTest, AUnitThatIsMadeOfAQuadletFileIsChangedThere) {
  HostBuilder machine;
  machine.NvidiasOwn().FoundNoGpu();
  machine.SetExecStart("/usr/bin/podman run --rm --name ollama -p 11434:11434 ollama/ollama");
  machine.SetFile(kDropIn, "[Unit]\nSourcePath=/etc/containers/systemd/ollama.container\n");
  const Judgement judgement = ContainerWithoutGpu(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_TRUE(absl::StrContains(holds->fix[0].command,
                                "sudoedit /etc/containers/systemd/ollama.container"));
}

}  // namespace
}  // namespace vgpu::rules

#include "diag/facts/gather.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using host::FakeHost;

constexpr char kFunction[] = "/sys/devices/pci0000:00/0000:00:05.0/";

FakeHost WithFunction() {
  FakeHost host;
  host.AddFile(std::string(kFunction) + "vendor", "0x10de\n");
  host.AddFile(std::string(kFunction) + "device", "0x2331\n");
  host.AddFile(std::string(kFunction) + "class", "0x030200\n");
  host.AddLink(std::string(kFunction) + "driver", "../../../bus/pci/drivers/vfio-pci");
  host.AddLink("/sys/bus/pci/devices/0000:00:05.0", "../../../devices/pci0000:00/0000:00:05.0");
  return host;
}

DeviceFacts Devices(const FakeHost& host) { return Gather(host, {}).devices; }

TEST(GatherDevicesTest, ShimsWithoutAConfigurationShowTheDefault) {
  FakeHost host;
  host.AddFile("/usr/lib64/libvgpu-cuda.so", "x");
  const DeviceFacts devices = Devices(host);
  EXPECT_EQ(devices.shim, "/usr/lib64/libvgpu-cuda.so");
  ASSERT_TRUE(devices.configured.present());
  EXPECT_EQ(devices.configured->devices[0].profile, "h100-80gb-hbm3");
  EXPECT_EQ(devices.config_source, "the default profile");
  EXPECT_TRUE(devices.IsVirtual());
  EXPECT_FALSE(devices.IsPhysical());
}

TEST(GatherDevicesTest, ALinkToAShimIsOne) {
  FakeHost host;
  host.AddLink("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/srv/x/libvgpu-cuda.so.1");
  host.AddFile("/srv/x/libvgpu-cuda.so.1", "x");
  EXPECT_EQ(Devices(host).shim, "/usr/lib/x86_64-linux-gnu/libcuda.so.1");
}

TEST(GatherDevicesTest, NoShimAndNoConfiguration) {
  FakeHost host = WithFunction();
  const DeviceFacts devices = Devices(host);
  EXPECT_TRUE(devices.configured.absent());
  EXPECT_TRUE(devices.shim.empty());
  EXPECT_TRUE(devices.IsPhysical());  // a card, and nobody who shows another
  EXPECT_FALSE(Devices(FakeHost()).IsPhysical());
}

TEST(GatherDevicesTest, ABrokenConfigurationIsNeverTheDefault) {
  FakeHost host;
  host.AddFile("/usr/lib64/libvgpu-cuda.so", "x");
  host.AddFile("/etc/vgpu/devices.toml", "[[device]]\nprofile = \"gtx\n");
  DeviceFacts devices = Devices(host);
  EXPECT_EQ(devices.configured.why_not(), "line 2: profile: a quote that is not closed");
  EXPECT_TRUE(devices.IsVirtual());
  host.Hide("/etc/vgpu", "permission denied");
  devices = Devices(host);
  EXPECT_EQ(devices.configured.why_not(), "/etc/vgpu: permission denied");
}

TEST(GatherDevicesTest, NvidiasOwnLibrariesByVersionOnceEach) {
  FakeHost host;
  host.AddFile("/usr/lib/x86_64-linux-gnu/libcuda.so.570.124.06", "x");
  host.AddLink("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.570.124.06");
  host.AddLink("/usr/lib/libcuda.so.570.124.06", "x86_64-linux-gnu/libcuda.so.570.124.06");
  host.AddFile("/usr/lib64/libnvidia-ml.so.535.54", "x");
  const DeviceFacts devices = Devices(host);
  ASSERT_EQ(devices.driver_libraries.size(), 2u);
  EXPECT_EQ(devices.driver_libraries[0].version, "570.124.06");
  EXPECT_EQ(devices.driver_libraries[1].path, "/usr/lib64/libnvidia-ml.so.535.54");
  EXPECT_TRUE(devices.IsPhysical());
}

TEST(GatherDevicesTest, BothWordingsOfTheModulesVersion) {
  for (const char* text :
       {"NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build\n"}) {
    FakeHost host;
    host.AddFile("/proc/driver/nvidia/version", text);
    EXPECT_EQ(Devices(host).module_version.value_or(""), "550.54.15") << text;
  }
  EXPECT_TRUE(Devices(FakeHost()).module_version.absent());
}

TEST(GatherDevicesTest, AFunctionOfTheBus) {
  const DeviceFacts devices = Devices(WithFunction());
  ASSERT_TRUE(devices.functions.present());
  const PciFunction* function = devices.FunctionAt("0000:00:05.0");
  ASSERT_NE(function, nullptr);
  EXPECT_TRUE(function->IsNvidiaGpu());
  EXPECT_EQ(function->device.value_or(""), "0x2331");
  EXPECT_EQ(function->driver.value_or(""), "vfio-pci");
  EXPECT_TRUE(function->enable.absent());
  EXPECT_EQ(Devices(FakeHost()).functions.value_or({{}}).size(), 0u);  // no bus at all
}

TEST(GatherDevicesTest, WhatTheUnitBindsOverAFunctionIsWhatTheServiceSees) {
  FakeHost host = WithFunction();
  host.AddFile(std::string(kFunction) + "vendor", "0x1af4\n");
  host.AddFile("/var/lib/vgpu/gpu0/vendor", "0x10de\n");
  host.AddFile("/etc/systemd/system/ollama.service",
               "[Service]\nExecStart=/usr/local/bin/ollama serve\n"
               "BindReadOnlyPaths=/var/lib/vgpu/gpu0:/sys/devices/pci0000\\:00/0000\\:00\\:05.0\n");
  const DeviceFacts devices = Devices(host);
  const PciFunction* function = devices.FunctionAt("0000:00:05.0");
  ASSERT_NE(function, nullptr);
  EXPECT_TRUE(function->bound_over);
  EXPECT_EQ(function->vendor.value_or(""), "0x10de");
}

TEST(GatherDevicesTest, NodesOfFurtherCards) {
  FakeHost host;
  for (const char* node : {"/dev/nvidia0", "/dev/nvidia1", "/dev/nvidiactl"}) {
    host.AddNode(node, host::FileType::kCharDevice);
  }
  const DeviceFacts devices = Devices(host);
  ASSERT_EQ(devices.nodes.size(), 4u);
  EXPECT_EQ(devices.nodes[1].path, "/dev/nvidia1");
  EXPECT_TRUE(devices.nodes[1].found.present());
  EXPECT_TRUE(devices.nodes[3].found.absent());  // nvidia-uvm
  EXPECT_TRUE(Devices(FakeHost()).nodes[0].found.not_observed());
}

TEST(GatherDevicesTest, JetsonAndWindows) {
  FakeHost host;
  EXPECT_TRUE(Devices(host).l4t_major.absent());
  EXPECT_FALSE(Devices(host).wsl);
  host.AddFile("/etc/nv_tegra_release", "# R35 (release), REVISION: 4.1\n");
  host.AddNode("/dev/dxg", host::FileType::kCharDevice);
  EXPECT_EQ(Devices(host).l4t_major.value_or(0), 35);
  EXPECT_TRUE(Devices(host).wsl);
}

TEST(GatherContainerTest, ADescriptionInJson) {
  FakeHost host;
  host.AddFile("/run/cdi/nvidia.json",
               R"({"kind": "nvidia.com/gpu", "containerEdits": {"mounts": [
                   {"hostPath": "/usr/lib64/libcuda.so.570.124.06", "containerPath": "/x"}]}})");
  const ContainerFacts container = Gather(host, {}).container;
  ASSERT_EQ(container.nvidia_cdi.size(), 1u);
  EXPECT_EQ(container.nvidia_cdi[0].named, 1u);
  EXPECT_TRUE(container.nvidia_cdi[0].maps_driver);
  EXPECT_EQ(container.nvidia_cdi[0].missing,
            std::vector<std::string>{"/usr/lib64/libcuda.so.570.124.06"});
  EXPECT_FALSE(container.IsContainer());
}

}  // namespace
}  // namespace vgpu::facts

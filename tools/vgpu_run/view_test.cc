#include "tools/vgpu_run/view.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "shims/device/device.h"

namespace vgpu::run {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr char kFunction[] = "sys/devices/pci0000:00/0000:00:05.0";

// A machine with a host bridge, and where asked for a function at our address.
tree::HostPci Host(bool occupied) {
  tree::HostPci host;
  auto& root = host.directories["sys/devices/pci0000:00"];
  root["power"].is_directory = true;
  root["uevent"];
  root["firmware_node"].target = "../LNXSYSTM:00";
  root["0000:00:00.0"].is_directory = true;
  host.functions["0000:00:00.0"] = "sys/devices/pci0000:00/0000:00:00.0";
  host.directories["sys/bus/pci/devices"]["0000:00:00.0"].target =
      "../../../devices/pci0000:00/0000:00:00.0";
  host.directories["sys/bus/pci/drivers"]["virtio-pci"].is_directory = true;
  host.directories["proc/driver"]["rtc"];
  host.buses["0000:00"] = "sys/devices/pci0000:00";
  if (occupied) {
    root["0000:00:05.0"].is_directory = true;
    host.functions["0000:00:05.0"] = kFunction;
    host.directories["sys/bus/pci/devices"]["0000:00:05.0"].target =
        "../../../devices/pci0000:00/0000:00:05.0";
  }
  return host;
}

tree::Tree OneDevice(const tree::HostPci& host) {
  device::Configuration configuration;
  device::DefaultConfiguration("machine", &configuration);
  return tree::MakeTree(configuration, host);
}

// "bind PATH", "overlay PATH", "bind PATH with CHILD CHILD": in the order of the plan.
std::vector<std::string> Told(const std::vector<ViewMount>& plan) {
  std::vector<std::string> told;
  for (const ViewMount& mount : plan) {
    std::string text = mount.kind == ViewMount::Kind::kOverlay ? "overlay " : "bind ";
    text += mount.path;
    if (mount.kind == ViewMount::Kind::kBindWithHost) {
      text += " with";
      for (const std::string& child : mount.children) text += " " + child;
    }
    told.push_back(text);
  }
  return told;
}

TEST(PlanViewTest, AFunctionOfTheHostIsCovered) {
  tree::HostPci host = Host(true);
  auto plan = PlanView(OneDevice(host), host);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Told(*plan),
              UnorderedElementsAre("overlay sys/bus/pci/drivers", "bind proc/driver with rtc",
                                   std::string("bind ") + kFunction));
}

// Links are not among the children: a mount would go where they lead.
TEST(PlanViewTest, WhereTheHostHasNoneItsOwnStayOnTheirFileSystem) {
  tree::HostPci host = Host(false);
  auto plan = PlanView(OneDevice(host), host);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Told(*plan),
              UnorderedElementsAre("bind sys/devices/pci0000:00 with 0000:00:00.0 power uevent",
                                   "overlay sys/bus/pci/devices", "overlay sys/bus/pci/drivers",
                                   "bind proc/driver with rtc"));
}

TEST(PlanViewTest, ADriverThatTheHostHasIsCovered) {
  tree::HostPci host = Host(true);
  host.directories["sys/bus/pci/drivers"]["nvidia"].is_directory = true;
  host.directories["proc/driver"]["nvidia"].is_directory = true;
  auto plan = PlanView(OneDevice(host), host);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Told(*plan),
              UnorderedElementsAre("bind sys/bus/pci/drivers/nvidia", "bind proc/driver/nvidia",
                                   std::string("bind ") + kFunction));
}

TEST(PlanViewTest, AMachineWithoutPciIsTold) {
  tree::HostPci host;
  auto plan = PlanView(OneDevice(host), host);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("/sys/devices/pci0000:00: the host"));
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("libvgpu-syscall.so"));
}

TEST(OverlayPathTest, IsOneNameBelowTheRunDirectory) {
  ViewMount mount{ViewMount::Kind::kOverlay, "sys/bus/pci/devices", {}};
  EXPECT_EQ(OverlayPath("/run/vgpu", mount), "/run/vgpu/overlay/sys-bus-pci-devices");
  EXPECT_EQ(TreePath("/run/vgpu"), "/run/vgpu/root");
}

}  // namespace
}  // namespace vgpu::run

#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kListeningC[] =
    R"log(time=2026-02-24T10:06:00.358-05:00 level=INFO source=routes.go:1718 msg="Listening on 127.0.0.1:11434 (version 0.30.0)")log";
constexpr char kVulkanLine[] =
    R"log(time=2026-02-24T10:06:00.671-05:00 level=INFO source=types.go:32 msg="inference compute" id=0 filter_id="" library=Vulkan compute=0.0 name=Vulkan0 description="NVIDIA GeForce RTX 4090" libdirs=ollama,vulkan driver=0.0 pci_id=0000:01:00.0 type=discrete total="24.0 GiB" available="23.1 GiB")log";

HostBuilder Hidden() {
  HostBuilder machine;
  machine.EraC().SetEnviron("CUDA_VISIBLE_DEVICES", "-1");
  return machine.SetLog({kServerConfigLine, kListeningC, kBeganLine, kVulkanLine});
}

TEST(VulkanPassesVisibleDevicesTest, VulkanFoundTheCardAllTheSame) {
  const Judgement judgement = VulkanPassesVisibleDevices(Hidden().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->evidence[0].quote, "CUDA_VISIBLE_DEVICES=-1");
  EXPECT_NE(FindQuote(*holds, "library=Vulkan"), nullptr);
}

TEST(VulkanPassesVisibleDevicesTest, VulkanIsOffOrToldTheSame) {
  HostBuilder off = Hidden();
  EXPECT_EQ(Because(VulkanPassesVisibleDevices(off.SetEnviron("OLLAMA_VULKAN", "0").Gather())),
            "OLLAMA_VULKAN turns Vulkan off");
  HostBuilder told = Hidden();
  told.SetEnviron("GGML_VK_VISIBLE_DEVICES", "-1");
  EXPECT_FALSE(Because(VulkanPassesVisibleDevices(told.Gather())).empty());
}

TEST(VulkanPassesVisibleDevicesTest, NothingIsHiddenOrNothingFound) {
  EXPECT_EQ(Because(VulkanPassesVisibleDevices(HostBuilder().EraC().Gather())),
            "CUDA_VISIBLE_DEVICES is not set");
  HostBuilder none = Hidden();
  none.SetLog({kServerConfigLine, kListeningC, kBeganLine, kCpuLine});
  EXPECT_FALSE(Because(VulkanPassesVisibleDevices(none.Gather())).empty());
}

TEST(VulkanPassesVisibleDevicesTest, BeforeV030VulkanIsOff) {
  EXPECT_FALSE(Because(VulkanPassesVisibleDevices(HostBuilder().Gather())).empty());
}

}  // namespace
}  // namespace vgpu::rules

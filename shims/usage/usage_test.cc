#include "shims/usage/usage.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::usage {
namespace {

// Of nobody else.
device::Device OwnDevice() {
  device::Device device;
  device.memory_bytes = 1000;
  const auto pid = static_cast<uint32_t>(getpid());
  for (size_t i = 0; i < 4; ++i) device.uuid.bytes[i] = static_cast<uint8_t>(pid >> 8 * i);
  device.uuid.bytes[15] = 0x5a;
  return device;
}

TEST(UsageTest, ThisProcessIsSeenAsItIs) {
  const device::Device device = OwnDevice();
  ContextCreated(device);
  EXPECT_TRUE(Reserve(device, 600));
  EXPECT_FALSE(Reserve(device, 401));
  EXPECT_EQ(Used(device), 600u);
  ProcessUse use;
  ASSERT_EQ(Processes(device, {&use, 1}), 1u);
  EXPECT_EQ(use.pid, getpid());
  EXPECT_EQ(use.bytes, 600u);
  Release(device, 600);
  ContextDestroyed(device);
  EXPECT_EQ(Processes(device, {}), 0u);
}

TEST(UsageTest, AForkBetweenThreadsFindsTheStoreFree) {
  const device::Device device = OwnDevice();
  std::atomic<bool> end = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!end) {
        if (Reserve(device, 10)) Release(device, 10);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      const bool own = Reserve(device, 100);
      Release(device, 100);
      _exit(own ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "the child waited for ever";
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  end = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vgpu::usage

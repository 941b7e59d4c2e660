#include "diag/facts/put_aside.h"

#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

TEST(PutAsideTest, ByWhatIsBehindTheSuffix) {
  EXPECT_FALSE(PutAside("/usr/lib64/libvgpu-cuda.so"));
  EXPECT_FALSE(PutAside("libcuda.so.550.54.15"));
  EXPECT_TRUE(PutAside("/usr/lib64/libvgpu-cuda.so.old"));
  EXPECT_TRUE(PutAside("libvgpu-cuda.so.1.bak-2"));
  EXPECT_TRUE(PutAside("/a.so/libvgpu-cuda"));
  EXPECT_TRUE(PutAside(""));
}

}  // namespace
}  // namespace vgpu::facts

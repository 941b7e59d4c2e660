#include "diag/facts/unit_wishes.h"

#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

TEST(UnitWishesTest, AVariableWhereverItStands) {
  const auto wishes = WishesIn(
      "[service]\n# Environment=LD_PRELOAD=/no.so\nEnviroment=LD_PRELOAD=/a.so\n"
      "LD_LIBRARY_PATH=/opt/x\nEnvironment=\"LD_PRELOAD=/a.so /b.so\"\n"
      "Environment=\"A=1\" 'CUDA_VISIBLE_DEVICES=0'\nEnvironment=\"LD_PRELOAD=/c.so\n");
  ASSERT_EQ(wishes.size(), 5u);
  EXPECT_EQ(wishes[0].value, "/a.so");
  EXPECT_EQ(wishes[0].line, 3);
  EXPECT_EQ(wishes[1].name, "LD_LIBRARY_PATH");
  EXPECT_EQ(wishes[2].value, "/a.so /b.so");
  EXPECT_EQ(wishes[3].value, "0");
  EXPECT_EQ(wishes[4].value, "/c.so");
}

TEST(UnitWishesTest, WhatNoGpuIsFoundByIsNoWish) {
  EXPECT_TRUE(WishesIn("Environment=OLLAMA_HOST=0.0.0.0 MY_LD_PRELOAD=/x\nNice=3\n").empty());
}

TEST(UnitWishesTest, AListThatIsBound) {
  const auto wishes = WishesIn("BindReadOnlyPaths=/etc/vgpu/ld.so.preload:/etc/ld.so.preload\n");
  ASSERT_EQ(wishes.size(), 1u);
  EXPECT_EQ(wishes[0].name, "BindReadOnlyPaths");
}

}  // namespace
}  // namespace vgpu::facts

#include "diag/ollama/era.h"

#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

TEST(EraTest, TheTagsOnBothSidesOfEachBreak) {
  EXPECT_EQ(EraOf(*ParseVersion("v0.5.7")), Era::kA);
  EXPECT_EQ(EraOf(*ParseVersion("v0.12.3")), Era::kA);
  EXPECT_EQ(EraOf(*ParseVersion("v0.12.4")), Era::kB);
  EXPECT_EQ(EraOf(*ParseVersion("0.16.2")), Era::kB);
  EXPECT_EQ(EraOf(*ParseVersion("v0.24.0")), Era::kB);
  EXPECT_EQ(EraOf(*ParseVersion("v0.30.0")), Era::kC);
  EXPECT_EQ(EraOf(*ParseVersion("0.33.0-rc2")), Era::kC);
}

TEST(EraTest, ALocalBuildTellsNoVersion) {
  EXPECT_FALSE(ParseVersion("0.0.0").has_value());
  EXPECT_FALSE(ParseVersion("(devel)").has_value());
  EXPECT_FALSE(ParseVersion("").has_value());
  EXPECT_FALSE(ParseVersion("99999.1.1").has_value());
}

TEST(EraTest, Names) {
  EXPECT_EQ(EraName(Era::kB), "B");
  EXPECT_EQ(EraName(Era::kUnknown), "unknown");
}

}  // namespace
}  // namespace vgpu::ollama

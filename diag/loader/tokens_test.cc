#include "diag/loader/tokens.h"

#include "gtest/gtest.h"

namespace vgpu::loader {
namespace {

const Tokens kTokens = {
    .origin = "/opt/app/bin", .lib = "lib/x86_64-linux-gnu", .platform = "haswell"};

TEST(TokensTest, EachTokenWithAndWithoutBraces) {
  EXPECT_EQ(ExpandTokens("$ORIGIN/../lib", kTokens), "/opt/app/bin/../lib");
  EXPECT_EQ(ExpandTokens("/x/${LIB}/a:$PLATFORM", kTokens), "/x/lib/x86_64-linux-gnu/a:haswell");
}

TEST(TokensTest, ALongerNameIsNone) {
  EXPECT_FALSE(HasToken("$ORIGINAL/$LIBRARY/${ORIGIN/$"));
  EXPECT_EQ(ExpandTokens("$ORIGINAL/${LIB", kTokens), "$ORIGINAL/${LIB");
}

TEST(TokensTest, ATokenWithoutAValueDropsTheElement) {
  EXPECT_EQ(ExpandTokens("$ORIGIN/lib", {.origin = {}, .lib = "lib64", .platform = ""}),
            std::nullopt);
  EXPECT_EQ(ExpandTokens("/lib", {.origin = {}, .lib = "lib64", .platform = ""}), "/lib");
}

}  // namespace
}  // namespace vgpu::loader

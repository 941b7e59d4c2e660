#include "tools/vgpu_doctor/what_is_missing.h"

#include "absl/strings/match.h"
#include "diag/capture/recording_host.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

TEST(WhatIsMissing, NothingIsSaidWhereNothingIs) { EXPECT_TRUE(WhatIsMissing({}, true).empty()); }

TEST(WhatIsMissing, WhatWentAwayIsUsual) {
  const auto said = WhatIsMissing({{capture::kWentAway, 59}}, true);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(said[0], "59 things went away meanwhile")) << said[0];
  EXPECT_TRUE(absl::EndsWith(said[0], "that is usual"));
}

TEST(WhatIsMissing, WhatThisUserMayNotReadRootMay) {
  const std::map<std::string, size_t> reasons = {
      {"permission denied", 114},
      {"journalctl shows no entry to user 65534, who may not see the system's journal", 1}};
  auto said = WhatIsMissing(reasons, true);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(said[0], "115 things may not be read by this user")) << said[0];
  EXPECT_TRUE(absl::EndsWith(said[0], "sudo vgpu-doctor capture reads them"));
  said = WhatIsMissing({{"operation not permitted", 1}}, false);
  EXPECT_EQ(said[0], "1 thing may not be read here, by root either");
}

TEST(WhatIsMissing, OtherReasonsAreNamedBoundedAndMadeVisible) {
  auto said = WhatIsMissing({{"systemctl: exited\x1b[2J", 4}}, false);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0],
            "4 things could not be told (systemctl: exited\\x1b[2J): if a diagnosis lacks one, "
            "check says so under Not observed");
  std::map<std::string, size_t> many;
  for (char c = 'a'; c < 'j'; ++c) many[std::string(1000, c)] = 1;
  EXPECT_LT(WhatIsMissing(many, false)[0].size(), 800u);
}

}  // namespace
}  // namespace vgpu::doctor

#include "diag/report/junit.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/golden.h"
#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(ToJUnit, SamplesLookAsReviewed) {
  for (const auto& [name, report] : Samples())
    EXPECT_TRUE(MatchesGolden(absl::StrCat(name, ".xml"), ToJUnit(report)));
}

TEST(ToJUnit, AHealthyHostIsGreenAlthoughAFaultWaits) {
  const std::string xml = ToJUnit(HealthyWithLatentFault());
  EXPECT_TRUE(absl::StrContains(xml, R"(failures="0" errors="0")"));
  EXPECT_TRUE(absl::StrContains(xml, "VG306  A mapped shim is gone from the disk"));
}

TEST(ToJUnit, WhatCannotBeSaidIsNotGreen) {
  EXPECT_TRUE(absl::StrContains(ToJUnit(SilentLog()), R"(failures="0" errors="1")"));
}

TEST(ToJUnit, AProblemFailsOnceForItselfAndOnceForEachCause) {
  EXPECT_TRUE(absl::StrContains(ToJUnit(TwoCauses()), R"(failures="3" errors="0")"));
}

TEST(ToJUnit, ALogHasNoTimeOfItsOwn) {
  EXPECT_FALSE(absl::StrContains(ToJUnit(TwoCauses()), "timestamp="));
  EXPECT_TRUE(
      absl::StrContains(ToJUnit(NotRestarted()), R"(timestamp="2026-02-24T10:12:00" hostname=)"));
}

TEST(ToJUnit, TextOfTheHostStaysText) {
  const std::string xml = ToJUnit(Hostile(R"(]]><failure/>"' x="&)"));
  EXPECT_FALSE(absl::StrContains(xml, "<failure/>"));
  EXPECT_TRUE(absl::StrContains(xml, "]]&gt;&lt;failure/&gt;&quot;&#39; x=&quot;&amp;"));
}

TEST(ToJUnit, SecretsAreRedacted) {
  EXPECT_FALSE(
      absl::StrContains(ToJUnit(Hostile("HTTPS_PROXY=http://me:hunter2@proxy:3128")), "hunter2"));
}

}  // namespace
}  // namespace vgpu::report

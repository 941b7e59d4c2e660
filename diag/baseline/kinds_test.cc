#include "diag/baseline/kinds.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/catalogue.h"
#include "gtest/gtest.h"

namespace vgpu::baseline {
namespace {

TEST(Kinds, EachNamesCausesThatThereAreAndNoneTwice) {
  for (const Kind& kind : Kinds()) {
    std::set<absl::string_view> seen;
    EXPECT_FALSE(kind.Causes().empty()) << kind.pattern;
    for (absl::string_view code : kind.Causes(/*added=*/true)) {
      EXPECT_NE(rules::FindCode(code), nullptr) << kind.pattern << " " << code;
    }
    for (absl::string_view code : kind.Causes()) {
      EXPECT_NE(rules::FindCode(code), nullptr) << kind.pattern << " " << code;
      EXPECT_TRUE(seen.insert(code).second) << kind.pattern << " " << code;
    }
  }
}

TEST(Kinds, EveryCauseIsOneThatSomeDifferenceMayHave) {
  std::set<absl::string_view> named;
  for (const Kind& kind : Kinds()) {
    for (absl::string_view code : kind.Causes()) named.insert(code);
  }
  // What no state of a host shows: what a model asks of the device.
  const std::set<absl::string_view> kOfUse = {"VG805", "VG901", "VG902"};
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    EXPECT_EQ(named.count(entry.code), kOfUse.count(entry.code) == 0 ? 1u : 0u) << entry.code;
  }
}

TEST(Kinds, EachIsWhole) {
  std::set<absl::string_view> patterns;
  for (const Kind& kind : Kinds()) {
    EXPECT_TRUE(patterns.insert(kind.pattern).second) << kind.pattern;
    EXPECT_FALSE(kind.what.empty()) << kind.pattern;
    EXPECT_GT(kind.weight, 0) << kind.pattern;
    EXPECT_LE(kind.weight, 100) << kind.pattern;
    EXPECT_LE(std::count(kind.pattern.begin(), kind.pattern.end(), '*'), 1) << kind.pattern;
    EXPECT_EQ(kind.value_class == Class::kBounded, kind.absolute > 0) << kind.pattern;
    EXPECT_EQ(FindKind(kind.pattern), &kind) << "a key may be called like its pattern";
  }
}

TEST(Kinds, WhatAKeyFollowsFromIsAKindToo) {
  for (const Kind& kind : Kinds()) {
    for (absl::string_view other : {kind.parent, kind.echo_of}) {
      if (other.empty()) continue;
      const auto is = [&](const Kind& it) { return it.pattern == other; };
      EXPECT_TRUE(std::any_of(Kinds().begin(), Kinds().end(), is)) << kind.pattern << " " << other;
      EXPECT_NE(other, kind.pattern);
    }
  }
}

TEST(FindKind, TheLongestPatternWins) {
  EXPECT_EQ(FindKind("unit.environment.LD_PRELOAD")->value_class, Class::kOrdered);
  EXPECT_EQ(FindKind("unit.environment.FOO")->pattern, "unit.environment.*");
  EXPECT_EQ(FindKind("library.shim./usr/lib64/a.so.mode")->pattern, "library.shim.*.mode");
  EXPECT_EQ(FindKind("library.shim./usr/lib64/a.so")->pattern, "library.shim.*");
  EXPECT_EQ(FindKind("nothing.of.this.name"), nullptr);
  EXPECT_EQ(FindKind(""), nullptr);
}

TEST(Kind, FillsInTheTextForItsStar) {
  const std::string key = "library.shim./usr/lib64/a.so.mode";
  const Kind* kind = FindKind(key);
  ASSERT_NE(kind, nullptr);
  EXPECT_EQ(kind->Star(key), "/usr/lib64/a.so");
  EXPECT_EQ(kind->Fill(kind->parent, key), "library.shim./usr/lib64/a.so");
  EXPECT_EQ(kind->Fill(kind->what, key), "the mode of /usr/lib64/a.so");
}

}  // namespace
}  // namespace vgpu::baseline

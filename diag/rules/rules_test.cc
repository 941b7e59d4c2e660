#include "diag/rules/rules.h"

#include <algorithm>
#include <set>

#include "diag/rules/catalogue.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

std::set<std::string> Holding(const facts::Facts& facts) {
  std::set<std::string> codes;
  for (const Rule& rule : AllRules()) {
    if (AsHolds(rule.judge(facts)) != nullptr) codes.insert(std::string(rule.code));
  }
  return codes;
}

TEST(RulesTest, SortedAndEachInTheCatalogue) {
  absl::string_view last;
  for (const Rule& rule : AllRules()) {
    EXPECT_LT(last, rule.code);
    EXPECT_NE(FindCode(rule.code), nullptr) << rule.code;
    last = rule.code;
  }
}

TEST(RulesTest, NothingHoldsOfAHostThatWasNotLookedAt) {
  EXPECT_EQ(Holding(facts::Facts{}), std::set<std::string>());
}

// Of notes and consequences nothing is said that they are ruled out.
TEST(RulesTest, NothingIsRuledOutOfAHostThatWasNotLookedAt) {
  for (const Rule& rule : AllRules()) {
    const Kind kind = FindCode(rule.code)->kind;
    if (kind != Kind::kCause && kind != Kind::kRisk) continue;
    const Judgement judgement = rule.judge(facts::Facts{});
    const auto* against = std::get_if<Contradicted>(&judgement);
    EXPECT_EQ(against, nullptr) << rule.code << ": " << against->because;
  }
}

TEST(RulesTest, NothingHoldsOfAHealthyMachine) {
  EXPECT_EQ(Holding(HostBuilder().Gather()), std::set<std::string>());
  EXPECT_EQ(Holding(HostBuilder().EraA().Gather()), std::set<std::string>());
  EXPECT_EQ(Holding(HostBuilder().EraC().Gather()), std::set<std::string>());
}

TEST(RulesTest, WhatAFindingExplainsIsInTheCatalogue) {
  for (const HostBuilder& machine :
       {HostBuilder().NotReloaded(), HostBuilder().NotRestarted(), HostBuilder().CrashLooping(),
        HostBuilder().Stopped(), HostBuilder().FoundNoGpu()}) {
    const facts::Facts facts = machine.Gather();
    for (const Rule& rule : AllRules()) {
      const Judgement judgement = rule.judge(facts);
      const Holds* holds = AsHolds(judgement);
      if (holds == nullptr) continue;
      EXPECT_FALSE(holds->evidence.empty()) << rule.code;
      for (const std::string& code : holds->explains) EXPECT_NE(FindCode(code), nullptr) << code;
    }
  }
}

}  // namespace
}  // namespace vgpu::rules

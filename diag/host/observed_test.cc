#include "diag/host/observed.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

TEST(ObservedTest, KeepsThreeAnswersApart) {
  Observed<std::string> present = std::string("10de");
  Observed<std::string> absent = Absent{};
  Observed<std::string> hidden = NotObserved{"permission denied"};

  EXPECT_TRUE(present.present() && !present.absent() && !present.not_observed());
  EXPECT_TRUE(!absent.present() && absent.absent() && !absent.not_observed());
  EXPECT_TRUE(!hidden.present() && !hidden.absent() && hidden.not_observed());
  EXPECT_EQ(*present, "10de");
  EXPECT_EQ(hidden.why_not(), "permission denied");
  EXPECT_EQ(absent.why_not(), "");
  EXPECT_FALSE(absent == hidden);
}

TEST(ObservedTest, WhatNobodyLookedAtIsNotObserved) {
  Observed<int> nothing;
  EXPECT_TRUE(nothing.not_observed());
  EXPECT_EQ(nothing.why_not(), "not looked at");
}

TEST(ObservedTest, AnEmptyValueIsPresent) {
  EXPECT_TRUE(Observed<std::string>(std::string()).present());
}

TEST(ObservedTest, MapKeepsTheAnswerAndItsReason) {
  auto length = [](const std::string& s) { return s.size(); };
  EXPECT_EQ(*Observed<std::string>(std::string("abc")).Map(length), 3u);
  EXPECT_TRUE(Observed<std::string>(Absent{}).Map(length).absent());
  EXPECT_EQ(Observed<std::string>(NotObserved{"why"}).Map(length).why_not(), "why");
}

TEST(ObservedTest, MapJoinsWhatItsFunctionObserves) {
  auto second_look = [](const std::string&) -> Observed<int> { return Absent{}; };
  EXPECT_TRUE(Observed<std::string>(std::string("x")).Map(second_look).absent());
  EXPECT_EQ(Observed<std::string>(NotObserved{"why"}).Map(second_look).why_not(), "why");
}

TEST(ObservedTest, HoldsWhatCannotBeCopied) {
  Observed<std::unique_ptr<int>> answer = std::make_unique<int>(7);
  std::unique_ptr<int> taken = std::move(answer).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ObservedDeathTest, ReadingAValueThatIsNotThereEndsTheProgram) {
  Observed<int> absent = Absent{};
  EXPECT_DEATH(absent.value(), "");
}

}  // namespace
}  // namespace vgpu::host

#include "tools/vgpu_doctor/repair/plan.h"

#include "absl/strings/match.h"
#include "diag/rules/steps.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

using rules::FixStep;

report::Item Cause(const std::string& code, std::vector<FixStep> fix,
                   rules::Confidence confidence = rules::Confidence::kCertain) {
  report::Item item;
  item.code = code;
  item.id = "the-" + code;
  item.confidence = confidence;
  item.fix = std::move(fix);
  return item;
}

FixStep Restart() { return {"sudo systemctl restart a", "", "", "", rules::Restart{"a.service"}}; }
FixStep Write(const std::string& path, const std::string& text = "") {
  return rules::WriteNewFileStep(path, text, "", "");
}

TEST(Plan, HoldsTheRootCausesInTheirOrderAndNothingElse) {
  report::Report report;
  report.root_causes = {Cause("VG205", {Write("/a"), Restart()}), Cause("VG402", {Restart()})};
  report.latent = {Cause("VG401", {Write("/b")})};
  const auto plan = MakePlan(report, "");
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->repairs.size(), 2u);
  EXPECT_EQ(plan->repairs[0].item.code, "VG205");
  EXPECT_EQ(plan->automatic, 2u);
}

TEST(Plan, WhatTheRestartWouldMeetIsRepairedBeforeIt) {
  report::Report report;
  report.root_causes = {Cause("VG302", {Restart()})};
  report.latent = {Cause("VG306", {Write("/c"), Restart()}),
                   Cause("VG404", {{"sudo install x"}, Restart()})};
  report.latent[1].repair_first = true;
  const auto plan = MakePlan(report, "");
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->repairs.size(), 2u);
  EXPECT_EQ(plan->repairs[0].item.code, "VG404");
  EXPECT_TRUE(plan->repairs[0].latent);
  // The restart behind it serves both.
  ASSERT_EQ(plan->repairs[0].item.fix.size(), 1u);
  EXPECT_EQ(plan->repairs[0].actions.size(), 1u);
  EXPECT_EQ(plan->repairs[1].item.code, "VG302");
  // A person installs the file: nothing restarts the service before that.
  EXPECT_EQ(plan->automatic, 0u);
  report.latent[1].fix = {Write("/d"), Restart()};
  EXPECT_EQ(MakePlan(report, "")->automatic, 2u);
  // Who asks for the one cause gets it alone.
  EXPECT_EQ(MakePlan(report, "VG302")->repairs.size(), 1u);
}

TEST(Plan, ReloadAndRestartStandOnceAfterTheLastChange) {
  const FixStep reload = {"sudo systemctl daemon-reload", "", "", "", rules::Reload{}};
  FixStep warned = Restart();
  warned.risk = "requests are cut off; it meets VG401";
  FixStep plain = Restart();
  plain.risk = "requests are cut off";
  report::Report report;
  report.root_causes = {Cause("VG203", {reload, warned}),
                        Cause("VG506", {Write("/a"), reload, plain}),
                        Cause("VG604", {Write("/b")})};
  const auto plan = MakePlan(report, "");
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->automatic, 3u);
  const Repair& first = plan->repairs[0];
  EXPECT_TRUE(first.item.fix.empty());
  EXPECT_TRUE(first.actions.empty());
  ASSERT_EQ(first.later.size(), 2u);
  EXPECT_EQ(first.later[0].command, "sudo systemctl daemon-reload");
  EXPECT_EQ(first.later[1].command, "sudo systemctl restart a");
  EXPECT_EQ(first.later[1].with, "VG506");
  const Repair& second = plan->repairs[1];
  ASSERT_EQ(second.item.fix.size(), 3u);
  EXPECT_TRUE(second.later.empty());
  // What the restart would meet is said where it stands.
  EXPECT_EQ(second.item.fix[2].risk, "requests are cut off; it meets VG401");
  // Who asks for the one cause gets all of its steps.
  EXPECT_EQ(MakePlan(report, "VG203")->repairs[0].item.fix.size(), 2u);
}

TEST(Plan, WhatIsCarriedOutLeavesNoRestartToAPerson) {
  report::Report report;
  report.root_causes = {Cause("VG205", {Write("/a"), Restart()}),
                        Cause("VG401", {{"sudo install x"}, Restart()})};
  EXPECT_EQ(MakePlan(report, "")->automatic, 1u);
  EXPECT_EQ(MakePlan(report, "")->repairs[0].item.fix.size(), 2u);
  // Nor does one whose own unit it is not.
  report.root_causes[1].fix = {
      Write("/b"), {"sudo systemctl restart b", "", "", "", rules::Restart{"b.service"}}};
  EXPECT_EQ(MakePlan(report, "")->automatic, 2u);
  EXPECT_EQ(MakePlan(report, "")->repairs[0].item.fix.size(), 2u);
}

TEST(Plan, OneCauseIsChosenByCodeOrNameAndMayActAtTheNextStart) {
  report::Report report;
  report.root_causes = {Cause("VG205", {Restart()})};
  report.latent = {Cause("VG401", {Write("/b")})};
  EXPECT_EQ(MakePlan(report, "vg205")->repairs.size(), 1u);
  const auto plan = MakePlan(report, "the-VG401");
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->repairs.size(), 1u);
  EXPECT_TRUE(plan->repairs[0].latent);
}

TEST(Plan, WhatWasNotDiagnosedIsRefused) {
  report::Report report;
  report.root_causes = {Cause("VG205", {Restart()})};
  report.consequences = {Cause("VG704", {})};
  report.consequences[0].explained_by = {"VG205"};
  report.notes = {Cause("VG510", {})};
  const auto why = [&](const char* wanted) {
    return std::string(MakePlan(report, wanted).status().message());
  };
  EXPECT_EQ(why("VG401"), "VG401 was not diagnosed here, so nothing is repaired; VG205 was");
  EXPECT_EQ(why("preload-entry-missing"), why("VG401"));
  EXPECT_EQ(why("VG704"), "VG704 follows from VG205: repair that");
  EXPECT_EQ(why("VG510"), "VG510 is a note: nothing to repair");
  EXPECT_TRUE(absl::StrContains(why("VG999"), "there is no such cause"));
}

TEST(Plan, AStepOfAPersonsEndsWhatIsDoneByItself) {
  report::Report report;
  report.root_causes = {Cause("VG205", {Write("/a")}),
                        Cause("VG404", {{"sudo install x"}, Restart()}),
                        Cause("VG402", {Restart()})};
  const auto plan = MakePlan(report, "");
  EXPECT_EQ(plan->automatic, 1u);
  EXPECT_EQ(plan->repairs[1].by_hand, "step 1 is a person's");
  report.root_causes[1] = Cause("VG404", {{"sudo install x"}, {"sudo mv y"}, Restart()});
  EXPECT_EQ(MakePlan(report, "")->repairs[1].by_hand, "steps 1 and 2 are a person's");
  report.root_causes[1] = Cause("VG404", {{"a"}, {"b"}, Restart(), {"c"}});
  EXPECT_EQ(MakePlan(report, "")->repairs[1].by_hand, "steps 1, 2 and 4 are a person's");
}

TEST(Plan, AStepThatOnlyShowsOrIsOneWayOfTwoIsPassedOver) {
  report::Report report;
  report.root_causes = {Cause("VG401", {rules::OneWay({"sudo install x"}), Write("/a"), Restart()}),
                        Cause("VG503", {rules::OneWay({"ls"})})};
  const auto plan = MakePlan(report, "");
  EXPECT_EQ(plan->automatic, 1u);
  EXPECT_EQ(Who(plan->repairs[0].actions[0]), By::kNeither);
  EXPECT_EQ(plan->repairs[1].by_hand, "no step is known that repairs it");
}

TEST(Plan, WhatIsOnlyPossibleIsRepairedWhenItIsAskedFor) {
  report::Report report;
  report.root_causes = {Cause("VG306", {Restart()}, rules::Confidence::kPossible)};
  EXPECT_EQ(MakePlan(report, "")->automatic, 0u);
  EXPECT_TRUE(absl::StrContains(MakePlan(report, "")->repairs[0].by_hand, "fix VG306 --apply"));
  EXPECT_EQ(MakePlan(report, "VG306")->automatic, 1u);
}

TEST(Plan, TwoRepairsOfOneThingAreMadeOneAfterTheOther) {
  report::Report report;
  report.root_causes = {
      Cause("VG401", {Write("/u.d/vg401.conf", "[Service]\nEnvironment=\"LD_PRELOAD=/a\"\n")}),
      Cause("VG413", {Write("/u.d/vg413.conf", "[Service]\nEnvironment=\"LD_PRELOAD=/b\"\n")})};
  const auto plan = MakePlan(report, "");
  EXPECT_EQ(plan->automatic, 1u);
  EXPECT_TRUE(absl::StrContains(plan->repairs[1].by_hand, "the variable LD_PRELOAD"));
  report.root_causes[1].fix = {Write("/u.d/vg507.conf", "UnsetEnvironment=CUDA_VISIBLE_DEVICES\n")};
  EXPECT_EQ(MakePlan(report, "")->automatic, 2u);
}

TEST(Plan, WhatIsShownIsSafeAndWhatIsDoneIsExact) {
  report::Report report;
  const std::string name = "/opt/\x1b[31mred";
  report.root_causes = {Cause("VG402", {rules::OpenModeStep(name, "a+r", "0600", "", "")})};
  const auto plan = MakePlan(report, "");
  EXPECT_FALSE(absl::StrContains(plan->repairs[0].item.fix[0].command, "\x1b"));
  EXPECT_EQ(std::get<rules::ChangeMode>(plan->repairs[0].actions[0]).path, name);
}

}  // namespace
}  // namespace vgpu::doctor

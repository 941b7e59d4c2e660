#include "tools/vgpu_doctor/repair/apply.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

// A service in a world of the test's own: `causes` is what a look finds, as long as the
// file `marker` is as `heals` says.
class ApplyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Not the test's own directory, which may lie below one that is not root's.
    std::string name = "/tmp/apply.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
    before_.runs = true;
    world_.systemctl = [this](const std::vector<std::string>& arguments) {
      asked_.push_back(absl::StrJoin(arguments, " "));
      for (const std::string& bad : failing_) {
        if (absl::StrContains(asked_.back(), bad)) return absl::InternalError("it says no");
      }
      return absl::OkStatus();
    };
    world_.may_restart = [this](const std::string&) { return agrees_; };
    world_.look = [this]() -> std::optional<Seen> {
      ++looks_;
      return look_();
    };
    world_.now = [this] { return now_; };
    world_.wait = [this](absl::Duration duration) {
      now_ += duration;
      return !interrupted_;
    };
    world_.say = [](const std::string&) {};
    look_ = [this] { return Healthy(); };
  }
  void TearDown() override { EXPECT_EQ(system(absl::StrCat("rm -rf ", dir_).c_str()), 0); }

  std::string Path(absl::string_view name) const { return absl::StrCat(dir_, "/", name); }
  bool Exists(absl::string_view name) const { return access(Path(name).c_str(), F_OK) == 0; }

  Repair Writes(const std::string& code, absl::string_view name) const {
    Repair repair;
    repair.item.code = code;
    repair.actions = {rules::WriteFile{Path(name), "x"}, rules::Reload{},
                      rules::Restart{"a.service"}};
    return repair;
  }
  Seen Healthy() const {
    Seen seen;
    seen.runs = seen.discovery_ended = true;
    seen.report.verdict = report::Verdict::kHealthy;
    return seen;
  }
  Seen With(const std::string& code) const {
    Seen seen = Healthy();
    seen.report.verdict = report::Verdict::kProblem;
    seen.report.root_causes.emplace_back();
    seen.report.root_causes.back().code = code;
    return seen;
  }
  Outcome Run(std::vector<Repair> repairs) {
    Plan plan;
    plan.repairs = std::move(repairs);
    plan.automatic = plan.repairs.size();
    return Apply(plan, before_, "STAMP", world_);
  }

  std::string dir_;
  Seen before_;
  World world_;
  std::vector<std::string> asked_;
  std::vector<std::string> failing_;
  std::function<std::optional<Seen>()> look_;
  absl::Time now_ = absl::UnixEpoch();
  bool agrees_ = true;
  bool interrupted_ = false;
  int looks_ = 0;
};

using Requests = std::vector<std::string>;

TEST_F(ApplyTest, TwoRepairsNeedOneReloadAndOneRestart) {
  const Outcome outcome = Run({Writes("VG205", "a"), Writes("VG507", "b")});
  ASSERT_EQ(outcome.results.size(), 2u);
  EXPECT_EQ(outcome.results[0].end, End::kRepaired);
  EXPECT_EQ(outcome.results[1].code, "VG507");
  EXPECT_EQ(outcome.results[1].changes.size(), 1u);
  EXPECT_EQ(asked_,
            Requests({"daemon-reload", "reset-failed -- a.service", "restart -- a.service"}));
  EXPECT_EQ(outcome.after->verdict, report::Verdict::kHealthy);
}

TEST_F(ApplyTest, ARepairThatDoesNotHelpIsTakenBackAndTheOtherStays) {
  look_ = [this] { return With("VG205"); };
  const Outcome outcome = Run({Writes("VG205", "a"), Writes("VG507", "b")});
  EXPECT_EQ(outcome.results[0].end, End::kTakenBack);
  EXPECT_EQ(outcome.results[0].because, "the cause still stands");
  EXPECT_TRUE(outcome.results[0].changes.empty());
  EXPECT_EQ(outcome.results[1].end, End::kRepaired);
  EXPECT_FALSE(Exists("a"));
  EXPECT_TRUE(Exists("b"));
  // What runs is what the files say.
  EXPECT_EQ(asked_.size(), 6u);
  EXPECT_EQ(asked_.back(), "restart -- a.service");
}

TEST_F(ApplyTest, AServiceThatRanAndDoesNotRunNowHasEverythingTakenBack) {
  look_ = [this] {
    Seen seen = With("VG307");
    seen.runs = Exists("a") ? false : true;
    seen.has_failed = !seen.runs;
    return seen;
  };
  const Outcome outcome = Run({Writes("VG205", "a")});
  EXPECT_EQ(outcome.results[0].end, End::kTakenBack);
  EXPECT_TRUE(absl::StrContains(outcome.results[0].because, "ran before"));
  EXPECT_FALSE(Exists("a"));
}

TEST_F(ApplyTest, AStepThatFailsChangesNothingAndRestartsNothing) {
  Repair second = Writes("VG410", "b");
  second.actions.insert(second.actions.begin() + 1, rules::MakeLink{Path("link"), Path("nothing")});
  const Outcome outcome = Run({Writes("VG205", "a"), second});
  ASSERT_EQ(outcome.results.size(), 2u);
  EXPECT_EQ(outcome.results[0].end, End::kFailed);
  EXPECT_TRUE(absl::StrContains(outcome.results[1].because, "nothing: no such file"));
  EXPECT_FALSE(Exists("a"));
  EXPECT_FALSE(Exists("b"));
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(looks_, 0);
}

TEST_F(ApplyTest, AManagerThatRefusesTakesItBackToo) {
  Repair repair = Writes("VG310", "a");
  repair.actions.insert(repair.actions.begin(),
                        rules::Manage{{"unset-environment", "A"}, {"set-environment", "A=1"}});
  failing_ = {"daemon-reload"};
  const Outcome outcome = Run({repair});
  EXPECT_EQ(outcome.results[0].end, End::kFailed);
  EXPECT_TRUE(absl::StrContains(outcome.results[0].because, "it says no"));
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(asked_, Requests({"unset-environment A", "daemon-reload", "set-environment A=1",
                              "daemon-reload"}));
}

TEST_F(ApplyTest, NobodyAgreesToARestart) {
  agrees_ = false;
  const Outcome outcome = Run({Writes("VG205", "a")});
  EXPECT_EQ(outcome.results[0].end, End::kWaits);
  EXPECT_TRUE(Exists("a"));
  EXPECT_EQ(asked_, Requests({"daemon-reload"}));
  EXPECT_FALSE(outcome.after.has_value());
}

TEST_F(ApplyTest, WhatDoesNotRunIsStartedWithoutAQuestion) {
  agrees_ = false;
  before_.runs = false;
  Repair repair;
  repair.item.code = "VG301";
  repair.actions = {rules::Manage{{"unmask", "a.service"}, {"mask", "a.service"}},
                    rules::Restart{"a.service", true}};
  EXPECT_EQ(Run({repair}).results[0].end, End::kRepaired);
  EXPECT_EQ(asked_,
            Requests({"unmask a.service", "reset-failed -- a.service", "start -- a.service"}));
}

TEST_F(ApplyTest, WhatNeedsNoRestartIsJudgedAtOnce) {
  Repair repair = Writes("VG101", "a");
  repair.actions.resize(1);
  repair.latent = true;
  EXPECT_EQ(Run({repair}).results[0].end, End::kRepaired);
  EXPECT_EQ(looks_, 1);
  EXPECT_TRUE(asked_.empty());
  look_ = [this] {
    Seen seen = Healthy();
    seen.report.latent.emplace_back();
    seen.report.latent.back().code = "VG101";
    return seen;
  };
  EXPECT_EQ(Run({repair}).results[0].end, End::kTakenBack);
}

TEST_F(ApplyTest, ItWaitsForTheEndOfDiscoveryAndNotForEver) {
  look_ = [this] {
    Seen seen = Healthy();
    seen.discovery_ended = looks_ >= 5;
    return seen;
  };
  Run({Writes("VG205", "a")});
  EXPECT_EQ(looks_, 5);
  look_ = [this] {
    Seen seen = Healthy();
    seen.discovery_ended = false;
    return seen;
  };
  const absl::Time begin = now_;
  const Outcome early = Run({Writes("VG205", "b")});
  EXPECT_EQ(now_ - begin, kDiscoveryTime);
  // What discovery has not shown yet is not gone, and no reason to take anything back.
  EXPECT_EQ(early.results[0].end, End::kNotChecked);
  EXPECT_EQ(early.results[0].because, "discovery had not ended after 1m30s");
  EXPECT_TRUE(Exists("b"));
}

TEST_F(ApplyTest, AnInterruptionLeavesItUnjudged) {
  interrupted_ = true;
  const Outcome outcome = Run({Writes("VG205", "a")});
  EXPECT_EQ(outcome.results[0].end, End::kNotChecked);
  EXPECT_TRUE(Exists("a"));
  EXPECT_EQ(outcome.results[0].changes.size(), 1u);
}

}  // namespace
}  // namespace vgpu::doctor

#include "diag/diagnosis/cut_log.h"

#include "absl/strings/match.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::diagnosis {
namespace {

using rules::HostBuilder;

// The facts of a working host, of whose log only what is younger than the start was read.
facts::Facts Cut() {
  facts::Facts facts = HostBuilder().Gather();
  ollama::DiscoveryLog log = *facts.log.journal;
  log.starts.clear();
  facts.log.journal = {facts.log.journal.source, log};
  return facts;
}

const report::Item* NotInLog(const report::Report& report) {
  for (const report::Item& item : report.notes) {
    if (item.code == "VG705") return &item;
  }
  return nullptr;
}

TEST(CutLogTest, WhatSinceLeavesOutIsTheReasonAndNoRepairIsNamed) {
  const facts::Facts facts = Cut();
  report::Report report = Diagnose(facts);
  ASSERT_NE(NotInLog(report), nullptr);
  ASSERT_FALSE(NotInLog(report)->fix.empty());
  NameTheCut(facts, *facts.process->started + absl::Minutes(1), report);
  EXPECT_TRUE(NotInLog(report)->fix.empty());
  ASSERT_EQ(NotInLog(report)->evidence.size(), 1u);
  EXPECT_EQ(NotInLog(report)->evidence[0].source, "--since");
  EXPECT_TRUE(absl::StrContains(report.headline, "--since"));
  EXPECT_EQ(report.verdict, report::Verdict::kInconclusive);
}

TEST(CutLogTest, ALogThatLacksTheStartOfItselfIsNotSincesFault) {
  const facts::Facts facts = Cut();
  report::Report report = Diagnose(facts);
  const std::string headline = report.headline;
  for (absl::Time since :
       {absl::InfinitePast(), absl::Time(*facts.process->started - absl::Minutes(1))}) {
    NameTheCut(facts, since, report);
    EXPECT_EQ(report.headline, headline);
    EXPECT_FALSE(NotInLog(report)->fix.empty());
  }
}

TEST(CutLogTest, AResultThatIsThereIsLeftAlone) {
  const facts::Facts facts = HostBuilder().Gather();
  report::Report report = Diagnose(facts);
  const std::string headline = report.headline;
  NameTheCut(facts, absl::InfiniteFuture(), report);
  EXPECT_EQ(report.headline, headline);
  EXPECT_EQ(report.verdict, report::Verdict::kHealthy);
}

}  // namespace
}  // namespace vgpu::diagnosis

#include "diag/baseline/explain.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using Strings = std::vector<std::string>;

Change Of(const std::string& key, Change::How how) {
  Change change;
  change.key = key;
  change.how = how;
  change.kind = FindKind(key);
  const bool list = change.kind->value_class == Class::kOrdered;
  change.before = list ? Value(Strings{"/a.so"}) : Value(std::string("old"));
  change.now = list ? Value(Strings{"/b.so"}) : Value(std::string("new"));
  if (how == Change::How::kMissing) change.now = Absent{};
  if (how == Change::How::kNotObserved) change.now = NotObserved{"permission denied"};
  return change;
}

Snapshot Named() {
  Snapshot snapshot;
  snapshot.name = "works";
  snapshot.verified = true;
  return snapshot;
}

report::Item Cause(const std::string& code) {
  report::Item item;
  item.code = code;
  item.id = "an-id";
  item.title = "a title";
  item.confidence = rules::Confidence::kCertain;
  return item;
}

TEST(Explain, WhatCanExplainMostStandsFirst) {
  Comparison comparison;
  comparison.changes = {Of("host.distribution", Change::How::kChanged),
                        Of("unit.environment.LD_PRELOAD", Change::How::kChanged),
                        Of("unit.environment.OLLAMA_LIBRARY_PATH", Change::How::kMissing)};
  const Diff diff = Explain(Named(), comparison, {});
  EXPECT_EQ(diff.verdict, DiffVerdict::kDrift);
  EXPECT_EQ(diff.changes[0].change.key, "unit.environment.LD_PRELOAD");
  EXPECT_EQ(diff.changes[1].change.key, "unit.environment.OLLAMA_LIBRARY_PATH");
  EXPECT_TRUE(absl::StrContains(diff.headline, "Look at LD_PRELOAD of the unit")) << diff.headline;
}

TEST(Explain, WhatTheHostShowsBringsItsDifferenceUp) {
  Comparison comparison;
  comparison.changes = {Of("unit.environment.LD_PRELOAD", Change::How::kChanged),
                        Of("unit.exec_start", Change::How::kChanged)};
  report::Report report;
  report.root_causes = {Cause("VG207")};
  const Diff diff = Explain(Named(), comparison, report);
  EXPECT_EQ(diff.changes[0].change.key, "unit.exec_start");
  ASSERT_EQ(diff.likely_causes.size(), 1u);
  EXPECT_EQ(diff.likely_causes[0].code, "VG207");
  EXPECT_EQ(diff.likely_causes[0].because, Strings{"unit.exec_start"});
  EXPECT_TRUE(absl::StrContains(diff.headline, "VG207")) << diff.headline;
}

TEST(Explain, ACauseThatEvidenceContradictsIsNotNamed) {
  Comparison comparison;
  comparison.changes = {Of("unit.environment.LD_PRELOAD", Change::How::kChanged)};
  report::Report report;
  for (absl::string_view code : comparison.changes[0].kind->Causes()) {
    if (code != "VG414") report.ruled_out.push_back({std::string(code), "an-id", "evidence"});
  }
  const Diff diff = Explain(Named(), comparison, report);
  EXPECT_EQ(diff.changes[0].may_cause, Strings{"VG414"});
  EXPECT_TRUE(diff.likely_causes.empty());
}

TEST(Explain, WhatWasNotObservedIsNoDifference) {
  Comparison comparison;
  comparison.same = 9;
  comparison.changes = {Of("process.secure", Change::How::kNotObserved)};
  const Diff diff = Explain(Named(), comparison, {});
  EXPECT_EQ(diff.verdict, DiffVerdict::kInconclusive);
  EXPECT_EQ(ExitCode(diff.verdict), 3);
  EXPECT_EQ(diff.Differences(), 0u);
}

// All causes of a change are ruled out on the present host.
void Contradict(const Change& change, report::Report* report) {
  for (absl::string_view code : change.kind->Causes()) {
    report->ruled_out.push_back({std::string(code), "an-id", "evidence"});
  }
}

TEST(Explain, WhatExplainsNothingOnThisHostStandsBelowWhatCan) {
  Comparison comparison;
  comparison.changes = {Of("host.kernel", Change::How::kChanged),
                        Of("discovery.result", Change::How::kMissing)};
  ASSERT_GT(comparison.changes[0].kind->weight, comparison.changes[1].kind->weight);
  report::Report report;
  Contradict(comparison.changes[0], &report);
  EXPECT_EQ(Explain(Named(), comparison, report).changes[0].change.key, "discovery.result");
  const Diff alone = [&] {
    Comparison one;
    one.changes = {comparison.changes[0]};
    return Explain(Named(), one, report);
  }();
  EXPECT_TRUE(absl::StrContains(alone.headline, "shows harm of what differs")) << alone.headline;
  report.ruled_out.clear();
  EXPECT_EQ(Explain(Named(), comparison, report).changes[1].change.key, "discovery.result");
  // Of what was not seen this time, likewise.
  for (Change& change : comparison.changes) {
    change.how = Change::How::kNotObserved;
    change.now = NotObserved{"permission denied"};
  }
  Contradict(comparison.changes[0], &report);
  const Diff unseen = Explain(Named(), comparison, report);
  EXPECT_EQ(unseen.verdict, DiffVerdict::kInconclusive);
  EXPECT_FALSE(absl::StrContains(unseen.headline, "the kernel")) << unseen.headline;
}

TEST(Explain, ACopyBesideADropInStandsBelowTheDropInItself) {
  Comparison comparison;
  comparison.changes = {
      Of("unit.ineffective./etc/systemd/system/ollama.service.d/vgpu.conf~", Change::How::kAdded),
      Of("unit.drop_in./etc/systemd/system/ollama.service.d/vgpu.conf.content",
         Change::How::kChanged)};
  for (bool latent : {false, true}) {
    report::Report report;
    if (latent) report.latent = {Cause("VG204")};
    const Diff diff = Explain(Named(), comparison, report);
    EXPECT_TRUE(absl::EndsWith(diff.changes[0].change.key, ".content")) << latent;
    EXPECT_TRUE(absl::StrContains(diff.headline, "vgpu.conf: it is not what it was"))
        << diff.headline;
  }
}

TEST(Explain, TheSameAsAStateThatNeverWorkedIsNoHealth) {
  Snapshot snapshot = Named();
  Comparison comparison;
  comparison.same = 5;
  report::Report report;
  report.root_causes = {Cause("VG207")};
  // A verified one, and the GPU is lost although nothing differs.
  Diff diff = Explain(snapshot, comparison, report);
  EXPECT_EQ(diff.verdict, DiffVerdict::kSame);
  EXPECT_TRUE(absl::StrContains(diff.headline, "wrong all the same (VG207")) << diff.headline;
  snapshot.verified = false;
  diff = Explain(snapshot, comparison, report);
  EXPECT_EQ(ExitCode(diff.verdict), 0);
  EXPECT_TRUE(absl::StrContains(diff.headline, "no health (VG207: a title")) << diff.headline;
  diff = Explain(snapshot, comparison, {});
  EXPECT_TRUE(absl::StrContains(diff.headline, "no health.")) << diff.headline;
}

TEST(Explain, NothingComparedIsNotTheSame) {
  EXPECT_EQ(Explain(Named(), {}, {}).verdict, DiffVerdict::kInconclusive);
  Comparison comparison;
  comparison.same = 1;
  EXPECT_EQ(Explain(Named(), comparison, {}).verdict, DiffVerdict::kSame);
}

TEST(Views, TextOfAHostCannotMoveTheCursorOrLeakASecret) {
  Comparison comparison;
  Change change = Of("unit.exec_start", Change::How::kChanged);
  change.now = Value(std::string("\x1b[31mserve --token abcdefghijk"));
  comparison.changes = {change};
  const Diff diff = Explain(Named(), comparison, {});
  for (const std::string& text : {ToText(diff, {}), ToJson(diff)}) {
    EXPECT_FALSE(absl::StrContains(text, "\x1b"));
    EXPECT_FALSE(absl::StrContains(text, "abcdefghijk")) << text;
  }
}

TEST(ToText, SaysLoudlyThatABaselineIsNotVerified) {
  Snapshot snapshot = Named();
  EXPECT_FALSE(absl::StrContains(ToText(Explain(snapshot, {}, {}), {}), "NOT VERIFIED"));
  snapshot.verified = false;
  EXPECT_TRUE(absl::StrContains(ToText(Explain(snapshot, {}, {}), {}), "NOT VERIFIED"));
}

}  // namespace
}  // namespace vgpu::baseline

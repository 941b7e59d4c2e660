#include "diag/baseline/file.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/baseline/kinds.h"
#include "gtest/gtest.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using Strings = std::vector<std::string>;

Snapshot Sample() {
  Snapshot snapshot;
  snapshot.name = "works";
  snapshot.tool_version = "0.1.0";
  snapshot.captured_at = absl::FromUnixSeconds(1772028000);
  snapshot.time_zone = absl::FixedTimeZone(-5 * 3600);
  snapshot.verified = true;
  snapshot.because = "inference compute";
  snapshot.hostname = std::string("test10");
  snapshot.unit = "ollama.service";
  snapshot.ollama_version = std::string("0.16.2");
  snapshot.era = "B";
  snapshot.profile = std::string("h100-80gb-hbm3");
  snapshot.salt = "00ff";
  snapshot.seal_check = "ff00";
  snapshot.looked["module.*"] = true;
  snapshot.looked["node.*"] = NotObserved{"/dev: not captured"};
  snapshot.entries["unit.environment.LD_PRELOAD"] = {Value(Strings{"/a.so", "/b.so"}), "/etc/x", 3};
  snapshot.entries["host.preload"] = {Absent{}, "/etc/ld.so.preload"};
  snapshot.entries["process.secure"] = {NotObserved{"permission denied"}, "/proc/57290/auxv"};
  snapshot.entries["discovery.device.0.total"] = {Value(81510.0), "journal", 7};
  return snapshot;
}

TEST(Baseline, IsReadAsItWasWritten) {
  const std::string text = WriteBaseline(Sample());
  const absl::StatusOr<Snapshot> read = ReadBaseline(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(WriteBaseline(*read), text);
  EXPECT_TRUE(read->verified);
  EXPECT_EQ(read->ollama_version.value_or(""), "0.16.2");
  EXPECT_EQ(std::get<Strings>(*read->entries.at("unit.environment.LD_PRELOAD").value),
            (Strings{"/a.so", "/b.so"}));
  EXPECT_TRUE(read->entries.at("host.preload").value.absent());
  EXPECT_EQ(read->entries.at("process.secure").value.why_not(), "permission denied");
  EXPECT_EQ(read->looked.at("node.*").why_not(), "/dev: not captured");
}

TEST(Baseline, SaysHowItsSealsAreMade) {
  Snapshot sample = Sample();
  sample.seal_form = 2;
  const std::string text = WriteBaseline(sample);
  EXPECT_EQ(ReadBaseline(text)->seal_form, 2);
  // The first ones did not say.
  EXPECT_EQ(ReadBaseline(absl::StrReplaceAll(text, {{"\"seal_form\": 2,", ""}}))->seal_form, 1);
  // Of a form to come nothing is known, and so nothing sealed is compared.
  const auto newer =
      ReadBaseline(absl::StrReplaceAll(text, {{"seal_form\": 2", "seal_form\": 3"}}));
  EXPECT_EQ(newer->seal_check, "");
  EXPECT_FALSE(
      ReadBaseline(absl::StrReplaceAll(text, {{"seal_form\": 2", "seal_form\": \"x\""}})).ok());
}

TEST(Baseline, HoldsNoProcessId) {
  EXPECT_FALSE(absl::StrContains(WriteBaseline(Sample()), "57290"));
}

TEST(Baseline, AKeyThatIsNotKnownIsPassedOver) {
  const std::string text =
      absl::StrReplaceAll(WriteBaseline(Sample()), {{"\"host.preload\"", "\"host.of.2031\""}});
  const absl::StatusOr<Snapshot> read = ReadBaseline(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->entries.size(), Sample().entries.size() - 1);
}

TEST(Baseline, ANewerOneIsRefusedAndSaysSo) {
  const std::string text =
      absl::StrReplaceAll(WriteBaseline(Sample()), {{"baseline/1", "baseline/2"}});
  EXPECT_TRUE(absl::StrContains(ReadBaseline(text).status().message(), "newer")) << text;
}

TEST(Baseline, WhatIsNoneIsRefused) {
  const std::string good = WriteBaseline(Sample());
  const std::string texts[] = {
      "",
      "{",
      "[]",
      "null",
      "{\"schema\": 1}",
      "{\"schema\": \"vgpu-doctor.report/1\"}",
      "{\"schema\": \"vgpu-doctor.baseline/0\"}",
      good.substr(0, good.size() / 2),
      absl::StrReplaceAll(good, {{"\"verified\": true", "\"verified\": \"yes\""}}),
      absl::StrReplaceAll(good, {{"81510.0", "\"81510\""}}),
      absl::StrReplaceAll(good, {{"\"absent\": true", "\"absent\": false"}}),
      absl::StrReplaceAll(good, {{"\"absent\": true", "\"absent\": true, \"value\": []"}}),
      absl::StrReplaceAll(good, {{"host.preload", "process.secure"}}),
      absl::StrReplaceAll(good, {{"\"entries\"", "\"entry\""}}),
      std::string(100000, '['),
  };
  for (const std::string& text : texts) {
    const absl::StatusOr<Snapshot> read = ReadBaseline(text);
    EXPECT_FALSE(read.ok()) << text.substr(0, 200);
    EXPECT_FALSE(read.status().message().empty());
  }
}

}  // namespace
}  // namespace vgpu::baseline

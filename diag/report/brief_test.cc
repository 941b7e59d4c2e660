#include "diag/report/brief.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

using rules::Evidence;

TEST(GroupEvidence, WhatMeansTheSameAndComesFromOnePlaceStandsTogether) {
  const std::vector<Evidence> evidence = {{"systemctl show a", 0, "A=1", "systemd gives this"},
                                          {"/proc/1/environ", 0, "(no A)", "it is not there"},
                                          {"systemctl show a", 0, "B=1", "systemd gives this"},
                                          {"/proc/1/environ", 0, "(no B)", "it is not there"},
                                          {"log", 14, "x", "a line"},
                                          {"log", 18, "y", "a line"},
                                          {"log", 0, "z", "a line"}};
  const std::vector<EvidenceGroup> groups = GroupEvidence(evidence);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].Place(), "systemctl show a");
  EXPECT_EQ(groups[0].pieces, (std::vector<const Evidence*>{&evidence[0], &evidence[2]}));
  EXPECT_EQ(groups[1].meaning(), "it is not there");
  EXPECT_EQ(groups[2].Place(), "log, lines 14, 18");
  EXPECT_EQ(groups[3].Place(), "log");
}

TEST(GroupEvidence, WhatALogSaysEachTimeIsQuotedOnce) {
  const std::vector<Evidence> evidence = {
      {"log", 17, "not found", "why"}, {"log", 12, "not found", "why"}, {"log", 7, "gone", "why"}};
  const std::vector<EvidenceGroup> groups = GroupEvidence(evidence);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].Place(), "log, lines 17, 12, 7");
  EXPECT_EQ(groups[0].Quotes(), (std::vector<absl::string_view>{"not found", "gone"}));
}

TEST(GroupEvidence, WhatHasNoMeaningOrNoQuoteStandsAlone) {
  EXPECT_EQ(GroupEvidence({{"a", 0, "x", ""}, {"a", 0, "y", ""}}).size(), 2u);
  EXPECT_EQ(GroupEvidence({{"a", 0, "", "it"}, {"a", 0, "", "it"}}).size(), 2u);
}

TEST(RuledOutByLayer, CodesThatFollowEachOtherAreARange) {
  Report report;
  for (const char* code : {"VG203", "VG201", "VG202", "VG205", "VG206", "VG101", "VG401", "VG302"})
    report.ruled_out.push_back({.code = code, .id = "x", .because = "y"});
  std::string all;
  for (const RuledOutLayer& layer : RuledOutByLayer(report))
    all += std::string(layer.title) + ": " + layer.codes + "\n";
  EXPECT_EQ(all,
            "the whole machine: VG101\n"
            "what the unit says: VG201-VG203, VG205, VG206\n"
            "what the process has: VG302\n"
            "what the loader does with the shims: VG401\n");
}

TEST(RuledOutByLayer, WhatIsNoCodeIsNoPartOfARange) {
  Report report;
  for (const char* code : {"VG4294967295", "VG0", "VG-1", "x"})
    report.ruled_out.push_back({.code = code, .id = "x", .because = "y"});
  ASSERT_EQ(RuledOutByLayer(report).size(), 1u);
  EXPECT_EQ(RuledOutByLayer(report)[0].codes, "VG-1, VG0, VG4294967295, x");
}

TEST(GroupNotSeen, OneReasonAndOneWayAreOneEntry) {
  Report report;
  report.not_observed = {{"a", "why", "how"},
                         {"b", "why", "how"},
                         {"c", "why", "otherwise"},
                         {"d", "", ""},
                         {"e", "", ""}};
  const std::vector<NotSeenGroup> groups = GroupNotSeen(report);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].what, "a; b");
}

TEST(GroupNotSeen, BesideACertainCauseOneWayIsSaidOnceAndNothingIsLost) {
  Report report;
  report.not_observed = {
      {"an error of CUDA", "the log tells it at level 2", "set the level"},
      {"the second pass", "the log tells it at level 1", "set the level"},
      {"the kernel's log", "permission denied", "sudo journalctl -k"},
      {"how the children ended", "the log tells it at level 2", "set the level"}};
  report.root_causes = {{.code = "VG503", .confidence = rules::Confidence::kLikely}};
  EXPECT_EQ(GroupNotSeen(report).size(), 3u);
  report.root_causes[0].confidence = rules::Confidence::kCertain;
  const std::vector<NotSeenGroup> groups = GroupNotSeen(report);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].what, "an error of CUDA; the second pass; how the children ended");
  EXPECT_EQ(groups[0].why, "the log tells it at level 2; the log tells it at level 1");
  EXPECT_EQ(groups[1].how, "sudo journalctl -k");
}

TEST(BriefNotSeen, WhatTheDoctorSeesHasItsCommand) {
  Report report;
  report.not_observed = {{"the child", "it is gone", "sudo vgpu-doctor verify; or by hand: env x"},
                         {"symbols", "not read", "ldd -r /a"},
                         {"the process", "permission denied", "sudo vgpu-doctor check"},
                         {"its end", "it is gone", "sudo vgpu-doctor verify"},
                         {"libraries", "none", "run vgpu-doctor on the machine itself"}};
  const NotSeenInBrief brief = BriefNotSeen(report);
  ASSERT_EQ(brief.by_doctor.size(), 2u);
  EXPECT_EQ(brief.by_doctor[0].what, "the child; its end");
  EXPECT_EQ(brief.by_doctor[0].how, "sudo vgpu-doctor verify");
  EXPECT_EQ(brief.by_doctor[1].what, "the process");
  EXPECT_EQ(brief.others, "symbols; libraries");
}

TEST(Ways, AreTakenApart) {
  const std::vector<Way> ways = Ways("sudo vgpu-doctor verify; or by hand: a 1, and beside it b 2");
  ASSERT_EQ(ways.size(), 3u);
  EXPECT_EQ(ways[0].lead, "");
  EXPECT_EQ(ways[0].text, "sudo vgpu-doctor verify");
  EXPECT_EQ(ways[1].lead, "or by hand");
  EXPECT_EQ(ways[1].text, "a 1");
  EXPECT_EQ(ways[2].lead, "and beside it");
  EXPECT_EQ(ways[2].text, "b 2");
  ASSERT_EQ(Ways("set A=1, and restart it").size(), 1u);
}

TEST(EventsNearRootCauses, AreThoseOfItsEvidence) {
  Report report;
  const absl::Time time = absl::UnixEpoch();
  report.timeline = {{time, "/etc/a.conf was written", "its modification time"},
                     {time, "/etc/a.conf.d was written", "its modification time"},
                     {time, "process 1 was started", "/proc/1/stat"},
                     {time, "discovery began", "log, line 7"},
                     {time, "discovery ended", "log, line 8"}};
  report.root_causes = {
      {.code = "VG302",
       .evidence = {
           {"/etc/a.conf", 4, "x", ""}, {"/proc/1/stat", 0, "", "y"}, {"log", 8, "z", ""}}}};
  std::vector<std::string> near;
  for (const Event* event : EventsNearRootCauses(report)) near.push_back(event->event);
  EXPECT_EQ(near, (std::vector<std::string>{"/etc/a.conf was written", "process 1 was started",
                                            "discovery ended"}));
  // Where none is named, the last ones.
  report.root_causes.clear();
  EXPECT_EQ(EventsNearRootCauses(report).front()->event, "/etc/a.conf.d was written");
  EXPECT_EQ(EventsNearRootCauses(report).size(), 4u);
}

TEST(OfSeveralCauses, SaysThatOneRepairIsNotEnough) {
  Report report;
  EXPECT_EQ(OfSeveralCauses(report), "");
  report.root_causes = {{.code = "VG203"}};
  EXPECT_EQ(OfSeveralCauses(report), "");
  report.root_causes.push_back({.code = "VG506"});
  EXPECT_EQ(OfSeveralCauses(report),
            "Repair both root causes: what shows that one repair worked may come only after the "
            "last.");
  report.root_causes.push_back({.code = "VG507"});
  EXPECT_NE(OfSeveralCauses(report).find("Repair all 3 root causes:"), std::string::npos);
}

TEST(OfSeveralCauses, SaysThatOneRestartIsEnough) {
  const auto says_so = [](const Report& report) {
    return OfSeveralCauses(report).find("One restart, after the last change, is enough.") !=
           std::string::npos;
  };
  const rules::FixStep restart = {"systemctl restart a", "", "", "", rules::Restart{"a.service"}};
  Report report;
  report.root_causes = {{.code = "VG203", .fix = {restart}}, {.code = "VG506", .fix = {restart}}};
  EXPECT_TRUE(says_so(report));
  report.root_causes[1].fix[0].action = rules::Restart{"b.service"};
  EXPECT_FALSE(says_so(report));
  report.root_causes[1].fix.clear();
  EXPECT_FALSE(says_so(report));
}

}  // namespace
}  // namespace vgpu::report

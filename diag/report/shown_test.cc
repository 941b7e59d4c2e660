#include "diag/report/shown.h"

#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(Shown, AQuoteIsBoundedAndSaysWhatIsMissing) {
  Report report = NotRestarted();
  report.root_causes[0].evidence[0].quote = std::string(1 << 20, 'x');
  const Report shown = Shown(report, {.quote_bytes = 10, .other_bytes = 4096, .ascii = false});
  EXPECT_EQ(shown.root_causes[0].evidence[0].quote, "xxxxxxxxxx…[+1048566 bytes]");
}

TEST(Shown, ASecretIsGoneBeforeTheTextIsCut) {
  Report report;
  report.headline = "see hf_abcdefghijklmnopqrstuvwxyz";
  const Report shown = Shown(report, {.quote_bytes = 10, .other_bytes = 9, .ascii = false});
  EXPECT_EQ(shown.headline, "see <reda…[+5 bytes]");
}

TEST(Shown, TheThreeAnswersStayApart) {
  Report report;
  report.host.hostname = std::string("a\nb");
  report.subject.pid = host::Absent{};
  report.subject.ollama_version = host::NotObserved{"\x1b[0m"};
  const Report shown = Shown(report);
  EXPECT_EQ(*shown.host.hostname, R"(a\nb)");
  EXPECT_TRUE(shown.subject.pid.absent());
  EXPECT_EQ(shown.subject.ollama_version.why_not(), R"(\x1b[0m)");
  EXPECT_EQ(shown.host.observed_at.why_not(), "not looked at");
}

TEST(Shown, AnOrdinaryReportKeepsItsWords) {
  const Report report = NotRestarted();
  const Report shown = Shown(report);
  EXPECT_EQ(shown.headline, report.headline);
  EXPECT_EQ(shown.root_causes[0].evidence[1].quote, report.root_causes[0].evidence[1].quote);
  EXPECT_EQ(shown.root_causes[0].fix[0].command, report.root_causes[0].fix[0].command);
  EXPECT_EQ(shown.timeline[0].time, report.timeline[0].time);
}

}  // namespace
}  // namespace vgpu::report

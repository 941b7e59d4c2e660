#include "diag/report/junit.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "diag/report/json.h"
#include "diag/report/phrases.h"
#include "diag/report/shown.h"
#include "diag/report/text.h"
#include "diag/report/xml.h"
#include "diag/rules/catalogue.h"

namespace vgpu::report {
namespace {

std::string Attribute(absl::string_view name, absl::string_view value) {
  return absl::StrCat(" ", name, "=\"", XmlText(value), "\"");
}

// Collects test cases, and counts them.
class Suite {
 public:
  void Passed(absl::string_view group, absl::string_view name) {
    absl::StrAppend(&cases_, Open(group, name), "/>\n");
  }

  void Skipped(absl::string_view group, absl::string_view name, absl::string_view message) {
    // Ant's schema gives it no type.
    absl::StrAppend(&cases_, Open(group, name), ">\n      <skipped", Attribute("message", message),
                    "/>\n    </testcase>\n");
    ++skipped_;
  }

  // `how` is "failure" or "error".
  void Ended(absl::string_view group, absl::string_view name, absl::string_view how,
             absl::string_view type, absl::string_view message, absl::string_view text = "") {
    absl::StrAppend(&cases_, Open(group, name), ">\n      <", how, Attribute("type", type),
                    Attribute("message", message));
    absl::StrAppend(&cases_, text.empty() ? "/>" : absl::StrCat(">", XmlText(text), "</", how, ">"),
                    "\n    </testcase>\n");
    ++(how == "failure" ? failures_ : errors_);
  }

  std::string Counts() const {
    return absl::StrCat(
        Attribute("tests", absl::StrCat(tests_)), Attribute("failures", absl::StrCat(failures_)),
        Attribute("errors", absl::StrCat(errors_)), Attribute("skipped", absl::StrCat(skipped_)));
  }

  const std::string& cases() const { return cases_; }

 private:
  std::string Open(absl::string_view group, absl::string_view name) {
    ++tests_;
    return absl::StrCat("    <testcase", Attribute("name", name),
                        Attribute("classname", absl::StrCat("vgpu-doctor.", group)),
                        Attribute("time", "0"));
  }

  std::string cases_;
  int tests_ = 0;
  int failures_ = 0;
  int errors_ = 0;
  int skipped_ = 0;
};

// The class of a code's test case. A dot would begin another level of the tree that is shown.
std::string Group(absl::string_view code) {
  const int layer = LayerOf(code);
  return layer == 0 ? "other" : absl::StrCat(layer, "xx ", rules::LayerTitle(layer));
}

std::string Body(const Item& item) {
  std::string text = "\n";
  for (const rules::Evidence& evidence : item.evidence) {
    absl::StrAppend(&text, evidence.meaning.empty() ? "" : absl::StrCat(evidence.meaning, "\n"),
                    "  ", Place(evidence), "\n",
                    evidence.quote.empty() ? "" : absl::StrCat("  | ", evidence.quote, "\n"));
  }
  if (!item.fix.empty()) absl::StrAppend(&text, "To repair it:\n");
  for (const rules::FixStep& step : item.fix) {
    if (!step.command.empty()) absl::StrAppend(&text, "  $ ", step.command, "\n");
    if (!step.why.empty()) absl::StrAppend(&text, "    ", step.why, "\n");
  }
  return text;
}

void TheVerdict(const Report& report, Suite* suite) {
  switch (report.verdict) {
    case Verdict::kHealthy:
      return suite->Passed("verdict", "the service sees the GPU");
    case Verdict::kProblem:
      return suite->Ended("verdict", "the service sees the GPU", "failure", "problem",
                          report.headline);
    case Verdict::kInconclusive:
      break;
  }
  suite->Ended("verdict", "the service sees the GPU", "error", "inconclusive", report.headline);
}

}  // namespace

std::string ToJUnit(const Report& report) {
  const Report shown = Shown(report);
  Suite suite;
  TheVerdict(shown, &suite);
  for (const Item& item : shown.root_causes) {
    suite.Ended(Group(item.code), absl::StrCat(item.code, " ", item.id), "failure",
                ConfidenceName(item.confidence), item.title, Body(item));
  }
  for (const Item& item : shown.consequences) {
    suite.Skipped(Group(item.code), absl::StrCat(item.code, " ", item.id),
                  absl::StrCat(WithoutPeriod(item.title), ": follows from ",
                               absl::StrJoin(item.explained_by, ", ")));
  }
  for (const RuledOut& out : shown.ruled_out)
    suite.Passed(Group(out.code), absl::StrCat(out.code, " ", out.id));
  for (const NotSeen& not_seen : shown.not_observed) {
    suite.Skipped("not observed", not_seen.what.empty() ? "something" : not_seen.what,
                  not_seen.why);
  }

  std::string properties;
  for (const auto& [label, text] : WhoWasJudged(shown)) {
    absl::StrAppend(&properties, "      <property", Attribute("name", label),
                    Attribute("value", text), "/>\n");
  }
  // Neither schema knows a zone.
  const std::string timestamp =
      shown.host.observed_at.present()
          ? Attribute("timestamp", Rfc3339(*shown.host.observed_at, shown.time_zone).substr(0, 19))
          : "";
  const bool named = shown.host.hostname.present() && !shown.host.hostname->empty();
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite",
      Attribute("name", "vgpu-doctor check"), Attribute("package", "vgpu-doctor"),
      Attribute("id", "0"), timestamp,
      // What Ant's schema wants where the name is not known.
      Attribute("hostname", named ? absl::string_view(*shown.host.hostname) : "localhost"),
      suite.Counts(), Attribute("time", "0"), ">\n    <properties>\n", properties,
      "    </properties>\n", suite.cases(), "    <system-out>",
      XmlText(ToText(report, {.verbose = true})),
      "</system-out>\n    <system-err/>\n  </testsuite>\n</testsuites>\n");
}

}  // namespace vgpu::report

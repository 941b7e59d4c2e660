#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "diag/baseline/explain.h"
#include "diag/report/json.h"
#include "diag/report/redact.h"
#include "diag/report/version.h"
#include "diag/report/visible.h"
#include "nlohmann/json.hpp"

namespace vgpu::baseline {
namespace {

using Json = nlohmann::ordered_json;

std::string Shown(absl::string_view text) {
  return report::VisibleQuote(report::RedactSecrets(text), 8192);
}

Json Texts(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(Shown(text));
  return array;
}

// What is absent or was not observed is null; `kind` tells which.
Json ValueOrNull(const host::Observed<Value>& value) {
  return value.present() ? Json(Shown(ValueText(*value))) : Json(nullptr);
}

Json TextOrNull(const host::Observed<std::string>& text) {
  return text.present() ? Json(Shown(*text)) : Json(nullptr);
}

Json TimeOrNull(const host::Observed<absl::Time>& time, absl::TimeZone zone) {
  return time.present() ? Json(report::Rfc3339(*time, zone)) : Json(nullptr);
}

Json ChangeObject(const Explained& explained) {
  const Change& change = explained.change;
  Json object = {
      {"key", change.key},
      {"what", Shown(change.What())},
      {"kind", std::string(HowName(change.how))},
      {"class", std::string(ClassName(change.kind->value_class))},
      {"baseline", ValueOrNull(change.before)},
      {"current", ValueOrNull(change.now)},
      {"source",
       Shown(change.line > 0 ? absl::StrCat(change.source, ":", change.line) : change.source)},
      {"may_cause", Texts(explained.may_cause)},
  };
  if (change.kind->value_class == Class::kOrdered) {
    object["items_added"] = Texts(change.items_added);
    object["items_missing"] = Texts(change.items_missing);
  }
  if (change.now.not_observed()) object["why"] = Shown(change.now.why_not());
  return object;
}

}  // namespace

std::string ToJson(const Diff& diff) {
  Json changes = Json::array(), likely = Json::array(), not_compared = Json::array();
  Json others = Json::array();
  for (const Explained& explained : diff.changes) changes.push_back(ChangeObject(explained));
  for (const LikelyCause& cause : diff.likely_causes) {
    likely.push_back(Json{{"code", cause.code},
                          {"id", cause.id},
                          {"title", Shown(cause.title)},
                          {"confidence", report::ConfidenceName(cause.confidence)},
                          {"latent", cause.latent},
                          {"because", Texts(cause.because)}});
  }
  for (const NotCompared& not_it : diff.not_compared) {
    not_compared.push_back(Json{{"what", Shown(not_it.what)}, {"why", Shown(not_it.why)}});
  }
  for (const OtherBaseline& other : diff.others) {
    others.push_back(Json{{"name", Shown(other.name)}, {"differences", other.differences}});
  }
  const Json document = {
      {"schema", "vgpu-doctor.diff/1"},
      {"tool_version", report::kToolVersion},
      {"baseline",
       {{"name", Shown(diff.name)},
        {"captured_at", TimeOrNull(diff.captured_at, diff.time_zone)},
        {"verified", diff.verified},
        {"because", Shown(diff.because)}}},
      {"host",
       {{"hostname", TextOrNull(diff.host.hostname)},
        {"observed_at", TimeOrNull(diff.host.observed_at, diff.host_zone)},
        {"source", diff.host.source}}},
      {"unit", diff.unit.empty() ? Json(nullptr) : Json(Shown(diff.unit))},
      {"verdict", DiffVerdictName(diff.verdict)},
      {"headline", Shown(diff.headline)},
      {"changes", std::move(changes)},
      {"likely_cause", std::move(likely)},
      {"not_compared", std::move(not_compared)},
      {"same", diff.same},
      {"farther_baselines", std::move(others)},
  };
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vgpu::baseline

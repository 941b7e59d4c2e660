#include "diag/report/json.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "diag/report/runbook.h"
#include "diag/report/shown.h"
#include "diag/report/version.h"
#include "nlohmann/json.hpp"

namespace vgpu::report {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json ValueOrNull(const host::Observed<T>& observed) {
  return observed.present() ? Json(*observed) : Json(nullptr);
}

Json ToArray(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

Json ToArray(const std::vector<rules::Evidence>& evidence) {
  Json array = Json::array();
  for (const rules::Evidence& piece : evidence) {
    array.push_back(Json{{"source", piece.source},
                         {"line", piece.line > 0 ? Json(piece.line) : Json(nullptr)},
                         {"quote", piece.quote},
                         {"meaning", piece.meaning}});
  }
  return array;
}

Json ToArray(const std::vector<rules::FixStep>& fix) {
  Json array = Json::array();
  for (const rules::FixStep& step : fix) {
    array.push_back(Json{
        {"command", step.command}, {"why", step.why}, {"risk", step.risk}, {"undo", step.undo}});
  }
  return array;
}

enum class List { kRootCauses, kConsequences, kOthers };

Json ToArray(const std::vector<Item>& items, List list) {
  Json array = Json::array();
  for (const Item& item : items) {
    Json object = {{"code", item.code},
                   {"id", item.id},
                   {"title", item.title},
                   {"runbook", Runbook(item.code)},
                   {"confidence", ConfidenceName(item.confidence)},
                   {"evidence", ToArray(item.evidence)},
                   {"explains", ToArray(item.explains)}};
    if (item.repair_first) object["repair_first"] = true;
    if (list == List::kConsequences) object["explained_by"] = ToArray(item.explained_by);
    const bool always = list == List::kRootCauses;
    if (always || !item.fix.empty()) object["fix"] = ToArray(item.fix);
    if (always || !item.expect.empty()) object["expect"] = ToArray(item.expect);
    array.push_back(std::move(object));
  }
  return array;
}

Json ToObject(const Report& report) {
  Json working = Json::array();
  for (const Working& work : report.working)
    working.push_back(Json{{"what", work.what}, {"evidence", ToArray(work.evidence)}});
  Json ruled_out = Json::array();
  for (const RuledOut& out : report.ruled_out)
    ruled_out.push_back(Json{{"code", out.code}, {"id", out.id}, {"because", out.because}});
  Json not_observed = Json::array();
  for (const NotSeen& not_seen : report.not_observed) {
    not_observed.push_back(
        Json{{"what", not_seen.what}, {"why", not_seen.why}, {"how", not_seen.how}});
  }
  Json timeline = Json::array();
  for (const Event& event : report.timeline) {
    timeline.push_back(Json{{"time", Rfc3339(event.time, report.time_zone)},
                            {"event", event.event},
                            {"source", event.source}});
  }

  const Subject& subject = report.subject;
  return Json{
      {"schema", "vgpu-doctor.report/1"},
      {"tool_version", kToolVersion},
      {"host",
       {{"hostname", ValueOrNull(report.host.hostname)},
        {"observed_at", ValueOrNull(report.host.observed_at.Map(
                            [&](absl::Time time) { return Rfc3339(time, report.time_zone); }))},
        {"source", report.host.source}}},
      {"subject",
       {{"unit", subject.unit.empty() ? Json(nullptr) : Json(subject.unit)},
        {"pid", ValueOrNull(subject.pid)},
        {"ollama_version", ValueOrNull(subject.ollama_version)},
        {"era", subject.era},
        {"era_because", subject.era_because}}},
      {"verdict", VerdictName(report.verdict)},
      {"headline", report.headline},
      {"root_causes", ToArray(report.root_causes, List::kRootCauses)},
      {"consequences", ToArray(report.consequences, List::kConsequences)},
      {"latent", ToArray(report.latent, List::kOthers)},
      {"notes", ToArray(report.notes, List::kOthers)},
      {"working", std::move(working)},
      {"ruled_out", std::move(ruled_out)},
      {"not_observed", std::move(not_observed)},
      {"skipped", ToArray(report.skipped)},
      {"timeline", std::move(timeline)},
  };
}

}  // namespace

std::string Rfc3339(absl::Time time, absl::TimeZone zone) {
  // A day's distance from both ends: no zone is further from UTC than that.
  static constexpr absl::CivilDay kFirst(1, 1, 2), kLast(9999, 12, 30);
  time = std::clamp(time, absl::FromCivil(kFirst, absl::UTCTimeZone()),
                    absl::FromCivil(kLast, absl::UTCTimeZone()));
  const bool whole = absl::ToUnixMillis(time) % 1000 == 0;
  return absl::FormatTime(whole ? "%E4Y-%m-%dT%H:%M:%S%Ez" : "%E4Y-%m-%dT%H:%M:%E3S%Ez", time,
                          zone);
}

std::string ToJson(const Report& report) {
  return ToObject(Shown(report)).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vgpu::report

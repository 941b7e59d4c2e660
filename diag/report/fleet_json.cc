#include <string>
#include <utility>
#include <vector>

#include "diag/report/fleet_views.h"
#include "diag/report/runbook.h"
#include "diag/report/version.h"
#include "nlohmann/json.hpp"

namespace vgpu::report {
namespace {

using Json = nlohmann::ordered_json;

Json OrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json ToArray(const std::vector<FleetCause>& causes, bool with_certain) {
  Json array = Json::array();
  for (const FleetCause& cause : causes) {
    Json object = {{"code", cause.code},
                   {"id", cause.id},
                   {"title", cause.title},
                   {"runbook", Runbook(cause.code)},
                   {"hosts", cause.hosts}};
    if (with_certain) object["certain"] = cause.certain;
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace

std::string ToJson(const Fleet& fleet) {
  Json shared = Json::array();
  for (const FleetShared& piece : fleet.shared) {
    shared.push_back(Json{{"code", OrNull(piece.code)},
                          {"what", piece.what},
                          {"source", OrNull(piece.source)},
                          {"value", piece.quote},
                          {"meaning", OrNull(piece.meaning)},
                          {"hosts", piece.hosts},
                          {"of", piece.of}});
  }
  Json hosts = Json::array();
  for (const FleetHost& host : fleet.hosts) {
    Json confidence = Json::array();
    for (const rules::Confidence each : host.confidence) confidence.push_back(ConfidenceName(each));
    hosts.push_back(Json{{"host", NameOf(host)},
                         {"hostname", OrNull(host.hostname)},
                         {"root", host.root},
                         {"verdict", VerdictOf(host)},
                         {"root_causes", host.causes},
                         {"confidence", std::move(confidence)},
                         {"latent", host.latent},
                         {"headline", host.headline},
                         {"unit", OrNull(host.unit)},
                         {"ollama_version", OrNull(host.ollama_version)},
                         {"era", host.era}});
  }
  const Json all = {{"schema", kFleetSchema},
                    {"tool_version", kToolVersion},
                    {"counts",
                     {{"hosts", fleet.hosts.size()},
                      {"problem", fleet.Count("problem")},
                      {"inconclusive", fleet.Count("inconclusive")},
                      {"healthy", fleet.Count("healthy")},
                      {"unreadable", fleet.Count("unreadable")},
                      {"fault", fleet.Count("fault")}}},
                    {"root_causes", ToArray(fleet.causes, true)},
                    {"latent", ToArray(fleet.latent, false)},
                    {"shared", std::move(shared)},
                    {"hosts", std::move(hosts)}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vgpu::report

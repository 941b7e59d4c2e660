#include "diag/report/probe_json.h"

#include "diag/probe/conclude.h"
#include "diag/probe/parse.h"
#include "diag/report/json.h"
#include "diag/report/redact.h"
#include "diag/report/visible.h"
#include "nlohmann/json.hpp"

namespace vgpu::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kTextLimit = 4096;

// As it may be shown.
std::string Safe(absl::string_view text) { return VisibleQuote(RedactSecrets(text), kTextLimit); }

Json SafeOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(Safe(text)); }

Json DeviceToJson(const probe::Device& device) {
  Json json = Json::object();
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) json[key] = Safe(text);
  };
  add("uuid", device.uuid);
  add("pci_address", device.pci_address);
  add("name", device.name);
  add("compute", device.compute);
  if (device.memory_bytes != 0) json["memory_bytes"] = device.memory_bytes;
  add("vendor", device.vendor);
  add("device", device.device);
  add("class", device.device_class);
  return json;
}

Json StepToJson(const probe::Step& step) {
  Json json{{"name", step.name},       {"variant", Safe(step.variant)},
            {"way", step.way},         {"status", probe::StatusName(step.status)},
            {"needed", step.needed},   {"why", Safe(step.why)},
            {"call", Safe(step.call)}, {"exit_status", step.exit_status},
            {"signal", step.signal},   {"timed_out", step.timed_out},
            {"seconds", step.seconds}, {"library", Safe(step.library)}};
  json["messages"] = Json::array();
  for (const std::string& message : step.messages) json["messages"].push_back(Safe(message));
  json["preload"] = Json::array();
  for (const probe::PreloadEntry& entry : step.preload) {
    json["preload"].push_back(
        Json{{"entry", Safe(entry.entry)}, {"from", entry.from}, {"loaded", entry.loaded}});
  }
  json["devices"] = Json::array();
  for (const probe::Device& device : step.devices) json["devices"].push_back(DeviceToJson(device));
  return json;
}

Json RunToJson(const probe::Run& run) {
  Json context{{"taken_over", Json::array()}, {"not_taken_over", Json::array()}};
  for (const std::string& what : run.context.taken_over) {
    context["taken_over"].push_back(Safe(what));
  }
  for (const probe::NotTakenOver& left : run.context.not_taken_over) {
    context["not_taken_over"].push_back(
        Json{{"what", Safe(left.what)}, {"why", Safe(left.why)}, {"matters", left.matters}});
  }
  Json json{{"environment", run.environment}, {"source", Safe(run.source)}};
  json["context"] = std::move(context);
  json["steps"] = Json::array();
  for (const probe::Step& step : run.steps) json["steps"].push_back(StepToJson(step));
  json["comparisons"] = Json::array();
  for (const probe::Comparison& comparison : run.comparisons) {
    Json values = Json::array();
    for (const probe::Comparison::Value& value : comparison.values) {
      values.push_back(Json{{"step", Safe(value.step)}, {"value", Safe(value.value)}});
    }
    json["comparisons"].push_back(Json{{"what", comparison.what},
                                       {"device", Safe(comparison.device)},
                                       {"agree", comparison.agree},
                                       {"values", std::move(values)}});
  }
  return json;
}

}  // namespace

std::string ProbeToJson(const probe::Result& result, absl::TimeZone zone) {
  Json subject{{"unit", SafeOrNull(result.unit)},
               {"pid", result.pid == 0 ? Json(nullptr) : Json(result.pid)},
               {"started_usec", result.started_usec ? Json(*result.started_usec) : Json(nullptr)},
               {"ollama_version", SafeOrNull(result.ollama_version)},
               {"era", result.era}};
  Json host{{"hostname", SafeOrNull(result.hostname)},
            {"observed_at",
             result.observed_at ? Json(Rfc3339(*result.observed_at, zone)) : Json(nullptr)}};
  Json json{{"schema", probe::kSchema},
            {"tool_version", result.tool_version},
            {"host", std::move(host)},
            {"subject", std::move(subject)},
            {"verdict", probe::VerdictName(result.verdict)},
            {"headline", Safe(result.headline)},
            {"next_start_is_the_same", result.next_start_is_the_same}};
  json["runs"] = Json::array();
  for (const probe::Run& run : result.runs) json["runs"].push_back(RunToJson(run));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vgpu::report

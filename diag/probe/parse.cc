#include "diag/probe/parse.h"

#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "diag/probe/conclude.h"
#include "nlohmann/json.hpp"

namespace vgpu::probe {
namespace {

using nlohmann::json;

constexpr size_t kTextLimit = 4096;
constexpr size_t kMaxRuns = 8;
constexpr size_t kMaxSteps = 512;
constexpr size_t kMaxItems = 256;  // of any other list

// Drops values that are nested deeper than any that we read.
bool NotTooDeep(int depth, json::parse_event_t, json&) { return depth < 12; }

json Parsed(absl::string_view text) {
  return json::parse(text.begin(), text.end(), NotTooDeep, /*allow_exceptions=*/false);
}

const json* Find(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::string Text(const json& value) {
  if (!value.is_string()) return "";
  return value.get_ref<const std::string&>().substr(0, kTextLimit);
}

std::string Text(const json& object, const char* key) {
  const json* value = Find(object, key);
  return value == nullptr ? "" : Text(*value);
}

bool Flag(const json& object, const char* key, bool fallback = false) {
  const json* value = Find(object, key);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : fallback;
}

int Number(const json& object, const char* key) {
  const json* value = Find(object, key);
  if (value == nullptr || !value->is_number_integer()) return 0;
  const int64_t number = value->get<int64_t>();
  return number < 0 || number > std::numeric_limits<int>::max() ? 0 : static_cast<int>(number);
}

uint64_t Unsigned(const json& object, const char* key) {
  const json* value = Find(object, key);
  return value != nullptr && value->is_number_unsigned() ? value->get<uint64_t>() : 0;
}

// The first items of a list; nothing where it is none.
template <typename F>
void ForEach(const json& object, const char* key, size_t most, F f) {
  const json* list = Find(object, key);
  if (list == nullptr || !list->is_array()) return;
  for (size_t i = 0; i < list->size() && i < most; ++i) f((*list)[i]);
}

std::vector<std::string> Texts(const json& object, const char* key) {
  std::vector<std::string> texts;
  ForEach(object, key, kMaxItems, [&](const json& item) { texts.push_back(Text(item)); });
  return texts;
}

StepStatus StatusOf(const std::string& name) {
  for (const StepStatus status : {StepStatus::kOk, StepStatus::kFailed}) {
    if (name == StatusName(status)) return status;
  }
  return StepStatus::kNotRun;
}

Device DeviceOf(const json& object) {
  Device device;
  device.uuid = Text(object, "uuid");
  device.pci_address = Text(object, "pci_address");
  device.name = Text(object, "name");
  device.compute = Text(object, "compute");
  device.memory_bytes = Unsigned(object, "memory_bytes");
  device.vendor = Text(object, "vendor");
  device.device = Text(object, "device");
  device.device_class = Text(object, "class");
  return device;
}

Step StepOf(const json& object) {
  Step step;
  step.name = Text(object, "name");
  step.variant = Text(object, "variant");
  step.way = Text(object, "way");
  step.status = StatusOf(Text(object, "status"));
  step.needed = Flag(object, "needed");
  step.why = Text(object, "why");
  step.call = Text(object, "call");
  step.exit_status = Number(object, "exit_status");
  step.signal = Number(object, "signal");
  step.timed_out = Flag(object, "timed_out");
  if (const json* seconds = Find(object, "seconds"); seconds != nullptr && seconds->is_number()) {
    step.seconds = seconds->get<double>();
  }
  step.library = Text(object, "library");
  step.messages = Texts(object, "messages");
  ForEach(object, "preload", kMaxItems, [&](const json& item) {
    step.preload.push_back({Text(item, "entry"), Text(item, "from"), Flag(item, "loaded")});
  });
  ForEach(object, "devices", kMaxItems,
          [&](const json& item) { step.devices.push_back(DeviceOf(item)); });
  return step;
}

Run RunOf(const json& object) {
  Run run;
  run.environment = Text(object, "environment");
  run.source = Text(object, "source");
  if (const json* context = Find(object, "context"); context != nullptr) {
    run.context.taken_over = Texts(*context, "taken_over");
    ForEach(*context, "not_taken_over", kMaxItems, [&](const json& item) {
      run.context.not_taken_over.push_back(
          {Text(item, "what"), Text(item, "why"), Flag(item, "matters", true)});
    });
  }
  ForEach(object, "steps", kMaxSteps, [&](const json& item) { run.steps.push_back(StepOf(item)); });
  return run;
}

}  // namespace

absl::StatusOr<Result> ParseResult(absl::string_view text) {
  const json object = Parsed(text);
  if (!object.is_object()) return absl::InvalidArgumentError("is no JSON object");
  if (Text(object, "schema") != kSchema) {
    return absl::InvalidArgumentError(absl::StrCat("its schema is not ", kSchema,
                                                   ": `vgpu-doctor verify --format json` makes "
                                                   "such a file"));
  }
  Result result;
  result.tool_version = Text(object, "tool_version");
  const json none = json::object();
  const json* host = Find(object, "host");
  result.hostname = Text(host == nullptr ? none : *host, "hostname");
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, Text(host == nullptr ? none : *host, "observed_at"),
                      &time, &error)) {
    result.observed_at = time;
  }
  const json* found = Find(object, "subject");
  const json& subject = found == nullptr ? none : *found;
  result.unit = Text(subject, "unit");
  result.pid = Number(subject, "pid");
  if (const json* started = Find(subject, "started_usec");
      started != nullptr && started->is_number_unsigned()) {
    result.started_usec = started->get<uint64_t>();
  }
  result.ollama_version = Text(subject, "ollama_version");
  const std::string era = Text(subject, "era");
  if (era == "A" || era == "B" || era == "C") result.era = era;
  result.next_start_is_the_same = Flag(object, "next_start_is_the_same");
  ForEach(object, "runs", kMaxRuns, [&](const json& item) { result.runs.push_back(RunOf(item)); });
  Conclude(result);
  return result;
}

}  // namespace vgpu::probe

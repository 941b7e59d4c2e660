#include "tools/vgpu_doctor/watch/story.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/host/host.h"
#include "diag/report/redact.h"
#include "diag/report/visible.h"
#include "nlohmann/json.hpp"

namespace vgpu::doctor {
namespace {

using nlohmann::ordered_json;

constexpr size_t kLongestText = 1024;
constexpr size_t kMostUnseen = 16;

std::string Safe(absl::string_view text) {
  return report::VisibleQuote(report::RedactSecrets(text), kLongestText);
}

std::string Words(const Sighting& sighting) {
  if (!sighting.arguments.present()) return sighting.program.value_or("?");
  return absl::StrJoin(*sighting.arguments, " ");
}

std::vector<std::string> OfGpu(const Sighting& sighting) {
  std::vector<std::string> paths;
  for (const std::string& path : sighting.libraries.value_or({})) {
    if (IsOfGpu(path)) paths.push_back(Safe(path));
  }
  return paths;
}

std::string How(const Sighting& sighting) {
  if (sighting.alive) return "lives";
  if (!sighting.status.present()) {
    return absl::StrCat("how it ended was not seen: ", sighting.status.why_not());
  }
  return StatusText(*sighting.status);
}

// systemd starts what has it for a parent; who that is in a container is 1 as well.
bool IsMain(const Sighting& sighting) { return sighting.parent == 1; }

// What follows the key `name` of a line of logfmt, in quotes or not.
absl::string_view ValueOf(absl::string_view line, absl::string_view name) {
  const size_t at = line.find(absl::StrCat(" ", name, "="));
  if (at == absl::string_view::npos) return {};
  absl::string_view value = line.substr(at + name.size() + 2);
  if (absl::ConsumePrefix(&value, "\"")) return value.substr(0, value.find('"'));
  return value.substr(0, value.find(' '));
}

ordered_json Of(const Sighting& sighting) {
  ordered_json json;
  json["pid"] = sighting.pid;
  json["parent"] = sighting.parent;
  json["program"] =
      sighting.program.present() ? ordered_json(Safe(*sighting.program)) : ordered_json();
  json["arguments"] = ordered_json();
  if (sighting.arguments.present()) {
    json["arguments"] = ordered_json::array();
    for (const std::string& word : *sighting.arguments) json["arguments"].push_back(Safe(word));
  }
  json["environment"] = ordered_json();
  if (sighting.environment.present()) {
    json["environment"] = ordered_json::array();
    for (const auto& [name, value] : *sighting.environment) {
      json["environment"].push_back(Safe(absl::StrCat(name, "=", value)));
    }
  }
  return json;
}

}  // namespace

const char* Name(Found found) {
  switch (found) {
    case Found::kGpu:
      return "gpu";
    case Found::kNoGpu:
      return "cpu";
    case Found::kNothing:
      break;
  }
  return "none";
}

Found ResultIn(absl::string_view message) {
  if (!absl::StrContains(message, "msg=\"inference compute\"")) return Found::kNothing;
  return absl::EqualsIgnoreCase(ValueOf(message, "library"), "cpu") ? Found::kNoGpu : Found::kGpu;
}

bool IsOfGpu(absl::string_view path) {
  const std::string name = absl::AsciiStrToLower(host::Basename(path));
  for (absl::string_view part : {"cuda", "nvidia", "vgpu", "ggml", "cublas", "nvml", "vulkan"}) {
    if (absl::StrContains(name, part)) return true;
  }
  return false;
}

std::vector<Unseen> NotSeenOf(const Sightings& seen) {
  std::vector<Unseen> unseen;
  const auto add = [&](const char* what, const Sighting& of, absl::string_view why) {
    if (unseen.size() < kMostUnseen) {
      unseen.push_back({absl::StrCat(what, " process ", of.pid), std::string(why)});
    }
  };
  for (const Sighting& each : seen.all()) {
    if (each.environment.not_observed()) {
      add("the environment of", each, each.environment.why_not());
    }
    if (each.libraries.not_observed()) add("the libraries of", each, each.libraries.why_not());
    if (!each.alive && each.status.not_observed()) {
      add("how it ended, of", each, each.status.why_not());
    }
  }
  if (seen.uncounted() > 0) {
    unseen.push_back({absl::StrCat(seen.uncounted(), " more processes"),
                      absl::StrCat("only the first ", Sightings::kMaxSightings, " are kept")});
  }
  return unseen;
}

void Story::Print(const std::string& line) {
  if (++lines_ > kMaxLines) return;
  print_(absl::StrCat(line, "\n"));
  if (lines_ == kMaxLines) print_(json_ ? "{\"event\":\"cut\"}\n" : "(more is not shown)\n");
}

void Story::Watching(const std::string& unit, bool running, const std::string& no_events_because) {
  if (json_) {
    ordered_json json;
    json["event"] = "watching";
    json["unit"] = Safe(unit);
    json["running"] = running;
    json["kernel_events"] = no_events_because.empty();
    json["because"] = Safe(no_events_because);
    Print(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return;
  }
  Print(absl::StrCat(
      "Watching ", Safe(unit), ", and waiting for its next start",
      running ? absl::StrCat(" (sudo systemctl restart ", Safe(unit), ", in another terminal)")
              : absl::StrCat(" (sudo systemctl start ", Safe(unit), ")"),
      ". Nothing is restarted by this."));
  if (!no_events_because.empty()) {
    Print(
        absl::StrCat("Processes are looked for every millisecond; the kernel's own news of them "
                     "is not to be had: ",
                     Safe(no_events_because)));
  }
}

void Story::Log(absl::Time time, absl::string_view message) {
  if (json_) {
    ordered_json json;
    json["event"] = "log";
    json["time"] = absl::FormatTime(absl::RFC3339_full, time, zone_);
    json["message"] = Safe(message);
    Print(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return;
  }
  Print(absl::StrCat(absl::FormatTime("%H:%M:%E3S", time, zone_), "  log      ", Safe(message)));
}

void Story::Program(const Sighting& sighting, absl::Time now) {
  if (json_) {
    ordered_json json;
    json["event"] = "program";
    json["time"] = absl::FormatTime(absl::RFC3339_full, now, zone_);
    json.update(Of(sighting));
    Print(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return;
  }
  Print(absl::StrCat(absl::FormatTime("%H:%M:%E3S", now, zone_), "  process  ", sighting.pid,
                     IsMain(sighting) ? "" : absl::StrCat(", a child of ", sighting.parent), ": ",
                     Safe(Words(sighting))));
  if (!sighting.environment.present()) {
    Print(absl::StrCat(
        "                (its environment was not seen: ", sighting.environment.why_not(), ")"));
  }
  for (const auto& [name, value] : sighting.environment.value_or({})) {
    Print(absl::StrCat("                ", Safe(absl::StrCat(name, "=", value))));
  }
}

void Story::Ended(const Sighting& sighting, absl::Time now) {
  const double lived = absl::ToDoubleSeconds(sighting.last - sighting.first);
  if (json_) {
    ordered_json json;
    json["event"] = "ended";
    json["time"] = absl::FormatTime(absl::RFC3339_full, now, zone_);
    json["pid"] = sighting.pid;
    json["lived_s"] = lived;
    json["status"] =
        sighting.status.present() ? ordered_json(StatusText(*sighting.status)) : ordered_json();
    json["libraries"] = ordered_json();
    if (sighting.libraries.present()) {
      json["libraries"] = ordered_json::array();
      for (const std::string& path : *sighting.libraries) json["libraries"].push_back(Safe(path));
    }
    Print(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return;
  }
  Print(absl::StrCat(absl::FormatTime("%H:%M:%E3S", now, zone_), "  ended    ", sighting.pid,
                     absl::StrFormat(", after about %.2f s: ", lived), How(sighting)));
  const std::vector<std::string> libraries = OfGpu(sighting);
  if (sighting.libraries.present()) {
    Print(absl::StrCat("                libraries of a GPU that it had loaded: ",
                       libraries.empty() ? "none" : absl::StrJoin(libraries, " ")));
  }
}

void Story::Summary(const Sightings& seen, Found found, const std::string& result,
                    absl::Duration watched, const std::vector<Unseen>& unseen) {
  lines_ = 0;  // a summary is always told
  if (json_) {
    ordered_json json;
    json["event"] = "summary";
    json["result"] = Name(found);
    json["line"] = result.empty() ? ordered_json() : ordered_json(Safe(result));
    json["seconds"] = absl::ToDoubleSeconds(watched);
    json["processes"] = seen.all().size() + seen.uncounted();
    json["not_observed"] = ordered_json::array();
    for (const Unseen& each : unseen) {
      json["not_observed"].push_back({{"what", Safe(each.what)}, {"why", Safe(each.why)}});
    }
    Print(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return;
  }
  Print("");
  switch (found) {
    case Found::kGpu:
      Print("Discovery has found a GPU:");
      break;
    case Found::kNoGpu:
      Print("Discovery has ended, and found no GPU:");
      break;
    case Found::kNothing:
      Print(absl::StrCat("The end of discovery was not seen in ", absl::ToInt64Seconds(watched),
                         " s."));
      break;
  }
  if (!result.empty()) Print(absl::StrCat("  ", Safe(result)));
  for (const Sighting& each : seen.all()) {
    const std::vector<std::string> libraries = OfGpu(each);
    Print(absl::StrCat("  ", each.pid, IsMain(each) ? "" : " (child)", ": ", Safe(Words(each)),
                       "; ", How(each), "; libraries of a GPU: ",
                       !each.libraries.present() ? "not seen"
                       : libraries.empty()       ? "none"
                                                 : absl::StrJoin(libraries, " ")));
  }
  if (!unseen.empty()) Print("Not seen:");
  for (const Unseen& each : unseen) {
    Print(absl::StrCat("  ", Safe(each.what), ": ", Safe(each.why)));
  }
}

}  // namespace vgpu::doctor

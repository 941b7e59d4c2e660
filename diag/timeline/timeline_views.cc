#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "diag/report/json.h"
#include "diag/report/redact.h"
#include "diag/report/version.h"
#include "diag/report/visible.h"
#include "diag/report/wrap.h"
#include "diag/timeline/timeline.h"
#include "nlohmann/json.hpp"

namespace vgpu::timeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kRed[] = "1;31";
constexpr char kGreen[] = "1;32";

std::string Shown(absl::string_view text, size_t limit) {
  return report::VisibleQuote(report::RedactSecrets(text), limit);
}

}  // namespace

std::string ToJson(const Timeline& timeline) {
  Json events = Json::array(), unseen = Json::array();
  for (size_t i = 0; i < timeline.events.size(); ++i) {
    const Happening& event = timeline.events[i];
    Json object = {{"time", report::Rfc3339(event.time, timeline.time_zone)},
                   {"what", std::string(WhatName(event.what))},
                   {"event", Shown(event.event, 4096)},
                   {"source", Shown(event.source, 1024)}};
    if (timeline.last_worked == i) object["mark"] = "last_worked";
    if (timeline.stopped == i) object["mark"] = "stopped_working";
    events.push_back(std::move(object));
  }
  for (const report::NotSeen& item : timeline.not_observed) {
    unseen.push_back(Json{{"what", Shown(item.what, 1024)},
                          {"why", Shown(item.why, 1024)},
                          {"how", Shown(item.how, 1024)}});
  }
  const auto time_of = [&](const std::optional<size_t>& index) {
    return index ? Json(report::Rfc3339(timeline.events[*index].time, timeline.time_zone))
                 : Json(nullptr);
  };
  const host::Observed<std::string> hostname = timeline.host.hostname;
  const host::Observed<absl::Time> seen = timeline.host.observed_at;
  const Json document = {
      {"schema", "vgpu-doctor.timeline/1"},
      {"tool_version", report::kToolVersion},
      {"host",
       {{"hostname", hostname.present() ? Json(Shown(*hostname, 256)) : Json(nullptr)},
        {"observed_at",
         seen.present() ? Json(report::Rfc3339(*seen, timeline.time_zone)) : Json(nullptr)},
        {"source", timeline.host.source}}},
      {"unit", timeline.unit.empty() ? Json(nullptr) : Json(Shown(timeline.unit, 256))},
      {"headline", timeline.Headline()},
      {"last_worked", time_of(timeline.last_worked)},
      {"stopped_working", time_of(timeline.stopped)},
      {"events", std::move(events)},
      {"left_out", timeline.left_out},
      {"not_observed", std::move(unseen)},
  };
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string ToText(const Timeline& timeline, const report::TextStyle& style) {
  const size_t width = static_cast<size_t>(std::max(style.width, 40));
  const auto painted = [&](absl::string_view text, absl::string_view sgr) {
    return style.color ? absl::StrCat("\x1b[", sgr, "m", text, "\x1b[0m") : std::string(text);
  };
  const auto safe = [&](absl::string_view text) {
    const std::string shown = Shown(text, 1024);
    return style.utf8 ? shown : report::AsciiOnly(shown);
  };
  std::string out = report::Hang("", timeline.Headline(), width);
  if (timeline.left_out > 0) {
    absl::StrAppend(&out, report::Hang("",
                                       absl::StrCat("The oldest ", timeline.left_out,
                                                    " events are left out: --since chooses."),
                                       width));
  }
  absl::StrAppend(&out, "\n");
  std::string day;
  for (size_t i = 0; i < timeline.events.size(); ++i) {
    const Happening& event = timeline.events[i];
    const std::string date = absl::FormatTime("%Y-%m-%d", event.time, timeline.time_zone);
    if (date != day) {
      absl::StrAppend(&out, day.empty() ? "" : "\n",
                      absl::FormatTime("%Y-%m-%d (%a, %Ez)", event.time, timeline.time_zone), "\n");
      day = date;
    }
    if (timeline.stopped == i) {
      absl::StrAppend(&out, painted("  ======== IT STOPPED WORKING ========", kRed), "\n");
    }
    const std::string lead =
        absl::StrCat("  ", absl::FormatTime("%H:%M:%S", event.time, timeline.time_zone), "  ");
    absl::StrAppend(
        &out, report::Hang(lead, safe(event.event), width),
        report::Hang("            ", absl::StrCat("(", safe(event.source), ")"), width));
    if (timeline.last_worked == i) {
      absl::StrAppend(&out, painted("  -------- it worked up to here --------", kGreen), "\n");
    }
  }
  if (!timeline.not_observed.empty()) absl::StrAppend(&out, "\nNot observed\n");
  for (const report::NotSeen& item : timeline.not_observed) {
    absl::StrAppend(&out,
                    report::Hang("  - ",
                                 absl::StrCat(safe(item.what), ": ", safe(item.why),
                                              item.how.empty() ? "" : "; try: ", safe(item.how)),
                                 width));
  }
  return out;
}

}  // namespace vgpu::timeline

#include "diag/report/brief.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/report/phrases.h"
#include "diag/rules/catalogue.h"

namespace vgpu::report {
namespace {

// Of a time line that no root cause names anything of.
constexpr size_t kFewEvents = 4;
// What parts the ways of diag/rules/shared/by_hand.h.
constexpr std::pair<absl::string_view, absl::string_view> kParts[] = {
    {"; or by hand: ", "or by hand"}, {", and beside it ", "and beside it"}};

// "VG201" and "VG202".
bool Follows(absl::string_view code, absl::string_view before) {
  uint32_t a = 0, b = 0;  // which may run over
  return absl::StartsWith(code, "VG") && absl::StartsWith(before, "VG") &&
         absl::SimpleAtoi(before.substr(2), &a) && absl::SimpleAtoi(code.substr(2), &b) &&
         b == a + 1;
}

bool IsNamed(const Event& event, const Report& report) {
  for (const Item& cause : report.root_causes) {
    for (const rules::Evidence& evidence : cause.evidence) {
      if (evidence.source.empty()) continue;
      if (event.source == Place(evidence)) return true;
      // "/etc/x.conf was written".
      if (absl::StartsWith(evidence.source, "/") &&
          absl::StartsWith(event.event, absl::StrCat(evidence.source, " "))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::string EvidenceGroup::Place() const {
  std::vector<int> lines;
  for (const rules::Evidence* piece : pieces) {
    if (piece->line > 0) lines.push_back(piece->line);
  }
  if (lines.size() < 2) return report::Place(*pieces.front());
  return absl::StrCat(pieces.front()->source, ", lines ", absl::StrJoin(lines, ", "));
}

std::vector<absl::string_view> EvidenceGroup::Quotes() const {
  std::vector<absl::string_view> quotes;
  for (const rules::Evidence* piece : pieces) {
    if (!piece->quote.empty() &&
        std::find(quotes.begin(), quotes.end(), piece->quote) == quotes.end())
      quotes.push_back(piece->quote);
  }
  return quotes;
}

std::vector<EvidenceGroup> GroupEvidence(const std::vector<rules::Evidence>& evidence) {
  std::vector<EvidenceGroup> groups;
  for (const rules::Evidence& piece : evidence) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const EvidenceGroup& group) {
      const rules::Evidence& first = *group.pieces.front();
      return !piece.meaning.empty() && !piece.quote.empty() && !first.quote.empty() &&
             first.meaning == piece.meaning && first.source == piece.source &&
             (first.line > 0) == (piece.line > 0);
    });
    if (same == groups.end()) {
      groups.push_back({{&piece}});
    } else {
      same->pieces.push_back(&piece);
    }
  }
  return groups;
}

bool Quoted::Add(const rules::Evidence& evidence) {
  return pieces_.emplace(evidence.source, evidence.line, evidence.quote).second;
}

std::vector<RuledOutLayer> RuledOutByLayer(const Report& report) {
  std::map<int, std::vector<absl::string_view>> layers;
  for (const RuledOut& out : report.ruled_out) layers[LayerOf(out.code)].push_back(out.code);
  std::vector<RuledOutLayer> result;
  for (auto& [layer, codes] : layers) {
    std::sort(codes.begin(), codes.end());
    std::string text;
    for (size_t begin = 0; begin < codes.size();) {
      size_t last = begin;
      while (last + 1 < codes.size() && Follows(codes[last + 1], codes[last])) ++last;
      // Two are no range.
      if (last == begin + 1) last = begin;
      absl::StrAppend(&text, text.empty() ? "" : ", ", codes[begin],
                      last > begin ? absl::StrCat("-", codes[last]) : "");
      begin = last + 1;
    }
    result.push_back({layer == 0 ? "others" : rules::LayerTitle(layer), std::move(text)});
  }
  return result;
}

std::vector<NotSeenGroup> GroupNotSeen(const Report& report) {
  const bool certain = !report.root_causes.empty() &&
                       report.root_causes.front().confidence == rules::Confidence::kCertain;
  std::vector<NotSeenGroup> groups;
  for (const NotSeen& not_seen : report.not_observed) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const NotSeenGroup& group) {
      const bool one_way = certain && !not_seen.how.empty();
      return group.how == not_seen.how && !not_seen.why.empty() &&
             (one_way || group.why == not_seen.why);
    });
    if (same == groups.end()) {
      groups.push_back({.what = not_seen.what, .why = not_seen.why, .how = not_seen.how});
      continue;
    }
    absl::StrAppend(&same->what, "; ", not_seen.what);
    if (!absl::StrContains(same->why, not_seen.why)) {
      absl::StrAppend(&same->why, "; ", not_seen.why);
    }
  }
  return groups;
}

NotSeenInBrief BriefNotSeen(const Report& report, size_t from) {
  NotSeenInBrief brief;
  for (size_t i = from; i < report.not_observed.size(); ++i) {
    const NotSeen& not_seen = report.not_observed[i];
    const absl::string_view how = Ways(not_seen.how).front().text;
    std::string* what = &brief.others;
    if (IsCommand(how) && absl::StrContains(how, "vgpu-doctor ")) {
      auto same = std::find_if(brief.by_doctor.begin(), brief.by_doctor.end(),
                               [&](const NotSeenGroup& group) { return group.how == how; });
      if (same == brief.by_doctor.end()) {
        same = brief.by_doctor.insert(same, {.what = "", .why = "", .how = std::string(how)});
      }
      what = &same->what;
    }
    absl::StrAppend(what, what->empty() ? "" : "; ", not_seen.what);
  }
  return brief;
}

std::vector<Way> Ways(absl::string_view how) {
  std::vector<Way> ways;
  absl::string_view lead;
  for (const auto& [between, next_lead] : kParts) {
    const size_t at = how.find(between);
    if (at == absl::string_view::npos) continue;
    ways.push_back({lead, how.substr(0, at)});
    how.remove_prefix(at + between.size());
    lead = next_lead;
  }
  ways.push_back({lead, how});
  return ways;
}

std::vector<const Event*> EventsNearRootCauses(const Report& report) {
  std::vector<const Event*> near;
  for (const Event& event : report.timeline) {
    if (report.timeline.size() <= kFewEvents || IsNamed(event, report)) near.push_back(&event);
  }
  if (near.empty() && !report.timeline.empty()) {
    for (size_t i = report.timeline.size() - kFewEvents; i < report.timeline.size(); ++i) {
      near.push_back(&report.timeline[i]);
    }
  }
  return near;
}

std::string OfSeveralCauses(const Report& report) {
  const size_t count = report.root_causes.size();
  if (count < 2) return "";
  std::set<std::string> restarted;
  size_t restarts = 0;
  for (const Item& cause : report.root_causes) {
    for (const rules::FixStep& step : cause.fix) {
      const auto* restart = std::get_if<rules::Restart>(&step.action);
      if (restart == nullptr) continue;
      ++restarts;
      restarted.insert(restart->unit);
    }
  }
  return absl::StrCat("Repair ", count == 2 ? "both" : absl::StrCat("all ", count),
                      " root causes: what shows that one repair worked may come only after the "
                      "last.",
                      restarts > 1 && restarted.size() == 1
                          ? " One restart, after the last change, is enough."
                          : "");
}

std::vector<std::pair<std::string, std::string>> InBrief(const Report& report) {
  std::map<std::string, std::string> all;
  for (auto& [label, text] : WhoWasJudged(report)) all.emplace(label, text);
  // What is not known of a log's host is no news.
  std::vector<std::string> host;
  if (report.host.hostname.present()) host.push_back(all["Host"]);
  if (report.host.observed_at.present()) host.push_back(all["Time"]);
  const std::string source = absl::StrCat("(", all["Source"], ")");
  // What tells the era is for one who doubts it.
  std::string ollama = all["Ollama"];
  if (const std::string& because = report.subject.era_because; !because.empty())
    ollama.resize(ollama.size() - because.size() - 2);
  return {
      {"Host", host.empty() ? all["Source"] : absl::StrCat(absl::StrJoin(host, ", "), " ", source)},
      {"Service", all["Service"]},
      {"Ollama", ollama}};
}

}  // namespace vgpu::report

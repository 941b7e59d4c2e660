#include "diag/report/fleet.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/report/redact.h"
#include "diag/report/shown.h"
#include "diag/report/visible.h"
#include "diag/rules/catalogue.h"

namespace vgpu::report {
namespace {

// Of a quote: longer ones that begin alike and are equally long count as the same.
constexpr size_t kLongestQuote = 800;
constexpr size_t kLongestRoot = 4096;
// Exit codes that are no verdict (report.md).
constexpr int kUnreadable = 2;
constexpr int kFault = 70;

std::string Safe(absl::string_view text) { return VisibleQuote(RedactSecrets(text), kLongestRoot); }

// What a row needs, and nothing else has to be made safe.
Report Reduced(const Report& report) {
  Report small;
  small.host.hostname = report.host.hostname;
  small.subject.unit = report.subject.unit;
  small.subject.pid = report.subject.pid;
  small.subject.ollama_version = report.subject.ollama_version;
  small.subject.era = report.subject.era;
  small.verdict = report.verdict;
  small.headline = report.headline;
  for (const Item& item : report.root_causes) {
    small.root_causes.push_back(
        {.code = item.code, .confidence = item.confidence, .evidence = item.evidence});
  }
  for (const Item& item : report.latent) small.latent.push_back({.code = item.code});
  return Shown(small, {.quote_bytes = kLongestQuote});
}

std::vector<std::string> Codes(const std::vector<Item>& items) {
  std::vector<std::string> codes;
  for (const Item& item : items) {
    if (std::find(codes.begin(), codes.end(), item.code) == codes.end()) codes.push_back(item.code);
  }
  return codes;
}

// The process that is judged has another number on each host.
std::string WithoutPid(const std::string& source, const host::Observed<int>& pid) {
  if (!pid.present()) return source;
  const std::string own = absl::StrCat("/proc/", *pid);
  if (source == own) return "/proc/PID";
  return absl::StrReplaceAll(source, {{absl::StrCat(own, "/"), "/proc/PID/"}});
}

std::string WithoutPidOfProcess(const std::string& headline, const host::Observed<int>& pid) {
  if (!pid.present()) return headline;
  return absl::StrReplaceAll(headline, {{absl::StrCat("process ", *pid), "process PID"},
                                        {absl::StrCat("Process ", *pid), "Process PID"}});
}

// What is the surest of a code's items: that of the first is not always.
rules::Confidence Surest(const std::vector<Item>& items, absl::string_view code) {
  rules::Confidence surest = rules::Confidence::kPossible;
  for (const Item& item : items) {
    if (item.code != code) continue;
    if (item.confidence == rules::Confidence::kCertain) return item.confidence;
    if (item.confidence == rules::Confidence::kLikely) surest = item.confidence;
  }
  return surest;
}

template <typename Counts>
std::vector<FleetCause> ByCount(const Counts& counts) {
  std::vector<FleetCause> causes;
  for (const auto& [code, count] : counts) {
    const rules::CatalogueEntry* entry = rules::FindCode(code);
    causes.push_back({.code = code,
                      .id = entry == nullptr ? "" : std::string(entry->id),
                      .title = entry == nullptr ? "" : std::string(entry->title),
                      .hosts = count.hosts,
                      .certain = count.certain,
                      .likely = count.likely});
  }
  std::stable_sort(causes.begin(), causes.end(),
                   [](const FleetCause& a, const FleetCause& b) { return a.hosts > b.hosts; });
  return causes;
}

// The worst first; a fault of vgpu-doctor and what could not be read ask for a person too.
constexpr const char* kOrder[] = {"problem", "fault", "unreadable", "inconclusive", "healthy"};

size_t Place(const char* verdict) {
  return static_cast<size_t>(
      std::find(std::begin(kOrder), std::end(kOrder), absl::string_view(verdict)) -
      std::begin(kOrder));
}

}  // namespace

absl::string_view NameOf(const FleetHost& host) {
  return host.hostname.empty() ? host.root : host.hostname;
}

const char* VerdictOf(const FleetHost& host) {
  if (host.verdict) return VerdictName(*host.verdict);
  return host.fault ? "fault" : "unreadable";
}

size_t Fleet::Count(absl::string_view verdict) const {
  return static_cast<size_t>(std::count_if(hosts.begin(), hosts.end(), [&](const FleetHost& host) {
    return VerdictOf(host) == verdict;
  }));
}

int ExitCode(const Fleet& fleet) {
  const auto rank = [](const FleetHost& host) -> std::pair<int, int> {
    if (host.fault) return {4, kFault};
    if (!host.verdict) return {3, kUnreadable};
    const int code = ExitCode(*host.verdict);
    return {*host.verdict == Verdict::kProblem ? 2 : *host.verdict == Verdict::kInconclusive, code};
  };
  std::pair<int, int> worst = {0, 0};
  for (const FleetHost& host : fleet.hosts) worst = std::max(worst, rank(host));
  return worst.second;
}

void FleetCollector::Add(absl::string_view root, const Report& report) {
  const Report shown = Reduced(report);
  hosts_.push_back({.root = Safe(root),
                    .hostname = shown.host.hostname.value_or(""),
                    .verdict = shown.verdict,
                    .headline = shown.headline,
                    .alike = WithoutPidOfProcess(shown.headline, shown.subject.pid),
                    .causes = Codes(shown.root_causes),
                    .latent = Codes(shown.latent),
                    .unit = shown.subject.unit,
                    .ollama_version = shown.subject.ollama_version.value_or(""),
                    .era = shown.subject.era});
  FleetHost& host = hosts_.back();
  for (const std::string& code : host.causes) {
    host.confidence.push_back(Surest(shown.root_causes, code));
    Count& count = causes_[code];
    ++count.hosts;
    count.certain += host.confidence.back() == rules::Confidence::kCertain;
    count.likely += host.confidence.back() == rules::Confidence::kLikely;
  }
  for (const std::string& code : hosts_.back().latent) ++latent_[code].hosts;
  CountPieces(shown);
}

void FleetCollector::AddUnreadable(absl::string_view root, absl::string_view why) {
  hosts_.push_back({.root = Safe(root), .headline = Safe(why), .alike = Safe(why)});
}

void FleetCollector::AddFault(absl::string_view root, absl::string_view why) {
  hosts_.push_back({.root = Safe(root), .fault = true, .headline = Safe(why), .alike = Safe(why)});
}

void FleetCollector::CountPieces(const Report& shown) {
  const Subject& subject = shown.subject;
  const std::pair<const char*, std::string> values[] = {
      {"ollama_version", subject.ollama_version.value_or("")},
      {"era", subject.era == "unknown" ? "" : subject.era},
      {"unit", subject.unit}};
  for (const auto& [what, value] : values) {
    if (!value.empty()) ++pieces_[{"", what, "", value}].hosts;
  }
  // Each once of a host, however often its report says it.
  std::set<Piece> counted;
  for (const Item& item : shown.root_causes) {
    for (const rules::Evidence& evidence : item.evidence) {
      Piece piece = {item.code, "evidence", WithoutPid(evidence.source, subject.pid),
                     evidence.quote};
      if (!counted.insert(piece).second) continue;
      Seen& seen = pieces_[std::move(piece)];
      if (seen.hosts++ == 0 || evidence.meaning < seen.meaning) seen.meaning = evidence.meaning;
    }
  }
}

std::vector<FleetShared> FleetCollector::Shared(const std::vector<FleetCause>& causes) const {
  // By their place in the result: all hosts, then each cause.
  std::map<std::string, std::pair<size_t, size_t>> of;  // code: place, how many hosts
  of[""] = {
      0, static_cast<size_t>(std::count_if(hosts_.begin(), hosts_.end(), [](const FleetHost& host) {
        return host.verdict.has_value();
      }))};
  for (const FleetCause& cause : causes) of[cause.code] = {of.size(), cause.hosts};
  std::vector<FleetShared> shared;
  for (const auto& [piece, seen] : pieces_) {
    const auto& [code, what, source, quote] = piece;
    const size_t all = of[code].second;
    if (seen.hosts < 2 || seen.hosts * 2 <= all) continue;
    shared.push_back({code, what, source, quote, seen.meaning, seen.hosts, all});
  }
  std::stable_sort(shared.begin(), shared.end(), [&](const FleetShared& a, const FleetShared& b) {
    const size_t place_a = of[a.code].first, place_b = of[b.code].first;
    return place_a != place_b ? place_a < place_b : a.hosts > b.hosts;
  });
  return shared;
}

Fleet FleetCollector::Finish() && {
  Fleet fleet;
  fleet.causes = ByCount(causes_);
  fleet.latent = ByCount(latent_);
  fleet.shared = Shared(fleet.causes);
  std::map<std::string, size_t> place;
  for (const FleetCause& cause : fleet.causes) place.emplace(cause.code, place.size());
  const auto key = [&](const FleetHost& host) {
    std::vector<size_t> causes;
    for (const std::string& code : host.causes) causes.push_back(place[code]);
    return std::make_tuple(Place(VerdictOf(host)), std::move(causes), NameOf(host),
                           absl::string_view(host.root), absl::string_view(host.headline));
  };
  std::sort(hosts_.begin(), hosts_.end(),
            [&](const FleetHost& a, const FleetHost& b) { return key(a) < key(b); });
  fleet.hosts = std::move(hosts_);
  return fleet;
}

}  // namespace vgpu::report

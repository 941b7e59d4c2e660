#include "diag/baseline/explain.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/baseline/seal.h"
#include "diag/report/visible.h"

namespace vgpu::baseline {
namespace {

using Strings = std::vector<std::string>;
using How = Change::How;

// A difference that can be the reason of a cause that holds now stands above every one that cannot;
// of one that acts after the next start, in between.
constexpr int kOfRootCause = 200;
constexpr int kOfLatent = 100;
// One all of whose causes the evidence of the present host contradicts explains nothing.
constexpr int kOfNothing = -100;
constexpr int kUnseen = -1000;

bool Has(const std::vector<absl::string_view>& codes, absl::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::vector<absl::string_view> CausesOf(const Change& change) {
  return change.kind->Causes(change.how == How::kAdded);
}

bool MayCauseOneOf(const Change& change, const std::vector<report::Item>& items) {
  const std::vector<absl::string_view> causes = CausesOf(change);
  return std::any_of(items.begin(), items.end(),
                     [&](const report::Item& item) { return Has(causes, item.code); });
}

int Weight(const Change& change, const report::Report& report,
           const std::set<std::string>& contradicted) {
  int weight = change.kind->weight;
  if (change.how == How::kNotObserved) weight += kUnseen;
  if (MayCauseOneOf(change, report.root_causes)) return weight + kOfRootCause;
  if (MayCauseOneOf(change, report.latent)) return weight + kOfLatent;
  const std::vector<absl::string_view> causes = CausesOf(change);
  const bool explains_nothing =
      !causes.empty() && std::all_of(causes.begin(), causes.end(), [&](absl::string_view code) {
        return contradicted.count(std::string(code)) != 0;
      });
  return explains_nothing ? weight + kOfNothing : weight;
}

void AddLikely(const std::vector<report::Item>& items, bool latent, Diff& diff) {
  for (const report::Item& item : items) {
    LikelyCause cause{item.code, item.id, item.title, item.confidence, latent, {}};
    for (const Explained& explained : diff.changes) {
      const Change& change = explained.change;
      if (change.how != How::kNotObserved && Has(CausesOf(change), item.code)) {
        cause.because.push_back(change.key);
      }
    }
    if (!cause.because.empty()) diff.likely_causes.push_back(std::move(cause));
  }
}

std::string Quoted(const Value& value) {
  return absl::StrCat("\"", report::VisibleQuote(ValueText(value), 100), "\"");
}

std::string Items(const Strings& items) {
  if (items.size() > 3) return absl::StrCat(items.size(), " entries");
  return absl::StrJoin(items, " and ");
}

bool IsOpaque(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && HasSeal(*text);
}

std::string Sentence(const Change& change) {
  switch (change.how) {
    case How::kMissing:
      return absl::StrCat("it was ", Quoted(*change.before), " and is not there");
    case How::kAdded:
      return absl::StrCat("it was not there and is ", Quoted(*change.now));
    case How::kReordered:
      return "the same entries stand in another order";
    case How::kNotObserved:
      return absl::StrCat("it was not observed this time (", change.now.why_not(), ")");
    case How::kChanged:
      break;
  }
  Strings parts;
  if (!change.items_missing.empty()) {
    parts.push_back(absl::StrCat(Items(change.items_missing), change.items_missing.size() == 1
                                                                  ? " is missing"
                                                                  : " are missing"));
  }
  if (!change.items_added.empty()) {
    parts.push_back(absl::StrCat(Items(change.items_added),
                                 change.items_added.size() == 1 ? " was added" : " were added"));
  }
  if (!parts.empty()) return absl::StrJoin(parts, ", and ");
  // Two seals or checksums tell a person no more than that.
  if (IsOpaque(*change.before) || absl::EndsWith(change.kind->pattern, ".content")) {
    return "it is not what it was";
  }
  return absl::StrCat("it was ", Quoted(*change.before), " and is ", Quoted(*change.now));
}

std::string Headline(const Diff& diff, const report::Report& report) {
  const std::string name = diff.name.empty() ? "the baseline" : absl::StrCat("\"", diff.name, "\"");
  // What holds on this host, whatever differs.
  std::string faults;
  for (const report::Item& cause : report.root_causes) {
    absl::StrAppend(&faults, faults.empty() ? " (" : "; ", cause.code, ": ", cause.title);
  }
  if (!faults.empty()) faults += "; `vgpu-doctor check` tells more)";
  switch (diff.verdict) {
    case DiffVerdict::kSame:
      if (!diff.verified) {
        return absl::StrCat("Nothing differs from ", name,
                            ", and that state was never seen to work: to be the same as it is no "
                            "health",
                            faults, ".");
      }
      return absl::StrCat("Nothing that makes up the working state differs from ", name,
                          faults.empty() ? "" : ", and something is wrong all the same", faults,
                          ".");
    case DiffVerdict::kInconclusive:
      if (diff.changes.empty()) return absl::StrCat("Nothing could be compared with ", name, ".");
      return absl::StrCat("Nothing that was seen differs from ", name,
                          "; not seen this time: ", diff.changes.front().change.What(), " (",
                          diff.changes.front().change.now.why_not(), ").");
    case DiffVerdict::kDrift:
      break;
  }
  const Change& first = diff.changes.front().change;
  if (diff.changes.front().may_cause.empty() && !CausesOf(first).empty()) {
    return absl::StrCat("Nothing on this host shows harm of what differs, ", first.What(), ": ",
                        Sentence(first), faults.empty() ? "" : ". What is wrong has no difference",
                        faults, ".");
  }
  std::string text = absl::StrCat("Look at ", first.What(), ": ", Sentence(first));
  if (!diff.likely_causes.empty() && !diff.likely_causes.front().latent &&
      diff.likely_causes.front().because.front() == first.key) {
    absl::StrAppend(&text, " (", diff.likely_causes.front().code, ": ",
                    diff.likely_causes.front().title, ")");
  }
  return absl::StrCat(text, ".");
}

}  // namespace

const char* DiffVerdictName(DiffVerdict verdict) {
  switch (verdict) {
    case DiffVerdict::kSame:
      return "same";
    case DiffVerdict::kDrift:
      return "drift";
    case DiffVerdict::kInconclusive:
      return "inconclusive";
  }
  return "";
}

int ExitCode(DiffVerdict verdict) {
  return verdict == DiffVerdict::kSame ? 0 : verdict == DiffVerdict::kDrift ? 1 : 3;
}

size_t Diff::Differences() const {
  return static_cast<size_t>(std::count_if(
      changes.begin(), changes.end(),
      [](const Explained& explained) { return explained.change.how != How::kNotObserved; }));
}

std::string ValueText(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return absl::StrCat(*number);
  return absl::StrJoin(std::get<Strings>(value), ":");
}

int Distance(const Comparison& comparison) {
  int distance = 0;
  for (const Change& change : comparison.changes) {
    if (change.how != How::kNotObserved) distance += 1 + change.kind->weight;
  }
  return distance;
}

Diff Explain(const Snapshot& baseline, Comparison comparison, const report::Report& report) {
  Diff diff;
  diff.name = baseline.name;
  diff.captured_at = baseline.captured_at;
  diff.time_zone = baseline.time_zone;
  diff.verified = baseline.verified;
  diff.because = baseline.because;
  diff.host = report.host;
  diff.host_zone = report.time_zone;
  diff.unit = report.subject.unit;
  diff.same = comparison.same;
  diff.not_compared = std::move(comparison.not_compared);

  std::set<std::string> contradicted;
  for (const report::RuledOut& out : report.ruled_out) contradicted.insert(out.code);
  std::stable_sort(comparison.changes.begin(), comparison.changes.end(),
                   [&](const Change& a, const Change& b) {
                     return Weight(a, report, contradicted) > Weight(b, report, contradicted);
                   });
  for (Change& change : comparison.changes) {
    Explained explained;
    for (absl::string_view code : CausesOf(change)) {
      if (contradicted.count(std::string(code)) == 0) explained.may_cause.emplace_back(code);
    }
    explained.change = std::move(change);
    diff.changes.push_back(std::move(explained));
  }
  AddLikely(report.root_causes, false, diff);
  AddLikely(report.latent, true, diff);
  diff.verdict = diff.Differences() > 0                  ? DiffVerdict::kDrift
                 : diff.changes.empty() && diff.same > 0 ? DiffVerdict::kSame
                                                         : DiffVerdict::kInconclusive;
  diff.headline = Headline(diff, report);
  return diff;
}

}  // namespace vgpu::baseline

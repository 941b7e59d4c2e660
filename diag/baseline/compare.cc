#include "diag/baseline/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "diag/baseline/seal.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;
using Strings = std::vector<std::string>;

// A program that did not know the key yet wrote the snapshot, or nobody looked.
constexpr char kNotSaid[] = "it does not say";

// Why values of some kinds say nothing about this host.
struct Foreign {
  bool machine = false;
  bool profile = false;
  bool version = false;
  bool era = false;
  bool unit = false;
  bool seals = false;

  const char* Of(const Kind& kind) const {
    if (machine && kind.Is(kPerMachine)) return "what belongs to one machine alone";
    if (profile && kind.Is(kPerProfile)) return "what belongs to one kind of device alone";
    if (era && kind.Is(kPerEra)) return "what one era of Ollama does";
    if (version && kind.Is(kPerVersion)) return "files of one version of Ollama";
    if (unit && kind.Is(kPerUnit)) return "paths of a unit of another name";
    return nullptr;
  }
};

bool BothAndOther(const Observed<std::string>& a, const Observed<std::string>& b) {
  return a.present() && b.present() && *a != *b;
}

std::string Words(const Observed<std::string>& text) { return text.value_or("unknown"); }

std::string WhyNoSeals(const Snapshot& before, const Snapshot& now) {
  if (before.seal_check.empty()) {
    return "the machine's id was not known when the baseline was taken";
  }
  if (!now.seal_check.empty()) return "a seal can be compared on the machine that made it";
  // A capture carries what seals of the present form are made of.
  return before.seal_form == 1
             ? "they are of an old form, which only the machine itself can compare: save the "
               "baseline again"
             : "the machine's id is not known (/etc/machine-id), and the capture, if it is one, "
               "carries no seals";
}

Foreign Heads(const Snapshot& before, const Snapshot& now, std::vector<NotCompared>& out) {
  Foreign foreign;
  // The check is made of the machine's id, where that is known.
  const bool checks = !before.seal_check.empty() && !now.seal_check.empty();
  foreign.seals = !checks || before.seal_check != now.seal_check;
  foreign.machine = (checks && foreign.seals) || BothAndOther(before.hostname, now.hostname);
  foreign.profile = BothAndOther(before.profile, now.profile);
  foreign.version = BothAndOther(before.ollama_version, now.ollama_version);
  foreign.era = before.era != "unknown" && now.era != "unknown" && before.era != now.era;
  foreign.unit = !before.unit.empty() && !now.unit.empty() && before.unit != now.unit;
  const auto say = [&](bool is, absl::string_view what, std::string why) {
    if (is) out.push_back({std::string(what), std::move(why)});
  };
  say(foreign.machine, "ids, addresses and group numbers",
      absl::StrCat("the baseline is of another machine or installation (", Words(before.hostname),
                   ", and this is ", Words(now.hostname), ")"));
  say(foreign.seals, "values that the baseline holds sealed", WhyNoSeals(before, now));
  say(foreign.profile, "what the device's profile decides (name, memory, PCI ids)",
      absl::StrCat("the baseline is of a device ", Words(before.profile), ", and this one is ",
                   Words(now.profile)));
  say(foreign.version, "the files that come with Ollama",
      absl::StrCat("the baseline is of Ollama ", Words(before.ollama_version), ", and this is ",
                   Words(now.ollama_version)));
  say(foreign.era, "how discovery runs",
      absl::StrCat("the baseline is of era ", before.era, ", and this is era ", now.era));
  say(foreign.unit, "paths of the unit's files",
      absl::StrCat("the baseline is of ", before.unit, ", and this is ", now.unit));
  return foreign;
}

bool Fits(absl::string_view key, absl::string_view pattern) {
  const size_t star = pattern.find('*');
  return star != absl::string_view::npos && key.size() + 1 >= pattern.size() &&
         absl::StartsWith(key, pattern.substr(0, star)) &&
         absl::EndsWith(key, pattern.substr(star + 1));
}

// A key of `kind` is a property of what a key with this pattern names: whoever looked for all
// libraries may not have known of a property of theirs.
bool IsPropertyOf(const Kind& kind, absl::string_view pattern) {
  for (const Kind* step = &kind; step != nullptr && !step->parent.empty();
       step = FindKind(step->parent)) {
    if (step->parent == pattern) return true;
  }
  return false;
}

// What a snapshot says about a key that it may not have. Whoever looked for all variables has
// looked for LD_PRELOAD.
Observed<Value> ValueOf(const Snapshot& snapshot, const std::string& key, const Kind& kind) {
  if (auto it = snapshot.entries.find(key); it != snapshot.entries.end()) return it->second.value;
  const Observed<bool>* looked = nullptr;
  size_t longest = 0;
  for (const auto& [pattern, answer] : snapshot.looked) {
    if (pattern.size() < longest || !Fits(key, pattern) || IsPropertyOf(kind, pattern)) continue;
    looked = &answer;
    longest = pattern.size();
  }
  if (looked == nullptr) return NotObserved{kNotSaid};
  if (looked->present()) return Absent{};
  return NotObserved{std::string(looked->why_not())};
}

bool Sealed(const Observed<Value>& value) {
  if (!value.present()) return false;
  if (const auto* text = std::get_if<std::string>(&*value)) return HasSeal(*text);
  if (const auto* items = std::get_if<Strings>(&*value)) {
    return std::any_of(items->begin(), items->end(),
                       [](const auto& item) { return HasSeal(item); });
  }
  return false;
}

bool Within(double before, double now, const Kind& kind) {
  return std::abs(now - before) <= std::max(kind.absolute, kind.relative * std::abs(before));
}

// Nothing: both are the same.
std::optional<Change> ChangeOf(const Observed<Value>& before, const Observed<Value>& now,
                               const Kind& kind) {
  Change change;
  change.kind = &kind;
  change.before = before;
  change.now = now;
  if (before.not_observed()) return std::nullopt;
  if (now.not_observed()) {
    if (kind.Is(kQuiet) || (before.absent() && !kind.Is(kAbsenceCounts))) return std::nullopt;
    change.how = Change::How::kNotObserved;
    return change;
  }
  if (before.absent() && now.absent()) return std::nullopt;
  if (before.absent()) {
    if (kind.Is(kNeverAdded)) return std::nullopt;
    change.how = Change::How::kAdded;
    if (const auto* items = std::get_if<Strings>(&*now)) change.items_added = *items;
    return change;
  }
  if (now.absent()) {
    change.how = Change::How::kMissing;
    if (const auto* items = std::get_if<Strings>(&*before)) change.items_missing = *items;
    return change;
  }
  if (*before == *now) return std::nullopt;
  const auto* was = std::get_if<double>(&*before);
  const auto* is = std::get_if<double>(&*now);
  if (was != nullptr && is != nullptr && Within(*was, *is, kind)) return std::nullopt;
  const auto* old_items = std::get_if<Strings>(&*before);
  const auto* new_items = std::get_if<Strings>(&*now);
  if (old_items != nullptr && new_items != nullptr) {
    ListDifference difference = Differ(*old_items, *new_items);
    if (difference.added.empty() && difference.missing.empty()) {
      change.how = Change::How::kReordered;
    }
    change.items_added = std::move(difference.added);
    change.items_missing = std::move(difference.missing);
  }
  return change;
}

void Locate(const Snapshot& before, const Snapshot& now, Change& change) {
  for (const Snapshot* snapshot : {&now, &before}) {
    const auto it = snapshot->entries.find(change.key);
    if (it == snapshot->entries.end() || it->second.source.empty()) continue;
    change.source = it->second.source;
    change.line = it->second.line;
    return;
  }
}

using Changes = std::map<std::string, Change>;

// Whether something differs that decides what a key of this kind has.
bool IsDerived(const Changes& changes, const Kind& kind) {
  for (absl::string_view beginning : absl::StrSplit(kind.derived_from, ' ', absl::SkipEmpty())) {
    for (const auto& [key, change] : changes) {
      if (change.how != Change::How::kNotObserved && change.kind->derived_from.empty() &&
          absl::StartsWith(key, beginning)) {
        return true;
      }
    }
  }
  return false;
}

// Whether the change at `key` follows from another one.
bool Follows(const Changes& changes, const std::string& key, const Change& change) {
  const Kind& kind = *change.kind;
  std::string ancestor = key;
  for (const Kind* step = &kind; step != nullptr && !step->parent.empty();) {
    ancestor = step->Fill(step->parent, ancestor);
    const auto it = changes.find(ancestor);
    // An observed difference does not follow from one that was not observed.
    if (it != changes.end() &&
        (it->second.how != Change::How::kNotObserved || change.how == Change::How::kNotObserved)) {
      return true;
    }
    step = FindKind(ancestor);
  }
  // A unit that is not there sets nothing.
  if (absl::StartsWith(key, "unit.") && key != "unit.load_state") {
    const auto it = changes.find("unit.load_state");
    if (it != changes.end() && it->second.how == Change::How::kMissing) return true;
  }
  if (IsDerived(changes, kind)) return true;
  if (!kind.echo_of.empty()) {
    const auto it = changes.find(kind.Fill(kind.echo_of, key));
    if (it != changes.end() && it->second.how == change.how && it->second.now == change.now &&
        it->second.before == change.before) {
      return true;
    }
  }
  return false;
}

// Several of one kind that were not observed become one.
void Gather(std::vector<Change>& changes) {
  std::map<const Kind*, size_t> unseen;
  for (const Change& change : changes) {
    if (change.how == Change::How::kNotObserved) ++unseen[change.kind];
  }
  std::set<const Kind*> said;
  std::vector<Change> kept;
  for (Change& change : changes) {
    if (change.how == Change::How::kNotObserved && unseen[change.kind] > 1) {
      if (!said.insert(change.kind).second) continue;
      change.key = std::string(change.kind->pattern);
      change.before = Absent{};
    }
    kept.push_back(std::move(change));
  }
  changes = std::move(kept);
}

}  // namespace

std::string Change::What() const { return kind->Fill(kind->what, key); }

absl::string_view HowName(Change::How how) {
  switch (how) {
    case Change::How::kChanged:
      return "changed";
    case Change::How::kMissing:
      return "missing";
    case Change::How::kAdded:
      return "added";
    case Change::How::kReordered:
      return "reordered";
    case Change::How::kNotObserved:
      return "not_observed";
  }
  return "";
}

ListDifference Differ(const Strings& before, const Strings& now) {
  // length[i][j]: of the longest common subsequence of what follows i and j.
  std::vector<std::vector<size_t>> length(before.size() + 1, std::vector<size_t>(now.size() + 1));
  for (size_t i = before.size(); i-- > 0;) {
    for (size_t j = now.size(); j-- > 0;) {
      length[i][j] = before[i] == now[j] ? length[i + 1][j + 1] + 1
                                         : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  Strings only_before, only_now;
  size_t i = 0, j = 0;
  while (i < before.size() && j < now.size()) {
    if (before[i] == now[j]) {
      ++i, ++j;
    } else if (length[i + 1][j] >= length[i][j + 1]) {
      only_before.push_back(before[i++]);
    } else {
      only_now.push_back(now[j++]);
    }
  }
  only_before.insert(only_before.end(), before.begin() + static_cast<ptrdiff_t>(i), before.end());
  only_now.insert(only_now.end(), now.begin() + static_cast<ptrdiff_t>(j), now.end());
  // What is left out here and there stands elsewhere, and is neither added nor missing.
  ListDifference difference;
  for (const std::string& item : only_before) {
    const auto it = std::find(only_now.begin(), only_now.end(), item);
    if (it == only_now.end()) {
      difference.missing.push_back(item);
    } else {
      only_now.erase(it);
      difference.moved = true;
    }
  }
  difference.added = std::move(only_now);
  return difference;
}

Comparison Compare(const Snapshot& before, const Snapshot& now) {
  Comparison comparison;
  const Foreign foreign = Heads(before, now, comparison.not_compared);
  std::set<std::string> keys;
  for (const auto& [key, entry] : before.entries) keys.insert(key);
  for (const auto& [key, entry] : now.entries) keys.insert(key);

  Changes changes;
  std::map<const Kind*, std::string> unknown;  // to the baseline
  for (const std::string& key : keys) {
    const Kind* kind = FindKind(key);
    if (kind == nullptr || foreign.Of(*kind) != nullptr) continue;
    const Observed<Value> was = ValueOf(before, key, *kind);
    const Observed<Value> is = ValueOf(now, key, *kind);
    if (foreign.seals && (Sealed(was) || Sealed(is))) continue;
    if (was.not_observed()) {
      if (!kind->Is(kQuiet)) unknown.emplace(kind, was.why_not());
      continue;
    }
    std::optional<Change> change = ChangeOf(was, is, *kind);
    if (!change) {
      if (!is.not_observed()) ++comparison.same;
      continue;
    }
    change->key = key;
    Locate(before, now, *change);
    changes.emplace(key, *std::move(change));
  }
  for (const auto& [key, change] : changes) {
    if (!Follows(changes, key, change)) comparison.changes.push_back(change);
  }
  Gather(comparison.changes);
  for (const auto& [kind, why] : unknown) {
    std::string what(kind->what);
    if (kind->HasStar()) what = std::string(kind->pattern);
    comparison.not_compared.push_back(
        {std::move(what), absl::StrCat("not observed when the baseline was taken: ", why)});
  }
  return comparison;
}

}  // namespace vgpu::baseline

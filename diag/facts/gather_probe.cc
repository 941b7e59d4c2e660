#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/gather_parts.h"
#include "diag/probe/parse.h"

namespace vgpu::facts {
namespace {

using host::NotObserved;
using host::Observed;

constexpr char kCaptured[] = "/.vgpu-capture/probe";
constexpr size_t kLimit = size_t{4} << 20;
constexpr size_t kMaxFiles = 64;

// Why a result says nothing about what is judged; empty: it does.
std::string WhyOfAnother(const Facts& facts, const probe::Result& result) {
  if (facts.hostname.present() && !result.hostname.empty() && result.hostname != *facts.hostname) {
    return absl::StrCat("it was made on ", result.hostname, ", and ", *facts.hostname,
                        " is judged");
  }
  if (!facts.process.present()) {
    if (result.pid != 0) {
      return absl::StrCat("it is of process ", result.pid, ", which does not run");
    }
    if (result.unit != facts.unit.name) {
      return absl::StrCat("it is of ", result.unit, ", and ", facts.unit.name, " is judged");
    }
    return "";
  }
  const ProcessFacts& process = *facts.process;
  if (result.pid != process.pid) {
    return result.pid == 0
               ? absl::StrCat("it was made before process ", process.pid, " was there")
               : absl::StrCat("it is of process ", result.pid, ", and ", process.pid, " is judged");
  }
  // A number of a process is used again: the time of its start is not.
  if (process.started_usec.present() && result.started_usec &&
      *process.started_usec != *result.started_usec) {
    return absl::StrCat("it is of an earlier process ", process.pid);
  }
  if (!process.started_usec.present() || !result.started_usec) {
    return absl::StrCat("whether it is of this process ", process.pid,
                        ", or of an earlier one, cannot be told");
  }
  return "";
}

ProbeFacts Judged(const Facts& facts, std::string source, absl::string_view text, bool cut) {
  ProbeFacts found;
  found.source = std::move(source);
  if (cut) {
    found.result = NotObserved{"it is longer than a result can be"};
    return found;
  }
  absl::StatusOr<probe::Result> result = probe::ParseResult(text);
  if (!result.ok()) {
    found.result = NotObserved{std::string(result.status().message())};
  } else if (std::string why = WhyOfAnother(facts, *result); !why.empty()) {
    found.result = NotObserved{std::move(why)};
  } else {
    found.result = *std::move(result);
  }
  return found;
}

// The later one, where both are of what is judged.
bool Better(const ProbeFacts& candidate, const ProbeFacts& best) {
  if (best.source.empty()) return true;
  if (!candidate.result.present() || !best.result.present()) {
    return candidate.result.present() && !best.result.present();
  }
  return candidate.result->observed_at > best.result->observed_at;
}

}  // namespace

ProbeFacts GatherProbe(const host::Host& host, const Facts& facts,
                       const std::optional<GivenProbe>& given) {
  if (given) return Judged(facts, given->name, given->text, false);
  ProbeFacts best;
  best.result = host::Absent{};
  if (host.kind() != host::Host::Kind::kTree) return best;
  const std::vector<std::string> names = host.List(kCaptured).value_or({});
  for (size_t i = 0; i < names.size() && i < kMaxFiles; ++i) {
    if (!absl::EndsWith(names[i], ".json")) continue;
    const std::string path = host::JoinPath(kCaptured, names[i]);
    Observed<host::Content> content = host.Read(path, kLimit);
    if (!content.present()) continue;
    ProbeFacts candidate = Judged(facts, path, content->bytes, content->truncated);
    if (Better(candidate, best)) best = std::move(candidate);
  }
  return best;
}

}  // namespace vgpu::facts

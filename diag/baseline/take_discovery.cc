// What discovery said, of the start that is the running process.

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/baseline/take_parts.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// "79.6 GiB", as Ollama writes sizes (format/bytes.go): in MiB.
Observed<double> MiB(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  double number = 0;
  if (words.size() != 2 || !absl::SimpleAtod(words[0], &number) || !std::isfinite(number)) {
    return NotObserved{"the line names no size"};
  }
  constexpr std::pair<absl::string_view, double> kUnits[] = {
      {"B", 1.0 / (1 << 20)}, {"KiB", 1.0 / 1024}, {"MiB", 1}, {"GiB", 1024}, {"TiB", 1 << 20}};
  for (const auto& [unit, factor] : kUnits) {
    if (words[1] == unit) return std::round(number * factor);
  }
  return NotObserved{"the line names no size"};
}

Observed<std::string> TextOr(const std::string& text) {
  if (text.empty()) return Absent{};
  return text;
}

absl::string_view WhyName(ollama::Failure::Why why) {
  switch (why) {
    case ollama::Failure::Why::kTimeout:
      return "a pass did not answer in time";
    case ollama::Failure::Why::kCrash:
      return "a child died";
    case ollama::Failure::Why::kOther:
      break;
  }
  return "a pass failed";
}

void TakeResult(const ollama::ServerStart& start, const std::string& source, Builder& out) {
  const ollama::Compute& last = *start.Result();
  const From at = {source};
  std::vector<const ollama::Compute*> devices;
  std::string libraries;
  for (const ollama::Compute& line : start.results) {
    if (line.discovery != last.discovery) continue;
    absl::StrAppend(&libraries, libraries.empty() ? "" : " ", line.library);
    if (line.on_gpu()) devices.push_back(&line);
  }
  if (start.LostLater() != nullptr) absl::StrAppend(&libraries, ", and the GPU was lost later");
  out.Put("discovery.result", libraries, at);
  for (size_t i = 0; i < devices.size(); ++i) {
    const ollama::Compute& device = *devices[i];
    const auto put = [&](absl::string_view property, const std::string& value) {
      out.Put(absl::StrCat("discovery.device.", i, ".", property), TextOr(value), at);
    };
    put("library", device.library);
    put("id", device.id);
    put("name", device.name);
    put("description", device.description);
    put("compute", device.compute);
    put("pci_id", device.pci_id);
    put("driver", device.driver);
    out.PutNumber(absl::StrCat("discovery.device.", i, ".total"), MiB(device.total), at);
  }
}

}  // namespace

void TakeDiscovery(const Subject& subject, Builder& out) {
  const facts::Facts& facts = subject.facts;
  const ollama::ServerStart* start = facts.ThisStart();
  const std::string source = facts.log.ServersLog().present() ? facts.log.ServersLog()->source
                                                              : facts.log.ServersLog().source;
  const From at = {source};
  Observed<bool> looked = true;
  if (start == nullptr || start->Result() == nullptr) {
    looked = NotObserved{!facts.process.present() ? std::string("no process runs")
                                                  : std::string(facts.FoundGpu().why_not())};
    out.Put("discovery.result", NoValue<std::string>(looked), at);
  } else {
    TakeResult(*start, source, out);
  }
  for (absl::string_view property :
       {"library", "id", "name", "description", "compute", "pci_id", "driver", "total"}) {
    out.Looked(absl::StrCat("discovery.device.*.", property), looked);
  }

  const Observed<std::string> unseen = NotObserved{"the log does not show it"};
  Observed<std::string> failure = unseen, error = unseen, passes = unseen;
  Observed<double> duration = NotObserved{"the log does not show it"};
  if (looked.present()) {
    failure = Absent{};
    error = Absent{};
    if (!start->failures.empty()) failure = std::string(WhyName(start->failures.front().why));
    if (const ollama::CudaError* first = start->InitError(); first != nullptr) {
      error = absl::StrCat(first->words.code);
    }
    // Only the level DEBUG shows passes.
    if (!start->passes.empty()) {
      passes = absl::StrCat(start->passes.size());
      absl::Duration longest = absl::ZeroDuration();
      for (const ollama::Pass& pass : start->passes) {
        longest = std::max(longest, pass.duration.value_or(absl::ZeroDuration()));
      }
      duration = std::round(absl::ToDoubleMilliseconds(longest));
    }
  }
  out.Put("discovery.failure", failure, at);
  out.Put("discovery.cuda_error", error, at);
  out.Put("discovery.passes", passes, at);
  out.PutNumber("discovery.duration", duration, at);
}

}  // namespace vgpu::baseline

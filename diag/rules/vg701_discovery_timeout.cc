// VG701 discovery-timeout: a child of discovery hung until the server gave it up, after 30
// seconds (ollama/ollama, discover/runner.go and discover/llama_server.go).
//
// It says that the child hung and not why: a shim that waits for something explains it.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {
namespace {

constexpr absl::Duration kGivenUp = absl::Seconds(29);

// A variant of another maker's or layer's devices: its hanging hides no CUDA device.
bool OtherVariant(const std::vector<std::string>& dirs) {
  if (dirs.empty()) return false;
  const absl::string_view name = host::Basename(dirs.back());
  return absl::StartsWith(name, "rocm") || absl::StartsWith(name, "vulkan");
}

}  // namespace

Judgement DiscoveryTimeout(const facts::Facts& facts) {
  if (auto none = WithoutFailure(facts)) return *none;
  const ollama::ServerStart& start = *facts.ThisStart();
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  Holds holds;
  absl::Duration longest;
  for (const ollama::Failure& failure : start.failures) {
    if (failure.why != ollama::Failure::Why::kTimeout || OtherVariant(failure.library_dirs)) {
      continue;
    }
    holds.evidence.push_back(FromLog(
        log, failure.line,
        absl::StrCat(
            "the server gave a child up", failure.second ? " that tried one device again" : "",
            failure.library_dirs.empty() ? ""
                                         : absl::StrCat(" of ", failure.library_dirs.back()))));
    if (holds.evidence.size() == 6) break;
  }
  for (const ollama::Pass& pass : start.passes) {
    if (!pass.duration.present() || OtherVariant(pass.library_dirs)) continue;
    longest = std::max(longest, *pass.duration);
    if (*pass.duration < kGivenUp || holds.evidence.size() >= 10) continue;
    holds.evidence.push_back(
        FromLog(log, pass.line,
                absl::StrCat(pass.second ? "a second" : "a first", " pass took ",
                             absl::FormatDuration(absl::Trunc(*pass.duration, absl::Seconds(1))),
                             ": the limit, and not the work")));
  }
  if (holds.evidence.empty()) {
    if (start.Result() == nullptr) {
      return CannotTell{"how discovery ends", "the log of this process has no result yet",
                        absl::StrCat("journalctl -u ", facts.unit.name, " -f")};
    }
    if (longest > absl::ZeroDuration()) {
      return Contradicted{
          absl::StrCat("the longest pass took ",
                       absl::FormatDuration(absl::Trunc(longest, absl::Milliseconds(1))))};
    }
    return Contradicted{"no pass failed for its time, which the server would have logged"};
  }
  std::vector<Evidence> effect = ResultEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704", "VG708"};
  holds.headline =
      "A child of discovery hung until the server gave it up after 30 seconds, and none of the "
      "causes that were looked for explains why.";
  holds.fix = TraceSteps(facts, "VG701");
  holds.expect = {
      "every pass ends within seconds (msg=\"bootstrap discovery took\", or its "
      "equivalent)",
      ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

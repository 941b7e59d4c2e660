// VG703 second-pass-filtered: the device appeared in the first pass and not in the second,
// which selects it by the id that it reported.
//
// Era B from v0.13.1 sets CUDA_VISIBLE_DEVICES=GPU-<uuid> for it, era C the index: whoever
// answers for CUDA must accept the id that it gave itself (discover/runner.go).

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

// The value of `id=` in the line: Ollama prints it without quotes.
std::string IdIn(const std::string& text) {
  static const RE2& id = *new RE2(R"( id="?([^ "]+))");
  std::string found;
  RE2::PartialMatch(text, id, &found);
  return found;
}

bool OfCuda(const ollama::LogLine& line) {
  return !absl::StrContains(line.text, "library=ROCm") &&
         !absl::StrContains(line.text, "library=Vulkan");
}

}  // namespace

Judgement SecondPassFiltered(const facts::Facts& facts) {
  if (facts.ollama.era == ollama::Era::kA) {
    return Contradicted{"era A makes no second pass"};
  }
  if (auto none = WithoutFailure(facts)) return *none;
  const ollama::ServerStart& start = *facts.ThisStart();
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  Holds holds;
  std::string id;
  for (const ollama::LogLine& line : start.filtered) {
    if (!OfCuda(line)) continue;
    id = IdIn(line.text);
    if (holds.evidence.size() < 4) {
      holds.evidence.push_back(FromLog(log, line, "the second pass did not find it, and drops it"));
    }
  }
  if (holds.evidence.empty()) {
    if (start.counted && start.initial_count.value_or(1) == 0) {
      return Contradicted{"the first pass found no device (initial_count=0)"};
    }
    if (start.detail >= ollama::Detail::kDebug && start.Result() != nullptr) {
      return Contradicted{"the log has DEBUG lines, and no device was filtered"};
    }
    return CannotTell{"whether the second pass dropped a device",
                      "only a log with OLLAMA_DEBUG=1 has that line", HowToLogMore(facts)};
  }
  if (start.counted && start.initial_count.value_or(0) > 0) {
    holds.evidence.push_back(FromLog(log, *start.counted, "the first pass had found it"));
  }
  for (const ollama::Pass& pass : start.passes) {
    if (!pass.second) continue;
    holds.evidence.push_back(FromLog(log, pass.line, "the second pass, which selects it by id"));
    break;
  }
  std::vector<Evidence> effect = ResultEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704", "VG708"};
  // How the second pass failed is a symptom of this; how a first one did is another story.
  bool first_failed = false;
  for (const ollama::Failure& failure : start.failures) {
    first_failed = first_failed || !failure.second;
  }
  for (const ollama::Pass& pass : start.passes) {
    first_failed = first_failed ||
                   (!pass.second && pass.duration.present() && *pass.duration >= absl::Seconds(29));
  }
  if (!first_failed) {
    holds.explains.push_back("VG701");
    holds.explains.push_back("VG702");
  }
  holds.headline = absl::StrCat(
      "Discovery found a device and lost it when it selected it by its own id",
      id.empty() ? "" : absl::StrCat(" (", id, ")"),
      facts.devices.IsVirtual() ? ": the shims do not accept the id that they report."
                                : ": CUDA_VISIBLE_DEVICES with that id does not lead to it again.");
  if (facts.process.present() && facts.process->environ.present() &&
      facts.process->environ->Find("CUDA_VISIBLE_DEVICES")) {
    holds.evidence.push_back(
        {facts.process->environ.source, 0,
         Assignment("CUDA_VISIBLE_DEVICES",
                    std::string(*facts.process->environ->Find("CUDA_VISIBLE_DEVICES"))),
         "the service sets it too: the second pass selects within that selection"});
    if (facts.unit_judged) {
      holds.fix = LastDropInSteps(facts, "VG703", {"UnsetEnvironment=CUDA_VISIBLE_DEVICES"},
                                  "the second pass then selects among all devices",
                                  "Ollama uses every device that CUDA shows");
    }
  }
  if (holds.fix.empty()) holds.fix = TraceSteps(facts, "VG703");
  holds.expect = {"no line `filtering device which didn't fully initialize`", ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

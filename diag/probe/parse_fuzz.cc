// Any text either is a result or is refused; what was read holds together. Likewise what the
// programs of a probe print.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/probe/answers.h"
#include "diag/probe/conclude.h"
#include "diag/probe/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vgpu::probe;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<Result> result = ParseResult(text);
  ParseProgramAnswer(text);
  ParseRunnerInfo(text);
  ParseListedDevices(text);
  ParseGpuDiscover(text);
  if (!result.ok()) {
    if (result.status().message().empty()) std::abort();
    return 0;
  }
  if (result->headline.empty()) std::abort();
  bool failed = false, disagree = false;
  for (const Run& run : result->runs) {
    for (const Step& step : run.steps) failed = failed || step.status == StepStatus::kFailed;
    for (const Comparison& comparison : run.comparisons) {
      if (comparison.values.size() < 2) std::abort();
      disagree = disagree || !comparison.agree;
    }
  }
  // One without a fault is no problem, and steps that disagree are.
  if (result->verdict == Verdict::kProblem && !failed && !disagree) std::abort();
  if (disagree && result->verdict != Verdict::kProblem) std::abort();
  if (result->verdict == Verdict::kHealthy && !Verified(*result)) std::abort();
  if (Verified(*result) && ProcessRun(*result) == nullptr) std::abort();
  return 0;
}

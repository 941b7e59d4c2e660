#include "diag/report/report.h"

namespace vgpu::report {

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy:
      return "healthy";
    case Verdict::kProblem:
      return "problem";
    case Verdict::kInconclusive:
      break;
  }
  return "inconclusive";
}

int ExitCode(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy:
      return 0;
    case Verdict::kProblem:
      return 1;
    case Verdict::kInconclusive:
      break;
  }
  return 3;
}

const char* ConfidenceName(rules::Confidence confidence) {
  switch (confidence) {
    case rules::Confidence::kCertain:
      return "certain";
    case rules::Confidence::kLikely:
      return "likely";
    case rules::Confidence::kPossible:
      break;
  }
  return "possible";
}

}  // namespace vgpu::report

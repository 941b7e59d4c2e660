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

}  // namespace vgpu::report

// A log that was asked for from a time on, which is after the start of the process: what it lacks
// is no finding, and the way to see it is to ask for more.
//
//   Report report = Diagnose(facts);
//   NameTheCut(facts, since, report);       // what `--since` leaves out is named as the reason
//
// Changes nothing where the start, or its result, is in the log all the same.

#ifndef DIAG_DIAGNOSIS_CUT_LOG_H_
#define DIAG_DIAGNOSIS_CUT_LOG_H_

#include "absl/time/time.h"
#include "diag/facts/facts.h"
#include "diag/report/report.h"

namespace vgpu::diagnosis {

void NameTheCut(const facts::Facts& facts, absl::Time since, report::Report& report);

}  // namespace vgpu::diagnosis

#endif  // DIAG_DIAGNOSIS_CUT_LOG_H_

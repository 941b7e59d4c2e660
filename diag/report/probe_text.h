// A result of `vgpu-doctor verify` for people: the verdict, then each step with what it saw,
// what the steps say of each device, and what of the service the steps went without.
//
//   PROBLEM  Ollama's backend can be opened (cuda_v12): no. libcublas.so.12: cannot open …
//
// Text is safe to print. Colour adds escape sequences and nothing else. Pure, safe in any
// thread.

#ifndef DIAG_REPORT_PROBE_TEXT_H_
#define DIAG_REPORT_PROBE_TEXT_H_

#include <string>

#include "diag/probe/probe.h"
#include "diag/report/text.h"

namespace vgpu::report {

std::string ProbeToText(const probe::Result& result, const TextStyle& style);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_PROBE_TEXT_H_

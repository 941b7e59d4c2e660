// What several rules ask of discovery: what this process's log shows of it, and the error
// of CUDA that decided it.

#ifndef DIAG_RULES_DISCOVERY_H_
#define DIAG_RULES_DISCOVERY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// The judgement of a rule about discovery where there is none to judge: nothing runs, or the
// log does not show what this process's discovery found, or it found the GPU and kept it.
// Nothing where discovery is known to have ended without CUDA, or to have lost it since.
std::optional<Judgement> WithoutLostGpu(const facts::Facts& facts);

// The same, but where the log shows this process and not yet a result (discovery still runs
// or hangs), there is something to judge.
std::optional<Judgement> WithoutFailure(const facts::Facts& facts);

// The error of CUDA that decided it: the one that took the GPU away later, else the one of
// discovery. Null where the log has none, or where the GPU was found and kept.
const ollama::CudaError* DecidingError(const facts::Facts& facts);

// The judgement of a rule that needs one of `codes`, where DecidingError is none of them.
// Eras B and C write a code only at OLLAMA_DEBUG=2: its absence from any other log is not
// observed.
Judgement WithoutCode(const facts::Facts& facts);

// "Discovery of process 57290"; "Discovery" where only a log tells of it.
std::string DiscoveryOf(const facts::Facts& facts);

// The line of the error, with what the code means, and the result that shows the effect.
std::vector<Evidence> CodeEvidence(const facts::Facts& facts, const ollama::CudaError& error);
// "CUDA's error 100 (no CUDA-capable device is detected)".
std::string NameOf(const ollama::CudaErrorWords& words);

// The judgement of a rule about a card where the device is a virtual one: its shims answer,
// and no driver. Nothing otherwise.
std::optional<Judgement> WithoutCard(const facts::Facts& facts);

// The line of the result, where it names no GPU through CUDA.
std::vector<Evidence> ResultEvidence(const facts::Facts& facts);

// Steps after which the log holds what the children of discovery say.
std::vector<FixStep> TraceSteps(const facts::Facts& facts, absl::string_view code);

// How a person comes to see more of discovery in the log. One text, so that all that it would
// show stands together.
std::string HowToLogMore(const facts::Facts& facts);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_DISCOVERY_H_

// What the rules about Ollama's libraries share: which variants discovery tries, and which
// effect their lack has in each era.

#ifndef DIAG_RULES_INSTALLATION_H_
#define DIAG_RULES_INSTALLATION_H_

#include <string>
#include <vector>

#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// The value of OLLAMA_LLM_LIBRARY that the server has (else: that its next start would
// have), without the blanks and quotes that Ollama strips (envconfig/config.go, Var). Empty:
// not set.
std::string RequestedVariant(const facts::Facts& facts);

// The variants that are tried for an NVIDIA device: those that are not skipped at the user's
// request (B, C), nor left to a Jetson.
std::vector<const ollama::Variant*> TriedVariants(const facts::Facts& facts);

// What shows that the lack of a library took the GPU away: the result of discovery, and in
// era A, whose discovery needs none of them, a model that runs on the CPU. Empty: not seen.
std::vector<Evidence> LostGpuEvidence(const facts::Facts& facts);
// What follows from it, by the era: VG704, or the loss at the load of a model.
std::vector<std::string> WhatFollows(const facts::Facts& facts);

// What is wrong with the libraries that are there.
enum class Libraries {
  kLost,      // a file is gone or damaged: what was installed is to be there again
  kUnfitting  // they are as they were built, and do not fit
};

// Installs Ollama's own archive beside the program, or the distribution's package that has
// the CUDA backend.
std::vector<FixStep> ReinstallSteps(const facts::Facts& facts, std::string why,
                                    Libraries libraries = Libraries::kLost);

// What the service's log holds after the repair.
std::vector<std::string> ExpectLibraries(const facts::Facts& facts);

// A path as one word of a shell.
std::string Quoted(absl::string_view path);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_INSTALLATION_H_

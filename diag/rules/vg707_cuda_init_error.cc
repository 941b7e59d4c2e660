// VG707 cuda-init-error: CUDA's initialisation returned a code, or a later child of the same
// server could not initialise it any more. What a code means stands in ollama/cuda_error.cc.
//
// "loaded CUDA backend" is printed in spite of it: a backend without a device is one too
// (ggml-backend-reg.cpp).

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {
namespace {

// What repairs a card's driver that gives a code. A code that has a cause of its own has its
// steps there (VG607 to VG613).
struct Cure {
  int code;
  const char* command;
  const char* why;
  const char* risk;
};

constexpr Cure kCures[] = {
    {34, "ldconfig -p | grep libcuda.so",
     "shows which libcuda is found: the toolkit's stub must come behind the driver's", ""},
    {46, "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv",
     "shows who uses the device", ""},
    {100, "sudo nvidia-modprobe -u -c=0", "loads the driver's modules and makes its nodes", ""},
    {304, "sudo nvidia-modprobe -u -c=0", "makes the driver's nodes", ""},
    {500, "cat /proc/driver/nvidia/version; nvidia-ctk --version",
     "a release that lacks what the runtime looks for: in a container, update NVIDIA's container "
     "toolkit and make the container again; under WSL, `wsl.exe --update`",
     ""},
    {803, "cat /proc/driver/nvidia/version; ls -l /usr/lib/*/libcuda.so.*",
     "shows the releases of module and library: boot anew where they differ", ""},
    {804, "ldconfig -p | grep compat",
     "shows a compatibility libcuda in the search path: take its directory out of it", ""},
    {999, "sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm",
     "the module begins anew; it can be taken out only when nothing uses CUDA",
     "programs that use CUDA have to be stopped first"},
};

// The code that the shims give where they do not take their configuration
// (CUDA_ERROR_SYSTEM_NOT_READY; shims/cuda).
constexpr int kShimsNotReady = 802;

// Why the shims do not take their configuration; empty where they do, or where that was not seen.
std::string Rejected(const facts::Facts& facts) {
  if (!facts.devices.config_broken) return "";
  const std::string why(facts.devices.configured.why_not());
  // The parser names the line; what could not be read has no line.
  return absl::StartsWith(why, "line ") ? why : "";
}

// The shims do not take their configuration, whether or not a log says what came of it: eras B and
// C do not write the code.
Judgement ConfigurationRejected(const facts::Facts& facts, const std::string& why,
                                const ollama::CudaError* error) {
  const std::string& file = facts.devices.config_source;
  Holds holds;
  holds.evidence = {{file, 0, why, "the shims do not take this file: every first call fails"}};
  const bool said = error != nullptr && error->words.code == kShimsNotReady;
  if (said) {
    for (Evidence& evidence : CodeEvidence(facts, *error)) {
      holds.evidence.push_back(std::move(evidence));
    }
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  const bool lost = !effect.empty();
  holds.acts = lost ? Acts::kNow : Acts::kNextStart;
  holds.confidence = said && lost ? Confidence::kCertain : Confidence::kLikely;
  if (!said) {
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  }
  holds.explains = {"VG704", "VG708", "VG902"};
  holds.headline =
      absl::StrCat("The shims reject their configuration ", file, " (", why, "): mend it.");
  holds.fix = {{absl::StrCat("sudoedit ", file), absl::StrCat("mend ", why), "",
                "put the line back as it was"}};
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "the shims read it once, at their first call"));
  }
  holds.expect = {"no further line with an error of CUDA", ExpectGpuLine(facts)};
  return holds;
}

// What the code means here: to NVIDIA's driver, or to the shim in its place.
std::string MeaningOf(const facts::Facts& facts, const ollama::CudaErrorWords& words) {
  if (facts.devices.IsVirtual() && words.code == kShimsNotReady) {
    return "; the shims did not take their configuration when it was read";
  }
  const ollama::CudaErrorInfo* info = ollama::CudaErrorOf(words.code);
  return info != nullptr && words.or_code == 0 ? absl::StrCat("; ", info->meaning) : "";
}

}  // namespace

Judgement CudaInitError(const facts::Facts& facts) {
  const ollama::CudaError* error = DecidingError(facts);
  if (const std::string why = Rejected(facts); !why.empty() && !facts.FoundGpu().value_or(false)) {
    return ConfigurationRejected(facts, why, error);
  }
  if (error == nullptr) return WithoutCode(facts);
  Holds holds;
  holds.evidence = CodeEvidence(facts, *error);
  const bool effect = error->after_result || !ResultEvidence(facts).empty();
  holds.confidence = effect ? Confidence::kCertain : Confidence::kLikely;
  holds.explains = {"VG704", "VG708", "VG902"};
  // ggml aborts at a call that fails.
  if (!error->words.at_init) holds.explains.push_back("VG702");
  holds.headline = absl::StrCat(
      error->after_result ? "The GPU was found and lost again: " : "CUDA cannot be used: ",
      NameOf(error->words), MeaningOf(facts, error->words), ".");
  if (!facts.devices.IsVirtual()) {
    for (const Cure& cure : kCures) {
      if (cure.code == error->words.code) {
        holds.fix.push_back({cure.command, cure.why, cure.risk, ""});
      }
    }
  }
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {"no further line with an error of CUDA", ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

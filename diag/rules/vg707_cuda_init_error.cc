// VG707 cuda-init-error: CUDA's initialisation returned a code, or a later child of the same
// server could not initialise it any more. What a code means stands in ollama/cuda_error.cc.
//
// "loaded CUDA backend" is printed in spite of it: a backend without a device is one too
// (ggml-backend-reg.cpp).

#include "absl/strings/str_cat.h"
#include "diag/rules/common.h"
#include "diag/rules/discovery.h"
#include "diag/rules/rules.h"

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
    {803, "cat /proc/driver/nvidia/version; ls -l /usr/lib/*/libcuda.so.*",
     "shows the releases of module and library: boot anew where they differ", ""},
    {804, "ldconfig -p | grep compat",
     "shows a compatibility libcuda in the search path: take its directory out of it", ""},
    {999, "sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm",
     "the module begins anew; it can be taken out only when nothing uses CUDA",
     "programs that use CUDA have to be stopped first"},
};

}  // namespace

Judgement CudaInitError(const facts::Facts& facts) {
  const ollama::CudaError* error = DecidingError(facts);
  if (error == nullptr) return WithoutCode(facts);
  Holds holds;
  holds.evidence = CodeEvidence(facts, *error);
  const bool effect = error->after_result || !ResultEvidence(facts).empty();
  holds.confidence = effect ? Confidence::kCertain : Confidence::kLikely;
  holds.explains = {"VG704", "VG708", "VG902"};
  // ggml aborts at a call that fails.
  if (!error->words.at_init) holds.explains.push_back("VG702");
  const ollama::CudaErrorInfo* info = ollama::CudaErrorOf(error->words.code);
  holds.headline = absl::StrCat(
      error->after_result ? "The GPU was found and lost again: " : "CUDA cannot be used: ",
      NameOf(error->words),
      info != nullptr && error->words.or_code == 0 ? absl::StrCat("; ", info->meaning) : "", ".");
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

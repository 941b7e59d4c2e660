// VG513 driver-stub-in-path: a toolkit's stub of libcuda wins. It is there to link programs
// against, and answers every call with CUDA_ERROR_STUB_LIBRARY (34).
//
// Source: CUDA toolkit, lib64/stubs; cuda.h. Era A opens libcuda by the directories of
// LD_LIBRARY_PATH itself (discover/gpu.go, FindGPULibs), the others by its soname.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/backend_problems.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/in_effect.h"
#include "diag/rules/shared/installation.h"

namespace vgpu::rules {
namespace {

bool IsStub(absl::string_view path) { return absl::StrContains(path, "/stubs/"); }

// The directories of the list without those of stubs.
std::string WithoutStubs(const std::string& list) {
  std::string left;
  for (absl::string_view dir : absl::StrSplit(list, ':', absl::SkipEmpty())) {
    if (IsStub(absl::StrCat(dir, "/"))) continue;
    absl::StrAppend(&left, left.empty() ? "" : ":", dir);
  }
  return left;
}

}  // namespace

Judgement DriverStubInPath(const facts::Facts& facts) {
  Holds holds;
  bool modelled = false;
  for (const BackendLoad& load : TriedLoads(facts)) {
    const loader::Object* cuda = load.opened->load.Find("libcuda.so.1");
    if (cuda == nullptr) continue;
    modelled = true;
    const bool stub =
        IsStub(cuda->place.path) || (cuda->file.present() && IsStub(cuda->file->path));
    if (!stub || holds.evidence.size() >= 4) continue;
    holds.evidence.push_back(
        {cuda->place.path, 0, cuda->file.present() ? cuda->file->path : cuda->name,
         absl::StrCat("the child that opens ", load.backend(), " gets this for libcuda.so.1, by ",
                      std::string(loader::RuleName(cuda->place.rule)))});
    holds.acts = load.of_process ? Acts::kNow : Acts::kNextStart;
  }
  if (const ollama::ServerStart* start = facts.ThisStart()) {
    for (const ollama::LogLine& line : start->no_device) {
      if (!IsStub(line.text) || holds.evidence.size() >= 6) continue;
      holds.evidence.push_back(FromLog(*facts.log.ServersLog(), line,
                                       "the server opened a stub in place of the driver"));
    }
    for (const ollama::CudaError& error : start->cuda_errors) {
      if (!IsStub(error.line.text) || holds.evidence.size() >= 6) continue;
      holds.evidence.push_back(FromLog(*facts.log.ServersLog(), error.line,
                                       "the server opened a stub in place of the driver"));
    }
  }
  InEffect path = ValueNow(facts, "LD_LIBRARY_PATH");
  if (path.value.not_observed()) path = ValueAtNextStart(facts, "LD_LIBRARY_PATH");
  if (holds.evidence.empty()) {
    if (modelled)
      return Contradicted{"the libcuda.so.1 that the backend gets is no toolkit's stub"};
    if (path.value.present() && WithoutStubs(*path.value) != *path.value &&
        absl::StrContains(*path.value, "stubs")) {
      return CannotTell{"which libcuda.so.1 the service gets",
                        "LD_LIBRARY_PATH names a directory of stubs",
                        absl::StrCat("ls -l ", Quoted(*path.value))};
    }
    if (path.value.not_observed()) {
      return CannotTell{"LD_LIBRARY_PATH of the service", std::string(path.value.why_not()),
                        HowToSeeProcess(facts)};
    }
    return Contradicted{path.value.absent()
                            ? "the service has no LD_LIBRARY_PATH that could name a stub"
                            : "no directory of stubs is in the service's LD_LIBRARY_PATH"};
  }
  for (const Evidence& evidence : path.evidence) {
    if (absl::StrContains(evidence.quote, "stubs")) holds.evidence.push_back(evidence);
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG418", "VG704", "VG707"};
  holds.headline =
      "The CUDA toolkit's stub of libcuda wins over the driver: take its directory out of the "
      "search path.";
  if (facts.unit_judged && path.value.present()) {
    const std::string left = WithoutStubs(*path.value);
    holds.fix = LastDropInSteps(
        facts, "VG513",
        {left.empty() ? std::string("UnsetEnvironment=LD_LIBRARY_PATH")
                      : absl::StrCat("Environment=\"LD_LIBRARY_PATH=", left, "\"")},
        "takes the directory of stubs out of LD_LIBRARY_PATH: it is for linking only", "");
  } else {
    holds.fix.push_back({"ls -l /etc/ld.so.conf.d; ldconfig -p | grep stubs",
                         "shows what brings the stubs into the search path: take it out", "", ""});
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

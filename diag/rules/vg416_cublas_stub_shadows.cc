// VG416 cublas-stub-shadows: a stub of cuBLAS wins over the real one.
//
// libggml-cuda.so needs libcublas.so.N, with the symbols and versions of NVIDIA's. A stub
// that lacks one keeps the backend from being opened (VG505 is that symptom); one that has
// them all lets discovery succeed and fails at the first product of a model.

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

bool IsCublas(absl::string_view name) {
  return absl::StartsWith(name, "libcublas.so.") || absl::StartsWith(name, "libcublasLt.so.");
}

// NVIDIA's have some 750 functions (CUDA 13.0: libcublas 756), a stub a few dozen.
constexpr size_t kFewExports = 200;

bool IsNamedStub(absl::string_view path) {
  const absl::string_view name = host::Basename(path);
  return absl::StrContains(name, "vgpu") || absl::StrContains(name, "stub");
}

// It is no file of NVIDIA's: by its name, or because it has so few functions. Not observed
// where neither tells.
host::Observed<bool> IsStub(absl::string_view path, const elf::ElfInfo* elf) {
  if (IsNamedStub(path)) return true;
  if (elf != nullptr && elf->exports.present() && elf->exports_complete.value_or(false)) {
    return elf->exports->size() < kFewExports;
  }
  if (facts::HasRelease(path)) return false;
  return host::NotObserved{absl::StrCat("the functions of ", path, " were not read")};
}

std::string FileOf(const loader::Object& object) {
  return object.file.present() ? object.file->path : object.place.path;
}

struct Stub {
  Step step;
  size_t object = 0;
  std::string name;
  const loader::Shadowed* real = nullptr;    // that it stands before
  const loader::Problem* problem = nullptr;  // of the backend, because of it
  const loader::Object& Get() const { return step.load->objects[object]; }
};

// What the backend asks of cuBLAS and does not get.
const loader::Problem* FailureOf(const Step& step, const loader::Object& stub) {
  for (const loader::Problem& problem : *step.problems) {
    if (!problem.doubts.empty()) continue;
    const bool symbol = problem.trouble == loader::Trouble::kUndefinedSymbol &&
                        absl::StartsWith(problem.symbol, "cublas");
    const bool version = (problem.trouble == loader::Trouble::kVersionNotFound ||
                          problem.trouble == loader::Trouble::kNoVersions) &&
                         problem.path == stub.place.path;
    if (symbol || version) return &problem;
  }
  return nullptr;
}

std::optional<Stub> FindStub(const facts::Facts& facts, size_t* real) {
  for (const Step& step : AllSteps(facts)) {
    for (size_t i = 0; i < step.load->objects.size(); ++i) {
      const loader::Object& object = step.load->objects[i];
      const bool asked =
          std::any_of(object.requests.begin(), object.requests.end(),
                      [](const loader::Request& request) { return IsCublas(request.name); });
      if (!asked || !object.doubts.empty()) continue;
      const host::Observed<bool> stub = IsStub(FileOf(object), object.info());
      if (!stub.value_or(false)) {
        if (stub.present()) ++*real;
        continue;
      }
      Stub found{step, i, object.requests.front().name, nullptr, FailureOf(step, object)};
      for (const loader::Shadowed& shadowed : object.shadows) {
        const elf::ElfInfo* elf = shadowed.elf.present() ? shadowed.elf->get() : nullptr;
        if (IsStub(shadowed.file.path, elf).value_or(true)) continue;
        found.real = &shadowed;
        break;
      }
      // A file that has all and that only its few functions tell from NVIDIA's may be one of
      // NVIDIA's, of which a capture kept a few.
      if (found.real != nullptr || found.problem != nullptr || IsNamedStub(FileOf(object))) {
        return found;
      }
    }
  }
  return std::nullopt;
}

// Where a preload list brings it: a file that is only moved would be missed at every start.
std::vector<FixStep> OutOfItsList(const facts::Facts& facts, const loader::Object& object) {
  for (const ActingList& acting : ActingLists(facts)) {
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (entry.text != object.place.path) continue;
      return SetListSteps(facts, *acting.list, "VG416",
                          WithoutEntries(*acting.list, {{&entry, ""}}),
                          "the list without the stub: the search then comes to the real one");
    }
  }
  return {};
}

}  // namespace

Judgement CublasStubShadows(const facts::Facts& facts) {
  size_t real = 0;
  const std::optional<Stub> stub = FindStub(facts, &real);
  if (!stub) {
    if (!SawDiscovery(facts)) return WhyNotSeen(facts, "which cuBLAS the backend gets");
    if (real == 0)
      return Contradicted{"no cuBLAS is loaded with the backend, and so no stub of it"};
    return Contradicted{"the backend gets NVIDIA's own cuBLAS"};
  }
  const loader::Object& object = stub->Get();
  const facts::ModelledProcess& process = *stub->step.process;
  const bool incomplete = stub->problem != nullptr;
  Holds holds;
  holds.acts = incomplete ? ActsOf(facts, stub->step) : Acts::kNextStart;
  holds.evidence.push_back({object.place.path, 0, FileOf(object),
                            absl::StrCat(ProcessText(process), " gets this for ", stub->name,
                                         ", by ", PlaceText(object.place), ": a stub")});
  if (stub->real != nullptr) {
    holds.evidence.push_back(
        {stub->real->place.path, 0, stub->real->file.path,
         absl::StrCat("the real one comes later, by ", PlaceText(stub->real->place))});
  }
  if (incomplete) {
    holds.evidence.push_back({object.place.path, 0, stub->problem->text,
                              "what the loader says when the backend is opened"});
  } else {
    holds.evidence.back().meaning +=
        "; it has every function that the backend needs, so discovery goes on, and the first "
        "product of a model fails";
  }
  std::vector<Evidence> effect =
      incomplete && holds.acts == Acts::kNow ? NoGpuEvidence(facts) : std::vector<Evidence>();
  holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (incomplete) {
    holds.explains = {"VG505", "VG704", "VG902"};
  } else {
    holds.explains = {"VG902"};
  }
  holds.headline = absl::StrCat("A stub of cuBLAS, ", object.place.path,
                                ", is loaded in the place "
                                "of the real one: take it out of the way.");
  holds.fix = OutOfItsList(facts, object);
  if (holds.fix.empty()) {
    holds.fix.push_back(MoveFileStep(
        object.place.path, absl::StrCat(object.place.path, ".stub"),
        stub->real != nullptr ? absl::StrCat("the search then comes to ", stub->real->place.path)
                              : "nothing is found under that name then: the next step puts the "
                                "real one there",
        ""));
  }
  if (stub->real == nullptr) {
    holds.fix = ForAPerson(std::move(holds.fix));
    for (FixStep& step :
         ReinstallSteps(facts, "Ollama's own archive has the real cuBLAS beside the backend",
                        Libraries::kUnfitting)) {
      holds.fix.push_back(std::move(step));
    }
  } else if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

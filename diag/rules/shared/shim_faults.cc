#include "diag/rules/shared/shim_faults.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/facts/maker.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

constexpr size_t kMaxEvidence = 8;

using loader::Trouble;

bool IsShim(const facts::Facts& facts, const loader::Load& load, std::optional<size_t> object) {
  return object && *object < load.objects.size() &&
         MakerOf(facts, load.objects[*object]) == facts::Maker::kShim;
}

// The object that needs what is missing.
std::optional<size_t> NeederOf(const loader::Problem& problem) {
  if (problem.trouble == Trouble::kNotFound) return problem.request.object;
  return problem.needed_by ? problem.needed_by : problem.object;
}

// A symbol of a version that is the soname of a library that was not found ("cudaMalloc,
// version libcudart.so.13"): no shim of another soname owes it.
bool IsOfMissing(const std::vector<loader::Problem>& problems, const loader::Problem& problem) {
  if (problem.trouble != Trouble::kUndefinedSymbol || problem.version.empty()) return false;
  return std::any_of(problems.begin(), problems.end(), [&](const loader::Problem& other) {
    return other.trouble == Trouble::kNotFound && other.request.name == problem.version;
  });
}

// A symbol of a version that the library lacks: the loader ends at the version, which it looks for
// before any symbol (glibc 2.36, rtld.c, dl_main; dl-open.c).
bool IsOfMissingVersion(const std::vector<loader::Problem>& problems,
                        const loader::Problem& problem) {
  if (problem.trouble != Trouble::kUndefinedSymbol || problem.version.empty()) return false;
  return std::any_of(problems.begin(), problems.end(), [&](const loader::Problem& other) {
    return other.trouble == Trouble::kVersionNotFound && other.version == problem.version &&
           other.needed_by == problem.needed_by;
  });
}

// The object that should have given it.
std::optional<size_t> GiverIn(const facts::Facts& facts, const loader::Load& load,
                              const loader::Problem& problem) {
  if (problem.trouble != Trouble::kUndefinedSymbol) return problem.object;
  const std::optional<facts::Shim> layer = GiverOf(problem.symbol);
  if (!layer) return std::nullopt;
  for (size_t i = 0; i < load.objects.size(); ++i) {
    const std::optional<facts::ShimName> name = facts::ShimOf(load.objects[i].place.path);
    if (name && name->shim == *layer && IsShim(facts, load, i)) return i;
  }
  return std::nullopt;
}

ShimFault FaultOf(const facts::Facts& facts, const ModelFault& model, bool dies_alone) {
  const loader::Problem& problem = *model.problem;
  const loader::Load& load = *model.step.load;
  const std::optional<size_t> at_fault =
      model.of_shim ? GiverIn(facts, load, problem) : NeederOf(problem);
  ShimFault fault;
  const loader::Object& object = load.objects[*at_fault];
  fault.path = object.place.path;
  const Listed listed = FindListed(facts, object.place.path);
  fault.list = listed.list;
  fault.entry = listed.entry;
  const bool ends = problem.effect == loader::Effect::kEndsProgram;
  fault.preloaded = ends && model.step.opened == nullptr && CameByPreload(load, *at_fault);
  fault.acts = ActsOf(facts, model.step);
  if (fault.preloaded && dies_alone) {
    fault.preloaded = false;  // the server lives, and its child does not
  } else if (fault.preloaded) {
    fault.acts = ActsOnStarts(facts);
  }
  fault.missing = !problem.version.empty()  ? problem.version
                  : !problem.symbol.empty() ? problem.symbol
                                            : problem.request.name;
  if (problem.trouble == Trouble::kUndefinedSymbol) fault.missing = problem.symbol;
  if (problem.trouble == Trouble::kVersionNotFound) fault.from = problem.path;
  fault.evidence = {fault.path, 0, problem.text,
                    absl::StrCat("what the loader says of it in ", ProcessText(*model.step.process),
                                 ", by these files")};
  return fault;
}

}  // namespace

Listed FindListed(const facts::Facts& facts, absl::string_view path) {
  for (const ActingList& acting : ActingLists(facts)) {
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      const bool same = entry.text == path || entry.file.path == path ||
                        (entry.file.found.present() && entry.file.found->path == path);
      if (same) return {acting.list, &entry, acting.acts};
    }
  }
  return {};
}

bool IsShimPath(const facts::Facts& facts, absl::string_view path) {
  const std::optional<facts::ShimName> name = facts::ShimOf(path);
  if (name && name->named_as_shim) return true;
  for (const facts::FileFacts& file : facts.gpu_libraries) {
    if (file.path != path && (!file.found.present() || file.found->path != path)) continue;
    return facts::MakerOf(file, facts.gpu_libraries) == facts::Maker::kShim;
  }
  return false;
}

std::optional<facts::Shim> GiverOf(absl::string_view symbol) {
  if (absl::StartsWith(symbol, "nvml")) return facts::Shim::kNvml;
  if (absl::StartsWith(symbol, "cuda") || absl::StartsWith(symbol, "__cuda")) {
    return facts::Shim::kCudart;
  }
  // "cuInit", but not "cublasCreate_v2" nor "cusparse…".
  if (symbol.size() > 2 && absl::StartsWith(symbol, "cu") &&
      std::isupper(static_cast<unsigned char>(symbol[2])) != 0) {
    return facts::Shim::kCuda;
  }
  return std::nullopt;
}

const facts::PreloadEntry* ListedGiver(const facts::Facts& facts, absl::string_view symbol,
                                       Listed* listed) {
  const std::optional<facts::Shim> giver = GiverOf(symbol);
  if (!giver) return nullptr;
  for (const ActingList& acting : ActingLists(facts)) {
    if (acting.acts != Acts::kNow) continue;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (entry.shim != giver || !entry.file.found.present()) continue;
      if (facts::MakerOf(entry.file, facts.gpu_libraries) != facts::Maker::kShim) continue;
      *listed = {acting.list, &entry, acting.acts};
      return &entry;
    }
  }
  return nullptr;
}

bool LacksVersionNode(const host::Observed<elf::ElfInfo>& elf, absl::string_view version) {
  return elf.present() && LacksVersionNode(*elf, version);
}

bool LacksVersionNode(const elf::ElfInfo& elf, absl::string_view version) {
  if (version.empty() || !elf.version_defs.present()) return false;
  const std::vector<std::string>& nodes = *elf.version_defs;
  return !nodes.empty() && std::find(nodes.begin(), nodes.end(), version) == nodes.end();
}

Judgement WithoutFault(const facts::Facts& facts, absl::string_view what) {
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  size_t mapped = 0;
  const facts::PreloadEntry* unproved = nullptr;
  for (const ActingList& acting : lists) {
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.file.found.present()) continue;
      if (acting.acts == Acts::kNow && IsMapped(facts, entry.file).value_or(false)) {
        ++mapped;
      } else if (unproved == nullptr) {
        unproved = &entry;
      }
    }
  }
  if (unproved == nullptr) {
    if (mapped == 0) {
      if (auto unseen = EntriesNotSeen(lists)) return *unseen;
      return Contradicted{"no entry of the preload list is there to be loaded"};
    }
    return Contradicted{absl::StrCat("process ", facts.process->pid, " runs with ",
                                     Count(mapped, "preloaded file", "preloaded files"),
                                     " in memory: each ", what)};
  }
  // Of the starts that were modelled, the one that preloads most: what runs may preload nothing.
  size_t preloaded = 0;
  size_t objects = 0;
  for (const Step& step : AllSteps(facts)) {
    if (step.opened != nullptr || step.process->role != "server") continue;
    if (!step.load->Starts().value_or(false)) continue;
    size_t here = 0;
    for (size_t i = 0; i < step.load->objects.size(); ++i) {
      here += CameByPreload(*step.load, i) && !CameByHostFile(facts, *step.load, i) ? 1 : 0;
    }
    if (here <= preloaded) continue;
    preloaded = here;
    objects = step.load->objects.size();
  }
  if (preloaded > 0) {
    return Contradicted{absl::StrCat("with the files that are there, a start loads ", objects,
                                     " objects, ", preloaded, " by way of the preload list, and ",
                                     preloaded == 1 ? "that one " : "each of these ", what)};
  }
  return CannotTell{absl::StrCat("whether ", unproved->text,
                                 " finds all that it needs: libraries, symbols and versions"),
                    "no process was seen that has it in memory",
                    absl::StrCat("ldd -r ", ShellQuoted(unproved->text))};
}

std::vector<ShimFault> FaultsSaid(
    const facts::Facts& facts,
    const std::function<std::optional<ShimFault>(const LoaderLine&)>& of_line) {
  std::vector<ShimFault> faults;
  for (const LoaderSays& says : LoaderLines(facts)) {
    std::optional<ShimFault> fault = of_line(says.line);
    if (!fault) continue;
    std::string meaning = std::move(fault->evidence.meaning);
    fault->evidence = says.evidence;
    fault->evidence.meaning = std::move(meaning);
    fault->said = true;
    faults.push_back(*std::move(fault));
  }
  return faults;
}

std::vector<ShimFault> FaultsOfModel(const facts::Facts& facts,
                                     const std::function<bool(const ModelFault&)>& picks) {
  std::vector<ShimFault> faults;
  bool server_has_it = false;
  for (const Step& step : AllSteps(facts)) {
    for (const loader::Problem& problem : *step.problems) {
      if (!problem.doubts.empty() || problem.effect == loader::Effect::kIfUsed) continue;
      if (IsOfMissing(*step.problems, problem) || IsOfMissingVersion(*step.problems, problem)) {
        continue;
      }
      ModelFault model{&problem, step};
      const std::optional<size_t> needer = NeederOf(problem);
      const std::optional<size_t> giver = GiverIn(facts, *step.load, problem);
      if (needer && CameByHostFile(facts, *step.load, *needer)) continue;  // VG102
      model.by_shim =
          IsShim(facts, *step.load, needer) || (needer && CameByPreload(*step.load, *needer));
      model.of_shim = IsShim(facts, *step.load, giver);
      if (model.of_shim && !problem.version.empty()) {
        const elf::ElfInfo* elf = step.load->objects[*giver].info();
        model.lacks_node = elf != nullptr && LacksVersionNode(*elf, problem.version);
      }
      if (!picks(model)) continue;
      if (step.opened != nullptr && SomeVariantWorks(facts, step.running)) continue;
      const bool of_server = step.process->role == "server";
      server_has_it = server_has_it || (of_server && step.opened == nullptr);
      faults.push_back(FaultOf(facts, model, !of_server && !server_has_it && !Dies(facts)));
      if (faults.size() >= kMaxEvidence) return faults;
    }
  }
  return faults;
}

std::vector<ShimFault> FaultsByPath(const facts::Facts& facts, Trouble trouble) {
  std::vector<ShimFault> faults;
  const auto add = [&](const Step& step, const std::string& path, const std::string& text) {
    if (!IsShimPath(facts, path) || faults.size() >= kMaxEvidence) return;
    ShimFault fault;
    fault.path = path;
    fault.acts = ActsOf(facts, step);
    fault.evidence = {path, 0, text, absl::StrCat("found by path in ", ProcessText(*step.process))};
    faults.push_back(std::move(fault));
  };
  for (const Step& step : AllSteps(facts)) {
    if (SomeVariantWorks(facts, step.running)) continue;
    for (const loader::Problem& problem : *step.problems) {
      if (!problem.doubts.empty()) continue;
      const loader::Asker by = problem.request.by;
      if (by != loader::Asker::kNeeded && by != loader::Asker::kDlopen) continue;
      if (problem.trouble == trouble) add(step, problem.path, problem.text);
      if (trouble != Trouble::kNotLoadable) continue;
      // For another machine or class: passed by in the search, and nothing else was there.
      for (const loader::Shadowed& file : problem.passed_over) {
        add(step, file.place.path, problem.text);
      }
    }
  }
  return faults;
}

Holds FaultyShim(const facts::Facts& facts, const std::vector<ShimFault>& faults,
                 absl::string_view code, std::string trouble, absl::string_view status) {
  const ShimFault& first = faults.front();
  Holds holds;
  holds.acts = first.acts;
  bool said = false;
  for (const ShimFault& fault : faults) {
    said = said || fault.said;
    if (holds.evidence.size() < kMaxEvidence) holds.evidence.push_back(fault.evidence);
  }
  if (first.list != nullptr) {
    holds.evidence.push_back(FromList(*first.list, *first.entry, trouble));
  }
  std::vector<Evidence> effect;
  if (holds.acts == Acts::kNow) {
    effect =
        first.preloaded ? EndedWith(facts, status, "so every start ends") : NoGpuEvidence(facts);
  }
  holds.confidence = holds.acts == Acts::kNow && (said || !effect.empty()) ? Confidence::kCertain
                                                                           : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (first.preloaded) {
    holds.explains = {"VG301", "VG307", "VG702", "VG704", "VG902"};
  } else {
    holds.explains = {"VG504", "VG505", "VG702", "VG704", "VG902"};
    // The loader's last words, in a start that ended.
    if (said && Dies(facts)) holds.explains.insert(holds.explains.end(), {"VG301", "VG307"});
  }
  holds.headline = absl::StrCat(
      first.path, " ", trouble,
      first.preloaded ? ", and every start that preloads it fails" : ", and cannot be opened",
      ": install one that fits.");
  if (first.list != nullptr && first.preloaded && facts.unit_judged) {
    std::vector<FixStep> without =
        SetListSteps(facts, *first.list, code, WithoutEntries(*first.list, {{first.entry, ""}}),
                     "lets the service start at once, without this library");
    const bool needed = first.entry->shim && facts::NeededIn(*first.entry->shim, facts.ollama.era);
    if (needed) without.front().risk = "until the repaired library is listed again there is no GPU";
    for (FixStep& step : without) holds.fix.push_back(std::move(step));
  }
  holds.expect = {absl::StrCat("no line of the loader about ", host::Basename(first.path),
                               " at the next start"),
                  ExpectGpuLine(facts)};
  return holds;
}

std::vector<FixStep> ReplaceSteps(const facts::Facts& facts, const std::vector<ShimFault>& faults,
                                  absl::string_view why) {
  constexpr size_t kMaxSteps = 5;  // as many as there are shims
  std::vector<std::string> replaced;
  std::vector<FixStep> steps;
  for (const ShimFault& fault : faults) {
    std::string path = fault.path;
    for (const facts::FileFacts& file : facts.gpu_libraries) {
      if (file.path == fault.path && file.found.present()) path = file.found->path;
    }
    const bool known = std::find(replaced.begin(), replaced.end(), path) != replaced.end();
    if (known || steps.size() >= kMaxSteps) continue;
    steps.push_back(ReplaceFileStep(path, std::string(why)));
    replaced.push_back(std::move(path));
  }
  return steps;
}

}  // namespace vgpu::rules

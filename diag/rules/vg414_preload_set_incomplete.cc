// VG414 preload-set-incomplete: a shim that this era's discovery needs is installed, and the
// preload list has the others and not this one; or there is no list, and no path leads to it.
//
// One that discovery finds by path (a link in a directory that it searches) needs no entry.
// Where an earlier setting had the entry and a later one took it away, or a process is only
// older than its list, that is the cause, and not this.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/facts/maker.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/backend_problems.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

using facts::Maker;
using facts::PreloadEntry;
using facts::PreloadList;
using facts::Shim;

bool Lists(const PreloadList& list, Shim shim) {
  return std::any_of(list.entries.begin(), list.entries.end(),
                     [&](const PreloadEntry& entry) { return entry.shim == shim; });
}

bool ListedIn(const std::vector<const PreloadList*>& lists, Shim shim) {
  return std::any_of(lists.begin(), lists.end(),
                     [&](const PreloadList* list) { return Lists(*list, shim); });
}

// The lists that the configuration ends in: what the next start after a reload reads. Where
// no unit gives any, the process's own.
std::vector<const PreloadList*> LastLists(const facts::Facts& facts) {
  std::vector<const PreloadList*> lists = facts.PreloadsNextStart();
  if (facts.disk_preload) {
    lists.erase(std::remove(lists.begin(), lists.end(),
                            facts.unit_preload ? &*facts.unit_preload : nullptr),
                lists.end());
    lists.insert(lists.begin(), &*facts.disk_preload);
  }
  return lists.empty() ? facts.PreloadsNow() : lists;
}

bool IsShim(const facts::Facts& facts, const facts::FileFacts& file, Shim shim) {
  const std::optional<facts::ShimName> name = facts::ShimOf(file.path);
  return name && name->shim == shim && file.found.present() &&
         facts::MakerOf(file, facts.gpu_libraries) == Maker::kShim;
}

// A file by the soname that programs ask for, which leads to the shim: by path it is found
// without an entry. Where discovery was followed as far as its backend, it is known which file it
// gets: a link that lies where nothing looks is none.
const facts::FileFacts* FoundByPath(const facts::Facts& facts, Shim shim) {
  if (SawDiscovery(facts)) {
    const std::vector<Answer> answers = AnswersFor(facts, shim);
    if (std::none_of(answers.begin(), answers.end(), [&](const Answer& answer) {
          return MakerOf(facts, answer.Get()) == Maker::kShim;
        })) {
      return nullptr;
    }
  }
  for (const facts::FileFacts& file : facts.gpu_libraries) {
    if (!facts::ShimOf(file.path)->named_as_shim && IsShim(facts, file, shim)) return &file;
  }
  return nullptr;
}

// The installed file; one beside the entries of the list before all others.
const facts::FileFacts* Installed(const facts::Facts& facts, Shim shim) {
  for (const facts::FileFacts& file : facts.gpu_libraries) {
    if (facts::ShimOf(file.path)->named_as_shim && IsShim(facts, file, shim)) return &file;
  }
  return nullptr;
}

// What took the entry away: an assignment that counts no longer, or words that systemd
// ignores. Empty: nothing did.
std::string TakenAwayBy(const facts::Facts& facts, absl::string_view name) {
  for (const systemd::Superseded& old : facts.unit.on_disk.superseded) {
    if (old.key == "LD_PRELOAD" && absl::StrContains(old.was.raw, name)) {
      return absl::StrCat(old.was.place.file, " lists it, and ", old.by.file,
                          " takes that assignment away");
    }
  }
  for (const systemd::UnitProblem& problem : facts.unit.on_disk.problems) {
    if (absl::StrContains(problem.message, name)) {
      return absl::StrCat(problem.place.file, " names it in words that systemd ignores");
    }
  }
  for (const systemd::Setting& setting : facts.unit.on_disk.ineffective) {
    if (absl::StrContains(setting.value, name)) {
      return absl::StrCat(setting.place.file, " names it where it has no effect");
    }
  }
  return "";
}

// The maps of the process were read, and none of these is in them.
bool NoneMapped(const facts::Facts& facts, const std::vector<std::string>& names) {
  if (!facts.process->maps.present() || !facts.process->maps->whole()) return false;
  for (const procfs::MappedFile& file : facts.process->maps->files) {
    for (const std::string& name : names) {
      if (absl::StartsWith(host::Basename(file.path), name)) return false;
    }
  }
  return true;
}

// Before the first of the list that conventionally comes later.
void Insert(const PreloadList& list, Shim shim, const std::string& path,
            std::vector<std::string>& value) {
  for (const PreloadEntry& entry : list.entries) {
    if (!entry.shim || *entry.shim < shim) continue;
    value.insert(std::find(value.begin(), value.end(), entry.text), path);
    return;
  }
  value.push_back(path);
}

// The child that opens the backend asks for this layer and gets nothing: the loader's answer.
std::optional<BackendProblem> NotFound(const facts::Facts& facts, Shim shim) {
  const std::vector<BackendProblem> problems =
      ProblemsOf(facts, [&](const loader::Problem& problem) {
        const std::optional<facts::ShimName> name = facts::ShimOf(problem.request.name);
        return problem.trouble == loader::Trouble::kNotFound && name && name->shim == shim &&
               !name->named_as_shim;
      });
  if (problems.empty() || !problems.front().problem->doubts.empty()) return std::nullopt;
  return problems.front();
}

// A path leads to it, and another file stands before it: VG415's.
bool IsShadowed(const facts::Facts& facts, Shim shim) {
  for (const Answer& answer : AnswersFor(facts, shim)) {
    const auto& shadows = answer.Get().shadows;
    if (std::any_of(shadows.begin(), shadows.end(), [&](const loader::Shadowed& shadowed) {
          return MakerOf(facts, shadowed) == Maker::kShim;
        })) {
      return true;
    }
  }
  return false;
}

bool NvidiasDriverAnswers(const facts::Facts& facts) {
  const std::vector<Answer> answers = AnswersFor(facts, Shim::kCuda);
  return std::any_of(answers.begin(), answers.end(), [&](const Answer& answer) {
    return MakerOf(facts, answer.Get()) != Maker::kShim;
  });
}

// Where a drop-in of the unit gives the shims to the process that opens the backend. (Era A opens
// the driver by a path, whatever is preloaded: VG418.)
bool AListWouldHelp(const facts::Facts& facts) {
  const bool snap = facts.unit_judged && absl::StartsWith(facts.unit.name, "snap.");
  return facts.devices.IsVirtual() && facts.ollama.era != ollama::Era::kA && !snap &&
         !facts.UnitRunsContainer() && !facts.container.IsContainer();
}

// The unit was to give a list, and something else takes it away: that is the cause.
bool IsTakenFromUnit(const facts::Facts& facts) {
  for (const auto judge : {DropinIneffective, EnvironmentOverridden, NamespaceSetupFailed}) {
    const Judgement judgement = judge(facts);
    if (std::holds_alternative<Holds>(judgement)) return true;
  }
  return false;
}

// A part of the unit that nobody could read, or that systemd has not loaded, may give one.
bool MayGiveAList(const facts::UnitFacts& unit) {
  return !unit.files.unseen.empty() || !unit.unread_environment_files.empty() ||
         (unit.loaded.present() && unit.loaded->NeedDaemonReload().value_or(false));
}

// No list names a shim, and discovery was followed: it finds one that it needs nowhere. `list`
// may hold other things; null where there is none. Nothing where that is not so.
std::optional<Judgement> NothingLoadsThem(const facts::Facts& facts, const PreloadList* list) {
  if (!AListWouldHelp(facts) || !SawDiscovery(facts) || NvidiasDriverAnswers(facts) ||
      facts.FoundGpu().value_or(false) || (facts.unit_judged && MayGiveAList(facts.unit))) {
    return std::nullopt;
  }
  Holds holds;
  std::vector<std::string> missing;
  std::vector<BackendProblem> not_found;
  for (const facts::ShimInfo& info : facts::AllShims()) {
    if (!facts::NeededIn(info.shim, facts.ollama.era) || FoundByPath(facts, info.shim) != nullptr ||
        IsShadowed(facts, info.shim)) {
      continue;
    }
    const facts::FileFacts* installed = Installed(facts, info.shim);
    if (installed == nullptr) return std::nullopt;
    missing.emplace_back(info.name);
    holds.evidence.push_back({installed->path, 0, absl::StrCat(info.name, ".so"),
                              absl::StrCat("installed, and no preload list names it; ", info.why)});
    if (std::optional<BackendProblem> problem = NotFound(facts, info.shim)) {
      not_found.push_back(*problem);
    }
  }
  if (missing.empty()) return std::nullopt;
  // What a start script gives itself shows in the process that it started, and nowhere else.
  const facts::ProgramFacts& program = facts.program;
  if (facts.unit_judged && !facts.process.present() && program.script.present() &&
      absl::StrContains(*program.script, "LD_PRELOAD")) {
    return CannotTell{absl::StrCat("the list that ", program.file.path, " gives"),
                      "no process that it started runs",
                      absl::StrCat("cat ", ShellQuoted(program.file.path))};
  }
  if (IsTakenFromUnit(facts)) {
    return Contradicted{"the unit was to give a list, and another fault takes it away"};
  }
  for (const BackendProblem& item : not_found) {
    holds.evidence.push_back(
        {item.load.backend(), 0,
         item.problem->text.empty() ? item.problem->request.name : item.problem->text,
         "what the loader answers the child that opens the backend (modelled; "
         "Ollama logs nothing of it below TRACE)"});
    if (item.problem->searched.empty()) continue;
    std::vector<std::string> dirs = item.problem->searched;
    if (dirs.size() > 12) dirs.resize(12);
    holds.evidence.push_back(
        {item.load.process->start.options.program, 0, absl::StrJoin(dirs, " "),
         absl::StrCat(item.problem->request.name, " was looked for here, in this order")});
  }
  holds.acts = facts.process.present() ? Acts::kNow : Acts::kNextStart;
  holds.confidence = Confidence::kLikely;
  if (holds.acts == Acts::kNow) {
    const std::vector<Evidence> effect = NoGpuEvidence(facts);
    const bool seen = !not_found.empty() && not_found.front().load.of_process;
    if (!effect.empty() && seen && NoneMapped(facts, missing)) {
      holds.confidence = Confidence::kCertain;
    }
    for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  }
  // Those that programs ask for by a soname: the others answer nobody's request.
  std::vector<std::string> value;
  if (list != nullptr) {
    for (const PreloadEntry& entry : list->entries) value.push_back(entry.text);
  }
  for (const facts::ShimInfo& info : facts::AllShims()) {
    const facts::FileFacts* installed = Installed(facts, info.shim);
    if (installed != nullptr && !info.soname_prefix.empty()) value.push_back(installed->path);
  }
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat("The shims are installed, and nothing makes ",
                                facts.unit_judged ? facts.unit.name : "the server", " load ",
                                absl::StrJoin(missing, ", "), ": list them for preloading.");
  if (facts.unit_judged) {
    holds.fix = list != nullptr
                    ? SetListSteps(facts, *list, "VG414", value, "adds the shims")
                    : SetPreloadSteps(facts, "VG414", absl::StrJoin(value, ":"),
                                      "the service, and every child of it, loads them", "");
  }
  holds.expect = {absl::StrCat(missing.front(), " in /proc/PID/maps"), ExpectGpuLine(facts)};
  return holds;
}

}  // namespace

Judgement PreloadSetIncomplete(const facts::Facts& facts) {
  const std::vector<const PreloadList*> lists = LastLists(facts);
  // The one that is to be mended: the service's own first one that names shims.
  const PreloadList* list = nullptr;
  size_t listed = 0;
  for (const PreloadList* candidate : lists) {
    size_t shims = 0;
    for (const PreloadEntry& entry : candidate->entries) shims += entry.shim.has_value() ? 1 : 0;
    listed += shims;
    if (shims > 0 && list == nullptr && candidate->kind != facts::PreloadKind::kHostFile) {
      list = candidate;
    }
  }
  if (lists.empty()) {
    Judgement without = WithoutPreload(facts);
    if (!std::holds_alternative<Contradicted>(without)) return without;
    return NothingLoadsThem(facts, nullptr).value_or(std::move(without));
  }
  if (list == nullptr) {
    // A list of the host's own file is VG101's and VG102's; it may name shims.
    const bool other_things = listed == 0 && lists.front()->kind != facts::PreloadKind::kHostFile;
    return (other_things ? NothingLoadsThem(facts, lists.front()) : std::nullopt)
        .value_or(Contradicted{"the service's preload list names no shim at all"});
  }

  Holds holds;
  std::vector<std::string> missing;  // names
  std::vector<std::string> value;    // the list with them
  for (const PreloadEntry& entry : list->entries) value.push_back(entry.text);
  std::string against;  // why a shim that is not listed is not missing
  bool lacks_now = facts.process.present();
  for (const facts::ShimInfo& info : facts::AllShims()) {
    if (!facts::NeededIn(info.shim, facts.ollama.era) || ListedIn(lists, info.shim)) continue;
    if (const facts::FileFacts* found = FoundByPath(facts, info.shim)) {
      against = absl::StrCat(info.name, " is found by path, as ", found->path);
      continue;
    }
    if (std::string taken = TakenAwayBy(facts, info.name); !taken.empty()) {
      against = std::move(taken);
      continue;
    }
    const facts::FileFacts* installed = Installed(facts, info.shim);
    if (installed == nullptr) {
      against = absl::StrCat("no ", info.name, ".so is installed that could be listed");
      continue;
    }
    missing.emplace_back(info.name);
    Insert(*list, info.shim, installed->path, value);
    holds.evidence.push_back({installed->path, 0, absl::StrCat(info.name, ".so"),
                              absl::StrCat("installed, and not in the preload list; ", info.why)});
    if (ListedIn(facts.PreloadsNow(), info.shim)) lacks_now = false;
  }
  if (missing.empty()) {
    if (!against.empty()) return Contradicted{std::move(against)};
    return Contradicted{absl::StrCat("the list names ", listed,
                                     " shims, all that this version of Ollama needs among them")};
  }
  holds.evidence.insert(
      holds.evidence.begin(),
      {list->source, list->line,
       list->kind == facts::PreloadKind::kEnvironment ? absl::StrCat("LD_PRELOAD=", list->value)
                                                      : list->value,
       absl::StrCat("does not name ", absl::StrJoin(missing, ", "))});
  // A process without any list waits for another repair first (VG302, VG303).
  holds.acts = lacks_now && !facts.PreloadsNow().empty() ? Acts::kNow : Acts::kNextStart;
  holds.confidence = Confidence::kLikely;
  if (holds.acts == Acts::kNow) {
    const std::vector<Evidence> effect = NoGpuEvidence(facts);
    if (!effect.empty() && NoneMapped(facts, missing)) holds.confidence = Confidence::kCertain;
    for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  }
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat("The preload list does not name ", absl::StrJoin(missing, ", "),
                                ", which this version of Ollama needs to find the device: add it.");
  if (facts.unit_judged) {
    holds.fix = SetListSteps(facts, *list, "VG414", value, "adds what is missing");
  }
  holds.expect = {absl::StrCat(missing.front(), " in /proc/PID/maps"), ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

// VG402 preload-entry-unreadable: an entry exists, and the service's user cannot read or
// reach it.
//
// The loader prints the same words as for a file that is missing (glibc 2.36: open_path and
// _dl_map_object drop errno for an entry with a slash), so only modes and owners along the
// path tell the two apart.

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/facts/access.h"
#include "diag/facts/service_view.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

using host::NotObserved;
using host::Observed;

// Who opens the entries of a list: the process that runs, else whom the unit starts.
Observed<facts::Identity> Reader(const facts::Facts& facts, Acts acts) {
  if (acts == Acts::kNow && facts.process.present()) {
    const facts::Fact<facts::Identity>& identity = facts.process->identity;
    if (identity.present()) return *identity;
  }
  if (facts.unit.identity.present()) return facts.unit.identity;
  if (facts.process.present() && facts.process->identity.present()) {
    return *facts.process->identity;
  }
  return NotObserved{std::string(facts.unit.identity.why_not())};
}

std::string Words(const facts::Identity& who, const facts::Barrier& barrier) {
  return absl::StrCat("user ", who.name, barrier.directory ? " may not enter " : " may not read ",
                      barrier.path, " (mode ", facts::ModeText(barrier.mode), ")");
}

// Era A lists the directories of LD_LIBRARY_PATH to find the driver (discover/gpu.go, FindGPULibs).
bool IsListed(const facts::Facts& facts, const facts::Barrier& barrier) {
  if (facts.ollama.era != ollama::Era::kA) return false;
  const auto path = facts.unit.disk_environment.find("LD_LIBRARY_PATH");
  if (path == facts.unit.disk_environment.end()) return false;
  const std::string value = path->second.value.value_or("");
  for (absl::string_view directory : absl::StrSplit(value, ':')) {
    if (directory == barrier.path) return true;
    // As a process in a mount namespace of its own sees it.
    if (!directory.empty() && absl::StartsWith(barrier.path, "/proc/") &&
        absl::EndsWith(barrier.path, absl::StrCat("/root", directory))) {
      return true;
    }
  }
  return false;
}

// Opens what stands in the way, and nothing more: x for a directory, r for the file.
FixStep OpenStep(const facts::Facts& facts, const facts::Barrier& barrier) {
  const bool listed = barrier.directory && IsListed(facts, barrier);
  return OpenModeStep(
      barrier.path,
      listed              ? "o+rx"
      : barrier.directory ? "o+x"
                          : "a+r",
      facts::ModeText(barrier.mode),
      listed              ? "lets the service list the directory, in which it looks for the driver"
      : barrier.directory ? "lets the service pass the directory, not list it"
                          : "lets the service read the library",
      barrier.directory
          ? "every user can then reach files below it whose own modes allow it; a library "
            "belongs below /usr/lib or /opt, not below a home directory"
          : "");
}

// Where the host has what stands in the way of the list: in the service the list is bound over
// /etc/ld.so.preload, read-only.
facts::Barrier OfHost(const facts::Facts& facts, facts::Barrier barrier) {
  if (barrier.directory || !absl::StartsWith(barrier.path, "/proc/")) return barrier;
  const facts::Sight sight = facts::SeenByService(facts.unit, facts.process, "/etc/ld.so.preload");
  if (sight.what == facts::Sight::What::kBound) barrier.path = sight.host_path;
  return barrier;
}

// The list itself is a file that the unit binds, and the service may not read it: the loader
// asks access(2) first, and says nothing (glibc 2.36, elf/rtld.c, do_preload).
std::optional<Judgement> ListUnreadable(const facts::Facts& facts, const ActingList& acting,
                                        const facts::Identity& who) {
  const facts::PreloadList& list = *acting.list;
  if (list.kind != facts::PreloadKind::kBoundFile) return std::nullopt;
  const Observed<facts::Barrier> barrier = facts::WhatStops(list.way, who, facts::Want::kRead);
  if (!barrier.present()) return std::nullopt;
  bool needed = false;
  bool mapped = false;
  for (const facts::PreloadEntry& entry : list.entries) {
    mapped = mapped || IsMapped(facts, entry.file).value_or(false);
    needed = needed || (entry.shim && facts::NeededIn(*entry.shim, facts.ollama.era));
  }
  if (mapped) return std::nullopt;  // it was read
  Holds holds;
  const bool now = acting.acts == Acts::kNow && facts.process.present() && needed;
  holds.acts = now ? Acts::kNow : Acts::kNextStart;
  holds.evidence.push_back(
      {list.source, 0, absl::StrCat("mode ", facts::ModeText(barrier->mode)),
       absl::StrCat("the unit binds this list over /etc/ld.so.preload, and ", Words(who, *barrier),
                    ": the loader passes the whole list over, and says "
                    "nothing")});
  std::vector<Evidence> effect = now ? NoGpuEvidence(facts) : std::vector<Evidence>();
  holds.confidence =
      !effect.empty() && facts.process->maps.present() ? Confidence::kCertain : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (needed) holds.explains = {"VG704"};
  holds.headline = absl::StrCat("The preload list ", list.source, " of ", facts.unit.name,
                                " cannot be read by user ", who.name, ": let the service read it.");
  holds.fix = {OpenStep(facts, OfHost(facts, *barrier))};
  if (facts.unit_judged) holds.fix.push_back(RestartStep(facts, "the list is read at each start"));
  holds.expect = {"the shims in /proc/PID/maps", ExpectGpuLine(facts)};
  return Judgement(std::move(holds));
}

// A shim that discovery would find by path, in a file that the service may not open: the
// search passes it by (glibc 2.36, open_path).
std::optional<Judgement> FoundByPathAndClosed(const facts::Facts& facts) {
  for (facts::Shim layer : {facts::Shim::kCuda, facts::Shim::kCudart}) {
    for (const Answer& answer : AnswersFor(facts, layer)) {
      const loader::Object& object = answer.Get();
      if (CameByPreload(*answer.step.load, answer.object) || !object.doubts.empty()) continue;
      const Acts acts = ActsOf(facts, answer.step);
      const Observed<facts::Identity> who = Reader(facts, acts);
      if (!who.present() || MakerOf(facts, object) != facts::Maker::kShim) continue;
      for (const facts::FileFacts& file : facts.gpu_libraries) {
        if (file.path != object.place.path || !file.found.present()) continue;
        const Observed<facts::Barrier> barrier =
            facts::WhatStops(file.way, *who, facts::Want::kRead);
        if (!barrier.present()) continue;
        Holds holds;
        holds.acts = acts;
        holds.evidence.push_back(
            {file.path, 0, file.found->path,
             absl::StrCat(ProcessText(*answer.step.process), " asks for ", answer.name,
                          " and finds this, and ", Words(*who, *barrier))});
        std::vector<Evidence> effect =
            acts == Acts::kNow ? NoGpuEvidence(facts) : std::vector<Evidence>();
        holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
        for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
        holds.explains = {"VG504", "VG704", "VG902"};
        holds.headline = absl::StrCat(file.path, " cannot be read by user ", who->name,
                                      ": let the service read it.");
        holds.fix = {OpenStep(facts, *barrier)};
        if (facts.unit_judged) {
          holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
        }
        holds.expect = {ExpectGpuLine(facts)};
        return Judgement(std::move(holds));
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Judgement PreloadEntryUnreadable(const facts::Facts& facts) {
  const std::vector<ActingList> lists = ActingLists(facts);
  size_t readable = 0;
  std::string unknown;
  std::string unknown_path;
  for (const ActingList& acting : lists) {
    const Observed<facts::Identity> who = Reader(facts, acting.acts);
    if (who.present()) {
      if (std::optional<Judgement> list = ListUnreadable(facts, acting, *who)) return *list;
    }
    std::vector<Faulty> faults;
    std::vector<facts::Barrier> barriers;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.file.found.present()) continue;
      // What it has in memory it could read.
      if (acting.acts == Acts::kNow && IsMapped(facts, entry.file).value_or(false)) {
        ++readable;
        continue;
      }
      const Observed<facts::Barrier> barrier =
          who.present() ? facts::WhatStops(entry.file.way, *who, facts::Want::kRead)
                        : Observed<facts::Barrier>(NotObserved{std::string(who.why_not())});
      if (barrier.present()) {
        faults.push_back({&entry, Words(*who, *barrier)});
        barriers.push_back(*barrier);
      } else if (barrier.absent()) {
        ++readable;
      } else if (unknown.empty()) {
        unknown = std::string(barrier.why_not());
        unknown_path = entry.file.path;
      }
    }
    if (faults.empty()) continue;
    Holds holds = PassedOver(facts, acting, faults, "let the service read it");
    for (size_t i = 0; i < barriers.size() && holds.fix.size() < 4; ++i) {
      FixStep step = OpenStep(facts, barriers[i]);
      bool known = false;
      for (const FixStep& other : holds.fix) known = known || other.command == step.command;
      if (!known) holds.fix.push_back(std::move(step));
    }
    if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "a preload list is read once, at the start"));
    }
    return holds;
  }
  if (std::optional<Judgement> closed = FoundByPathAndClosed(facts)) return *closed;
  if (lists.empty()) return WithoutPreload(facts);
  if (!unknown.empty()) {
    return CannotTell{absl::StrCat("whether the service may read ", unknown_path), unknown,
                      absl::StrCat("namei -l ", ShellQuoted(unknown_path))};
  }
  if (auto unseen_entries = EntriesNotSeen(lists); readable == 0 && unseen_entries) {
    return *unseen_entries;
  }
  if (readable == 0) return Contradicted{"no entry of the preload list is there to be read"};
  return Contradicted{absl::StrCat("the service's user may read ", readable, " of ",
                                   Count(readable, "entry that exists", "entries that exist"))};
}

}  // namespace vgpu::rules

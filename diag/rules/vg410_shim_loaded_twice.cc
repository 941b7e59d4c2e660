// VG410 shim-loaded-twice: two different files of one shim are loaded.
//
// Maps prove it. Of a process that cannot be seen, or that is dead, the paths tell what
// would be loaded.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "diag/facts/maker.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/copies.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {

namespace {

// Makes every copy a link to the file of that shim that is preloaded, or else to the first.
void AddLinkSteps(const facts::Facts& facts, Holds& holds) {
  std::map<facts::Shim, std::string> kept;
  if (const facts::PreloadList* list = facts.Preload(); list != nullptr) {
    for (const facts::PreloadEntry& entry : list->entries) {
      if (entry.shim && entry.file.found.present()) {
        kept.emplace(*entry.shim, entry.file.found->path);
      }
    }
  }
  for (const Evidence& evidence : holds.evidence) {
    const std::string path = evidence.quote.substr(0, evidence.quote.find(" (inode"));
    const std::optional<facts::ShimName> shim = facts::ShimOf(path);
    if (!shim || path.empty() || path.front() != '/') continue;
    const std::string& keep = kept.emplace(shim->shim, path).first->second;
    if (keep == path || holds.fix.size() >= 4) continue;
    holds.fix.push_back(
        ReplaceByLinkStep(path, keep, ".copy",
                          "makes the copy a link: one file loads once, under any number of names",
                          "what is running keeps what it has loaded"));
  }
}

// Two files of one shim that a child of the server loads: one by a preload list, one by path.
std::vector<Evidence> CopiesModelled(const facts::Facts& facts) {
  for (const Step& step : AllSteps(facts)) {
    if (!step.running || step.opened == nullptr) continue;
    std::map<facts::Shim, const loader::Object*> first;
    for (const loader::Object& object : step.load->objects) {
      const std::optional<facts::ShimName> shim = facts::ShimOf(object.place.path);
      if (!shim || !object.file.present() || !object.doubts.empty()) continue;
      if (MakerOf(facts, object) != facts::Maker::kShim) continue;
      const auto [it, is_first] = first.emplace(shim->shim, &object);
      const loader::Object& other = *it->second;
      if (is_first || !object.file->meta.id.present() || !other.file->meta.id.present() ||
          *object.file->meta.id == *other.file->meta.id) {
        continue;
      }
      std::vector<Evidence> evidence;
      for (const loader::Object* of_both : {&other, &object}) {
        evidence.push_back(
            {of_both->place.path, 0,
             absl::StrCat(of_both->file->path, " (inode ", of_both->file->meta.id->ino, ")"),
             absl::StrCat(ProcessText(*step.process), " loads this file of ",
                          facts::InfoOf(shim->shim).name, ", by ", PlaceText(of_both->place))});
      }
      return evidence;
    }
  }
  return {};
}

}  // namespace

Judgement ShimLoadedTwice(const facts::Facts& facts) {
  host::Observed<std::vector<Evidence>> mapped = CopiesMapped(facts);
  const std::vector<Evidence> modelled = CopiesModelled(facts);
  if (mapped.present() && mapped->empty() && modelled.empty()) {
    std::set<std::string> shims;
    for (const procfs::MappedFile& file : facts.process->maps->files) {
      const std::optional<facts::ShimName> shim = facts::ShimOf(file.path);
      if (shim && shim->named_as_shim) shims.insert(file.path);
    }
    if (shims.empty()) return Contradicted{"no shim is in the maps of the process"};
    return Contradicted{absl::StrCat(Count(shims.size(), "shim is", "shims are"),
                                     " in the maps of the process, each once")};
  }
  Holds holds;
  const bool proved = mapped.present() && !mapped->empty();
  if (proved) {
    holds.evidence = *mapped;
  } else if (!modelled.empty()) {
    holds.evidence = modelled;
  } else {
    holds.evidence = CopiesPreloaded(facts);
    for (Evidence& evidence : CopiesNamedByProgram(facts)) {
      holds.evidence.push_back(std::move(evidence));
    }
    if (holds.evidence.empty()) {
      const facts::PreloadList* list = facts.Preload();
      if (list == nullptr) return WithoutPreload(facts);
      if (auto unseen = EntriesNotSeen(ActingLists(facts))) return *unseen;
      if (facts.process.absent()) {
        return Contradicted{"the preload list leads to one file for each shim"};
      }
      return CannotTell{absl::StrCat("loaded libraries of process ",
                                     facts.process.present() ? facts.process->pid : 0),
                        std::string(mapped.why_not()), HowToSeeProcess(facts)};
    }
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence = proved && !effect.empty() ? Confidence::kCertain : Confidence::kLikely;
  if (!facts.process.present() && !facts.DiesAtStart()) holds.acts = Acts::kNextStart;
  // Paths of a list that this process was seen not to have.
  if (!mapped.present() && facts.process.present() && facts.process->environ.present() &&
      !facts.process_preload) {
    holds.acts = Acts::kNextStart;
  }
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  if (facts.DiesAtStart()) {
    holds.explains.push_back("VG307");
    holds.explains.push_back("VG301");
  }
  const std::string copy =
      holds.evidence.front().quote.substr(0, holds.evidence.front().quote.find(' '));
  holds.headline =
      absl::StrCat("Two different files of one shim are loaded (", copy,
                   " is one of them): keep one file, and make the others links to it.");
  AddLinkSteps(facts, holds);
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "what is loaded stays loaded until then"));
  }
  holds.expect = {"the maps of the new process show one inode for each shim, under whatever name",
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

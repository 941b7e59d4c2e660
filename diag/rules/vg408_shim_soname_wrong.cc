// VG408 shim-soname-wrong: a preloaded shim lacks the soname that programs ask for.
//
// The loader takes a name for loaded if an object has it as its DT_SONAME, or was asked for by
// that very name; a path in LD_PRELOAD is neither (glibc 2.36, elf/dl-load.c,
// _dl_map_object). So it searches, and finds another file or none. Where its search comes to
// the same file, by a link of that name, the soname does not matter.

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/modelled.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

using facts::Maker;

// A name of the layer that discovery asks for, and what it gets instead of the shim.
struct Asked {
  std::string name;
  std::string instead;  // empty: nothing
  Step step;
};

bool SameFile(const loader::Object& object, const facts::FileFacts& file) {
  if (!object.file.present() || !file.found.present()) return false;
  if (object.file->path == file.found->path) return true;
  return object.file->meta.id.present() && file.found->meta.id.present() &&
         *object.file->meta.id == *file.found->meta.id;
}

std::optional<Asked> GotAnother(const facts::Facts& facts, const facts::PreloadEntry& entry) {
  for (const Answer& answer : AnswersFor(facts, *entry.shim)) {
    const loader::Object& object = answer.Get();
    if (!object.doubts.empty() || SomeVariantWorks(facts, answer.step.running)) continue;
    if (SameFile(object, entry.file)) return std::nullopt;
    if (MakerOf(facts, object) == Maker::kShim) continue;  // a second file of it: VG410
    return Asked{answer.name, object.place.path, answer.step};
  }
  for (const Step& step : AllSteps(facts)) {
    if (SomeVariantWorks(facts, step.running)) continue;
    for (const loader::Problem& problem : *step.problems) {
      const std::optional<facts::ShimName> name = facts::ShimOf(problem.request.name);
      if (problem.trouble != loader::Trouble::kNotFound || !problem.doubts.empty() || !name ||
          name->named_as_shim || name->shim != *entry.shim) {
        continue;
      }
      return Asked{problem.request.name, "", step};
    }
  }
  return std::nullopt;
}

}  // namespace

Judgement ShimSonameWrong(const facts::Facts& facts) {
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  size_t right = 0;
  std::string unseen;
  for (const ActingList& acting : lists) {
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.shim || !entry.file.found.present()) continue;
      const facts::ShimInfo& info = facts::InfoOf(*entry.shim);
      if (info.soname_prefix.empty()) continue;  // nobody asks for it by name
      // Asked for by its bare name, it answers to that one.
      if (!absl::StrContains(entry.text, "/") && !facts::ShimOf(entry.text)->named_as_shim) {
        ++right;
        continue;
      }
      if (!entry.file.elf.present() || entry.file.elf->soname.not_observed()) {
        if (unseen.empty()) unseen = entry.file.path;
        continue;
      }
      const std::string soname = entry.file.elf->soname.value_or("");
      const std::optional<Asked> asked = GotAnother(facts, entry);
      // A runtime's shim for one major version is none for another: libcudart.so.12 and .13.
      const bool other_major = *entry.shim == facts::Shim::kCudart &&
                               absl::StartsWith(soname, absl::StrCat(info.soname_prefix, "."));
      if (!asked || asked->name == soname || other_major) {
        if (absl::StartsWith(soname, info.soname_prefix))
          ++right;
        else if (!SawDiscovery(facts) && unseen.empty())
          unseen = entry.file.path;
        continue;
      }
      const bool needed = facts::NeededIn(*entry.shim, facts.ollama.era);
      Holds holds;
      holds.acts =
          acting.acts == Acts::kNow && needed ? ActsOf(facts, asked->step) : Acts::kNextStart;
      holds.evidence = {
          {entry.file.found->path, 0,
           soname.empty() ? std::string("(no SONAME)") : absl::StrCat("SONAME ", soname),
           absl::StrCat("preloaded as ", entry.text, ", and does not answer to ", asked->name)},
          {asked->instead.empty() ? asked->name : asked->instead, 0, asked->name,
           absl::StrCat(ProcessText(*asked->step.process), " asks for that name and gets ",
                        asked->instead.empty() ? "nothing" : "this file")}};
      std::vector<Evidence> effect =
          holds.acts == Acts::kNow ? NoGpuEvidence(facts) : std::vector<Evidence>();
      holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
      for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
      if (needed) holds.explains = {"VG418", "VG504", "VG505", "VG707", "VG704", "VG902"};
      holds.headline =
          absl::StrCat(entry.text, " is preloaded and does not bear the name ", asked->name,
                       " that programs ask for: install a build of it "
                       "that does.");
      holds.fix.push_back(ReplaceFileStep(
          entry.file.found->path,
          absl::StrCat("puts a build there that was linked with -Wl,-soname,", asked->name)));
      if (facts.unit_judged) holds.fix.push_back(RestartStep(facts, "the next start loads it"));
      holds.expect = {absl::StrCat("`readelf -d ", ShellQuoted(entry.file.found->path),
                                   "` shows SONAME ", asked->name),
                      ExpectGpuLine(facts)};
      return holds;
    }
  }
  if (!unseen.empty()) {
    return CannotTell{absl::StrCat("whether programs find ", unseen, " by its soname"),
                      "its SONAME, or what discovery finds, was not read",
                      absl::StrCat("readelf -d ", ShellQuoted(unseen))};
  }
  if (auto unseen_entries = EntriesNotSeen(lists); right == 0 && unseen_entries) {
    return *unseen_entries;
  }
  if (right == 0) {
    return Contradicted{"no shim that programs ask for by name is listed and there"};
  }
  return Contradicted{absl::StrCat(Count(right, "preloaded shim bears", "preloaded shims bear"),
                                   " the soname that programs ask for")};
}

}  // namespace vgpu::rules

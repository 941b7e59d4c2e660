#include "diag/rules/shared/preloaded.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/facts/maker.h"
#include "diag/facts/put_aside.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

using host::NotObserved;
using host::Observed;

// A list may have thousands of entries; so many are named.
constexpr size_t kMaxNamed = 8;
// A service that dies has several starts in its log; the last ones are alike.
constexpr size_t kLastStarts = 3;

}  // namespace

std::vector<ActingList> ActingLists(const facts::Facts& facts) {
  std::vector<ActingList> lists;
  const auto add = [&](const facts::PreloadList* list, Acts acts) {
    if (list->kind == facts::PreloadKind::kHostFile) return;
    for (const ActingList& known : lists) {
      if (known.list->value == list->value && known.list->kind == list->kind) return;
    }
    lists.push_back({list, acts});
  };
  for (const facts::PreloadList* list : facts.PreloadsNow()) add(list, Acts::kNow);
  const bool dies = !facts.process.present() && Dies(facts);
  // What a repair brings back stands in the place of what the unit gives today.
  const bool restored = facts.restored_preload.has_value();
  for (const facts::PreloadList* list : facts.PreloadsNextStart()) {
    if (restored && list->kind == facts::PreloadKind::kEnvironment) continue;
    add(list, dies ? Acts::kNow : Acts::kNextStart);
  }
  if (facts.disk_preload && !restored) add(&*facts.disk_preload, Acts::kNextStart);
  if (restored) add(&*facts.restored_preload, Acts::kNextStart);
  return lists;
}

std::optional<Judgement> EntriesNotSeen(const std::vector<ActingList>& lists) {
  for (const ActingList& acting : lists) {
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      if (!entry.file.found.not_observed()) continue;
      return CannotTell{absl::StrCat("the preload entry ", entry.text),
                        std::string(entry.file.found.why_not()),
                        absl::StrCat("sudo ls -l ", ShellQuoted(entry.text))};
    }
  }
  return std::nullopt;
}

Evidence FromList(const facts::PreloadList& list, const facts::PreloadEntry& entry,
                  absl::string_view what) {
  return {list.source, entry.line > 0 ? entry.line : list.line, entry.text,
          absl::StrCat("listed for preloading, and ", what)};
}

bool Dies(const facts::Facts& facts) {
  if (facts.DiesAtStart()) return true;
  if (facts.process.present() || !facts.unit.active_state.not_observed()) return false;
  if (!facts.log.journal.present() || facts.log.journal->starts.empty()) return false;
  const ollama::ServerStart& last = facts.log.journal->starts.back();
  return last.exit.has_value() && last.results.empty();
}

Acts ActsOnStarts(const facts::Facts& facts) { return Dies(facts) ? Acts::kNow : Acts::kNextStart; }

Observed<bool> IsMapped(const facts::Facts& facts, const facts::FileFacts& file) {
  if (!facts.process.present()) return NotObserved{"no process was seen"};
  const auto& maps = facts.process->maps;
  if (!maps.present()) return NotObserved{Because(maps.source, maps.why_not())};
  absl::string_view found = file.path;
  if (file.found.present()) {
    found = file.found->path;
    found =
        found.substr(absl::StartsWith(found, facts.process->root) ? facts.process->root.size() : 0);
  }
  for (const procfs::MappedFile& mapped : maps->files) {
    if (mapped.path == found) return true;
  }
  if (!maps->whole()) return NotObserved{absl::StrCat(maps.source, ": was not read whole")};
  return false;
}

std::vector<Evidence> LoaderSaid(const facts::Facts& facts,
                                 absl::Span<const absl::string_view> parts, std::string meaning) {
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  if (!log.present()) return {};
  std::vector<const ollama::ServerStart*> starts;
  if (const ollama::ServerStart* start = facts.ThisStart()) starts.push_back(start);
  if (!facts.process.present() || Dies(facts)) {
    for (auto it = log->starts.rbegin(); it != log->starts.rend(); ++it) {
      if (starts.size() >= kLastStarts) break;
      starts.push_back(&*it);
    }
  }
  for (const ollama::ServerStart* start : starts) {
    for (const ollama::LogLine& line : start->loader_errors) {
      const bool all = std::all_of(parts.begin(), parts.end(), [&](absl::string_view part) {
        return absl::StrContains(line.text, part);
      });
      if (all) return {FromLog(*log, line, std::move(meaning))};
    }
  }
  return {};
}

std::vector<Evidence> EndedWith(const facts::Facts& facts, absl::string_view status,
                                std::string meaning) {
  const absl::string_view number = status.substr(0, status.find('/'));
  const auto& journal = facts.log.journal;
  if (journal.present() && !journal->exits.empty()) {
    const ollama::Exit& last = journal->exits.back();
    if (absl::string_view(last.status).substr(0, last.status.find('/')) != number) return {};
    return {FromLog(*journal, last.line, std::move(meaning))};
  }
  if (!Dies(facts) || !facts.unit.loaded.present()) return {};
  const Observed<std::string> main = facts.unit.loaded->Get("ExecMainStatus");
  if (main.value_or("") != number) return {};
  return {
      {facts.unit.loaded.source, 0, absl::StrCat("ExecMainStatus=", *main), std::move(meaning)}};
}

const facts::FileFacts* InstalledShim(const facts::Facts& facts, facts::Shim shim) {
  for (const facts::FileFacts& file : facts.gpu_libraries) {
    const std::optional<facts::ShimName> name = facts::ShimOf(file.path);
    // One that is whole: a faulty copy is no repair, and neither is one that was put aside.
    if (facts::PutAside(file.path)) continue;
    if (!file.elf.present() || file.elf->error.present()) continue;
    if (name && name->shim == shim && file.found.present() &&
        facts::MakerOf(file, facts.gpu_libraries) == facts::Maker::kShim) {
      return &file;
    }
  }
  return nullptr;
}

FixStep ReplaceFileStep(absl::string_view path, std::string why) {
  const std::string quoted = ShellQuoted(path);
  const std::string bad = ShellQuoted(absl::StrCat(path, ".replaced"));
  const std::string fresh = ShellQuoted(absl::StrCat(path, ".new"));
  return {absl::StrCat("sudo cp -a ", quoted, " ", bad, " && sudo install -m 0755 ",
                       ShellQuoted(host::Basename(path)), " ", fresh, " && sudo mv -T ", fresh, " ",
                       quoted),
          std::move(why),
          "the new file is renamed into place; one that is written over kills what has it mapped",
          absl::StrCat("sudo mv -T ", bad, " ", quoted)};
}

std::vector<std::string> WithoutEntries(const facts::PreloadList& list,
                                        const std::vector<Faulty>& faults) {
  std::vector<std::string> left;
  for (const facts::PreloadEntry& entry : list.entries) {
    const bool faulty = std::any_of(faults.begin(), faults.end(), [&](const Faulty& fault) {
      return fault.entry->text == entry.text;
    });
    if (!faulty) left.push_back(entry.text);
  }
  return left;
}

std::vector<FixStep> SetListSteps(const facts::Facts& facts, const facts::PreloadList& list,
                                  absl::string_view code, const std::vector<std::string>& entries,
                                  std::string why) {
  if (list.kind == facts::PreloadKind::kEnvironment) {
    return SetPreloadSteps(facts, code, absl::StrJoin(entries, ":"), std::move(why), "");
  }
  return {WriteLinesStep(list.source, entries, std::move(why)),
          RestartStep(facts, "the unit binds the file anew at each start")};
}

Holds PassedOver(const facts::Facts& facts, const ActingList& acting,
                 const std::vector<Faulty>& faults, absl::string_view advice) {
  Holds holds;
  bool needed = false;
  bool acts = false;    // this process lacks an entry that is needed
  bool proved = false;  // ... and was seen to
  std::vector<std::string> names;
  for (const Faulty& fault : faults) {
    const facts::PreloadEntry& entry = *fault.entry;
    std::vector<Evidence> said;
    if (names.size() < kMaxNamed) {
      names.push_back(entry.text);
      holds.evidence.push_back(FromList(*acting.list, entry, fault.what));
      said = LoaderSaid(facts, {absl::StrCat("'", entry.text, "'"), "cannot be preloaded"},
                        "the loader said so, passed it over and went on");
      for (const Evidence& line : said) holds.evidence.push_back(line);
    }
    if (!entry.shim || !facts::NeededIn(*entry.shim, facts.ollama.era)) continue;
    needed = true;
    const Observed<bool> mapped = IsMapped(facts, entry.file);
    acts = acts || !mapped.value_or(false);
    proved = proved || !said.empty() || (mapped.present() && !*mapped);
  }
  const bool runs_without = acting.acts == Acts::kNow && facts.process.present() && acts;
  holds.acts = runs_without ? Acts::kNow : Acts::kNextStart;
  std::vector<Evidence> effect = runs_without ? NoGpuEvidence(facts) : std::vector<Evidence>();
  holds.confidence = !effect.empty() && proved ? Confidence::kCertain : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  if (needed) {
    holds.explains = {"VG704"};
    holds.expect = {ExpectGpuLine(facts)};
  } else {
    for (const Faulty& fault : faults) {
      if (!fault.entry->shim) continue;
      holds.evidence.back().meaning +=
          absl::StrCat("; nothing fails of it: ", facts::InfoOf(*fault.entry->shim).why);
      break;
    }
  }
  holds.expect.insert(holds.expect.begin(), "no `cannot be preloaded` line at the next start");
  holds.headline = absl::StrCat(names.front(), " is listed for preloading and ",
                                faults.front().what, ": ", advice, ".");
  return holds;
}

}  // namespace vgpu::rules

// VG207 exec-wrapper: ExecStart runs a wrapper that loads, drops or changes the shims.
//
// A wrapper that passes the environment on is no fault. What decides is what its text
// does, and what the process that it started lacks.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/copies.h"
#include "diag/rules/shared/wrapper.h"

namespace vgpu::rules {
namespace {

// Ollama's own program, as far as it is known.
std::string ProgramOf(const facts::Facts& facts) {
  const bool is_wrapper = facts.ollama.exe.present() && facts.program.file.found.present() &&
                          *facts.ollama.exe == facts.program.file.found->path;
  return facts.ollama.exe.present() && !is_wrapper ? *facts.ollama.exe : "/usr/local/bin/ollama";
}

std::vector<FixStep> RunOllamaItself(const facts::Facts& facts) {
  return LastDropInSteps(
      facts, "VG207", {"ExecStart=", absl::StrCat("ExecStart=", ProgramOf(facts), " serve")},
      "the empty ExecStart= takes the wrapper back, the second one starts Ollama itself",
      "what else the wrapper did (another user, limits, variables) is gone: put User=, Limit…= and "
      "Environment= into the unit first");
}

// The unit runs a program that is neither Ollama nor a known launcher, a signal ends
// every start, and no line of Ollama is in the last one: it dies before Ollama begins. What
// `snap run` starts is the snap's own, and dies of its own.
bool DiesInside(const facts::Facts& facts, const Wrapper& wrapper) {
  if (host::Basename(facts.program.file.path) == "snap") return false;
  if (!wrapper.unknown_program || !facts.DiesAtStart() || facts.process.present()) return false;
  const auto& log = facts.log.journal;
  if (!log.present() || log->exits.empty() || log->starts.empty()) return false;
  const bool by_signal = log->exits.back().code != "exited";
  return by_signal && !log->starts.back().from_its_beginning();
}

// What is known of a wrapper whose text says nothing.
Holds BlameProgram(const facts::Facts& facts) {
  Holds holds;
  holds.confidence = Confidence::kPossible;
  holds.evidence = {
      {facts.program.source, facts.program.line, absl::StrCat("ExecStart=", facts.program.command),
       "the unit starts a program that is not Ollama"},
      FromLog(*facts.log.journal, facts.log.journal->exits.back().line,
              "it dies, and no line of Ollama comes before: what it does to the "
              "shims was not seen")};
  holds.explains = {"VG307", "VG301"};
  holds.headline = absl::StrCat(facts.unit.name, " is started through ", facts.program.file.path,
                                ", which dies before Ollama begins: run Ollama itself.");
  holds.fix = RunOllamaItself(facts);
  holds.expect = {absl::StrCat("`systemctl is-active ", facts.unit.name, "` says active"),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace

Judgement ExecWrapper(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  host::Observed<Wrapper> found = FindWrapper(facts);
  if (found.absent()) {
    return Contradicted{absl::StrCat("ExecStart runs Ollama itself (", facts.program.command, ")")};
  }
  if (!found.present()) {
    return CannotTell{"what ExecStart runs", std::string(found.why_not()),
                      absl::StrCat("systemctl show -p ExecStart ", facts.unit.name)};
  }
  const Wrapper& wrapper = *found;
  const bool unit_seen =
      facts.unit.loaded_environment.present() || facts.unit.files.fragment.present();
  if (unit_seen && !UnitDecidesDiscovery(facts) && wrapper.copies.empty()) {
    return Contradicted{absl::StrCat(facts.program.file.path, " is ", wrapper.kind,
                                     ", and the unit gives nothing that it could take away")};
  }
  host::Observed<std::vector<Difference>> lost = LostByProcess(facts);
  const bool crashing = facts.DiesAtStart() && !wrapper.copies.empty();
  if (lost.present() && lost->empty()) {
    // What it names, it may open in itself: the maps of Ollama decide.
    const auto mapped = CopiesMapped(facts);
    if (wrapper.copies.empty() || (mapped.present() && mapped->empty())) {
      return Contradicted{absl::StrCat(facts.program.file.path, " is ", wrapper.kind,
                                       ", and the process has every variable of the unit")};
    }
  }
  const bool older =
      lost.present() && !lost->empty() && OlderThanUnit(facts, lost->front()).value_or(false);
  if (wrapper.harm.empty() && wrapper.copies.empty()) {
    // Nothing in its text: only its effect could show.
    if (DiesInside(facts, wrapper)) return BlameProgram(facts);
    if (!lost.present() || older) {
      return CannotTell{absl::StrCat("what ", facts.program.file.path, " does to the environment"),
                        absl::StrCat("it is ", wrapper.kind,
                                     " that shows nothing of it, and so does the process"),
                        HowToSeeProcess(facts)};
    }
  }

  Holds holds;
  holds.evidence.push_back({facts.program.source, facts.program.line,
                            absl::StrCat("ExecStart=", facts.program.command),
                            absl::StrCat("the unit starts ", wrapper.kind)});
  for (const Evidence& evidence : wrapper.harm) holds.evidence.push_back(evidence);
  for (const Evidence& evidence : wrapper.copies) holds.evidence.push_back(evidence);
  bool effect = false;
  if (lost.present() && !lost->empty()) {
    AddLost(facts, *lost, holds);
    effect = true;
  }
  // Its environment was not seen: what the unit gives, what the text does to it, and
  // that the shims are not there (or no GPU was found) say the same.
  std::vector<Evidence> without = NoShimEvidence(facts);
  if (without.empty()) without = NoGpuEvidence(facts);
  const bool inferred =
      !lost.present() && !wrapper.harm.empty() && UnitDecidesDiscovery(facts) && !without.empty();
  if (inferred) {
    for (Evidence& evidence : without) holds.evidence.push_back(std::move(evidence));
    effect = true;
  }
  // A process that was started before the unit was loaded as it is now may not have been
  // started by this wrapper: then it acts at the next start.
  if (older) holds.acts = Acts::kNextStart;
  holds.confidence = effect && !inferred && !wrapper.harm.empty() && holds.acts == Acts::kNow
                         ? Confidence::kCertain
                         : Confidence::kLikely;
  if (effect) {
    holds.explains = {"VG303", "VG704"};
  }
  if (!wrapper.copies.empty()) {
    holds.explains.push_back("VG410");
  }
  if (crashing) {
    holds.explains.push_back("VG307");
    holds.explains.push_back("VG301");
    if (facts.log.journal.present() && !facts.log.journal->exits.empty()) {
      holds.evidence.push_back(FromLog(*facts.log.journal, facts.log.journal->exits.back().line,
                                       "and what it starts dies"));
    }
  }
  if (!effect && !crashing) holds.acts = Acts::kNextStart;

  holds.headline =
      effect ? absl::StrCat(facts.unit.name, " is started through ", facts.program.file.path,
                            ", which does not pass its environment on",
                            inferred ? "" : absl::StrCat(" (", Describe(*lost), ")"),
                            ": run Ollama itself.")
             : absl::StrCat(facts.unit.name, " is started through ", facts.program.file.path,
                            !wrapper.copies.empty()
                                ? ", which opens copies of shims that are preloaded already: run "
                                  "Ollama itself."
                                : ", which changes what is preloaded: run Ollama itself.");
  holds.fix = RunOllamaItself(facts);
  holds.expect = {
      absl::StrCat("`systemctl show -p ExecStart ", facts.unit.name, "` names ", ProgramOf(facts)),
      ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

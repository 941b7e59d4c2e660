// VG506 llm-library-mismatch: OLLAMA_LLM_LIBRARY names no variant with a CUDA backend, so
// that every one that has it is skipped (B, C).
//
// It is compared with the name of the directory, character by character, and the skipping is
// logged at DEBUG only (ollama/ollama discover/runner.go v0.13.5 and v0.33.0-rc2). That the
// *other* variants are skipped is normal. Era A takes the variant that fits where there is
// none of that name (llm/server.go v0.6.8).

#include <algorithm>
#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/host/host.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/in_effect.h"
#include "diag/rules/shared/installation.h"

namespace vgpu::rules {
namespace {

constexpr char kName[] = "OLLAMA_LLM_LIBRARY";

// As Ollama reads a variable: without blanks and quotes around it (envconfig.Var).
std::string Trimmed(const std::string& value) {
  const size_t begin = value.find_first_not_of(" \t\r\n\"'");
  if (begin == std::string::npos) return "";
  return value.substr(begin, value.find_last_not_of(" \t\r\n\"'") + 1 - begin);
}

Holds Mismatch(const facts::Facts& facts, const InEffect& variable, const std::string& requested,
               const ollama::Variant* same_name) {
  const ollama::LibraryDir& dir = *facts.ollama.library_dir;
  Holds holds;
  holds.acts = variable.acts;
  holds.evidence = variable.evidence;
  std::vector<std::string> names, cuda;
  for (const ollama::Variant& variant : dir.variants) {
    names.push_back(variant.name);
    if (variant.cuda_backend.present()) cuda.push_back(variant.name);
  }
  if (names.size() > 16) names.resize(16);
  holds.evidence.push_back(
      {dir.path, 0, absl::StrJoin(names, " "),
       same_name == nullptr ? "the variants that there are: none has that name, and all are skipped"
                            : "the variants that there are: the one of that name holds no CUDA "
                              "backend, and the others are skipped"});
  std::vector<Evidence> effect;
  if (variable.acts == Acts::kNow) effect = NoGpuEvidence(facts);
  if (const ollama::ServerStart* start = facts.ThisStart();
      start != nullptr && variable.acts == Acts::kNow) {
    for (const ollama::Named& skipped : start->skipped) {
      if (holds.evidence.size() > 8) break;
      holds.evidence.push_back(FromLog(*facts.log.ServersLog(), skipped.line, "skipped"));
    }
  }
  holds.confidence = !effect.empty() && variable.of_process && same_name == nullptr &&
                             facts.ollama.era != ollama::Era::kUnknown
                         ? Confidence::kCertain
                         : Confidence::kLikely;
  if (facts.ollama.era == ollama::Era::kUnknown) holds.confidence = Confidence::kPossible;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat(kName, "=", requested,
                                same_name == nullptr ? " names no variant that is installed"
                                                     : " names a variant without CUDA",
                                ": Ollama skips ", absl::StrJoin(cuda, ", "), ".");
  holds.fix = UnsetSteps(facts, "VG506", variable);
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

// Directories of variants that releases of eras B and C bring (v0.12.4 to v0.33.0-rc2).
constexpr absl::string_view kShipped[] = {"cuda_v12",      "cuda_v13", "cuda_jetpack5",
                                          "cuda_jetpack6", "rocm",     "vulkan"};

bool IsShipped(absl::string_view name) {
  return std::find(std::begin(kShipped), std::end(kShipped), name) != std::end(kShipped);
}

// A log alone whose level does not show what was skipped: the server says the name, no release has
// a variant of it, and nothing was found.
std::optional<Judgement> UnknownNameInLog(const facts::Facts& facts, const InEffect& variable,
                                          const std::string& requested) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (!facts.only_a_log || start == nullptr || facts.ollama.era == ollama::Era::kUnknown ||
      IsShipped(requested) || !start->skipped.empty() || !start->passes.empty() ||
      !start->failures.empty() || start->InitError() != nullptr) {
    return std::nullopt;
  }
  const std::vector<Evidence> effect = NoGpuEvidence(facts);
  if (effect.empty()) return std::nullopt;
  Holds holds;
  holds.evidence = variable.evidence;
  holds.evidence.insert(holds.evidence.end(), effect.begin(), effect.end());
  holds.confidence = Confidence::kLikely;
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat(kName, "=", requested,
                                " names no variant that a release of Ollama has: all are skipped.");
  holds.fix = UnsetSteps(facts, "VG506", variable);
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

// A log alone: discovery skipped every variant that there is, and tried none.
std::optional<Judgement> MismatchInLog(const facts::Facts& facts, const InEffect& variable,
                                       const std::string& requested) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (!facts.only_a_log || start == nullptr || start->detail < ollama::Detail::kDebug ||
      !start->passes.empty() || !start->failures.empty()) {
    return std::nullopt;
  }
  Holds holds;
  holds.evidence = variable.evidence;
  for (const ollama::Named& skipped : start->skipped) {
    if (skipped.value != requested) continue;
    if (host::Basename(skipped.name) == requested) return std::nullopt;
    if (holds.evidence.size() > 8) break;
    holds.evidence.push_back(
        FromLog(*facts.log.ServersLog(), skipped.line, "skipped: its name is another"));
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  if (holds.evidence.size() == variable.evidence.size() || effect.empty()) return std::nullopt;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  // Of a log that begins later, a variant that was tried may be missing.
  holds.confidence = start->began || start->from_its_beginning() ? Confidence::kCertain
                     : IsShipped(requested)                      ? Confidence::kPossible
                                                                 : Confidence::kLikely;
  holds.explains = {"VG704"};
  holds.headline = absl::StrCat(kName, "=", requested,
                                " names no variant that is installed: Ollama skips all of them.");
  holds.fix = UnsetSteps(facts, "VG506", variable);
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace

Judgement LlmLibraryMismatch(const facts::Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  std::string fits;
  for (const InEffect& variable : ValuesInEffect(facts, kName)) {
    if (!variable.value.present()) continue;
    const std::string requested = Trimmed(*variable.value);
    if (requested.empty()) continue;
    if (facts.ollama.era == ollama::Era::kA) {
      return Contradicted{"in era A a name that fits no variant is passed over"};
    }
    if (auto in_log = MismatchInLog(facts, variable, requested)) return *in_log;
    if (auto in_log = UnknownNameInLog(facts, variable, requested)) return *in_log;
    if (dir.absent()) return Contradicted{"there is no library directory with a variant to skip"};
    if (!dir.present()) {
      return CannotTell{"the variants below Ollama's library directory", std::string(dir.why_not()),
                        HowToSeeProcess(facts)};
    }
    const ollama::Variant* same_name = nullptr;
    bool unseen = dir->incomplete;
    for (const ollama::Variant& variant : dir->variants) {
      if (variant.name == requested) same_name = &variant;
      unseen = unseen || variant.cuda_backend.not_observed();
    }
    // The variant is there: what its backend lacks is another cause.
    if (same_name != nullptr && !same_name->backend_path.empty()) {
      fits = requested;
      continue;
    }
    if (unseen) {
      return CannotTell{absl::StrCat("all of ", dir->path), "a directory below it cannot be listed",
                        absl::StrCat("sudo ls -l ", Quoted(dir->path), "/*/")};
    }
    if (!dir->HasCuda()) {
      return Contradicted{absl::StrCat("no variant below ", dir->path,
                                       " has a CUDA backend that could be skipped")};
    }
    return Mismatch(facts, variable, requested, same_name);
  }
  // The line of what was skipped says it too, where the server's first line is not in the log.
  if (const ollama::ServerStart* start = facts.ThisStart();
      facts.only_a_log && start != nullptr && !start->skipped.empty() && !start->server_config) {
    const std::string requested = Trimmed(start->skipped.front().value);
    InEffect asked;
    asked.name = kName;
    asked.value = requested;
    if (!requested.empty()) {
      if (auto in_log = MismatchInLog(facts, asked, requested)) return *in_log;
    }
  }
  if (!fits.empty()) return Contradicted{absl::StrCat(kName, "=", fits, " is a variant")};
  const InEffect now = ValueNow(facts, kName);
  const InEffect next = ValueAtNextStart(facts, kName);
  if (now.value.not_observed() && next.value.not_observed()) {
    return CannotTell{absl::StrCat(kName, " of the server"), std::string(now.value.why_not()),
                      HowToSeeProcess(facts)};
  }
  return Contradicted{absl::StrCat(kName, " is not set")};
}

}  // namespace vgpu::rules

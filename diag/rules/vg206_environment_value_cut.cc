// VG206 environment-value-cut: an unquoted space ends the value of a variable.
//
// Environment=LD_PRELOAD=/a.so /b.so sets /a.so, and systemd says of /b.so `Invalid
// environment assignment, ignoring` (measured, systemd 252). Between quotes a space is
// legal, and the loader takes it for a separator.

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/ollama/variables.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/start_failure.h"
#include "diag/rules/shared/wanted.h"

namespace vgpu::rules {
namespace {

constexpr absl::string_view kMessage = "Invalid environment assignment, ignoring: ";
constexpr size_t kMaxNamed = 8;

struct Cut {
  std::string name;
  std::string left;  // of the value
  std::vector<std::string> words;
  systemd::Place place;
};

// The words that were cut off on one line, with the variable before them that is in force.
std::vector<Cut> CutValues(const systemd::EffectiveUnit& unit) {
  std::vector<Cut> cuts;
  for (const systemd::UnitProblem& problem : unit.problems) {
    absl::string_view word = problem.message;
    if (!absl::ConsumePrefix(&word, kMessage)) continue;
    if (!cuts.empty() && cuts.back().place == problem.place) {
      cuts.back().words.emplace_back(word);
      continue;
    }
    for (const auto& [name, entry] : unit.environment) {
      if (!(entry.place == problem.place) || !entry.value.present()) continue;
      // A word of a list of paths belongs to one; else it may be anything.
      if (!ollama::DecidesDiscovery(name)) continue;
      cuts.push_back({name, *entry.value, {std::string(word)}, problem.place});
      break;
    }
  }
  return cuts;
}

// A log alone: what systemd said as it read the unit. Whose value it was is not said.
//   /etc/systemd/system/ollama.service.d/vgpu.conf:3: Invalid environment assignment, ignoring:
//   /b.so
std::optional<Judgement> CutInLog(const facts::Facts& facts) {
  if (!facts.only_a_log) return std::nullopt;
  std::optional<Evidence> said =
      SystemdSays(facts, kMessage, "systemd passes over what stands behind an unquoted space");
  if (!said || !absl::StrContains(said->quote, facts.unit.name)) return std::nullopt;
  const size_t at = said->quote.find(std::string(kMessage));
  const std::string word = said->quote.substr(at + kMessage.size());
  std::string place = said->quote.substr(0, at);
  while (absl::EndsWith(place, ":") || absl::EndsWith(place, " ")) place.pop_back();
  // A word of a list of libraries; else it may be of anything.
  const bool of_libraries = absl::StrContains(word, ".so");
  const std::vector<Evidence> effect = NoGpuEvidence(facts);
  Holds holds;
  holds.confidence = of_libraries ? Confidence::kLikely : Confidence::kPossible;
  holds.acts = effect.empty() || !of_libraries ? Acts::kNextStart : Acts::kNow;
  holds.evidence.push_back(*std::move(said));
  if (holds.acts == Acts::kNow) {
    holds.evidence.insert(holds.evidence.end(), effect.begin(), effect.end());
    holds.explains = {"VG704"};
  }
  holds.headline = absl::StrCat("An unquoted space in ", place, " cuts a variable off before ",
                                word, ": put the assignment in quotes.");
  const std::string file = place.substr(0, place.rfind(':'));
  holds.fix = {{absl::StrCat("sudoedit ", ShellWord(file)),
                "write the whole assignment in quotes: Environment=\"NAME=…\"", "",
                "take the quotes out again"},
               ReloadStep("systemd reads the file again"),
               RestartStep(facts, "only a new process gets what the unit says now")};
  holds.expect = {"systemd does not say `Invalid environment assignment` after the reload"};
  if (holds.acts == Acts::kNow) holds.expect.push_back(ExpectGpuLine(facts));
  return holds;
}

}  // namespace

Judgement EnvironmentValueCut(const facts::Facts& facts) {
  if (auto in_log = CutInLog(facts)) return *in_log;
  if (auto none = WithoutUnit(facts)) return *none;
  if (!facts.unit.files.fragment.present() && facts.unit.files.drop_ins.empty()) {
    return CannotTell{absl::StrCat("the files of ", facts.unit.name),
                      std::string(facts.unit.files.fragment.why_not()),
                      absl::StrCat("systemctl cat ", facts.unit.name)};
  }
  const std::vector<Cut> cuts = CutValues(facts.unit.on_disk);
  if (cuts.empty()) return Contradicted{"no value of Environment= ends at an unquoted space"};
  const Cut& cut = cuts.front();
  const std::string lost = absl::StrJoin(cut.words, ":");
  const std::string whole = cut.name == "LD_PRELOAD" || cut.name == "LD_LIBRARY_PATH"
                                ? absl::StrCat(cut.left, ":", lost)
                                : absl::StrCat(cut.left, " ", absl::StrJoin(cut.words, " "));
  Holds holds;
  holds.evidence.push_back(
      {cut.place.file, cut.place.line,
       absl::StrCat("Environment=", cut.name, "=", cut.left, " ", absl::StrJoin(cut.words, " ")),
       absl::StrCat("the value ends at the first space: ", cut.name, " is ", cut.left)});
  for (size_t i = 0; i < cut.words.size() && i < kMaxNamed; ++i) {
    holds.evidence.push_back(
        {cut.place.file, cut.place.line, cut.words[i], "systemd passes this over"});
  }
  if (auto said =
          SystemdSays(facts, absl::StrCat(kMessage, cut.words.front()), "systemd says so")) {
    holds.evidence.push_back(*std::move(said));
  }
  if (LosesByIt(facts, cut.name, lost)) {
    AddEffect(facts, cut.name, lost, holds);
    if (ProcessHas(facts, cut.name, lost).value_or(true) && facts.process.present()) {
      holds.acts = Acts::kNextStart;
    }
  } else {
    // Nothing that discovery needs is lost.
    holds.acts = Acts::kNextStart;
    holds.confidence = Confidence::kLikely;
  }
  holds.headline =
      absl::StrCat("An unquoted space in ", cut.place.file, ":", cut.place.line, " cuts ", cut.name,
                   " off behind ", cut.left, ": put the assignment in quotes.");
  holds.fix =
      LastDropInSteps(facts, "VG206", {absl::StrCat("Environment=\"", cut.name, "=", whole, "\"")},
                      "the whole value, in quotes, in the drop-in that is read last", "");
  holds.expect = {
      absl::StrCat("`systemctl show -p Environment ", facts.unit.name, "` has ", cut.words.back())};
  if (!holds.explains.empty()) holds.expect.push_back(ExpectGpuLine(facts));
  return holds;
}

}  // namespace vgpu::rules

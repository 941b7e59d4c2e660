#include "diag/rules/shared/start_failure.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {

std::vector<Evidence> FailedWith(const facts::Facts& facts, absl::string_view status) {
  std::vector<Evidence> evidence;
  if (facts.process.present() || !facts.unit_judged) return evidence;
  const absl::string_view number = status.substr(0, status.find('/'));
  const absl::string_view step = status.substr(number.size() + 1);
  // A start that went well leaves no line of its end where somebody stops it. systemd knows how
  // the last main process ended, and of one that it could not execute that is the number.
  if (facts.unit.loaded.present()) {
    const std::string last(facts.unit.loaded->Get("ExecMainStatus").value_or(""));
    const std::string began(facts.unit.loaded->Get("ExecMainStartTimestampMonotonic").value_or(""));
    if (!last.empty() && last != number && !began.empty() && began != "0") return evidence;
  }
  if (facts.log.journal.present() && !facts.log.journal->exits.empty()) {
    const ollama::Exit& last = facts.log.journal->exits.back();
    if (last.status == status) {
      evidence.push_back(FromLog(*facts.log.journal, last.line, "the last start ended so"));
    } else {
      return evidence;  // another end came later
    }
  }
  if (facts.unit.loaded.present() &&
      facts.unit.loaded->Get("ExecMainStatus").value_or("") == number) {
    evidence.push_back({facts.unit.loaded.source, 0, absl::StrCat("ExecMainStatus=", number),
                        absl::StrCat("systemd's own code for the step ", step)});
  }
  if (auto said = SystemdSays(facts, absl::StrCat("Failed at step ", step),
                              "systemd could not start the program")) {
    evidence.push_back(*std::move(said));
  }
  if (step == "EXEC") {
    for (absl::string_view words : {"Failed to execute ", "Failed to locate executable "}) {
      if (auto said = SystemdSays(facts, words, "systemd says why")) {
        evidence.push_back(*std::move(said));
      }
    }
  }
  return evidence;
}

std::optional<Evidence> SystemdSays(const facts::Facts& facts, absl::string_view part,
                                    std::string meaning) {
  if (!facts.log.journal.present()) return std::nullopt;
  const std::vector<ollama::LogLine>& lines = facts.log.journal->unit_problems;
  for (auto it = lines.rbegin(); it != lines.rend(); ++it) {
    if (absl::StrContains(it->text, part)) {
      return FromLog(*facts.log.journal, *it, std::move(meaning));
    }
  }
  return std::nullopt;
}

std::string ShellWord(absl::string_view text) {
  constexpr absl::string_view kBare =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:@%,=";
  if (!text.empty() && text.find_first_not_of(kBare) == absl::string_view::npos) {
    return std::string(text);
  }
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace vgpu::rules

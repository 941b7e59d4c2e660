#include "diag/systemd/effective_unit.h"

#include <cstddef>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/systemd/environment_file.h"
#include "diag/systemd/known_keys.h"
#include "diag/systemd/quoting.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

using ::vgpu::host::NotObserved;
using ::vgpu::host::Observed;

bool IsSpace(char c) { return kWhitespace.find(c) != absl::string_view::npos; }

// What is kept of one unit, in bytes. Real ones need some thousand; a hostile one can
// name a long specifier a million times.
constexpr size_t kBudget = size_t{64} << 20;

// A lone ";" or "\;" between white space.
bool StartsWithToken(absl::string_view text, absl::string_view token) {
  return absl::StartsWith(text, token) &&
         (text.size() == token.size() || IsSpace(text[token.size()]));
}

class Merger {
 public:
  Merger(const SpecifierContext& context, EffectiveUnit* unit) : context_(context), unit_(unit) {}

  void Merge(const UnitFile& file, bool is_fragment) {
    // Problems of the text and of what it means, in the order of their lines.
    size_t next = 0;
    const auto say_until = [&](int line) {
      for (; next < file.problems.size() && file.problems[next].line <= line; ++next) {
        place_ = {file.path, file.problems[next].line};
        Say(file.problems[next].message);
      }
    };
    for (const Assignment& assignment : file.assignments) {
      if (TooLarge()) return;
      say_until(assignment.line);
      place_ = {file.path, assignment.line};
      if (!Apply(assignment)) {
        unit_->bad_setting |= is_fragment;
        return;  // systemd reads no further in this file
      }
      if (TooLarge()) Say("the unit is too large to be judged; what follows was not read");
    }
    say_until(file.problems.empty() ? 0 : file.problems.back().line);
    unit_->bad_setting |= is_fragment && file.stopped;
  }

 private:
  void Say(std::string message) { unit_->problems.push_back({place_, std::move(message)}); }

  bool TooLarge() const { return spent_ > kBudget; }

  // The expansion of one word that is going to be kept.
  absl::StatusOr<Observed<std::string>> Expanded(absl::string_view word) {
    absl::StatusOr<Observed<std::string>> text = ExpandSpecifiers(word, context_);
    spent_ += sizeof(Superseded) + 2 * place_.file.size() + 2 * word.size();
    if (text.ok() && text->present()) spent_ += (*text)->size();
    return text;
  }

  // False where systemd gives the file up.
  bool Apply(const Assignment& a) {
    const KeyKind kind = FindKey(a.section, a.key);
    if (!TakesEffect(a) || kind == KeyKind::kUnknown || kind == KeyKind::kNoEffect) {
      if (TakesEffect(a) && !absl::StartsWith(a.key, "X-")) {
        Say(kind == KeyKind::kUnknown
                ? absl::StrCat("Unknown key '", a.key, "' in section [", a.section, "], ignoring.")
                : absl::StrCat("Support for option ", a.key,
                               "= has been removed and it is ignored"));
      }
      unit_->ineffective.push_back({a.section, a.key, a.value, place_});
      return true;
    }
    if (a.section == "Service") {
      if (a.key == "Environment") return ApplyEnvironment(a.value), true;
      if (a.key == "EnvironmentFile") return ApplyEnvironmentFile(a.value), true;
      if (a.key == "UnsetEnvironment" || a.key == "PassEnvironment") return ApplyWords(a), true;
      if (a.key == "ExecStart") return ApplyExec(a.value, &unit_->exec_start);
      if (a.key == "ExecStartPre") return ApplyExec(a.value, &unit_->exec_start_pre);
    }
    ApplySetting(a, kind);
    return true;
  }

  void ApplySetting(const Assignment& a, KeyKind kind) {
    if (kind == KeyKind::kBoolean && ParseBoolean(a.value) < 0) {
      Say(absl::StrCat("Failed to parse boolean value, ignoring: ", a.value));
      return;
    }
    if (kind == KeyKind::kKeeps && a.value.empty()) return;
    std::vector<Setting>& list = unit_->settings[{a.section, a.key}];
    if (a.value.empty()) {
      list.clear();
    } else {
      list.push_back({a.section, a.key, a.value, place_});
    }
  }

  void ApplyEnvironment(absl::string_view value) {
    if (value.empty()) {
      for (auto& [key, entry] : unit_->environment) {
        unit_->superseded.push_back({key, std::move(entry), place_, Superseded::How::kReset});
      }
      unit_->environment.clear();
      return;
    }
    absl::string_view rest = value;
    while (!TooLarge()) {
      absl::StatusOr<std::optional<std::string>> word = TakeWord(&rest, Escapes::kC);
      if (!word.ok()) {  // what came before it on the line stands
        Say(absl::StrCat("Invalid syntax, ignoring: ", value));
        return;
      }
      if (!word->has_value()) return;
      SetVariable(**word);
    }
  }

  void SetVariable(const std::string& word) {
    absl::StatusOr<Observed<std::string>> resolved = Expanded(word);
    if (!resolved.ok()) {
      Say(absl::StrCat("Failed to resolve specifiers in ", word,
                       ", ignoring: ", resolved.status().message()));
      return;
    }
    // Where the value cannot be told, the name mostly can.
    const std::string& text = resolved->present() ? **resolved : word;
    const size_t equals = text.find('=');
    std::string key = text.substr(0, equals);
    if (equals == std::string::npos || !IsEnvironmentName(key) || !IsValidUtf8(text)) {
      Say(resolved->present() ? absl::StrCat("Invalid environment assignment, ignoring: ", text)
                              : absl::StrCat(text, " cannot be judged: ", resolved->why_not()));
      return;
    }
    EnvironmentEntry entry;
    const size_t raw_equals = word.find('=');
    entry.raw = raw_equals == std::string::npos ? word : word.substr(raw_equals + 1);
    entry.place = place_;
    if (resolved->present()) {
      entry.value = text.substr(equals + 1);
    } else {
      entry.value = NotObserved{std::string(resolved->why_not())};
    }
    auto [it, inserted] = unit_->environment.try_emplace(std::move(key));
    if (!inserted) {
      unit_->superseded.push_back(
          {it->first, std::move(it->second), place_, Superseded::How::kReplaced});
    }
    it->second = std::move(entry);
  }

  // The whole value is one path: neither quotes nor a second path are known here.
  void ApplyEnvironmentFile(absl::string_view value) {
    if (value.empty()) return unit_->environment_files.clear();
    absl::StatusOr<Observed<std::string>> resolved = Expanded(value);
    if (!resolved.ok()) {
      Say(absl::StrCat("Failed to resolve unit specifiers in '", value,
                       "', ignoring: ", resolved.status().message()));
      return;
    }
    absl::string_view path = resolved->present() ? absl::string_view(**resolved) : value;
    const bool optional = absl::ConsumePrefix(&path, "-");
    if (path.empty() || path[0] != '/') {
      Say(absl::StrCat("EnvironmentFile= path is not absolute, ignoring: ", path));
      return;
    }
    unit_->environment_files.push_back({SimplifyPath(path), optional, place_});
  }

  void ApplyWords(const Assignment& a) {
    const bool unset = a.key == "UnsetEnvironment";
    auto& list = unset ? unit_->unset_environment : unit_->pass_environment;
    if (a.value.empty()) return list.clear();
    absl::string_view rest = a.value;
    while (!TooLarge()) {
      absl::StatusOr<std::optional<std::string>> word =
          TakeWord(&rest, unset ? Escapes::kC : Escapes::kPlain);
      if (!word.ok()) {
        Say(absl::StrCat("Trailing garbage in ", a.key, ", ignoring: ", a.value));
        return;
      }
      if (!word->has_value()) return;
      absl::StatusOr<Observed<std::string>> resolved = Expanded(**word);
      if (!resolved.ok()) {
        Say(absl::StrCat("Failed to resolve ", unset ? "unit " : "", "specifiers in ", **word,
                         ", ignoring: ", resolved.status().message()));
        continue;
      }
      std::string name = resolved->value_or(**word);
      const size_t equals = unset ? name.find('=') : std::string::npos;
      if (!IsEnvironmentName(absl::string_view(name).substr(0, equals)) || !IsValidUtf8(name)) {
        Say(absl::StrCat("Invalid environment name ", unset ? "or assignment " : "for ", a.key,
                         ", ignoring: ", name));
        continue;
      }
      list.push_back({std::move(name), place_});
    }
  }

  // --- ExecStart= (load-fragment.c, config_parse_exec) ---

  bool ApplyExec(absl::string_view value, std::vector<ExecCommand>* list) {
    if (value.empty()) {
      list->clear();
      return true;
    }
    absl::string_view rest = value;
    while (!TooLarge()) {
      // An error in the first word drops the line; a later one stops the file.
      std::optional<std::string> first;
      const absl::string_view begin = rest;
      if (!TakeExecWord(&rest, value, &first) || !first.has_value()) return true;
      if (*first == ";") continue;
      ExecCommand command;
      command.place = place_;
      bool more = false;
      if (!ReadCommand(*first, value, &rest, &command, &more)) return command.IgnoresFailure();
      command.raw = std::string(StripWhitespace(begin.substr(0, begin.size() - rest.size())));
      if (more) {
        command.raw.resize(command.raw.rfind(';'));
        command.raw = std::string(StripWhitespace(command.raw));
      }
      list->push_back(std::move(command));
      if (!more) return true;
    }
    return true;
  }

  // False where the command is refused.
  bool ReadCommand(absl::string_view first, absl::string_view line, absl::string_view* rest,
                   ExecCommand* command, bool* more) {
    command->prefixes = std::string(TakePrefixes(&first));
    const auto refuse = [&](absl::string_view what, absl::string_view about) {
      Say(absl::StrCat(what, command->IgnoresFailure() ? ", ignoring" : "", ": ", about));
      return false;
    };
    std::optional<std::string> path = Expand(first, command);
    if (!path.has_value()) return false;
    if (path->empty()) return refuse("Empty path in command line", absl::StrCat("'", line, "'"));
    for (char c : *path) {
      if ((c > 0 && c < ' ') || c == '"' || c == '\'' || c == '\\' || c == '\x7f') {
        return refuse("Executable name contains special characters", *path);
      }
    }
    if (path->back() == '/') return refuse("Executable path specifies a directory", *path);
    if ((*path)[0] != '/' && (absl::StrContains(*path, '/') || *path == "." || *path == "..")) {
      return refuse("Neither a valid executable name nor an absolute path", *path);
    }
    if (!absl::StrContains(command->prefixes, '@')) command->argv.push_back(*path);
    command->path = SimplifyPath(*path);
    while (!rest->empty()) {
      const bool separator = StartsWithToken(*rest, ";");
      if (separator || StartsWithToken(*rest, "\\;")) {
        rest->remove_prefix(separator ? 1 : 2);
        while (!rest->empty() && IsSpace((*rest)[0])) rest->remove_prefix(1);
        *more = separator;
        if (separator) break;
        command->argv.push_back(";");
        continue;
      }
      std::optional<std::string> word;
      if (!TakeExecWord(rest, line, &word)) return false;
      if (!word.has_value()) break;
      std::optional<std::string> argument = Expand(*word, command);
      if (!argument.has_value()) return false;
      command->argv.push_back(std::move(*argument));
    }
    if (command->argv.empty() || command->argv[0].empty()) {
      return refuse("Empty executable name or zeroeth argument", line);
    }
    return true;
  }

  // Each of "-@:" once; "+", "!" and "!!" exclude each other.
  static absl::string_view TakePrefixes(absl::string_view* word) {
    bool ignore = false, argv0 = false, raw = false, plus = false;
    int bangs = 0;
    size_t i = 0;
    for (; i < word->size(); ++i) {
      const char c = (*word)[i];
      if (c == '-' && !ignore) {
        ignore = true;
      } else if (c == '@' && !argv0) {
        argv0 = true;
      } else if (c == ':' && !raw) {
        raw = true;
      } else if (c == '+' && !plus && bangs == 0) {
        plus = true;
      } else if (c == '!' && !plus && bangs < 2) {
        ++bangs;
      } else {
        break;
      }
    }
    const absl::string_view prefixes = word->substr(0, i);
    word->remove_prefix(i);
    return prefixes;
  }

  // systemd tries again with unknown escapes as written, and warns of them.
  bool TakeExecWord(absl::string_view* rest, absl::string_view line,
                    std::optional<std::string>* word) {
    absl::StatusOr<std::optional<std::string>> taken = TakeWord(rest, Escapes::kC);
    if (!taken.ok()) {
      taken = TakeWord(rest, Escapes::kCRelaxed);
      if (!taken.ok()) {
        Say(absl::StrCat("Unbalanced quoting, ignoring: \"", line, "\""));
        return false;
      }
      Say(absl::StrCat("Ignoring unknown escape sequences: \"", **taken, "\""));
    }
    *word = *std::move(taken);
    return true;
  }

  std::optional<std::string> Expand(absl::string_view word, ExecCommand* command) {
    absl::StatusOr<Observed<std::string>> resolved = Expanded(word);
    if (!resolved.ok()) {
      Say(absl::StrCat("Failed to resolve unit specifiers in '", word, "'",
                       command->IgnoresFailure() ? ", ignoring" : "", ": ",
                       resolved.status().message()));
      return std::nullopt;
    }
    if (resolved->present()) return **resolved;
    if (command->unexpanded.empty()) command->unexpanded = std::string(resolved->why_not());
    return std::string(word);
  }

  const SpecifierContext& context_;
  EffectiveUnit* unit_;
  Place place_;
  size_t spent_ = 0;
};

}  // namespace

const Setting* EffectiveUnit::Last(absl::string_view section, absl::string_view key) const {
  const auto it = settings.find({std::string(section), std::string(key)});
  return it == settings.end() || it->second.empty() ? nullptr : &it->second.back();
}

std::vector<Setting> EffectiveUnit::All(absl::string_view section, absl::string_view key) const {
  const auto it = settings.find({std::string(section), std::string(key)});
  return it == settings.end() ? std::vector<Setting>() : it->second;
}

EffectiveUnit MergeUnit(absl::Span<const UnitFile* const> files, const SpecifierContext& context) {
  EffectiveUnit unit;
  Merger merger(context, &unit);
  for (size_t i = 0; i < files.size(); ++i) merger.Merge(*files[i], /*is_fragment=*/i == 0);
  return unit;
}

}  // namespace vgpu::systemd

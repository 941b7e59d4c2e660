#include "tools/vgpu_doctor/meant.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/host/host.h"
#include "diag/rules/steps.h"
#include "diag/runbooks/runbooks.h"
#include "tools/command_line/describe.h"
#include "tools/command_line/suggest.h"
#include "tools/vgpu_doctor/cause_name.h"
#include "tools/vgpu_doctor/path_kind.h"

namespace vgpu::doctor {
namespace {

using command_line::Command;
using command_line::Option;

std::string Quoted(const std::vector<std::string>& words) {
  return absl::StrJoin(words, " ", [](std::string* out, const std::string& word) {
    absl::StrAppend(out, rules::ShellQuoted(word));
  });
}

std::string DidYouMean(absl::string_view command, absl::string_view option,
                       const std::vector<std::string>& words) {
  return absl::StrCat("Did you mean `vgpu-doctor ", command, option.empty() ? "" : " ", option, " ",
                      Quoted(words), "`?");
}

const Option* FindOption(const Command& command, absl::string_view name) {
  for (const Option& option : command.options) {
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) {
      return &option;
    }
  }
  return nullptr;
}

const Command* FindCommand(const Command& command, absl::string_view name) {
  for (const Command& sub : command.commands) {
    if (sub.name == name) return &sub;
  }
  return nullptr;
}

// The arguments, as far as they are understood.
struct Line {
  const Command* command = nullptr;  // the innermost one
  std::string name;                  // its words; empty: none was named
  std::vector<std::string> words;    // that stand behind it and belong to no option
  std::vector<std::string> unknown;  // options
};

Line Read(const Command& program, const std::vector<std::string>& arguments) {
  Line line;
  line.command = &program;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") break;
    if (!absl::StartsWith(argument, "-") || argument == "-") {
      const Command* sub = line.words.empty() ? FindCommand(*line.command, argument) : nullptr;
      if (sub == nullptr) {
        line.words.push_back(argument);
      } else {
        line.command = sub;
        absl::StrAppend(&line.name, line.name.empty() ? "" : " ", argument);
      }
      continue;
    }
    const size_t equals = argument.find('=');
    const Option* option = FindOption(*line.command, argument.substr(0, equals));
    if (option == nullptr) {
      line.unknown.push_back(argument.substr(0, equals));
    } else if (option->value != command_line::Value::kNone && equals == std::string::npos) {
      ++i;
    }
  }
  return line;
}

// An option of `check` without the word `check`.
std::string WithCheck(const Command& program, const Line& line,
                      const std::vector<std::string>& arguments) {
  const Command* check = FindCommand(program, "check");
  const bool of_check =
      check != nullptr && line.name.empty() && !line.unknown.empty() &&
      std::all_of(line.unknown.begin(), line.unknown.end(),
                  [&](const std::string& name) { return FindOption(*check, name) != nullptr; });
  return of_check ? DidYouMean("check", "", arguments) : "";
}

// What `check` calls it; "" where it is nothing that `check` takes.
absl::string_view OptionFor(PathKind kind) {
  switch (kind) {
    case PathKind::kHost:
    case PathKind::kHostBelow:
      return "--root";
    case PathKind::kHosts:
      return "--each";
    case PathKind::kProbe:
      return "--probe";
    case PathKind::kText:
      return "--log";
    case PathKind::kNothing:
    case PathKind::kDirectory:
    case PathKind::kBaseline:
      break;
  }
  return "";
}

std::string OfPath(const Line& line, PathKind kind) {
  const std::string& path = line.words[0];
  if (kind == PathKind::kBaseline) {
    return DidYouMean(line.name == "baseline" ? "baseline show" : "diff-against-baseline", "",
                      {path});
  }
  const absl::string_view option = OptionFor(kind);
  if (option.empty()) return "";
  const Option* own = FindOption(*line.command, option);
  std::vector<std::string> paths = {path};
  if (kind == PathKind::kHostBelow) paths[0] = host::JoinPath(path, "host");
  // Several hosts make one table.
  if (kind == PathKind::kHost && (own == nullptr || own->repeated)) {
    for (size_t i = 1; i < line.words.size(); ++i) {
      if (KindOfPath(line.words[i]) == kind) paths.push_back(line.words[i]);
    }
  }
  return DidYouMean(own != nullptr ? line.name : "check", option, paths);
}

bool IsUnitName(absl::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("@._-:", absl::string_view(&c, 1));
  });
}

std::string OfWord(const Line& line) {
  const std::string& word = line.words[0];
  const auto has = [&](absl::string_view option) {
    return FindOption(*line.command, option) != nullptr;
  };
  if (FindCause(word) != nullptr) {
    return has("--rule") ? absl::StrCat("`vgpu-doctor check --rule ", word,
                                        "` judges that cause alone, and `vgpu-doctor explain ",
                                        word, "` tells of it.")
                         : DidYouMean("explain", "", {word});
  }
  if (line.name.empty() && runbooks::FindGuide(word) != nullptr) {
    return DidYouMean("explain", "", {word});
  }
  const bool number = std::all_of(word.begin(), word.end(), absl::ascii_isdigit);
  if (has("--pid") && number && !word.empty()) return DidYouMean(line.name, "--pid", {word});
  if (has("--name")) return DidYouMean(line.name, "--name", {word});
  const bool service = absl::EndsWith(word, ".service");
  if (has("--no-redact") && !service) return DidYouMean(line.name, "-o", {word});
  if (line.name.empty() && service) return DidYouMean("check", "--unit", {word});
  if (has("--unit") && IsUnitName(word)) {
    return absl::StrCat("If that is a unit: `vgpu-doctor ", line.name, " --unit ", word, "`.");
  }
  return "";
}

// The path itself, or what of it is meant.
std::string NamedAs(const std::string& path, PathKind kind) {
  const absl::string_view option = OptionFor(kind);
  if (option.empty()) return "";
  return DidYouMean("check", option,
                    {kind == PathKind::kHostBelow ? host::JoinPath(path, "host") : path});
}

}  // namespace

std::string Meant(const CLI::App& app, const std::vector<std::string>& arguments) {
  const Command program = command_line::Describe(app);
  const Line line = Read(program, arguments);
  if (std::string check = WithCheck(program, line, arguments); !check.empty()) return check;
  if (line.words.empty()) return "";
  const PathKind kind = KindOfPath(line.words[0]);
  if (kind != PathKind::kNothing) return OfPath(line, kind);
  // A slip in the name of a command or an option is that, and its value no unit.
  return command_line::Advice(app, arguments).empty() ? OfWord(line) : "";
}

std::string MeantAsRoot(absl::string_view command, const std::string& path) {
  switch (KindOfPath(path)) {
    case PathKind::kHost:
      return DidYouMean(command, "--root", {path});
    case PathKind::kHostBelow:
      return DidYouMean(command, "--root", {host::JoinPath(path, "host")});
    default:
      return "";
  }
}

std::string MeantByRoot(const std::string& path) {
  const PathKind kind = KindOfPath(path);
  return kind == PathKind::kHost ? "" : NamedAs(path, kind);
}

std::string MeantByEach(const std::string& path) {
  const PathKind kind = KindOfPath(path);
  return kind == PathKind::kHosts ? "" : NamedAs(path, kind);
}

std::string MeantByLog(const std::string& path) {
  const PathKind kind = KindOfPath(path);
  return kind == PathKind::kText ? "" : NamedAs(path, kind);
}

}  // namespace vgpu::doctor

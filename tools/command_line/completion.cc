#include "tools/command_line/completion.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace vgpu::command_line {
namespace {

// A word in single quotes, as bash and zsh read it.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// fish has a backslash in single quotes mean something.
std::string FishQuoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// The first sentence, without the period: there is one line.
std::string Short(absl::string_view description) {
  std::string line = absl::StrReplaceAll(description, {{"\n", " "}});
  absl::string_view text = line;
  text = text.substr(0, text.find(". "));
  absl::ConsumeSuffix(&text, ".");
  return std::string(text);
}

// A function's name.
std::string Identifier(absl::string_view name) {
  return absl::StrReplaceAll(name, {{"-", "_"}, {" ", "_"}});
}

struct Place {
  std::string path;  // "", "check", "baseline save"
  const Command* command = nullptr;
};

void Collect(const Command& command, const std::string& path, std::vector<Place>* places) {
  places->push_back({path, &command});
  for (const Command& sub : command.commands)
    Collect(sub, path.empty() ? sub.name : absl::StrCat(path, " ", sub.name), places);
}

// The program and all its commands.
std::vector<Place> Places(const Command& program) {
  std::vector<Place> places;
  Collect(program, "", &places);
  return places;
}

std::vector<std::string> CommandNames(const Command& command) {
  std::vector<std::string> names;
  for (const Command& sub : command.commands) names.push_back(sub.name);
  return names;
}

// 'check/--root' | 'check/-r': what bash compares with.
std::string Pattern(const Place& place, const Option& option) {
  return absl::StrJoin(option.names, " | ", [&](std::string* out, const std::string& name) {
    absl::StrAppend(out, Quoted(absl::StrCat(place.path, "/", name)));
  });
}

std::string BashReply(const Option& option) {
  switch (option.value) {
    case Value::kChoice:
      return absl::StrCat("reply -W ", Quoted(absl::StrJoin(option.choices, " ")));
    case Value::kFile:
      return "reply -o filenames -f";
    case Value::kDirectory:
      return "reply -o filenames -d";
    case Value::kNone:
    case Value::kOther:
      break;
  }
  return ":";
}

// One specification of zsh's _arguments: '(-h --help)'{-h,--help}'[what it does]'.
std::string ZshOption(const Option& option) {
  // Brackets and colons end parts of it.
  const std::string description = absl::StrReplaceAll(
      Short(option.description), {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
  std::string action;
  switch (option.value) {
    case Value::kNone:
      break;
    case Value::kChoice:
      action = absl::StrCat(":", option.value_name, ":(", absl::StrJoin(option.choices, " "), ")");
      break;
    case Value::kFile:
      action = absl::StrCat(":", option.value_name, ":_files");
      break;
    case Value::kDirectory:
      action = absl::StrCat(":", option.value_name, ":_files -/");
      break;
    case Value::kOther:
      action = absl::StrCat(":", option.value_name, ": ");
      break;
  }
  const std::string equals = option.value == Value::kNone ? "" : "=";
  std::string names;
  for (const std::string& name : option.names) {
    // Of a long name a value may stand behind "=".
    absl::StrAppend(&names, names.empty() ? "" : ",", name,
                    name.substr(0, 2) == "--" ? equals : "");
  }
  if (option.names.size() > 1) names = absl::StrCat("{", names, "}");
  const std::string others = option.repeated ? Quoted("*")
                             : option.names.size() > 1
                                 ? Quoted(absl::StrCat("(", absl::StrJoin(option.names, " "), ")"))
                                 : "";
  return absl::StrCat(others, names, Quoted(absl::StrCat("[", description, "]", action)));
}

std::string ZshFunction(const Command& command, const std::string& function) {
  std::string script = absl::StrCat(function, "() {\n");
  if (!command.commands.empty()) {
    script += "  local curcontext=$curcontext state line\n  local -a commands=(\n";
    for (const Command& sub : command.commands) {
      absl::StrAppend(&script, "    ", Quoted(absl::StrCat(sub.name, ":", Short(sub.description))),
                      "\n");
    }
    script += "  )\n";
  }
  absl::StrAppend(&script, "  _arguments", command.commands.empty() ? "" : " -C");
  for (const Option& option : command.options)
    absl::StrAppend(&script, " \\\n    ", ZshOption(option));
  for (const Option& argument : command.arguments) {
    const std::string action = argument.value == Value::kChoice
                                   ? absl::StrCat("(", absl::StrJoin(argument.choices, " "), ")")
                               : argument.value == Value::kFile      ? "_files"
                               : argument.value == Value::kDirectory ? "_files -/"
                                                                     : " ";
    absl::StrAppend(
        &script, " \\\n    ",
        Quoted(absl::StrCat(argument.repeated ? "*" : "", ":", argument.value_name, ":", action)));
  }
  if (command.commands.empty()) return script + "\n}\n\n";
  absl::StrAppend(&script,
                  " \\\n    '1: :->command' '*:: :->rest'\n"
                  "  case $state in\n"
                  "    command) _describe command commands ;;\n"
                  "    rest)\n      case $words[1] in\n");
  for (const Command& sub : command.commands) {
    absl::StrAppend(&script, "        ", sub.name, ") ", function, "_", Identifier(sub.name),
                    " ;;\n");
  }
  return script + "      esac\n      ;;\n  esac\n}\n\n";
}

void ZshFunctions(const Command& command, const std::string& function, std::string* script) {
  for (const Command& sub : command.commands)
    ZshFunctions(sub, absl::StrCat(function, "_", Identifier(sub.name)), script);
  *script += ZshFunction(command, function);
}

}  // namespace

std::string BashCompletion(const Command& program) {
  const std::string function = absl::StrCat("_", Identifier(program.name));
  const std::vector<Place> places = Places(program);
  std::string commands, values, skipped, words;
  for (const Place& place : places) {
    for (const Command& sub : place.command->commands) {
      absl::StrAppend(
          &commands, "      ", Quoted(absl::StrCat(place.path, "/", sub.name)), ") command=",
          Quoted(place.path.empty() ? sub.name : absl::StrCat(place.path, " ", sub.name)), " ;;\n");
    }
    std::vector<std::string> known = CommandNames(*place.command);
    for (const Option& argument : place.command->arguments)
      known.insert(known.end(), argument.choices.begin(), argument.choices.end());
    for (const Option& option : place.command->options) {
      known.insert(known.end(), option.names.begin(), option.names.end());
      if (option.value == Value::kNone) continue;
      absl::StrAppend(&skipped, skipped.empty() ? "" : " | ", Pattern(place, option));
      absl::StrAppend(&values, "    ", Pattern(place, option), ") ", BashReply(option),
                      "; return ;;\n");
    }
    absl::StrAppend(&words, "    ", Quoted(place.path), ") reply -W ",
                    Quoted(absl::StrJoin(known, " ")), " ;;\n");
  }
  return absl::StrCat(
      "# Completions of ", program.name, " for bash: source this, or put it as ", program.name,
      "\n# into /usr/share/bash-completion/completions.\n\n", function, "() {\n",
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
      "  local command='' i\n"
      "  # --option=value is three words.\n"
      "  if [[ $current == '=' ]]; then\n"
      "    current=''\n"
      "  elif [[ $previous == '=' ]] && ((COMP_CWORD > 1)); then\n"
      "    previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
      "  fi\n"
      "  reply() {\n"
      "    if [[ $1 == -o ]]; then\n"
      "      compopt -o \"$2\" 2>/dev/null\n"
      "      shift 2\n"
      "    fi\n"
      "    mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$current\")\n"
      "  }\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n",
      skipped.empty() ? ""
                      : absl::StrCat("    # The value of an option is no command.\n"
                                     "    case $command/${COMP_WORDS[i - 1]} in\n      ",
                                     skipped, ") continue ;;\n    esac\n"),
      "    case $command/${COMP_WORDS[i]} in\n", commands,
      "    esac\n  done\n  case $command/$previous in\n", values, "  esac\n  case $command in\n",
      words, "  esac\n}\n\ncomplete -F ", function, " ", program.name, "\n");
}

std::string ZshCompletion(const Command& program) {
  std::string script =
      absl::StrCat("#compdef ", program.name, "\n# Completions of ", program.name,
                   " for zsh: put this as _", program.name, "\n# into a directory of $fpath.\n\n");
  const std::string function = absl::StrCat("_", Identifier(program.name));
  ZshFunctions(program, function, &script);
  // Autoloaded, the file is the function's body; sourced, it is registered.
  return absl::StrCat(script, "if [[ $funcstack[1] == _", program.name, " ]]; then\n  ", function,
                      " \"$@\"\nelse\n  compdef ", function, " ", program.name, "\nfi\n");
}

std::string FishCompletion(const Command& program) {
  const std::string complete = absl::StrCat("complete -c ", program.name);
  std::string script =
      absl::StrCat("# Completions of ", program.name, " for fish: put this as ", program.name,
                   ".fish into\n# /usr/share/fish/vendor_completions.d.\n\n", complete, " -f\n");
  for (const Place& place : Places(program)) {
    // Where the words so far lead to this command, and no further.
    std::vector<std::string> conditions;
    if (!place.path.empty()) {
      for (const absl::string_view word : absl::StrSplit(place.path, ' '))
        conditions.push_back(absl::StrCat("__fish_seen_subcommand_from ", word));
    }
    if (!place.command->commands.empty()) {
      conditions.push_back(absl::StrCat("not __fish_seen_subcommand_from ",
                                        absl::StrJoin(CommandNames(*place.command), " ")));
    }
    const std::string here =
        conditions.empty()
            ? complete
            : absl::StrCat(complete, " -n ", FishQuoted(absl::StrJoin(conditions, "; and ")));
    for (const Command& sub : place.command->commands) {
      absl::StrAppend(&script, here, " -a ", sub.name, " -d ", FishQuoted(Short(sub.description)),
                      "\n");
    }
    for (const Option& argument : place.command->arguments) {
      if (argument.value == Value::kFile || argument.value == Value::kDirectory)
        absl::StrAppend(&script, here, " -F\n");
      if (!argument.choices.empty())
        absl::StrAppend(&script, here, " -a ", FishQuoted(absl::StrJoin(argument.choices, " ")),
                        "\n");
    }
    for (const Option& option : place.command->options) {
      script += here;
      for (const std::string& name : option.names) {
        absl::StrAppend(&script, name.substr(0, 2) == "--" ? " -l " : " -s ",
                        name.substr(name.substr(0, 2) == "--" ? 2 : 1));
      }
      switch (option.value) {
        case Value::kNone:
          break;
        case Value::kChoice:
          absl::StrAppend(&script, " -x -a ", FishQuoted(absl::StrJoin(option.choices, " ")));
          break;
        case Value::kFile:
          script += " -r -F";
          break;
        case Value::kDirectory:
          script += " -x -a '(__fish_complete_directories)'";
          break;
        case Value::kOther:
          script += " -x";
          break;
      }
      absl::StrAppend(&script, " -d ", FishQuoted(Short(option.description)), "\n");
    }
  }
  return script;
}

}  // namespace vgpu::command_line

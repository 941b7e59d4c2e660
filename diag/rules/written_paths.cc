#include "diag/rules/written_paths.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace vgpu::rules {
namespace {

// Which of a command's arguments name what it writes.
enum class Writes { kEach, kLast, kAllButFirst, kBehindC };

struct Verb {
  absl::string_view name;
  Writes writes;
};
constexpr Verb kVerbs[] = {
    {"sudoedit", Writes::kEach},     {"tee", Writes::kEach},    {"rm", Writes::kEach},
    {"mv", Writes::kEach},           {"cp", Writes::kLast},     {"install", Writes::kLast},
    {"ln", Writes::kLast},           {"sed", Writes::kLast},    {"setcap", Writes::kLast},
    {"chmod", Writes::kAllButFirst}, {"tar", Writes::kBehindC},
};

// Requests that change what systemd reads of a unit, and not only what runs.
constexpr absl::string_view kKept[] = {"enable", "disable", "mask", "unmask", "edit"};

using Words = std::vector<std::string>;

// The simple commands of a line, without sudo.
std::vector<Words> Commands(absl::string_view line) {
  std::vector<Words> commands(1);
  std::string word;
  bool begun = false;
  const auto end_word = [&] {
    if (begun && !(commands.back().empty() && word == "sudo")) commands.back().push_back(word);
    word.clear();
    begun = false;
  };
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\'') {
      begun = true;
      while (++i < line.size() && line[i] != '\'') word.push_back(line[i]);
    } else if (c == '\\' && i + 1 < line.size()) {
      begun = true;
      word.push_back(line[++i]);
    } else if (c == ' ' || c == '\n') {
      end_word();
    } else if (c == '&' || c == ';' || c == '|') {
      end_word();
      commands.emplace_back();
    } else {
      begun = true;
      word.push_back(c);
    }
  }
  end_word();
  return commands;
}

void AddWrittenBy(const Words& command, std::vector<std::string>& paths) {
  if (command.size() < 2) return;
  Words arguments;
  for (size_t i = 1; i < command.size(); ++i) {
    if (!absl::StartsWith(command[i], "-")) arguments.push_back(command[i]);
  }
  const auto has = [&](absl::string_view word) {
    return std::find(command.begin(), command.end(), word) != command.end();
  };
  if (command.front() == "systemctl") {
    if (arguments.size() < 2 || has("--user") || has("--runtime")) return;
    if (std::find(std::begin(kKept), std::end(kKept), arguments.front()) == std::end(kKept)) return;
    paths.push_back(absl::StrCat("/etc/systemd/system/", arguments.back()));
    return;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.name != command.front() || arguments.empty()) continue;
    switch (verb.writes) {
      case Writes::kEach:
        paths.insert(paths.end(), arguments.begin(), arguments.end());
        break;
      case Writes::kLast:
        paths.push_back(arguments.back());
        break;
      case Writes::kAllButFirst:
        paths.insert(paths.end(), arguments.begin() + 1, arguments.end());
        break;
      case Writes::kBehindC:
        for (size_t i = 1; i + 1 < command.size(); ++i) {
          if (command[i] == "-C") paths.push_back(command[i + 1]);
        }
        break;
    }
  }
}

}  // namespace

std::vector<std::string> WrittenPaths(absl::string_view command) {
  std::vector<std::string> paths;
  for (const Words& simple : Commands(command)) AddWrittenBy(simple, paths);
  return paths;
}

}  // namespace vgpu::rules

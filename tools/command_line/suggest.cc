#include "tools/command_line/suggest.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/report/visible.h"
#include "tools/command_line/describe.h"

namespace vgpu::command_line {
namespace {

// No word that is known is longer.
constexpr size_t kLongest = 64;

// Slips from one word to the other (optimal string alignment).
size_t Slips(absl::string_view a, absl::string_view b) {
  // Of the row above, the one above that, and this.
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string DidYouMean(const std::string& word) {
  return word.empty() ? "" : absl::StrCat("Did you mean ", word, "?");
}

std::vector<std::string> OptionNames(const Command& command) {
  std::vector<std::string> names;
  for (const Option& option : command.options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

const Option* FindOption(const Command& command, absl::string_view name) {
  for (const Option& option : command.options) {
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end())
      return &option;
  }
  return nullptr;
}

std::string ForValue(const Option& option, absl::string_view value) {
  if (option.choices.empty() ||
      std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end())
    return "";
  return DidYouMean(Nearest(value, option.choices));
}

std::string AdviceFor(const Command& command, const std::vector<std::string>& arguments,
                      size_t first) {
  for (size_t i = first; i < arguments.size(); ++i) {
    const absl::string_view argument = arguments[i];
    if (argument == "--") return "";
    if (absl::StartsWith(argument, "-") && argument != "-") {
      const size_t equals = argument.find('=');
      const absl::string_view name = argument.substr(0, equals);
      const Option* option = FindOption(command, name);
      if (option == nullptr) {
        const std::string nearest = Nearest(name, OptionNames(command));
        if (!nearest.empty()) return DidYouMean(nearest);
      } else if (option->value != Value::kNone) {
        const bool has_value = equals != absl::string_view::npos || i + 1 < arguments.size();
        const absl::string_view value = equals != absl::string_view::npos
                                            ? argument.substr(equals + 1)
                                        : has_value ? absl::string_view(arguments[++i])
                                                    : "";
        const std::string advice = has_value ? ForValue(*option, value) : "";
        if (!advice.empty()) return advice;
      }
      continue;
    }
    std::vector<std::string> names;
    for (const Command& sub : command.commands) {
      if (argument == sub.name) return AdviceFor(sub, arguments, i + 1);
      names.push_back(sub.name);
    }
    // An option without its dashes.
    if (const std::string dashed = absl::StrCat("--", argument);
        command.arguments.empty() && FindOption(command, dashed) != nullptr)
      return DidYouMean(dashed);
    if (!names.empty()) return DidYouMean(Nearest(argument, names));
    for (const Option& expected : command.arguments) {
      const std::string advice = ForValue(expected, argument);
      if (!advice.empty()) return advice;
    }
  }
  return "";
}

}  // namespace

std::string Nearest(absl::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kLongest) return "";
  const std::string lower = absl::AsciiStrToLower(word);
  std::string nearest;
  size_t fewest = word.size() > 4 ? 3 : 2;  // one more than is near
  size_t begins = 0;
  std::string begun;
  for (const std::string& candidate : known) {
    const std::string other = absl::AsciiStrToLower(candidate);
    if (lower.size() > 2 && absl::StartsWith(other, lower)) {
      ++begins;
      begun = candidate;
    }
    const size_t slips = Slips(lower, other);
    if (slips < fewest) {
      fewest = slips;
      nearest = candidate;
    } else if (slips == fewest) {
      nearest.clear();
    }
  }
  return !nearest.empty() || begins != 1 ? nearest : begun;
}

std::string Advice(const CLI::App& app, const std::vector<std::string>& arguments) {
  return AdviceFor(Describe(app), arguments, 0);
}

std::string FailureMessage(const CLI::App& app, const CLI::Error& error,
                           const std::vector<std::string>& arguments, absl::string_view meant) {
  std::string message = absl::StrCat(app.get_name(), ": ", report::Visible(error.what()), "\n");
  const std::string advice = meant.empty() ? Advice(app, arguments) : std::string(meant);
  if (!advice.empty()) absl::StrAppend(&message, advice, "\n");
  // The command whose options were read, if it came to that.
  const std::vector<const CLI::App*> parsed =
      app.get_subcommands([](const CLI::App* command) { return command->parsed(); });
  const std::string command = parsed.empty() ? "" : absl::StrCat(" ", parsed[0]->get_name());
  return absl::StrCat(message, "`", app.get_name(), command, " --help` says what there is.\n");
}

}  // namespace vgpu::command_line

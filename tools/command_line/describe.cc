#include "tools/command_line/describe.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace vgpu::command_line {
namespace {

// CLI11 says of an option that checks its value "TEXT:{text,json}".
std::vector<std::string> ChoicesIn(absl::string_view type) {
  const size_t open = type.find('{');
  const size_t close = type.find('}');
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open)
    return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

Option DescribeOption(const CLI::Option& option, const Choices& choices) {
  Option described;
  for (const std::string& name : option.get_snames())
    described.names.push_back(absl::StrCat("-", name));
  for (const std::string& name : option.get_lnames())
    described.names.push_back(absl::StrCat("--", name));
  described.description = option.get_description();
  const std::string type = option.get_type_name();
  if (option.get_items_expected_max() > 0) {
    // "FORMAT", or what the help shows beside it: "FORMAT (required)".
    const absl::string_view text = absl::StripAsciiWhitespace(option.get_option_text());
    const absl::string_view shown = text.empty() ? absl::string_view(type) : text;
    described.value_name = std::string(shown.substr(0, shown.find_first_of(" :")));
    // Of an argument that the help shows nothing beside, its own name.
    if (described.names.empty() && text.empty()) described.value_name = option.get_name();
    described.choices = ChoicesIn(type);
    const auto known = choices.find(described.value_name);
    if (described.choices.empty() && known != choices.end()) described.choices = known->second;
    described.value = !described.choices.empty()       ? Value::kChoice
                      : absl::StartsWith(type, "FILE") ? Value::kFile
                      : absl::StartsWith(type, "DIR")  ? Value::kDirectory
                                                       : Value::kOther;
  }
  described.repeated = option.get_items_expected_max() > 1;
  described.required = option.get_required();
  return described;
}

}  // namespace

Command Describe(const CLI::App& app, const Choices& choices) {
  Command command = {.name = app.get_name(),
                     .description = app.get_description(),
                     .footer = app.get_footer(),
                     .options = {},
                     .arguments = {},
                     .commands = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    Option described = DescribeOption(*option, choices);
    (described.names.empty() ? command.arguments : command.options).push_back(std::move(described));
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) command.commands.push_back(Describe(*sub, choices));
  }
  return command;
}

}  // namespace vgpu::command_line

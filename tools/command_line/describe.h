// What a command line takes, as a value: read from the CLI11 application that parses it, so that
// completions, manual pages and suggestions say what the program does.
//
//   CLI::App app(…);                          // with its commands and options
//   const Command command = Describe(app);
//   fputs(BashCompletion(command).c_str(), stdout);     // completion.h
//
// A command or an option without a group is hidden, as in the application's own help.

#ifndef TOOLS_COMMAND_LINE_DESCRIBE_H_
#define TOOLS_COMMAND_LINE_DESCRIBE_H_

#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace vgpu::command_line {

enum class Value { kNone, kFile, kDirectory, kChoice, kOther };

struct Option {
  std::vector<std::string> names;  // "-h", "--help"
  std::string value_name;          // "DIR"; empty where it takes none
  Value value = Value::kNone;
  std::vector<std::string> choices;  // of kChoice
  std::string description;
  bool repeated = false;  // may be given again
  bool required = false;
};

struct Command {
  std::string name;  // "vgpu-doctor", "check"
  std::string description;
  std::string footer;
  std::vector<Option> options;
  std::vector<Option> arguments;  // those without a name; value_name has theirs
  std::vector<Command> commands;
};

// What may stand for a value, by the value's name, where the application does not say it.
using Choices = std::map<std::string, std::vector<std::string>>;

Command Describe(const CLI::App& app, const Choices& choices = {});

}  // namespace vgpu::command_line

#endif  // TOOLS_COMMAND_LINE_DESCRIBE_H_

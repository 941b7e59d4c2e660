// `--help` for a terminal of 80 columns: descriptions and the paragraphs of a footer are wrapped,
// and a footer's indented lines, as examples are, stay as they are.
//
//   app.formatter(std::make_shared<command_line::HelpFormatter>());
//
// Descriptions are written without regard to lines. man.h makes the manual page of the same words.

#ifndef TOOLS_COMMAND_LINE_HELP_H_
#define TOOLS_COMMAND_LINE_HELP_H_

#include <string>

#include "CLI/CLI.hpp"

namespace vgpu::command_line {

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();

  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;
};

}  // namespace vgpu::command_line

#endif  // TOOLS_COMMAND_LINE_HELP_H_

#include "tools/vgpu_doctor/help_command.h"

#include <stdio.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "diag/report/visible.h"
#include "tools/command_line/suggest.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/output.h"

namespace vgpu::doctor {

CLI::App* AddHelp(CLI::App& app, HelpOptions& options) {
  CLI::App* command =
      app.add_subcommand("help", "Say what a command takes; also `vgpu-doctor COMMAND --help`.");
  command
      ->add_option("COMMAND", options.command, "The command; without it: what commands there are")
      ->option_text(" ");
  command->footer("Example:\n  vgpu-doctor help check");
  return command;
}

int RunHelp(const CLI::App& app, const HelpOptions& options) {
  const CLI::App* command = &app;
  std::string name = app.get_name();
  for (const std::string& word : options.command) {
    const CLI::App* sub = nullptr;
    std::vector<std::string> names;
    for (const CLI::App* known : command->get_subcommands([](const CLI::App*) { return true; })) {
      if (known->get_name() == word) sub = known;
      names.push_back(known->get_name());
    }
    if (sub == nullptr) {
      const std::string nearest = command_line::Nearest(word, names);
      fprintf(stderr, "vgpu-doctor: help %s: there is no such command%s; `%s --help` lists them\n",
              report::Visible(word).c_str(),
              nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)").c_str(),
              name.c_str());
      return kUsage;
    }
    command = sub;
    absl::StrAppend(&name, " ", word);
  }
  // App::help() would show `help` itself, which is the command that was given.
  return WriteOutput(command->get_formatter()->make_help(command, name, CLI::AppFormatMode::Normal),
                     "-");
}

}  // namespace vgpu::doctor

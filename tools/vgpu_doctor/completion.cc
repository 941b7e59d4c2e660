#include "tools/vgpu_doctor/completion.h"

#include <vector>

#include "diag/rules/catalogue.h"
#include "diag/runbooks/runbooks.h"
#include "tools/command_line/completion.h"
#include "tools/command_line/describe.h"
#include "tools/vgpu_doctor/output.h"

namespace vgpu::doctor {
namespace {

struct Shell {
  const char* name;
  std::string (*complete)(const command_line::Command&);
};

constexpr Shell kShells[] = {{"bash", command_line::BashCompletion},
                             {"zsh", command_line::ZshCompletion},
                             {"fish", command_line::FishCompletion}};

// What stands for the values that options and arguments call so.
command_line::Choices KnownWords(const CLI::App& app) {
  std::vector<std::string> codes, pages, commands;
  for (const command_line::Command& command : command_line::Describe(app).commands) {
    commands.push_back(command.name);
  }
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) codes.emplace_back(entry.code);
  for (const runbooks::Page& guide : runbooks::Guides()) pages.emplace_back(guide.name);
  pages.insert(pages.end(), codes.begin(), codes.end());
  return {{"CODE", codes}, {"WHAT", pages}, {"COMMAND", commands}};
}

}  // namespace

CLI::App* AddCompletion(CLI::App& app, CompletionOptions& options) {
  CLI::App* command =
      app.add_subcommand("completion", "Print completions for a shell: bash, zsh or fish.");
  std::vector<std::string> names;
  for (const Shell& shell : kShells) names.emplace_back(shell.name);
  command->add_option("shell", options.shell, "bash, zsh or fish")
      ->check(CLI::IsMember(names))
      ->required()
      ->option_text("SHELL");
  command->footer(
      "Examples:\n"
      "  source <(vgpu-doctor completion bash)\n"
      "  vgpu-doctor completion zsh >~/.zfunc/_vgpu-doctor    # a directory of $fpath\n"
      "  vgpu-doctor completion fish >~/.config/fish/completions/vgpu-doctor.fish");
  return command;
}

int RunCompletion(const CLI::App& app, const CompletionOptions& options) {
  const command_line::Command program = command_line::Describe(app, KnownWords(app));
  for (const Shell& shell : kShells) {
    if (options.shell == shell.name) return WriteOutput(shell.complete(program), "-");
  }
  return 0;  // AddCompletion lets no other name pass
}

}  // namespace vgpu::doctor

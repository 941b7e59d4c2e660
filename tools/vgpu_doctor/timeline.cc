#include "tools/vgpu_doctor/timeline.h"

#include <stdio.h>

#include <memory>
#include <optional>

#include "diag/diagnosis/diagnosis.h"
#include "diag/timeline/timeline.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {
CLI::App* AddTimeline(CLI::App& app, TimelineOptions& options) {
  CLI::App* command = app.add_subcommand(
      "timeline", "Tell what happened, each thing with its source, and when it stopped working.");
  AddHostOptions(*command, options.host);
  command->add_option("--format", options.format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  command->add_flag("--no-color", options.no_color, "No colours, also on a terminal");
  command->footer(
      "From the journal, the times of files, the logs of package managers, reloads, starts and\n"
      "ends of the service, discovery's results and the kernel's messages.\n"
      "Exit status: 0, 2 usage or unreadable input, 70 a fault of vgpu-doctor itself.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor timeline\n"
      "  sudo vgpu-doctor timeline --since \"2d ago\"\n"
      "  vgpu-doctor timeline --root DIR --format json");
  return command;
}

int RunTimeline(const TimelineOptions& options) {
  command_line::Progress progress;
  HostOptions host_options = options.host;
  host_options.progress = &progress;
  const std::unique_ptr<host::Host> host = OpenHost(host_options);
  if (host == nullptr) return kUsage;
  const std::optional<facts::Facts> facts = GatherStory(*host, host_options);
  if (!facts) return kUsage;
  timeline::TellOptions tell;
  if (!options.host.since.empty()) tell.since = SinceOf(host.get(), options.host);
  progress.Say("putting together what happened");
  const timeline::Timeline told =
      timeline::Tell(host.get(), *facts, diagnosis::Diagnose(*facts), tell);
  const std::string text = options.format == "json"
                               ? timeline::ToJson(told)
                               : timeline::ToText(told, StyleOfStandardOutput(options.no_color));
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return 0;
}

}  // namespace vgpu::doctor

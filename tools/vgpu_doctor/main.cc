// vgpu-doctor: names the root cause when a virtual GPU is not seen. The commands are
// in files of their own; here they are put together.

#include <stdio.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "diag/report/version.h"
#include "diag/report/visible.h"
#include "tools/command_line/help.h"
#include "tools/command_line/suggest.h"
#include "tools/vgpu_doctor/baseline.h"
#include "tools/vgpu_doctor/capture.h"
#include "tools/vgpu_doctor/check.h"
#include "tools/vgpu_doctor/completion.h"
#include "tools/vgpu_doctor/diff.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/explain.h"
#include "tools/vgpu_doctor/fix.h"
#include "tools/vgpu_doctor/help_command.h"
#include "tools/vgpu_doctor/list_causes.h"
#include "tools/vgpu_doctor/manual.h"
#include "tools/vgpu_doctor/meant.h"
#include "tools/vgpu_doctor/timeline.h"
#include "tools/vgpu_doctor/verify.h"
#include "tools/vgpu_doctor/watch.h"

namespace vgpu::doctor {
namespace {

int Run(int argc, char** argv) {
  CLI::App app(
      "Says why Ollama does not see the virtual GPU: the root cause with its evidence, what\n"
      "was ruled out, what could not be seen, and the commands that repair it.",
      "vgpu-doctor");
  app.set_version_flag("--version", report::kToolVersion);
  app.formatter(std::make_shared<command_line::HelpFormatter>());
  CheckOptions check_options;
  CLI::App* check = AddCheck(app, check_options);
  ExplainOptions explain_options;
  CLI::App* explain = AddExplain(app, explain_options);
  FixOptions fix_options;
  CLI::App* fix = AddFix(app, fix_options);
  VerifyOptions verify_options;
  CLI::App* verify = AddVerify(app, verify_options);
  WatchOptions watch_options;
  CLI::App* watch = AddWatch(app, watch_options);
  CaptureCommandOptions capture_options;
  CLI::App* capture = AddCapture(app, capture_options);
  BaselineOptions baseline_options;
  CLI::App* baseline = AddBaseline(app, baseline_options);
  DiffOptions diff_options;
  CLI::App* diff = AddDiff(app, diff_options);
  TimelineOptions timeline_options;
  CLI::App* timeline = AddTimeline(app, timeline_options);
  ListCausesOptions list_options;
  CLI::App* list_causes = AddListCauses(app, list_options);
  CompletionOptions completion_options;
  CLI::App* completion = AddCompletion(app, completion_options);
  CLI::App* manual = AddManual(app);
  HelpOptions help_options;
  CLI::App* help = AddHelp(app, help_options);
  app.footer(
      "Only `fix --apply` changes the machine. Each command has a --help of its own.\n\n"
      "Examples:\n"
      "  sudo vgpu-doctor check           # what is wrong, and what repairs it\n"
      "  vgpu-doctor explain VG302        # all of a cause that it named\n"
      "  vgpu-doctor explain              # from a symptom to a cause, without a machine\n"
      "  sudo vgpu-doctor fix             # the repair as a plan; --apply carries it out\n"
      "  sudo vgpu-doctor capture         # one file, for somebody else to judge\n"
      "  vgpu-doctor check --root FILE    # such a file, or a mounted disk");
  app.require_subcommand(0, 1);  // what stands behind a command is no second one
  app.failure_message([&](const CLI::App*, const CLI::Error& error) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return command_line::FailureMessage(app, error, arguments,
                                        report::Visible(Meant(app, arguments)));
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help and errors; its own numbers for errors are not ours.
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (check->parsed()) return RunCheck(check_options);
  if (fix->parsed()) return RunFix(fix_options);
  if (watch->parsed()) return RunWatch(watch_options);
  if (baseline->parsed()) return RunBaseline(baseline_options);
  if (diff->parsed()) return RunDiff(diff_options);
  if (timeline->parsed()) return RunTimeline(timeline_options);
  if (capture->parsed()) return RunCapture(capture_options);
  if (list_causes->parsed()) return RunListCauses(list_options);
  if (explain->parsed()) return RunExplain(explain_options);
  if (verify->parsed()) return RunVerify(verify_options);
  if (completion->parsed()) return RunCompletion(app, completion_options);
  if (manual->parsed()) return RunManual(app);
  if (help->parsed()) return RunHelp(app, help_options);
  fputs(app.help().c_str(), stderr);
  return kUsage;
}

}  // namespace
}  // namespace vgpu::doctor

int main(int argc, char** argv) {
  // No exception leaves our code: one that a library throws is a fault of the tool.
  try {
    return vgpu::doctor::Run(argc, argv);
  } catch (const std::exception& error) {
    fprintf(stderr, "vgpu-doctor: internal fault: %s\n", error.what());
  } catch (...) {
    fprintf(stderr, "vgpu-doctor: internal fault\n");
  }
  return vgpu::doctor::kFault;
}

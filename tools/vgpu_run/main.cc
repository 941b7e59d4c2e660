// vgpu-run: starts a command, or lets a service start, with the virtual device in view.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "diag/report/version.h"
#include "shims/device/device.h"
#include "shims/tree/tree.h"
#include "tools/command_line/describe.h"
#include "tools/command_line/help.h"
#include "tools/command_line/man.h"
#include "tools/command_line/suggest.h"
#include "tools/vgpu_run/environment.h"
#include "tools/vgpu_run/notify.h"
#include "tools/vgpu_run/unit.h"
#include "tools/vgpu_run/view.h"

namespace vgpu::run {
namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "vgpu-run";
// Where the Debian package has the shims, and where the README puts them.
constexpr const char* kShimDirectories[] = {
#if defined(__x86_64__)
    "/usr/lib/x86_64-linux-gnu/vgpu",
#elif defined(__aarch64__)
    "/usr/lib/aarch64-linux-gnu/vgpu",
#endif
    "/usr/lib/vgpu",
};
// As env(1), nohup(1) and a shell have them.
constexpr int kOurFailure = 125;
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

// The first that is there; where none is, the last.
std::string DefaultShims() {
  for (const char* directory : kShimDirectories) {
    std::error_code error;
    if (fs::is_directory(directory, error)) return directory;
  }
  return std::end(kShimDirectories)[-1];
}

struct Options {
  std::string shims = DefaultShims();
  bool files_only = false;
  bool notify = false;
  UnitOptions unit;
  bool install = false;
  bool remove = false;
  bool mount = false;
  bool unmount = false;
  std::string output;
};

int Fail(const absl::Status& status) {
  fprintf(stderr, "%s: %.*s\n", kName, static_cast<int>(status.message().size()),
          status.message().data());
  return kOurFailure;
}

// Where the configuration is broken, the shims' own line of the log says where and why, if it is
// asked for: here it always is.
absl::StatusOr<const device::Configuration*> Configured() {
  bool quiet = getenv("VGPU_LOG") == nullptr;
  if (quiet) setenv("VGPU_LOG", "error", 1);
  const device::Configuration* configuration = device::Current(kName);
  if (quiet) unsetenv("VGPU_LOG");
  if (configuration != nullptr) return configuration;
  return absl::FailedPreconditionError(
      "the device configuration (/etc/vgpu/devices.toml, or the file that VGPU_CONFIG names) is "
      "rejected; the line above says why");
}

std::string OwnPath() {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? absl::StrCat("/usr/bin/", kName) : path.string();
}

absl::StatusOr<std::vector<ViewMount>> PlanHere(const device::Configuration& configuration,
                                                tree::Tree* tree) {
  absl::StatusOr<tree::HostPci> host = tree::ReadHostPci("/");
  if (!host.ok()) return host.status();
  *tree = tree::MakeTree(configuration, *host);
  return PlanView(*tree, *host);
}

// Ends as the command did, by its signal too: a shell says which it was.
int RunWithNotify(const device::Configuration& configuration, std::vector<std::string> command,
                  std::vector<std::string> environment) {
  absl::StatusOr<int> status =
      RunSupervised(configuration, std::move(command), std::move(environment));
  if (!status.ok()) return Fail(status.status());
  if (!WIFSIGNALED(*status)) return WEXITSTATUS(*status);
  rlimit no_core = {0, 0};  // the core is the command's, not ours
  setrlimit(RLIMIT_CORE, &no_core);
  signal(WTERMSIG(*status), SIG_DFL);
  raise(WTERMSIG(*status));
  return 128 + WTERMSIG(*status);
}

// A program that changes its directory has children.
absl::Status CheckShims(const std::string& shims) {
  if (fs::path(shims).is_absolute()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--shims ", shims, ": a whole path is wanted, such as ", DefaultShims()));
}

int RunCommand(const Options& options, std::vector<std::string> command) {
  if (!options.files_only) {
    if (absl::Status absolute = CheckShims(options.shims); !absolute.ok()) return Fail(absolute);
    // The loader only says "cannot be preloaded", once for each program, and goes on without.
    for (const std::string& library : PreloadedShims(options.shims)) {
      std::error_code error;
      if (fs::exists(library, error)) continue;
      return Fail(absl::NotFoundError(absl::StrCat(
          library,
          ": not there: --shims names the directory of the shim libraries; --files-only "
          "shows the device's files without them")));
    }
  }
  absl::StatusOr<const device::Configuration*> configuration = Configured();
  if (!configuration.ok()) return Fail(configuration.status());
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    environment.emplace_back(*variable);
  }
  environment = WithView(std::move(environment));
  if (!options.files_only) environment = WithShims(std::move(environment), options.shims);
  if (options.notify) return RunWithNotify(**configuration, command, environment);
  if (absl::Status entered = EnterView(**configuration); !entered.ok()) return Fail(entered);
  auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
  };
  std::vector<char*> arguments = pointers(command);
  std::vector<char*> variables = pointers(environment);
  execvpe(arguments[0], arguments.data(), variables.data());
  int error = errno;
  fprintf(stderr, "%s: %s: %s\n", kName, arguments[0], strerror(error));
  return error == ENOENT ? kNotFound : kCannotExecute;
}

int RunUnit(Options& options) {
  if (absl::Status absolute = CheckShims(options.shims); !absolute.ok()) return Fail(absolute);
  options.unit.shims = options.shims;
  if (options.unit.vgpu_run.empty()) options.unit.vgpu_run = OwnPath();
  if (options.remove) {
    absl::StatusOr<std::vector<std::string>> removed = RemoveUnit(options.unit);
    if (!removed.ok()) return Fail(removed.status());
    for (const std::string& path : *removed) printf("removed %s\n", path.c_str());
    bool last = std::find(removed->begin(), removed->end(), kViewUnitPath) != removed->end();
    if (last && options.unit.root.empty()) {
      // systemd stops a unit without its file, but no longer knows how.
      if (absl::Status unmounted = UnmountForUnits(kRunDirectory); !unmounted.ok()) {
        return Fail(unmounted);
      }
    }
    if (!removed->empty() && options.unit.root.empty()) {
      printf("next: systemctl daemon-reload && systemctl restart %s\n",
             options.unit.service.c_str());
    }
    return 0;
  }
  absl::StatusOr<const device::Configuration*> configuration = Configured();
  if (!configuration.ok()) return Fail(configuration.status());
  tree::Tree tree;
  absl::StatusOr<std::vector<ViewMount>> view = PlanHere(**configuration, &tree);
  if (!view.ok()) return Fail(view.status());
  absl::StatusOr<std::string> library_path = LibraryPathOf(options.unit);
  if (!library_path.ok()) return Fail(library_path.status());
  absl::StatusOr<std::string> preload = HostPreload(options.unit);
  if (!preload.ok()) return Fail(preload.status());
  absl::StatusOr<std::vector<PlannedFile>> files =
      PlanUnit(options.unit, *view, *library_path, *preload);
  if (!files.ok()) return Fail(files.status());
  if (!options.install) {
    for (const PlannedFile& file : *files) {
      printf("# %s\n%s\n", file.path.c_str(), file.content.c_str());
    }
    return 0;
  }
  absl::StatusOr<std::vector<std::string>> written = InstallUnit(options.unit, *files);
  if (!written.ok()) return Fail(written.status());
  for (const std::string& path : *written) printf("wrote %s\n", path.c_str());
  if (options.unit.root.empty()) {
    printf("next: systemctl daemon-reload && systemctl restart %s\n", options.unit.service.c_str());
  }
  return 0;
}

int RunUnitView(const Options& options) {
  if (options.unmount) {
    absl::Status unmounted = UnmountForUnits(kRunDirectory);
    return unmounted.ok() ? 0 : Fail(unmounted);
  }
  absl::StatusOr<const device::Configuration*> configuration = Configured();
  if (!configuration.ok()) return Fail(configuration.status());
  // What a run that was cut short has left.
  if (absl::Status cleared = UnmountForUnits(kRunDirectory); !cleared.ok()) return Fail(cleared);
  tree::Tree tree;
  absl::StatusOr<std::vector<ViewMount>> view = PlanHere(**configuration, &tree);
  if (!view.ok()) return Fail(view.status());
  std::error_code error;
  fs::create_directories(kRunDirectory, error);
  if (error)
    return Fail(absl::UnavailableError(absl::StrCat(kRunDirectory, ": ", error.message())));
  absl::Status status = tree::WriteTree(tree, TreePath(kRunDirectory));
  if (status.ok()) status = MountForUnits(*view, kRunDirectory);
  return status.ok() ? 0 : Fail(status);
}

int RunWriteTree(const Options& options) {
  absl::StatusOr<const device::Configuration*> configuration = Configured();
  if (!configuration.ok()) return Fail(configuration.status());
  absl::StatusOr<tree::HostPci> host = tree::ReadHostPci("/");
  if (!host.ok()) return Fail(host.status());
  absl::Status written = tree::WriteTree(tree::MakeTree(**configuration, *host), options.output);
  return written.ok() ? 0 : Fail(written);
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Starts a command with the virtual GPU in view: its files in /sys and /proc by mounts\n"
      "in a namespace of the command's own, its libraries by the environment. Nothing is\n"
      "left when the command has ended.\n\n"
      "  vgpu-run -- COMMAND [ARGUMENTS]             a command, and all that it starts\n"
      "  vgpu-run --notify -- COMMAND [ARGUMENTS]    where no mount is allowed\n"
      "  vgpu-run unit --service ollama.service      a service: what --install writes",
      kName);
  app.formatter(std::make_shared<command_line::HelpFormatter>());
  app.failure_message([&](const CLI::App*, const CLI::Error& error) {
    return command_line::FailureMessage(app, error, {argv + 1, argv + argc});
  });
  app.footer(
      "The exit status is the command's; 125: vgpu-run itself failed, 126: the command cannot\n"
      "be started, 127: it was not found.");
  app.set_version_flag("--version", report::kToolVersion);
  app.prefix_command();
  app.add_option("--shims", options.shims, "Directory of the shims")->capture_default_str();
  app.add_flag("--files-only", options.files_only,
               "Show the files in /sys and /proc, preload no library");

  app.add_flag("--notify", options.notify, "Answer system calls instead of mounting");
  // For whoever builds a package: nobody needs it who reads the help.
  bool print_manual = false;
  app.add_flag("--manual-page", print_manual, "Print the manual page")->group("");

  CLI::App* unit = app.add_subcommand(
      "unit", "Prints what lets a service see the device; with --install, writes it");
  unit->add_option("--service", options.unit.service, "For example ollama.service")->required();
  unit->add_option("--root", options.unit.root, "Write into an image's root instead of /");
  unit->add_option("--shims", options.shims, "Directory of the shims, as the service sees it")
      ->capture_default_str();
  unit->footer(
      "The service, and all that it starts, sees the device; no other program does.\n\n"
      "Examples:\n"
      "  vgpu-run unit --service ollama.service                  # what it would write\n"
      "  sudo vgpu-run unit --service ollama.service --install\n"
      "  sudo systemctl daemon-reload && sudo systemctl restart ollama.service\n"
      "  sudo vgpu-run unit --service ollama.service --remove");
  CLI::Option* install = unit->add_flag("--install", options.install, "Write the files");
  unit->add_flag("--remove", options.remove, "Leave the machine as it was before --install")
      ->excludes(install);

  CLI::App* unit_view =
      app.add_subcommand("unit-view", "Makes /run/vgpu for services; vgpu-view.service calls it");
  CLI::Option_group* what = unit_view->add_option_group("what");
  what->add_flag("--mount", options.mount, "Make it");
  what->add_flag("--unmount", options.unmount, "Unmake it");
  what->require_option(1);

  CLI::App* write_tree = app.add_subcommand("write-tree", "Writes the synthetic tree of files");
  write_tree->add_option("--output", options.output, "The directory to make or replace")
      ->required();
  write_tree->footer(
      "For programs that a preload alone reaches: VGPU_TREE names the tree to them.\n\n"
      "Example:\n"
      "  vgpu-run write-tree --output /tmp/tree");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kOurFailure;
  }
  if (print_manual) {
    fputs(command_line::ManPage(command_line::Describe(app), report::kToolVersion).c_str(), stdout);
    return 0;
  }
  if (unit->parsed()) return RunUnit(options);
  if (unit_view->parsed()) return RunUnitView(options);
  if (write_tree->parsed()) return RunWriteTree(options);
  std::vector<std::string> command = app.remaining();
  if (!command.empty() && command[0] == "--") {
    command.erase(command.begin());
  } else if (!command.empty() && command[0].starts_with('-')) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat(command[0],
                     ": there is no such option (vgpu-run --help; a command that begins so stands "
                     "behind --)")));
  }
  if (command.empty()) {
    fputs(app.help().c_str(), stderr);
    return kOurFailure;
  }
  return RunCommand(options, std::move(command));
}

}  // namespace
}  // namespace vgpu::run

int main(int argc, char** argv) {
  // No exception leaves our code: one that a library throws is a fault of the tool.
  try {
    return vgpu::run::Run(argc, argv);
  } catch (const std::exception& error) {
    fprintf(stderr, "%s: internal fault: %s\n", vgpu::run::kName, error.what());
  } catch (...) {
    fprintf(stderr, "%s: internal fault\n", vgpu::run::kName);
  }
  return vgpu::run::kOurFailure;
}

// vgpu-run: starts a command, or lets a service start, with the virtual device in view.

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <filesystem>
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
#include "tools/vgpu_run/environment.h"
#include "tools/vgpu_run/notify.h"
#include "tools/vgpu_run/unit.h"
#include "tools/vgpu_run/view.h"

namespace vgpu::run {
namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "vgpu-run";
constexpr char kDefaultShims[] = "/usr/lib/vgpu";
// As env(1), nohup(1) and a shell have them.
constexpr int kOurFailure = 125;
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

struct Options {
  std::string shims = kDefaultShims;
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

// Where the configuration is broken, Current has written a line only if asked: so say it here.
absl::StatusOr<const device::Configuration*> Configured() {
  const device::Configuration* configuration = device::Current(kName);
  if (configuration != nullptr) return configuration;
  return absl::FailedPreconditionError(
      "the device configuration (/etc/vgpu/devices.toml, or the file that VGPU_CONFIG names) is "
      "broken: VGPU_LOG=error vgpu-run … names file, line and reason");
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

int RunCommand(const Options& options, std::vector<std::string> command) {
  if (!options.files_only) {
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
      "Starts a command with the virtual GPU in view: its files in /sys and /proc by mounts in a "
      "namespace of the command's own, its libraries by the environment. Nothing is left when "
      "the command has ended.\n\n  vgpu-run [OPTIONS] [--] COMMAND [ARGUMENTS]",
      kName);
  app.set_version_flag("--version", report::kToolVersion);
  app.prefix_command();
  app.add_option("--shims", options.shims, "Directory of the shim libraries")
      ->capture_default_str();
  app.add_flag("--files-only", options.files_only,
               "Show the device's files in /sys and /proc, and preload no library");

  app.add_flag("--notify", options.notify,
               "Answer the command's system calls instead of mounting: for static programs where "
               "mounts are not allowed; without privileges the command can gain none");

  CLI::App* unit = app.add_subcommand(
      "unit", "Prints what lets a service see the device; with --install, writes it");
  unit->add_option("--service", options.unit.service, "For example ollama.service")->required();
  unit->add_option("--root", options.unit.root, "Write into an image's root instead of /");
  unit->add_option("--shims", options.shims, "Directory of the shims, as the service sees it")
      ->capture_default_str();
  CLI::Option* install = unit->add_flag("--install", options.install, "Write the files");
  unit->add_flag("--remove", options.remove, "Leave the machine as it was before --install")
      ->excludes(install);

  CLI::App* unit_view =
      app.add_subcommand("unit-view", "Makes /run/vgpu for services; vgpu-view.service calls it");
  CLI::Option* mount = unit_view->add_flag("--mount", options.mount, "Make it");
  unit_view->add_flag("--unmount", options.unmount, "Unmake it")->excludes(mount);

  CLI::App* write_tree = app.add_subcommand("write-tree", "Writes the synthetic tree of files");
  write_tree->add_option("--output", options.output, "The directory to make or replace")
      ->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kOurFailure;
  }
  if (unit->parsed()) return RunUnit(options);
  if (unit_view->parsed()) return RunUnitView(options);
  if (write_tree->parsed()) return RunWriteTree(options);
  std::vector<std::string> command = app.remaining();
  if (!command.empty() && command[0] == "--") command.erase(command.begin());
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

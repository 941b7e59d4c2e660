#include "tools/vgpu_run/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "diag/host/live_host.h"
#include "diag/host/tree_host.h"
#include "diag/systemd/effective_unit.h"
#include "diag/systemd/specifiers.h"
#include "diag/systemd/unit_search.h"
#include "tools/vgpu_run/environment.h"

namespace vgpu::run {
namespace {

namespace fs = std::filesystem;

constexpr char kUnitDirectory[] = "/etc/systemd/system";
constexpr char kDropIn[] = "90-vgpu.conf";
constexpr char kPreload[] = "/etc/vgpu/ld.so.preload";
constexpr char kHostPreload[] = "/etc/ld.so.preload";
constexpr char kState[] = "/var/lib/vgpu";
// Exists where the host had no /etc/ld.so.preload before the first unit was installed.
constexpr char kNoPreloadMark[] = "/var/lib/vgpu/no-ld.so.preload";
// Loaded into every program of the unit. The paths are in view already, so libvgpu-syscall.so
// is not needed, and neither is libvgpu-exec.so: the loader reads the file in every child.
constexpr const char* kPreloaded[] = {"libvgpu-cuda.so", "libvgpu-nvml.so", "libvgpu-cudart.so",
                                      "libvgpu-cudart13.so"};

std::string DropInDirectory(const std::string& service) {
  return absl::StrCat(kUnitDirectory, "/", service, ".d");
}

std::string DropInPath(const std::string& service) {
  return absl::StrCat(DropInDirectory(service), "/", kDropIn);
}

// A path as BindReadOnlyPaths= takes it: colons part source and target, and % begins a specifier
// (systemd.exec(5), systemd.unit(5); systemd 252).
std::string EscapeBindPath(const std::string& path) {
  return absl::StrReplaceAll(path, {{"\\", "\\\\"}, {":", "\\:"}, {"%", "%%"}, {" ", "\\s"}});
}

std::string BindLine(const std::string& source, const std::string& target) {
  return absl::StrCat("BindReadOnlyPaths=", EscapeBindPath(source), ":", EscapeBindPath(target),
                      "\n");
}

std::string SourceOf(const ViewMount& mount) {
  if (mount.kind == ViewMount::Kind::kOverlay) return OverlayPath(kRunDirectory, mount);
  return absl::StrCat(TreePath(kRunDirectory), "/", mount.path);
}

// A value of Environment= in double quotes.
std::string QuoteAssignment(const std::string& name, const std::string& value) {
  return absl::StrCat("Environment=\"", name, "=",
                      absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"%", "%%"}}),
                      "\"\n");
}

absl::Status Failed(const std::string& path, absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": ", what));
}

// Replaces `path` by a file with this content; a reader sees the old one or the new one.
absl::Status Replace(const std::string& path, const std::string& content) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return absl::UnavailableError(absl::StrCat(path, ": ", error.message()));
  std::string fresh = absl::StrCat(path, ".XXXXXX");
  int file = mkostemp(fresh.data(), O_CLOEXEC);
  if (file < 0) return Failed(fresh, "cannot be created");
  absl::Status status = absl::OkStatus();
  size_t done = 0;
  while (status.ok() && done < content.size()) {
    ssize_t written = write(file, content.data() + done, content.size() - done);
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno != EINTR) {
      status = Failed(fresh, "cannot be written");
    }
  }
  if (status.ok() && (fchmod(file, 0644) != 0 || fsync(file) != 0)) {
    status = Failed(fresh, "cannot be finished");
  }
  close(file);
  if (status.ok() && rename(fresh.c_str(), path.c_str()) != 0) {
    status = Failed(path, "cannot be replaced");
  }
  if (!status.ok()) unlink(fresh.c_str());
  return status;
}

std::string ReadOr(const std::string& path, std::string otherwise) {
  std::ifstream file(path);
  if (!file) return otherwise;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Removes a file of ours, if it is there.
absl::Status RemoveFile(const std::string& root, const std::string& path,
                        std::vector<std::string>& removed) {
  std::string full = absl::StrCat(root, path);
  if (unlink(full.c_str()) == 0) {
    removed.push_back(path);
    return absl::OkStatus();
  }
  return errno == ENOENT ? absl::OkStatus() : Failed(full, "cannot be removed");
}

// A directory of ours goes when nothing is in it.
void RemoveIfEmpty(const std::string& root, const std::string& path,
                   std::vector<std::string>& removed) {
  if (rmdir(absl::StrCat(root, path).c_str()) == 0) removed.push_back(path);
}

bool AnotherServiceHasOne(const std::string& root, const std::string& service) {
  std::error_code error;
  for (fs::directory_iterator entry(absl::StrCat(root, kUnitDirectory), error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().filename() == absl::StrCat(service, ".d")) continue;
    std::error_code ignored;
    if (fs::exists(entry->path() / kDropIn, ignored)) return true;
  }
  return false;
}

absl::Status CheckService(const std::string& service) {
  systemd::UnitName name = systemd::ParseUnitName(service);
  if (name.valid && name.type == "service") return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--service ", service, ": a service's name is wanted, such as ollama.service"));
}

}  // namespace

absl::StatusOr<std::vector<PlannedFile>> PlanUnit(const UnitOptions& options,
                                                  const std::vector<ViewMount>& view,
                                                  const std::string& library_path,
                                                  const std::string& preload) {
  if (absl::Status named = CheckService(options.service); !named.ok()) return named;

  std::string drop_in = absl::StrCat(
      "# Written by vgpu-run unit; vgpu-run unit --remove takes it away.\n"
      "[Unit]\nRequires=",
      kViewUnit, "\nAfter=", kViewUnit, "\n\n[Service]\n");
  for (const ViewMount& mount : view) {
    absl::StrAppend(&drop_in, BindLine(SourceOf(mount), absl::StrCat("/", mount.path)));
  }
  absl::StrAppend(&drop_in, BindLine(kPreload, kHostPreload));
  absl::StrAppend(&drop_in, QuoteAssignment("LD_LIBRARY_PATH",
                                            library_path.empty()
                                                ? options.shims
                                                : absl::StrCat(options.shims, ":", library_path)));
  absl::StrAppend(&drop_in, QuoteAssignment(kVerifySysfs, "0"));

  std::string view_unit = absl::StrCat(
      "# Written by vgpu-run unit; vgpu-run unit --remove takes it away.\n"
      "[Unit]\nDescription=Files of the virtual GPU\n\n"
      "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
      "ExecStart=",
      options.vgpu_run,
      " unit-view --mount\n"
      "ExecStop=",
      options.vgpu_run, " unit-view --unmount\n");

  std::string shims = preload;
  if (!shims.empty() && shims.back() != '\n') shims.push_back('\n');
  for (const char* name : kPreloaded) absl::StrAppend(&shims, options.shims, "/", name, "\n");

  return std::vector<PlannedFile>{
      {kPreload, shims}, {kViewUnitPath, view_unit}, {DropInPath(options.service), drop_in}};
}

absl::StatusOr<std::string> LibraryPathOf(const UnitOptions& options) {
  std::unique_ptr<host::Host> host;
  if (options.root.empty()) {
    host = std::make_unique<host::LiveHost>();
  } else {
    absl::StatusOr<std::unique_ptr<host::TreeHost>> tree = host::TreeHost::Open(options.root);
    if (!tree.ok()) return tree.status();
    host = *std::move(tree);
  }
  systemd::UnitFiles files = systemd::FindUnit(*host, options.service);
  if (!files.unseen.empty()) {
    return absl::UnavailableError(absl::StrCat(files.unseen[0].path, ": ", files.unseen[0].why));
  }
  std::vector<const systemd::UnitFile*> in_order;
  for (const systemd::UnitFile* file : files.InOrder()) {
    if (file->path != DropInPath(options.service)) in_order.push_back(file);
  }
  systemd::SpecifierContext context;
  context.unit = options.service;
  systemd::EffectiveUnit unit = systemd::MergeUnit(in_order, context);
  auto variable = unit.environment.find("LD_LIBRARY_PATH");
  if (variable == unit.environment.end()) return std::string();
  if (!variable->second.value.present()) {
    return absl::UnavailableError(absl::StrCat(options.service,
                                               ": LD_LIBRARY_PATH=", variable->second.raw,
                                               ": has a specifier that is not known here"));
  }
  return *variable->second.value;
}

absl::StatusOr<std::string> HostPreload(const UnitOptions& options) {
  std::string path = absl::StrCat(options.root, kHostPreload);
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::string();
  if (access(path.c_str(), R_OK) != 0) return Failed(path, "cannot be read");
  return ReadOr(path, "");
}

absl::StatusOr<std::vector<std::string>> InstallUnit(const UnitOptions& options,
                                                     const std::vector<PlannedFile>& files) {
  std::error_code error;
  bool first = !fs::exists(absl::StrCat(options.root, kPreload), error);
  if (first && !fs::exists(absl::StrCat(options.root, kHostPreload), error)) {
    if (absl::Status marked = Replace(absl::StrCat(options.root, kNoPreloadMark), "");
        !marked.ok()) {
      return marked;
    }
  }
  std::vector<std::string> written;
  for (const PlannedFile& file : files) {
    std::string path = absl::StrCat(options.root, file.path);
    if (ReadOr(path, "\n\n") == file.content) continue;
    if (absl::Status replaced = Replace(path, file.content); !replaced.ok()) return replaced;
    written.push_back(file.path);
  }
  return written;
}

absl::StatusOr<std::vector<std::string>> RemoveUnit(const UnitOptions& options) {
  if (absl::Status named = CheckService(options.service); !named.ok()) return named;
  std::vector<std::string> removed;
  const std::string& root = options.root;
  absl::Status status = RemoveFile(root, DropInPath(options.service), removed);
  if (!status.ok()) return status;
  RemoveIfEmpty(root, DropInDirectory(options.service), removed);
  if (AnotherServiceHasOne(root, options.service)) return removed;

  for (const char* path : {kViewUnitPath, kPreload}) {
    status = RemoveFile(root, path, removed);
    if (!status.ok()) return status;
  }
  RemoveIfEmpty(root, "/etc/vgpu", removed);
  struct stat marked = {}, preload = {};
  if (lstat(absl::StrCat(root, kNoPreloadMark).c_str(), &marked) == 0) {
    std::string path = absl::StrCat(root, kHostPreload);
    bool made_by_systemd =
        lstat(path.c_str(), &preload) == 0 && S_ISREG(preload.st_mode) && preload.st_size == 0;
    if (made_by_systemd) {
      status = RemoveFile(root, kHostPreload, removed);
      if (!status.ok()) return status;
    }
    status = RemoveFile(root, kNoPreloadMark, removed);
    if (!status.ok()) return status;
  }
  RemoveIfEmpty(root, kState, removed);
  return removed;
}

}  // namespace vgpu::run

#include "tools/vgpu_doctor/path_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "diag/host/file_io.h"
#include "diag/host/host.h"

namespace vgpu::doctor {
namespace {

// What archives are called. Those of other compressions are rows that say why they cannot be read.
constexpr absl::string_view kArchives[] = {".tar", ".tar.zst", ".tzst",   ".tar.gz",
                                           ".tgz", ".tar.xz",  ".tar.bz2"};

// One of them makes a directory a host's root, as for one host (open_host.cc).
constexpr const char* kPartsOfRoot[] = {".vgpu-capture", "etc", "usr"};

// A form's name stands at its beginning.
constexpr size_t kHead = 512;

bool IsArchive(absl::string_view head) {
  // RFC 8878, 3.1.1; the magic of a POSIX.1-1988 header.
  return absl::StartsWith(head, "\x28\xb5\x2f\xfd") ||
         (head.size() > 262 && head.substr(257, 5) == "ustar");
}

PathKind KindOfFile(const std::string& path) {
  const host::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char buffer[kHead];
  const ssize_t n = file.ok() ? read(file.get(), buffer, sizeof(buffer)) : -1;
  if (n < 0) return PathKind::kNothing;
  const absl::string_view head(buffer, static_cast<size_t>(n));
  if (IsArchive(head)) return PathKind::kHost;
  if (absl::StrContains(head, "\"vgpu-doctor.baseline/")) return PathKind::kBaseline;
  if (absl::StrContains(head, "\"vgpu-doctor.probe/")) return PathKind::kProbe;
  return PathKind::kText;
}

bool HoldsHosts(const std::string& path) {
  host::Fd opened(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.ok()) return false;
  const host::Observed<std::vector<std::string>> names = host::ListDir(std::move(opened));
  return names.present() && std::any_of(names->begin(), names->end(), [&](const std::string& name) {
           return !absl::StartsWith(name, ".") && IsHost(host::JoinPath(path, name), name);
         });
}

}  // namespace

bool IsHost(const std::string& path, absl::string_view name) {
  struct stat st = {};
  if (stat(path.c_str(), &st) != 0) return errno != ENOENT;
  if (S_ISREG(st.st_mode)) {
    return std::any_of(std::begin(kArchives), std::end(kArchives),
                       [&](absl::string_view ending) { return absl::EndsWith(name, ending); });
  }
  return S_ISDIR(st.st_mode) &&
         std::any_of(std::begin(kPartsOfRoot), std::end(kPartsOfRoot), [&](const char* part) {
           return lstat(host::JoinPath(path, part).c_str(), &st) == 0 ||
                  (errno != ENOENT && errno != ENOTDIR);
         });
}

PathKind KindOfPath(const std::string& path) {
  struct stat st = {};
  if (stat(path.c_str(), &st) != 0) return PathKind::kNothing;
  if (IsHost(path, path)) return PathKind::kHost;
  if (S_ISREG(st.st_mode)) return KindOfFile(path);
  if (!S_ISDIR(st.st_mode)) return PathKind::kNothing;
  const std::string below = host::JoinPath(path, "host");
  if (stat(below.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && IsHost(below, "host")) {
    return PathKind::kHostBelow;
  }
  return HoldsHosts(path) ? PathKind::kHosts : PathKind::kDirectory;
}

}  // namespace vgpu::doctor

#include "diag/loader/system.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::loader {
namespace {

using host::NotObserved;
using host::Observed;

constexpr size_t kCacheLimit = size_t{64} << 20;
constexpr size_t kCpuinfoLimit = size_t{16} << 10;  // the first processor's lines

constexpr absl::string_view kTriplets[] = {"x86_64-linux-gnu", "aarch64-linux-gnu"};

bool IsDir(Files& files, const View& view, absl::string_view path) {
  const Observed<host::Resolved>& found = files.At(view, path).found;
  return found.present() && found->meta.type == host::FileType::kDir;
}

// The triplet of a multiarch system, or "".
absl::string_view Triplet(Files& files, const View& view, absl::string_view interpreter) {
  const Observed<host::Resolved>& found = files.At(view, interpreter).found;
  for (absl::string_view triplet : kTriplets) {
    if (found.present() && absl::StrContains(found->path, absl::StrCat("/", triplet, "/"))) {
      return triplet;
    }
  }
  if (found.present()) return "";
  // The loader was not captured. The directory alone tells as much.
  for (absl::string_view triplet : kTriplets) {
    if (IsDir(files, view, absl::StrCat("/usr/lib/", triplet))) return triplet;
  }
  return "";
}

void SetDirs(Files& files, const View& view, absl::string_view interpreter, System& system) {
  if (const absl::string_view triplet = Triplet(files, view, interpreter); !triplet.empty()) {
    system.lib = absl::StrCat("lib/", triplet);
    system.default_dirs = {absl::StrCat("/lib/", triplet), absl::StrCat("/usr/lib/", triplet),
                           "/lib", "/usr/lib"};
    return;
  }
  system.lib = "lib64";
  const absl::string_view dir = host::Dirname(interpreter);
  const bool usual =
      absl::StartsWith(dir, "/lib") || absl::StartsWith(dir, "/usr/lib") || interpreter.empty();
  system.default_dirs = usual ? std::vector<std::string>{"/lib64", "/usr/lib64"}
                              : std::vector<std::string>{std::string(dir)};
}

// Of "GLIBC_2.36": 36.
int Minor(absl::string_view node) {
  int minor = 0;
  if (!absl::ConsumePrefix(&node, "GLIBC_2.") || !absl::SimpleAtoi(node, &minor)) return 0;
  return minor;
}

Observed<bool> HasLegacySubdirs(const Observed<ElfRef>& libc) {
  constexpr int kLast = 36;
  if (!libc.present()) return NotObserved{"glibc's version was not seen"};
  if (!(*libc)->version_defs.present()) return NotObserved{"glibc's version was not seen"};
  const std::vector<std::string>& nodes = *(*libc)->version_defs;
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const std::string& node) { return Minor(node) <= kLast; });
}

}  // namespace

bool System::IsTrusted(absl::string_view path) const {
  return std::any_of(default_dirs.begin(), default_dirs.end(), [&](const std::string& dir) {
    return path == dir || absl::StartsWith(path, absl::StrCat(dir, "/"));
  });
}

bool IsPartOfGlibc(absl::string_view name) {
  constexpr absl::string_view kParts[] = {"libc.so.6",      "libm.so.6",    "libdl.so.2",
                                          "librt.so.1",     "libutil.so.1", "libpthread.so.0",
                                          "libresolv.so.2", "libmvec.so.1", "libanl.so.1"};
  return absl::StartsWith(name, "ld-linux") ||
         std::find(std::begin(kParts), std::end(kParts), name) != std::end(kParts);
}

System ReadSystem(Files& files, const View& view, absl::string_view interpreter) {
  System system;
  SetDirs(files, view, interpreter, system);
  const host::Host& host = files.host();
  // A capture that may have left something out.
  const bool captured = host.running() && !host.complete();

  // The CPU is the host's, whatever the root. A plain root has none.
  system.cpu = host.Read("/proc/cpuinfo", kCpuinfoLimit).Map([](const host::Content& content) {
    return CpuFrom(content.bytes);
  });
  if (system.cpu.absent()) system.cpu = NotObserved{"/proc/cpuinfo was not captured"};

  const Observed<host::Content> cache = host.Read("/etc/ld.so.cache", kCacheLimit, view.root);
  system.cache = cache.Map([](const host::Content& content) -> Observed<LdSoCache> {
    absl::StatusOr<LdSoCache> parsed = LdSoCache::Parse(content.bytes);
    if (parsed.ok()) return *std::move(parsed);
    return NotObserved{absl::StrCat("/etc/ld.so.cache: ", parsed.status().message())};
  });
  // A running system without a cache has none; a capture may have left it out.
  if (!system.cache.present() && (captured || system.cache.not_observed())) {
    system.conf = ReadLdSoConf(host, view.root);
  }

  std::vector<std::string> dirs = system.default_dirs;
  if (system.conf) {
    for (const LdSoConf::Dir& dir : system.conf->dirs) dirs.push_back(dir.path);
  }
  bool has_libc = false;
  for (const std::string& dir : dirs) {
    const std::string libc = host::JoinPath(dir, "libc.so.6");
    if (!files.At(view, libc).found.present()) continue;
    has_libc = true;
    system.legacy_subdirs = HasLegacySubdirs(files.ElfOf(view, libc));
    break;
  }
  system.absence_counts = !captured || has_libc;
  if (!has_libc) system.legacy_subdirs = NotObserved{"glibc's version was not seen"};
  return system;
}

}  // namespace vgpu::loader

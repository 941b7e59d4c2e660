// VG607 driver-too-old: the CUDA version that the driver (or a shim) reports is below what
// the runtime or this Ollama wants.
//
// Era C compares the driver's release itself (discover/cuda_compat.go, v0.30.11). Before that
// only the runtime's code 35 tells, which a runtime also gives where it finds no driver at
// all, as in a container that was started without a GPU (VG610).

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {
namespace {

using facts::Facts;

// The oldest release of the driver for each major version of the runtime (CUDA Toolkit
// release notes, table 2: minor version compatibility).
constexpr int kFirstForCuda12 = 525;
constexpr int kFirstForCuda13 = 580;

// The release of NVIDIA's driver, and where it was read. Empty: not known.
struct Release {
  std::string text;
  std::string source;
  int major = 0;
};

Release DriverRelease(const Facts& facts) {
  Release release;
  if (facts.devices.module_version.present()) {
    release = {*facts.devices.module_version, "/proc/driver/nvidia/version", 0};
  } else if (!facts.devices.driver_libraries.empty()) {
    const facts::DriverLibrary& library = facts.devices.driver_libraries.front();
    release = {library.version, library.path, 0};
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(release.text, '.');
  if (!absl::SimpleAtoi(parts.front(), &release.major)) release.major = 0;
  return release;
}

bool HasVariant(const Facts& facts, absl::string_view name) {
  if (!facts.ollama.library_dir.present()) return false;
  for (const ollama::Variant& variant : facts.ollama.library_dir->variants) {
    if (variant.name == name) return true;
  }
  return false;
}

// A libcuda of another release than the kernel module's, where there is none of its own: its
// version. Empty otherwise.
std::string LibraryOfAnotherRelease(const facts::DeviceFacts& devices) {
  std::string other;
  for (const facts::DriverLibrary& library : devices.driver_libraries) {
    if (!devices.module_version.present() || !absl::StrContains(library.path, "/libcuda.so.")) {
      continue;
    }
    if (library.version == *devices.module_version) return "";
    other = library.version;
  }
  return other;
}

// What installs a driver, by ID= of os-release. Sources: ubuntu.com/server/docs (NVIDIA drivers),
// wiki.debian.org/NvidiaGraphicsDrivers, rpmfusion.org/Howto/NVIDIA, archlinux.org/packages
// (nvidia-utils), wiki.nixos.org/wiki/NVIDIA.
struct DriverPackage {
  absl::string_view distribution, command, why;
};
constexpr DriverPackage kDriverPackages[] = {
    {"ubuntu", "sudo ubuntu-drivers install",
     "installs the newest driver that Ubuntu has for this card"},
    {"debian", "apt-cache policy nvidia-driver",
     "shows which releases Debian offers here: install 580 or newer, from backports or from "
     "NVIDIA's own repository where this release of Debian has none"},
    {"fedora", "sudo dnf upgrade --refresh akmod-nvidia xorg-x11-drv-nvidia-cuda",
     "installs the newest driver of RPM Fusion, and builds its module"},
    {"arch", "sudo pacman -Syu",
     "installs the newest driver with the rest: Arch knows no partial upgrade"},
    {"nixos", "sudoedit /etc/nixos/configuration.nix && sudo nixos-rebuild boot",
     "set hardware.nvidia.package to a release of 580 or newer there"},
};
constexpr DriverPackage kDriverPackageOfOstree = {
    "", "sudo rpm-ostree upgrade && sudo systemctl reboot",
    "the driver is a layered package of the deployment: the newest one is built into the next"};
constexpr DriverPackage kDriverPackageElsewhere = {
    "", "cat /proc/driver/nvidia/version",
    "shows the release that is loaded: install the distribution's driver package of release 580 "
    "or newer (on Ubuntu, `sudo ubuntu-drivers install`)"};

Holds Base(const Facts& facts) {
  Holds holds;
  holds.explains = {"VG704", "VG707", "VG708"};
  if (facts.devices.IsVirtual()) {
    holds.fix.push_back({"sudoedit /etc/vgpu/devices.toml",
                         "under [driver], raise `version` and `cuda_version` to what the log asks "
                         "for, for example version = \"580.65.06\" and cuda_version = \"13.0\"",
                         "every program that sees the virtual device sees the new version",
                         "put the old values back"});
  } else {
    const std::string distribution = facts.installation.distribution.value_or("");
    const auto known = std::find_if(
        std::begin(kDriverPackages), std::end(kDriverPackages),
        [&](const DriverPackage& package) { return package.distribution == distribution; });
    const DriverPackage& package = facts.installation.keeper == facts::Keeper::kOstree
                                       ? kDriverPackageOfOstree
                                   : known != std::end(kDriverPackages) ? *known
                                                                        : kDriverPackageElsewhere;
    holds.fix.push_back({std::string(package.command), std::string(package.why),
                         "the driver is replaced: what uses the GPU has to be stopped, and the "
                         "machine booted anew",
                         "install the old release of the driver again"});
  }
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace

Judgement DriverTooOld(const Facts& facts) {
  if (auto none = WithoutFailure(facts)) return *none;
  const ollama::ServerStart& start = *facts.ThisStart();
  if (!start.driver_too_old.empty()) {
    const ollama::DriverTooOld& said = start.driver_too_old.back();
    Holds holds = Base(facts);
    holds.evidence.push_back(
        FromLog(*facts.log.ServersLog(), said.line,
                absl::StrCat("Ollama leaves the device out: its driver is ", said.driver,
                             ", and the backend wants ", said.required)));
    std::vector<Evidence> effect = ResultEvidence(facts);
    holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
    holds.headline = absl::StrCat("The NVIDIA driver is too old for this Ollama (", said.driver,
                                  "; it wants ", said.required, "): install a newer one.");
    return holds;
  }
  const ollama::CudaError* error = DecidingError(facts);
  // 200: a driver that is too old refuses code of a newer toolkit so, and damaged code too.
  const bool refused = error != nullptr && error->Is(200);
  if (error == nullptr || !(error->Is(35) || error->Is(36) || error->Is(222) || refused)) {
    return WithoutCode(facts);
  }
  // Era A has one message for 35 and 803: with a module and a library that differ it is 803.
  if (const std::string other = LibraryOfAnotherRelease(facts.devices);
      error->words.or_code != 0 && !other.empty()) {
    return Contradicted{absl::StrCat("the module is ", *facts.devices.module_version, " and not ",
                                     other, ": the code is that of VG606")};
  }
  const Release release = DriverRelease(facts);
  const bool container = facts.container.IsContainer();
  if (!facts.devices.IsVirtual() && !container && release.major != 0) {
    const bool for_12 = HasVariant(facts, "cuda_v12");
    const int wanted = for_12 ? kFirstForCuda12 : kFirstForCuda13;
    const bool known = for_12 || HasVariant(facts, "cuda_v13");
    if (release.major >= kFirstForCuda13 || (known && release.major >= wanted)) {
      return Contradicted{absl::StrCat("driver ", release.text, " (", release.source,
                                       ") serves CUDA ", release.major >= kFirstForCuda13 ? 13 : 12,
                                       ", and the code is the runtime's for no usable driver too")};
    }
  }
  Holds holds = Base(facts);
  holds.evidence = CodeEvidence(facts, *error);
  if (release.major != 0) {
    holds.evidence.push_back({release.source, 0, release.text, "the driver's release"});
  }
  const bool seen = release.major != 0 && release.major < kFirstForCuda12 && !container &&
                    !facts.devices.IsVirtual() && error->words.or_code == 0;
  if (seen) {
    holds.confidence = ResultEvidence(facts).empty() ? Confidence::kLikely : Confidence::kCertain;
  } else if (container || refused || error->words.or_code != 0) {
    // In a container the same code means that it was given no driver (VG610); era A's one
    // message stands for 803 too, a module and a library that differ (VG606).
    holds.confidence = Confidence::kPossible;
  } else {
    const bool known = release.major != 0 || facts.devices.IsVirtual();
    holds.confidence = known ? Confidence::kLikely : Confidence::kPossible;
  }
  holds.headline =
      absl::StrCat("CUDA says that the driver is older than the runtime in Ollama's backend (",
                   NameOf(error->words), "): ",
                   facts.devices.IsVirtual() ? "raise the version that the virtual device reports."
                                             : "install a newer driver.");
  return holds;
}

}  // namespace vgpu::rules

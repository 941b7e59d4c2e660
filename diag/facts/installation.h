// What is installed of Ollama: the files beside its backends, and what stands elsewhere on
// the host of another installation.
//
// Values; thread-compatible. A part of Facts (facts.h).

#ifndef DIAG_FACTS_INSTALLATION_H_
#define DIAG_FACTS_INSTALLATION_H_

#include <optional>
#include <string>
#include <vector>

#include "diag/elf/elf.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/ollama/library_dir.h"

namespace vgpu::facts {

// A library of the library directory or of a variant in it.
struct InstalledLibrary {
  std::string path;     // as its directory names it
  std::string variant;  // "cuda_v12"; empty at the top level
  bool link = false;
  host::Observed<host::Resolved> found;
  host::Trace trace;                 // where it is absent: the links, and where they stopped
  host::Observed<elf::ElfInfo> elf;  // of backends and of libggml-base; else not looked at
};

// A library directory or a program that is not the one in use.
struct OtherInstallation {
  std::string program;                  // "/usr/bin/ollama"; empty: none beside the directory
  host::Observed<std::string> version;  // of that program: "0.13.5"
  std::optional<ollama::LibraryDir> library_dir;
};

// Who alone writes what the host mounts read-only.
enum class Keeper {
  kNobody,  // an administrator writes it all
  kNixos,   // /nix/store, and what of /etc and of systemd's units is made from configuration.nix
  kOstree,  // /usr: Fedora's atomic desktops, CoreOS, images of bootc
};

struct InstallationFacts {
  // ID of /etc/os-release: "arch", "nixos". Of a container, where the server runs in one.
  host::Observed<std::string> distribution;
  Keeper keeper = Keeper::kNobody;  // of the host itself
  // libggml-*, libcuda*, libcublas* and libnvidia-ml* at the top level and in each variant;
  // at most kMaxLibraries.
  std::vector<InstalledLibrary> libraries;
  std::vector<OtherInstallation> others;

  static constexpr size_t kMaxLibraries = 256;
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_INSTALLATION_H_

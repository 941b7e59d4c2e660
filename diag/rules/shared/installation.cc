#include "diag/rules/shared/installation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/in_effect.h"
#include "diag/rules/shared/read_only_host.h"

namespace vgpu::rules {
namespace {

using facts::Facts;
using ollama::Era;

// Packages that hold the CUDA backend, where the plain package has none. Sources:
// archlinux.org/packages (ollama-cuda, which needs ollama), wiki.nixos.org/wiki/Ollama.
constexpr char kArchPackage[] = "sudo pacman -S ollama-cuda";
constexpr char kNixosPackage[] =
    "sudoedit /etc/nixos/configuration.nix && sudo nixos-rebuild switch";
constexpr char kNixPackage[] = "nix profile install nixpkgs#ollama-cuda";
constexpr char kGigabytes[] = "the backend and its CUDA libraries are some gigabytes";

// Below a prefix that distributions' packages own.
bool OfPackage(absl::string_view exe) {
  return absl::StartsWith(exe, "/usr/bin/") || absl::StartsWith(exe, "/bin/");
}

// The installed package was built with CUDA.
bool HasCuda(const Facts& facts, absl::string_view exe) {
  if (absl::StrContains(exe, "ollama-cuda")) return true;
  if (!facts.ollama.library_dir.present()) return false;
  const auto& variants = facts.ollama.library_dir->variants;
  return std::any_of(variants.begin(), variants.end(), [](const ollama::Variant& variant) {
    return absl::StartsWith(variant.name, "cuda_");
  });
}

// Of a program in the Nix store, which an archive cannot be unpacked into.
std::vector<FixStep> OfNix(const Facts& facts, const std::string& exe, const std::string& why,
                           Libraries libraries) {
  const bool nixos = facts.installation.keeper == facts::Keeper::kNixos;
  if (!HasCuda(facts, exe)) {
    if (!nixos) return {{kNixPackage, "pkgs.ollama holds no CUDA backend", kGigabytes, ""}};
    return {{kNixosPackage,
             "write services.ollama.package = pkgs.ollama-cuda; there: pkgs.ollama holds no CUDA "
             "backend",
             kGigabytes, "sudo nixos-rebuild switch --rollback"}};
  }
  if (libraries == Libraries::kLost) return RepairStoreSteps(facts, {StorePathOf(exe)});
  if (!nixos) {
    return {{absl::StrCat("nix-store --query --roots ", StorePathOf(exe)),
             absl::StrCat("shows which profile holds Ollama: put another build of it there (", why,
                          ")"),
             "", ""}};
  }
  return {{kNixosPackage,
           absl::StrCat("let services.ollama.package name another build of pkgs.ollama-cuda: a "
                        "newer channel's, or an override of it (",
                        why, ")"),
           kGigabytes, "sudo nixos-rebuild switch --rollback"}};
}

}  // namespace

std::string Quoted(absl::string_view path) {
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return absl::StrContains("/._-+=:@,", absl::string_view(&c, 1)) || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (plain && !path.empty()) return std::string(path);
  return absl::StrCat("'", absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
}

std::string RequestedVariant(const Facts& facts) {
  std::string value;
  for (const InEffect& variable : ValuesInEffect(facts, "OLLAMA_LLM_LIBRARY")) {
    if (variable.value.not_observed()) continue;
    value = variable.value.value_or("");
    break;
  }
  const size_t begin = value.find_first_not_of(" \t\r\n\"'");
  if (begin == std::string::npos) return "";
  return value.substr(begin, value.find_last_not_of(" \t\r\n\"'") + 1 - begin);
}

std::vector<const ollama::Variant*> TriedVariants(const Facts& facts) {
  std::vector<const ollama::Variant*> tried;
  if (!facts.ollama.library_dir.present()) return tried;
  // Era A falls back to the variant that fits where there is none of that name.
  const std::string requested =
      facts.ollama.era == Era::kA ? std::string() : RequestedVariant(facts);
  for (const ollama::Variant& variant : facts.ollama.library_dir->variants) {
    if (!requested.empty() && variant.name != requested) continue;
    if (requested.empty() && absl::StartsWith(variant.name, "cuda_jetpack") &&
        !facts.devices.l4t_major.present()) {
      continue;
    }
    tried.push_back(&variant);
  }
  return tried;
}

std::vector<Evidence> LostGpuEvidence(const Facts& facts) {
  if (facts.ollama.era != Era::kA) return NoGpuEvidence(facts);
  const auto& on_cpu = facts.ollama.models_on_cpu;
  if (!on_cpu.present() || on_cpu->empty()) return {};
  return {{on_cpu.source, 0, absl::StrCat(on_cpu->front(), ": size_vram 0"),
           "a loaded model has no byte on a GPU"}};
}

std::vector<std::string> WhatFollows(const Facts& facts) {
  if (facts.ollama.era == Era::kA) return {"VG902"};
  if (facts.ollama.era == Era::kUnknown) return {"VG704", "VG902"};
  return {"VG704"};
}

std::vector<FixStep> ReinstallSteps(const Facts& facts, std::string why, Libraries libraries) {
  std::vector<FixStep> steps;
  const std::string exe = facts.ollama.exe.value_or("/usr/local/bin/ollama");
  if (!StorePathOf(exe).empty()) {
    steps = OfNix(facts, exe, why, libraries);
  } else if (facts.installation.distribution.value_or("") == "arch" && OfPackage(exe)) {
    steps.push_back({kArchPackage, "Arch's package ollama holds no CUDA backend: ollama-cuda does",
                     kGigabytes, ""});
  } else {
    // Ollama's own archive holds bin/ollama and lib/ollama with every CUDA variant.
    const absl::string_view bin = host::Dirname(exe);
    const std::string prefix =
        host::Basename(bin) == "bin" ? std::string(host::Dirname(bin)) : "/usr/local";
    std::string version;
    if (facts.ollama.version.present() && ollama::ParseVersion(*facts.ollama.version)) {
      version = absl::StrCat("OLLAMA_VERSION=", *facts.ollama.version, " ");
    }
    if (prefix == "/usr/local" || prefix == "/usr") {
      steps.push_back({absl::StrCat("curl -fsSL https://ollama.com/install.sh | ", version, "sh"),
                       std::move(why),
                       absl::StrCat("it replaces lib/ollama and the unit file, and stops the "
                                    "service for the time; drop-ins stay. It installs below the "
                                    "first of /usr/local/bin, /usr/bin in PATH: ",
                                    prefix, " is the one in use"),
                       ""});
    } else {
      steps.push_back(
          {absl::StrCat("curl -fsSL https://ollama.com/download/ollama-linux-amd64.tar.zst | "
                        "sudo tar x --zstd -C ",
                        Quoted(prefix)),
           std::move(why), "the program there is replaced by the newest one", ""});
    }
  }
  if (facts.unit_judged) {
    steps.push_back(RestartStep(facts, "libraries are looked for once, at the start"));
  }
  return steps;
}

std::vector<std::string> ExpectLibraries(const Facts& facts) {
  if (facts.ollama.era == Era::kA) {
    return {"`ollama ps` shows a loaded model at `100% GPU`"};
  }
  return {ExpectGpuLine(facts)};
}

}  // namespace vgpu::rules

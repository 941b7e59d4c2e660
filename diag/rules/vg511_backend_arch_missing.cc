// VG511 backend-arch-missing: the CUDA backend was not compiled for the device's compute
// capability.
//
// From v0.12.4 a device is dropped unless the backend's list of architectures has its very
// number: an assertion in the child (B: ggml_cuda_has_arch, where the second pass sets
// GGML_CUDA_INIT), a comparison in the server (C: discover/llama_server.go). Era A finds the
// device, and the first kernel of a model fails.

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"

namespace vgpu::rules {
namespace {

// "sm_90a", "compute_90": 90. Nothing for what is neither.
std::optional<int> ArchNumber(absl::string_view arch) {
  if (!absl::ConsumePrefix(&arch, "sm_") && !absl::ConsumePrefix(&arch, "compute_")) {
    return std::nullopt;
  }
  arch = arch.substr(0, arch.find_first_not_of("0123456789"));
  int number = 0;
  if (!absl::SimpleAtoi(arch, &number)) return std::nullopt;
  return number;
}

// "9.0": 90; "12.1": 121.
std::optional<int> CapabilityNumber(absl::string_view capability) {
  const size_t dot = capability.find('.');
  int major = 0, minor = 0;
  if (dot == absl::string_view::npos || !absl::SimpleAtoi(capability.substr(0, dot), &major) ||
      !absl::SimpleAtoi(capability.substr(dot + 1), &minor) || minor < 0 || minor > 9) {
    return std::nullopt;
  }
  return major * 10 + minor;
}

// The code in the backend runs on such a device. In era A what the driver can run counts:
// the machine code of an older device of the same major number, or PTX of any older one.
bool Runs(const std::vector<std::string>& archs, int device, ollama::Era era) {
  for (const std::string& arch : archs) {
    const std::optional<int> number = ArchNumber(arch);
    if (!number) continue;
    if (*number == device) return true;
    if (era != ollama::Era::kA || *number > device) continue;
    // Code for one device's special features ("sm_90a") runs nowhere else.
    if (!absl::ascii_isdigit(static_cast<unsigned char>(arch.back()))) continue;
    if (absl::StartsWith(arch, "compute_") || *number / 10 == device / 10) return true;
  }
  return false;
}

Holds Missing(const facts::Facts& facts) {
  Holds holds;
  holds.explains = WhatFollows(facts);
  for (const char* code : {"VG702", "VG703", "VG708"}) holds.explains.push_back(code);
  holds.fix = ReinstallSteps(
      facts,
      "Ollama's own builds carry code for every device from compute capability 5.0 on "
      "(cuda_v12) and 7.5 on (cuda_v13)",
      Libraries::kUnfitting);
  if (facts.devices.IsVirtual()) {
    holds.fix.push_back({absl::StrCat("sudoedit ", Quoted(facts::kDeviceConfigFile)),
                         "or give the virtual device a compute_capability that the backend has",
                         "programs that look at the device see another one",
                         "put the line back as it was"});
  }
  holds.expect = ExpectLibraries(facts);
  return holds;
}

}  // namespace

Judgement BackendArchMissing(const facts::Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (facts.ollama.era != ollama::Era::kA && facts.FoundGpu().value_or(false)) {
    return Contradicted{"discovery kept the device, whose architecture it compares"};
  }
  if (start != nullptr && !start->arch_missing.empty()) {
    Holds holds = Missing(facts);
    for (const ollama::LogLine& line : start->arch_missing) {
      if (holds.evidence.size() >= 6) break;
      holds.evidence.push_back(
          FromLog(*facts.log.ServersLog(), line, "the backend was not compiled for this device"));
    }
    std::vector<Evidence> effect = NoGpuEvidence(facts);
    holds.confidence = effect.empty() ? Confidence::kLikely : Confidence::kCertain;
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
    holds.headline = "The CUDA backend was not compiled for the device's compute capability.";
    return holds;
  }

  std::vector<const facts::InstalledLibrary*> backends;
  for (const ollama::Variant* variant : TriedVariants(facts)) {
    if (!variant->cuda_backend.present()) continue;
    for (const facts::InstalledLibrary& library : facts.installation.libraries) {
      if (library.path == variant->backend_path) backends.push_back(&library);
    }
  }
  if (backends.empty()) {
    const auto& dir = facts.ollama.library_dir;
    if (dir.not_observed()) {
      return CannotTell{"Ollama's library directory", std::string(dir.why_not()),
                        HowToSeeProcess(facts)};
    }
    return Contradicted{"no backend is there to be compiled for anything"};
  }
  if (!facts.devices.configured.present()) {
    return CannotTell{"the compute capability of the device",
                      facts.devices.configured.absent()
                          ? "no virtual device is configured, and NVIDIA's driver was not asked"
                          : std::string(facts.devices.configured.why_not()),
                      "nvidia-smi --query-gpu=name,compute_cap --format=csv"};
  }
  std::vector<std::string> unseen;
  Holds holds = Missing(facts);
  std::string device_text;
  for (const facts::InstalledLibrary* backend : backends) {
    const auto archs = backend->elf.Map([](const elf::ElfInfo& info) { return info.cuda_archs; });
    if (!archs.present() || archs->empty()) {
      unseen.push_back(backend->path);
      continue;
    }
    for (const facts::ConfiguredDevice& device : facts.devices.configured->devices) {
      const std::optional<int> number = CapabilityNumber(device.compute_capability);
      if (!number) continue;
      if (Runs(*archs, *number, facts.ollama.era)) {
        return Contradicted{absl::StrCat(backend->path, " carries code for ",
                                         device.compute_capability, " (", device.name, ")")};
      }
      device_text = absl::StrCat(device.name, ", compute capability ", device.compute_capability);
    }
    std::vector<std::string> shown = *archs;
    if (shown.size() > 24) shown.resize(24);
    if (holds.evidence.size() < 8) {
      holds.evidence.push_back({backend->path, 0, absl::StrJoin(shown, " "),
                                "the architectures that the backend carries code for"});
    }
  }
  if (!unseen.empty() || device_text.empty()) {
    return CannotTell{"the architectures that the CUDA backend was compiled for",
                      unseen.empty() ? "the device's compute capability is no number"
                                     : "they are not read from the file itself",
                      unseen.empty()
                          ? absl::StrCat("cat ", facts::kDeviceConfigFile)
                          : absl::StrCat("cuobjdump --list-elf ", Quoted(unseen.front()))};
  }
  holds.evidence.push_back({facts.devices.config_source, 0, device_text,
                            "what the device says of itself is not among them"});
  std::vector<Evidence> effect = LostGpuEvidence(facts);
  holds.confidence = effect.empty() || facts.ollama.era == ollama::Era::kUnknown
                         ? Confidence::kLikely
                         : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.headline = absl::StrCat("The CUDA backend has no code for the device (", device_text, ").");
  return holds;
}

}  // namespace vgpu::rules

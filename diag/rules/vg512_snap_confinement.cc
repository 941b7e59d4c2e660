// VG512 snap-confinement: the server runs as a snap, which sees neither the service's drop-in
// nor the host's libraries.
//
// snap-confine is set-uid, so that the loader drops LD_PRELOAD and LD_LIBRARY_PATH, and the
// snap's root is its base image: what lies in the host's /usr is not there (snapd,
// cmd/snap-confine).

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {

Judgement SnapConfinement(const facts::Facts& facts) {
  const auto& exe = facts.ollama.exe;
  const bool by_exe = exe.present() && (absl::StartsWith(*exe, "/snap/") ||
                                        absl::StartsWith(*exe, "/var/lib/snapd/snap/"));
  const bool by_unit = facts.unit_judged && absl::StartsWith(facts.unit.name, "snap.");
  if (!by_exe && !by_unit) {
    if (!exe.present()) {
      return CannotTell{"the program of the server", std::string(exe.why_not()),
                        HowToSeeProcess(facts)};
    }
    return Contradicted{absl::StrCat(*exe, " is of no snap")};
  }
  if (facts.FoundGpu().value_or(false)) {
    return Contradicted{"the snap's server found the GPU"};
  }
  if (by_unit && !by_exe && exe.present() && facts.process.present()) {
    return Contradicted{absl::StrCat(*exe, " runs outside of the snap")};
  }
  Holds holds;
  if (by_exe) {
    holds.evidence.push_back({exe.source, 0, *exe, "the server is a program of a snap"});
  }
  if (by_unit) {
    holds.evidence.push_back(
        {absl::StrCat("systemctl show ", facts.unit.name), 0, facts.unit.name, "a snap's service"});
  }
  // What the host has, and the snap does not get.
  bool lost = false;
  if (facts.unit_preload) {
    holds.evidence.push_back({facts.unit_preload->source, facts.unit_preload->line,
                              Assignment("LD_PRELOAD", facts.unit_preload->value),
                              "the unit gives this, and the snap's loader drops it"});
    lost = NoShimMapped(facts).value_or(false);
  }
  for (Evidence& evidence : NoShimEvidence(facts)) holds.evidence.push_back(std::move(evidence));
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  const bool virtual_device = facts.devices.IsVirtual();
  // NVIDIA's own driver reaches a snap, where its interfaces are connected.
  holds.confidence = !virtual_device           ? Confidence::kPossible
                     : !effect.empty() && lost ? Confidence::kCertain
                                               : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  // Of what does not run, it is not known to be why.
  if (facts.process.absent()) holds.acts = Acts::kNextStart;
  // `snap run` is no wrapper of anyone here.
  holds.explains = {"VG207", "VG303", "VG304", "VG302", "VG401", "VG402", "VG704"};
  holds.headline = virtual_device
                       ? "Ollama runs as a snap, which does not get the shims: run Ollama's own "
                         "service in its place."
                       : "Ollama runs as a snap, whose confinement may keep the GPU from it.";
  if (!virtual_device) {
    holds.fix.push_back({"snap connections ollama",
                         "an interface for the GPU without a slot is not connected "
                         "(sudo snap connect ollama:opengl)",
                         "", ""});
  }
  holds.fix.push_back({"sudo snap stop --disable ollama",
                       "frees the port that Ollama's own service listens on",
                       "requests that are running are cut off", "sudo snap start --enable ollama"});
  holds.fix.push_back({"curl -fsSL https://ollama.com/install.sh | sh",
                       "installs Ollama outside of a snap, with ollama.service",
                       "models below /var/snap/ollama are not moved: OLLAMA_MODELS may name them",
                       ""});
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

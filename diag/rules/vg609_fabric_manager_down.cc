// VG609 fabric-manager-down: CUDA's error 802. On machines with NVSwitch no device can be
// used before nvidia-fabricmanager has set the fabric up (NVIDIA Fabric Manager User Guide).

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {

Judgement FabricManagerDown(const facts::Facts& facts) {
  if (auto none = WithoutCard(facts)) return *none;
  const ollama::CudaError* error = DecidingError(facts);
  if (error == nullptr || !error->Is(802)) return WithoutCode(facts);
  const facts::Fact<std::string>& unit = facts.fabric_manager;
  const bool runs = unit.present() && *unit == "active";
  const bool down = unit.present() && (*unit == "inactive" || *unit == "failed");
  Holds holds;
  holds.evidence = CodeEvidence(facts, *error);
  if (!unit.not_observed()) {
    holds.evidence.push_back(
        {unit.source, 0,
         unit.present() ? absl::StrCat("nvidia-fabricmanager.service ", *unit)
                        : "(no nvidia-fabricmanager.service)",
         runs   ? "it runs now: it came too late, or its release is not the driver's"
         : down ? "it does not run"
                : "systemd has not loaded it: it is not installed, or was never started"});
  }
  const bool effect = error->after_result || !ResultEvidence(facts).empty();
  holds.confidence = down && effect ? Confidence::kCertain
                     : runs         ? Confidence::kPossible
                                    : Confidence::kLikely;
  holds.explains = {"VG704", "VG707", "VG708"};
  holds.headline = runs
                       ? "CUDA's fabric was not set up when discovery ran: restart the service now "
                         "that nvidia-fabricmanager runs."
                       : "The NVSwitch fabric is not set up: start nvidia-fabricmanager.";
  if (!runs) {
    holds.fix.push_back({"sudo systemctl enable --now nvidia-fabricmanager.service",
                         "sets the fabric up, now and at each boot; its package must be of the "
                         "driver's very release",
                         "", "sudo systemctl disable --now nvidia-fabricmanager.service"});
  }
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {"`systemctl is-active nvidia-fabricmanager.service` says active",
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

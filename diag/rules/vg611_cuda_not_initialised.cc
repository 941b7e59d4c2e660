// VG611 cuda-not-initialised: CUDA's error 3 from a card's own driver.
//
// Two causes are known, and a log alone does not tell them apart: a fault of nvidia_uvm with
// the kernel's heterogeneous memory management (cured by uvm_disable_hmm=1), and a device that
// is passed through to a virtual machine incompletely.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {

Judgement CudaNotInitialised(const facts::Facts& facts) {
  if (auto none = WithoutCard(facts)) return *none;
  const ollama::CudaError* error = DecidingError(facts);
  if (error == nullptr || !error->Is(3)) return WithoutCode(facts);
  Holds holds;
  holds.confidence = Confidence::kPossible;
  holds.evidence = CodeEvidence(facts, *error);
  if (facts.kernel_log.present()) {
    using Kind = facts::KernelEvent::Kind;
    for (Kind kind : {Kind::kDriver, Kind::kGpuLost, Kind::kXid}) {
      const facts::KernelEvent* event = facts.kernel_log->Last(kind);
      if (event == nullptr) continue;
      holds.evidence.push_back({facts.kernel_log.source, static_cast<int>(event->number),
                                event->text, "the driver's own complaint"});
      holds.confidence = Confidence::kLikely;
      break;
    }
  }
  const bool guest = facts.cpu.present() && facts.cpu->hypervisor;
  if (guest) {
    holds.evidence.push_back({facts.cpu.source, 0, "hypervisor",
                              "this is a virtual machine: its device may be passed through "
                              "incompletely"});
  }
  if (facts.devices.module_version.present()) {
    holds.evidence.push_back(
        {"/proc/driver/nvidia/version", 0, *facts.devices.module_version, "the driver's release"});
  }
  holds.explains = {"VG704", "VG707", "VG708"};
  holds.headline = "The NVIDIA driver could not bring CUDA up (error 3).";
  holds.fix.push_back(
      {"echo 'options nvidia_uvm uvm_disable_hmm=1' | sudo tee "
       "/etc/modprobe.d/zz-vgpu-doctor-vg611.conf && sudo rmmod nvidia_uvm && sudo modprobe "
       "nvidia_uvm",
       "works around the driver's fault with heterogeneous memory management",
       "programs that use CUDA have to be stopped first",
       "sudo rm /etc/modprobe.d/zz-vgpu-doctor-vg611.conf && sudo rmmod nvidia_uvm && sudo "
       "modprobe "
       "nvidia_uvm"});
  if (guest) {
    holds.fix.push_back({"journalctl -k | grep -i nvrm",
                         "an error of the adapter here speaks for the hypervisor's side: pass all "
                         "functions of the card through, with its whole memory window",
                         "", ""});
  }
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

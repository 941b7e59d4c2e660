#include "diag/rules/catalogue.h"

namespace vgpu::rules {
namespace {

constexpr CatalogueEntry kCatalogue[] = {
    {"VG101", "global-preload-shim",
     "the host's /etc/ld.so.preload loads a shim into every program", Kind::kRisk},
    {"VG102", "global-preload-broken",
     "the host's /etc/ld.so.preload has an entry that cannot be loaded", Kind::kCause},
    {"VG103", "foreign-vgpu-layer", "another CUDA interposer is preloaded beside the shims",
     Kind::kNote},
    {"VG201", "unit-not-found", "there is no such unit", Kind::kCause},
    {"VG202", "wrong-unit", "another unit than the configured one runs Ollama", Kind::kCause},
    {"VG203", "daemon-reload-needed", "systemd has not loaded the unit as it is on disk",
     Kind::kCause},
    {"VG204", "dropin-ineffective", "a drop-in has no effect", Kind::kCause},
    {"VG205", "environment-overridden", "a later setting takes the wanted variable away",
     Kind::kCause},
    {"VG206", "environment-value-cut", "an unquoted space cuts the value of a variable",
     Kind::kCause},
    {"VG207", "exec-wrapper", "ExecStart runs a wrapper that changes what the shims need",
     Kind::kCause},
    {"VG208", "exec-not-executable", "systemd cannot execute what ExecStart names", Kind::kCause},
    {"VG209", "namespace-setup-failed", "the unit's mount namespace cannot be set up as written",
     Kind::kCause},
    {"VG210", "sandbox-hides-device", "the unit's sandbox hides the device or the libraries",
     Kind::kCause},
    {"VG211", "environment-file-missing", "an EnvironmentFile is missing", Kind::kCause},
    {"VG212", "stderr-redirected", "the service's standard error is not in the journal",
     Kind::kNote},
    {"VG301", "service-not-running", "the service does not run", Kind::kCause},
    {"VG302", "service-started-before-config",
     "the service was started before it had its present configuration", Kind::kCause},
    {"VG303", "environment-scrubbed", "the process lost a variable that its unit gives it",
     Kind::kCause},
    {"VG304", "secure-exec", "the kernel started the program in secure mode", Kind::kCause},
    {"VG305", "static-binary", "the program is static: nothing can be preloaded", Kind::kCause},
    {"VG306", "stale-library-in-memory", "a mapped library was replaced on disk", Kind::kCause},
    {"VG307", "crash-loop", "the service starts and dies again and again", Kind::kConsequence},
    {"VG308", "stale-binary", "the running program is not the file that ExecStart names",
     Kind::kCause},
    {"VG309", "runner-environment-differs",
     "the discovery child lacks the shims that the server has", Kind::kCause},
    {"VG310", "manager-environment",
     "the variable comes from the service manager's own environment", Kind::kNote},
    {"VG401", "preload-entry-missing", "an entry of the preload list does not exist", Kind::kCause},
    {"VG402", "preload-entry-unreadable",
     "an entry of the preload list cannot be read by the service", Kind::kCause},
    {"VG403", "preload-entry-not-loadable", "an entry of the preload list cannot be loaded",
     Kind::kCause},
    {"VG404", "preload-file-truncated", "a preloaded file is cut off", Kind::kCause},
    {"VG405", "preload-dependency-missing", "a library that a shim needs is missing", Kind::kCause},
    {"VG406", "shim-symbol-unresolved", "a symbol that a shim needs is defined by nobody",
     Kind::kCause},
    {"VG407", "shim-needs-newer-glibc", "a shim was built for a newer C library", Kind::kCause},
    {"VG408", "shim-soname-wrong", "a preloaded shim lacks the soname that programs ask for",
     Kind::kCause},
    {"VG409", "shim-version-node-missing",
     "a shim does not define the symbol version that is asked for", Kind::kCause},
    {"VG410", "shim-loaded-twice", "two files of one shim are loaded", Kind::kCause},
    {"VG411", "preload-order", "the preload list is not in the conventional order", Kind::kNote},
    {"VG412", "preload-points-to-driver", "an entry of the preload list is NVIDIA's own library",
     Kind::kCause},
    {"VG413", "preload-path-malformed", "the preload list is malformed", Kind::kCause},
    {"VG414", "preload-set-incomplete", "the preload list lacks a shim that the set needs",
     Kind::kCause},
    {"VG415", "shim-shadowed", "another file wins over the shim", Kind::kCause},
    {"VG416", "cublas-stub-shadows", "a stub of cuBLAS wins over the real one", Kind::kCause},
    {"VG417", "shim-breaks-dlopen", "a preloaded library interposes dlopen or dlsym", Kind::kCause},
    {"VG418", "shim-and-driver-mixed", "one layer is shimmed and another is NVIDIA's own",
     Kind::kCause},
    {"VG501", "ollama-libdir-missing", "Ollama's library directory does not exist", Kind::kCause},
    {"VG502", "backend-missing", "no variant directory holds libggml-cuda.so", Kind::kCause},
    {"VG503", "backend-link-dangling", "the CUDA backend is a link to nothing", Kind::kCause},
    {"VG504", "backend-dependency-missing", "a library that the CUDA backend needs is missing",
     Kind::kCause},
    {"VG505", "backend-symbol-unresolved", "a symbol that the CUDA backend needs is missing",
     Kind::kCause},
    {"VG506", "llm-library-mismatch", "OLLAMA_LLM_LIBRARY names no variant that exists",
     Kind::kCause},
    {"VG507", "visible-devices-hide", "the visible-devices setting hides the device", Kind::kCause},
    {"VG508", "mixed-installs", "two installations of Ollama are mixed", Kind::kCause},
    {"VG509", "binary-relocated", "the running binary sits where its libraries cannot be found",
     Kind::kCause},
    {"VG510", "library-path-not-honoured", "OLLAMA_LIBRARY_PATH in the unit changes nothing",
     Kind::kNote},
    {"VG511", "backend-arch-missing", "the CUDA backend has no code for the device", Kind::kCause},
    {"VG512", "snap-confinement", "a snap sees neither the drop-in nor the host's libraries",
     Kind::kCause},
    {"VG513", "driver-stub-in-path", "a toolkit's stub of the driver wins", Kind::kCause},
    {"VG514", "backend-version-skew", "backend and server are of different versions", Kind::kCause},
    {"VG515", "vulkan-passes-visible-devices",
     "Vulkan reaches a card that CUDA_VISIBLE_DEVICES hides", Kind::kNote},
    {"VG601", "pci-device-absent", "there is no PCI function with the configured ids",
     Kind::kCause},
    {"VG602", "pci-ids-wrong", "the PCI ids differ from the profile", Kind::kCause},
    {"VG603", "bus-id-mismatch", "sysfs, NVML and CUDA name different addresses", Kind::kCause},
    {"VG604", "device-node-inaccessible", "the device's nodes are missing or closed to the service",
     Kind::kCause},
    {"VG605", "driver-module-missing", "the NVIDIA kernel module is not loaded", Kind::kCause},
    {"VG606", "driver-library-mismatch", "NVIDIA's kernel module and user library differ",
     Kind::kCause},
    {"VG607", "driver-too-old", "the driver's CUDA version is too old", Kind::kCause},
    {"VG608", "uvm-lost-after-suspend", "the driver was lost after a suspend", Kind::kCause},
    {"VG609", "fabric-manager-down", "the fabric manager does not run", Kind::kCause},
    {"VG610", "container-without-gpu", "the container has no GPU", Kind::kCause},
    {"VG611", "cuda-not-initialised", "CUDA could not be initialised", Kind::kCause},
    {"VG612", "driver-and-container-runtime-differ", "driver and container runtime do not fit",
     Kind::kCause},
    {"VG613", "device-taken", "the device is taken by others", Kind::kCause},
    {"VG614", "jetpack-mismatch", "the JetPack variant does not fit the system", Kind::kCause},
    {"VG701", "discovery-timeout", "discovery timed out", Kind::kConsequence},
    {"VG702", "discovery-child-crashed", "the discovery child crashed", Kind::kConsequence},
    {"VG703", "second-pass-filtered", "the device was dropped by discovery's second pass",
     Kind::kCause},
    {"VG704", "discovered-no-gpu", "discovery ended with the CPU only", Kind::kConsequence},
    {"VG705", "discovery-not-in-log", "the log at hand cannot show discovery", Kind::kNote},
    {"VG706", "discovered-before-change",
     "discovery ran before the device or the configuration was there", Kind::kCause},
    {"VG707", "cuda-init-error", "CUDA's initialisation returned an error", Kind::kConsequence},
    {"VG708", "first-pass-success-later-lost",
     "an earlier success was lost: the last result decides", Kind::kConsequence,
     /*stands_alone=*/false},
    {"VG709", "cpu-without-avx", "the CPU lacks vector extensions that this version asks for",
     Kind::kCause},
    {"VG801", "device-uuid-implausible", "the device's UUID is implausible", Kind::kCause},
    {"VG802", "pci-id-implausible", "the PCI address is implausible", Kind::kRisk},
    {"VG803", "compute-capability-implausible", "the compute capability is implausible",
     Kind::kCause},
    {"VG804", "device-identity-differs", "the device's identity differs from its profile",
     Kind::kRisk},
    {"VG805", "kernel-launch-refused", "a kernel launch was refused", Kind::kNote},
    {"VG901", "model-exceeds-memory", "the model does not fit into the GPU's memory", Kind::kNote},
    {"VG902", "runner-lost-the-backend", "the model's runner could not use the GPU", Kind::kCause},
};

constexpr absl::string_view kLayers[] = {
    "the whole machine",    "what the unit says",
    "what the process has", "what the loader does with the shims",
    "Ollama's libraries",   "the device",
    "what discovery said",  "is what it found believable",
    "after discovery",
};

}  // namespace

absl::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kCause:
      return "cause";
    case Kind::kRisk:
      return "risk";
    case Kind::kNote:
      return "note";
    case Kind::kConsequence:
      return "consequence";
  }
  return "";
}

absl::string_view LayerTitle(int layer) {
  return layer >= 1 && layer <= 9 ? kLayers[layer - 1] : absl::string_view();
}

int CatalogueEntry::layer() const { return code[2] - '0'; }

absl::Span<const CatalogueEntry> Catalogue() { return kCatalogue; }

const CatalogueEntry* FindCode(absl::string_view code) {
  for (const CatalogueEntry& entry : kCatalogue) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

}  // namespace vgpu::rules

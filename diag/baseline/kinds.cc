#include "diag/baseline/kinds.h"

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace vgpu::baseline {
namespace {

constexpr Class kText = Class::kIdentity;
constexpr Class kList = Class::kOrdered;
constexpr Class kNumber = Class::kBounded;

// What decides which files are loaded.
constexpr absl::string_view kLoading = "unit. process. library. host.preload manager. ollama.";

// What the text of a unit's file is read for: where one of those differs, it says what the text's
// hash only shows to differ. That a file beside it is not read says nothing of it.
constexpr absl::string_view kSettings =
    "unit.environment unit.unset_environment unit.pass_environment unit.exec_start unit.user "
    "unit.groups unit.sandbox. unit.setting.";

// Weights: what stops a library from being loaded or a device from being seen stands above 60, in
// about the order of the catalogue's layers; below are what a hash alone says (something else
// tells it better), what discovery said (an effect), and what is known to change nothing.
constexpr Kind kKinds[] = {
    // The whole machine.
    {"host.preload", kList, 92, "the host's /etc/ld.so.preload", "VG102 VG101 VG103", "", "",
     kAbsenceCounts},
    {"host.kernel", kText, 30, "the kernel", "VG605 VG606 VG611 VG608"},
    {"host.libc", kText, 31, "the C library", "VG407 VG405 VG504"},
    {"host.distribution", kText, 5, "the distribution", "VG508"},
    {"host.cpu", kText, 27, "the CPU's vector extensions", "VG709"},
    {"manager.environment.*", kText, 43, "the variable * of the service manager", "VG310"},
    {"manager.environment.LD_*", kText, 82, "LD_* of the service manager", "VG310"},

    // What the unit says.
    {"unit.load_state", kText, 91, "whether systemd knows the unit", "VG201 VG204"},
    {"unit.fragment", kText, 66, "the unit's file", "VG201 VG202 VG204", "", "", kPerUnit},
    {"unit.fragment.content", kText, 8, "the content of the unit's file", "VG203 VG204",
     "unit.fragment", "", 0, kSettings},
    {"unit.need_daemon_reload", kText, 69, "whether systemd has loaded the unit as it is on disk",
     "VG203"},
    {"unit.drop_ins", kList, 50, "the list of drop-ins", "VG204 VG205 VG203", "", "", kPerUnit},
    {"unit.drop_in.*", kText, 56, "the drop-in *", "VG204 VG205 VG203"},
    {"unit.drop_in.*.content", kText, 7, "the content of the drop-in *", "VG203 VG204 VG205 VG206",
     "unit.drop_in.*", "", 0, kSettings},
    {"unit.ineffective.*", kText, 6, "what systemd does not read in *", "VG204"},
    {"unit.environment_files", kList, 45, "the list of EnvironmentFile=", "VG211 VG205"},
    {"unit.unset_environment", kList, 84, "UnsetEnvironment=", "VG205"},
    {"unit.pass_environment", kList, 42, "PassEnvironment=", "VG310 VG205"},
    {"unit.exec_start", kText, 90, "ExecStart of the unit", "VG207 VG208 VG305 VG308 VG509 VG202"},
    {"unit.exec_start_pre", kList, 40, "ExecStartPre of the unit", "VG208 VG301"},
    {"unit.program", kText, 79, "the file that ExecStart names", "VG208 VG207 VG308 VG508 VG509",
     "unit.exec_start"},
    {"unit.program.build_id", kText, 70, "the build of what ExecStart names",
     "VG308 VG508 VG514 VG305", "unit.program", "", kPerVersion},
    {"unit.program.content", kText, 71, "the content of what ExecStart names", "VG207 VG308 VG508",
     "unit.program.build_id", "", kPerVersion | kQuiet},
    {"unit.program.owner", kText, 57, "the owner of what ExecStart names", "VG208 VG304",
     "unit.program"},
    {"unit.program.mode", kText, 78, "the mode of what ExecStart names", "VG208 VG304",
     "unit.program"},
    {"unit.program.interpreter", kText, 80, "the loader of what ExecStart names", "VG305",
     "unit.program", "", kQuiet},
    {"unit.program.caps", kText, 81, "the file capabilities of what ExecStart names", "VG304",
     "unit.program", "", kQuiet},
    {"unit.user", kText, 65, "User= of the unit", "VG402 VG208 VG604 VG210"},
    {"unit.groups", kList, 64, "the groups of the unit", "VG402 VG604 VG208", "", "", kPerMachine},
    {"unit.sandbox.*", kList, 76, "* of the unit", "VG210 VG209 VG402 VG604"},
    {"unit.setting.*", kList, 16, "* of the unit", "VG208 VG209 VG301"},
    {"unit.setting.StandardError", kList, 12, "StandardError= of the unit", "VG212 VG705"},
    {"unit.setting.StandardOutput", kList, 11, "StandardOutput= of the unit", "VG212 VG705"},
    {"unit.environment.*", kText, 20, "the variable * of the unit", "VG205 VG206 VG203"},
    {"unit.environment.LD_PRELOAD", kList, 95, "LD_PRELOAD of the unit",
     "VG401 VG402 VG403 VG404 VG405 VG406 VG407 VG410 VG412 VG413 VG414 VG417 VG205 VG206 VG203 "
     "VG103 VG411"},
    {"unit.environment.LD_LIBRARY_PATH", kList, 88, "LD_LIBRARY_PATH of the unit",
     "VG415 VG418 VG416 VG513 VG504 VG205 VG206 VG203", "", "", 0, "", 0, 0,
     "VG415 VG418 VG416 VG513"},
    {"unit.environment.CUDA_VISIBLE_DEVICES", kList, 86, "CUDA_VISIBLE_DEVICES of the unit",
     "VG507 VG515 VG205 VG203"},
    {"unit.environment.NVIDIA_VISIBLE_DEVICES", kList, 60, "NVIDIA_VISIBLE_DEVICES of the unit",
     "VG610 VG507"},
    {"unit.environment.GGML_*", kText, 59, "GGML_* of the unit", "VG515 VG507 VG502"},
    {"unit.environment.VGPU_*", kText, 61, "VGPU_* of the unit", "VG804 VG602 VG603 VG601"},
    {"unit.environment.OLLAMA_LLM_LIBRARY", kText, 83, "OLLAMA_LLM_LIBRARY of the unit",
     "VG506 VG205 VG203"},
    {"unit.environment.OLLAMA_VULKAN", kText, 58, "OLLAMA_VULKAN of the unit", "VG515"},
    {"unit.environment.OLLAMA_DEBUG", kText, 4, "OLLAMA_DEBUG of the unit", "VG705"},
    {"unit.environment.OLLAMA_LIBRARY_PATH", kText, 10, "OLLAMA_LIBRARY_PATH of the unit", "VG510"},

    // What the process has.
    {"process.running", kText, 55, "whether the service runs",
     "VG301 VG307 VG208 VG209 VG211 VG201 VG202"},
    {"process.executable", kText, 77, "the running program", "VG308 VG207 VG202 VG509 VG512",
     "process.running"},
    {"process.executable.state", kText, 68, "whether the running program is the one on disk",
     "VG308", "process.running"},
    {"process.executable.build_id", kText, 67, "the build of the running program",
     "VG308 VG508 VG514", "process.executable", "", kPerVersion},
    {"process.executable.interpreter", kText, 82, "the loader of the running program",
     "VG305 VG308", "process.executable", "unit.program.interpreter", kQuiet},
    {"process.secure", kText, 89, "whether the kernel started the program in secure mode", "VG304",
     "process.running"},
    {"process.user", kText, 39, "whom the process runs as", "VG402 VG604 VG208", "process.running",
     "unit.user"},
    {"process.no_new_privileges", kText, 15, "whether the process may gain privileges",
     "VG304 VG210", "process.running", "", kQuiet},
    {"process.label", kText, 41, "the process's label of the security module", "VG304 VG512 VG402",
     "process.running", "", kQuiet},
    {"process.container", kText, 53, "what contains the process", "VG610 VG202 VG512",
     "process.running"},
    {"process.preload", kList, 87, "the preload list that the unit binds for itself",
     "VG401 VG402 VG403 VG404 VG405 VG410 VG412 VG413 VG414 VG209 VG302 VG411", "", "",
     kAbsenceCounts},
    {"process.mapped.*", kText, 33, "* in the server's memory",
     "VG306 VG302 VG303 VG304 VG401 VG402 VG403 VG410", "process.running", "", 0, kLoading},
    {"process.environment.*", kText, 19, "the variable * of the process",
     "VG302 VG303 VG203 VG310 VG309", "process.running", "unit.environment.*"},
    {"process.environment.LD_PRELOAD", kList, 94, "LD_PRELOAD of the process",
     "VG302 VG303 VG203 VG207 VG401 VG402 VG403 VG404 VG405 VG406 VG407 VG410 VG412 VG413 VG414 "
     "VG417 VG310 VG411",
     "process.running", "unit.environment.LD_PRELOAD"},
    {"process.environment.LD_LIBRARY_PATH", kList, 85, "LD_LIBRARY_PATH of the process",
     "VG302 VG303 VG203 VG415 VG418 VG416 VG513 VG504 VG207 VG310", "process.running",
     "unit.environment.LD_LIBRARY_PATH"},
    {"process.environment.CUDA_VISIBLE_DEVICES", kList, 80, "CUDA_VISIBLE_DEVICES of the process",
     "VG507 VG302 VG303 VG310 VG515", "process.running", "unit.environment.CUDA_VISIBLE_DEVICES"},
    {"process.environment.NVIDIA_VISIBLE_DEVICES", kList, 54,
     "NVIDIA_VISIBLE_DEVICES of the process", "VG610 VG507 VG302 VG303", "process.running",
     "unit.environment.NVIDIA_VISIBLE_DEVICES"},
    {"process.environment.GGML_*", kText, 51, "GGML_* of the process", "VG515 VG507 VG502 VG302",
     "process.running", "unit.environment.GGML_*"},
    {"process.environment.VGPU_*", kText, 49, "VGPU_* of the process", "VG804 VG602 VG603 VG302",
     "process.running", "unit.environment.VGPU_*"},
    {"process.environment.OLLAMA_LLM_LIBRARY", kText, 73, "OLLAMA_LLM_LIBRARY of the process",
     "VG506 VG302 VG303", "process.running", "unit.environment.OLLAMA_LLM_LIBRARY"},
    {"process.environment.OLLAMA_VULKAN", kText, 48, "OLLAMA_VULKAN of the process", "VG515 VG302",
     "process.running", "unit.environment.OLLAMA_VULKAN"},
    {"process.environment.OLLAMA_DEBUG", kText, 3, "OLLAMA_DEBUG of the process", "VG705 VG302",
     "process.running", "unit.environment.OLLAMA_DEBUG"},
    {"process.environment.OLLAMA_LIBRARY_PATH", kText, 9, "OLLAMA_LIBRARY_PATH of the process",
     "VG510", "process.running", "unit.environment.OLLAMA_LIBRARY_PATH"},

    // Libraries. The value is where the path leads; what is in the file stands below it.
    {"library.shim.*", kText, 75, "the shim *",
     "VG401 VG402 VG414 VG415 VG405 VG410 VG412 VG418 VG503", "", "", 0, "", 0, 0, "VG410 VG415"},
    {"library.shim.*.loadable", kText, 74, "whether the loader takes *", "VG403 VG404",
     "library.shim.*", "", kQuiet},
    {"library.shim.*.soname", kText, 72, "the soname of *", "VG408 VG415", "library.shim.*", "",
     kQuiet},
    {"library.shim.*.versions", kText, 71, "the symbol versions of *", "VG409 VG505 VG407",
     "library.shim.*", "", kQuiet},
    {"library.shim.*.build_id", kText, 62, "the build of *",
     "VG306 VG406 VG405 VG407 VG412 VG414 VG417 VG801 VG803", "library.shim.*"},
    {"library.shim.*.content", kText, 38, "the content of *", "VG306 VG403 VG404 VG406",
     "library.shim.*.build_id", "", kQuiet},
    {"library.shim.*.size", kText, 41, "the size of *", "VG404 VG403", "library.shim.*.content", "",
     kQuiet},
    {"library.shim.*.needs", kText, 61, "what * needs", "VG405 VG407 VG414",
     "library.shim.*.build_id", "", kQuiet},
    {"library.shim.*.symbols", kText, 60, "the symbols of *", "VG406 VG417 VG409",
     "library.shim.*.build_id", "", kQuiet},
    {"library.shim.*.owner", kText, 46, "the owner of *", "VG402", "library.shim.*", "", kQuiet},
    {"library.shim.*.mode", kText, 73, "the mode of *", "VG402", "library.shim.*", "", kQuiet},

    {"library.ollama.*", kText, 70, "Ollama's *",
     "VG502 VG503 VG504 VG508 VG501 VG415 VG418 VG416 VG410", "", "", kPerVersion, "", 0, 0,
     "VG508 VG416 VG415 VG514 VG410"},
    {"library.ollama.*.loadable", kText, 69, "whether the loader takes *",
     "VG505 VG504 VG502 VG508", "library.ollama.*", "", kPerVersion | kQuiet},
    {"library.ollama.*.soname", kText, 59, "the soname of *", "VG504 VG505 VG514 VG508",
     "library.ollama.*", "", kPerVersion | kQuiet},
    {"library.ollama.*.versions", kText, 58, "the symbol versions of *", "VG505 VG409 VG514 VG508",
     "library.ollama.*", "", kPerVersion | kQuiet},
    {"library.ollama.*.build_id", kText, 57, "the build of *",
     "VG514 VG508 VG505 VG511 VG306 VG416", "library.ollama.*", "", kPerVersion},
    {"library.ollama.*.content", kText, 37, "the content of *", "VG508 VG514 VG505",
     "library.ollama.*.build_id", "", kPerVersion | kQuiet},
    {"library.ollama.*.size", kText, 40, "the size of *", "VG505 VG508", "library.ollama.*.content",
     "", kPerVersion | kQuiet},
    {"library.ollama.*.needs", kText, 56, "what * needs", "VG504 VG505 VG514 VG508",
     "library.ollama.*.build_id", "", kPerVersion | kQuiet},
    {"library.ollama.*.symbols", kText, 55, "the symbols of *", "VG505 VG514 VG508 VG416",
     "library.ollama.*.build_id", "", kPerVersion | kQuiet},
    {"library.ollama.*.archs", kText, 60, "the device code in *", "VG511",
     "library.ollama.*.build_id", "", kPerVersion | kQuiet},
    {"library.ollama.*.owner", kText, 35, "the owner of *", "VG504 VG502", "library.ollama.*", "",
     kPerVersion | kQuiet},
    {"library.ollama.*.mode", kText, 63, "the mode of *", "VG504 VG502 VG505", "library.ollama.*",
     "", kPerVersion | kQuiet},
    // It makes no variant: facts/ollama-discovery.
    {"library.top_level_backend", kText, 6, "the backend beside the variants", "VG502 VG503"},

    {"library.gpu.*", kText, 72, "the driver's or the runtime's *",
     "VG415 VG418 VG513 VG412 VG503 VG606 VG504 VG410 VG610", "", "", 0, "", 0, 0,
     "VG415 VG418 VG513 VG412 VG410 VG606"},
    {"library.gpu.*.loadable", kText, 68, "whether the loader takes *", "VG504 VG505 VG403",
     "library.gpu.*", "", kQuiet},
    {"library.gpu.*.soname", kText, 61, "the soname of *", "VG408 VG415", "library.gpu.*", "",
     kQuiet},
    {"library.gpu.*.versions", kText, 60, "the symbol versions of *", "VG409 VG505",
     "library.gpu.*", "", kQuiet},
    {"library.gpu.*.build_id", kText, 58, "the build of *", "VG606 VG412 VG415 VG418 VG607 VG306",
     "library.gpu.*"},
    {"library.gpu.*.content", kText, 36, "the content of *", "VG606 VG415 VG418",
     "library.gpu.*.build_id", "", kQuiet},
    {"library.gpu.*.size", kText, 37, "the size of *", "VG504 VG505", "library.gpu.*.content", "",
     kQuiet},
    {"library.gpu.*.needs", kText, 56, "what * needs", "VG504", "library.gpu.*.build_id", "",
     kQuiet},
    {"library.gpu.*.symbols", kText, 55, "the symbols of *", "VG505 VG416 VG513 VG417",
     "library.gpu.*.build_id", "", kQuiet},
    {"library.gpu.*.owner", kText, 34, "the owner of *", "VG402", "library.gpu.*", "", kQuiet},
    {"library.gpu.*.mode", kText, 62, "the mode of *", "VG402 VG504", "library.gpu.*", "", kQuiet},

    {"library.system.*", kText, 47, "the system's *", "VG405 VG504 VG407", "", "", kNeverAdded},
    {"library.system.*.loadable", kText, 46, "whether the loader takes *", "VG405 VG504",
     "library.system.*", "", kQuiet | kNeverAdded},
    {"library.system.*.soname", kText, 29, "the soname of *", "VG405 VG504", "library.system.*", "",
     kQuiet | kNeverAdded},
    {"library.system.*.versions", kText, 28, "the symbol versions of *", "VG407 VG505",
     "library.system.*", "", kQuiet | kNeverAdded},
    {"library.system.*.build_id", kText, 22, "the build of *", "VG407 VG405 VG505",
     "library.system.*", "", kNeverAdded},
    {"library.system.*.content", kText, 18, "the content of *", "VG405 VG504",
     "library.system.*.build_id", "", kQuiet | kNeverAdded},
    {"library.system.*.size", kText, 17, "the size of *", "VG405 VG504", "library.system.*.content",
     "", kQuiet | kNeverAdded},
    {"library.system.*.needs", kText, 21, "what * needs", "VG405 VG504",
     "library.system.*.build_id", "", kQuiet | kNeverAdded},
    {"library.system.*.symbols", kText, 20, "the symbols of *", "VG505 VG406",
     "library.system.*.build_id", "", kQuiet | kNeverAdded},
    {"library.system.*.owner", kText, 13, "the owner of *", "VG405", "library.system.*", "",
     kQuiet | kNeverAdded},
    {"library.system.*.mode", kText, 26, "the mode of *", "VG405 VG504", "library.system.*", "",
     kQuiet | kNeverAdded},

    {"loader.order.*", kList, 32, "what is loaded, in order, by the *",
     "VG405 VG414 VG415 VG416 VG418 VG410 VG504 VG309", "", "", kPerEra | kPerVersion | kQuiet,
     kLoading},
    {"loader.opens.*", kText, 44, "what is found when it is opened: *",
     "VG415 VG513 VG418 VG502 VG504 VG505 VG417 VG503 VG406 VG409", "", "", kPerEra | kQuiet,
     kLoading},

    // Ollama.
    {"ollama.version", kText, 63, "Ollama's version", "VG508 VG514 VG511 VG607 VG709 VG501 VG308"},
    {"ollama.era", kText, 24, "how Ollama looks for GPUs", "VG309 VG415 VG507 VG515",
     "ollama.version"},
    {"ollama.library_dir", kText, 81, "Ollama's library directory", "VG501 VG509 VG508"},
    {"ollama.variant.*", kText, 71, "the variant *", "VG502 VG503 VG506 VG508 VG614",
     "ollama.library_dir", "", kPerVersion},

    // The device.
    {"device.*.profile", kText, 66, "the profile of device *", "VG602 VG804 VG511 VG803 VG601"},
    {"device.*.address", kText, 65, "the configured address of device *", "VG603 VG601",
     "device.*.profile", "", kPerMachine},
    {"device.*.uuid", kText, 64, "the configured UUID of device *", "VG703 VG801 VG507",
     "device.*.profile", "", kPerMachine},
    {"device.*.ids", kText, 62, "the configured PCI ids of device *", "VG602 VG601",
     "device.*.profile", "", kPerProfile},
    {"device.*.name", kText, 23, "the configured name of device *", "VG804", "device.*.profile", "",
     kPerProfile},
    {"device.*.memory", kText, 25, "the configured memory of device *", "VG804", "device.*.profile",
     "", kPerProfile},
    {"device.*.compute", kText, 61, "the configured compute capability of device *", "VG511 VG803",
     "device.*.profile", "", kPerProfile},
    {"driver.version", kText, 54, "the driver's version, as configured", "VG607 VG606"},
    {"driver.cuda_version", kText, 55, "the driver's CUDA version, as configured", "VG607"},
    {"driver.module", kText, 67, "NVIDIA's kernel module", "VG605 VG606 VG607 VG612"},
    {"driver.library.*", kText, 66, "the driver's library *", "VG606 VG607 VG612 VG610"},
    {"module.*", kText, 68, "the kernel module *", "VG605 VG608 VG606"},
    {"driver.fabric_manager", kText, 64, "the fabric manager", "VG609"},
    {"pci.*", kText, 74, "the PCI function *", "VG602 VG601 VG603 VG302", "", "",
     kPerMachine | kPerProfile},
    {"pci.*.driver", kText, 63, "the driver of the PCI function *", "VG605 VG601 VG613", "pci.*",
     "", kPerMachine},
    {"node.*", kText, 73, "the node *", "VG604 VG605 VG608 VG610"},
    {"node.*.owner", kText, 60, "the owner of the node *", "VG604", "node.*"},
    {"node.*.mode", kText, 72, "the mode of the node *", "VG604", "node.*"},

    // What discovery said. Of some causes it is all that there is to see.
    {"discovery.result", kText, 17, "what discovery found",
     "VG704 VG706 VG701 VG702 VG703 VG707 VG708 VG608 VG609 VG611 VG612 VG613 VG801 VG803 VG511 "
     "VG709 VG417",
     "process.running"},
    {"discovery.failure", kText, 21, "how discovery failed", "VG701 VG702 VG703",
     "discovery.result", "", kQuiet},
    {"discovery.cuda_error", kText, 22, "the error that CUDA gave",
     "VG707 VG607 VG608 VG609 VG610 VG611 VG612 VG613", "discovery.result", "", kQuiet},
    {"discovery.passes", kText, 10, "the passes of discovery", "VG703 VG701 VG502",
     "discovery.result", "", kQuiet | kPerEra | kPerVersion},
    {"discovery.duration", kNumber, 14, "how many milliseconds a pass of discovery took",
     "VG701 VG702 VG417", "discovery.result", "", kQuiet | kPerEra, "", 4, 5000},
    {"discovery.device.*.library", kText, 16, "the library that found device *", "VG704 VG515",
     "discovery.result"},
    {"discovery.device.*.id", kText, 15, "the id of device *", "VG801 VG703 VG507",
     "discovery.result", "", kPerMachine},
    {"discovery.device.*.name", kText, 12, "the name of device *", "VG804", "discovery.result", "",
     kPerProfile | kPerEra},
    {"discovery.device.*.description", kText, 13, "the description of device *", "VG804",
     "discovery.result", "", kPerProfile | kPerEra},
    {"discovery.device.*.compute", kText, 14, "the compute capability of device *",
     "VG803 VG511 VG804", "discovery.result", "", kPerProfile},
    {"discovery.device.*.pci_id", kText, 15, "the address of device *", "VG802 VG603",
     "discovery.result", "", kPerMachine | kPerEra},
    {"discovery.device.*.driver", kText, 14, "the CUDA version that device * reports", "VG607",
     "discovery.result"},
    {"discovery.device.*.total", kNumber, 13, "the memory of device *, in MiB", "VG804 VG613",
     "discovery.result", "", kPerProfile, "", 0.05, 512},
};

}  // namespace

absl::string_view ClassName(Class kind_class) {
  switch (kind_class) {
    case Class::kIdentity:
      return "identity";
    case Class::kOrdered:
      return "ordered";
    case Class::kBounded:
      return "bounded";
  }
  return "";
}

std::vector<absl::string_view> Kind::Causes(bool added) const {
  return absl::StrSplit(added && !causes_if_added.empty() ? causes_if_added : causes, ' ',
                        absl::SkipEmpty());
}

absl::string_view Kind::Star(absl::string_view key) const {
  const size_t star = pattern.find('*');
  if (star == absl::string_view::npos) return "";
  return key.substr(star, key.size() - (pattern.size() - 1));
}

std::string Kind::Fill(absl::string_view text, absl::string_view key) const {
  return absl::StrReplaceAll(text, {{"*", Star(key)}});
}

absl::Span<const Kind> Kinds() { return kKinds; }

const Kind* FindKind(absl::string_view key) {
  const Kind* found = nullptr;
  for (const Kind& kind : kKinds) {
    const size_t star = kind.pattern.find('*');
    const bool fits = star == absl::string_view::npos
                          ? key == kind.pattern
                          : key.size() >= kind.pattern.size() &&
                                absl::StartsWith(key, kind.pattern.substr(0, star)) &&
                                absl::EndsWith(key, kind.pattern.substr(star + 1));
    if (fits && (found == nullptr || kind.pattern.size() > found->pattern.size())) found = &kind;
  }
  return found;
}

}  // namespace vgpu::baseline

#include "diag/rules/rules.h"

namespace vgpu::rules {
namespace {

constexpr Rule kRules[] = {
    {"VG101", GlobalPreloadShim},
    {"VG102", GlobalPreloadBroken},
    {"VG103", ForeignVgpuLayer},
    {"VG201", UnitNotFound},
    {"VG203", DaemonReloadNeeded},
    {"VG204", DropinIneffective},
    {"VG205", EnvironmentOverridden},
    {"VG206", EnvironmentValueCut},
    {"VG207", ExecWrapper},
    {"VG208", ExecNotExecutable},
    {"VG209", NamespaceSetupFailed},
    {"VG210", SandboxHidesDevice},
    {"VG211", EnvironmentFileMissing},
    {"VG212", StderrRedirected},
    {"VG301", ServiceNotRunning},
    {"VG302", ServiceStartedBeforeConfig},
    {"VG303", EnvironmentScrubbed},
    {"VG307", CrashLoop},
    {"VG401", PreloadEntryMissing},
    {"VG402", PreloadEntryUnreadable},
    {"VG403", PreloadEntryNotLoadable},
    {"VG404", PreloadFileTruncated},
    {"VG405", PreloadDependencyMissing},
    {"VG406", ShimSymbolUnresolved},
    {"VG407", ShimNeedsNewerGlibc},
    {"VG409", ShimVersionNodeMissing},
    {"VG410", ShimLoadedTwice},
    {"VG411", PreloadOrder},
    {"VG501", OllamaLibdirMissing},
    {"VG412", PreloadPointsToDriver},
    {"VG413", PreloadPathMalformed},
    {"VG414", PreloadSetIncomplete},
    {"VG502", BackendMissing},
    {"VG503", BackendLinkDangling},
    {"VG506", LlmLibraryMismatch},
    {"VG507", VisibleDevicesHide},
    {"VG508", MixedInstalls},
    {"VG509", BinaryRelocated},
    {"VG510", LibraryPathNotHonoured},
    {"VG511", BackendArchMissing},
    {"VG512", SnapConfinement},
    {"VG514", BackendVersionSkew},
    {"VG515", VulkanPassesVisibleDevices},
    {"VG704", DiscoveredNoGpu},
    {"VG705", DiscoveryNotInLog},
    {"VG708", FirstPassSuccessLost},
};

}  // namespace

absl::Span<const Rule> AllRules() { return kRules; }

}  // namespace vgpu::rules

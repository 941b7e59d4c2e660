#include "diag/rules/rules.h"

namespace vgpu::rules {
namespace {

constexpr Rule kRules[] = {
    {"VG201", UnitNotFound},
    {"VG203", DaemonReloadNeeded},
    {"VG207", ExecWrapper},
    {"VG212", StderrRedirected},
    {"VG301", ServiceNotRunning},
    {"VG302", ServiceStartedBeforeConfig},
    {"VG303", EnvironmentScrubbed},
    {"VG307", CrashLoop},
    {"VG401", PreloadEntryMissing},
    {"VG402", PreloadEntryUnreadable},
    {"VG403", PreloadEntryNotLoadable},
    {"VG404", PreloadFileTruncated},
    {"VG410", ShimLoadedTwice},
    {"VG411", PreloadOrder},
    {"VG412", PreloadPointsToDriver},
    {"VG413", PreloadPathMalformed},
    {"VG414", PreloadSetIncomplete},
    {"VG501", OllamaLibdirMissing},
    {"VG502", BackendMissing},
    {"VG503", BackendLinkDangling},
    {"VG504", BackendDependencyMissing},
    {"VG505", BackendSymbolUnresolved},
    {"VG506", LlmLibraryMismatch},
    {"VG507", VisibleDevicesHide},
    {"VG508", MixedInstalls},
    {"VG509", BinaryRelocated},
    {"VG510", LibraryPathNotHonoured},
    {"VG511", BackendArchMissing},
    {"VG512", SnapConfinement},
    {"VG513", DriverStubInPath},
    {"VG514", BackendVersionSkew},
    {"VG515", VulkanPassesVisibleDevices},
    {"VG704", DiscoveredNoGpu},
    {"VG705", DiscoveryNotInLog},
    {"VG708", FirstPassSuccessLost},
};

}  // namespace

absl::Span<const Rule> AllRules() { return kRules; }

}  // namespace vgpu::rules

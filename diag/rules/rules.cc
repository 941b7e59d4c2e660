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
    {"VG410", ShimLoadedTwice},
    {"VG411", PreloadOrder},
    {"VG502", BackendMissing},
    {"VG510", LibraryPathNotHonoured},
    {"VG607", DriverTooOld},
    {"VG608", UvmLostAfterSuspend},
    {"VG609", FabricManagerDown},
    {"VG611", CudaNotInitialised},
    {"VG612", DriverAndContainerRuntimeDiffer},
    {"VG613", DeviceTaken},
    {"VG701", DiscoveryTimeout},
    {"VG702", DiscoveryChildCrashed},
    {"VG703", SecondPassFiltered},
    {"VG704", DiscoveredNoGpu},
    {"VG705", DiscoveryNotInLog},
    {"VG706", DiscoveredBeforeChange},
    {"VG707", CudaInitError},
    {"VG708", FirstPassSuccessLost},
    {"VG709", CpuWithoutAvx},
    {"VG805", KernelLaunchRefused},
    {"VG901", ModelExceedsMemory},
    {"VG902", RunnerLostTheBackend},
};

}  // namespace

absl::Span<const Rule> AllRules() { return kRules; }

}  // namespace vgpu::rules

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
    {"VG601", PciDeviceAbsent},
    {"VG602", PciIdsWrong},
    {"VG603", BusIdMismatch},
    {"VG604", DeviceNodeInaccessible},
    {"VG605", DriverModuleMissing},
    {"VG606", DriverLibraryMismatch},
    {"VG610", ContainerWithoutGpu},
    {"VG614", JetpackMismatch},
    {"VG704", DiscoveredNoGpu},
    {"VG705", DiscoveryNotInLog},
    {"VG708", FirstPassSuccessLost},
    {"VG801", DeviceUuidImplausible},
    {"VG802", PciIdImplausible},
    {"VG803", ComputeImplausible},
    {"VG804", DeviceIdentityDiffers},
};

}  // namespace

absl::Span<const Rule> AllRules() { return kRules; }

}  // namespace vgpu::rules

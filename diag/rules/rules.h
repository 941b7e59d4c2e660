// The rules: one for each cause, each in a file of its own (vg302_….cc).
//
//   for (const Rule& rule : AllRules()) {
//     Judgement judgement = rule.judge(facts);
//   }
//
// A rule is a pure function of Facts. What a code means stands in catalogue.h, so a
// rule holds what is found on this host and nothing else. To add one: write its file
// and test, and a line in the table of rules.cc.

#ifndef DIAG_RULES_RULES_H_
#define DIAG_RULES_RULES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

struct Rule {
  absl::string_view code;
  Judgement (*judge)(const facts::Facts& facts);
};

// By code.
absl::Span<const Rule> AllRules();

Judgement GlobalPreloadShim(const facts::Facts& facts);                // VG101
Judgement GlobalPreloadBroken(const facts::Facts& facts);              // VG102
Judgement ForeignVgpuLayer(const facts::Facts& facts);                 // VG103
Judgement UnitNotFound(const facts::Facts& facts);                     // VG201
Judgement WrongUnit(const facts::Facts& facts);                        // VG202
Judgement DaemonReloadNeeded(const facts::Facts& facts);               // VG203
Judgement DropinIneffective(const facts::Facts& facts);                // VG204
Judgement EnvironmentOverridden(const facts::Facts& facts);            // VG205
Judgement EnvironmentValueCut(const facts::Facts& facts);              // VG206
Judgement ExecWrapper(const facts::Facts& facts);                      // VG207
Judgement ExecNotExecutable(const facts::Facts& facts);                // VG208
Judgement NamespaceSetupFailed(const facts::Facts& facts);             // VG209
Judgement SandboxHidesDevice(const facts::Facts& facts);               // VG210
Judgement EnvironmentFileMissing(const facts::Facts& facts);           // VG211
Judgement StderrRedirected(const facts::Facts& facts);                 // VG212
Judgement ServiceNotRunning(const facts::Facts& facts);                // VG301
Judgement ServiceStartedBeforeConfig(const facts::Facts& facts);       // VG302
Judgement EnvironmentScrubbed(const facts::Facts& facts);              // VG303
Judgement SecureExec(const facts::Facts& facts);                       // VG304
Judgement StaticBinary(const facts::Facts& facts);                     // VG305
Judgement StaleLibraryInMemory(const facts::Facts& facts);             // VG306
Judgement CrashLoop(const facts::Facts& facts);                        // VG307
Judgement StaleBinary(const facts::Facts& facts);                      // VG308
Judgement RunnerEnvironmentDiffers(const facts::Facts& facts);         // VG309
Judgement ManagerEnvironmentDecides(const facts::Facts& facts);        // VG310
Judgement PreloadEntryMissing(const facts::Facts& facts);              // VG401
Judgement PreloadEntryUnreadable(const facts::Facts& facts);           // VG402
Judgement PreloadEntryNotLoadable(const facts::Facts& facts);          // VG403
Judgement PreloadFileTruncated(const facts::Facts& facts);             // VG404
Judgement PreloadDependencyMissing(const facts::Facts& facts);         // VG405
Judgement ShimSymbolUnresolved(const facts::Facts& facts);             // VG406
Judgement ShimNeedsNewerGlibc(const facts::Facts& facts);              // VG407
Judgement ShimSonameWrong(const facts::Facts& facts);                  // VG408
Judgement ShimVersionNodeMissing(const facts::Facts& facts);           // VG409
Judgement ShimLoadedTwice(const facts::Facts& facts);                  // VG410
Judgement PreloadOrder(const facts::Facts& facts);                     // VG411
Judgement PreloadPointsToDriver(const facts::Facts& facts);            // VG412
Judgement PreloadPathMalformed(const facts::Facts& facts);             // VG413
Judgement PreloadSetIncomplete(const facts::Facts& facts);             // VG414
Judgement ShimShadowed(const facts::Facts& facts);                     // VG415
Judgement CublasStubShadows(const facts::Facts& facts);                // VG416
Judgement ShimBreaksDlopen(const facts::Facts& facts);                 // VG417
Judgement ShimAndDriverMixed(const facts::Facts& facts);               // VG418
Judgement OllamaLibdirMissing(const facts::Facts& facts);              // VG501
Judgement BackendMissing(const facts::Facts& facts);                   // VG502
Judgement BackendLinkDangling(const facts::Facts& facts);              // VG503
Judgement BackendDependencyMissing(const facts::Facts& facts);         // VG504
Judgement BackendSymbolUnresolved(const facts::Facts& facts);          // VG505
Judgement LlmLibraryMismatch(const facts::Facts& facts);               // VG506
Judgement VisibleDevicesHide(const facts::Facts& facts);               // VG507
Judgement MixedInstalls(const facts::Facts& facts);                    // VG508
Judgement BinaryRelocated(const facts::Facts& facts);                  // VG509
Judgement LibraryPathNotHonoured(const facts::Facts& facts);           // VG510
Judgement BackendArchMissing(const facts::Facts& facts);               // VG511
Judgement SnapConfinement(const facts::Facts& facts);                  // VG512
Judgement DriverStubInPath(const facts::Facts& facts);                 // VG513
Judgement BackendVersionSkew(const facts::Facts& facts);               // VG514
Judgement VulkanPassesVisibleDevices(const facts::Facts& facts);       // VG515
Judgement PciDeviceAbsent(const facts::Facts& facts);                  // VG601
Judgement PciIdsWrong(const facts::Facts& facts);                      // VG602
Judgement BusIdMismatch(const facts::Facts& facts);                    // VG603
Judgement DeviceNodeInaccessible(const facts::Facts& facts);           // VG604
Judgement DriverModuleMissing(const facts::Facts& facts);              // VG605
Judgement DriverLibraryMismatch(const facts::Facts& facts);            // VG606
Judgement DriverTooOld(const facts::Facts& facts);                     // VG607
Judgement UvmLostAfterSuspend(const facts::Facts& facts);              // VG608
Judgement FabricManagerDown(const facts::Facts& facts);                // VG609
Judgement ContainerWithoutGpu(const facts::Facts& facts);              // VG610
Judgement CudaNotInitialised(const facts::Facts& facts);               // VG611
Judgement DriverAndContainerRuntimeDiffer(const facts::Facts& facts);  // VG612
Judgement DeviceTaken(const facts::Facts& facts);                      // VG613
Judgement JetpackMismatch(const facts::Facts& facts);                  // VG614
Judgement DiscoveryTimeout(const facts::Facts& facts);                 // VG701
Judgement DiscoveryChildCrashed(const facts::Facts& facts);            // VG702
Judgement SecondPassFiltered(const facts::Facts& facts);               // VG703
Judgement DiscoveredNoGpu(const facts::Facts& facts);                  // VG704
Judgement DiscoveryNotInLog(const facts::Facts& facts);                // VG705
Judgement DiscoveredBeforeChange(const facts::Facts& facts);           // VG706
Judgement CudaInitError(const facts::Facts& facts);                    // VG707
Judgement FirstPassSuccessLost(const facts::Facts& facts);             // VG708
Judgement CpuWithoutAvx(const facts::Facts& facts);                    // VG709
Judgement DeviceUuidImplausible(const facts::Facts& facts);            // VG801
Judgement PciIdImplausible(const facts::Facts& facts);                 // VG802
Judgement ComputeImplausible(const facts::Facts& facts);               // VG803
Judgement DeviceIdentityDiffers(const facts::Facts& facts);            // VG804
Judgement KernelLaunchRefused(const facts::Facts& facts);              // VG805
Judgement ModelExceedsMemory(const facts::Facts& facts);               // VG901
Judgement RunnerLostTheBackend(const facts::Facts& facts);             // VG902

}  // namespace vgpu::rules

#endif  // DIAG_RULES_RULES_H_

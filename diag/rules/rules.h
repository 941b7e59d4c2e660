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

Judgement UnitNotFound(const facts::Facts& facts);                // VG201
Judgement DaemonReloadNeeded(const facts::Facts& facts);          // VG203
Judgement ExecWrapper(const facts::Facts& facts);                 // VG207
Judgement StderrRedirected(const facts::Facts& facts);            // VG212
Judgement ServiceNotRunning(const facts::Facts& facts);           // VG301
Judgement ServiceStartedBeforeConfig(const facts::Facts& facts);  // VG302
Judgement EnvironmentScrubbed(const facts::Facts& facts);         // VG303
Judgement CrashLoop(const facts::Facts& facts);                   // VG307
Judgement PreloadEntryMissing(const facts::Facts& facts);         // VG401
Judgement ShimLoadedTwice(const facts::Facts& facts);             // VG410
Judgement PreloadOrder(const facts::Facts& facts);                // VG411
Judgement BackendMissing(const facts::Facts& facts);              // VG502
Judgement LibraryPathNotHonoured(const facts::Facts& facts);      // VG510
Judgement PciDeviceAbsent(const facts::Facts& facts);             // VG601
Judgement PciIdsWrong(const facts::Facts& facts);                 // VG602
Judgement BusIdMismatch(const facts::Facts& facts);               // VG603
Judgement DeviceNodeInaccessible(const facts::Facts& facts);      // VG604
Judgement DriverModuleMissing(const facts::Facts& facts);         // VG605
Judgement DriverLibraryMismatch(const facts::Facts& facts);       // VG606
Judgement ContainerWithoutGpu(const facts::Facts& facts);         // VG610
Judgement JetpackMismatch(const facts::Facts& facts);             // VG614
Judgement DiscoveredNoGpu(const facts::Facts& facts);             // VG704
Judgement DiscoveryNotInLog(const facts::Facts& facts);           // VG705
Judgement FirstPassSuccessLost(const facts::Facts& facts);        // VG708
Judgement DeviceUuidImplausible(const facts::Facts& facts);       // VG801
Judgement PciIdImplausible(const facts::Facts& facts);            // VG802
Judgement ComputeImplausible(const facts::Facts& facts);          // VG803
Judgement DeviceIdentityDiffers(const facts::Facts& facts);       // VG804

}  // namespace vgpu::rules

#endif  // DIAG_RULES_RULES_H_

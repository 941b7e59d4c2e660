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
Judgement PreloadEntryUnreadable(const facts::Facts& facts);      // VG402
Judgement PreloadEntryNotLoadable(const facts::Facts& facts);     // VG403
Judgement PreloadFileTruncated(const facts::Facts& facts);        // VG404
Judgement ShimLoadedTwice(const facts::Facts& facts);             // VG410
Judgement PreloadOrder(const facts::Facts& facts);                // VG411
Judgement PreloadPointsToDriver(const facts::Facts& facts);       // VG412
Judgement PreloadPathMalformed(const facts::Facts& facts);        // VG413
Judgement PreloadSetIncomplete(const facts::Facts& facts);        // VG414
Judgement OllamaLibdirMissing(const facts::Facts& facts);         // VG501
Judgement BackendMissing(const facts::Facts& facts);              // VG502
Judgement BackendLinkDangling(const facts::Facts& facts);         // VG503
Judgement BackendDependencyMissing(const facts::Facts& facts);    // VG504
Judgement BackendSymbolUnresolved(const facts::Facts& facts);     // VG505
Judgement LlmLibraryMismatch(const facts::Facts& facts);          // VG506
Judgement VisibleDevicesHide(const facts::Facts& facts);          // VG507
Judgement MixedInstalls(const facts::Facts& facts);               // VG508
Judgement BinaryRelocated(const facts::Facts& facts);             // VG509
Judgement LibraryPathNotHonoured(const facts::Facts& facts);      // VG510
Judgement BackendArchMissing(const facts::Facts& facts);          // VG511
Judgement SnapConfinement(const facts::Facts& facts);             // VG512
Judgement DriverStubInPath(const facts::Facts& facts);            // VG513
Judgement BackendVersionSkew(const facts::Facts& facts);          // VG514
Judgement VulkanPassesVisibleDevices(const facts::Facts& facts);  // VG515
Judgement DiscoveredNoGpu(const facts::Facts& facts);             // VG704
Judgement DiscoveryNotInLog(const facts::Facts& facts);           // VG705
Judgement FirstPassSuccessLost(const facts::Facts& facts);        // VG708

}  // namespace vgpu::rules

#endif  // DIAG_RULES_RULES_H_

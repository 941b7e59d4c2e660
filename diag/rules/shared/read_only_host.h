// Repairs on a host that keeps a part of itself read-only: who may write there does it.
//
//   fix = AsTheHostIsKept(facts, "VG404", std::move(fix));
//
// Nothing but Nix writes below /nix/store, and NixOS makes the units of systemd from
// configuration.nix: a step that would write there gives way to one of Nix's. Below /usr of an
// OSTree host a step works only after the deployment is unlocked. Other steps stay as they are.
//
// Sources: the NixOS manual, "Nix Store Corruption"; nix-store(1), --verify-path,
// --repair-path; ostree-admin-unlock(1).

#ifndef DIAG_RULES_READ_ONLY_HOST_H_
#define DIAG_RULES_READ_ONLY_HOST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// "/nix/store/HASH-NAME" of a path in there; empty where it is elsewhere.
std::string StorePathOf(absl::string_view path);

// Puts damaged or missing paths of the store back as they were built. Not empty.
std::vector<FixStep> RepairStoreSteps(const facts::Facts& facts,
                                      const std::vector<std::string>& store_paths);

// `code` is the cause that `fix` repairs: some are damage of a file, others a wrong build.
std::vector<FixStep> AsTheHostIsKept(const facts::Facts& facts, absl::string_view code,
                                     std::vector<FixStep> fix);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_READ_ONLY_HOST_H_

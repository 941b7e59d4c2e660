#include "diag/rules/shared/read_only_host.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/rules/steps.h"
#include "diag/rules/written_paths.h"

namespace vgpu::rules {
namespace {

using facts::Keeper;

constexpr absl::string_view kStore = "/nix/store/";
// What NixOS links to its store: the units, and what it makes of /etc.
constexpr absl::string_view kMadeByNixos[] = {"/etc/systemd/system/", "/etc/static/"};
constexpr char kConfigure[] = "sudoedit /etc/nixos/configuration.nix && sudo nixos-rebuild switch";

// Of these a file is missing or was damaged after it was built, as a rule.
constexpr absl::string_view kDamage[] = {"VG401", "VG403", "VG404", "VG405",
                                         "VG501", "VG503", "VG504"};

// What does nothing on NixOS, whose programs find nothing by the usual places.
struct Useless {
  absl::string_view part;  // of a command
  absl::string_view why;
};
constexpr Useless kUselessOnNixos[] = {
    {"ldconfig",
     "a program of the Nix store reads no /etc/ld.so.cache: let the shim's package have the "
     "library "
     "in its RUNPATH"},
    {"ollama.com/",
     "Ollama's own archive does not run on NixOS as it is: let services.ollama.package name a "
     "package, pkgs.ollama-cuda for instance"},
};

// What is mounted read-only of an OSTree deployment: /usr, and the links into it. /usr/local
// leads to /var there.
bool OfDeployment(absl::string_view path) {
  if (absl::StartsWith(path, "/usr/local/")) return false;
  for (absl::string_view dir : {"/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/"}) {
    if (absl::StartsWith(path, dir)) return true;
  }
  return false;
}

bool MadeByNixos(absl::string_view path) {
  return std::any_of(std::begin(kMadeByNixos), std::end(kMadeByNixos),
                     [&](absl::string_view dir) { return absl::StartsWith(path, dir); });
}

// `step` in the place of `was`: one of two ways where that was one.
void AddInPlaceOf(const FixStep& was, FixStep step, std::vector<FixStep>& steps) {
  if (std::holds_alternative<NoChange>(was.action)) step.action = NoChange{};
  for (FixStep& known : steps) {
    if (known.command != step.command) continue;
    if (!absl::StrContains(known.why, step.why)) absl::StrAppend(&known.why, "; ", step.why);
    return;
  }
  steps.push_back(std::move(step));
}

FixStep OfConfiguration(std::string why) {
  return {kConfigure, std::move(why), "the switch restarts each service whose unit it changes",
          "sudo nixos-rebuild switch --rollback"};
}

std::vector<FixStep> OnNix(const facts::Facts& facts, absl::string_view code,
                           std::vector<FixStep> fix) {
  const bool nixos = facts.installation.keeper == Keeper::kNixos;
  const bool damage = std::find(std::begin(kDamage), std::end(kDamage), code) != std::end(kDamage);
  std::vector<FixStep> steps;
  bool configured = false;
  for (FixStep& step : fix) {
    std::string made, stored;
    for (const std::string& path : WrittenPaths(step.command)) {
      if (stored.empty()) stored = StorePathOf(path).empty() ? "" : path;
      if (made.empty() && nixos && MadeByNixos(path)) made = path;
    }
    const auto useless = std::find_if(
        std::begin(kUselessOnNixos), std::end(kUselessOnNixos),
        [&](const Useless& each) { return nixos && absl::StrContains(step.command, each.part); });
    if (useless != std::end(kUselessOnNixos)) {
      AddInPlaceOf(step, OfConfiguration(absl::StrCat(step.why, " (", useless->why, ")")), steps);
      configured = true;
    } else if (!stored.empty() && damage) {
      for (FixStep& repair : RepairStoreSteps(facts, {StorePathOf(stored)})) {
        AddInPlaceOf(step, std::move(repair), steps);
      }
    } else if (!stored.empty() && nixos) {
      AddInPlaceOf(step,
                   OfConfiguration(absl::StrCat(
                       step.why, " (", stored,
                       " is in the Nix store, which only Nix writes: let configuration.nix name a "
                       "package that has it so)")),
                   steps);
      configured = true;
    } else if (!stored.empty()) {
      AddInPlaceOf(step,
                   {absl::StrCat("nix-store --query --roots ", ShellQuoted(StorePathOf(stored))),
                    absl::StrCat(step.why, " (", stored,
                                 " is in the Nix store, which only Nix writes: this shows which "
                                 "profile holds it; install a package there that has it so)"),
                    "", ""},
                   steps);
    } else if (!made.empty()) {
      AddInPlaceOf(step,
                   OfConfiguration(absl::StrCat(step.why, " (NixOS makes ", made,
                                                " from configuration.nix: write it there, under "
                                                "systemd.services or where a module has it)")),
                   steps);
      configured = true;
    } else if (configured && std::holds_alternative<Reload>(step.action)) {
      continue;  // the switch did it
    } else {
      steps.push_back(std::move(step));
    }
  }
  return steps;
}

std::vector<FixStep> OnOstree(std::vector<FixStep> fix) {
  std::vector<FixStep> steps;
  bool unlocked = false;
  for (FixStep& step : fix) {
    const std::vector<std::string> written = WrittenPaths(step.command);
    const auto below = std::find_if(written.begin(), written.end(), OfDeployment);
    if (below != written.end() && !unlocked) {
      unlocked = true;
      FixStep unlock = {
          "sudo ostree admin unlock",
          absl::StrCat("OSTree mounts /usr read-only, and ", *below,
                       " is in it: this makes it writable until the next boot"),
          "what is written below /usr is gone after the next boot: for good, build it "
          "into a package (sudo rpm-ostree install ./PACKAGE.rpm) or keep it below "
          "/usr/local or /opt and let the unit name it there",
          "sudo systemctl reboot"};
      if (std::holds_alternative<NoChange>(step.action)) unlock.action = NoChange{};
      steps.push_back(std::move(unlock));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

std::string StorePathOf(absl::string_view path) {
  if (!absl::StartsWith(path, kStore)) return "";
  return std::string(path.substr(0, path.find('/', kStore.size())));
}

std::vector<FixStep> RepairStoreSteps(const facts::Facts& facts,
                                      const std::vector<std::string>& store_paths) {
  const std::string paths = absl::StrJoin(store_paths, " ", [](std::string* out, const auto& path) {
    absl::StrAppend(out, ShellQuoted(path));
  });
  FixStep look = {absl::StrCat("nix-store --verify-path ", paths),
                  "shows whether it is as it was built: then the package itself is at fault, and "
                  "another must be installed",
                  "", "", NoChange{}};
  if (facts.installation.keeper == Keeper::kNixos) {
    return {
        std::move(look),
        {"sudo nixos-rebuild switch --repair",
         "only Nix writes below /nix/store: it holds each path of the system against its hash, "
         "and fetches or builds anew what is damaged or missing",
         "what no binary cache has is built here, and CUDA takes hours; do not interrupt it", ""}};
  }
  return {std::move(look),
          {absl::StrCat("sudo nix-store --repair-path ", paths),
           "only Nix writes below /nix/store: it fetches the path anew from a binary cache",
           "do not interrupt it: the path is moved away for a moment", ""}};
}

std::vector<FixStep> AsTheHostIsKept(const facts::Facts& facts, absl::string_view code,
                                     std::vector<FixStep> fix) {
  if (facts.installation.keeper == Keeper::kOstree) fix = OnOstree(std::move(fix));
  return OnNix(facts, code, std::move(fix));
}

}  // namespace vgpu::rules

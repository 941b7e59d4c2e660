// VG614 jetpack-mismatch: Ollama's JetPack variant does not fit the system.
//
// On a Jetson Ollama takes cuda_jetpack5 where /etc/nv_tegra_release says R35, and
// cuda_jetpack6 where it says R36; JETSON_JETPACK overrides it, and another variant's
// directory is skipped in silence (ollama/ollama discover/runner.go, v0.13.1 and later).
// There is none for R32 (JetPack 4); from R38 on the ordinary variants for arm64 do.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"
#include "diag/rules/shared/reported_device.h"

namespace vgpu::rules {
namespace {

constexpr char kRelease[] = "/etc/nv_tegra_release";
constexpr char kVariable[] = "JETSON_JETPACK";

// JetPack's number for a release of Jetson Linux; 0: not one of those with a variant.
int JetPackOf(int l4t_major) {
  if (l4t_major == 35) return 5;
  if (l4t_major == 36) return 6;
  return 0;
}

// JETSON_JETPACK of the process, else of the unit: "5", or "5.1.2".
std::string Override(const facts::Facts& facts) {
  if (facts.process.present() && facts.process->environ.present()) {
    return std::string(facts.process->environ->Find(kVariable).value_or(""));
  }
  const facts::Environment& given = facts.unit.loaded_environment.present()
                                        ? *facts.unit.loaded_environment
                                        : facts.unit.disk_environment;
  auto it = given.find(kVariable);
  return it == given.end() ? "" : it->second.value.value_or("");
}

}  // namespace

Judgement JetpackMismatch(const facts::Facts& facts) {
  const host::Observed<int>& release = facts.devices.l4t_major;
  if (release.absent()) return Contradicted{absl::StrCat("no ", kRelease, ": this is no Jetson")};
  if (!release.present()) {
    return CannotTell{kRelease, std::string(release.why_not()), absl::StrCat("cat ", kRelease)};
  }
  const auto& dir = facts.ollama.library_dir;
  if (!dir.present() || dir->incomplete) {
    return CannotTell{"Ollama's variants", "its library directory was not seen whole",
                      "ls /usr/local/lib/ollama"};
  }
  if (DiscoveryFoundGpu(facts)) return Contradicted{"discovery found the Jetson's GPU"};
  std::vector<std::string> variants;
  for (const ollama::Variant& variant : dir->variants) {
    if (absl::StrContains(variant.name, "cuda")) variants.push_back(variant.name);
  }
  const std::string set = Override(facts);
  const int jetpack = JetPackOf(*release);
  const std::string fits = absl::StrCat("cuda_jetpack", jetpack);
  const bool installed = std::find(variants.begin(), variants.end(), fits) != variants.end();
  const bool misled =
      !set.empty() && jetpack != 0 && set.substr(0, set.find('.')) != absl::StrCat(jetpack);
  if (*release > 36) return Contradicted{absl::StrCat("R", *release, " needs no JetPack variant")};
  if (installed && !misled) {
    return Contradicted{absl::StrCat("R", *release, " wants ", fits, ", which is installed")};
  }
  Holds holds;
  holds.acts = ActsNowIfRunning(facts);
  holds.evidence.push_back({kRelease, 0, absl::StrCat("R", *release),
                            jetpack == 0 ? "Ollama has no variant for this release"
                                         : absl::StrCat("Ollama takes ", fits, " for it")});
  std::string names;
  for (const std::string& name : variants) {
    if (names.size() < 200) absl::StrAppend(&names, name, " ");
  }
  holds.evidence.push_back({dir->path, 0, names.empty() ? "(no CUDA variant)" : names,
                            installed ? "it is installed" : "the variants that are installed"});
  if (misled) {
    holds.evidence.push_back({facts.process.present() ? facts.process->environ.source
                                                      : facts.unit.loaded_environment.source,
                              0, Assignment(kVariable, set), "asks for another one"});
  }
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  // Era C drops the override where its directory is missing, and tries what is there.
  const bool tries_others = facts.ollama.era == ollama::Era::kC;
  holds.confidence = effect.empty() || tries_others ? Confidence::kLikely : Confidence::kCertain;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG502", "VG704", "VG707"};
  if (absl::StartsWith(RequestedVariant(facts), "cuda_jetpack")) holds.explains.push_back("VG506");
  holds.headline =
      jetpack == 0
          ? absl::StrCat("Jetson Linux R", *release,
                         " is older than any that Ollama supports: "
                         "upgrade JetPack.")
          : absl::StrCat("This Jetson (R", *release, ") needs Ollama's ", fits,
                         misled ? absl::StrCat(", and ", kVariable, "=", set, " asks for another.")
                                : ", which is not installed.");
  if (misled) {
    holds.fix = LastDropInSteps(facts, "VG614", {absl::StrCat("UnsetEnvironment=", kVariable)},
                                "lets Ollama read the release itself", "");
  } else if (jetpack != 0) {
    const std::string archive = absl::StrCat("ollama-linux-arm64-jetpack", jetpack, ".tgz");
    holds.fix.push_back(
        {absl::StrCat("curl -fsSLO https://ollama.com/download/", archive, " && sudo tar -C ",
                      host::Dirname(host::Dirname(dir->path)), " -xzf ", archive),
         "adds the variant; later versions pack it as .tar.zst", "",
         absl::StrCat("sudo rm -r ", dir->path, "/", fits)});
    if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "discovery runs once, at the start"));
    }
  } else {
    holds.fix.push_back({absl::StrCat("cat ", kRelease),
                         "R35 (JetPack 5) or later is wanted: flash it with NVIDIA's SDK Manager",
                         "flashing erases the system", ""});
  }
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

// VG309 runner-environment-differs: the server has the shims, and its child, which does the
// discovery or runs the model, does not.
//
// Ollama's children inherit its environment: it sets LD_LIBRARY_PATH, OLLAMA_LIBRARY_PATH and
// the visible devices anew and leaves LD_PRELOAD alone (llm/server.go v0.13.5,
// llm/llama_server.go v0.33.0-rc2). So a list that is not there was taken away in between, by
// a patched Ollama, a wrapper around the child, or a security module. A runner that lives as
// long as its model is a witness as good as the child of discovery, which is gone in a second.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/by_hand.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

bool HasShimMapped(const procfs::MappedObjects& maps) {
  return std::any_of(maps.files.begin(), maps.files.end(), [](const procfs::MappedFile& file) {
    const auto shim = facts::ShimOf(file.path);
    return shim && shim->named_as_shim;
  });
}

// It has come as far as the C library: what is preloaded came before that.
bool IsLoaded(const procfs::MappedObjects& maps) {
  return maps.whole() &&
         std::any_of(maps.files.begin(), maps.files.end(), [](const procfs::MappedFile& file) {
           return absl::StartsWith(host::Basename(file.path), "libc.so") ||
                  absl::StartsWith(host::Basename(file.path), "libc-2");
         });
}

struct Seen {
  bool environ = false;
  bool maps = false;
  std::vector<Evidence> lacks;
};

// What the child lacks of what the server has.
Seen Compare(const facts::Facts& facts, const facts::ProcessFacts& child) {
  Seen seen;
  const facts::ProcessFacts& server = *facts.process;
  if (facts.process_preload && child.environ.present() && !child.environ->truncated() &&
      !child.environ->irregular()) {
    seen.environ = true;
    const std::string list(child.environ->FindAsLoader("LD_PRELOAD").value_or(""));
    for (const facts::PreloadEntry& entry : facts.process_preload->entries) {
      if (!entry.shim || absl::StrContains(list, entry.text)) continue;
      seen.lacks.push_back({child.environ.source, 0,
                            list.empty() ? "(no LD_PRELOAD)" : Assignment("LD_PRELOAD", list),
                            absl::StrCat("the child does not have ", entry.text)});
      break;
    }
  }
  if (server.maps.present() && HasShimMapped(*server.maps) && child.maps.present() &&
      IsLoaded(*child.maps)) {
    seen.maps = true;
    if (!HasShimMapped(*child.maps)) {
      seen.lacks.push_back(
          {child.maps.source, 0,
           absl::StrCat(Count(child.maps->files.size(), "mapped file", "mapped files"),
                        ", none of them a shim"),
           "no shim is loaded in the child"});
    }
  }
  return seen;
}

std::string Words(const facts::ProcessFacts& child) {
  if (!child.argv.present()) return child.exe.value_or("?");
  std::vector<std::string> words = *child.argv;
  if (words.size() > 4) words.resize(4);
  return absl::StrJoin(words, " ");
}

}  // namespace

Judgement RunnerEnvironmentDiffers(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  if (!facts.process.present()) {
    return CannotTell{"the process and its children", std::string(facts.process.why_not()),
                      HowToSeeProcess(facts)};
  }
  const facts::ProcessFacts& server = *facts.process;
  const bool preloads =
      facts.process_preload.has_value() || (server.maps.present() && HasShimMapped(*server.maps));
  if (!preloads && (server.environ.present() || server.maps.present())) {
    return Contradicted{"the server itself has no shim preloaded"};
  }
  size_t witnesses = 0;
  for (const facts::ProcessFacts& child : facts.children) {
    Seen seen = Compare(facts, child);
    if (seen.environ || seen.maps) ++witnesses;
    // In secure mode, or without a loader, what is given is not what is loaded: VG304, VG305.
    const bool secure = child.auxv.present() && child.auxv->Secure().value_or(false);
    if (seen.lacks.empty() || secure) continue;
    Holds holds;
    if (facts.process_preload) {
      holds.evidence.push_back({facts.process_preload->source, facts.process_preload->line,
                                Assignment("LD_PRELOAD", facts.process_preload->value),
                                "the server has this"});
    } else {
      holds.evidence.push_back({server.maps.source, 0, "shims are mapped", "the server has them"});
    }
    holds.evidence.push_back({absl::StrCat("/proc/", child.pid, "/cmdline"), 0, Words(child),
                              absl::StrCat("a child of process ", server.pid)});
    const bool both = seen.lacks.size() > 1 || (seen.lacks.size() == 1 && !seen.maps);
    for (Evidence& evidence : seen.lacks) holds.evidence.push_back(std::move(evidence));
    std::vector<Evidence> effect = NoGpuEvidence(facts);
    if (facts.ollama.models_on_cpu.present() && !facts.ollama.models_on_cpu->empty()) {
      effect.push_back({facts.ollama.models_on_cpu.source, 0,
                        absl::StrCat(facts.ollama.models_on_cpu->front(), ": size_vram 0"),
                        "a loaded model has no byte on the GPU"});
    }
    holds.confidence = both && !effect.empty() ? Confidence::kCertain : Confidence::kLikely;
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
    holds.explains = {"VG504", "VG704", "VG902"};
    holds.headline = absl::StrCat("Process ", server.pid, " has the shims, and its child ",
                                  child.pid, " (", host::Basename(child.exe.value_or("?")),
                                  ") does not: bind the preload list into the unit.");
    if (facts.process_preload && facts.unit_judged) {
      std::vector<std::string> entries;
      for (const facts::PreloadEntry& entry : facts.process_preload->entries) {
        if (entry.is_path) entries.push_back(entry.text);
      }
      holds.fix.push_back(
          {absl::StrCat("sudo mkdir -p /etc/vgpu && printf '%s\\n' ",
                        absl::StrJoin(entries, " ",
                                      [](std::string* out, const std::string& entry) {
                                        absl::StrAppend(out, ShellQuoted(entry));
                                      }),
                        " | sudo tee /etc/vgpu/ld.so.preload"),
           "the same list as a file; it reaches children whatever their environment is", "",
           "sudo rm /etc/vgpu/ld.so.preload",
           WriteFile{"/etc/vgpu/ld.so.preload", absl::StrCat(absl::StrJoin(entries, "\n"), "\n")}});
      // The loader of nixpkgs reads another file (glibc, dont-use-system-ld-so-preload.patch).
      const char* list = facts.installation.keeper == facts::Keeper::kNixos
                             ? "/etc/ld-nix.so.preload"
                             : "/etc/ld.so.preload";
      for (FixStep& step : LastDropInSteps(
               facts, "VG309", {absl::StrCat("BindReadOnlyPaths=/etc/vgpu/ld.so.preload:", list)},
               absl::StrCat("binds it over ", list, " for this unit only"),
               absl::StrCat("an entry that cannot be loaded then acts on every program of the "
                            "unit; where the host has no ",
                            list, ", systemd leaves an empty one there"))) {
        holds.fix.push_back(std::move(step));
      }
    } else if (facts.unit_judged) {
      holds.fix.push_back(RestartStep(facts, "the children are started anew"));
    }
    holds.expect = {"the shims are in /proc/PID/maps of `ollama runner` or llama-server",
                    ExpectGpuLine(facts)};
    return holds;
  }
  if (witnesses > 0) {
    return Contradicted{
        absl::StrCat(Count(witnesses, "child has", "children have"), " what the server has")};
  }
  if (facts.FoundGpu().value_or(false)) {
    return Contradicted{"discovery found the GPU, with what its child has"};
  }
  if (facts.ollama.era == ollama::Era::kA) {
    return Contradicted{"in this era the server itself does the discovery, and no runner lives"};
  }
  return CannotTell{kDiscoveryChild, kDiscoveryChildIsGone, DiscoveryByHand(facts)};
}

}  // namespace vgpu::rules

// VG508 mixed-installs: two installations of Ollama are mixed: libraries of one beside the
// program of the other, or the service runs the one that lacks what the other has.
//
// Installers unpack over what is there, and only Ollama's own script removes the old
// libraries first (scripts/install.sh). What each release installs: era C alone has
// llama-server; cuda_v13 came, and cuda_v11 went, with v0.12.0.

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/installation.h"

namespace vgpu::rules {
namespace {

using facts::Facts;
using facts::InstalledLibrary;
using facts::OtherInstallation;
using ollama::Era;

constexpr ollama::Version kCuda13Came{0, 12, 0};

// One sign of a mixture, and how much it weighs.
struct Mixture {
  std::vector<Evidence> evidence;
  Confidence confidence = Confidence::kPossible;
  std::string headline;
  std::string whole;  // the program of another installation, which lacks nothing; or empty
};

Evidence Program(const Facts& facts) {
  return {facts.ollama.version.source, 0,
          absl::StrCat(facts.ollama.exe.value_or(""), " ", facts.ollama.version.value_or("")),
          "the program, and its version"};
}

bool Has(const ollama::LibraryDir& dir, absl::string_view name) {
  return std::find(dir.names.begin(), dir.names.end(), name) != dir.names.end();
}

// The log's own words for a program of era C beside older libraries.
std::optional<Evidence> NoLlamaServerLine(const Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr) return std::nullopt;
  for (const ollama::Failure& failure : start->failures) {
    if (!absl::StrContains(failure.line.text, "llama-server binary not found")) continue;
    return FromLog(*facts.log.ServersLog(), failure.line, "discovery ended with this");
  }
  return std::nullopt;
}

// The library directory was not seen, and the log says that a program of era C found variants in
// it and no llama-server.
std::optional<Mixture> ByLogAlone(const Facts& facts) {
  std::optional<Evidence> line = NoLlamaServerLine(facts);
  if (!line || facts.ollama.era != Era::kC) return std::nullopt;
  // Without a variant there may be no library directory at all (VG501).
  const auto& failures = facts.ThisStart()->failures;
  const bool variant =
      std::any_of(failures.begin(), failures.end(),
                  [](const ollama::Failure& failure) { return failure.library_dirs.size() > 1; });
  if (!variant) return std::nullopt;
  Mixture mixture;
  mixture.evidence = {*std::move(line)};
  if (facts.ollama.version.present()) {
    mixture.evidence.push_back(
        {facts.ollama.version.source, 0, *facts.ollama.version,
         "every release from v0.30 on installs llama-server: the libraries "
         "beside this program are of an older one, or parts of it are gone"});
  }
  mixture.confidence = Confidence::kLikely;
  mixture.headline =
      "Ollama found no llama-server among its libraries: they are of a release before v0.30, or "
      "parts of it are gone.";
  return mixture;
}

// Program and libraries are of two eras.
std::optional<Mixture> OfTwoEras(const Facts& facts, const ollama::LibraryDir& dir) {
  const Era era = facts.ollama.era;
  const auto version = ollama::ParseVersion(facts.ollama.version.value_or(""));
  if (!version) return std::nullopt;
  Mixture mixture;
  mixture.evidence = {Program(facts)};
  mixture.confidence = Confidence::kLikely;
  if (era == Era::kC && !dir.has_llama_server && !dir.incomplete) {
    if (dir.variants.empty() && !dir.top_level_cuda_backend.present()) return std::nullopt;
    mixture.evidence.push_back({absl::StrCat(dir.path, "/llama-server"), 0, "(no such file)",
                                "every release from v0.30 on installs it: these libraries are of "
                                "an older one"});
    if (auto line = NoLlamaServerLine(facts)) mixture.evidence.push_back(*line);
    mixture.confidence = Confidence::kCertain;
    mixture.headline =
        absl::StrCat(*facts.ollama.exe, " is of version ", *facts.ollama.version,
                     ", and the libraries in ", dir.path, " are of a release before v0.30.");
    return mixture;
  }
  if (era != Era::kC && dir.has_llama_server) {
    mixture.evidence.push_back({absl::StrCat(dir.path, "/llama-server"), 0, "",
                                "only releases from v0.30 on install it: these libraries are of a "
                                "newer one than the program"});
    mixture.headline = absl::StrCat(*facts.ollama.exe, " is of version ", *facts.ollama.version,
                                    ", and the libraries in ", dir.path, " are of v0.30 or later.");
    return mixture;
  }
  if (*version < kCuda13Came && Has(dir, "cuda_v13")) {
    mixture.evidence.push_back(
        {absl::StrCat(dir.path, "/cuda_v13"), 0, "", "only releases from v0.12.0 on install it"});
    mixture.headline =
        absl::StrCat("The libraries in ", dir.path, " are of a newer release than the program (",
                     *facts.ollama.version, ").");
    return mixture;
  }
  if (*version >= kCuda13Came && Has(dir, "cuda_v11")) {
    mixture.confidence = Confidence::kPossible;
    mixture.evidence.push_back({absl::StrCat(dir.path, "/cuda_v11"), 0, "",
                                "releases before v0.12.0 installed it: it was left behind, and "
                                "discovery tries it too"});
    mixture.headline =
        absl::StrCat("Libraries of a release before v0.12.0 were left in ", dir.path, ".");
    return mixture;
  }
  return std::nullopt;
}

// Two files are known to differ.
bool Differ(const InstalledLibrary& a, const InstalledLibrary& b) {
  if (a.found->path == b.found->path || a.found->meta.id == b.found->meta.id) return false;
  const auto build_id = [](const InstalledLibrary& library) {
    return library.elf.Map([](const elf::ElfInfo& info) { return info.build_id; });
  };
  if (build_id(a).present() && build_id(b).present()) return *build_id(a) != *build_id(b);
  const host::FileMeta& x = a.found->meta;
  const host::FileMeta& y = b.found->meta;
  if (x.sha256.present() && y.sha256.present()) return *x.sha256 != *y.sha256;
  return x.size.present() && y.size.present() && *x.size != *y.size;
}

// Two different builds of libggml-base in one library directory.
std::optional<Mixture> OfTwoBuilds(const Facts& facts, const ollama::LibraryDir& dir) {
  const InstalledLibrary* first = nullptr;
  for (const InstalledLibrary& library : facts.installation.libraries) {
    if (!absl::StartsWith(host::Basename(library.path), "libggml-base")) continue;
    if (absl::StartsWith(library.variant, "mlx") || !library.found.present()) continue;
    if (first == nullptr) {
      first = &library;
      continue;
    }
    if (!Differ(*first, library)) continue;
    Mixture mixture;
    mixture.evidence = {
        {first->path, 0, first->found->path, "one build of ggml's base library"},
        {library.path, 0, library.found->path, "another build of it, in the same installation"}};
    mixture.headline = absl::StrCat(dir.path, " holds two different builds of libggml-base.");
    return mixture;
  }
  return std::nullopt;
}

// A library of ours is a link into another installation.
std::optional<Mixture> LinkedAcross(const Facts& facts) {
  for (const OtherInstallation& other : facts.installation.others) {
    if (!other.library_dir) continue;
    const std::string below = absl::StrCat(other.library_dir->path, "/");
    for (const InstalledLibrary& library : facts.installation.libraries) {
      if (!library.link || !library.found.present()) continue;
      const absl::string_view name = host::Basename(library.path);
      if (!absl::StartsWith(name, "libggml-")) continue;
      if (!absl::StartsWith(library.found->path, below)) continue;
      Mixture mixture;
      mixture.confidence = Confidence::kLikely;
      mixture.evidence = {{library.path, 0, library.found->path,
                           "a library of this installation is a link into another one"}};
      if (other.version.present()) {
        mixture.evidence.push_back(
            {other.program, 0, *other.version, "the version of that installation"});
        mixture.evidence.push_back(Program(facts));
        const auto its = ollama::ParseVersion(*other.version);
        if (its && its == ollama::ParseVersion(facts.ollama.version.value_or(""))) continue;
      }
      mixture.headline = absl::StrCat(library.path, " is a link into another installation (",
                                      other.library_dir->path, ").");
      return mixture;
    }
  }
  return std::nullopt;
}

// The service runs the installation without CUDA, and another one has it.
std::optional<Mixture> WrongOne(const Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  if (dir.not_observed()) return std::nullopt;
  if (dir.present() &&
      (dir->HasCuda() || dir->incomplete || dir->top_level_cuda_backend.present())) {
    return std::nullopt;
  }
  for (const OtherInstallation& other : facts.installation.others) {
    if (!other.library_dir || other.program.empty()) continue;
    if (!other.library_dir->HasCuda() && !other.library_dir->top_level_cuda_backend.present()) {
      continue;
    }
    Mixture mixture;
    mixture.confidence = Confidence::kCertain;
    mixture.evidence = {Program(facts),
                        {dir.present() ? dir->path : facts.ollama.library_dir_candidates.front(), 0,
                         dir.present() ? "(no CUDA backend)" : "(no such directory)",
                         "where this program looks for its libraries"},
                        {other.program, 0, other.version.value_or(""), "a second installation"},
                        {other.library_dir->path, 0, "", "its libraries, with the CUDA backend"}};
    mixture.headline =
        absl::StrCat("Two installations: ", facts.ollama.exe.value_or("the program that runs"),
                     " runs and has no CUDA backend, ", other.program, " has one.");
    if (other.library_dir->HasCuda()) mixture.whole = other.program;
    return mixture;
  }
  return std::nullopt;
}

std::vector<FixStep> Steps(const Facts& facts, const Mixture& mixture) {
  std::vector<FixStep> steps = {
      {"which -a ollama; ls -ld /usr/local/lib/ollama /usr/lib/ollama",
       "shows every installation; keep one, and remove the others with what installed them "
       "(the package manager, or rm for what was unpacked by hand)",
       "", ""}};
  // One is whole: the service can run it, and nothing needs to be installed or moved.
  if (!mixture.whole.empty() && facts.unit_judged && !facts.container.IsContainer()) {
    for (FixStep& step : LastDropInSteps(
             facts, "VG508",
             {"ExecStart=", absl::StrCat("ExecStart=", Quoted(mixture.whole), " serve")},
             absl::StrCat("the service runs ", mixture.whole, ", whose libraries are whole"),
             "it may be of another version: models that need a newer one are refused by it")) {
      steps.push_back(std::move(step));
    }
    return steps;
  }
  if (facts.ollama.library_dir.present()) {
    const std::string& path = facts.ollama.library_dir->path;
    steps.push_back(
        {absl::StrCat("sudo mv ", Quoted(path), " ", Quoted(absl::StrCat(path, ".old"))),
         "takes the mixed libraries away before they are installed anew",
         "models load on nothing until the next step is done",
         absl::StrCat("sudo mv ", Quoted(absl::StrCat(path, ".old")), " ", Quoted(path))});
  }
  for (FixStep& step : ReinstallSteps(facts, "installs program and libraries of one version",
                                      Libraries::kUnfitting)) {
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

Judgement MixedInstalls(const Facts& facts) {
  const auto& dir = facts.ollama.library_dir;
  std::optional<Mixture> found = WrongOne(facts);
  const bool found_gpu = facts.FoundGpu().value_or(false);
  if (dir.present()) {
    // Leftovers that did not keep discovery from the device are no fault.
    if (!found) found = OfTwoEras(facts, *dir);
    if (!found) found = LinkedAcross(facts);
    if (!found && !found_gpu) found = OfTwoBuilds(facts, *dir);
    if (found && found->confidence == Confidence::kPossible && found_gpu) found.reset();
  }
  if (dir.not_observed()) found = ByLogAlone(facts);
  if (found) {
    Holds holds;
    holds.evidence = found->evidence;
    std::vector<Evidence> effect = LostGpuEvidence(facts);
    holds.confidence = found->confidence;
    if (effect.empty() && holds.confidence == Confidence::kCertain) {
      holds.confidence = Confidence::kLikely;
    }
    for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
    holds.explains = WhatFollows(facts);
    for (const char* code : {"VG501", "VG502", "VG503", "VG504", "VG505", "VG514", "VG902"}) {
      holds.explains.push_back(code);
    }
    holds.headline = found->headline;
    holds.fix = Steps(facts, *found);
    holds.expect = ExpectLibraries(facts);
    return holds;
  }
  if (dir.not_observed()) {
    return CannotTell{"which installation the program belongs to", std::string(dir.why_not()),
                      HowToSeeProcess(facts)};
  }
  for (const OtherInstallation& other : facts.installation.others) {
    if (other.program.empty()) continue;
    return Contradicted{absl::StrCat(other.program,
                                     " is there too, and nothing of it is mixed "
                                     "with what runs")};
  }
  return Contradicted{dir.present() ? absl::StrCat("one installation was seen, in ", dir->path)
                                    : "no second installation was seen"};
}

}  // namespace vgpu::rules

// VG305 static-binary: the program has no dynamic loader, so nothing can be preloaded into it,
// and it can open no library itself (a static Ollama is built without cgo).
//
// AT_BASE of the running program is 0, and its file has no PT_INTERP. A program that was
// started through the loader by name (`ld-linux-x86-64.so.2 PROGRAM`) has an AT_BASE of 0 too,
// and one for musl has an interpreter. In era C discovery is llama-server's, another file,
// which inherits the environment.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

// A program without PT_INTERP, and not a library. Not observed: its headers were not.
host::Observed<bool> IsStatic(const facts::FileFacts& file) {
  if (!file.elf.present()) return host::NotObserved{std::string(file.elf.why_not())};
  const elf::ElfInfo& elf = *file.elf;
  if (elf.interp.not_observed()) return host::NotObserved{std::string(elf.interp.why_not())};
  if (elf.interp.present()) return false;
  const bool program = elf.type.value_or("") == "EXEC" || elf.pie.value_or(false);
  return program && !elf.soname.present();
}

bool IsOllama(const facts::FileFacts& file) {
  if (file.elf.present() && file.elf->go_build.present() && file.elf->go_build->module.present()) {
    return *file.elf->go_build->module == "github.com/ollama/ollama";
  }
  return absl::StartsWith(host::Basename(file.path), "ollama");
}

bool StartsTheLoader(absl::string_view exe) {
  return absl::StartsWith(host::Basename(exe), "ld-") ||
         absl::StartsWith(host::Basename(exe), "ld.so");
}

void Finish(const facts::Facts& facts, const facts::FileFacts& file, Holds& holds) {
  holds.explains = {"VG309", "VG504", "VG704", "VG902"};
  holds.headline =
      absl::StrCat(file.path,
                   " is a static program: no shim can be preloaded into it, and it can open no GPU "
                   "library. Install Ollama's own build.");
  holds.fix.push_back(
      {"curl -fsSL https://ollama.com/install.sh | sh",
       "installs Ollama's own build, which is dynamic (of one's own: `CGO_ENABLED=1 go build .`)",
       "the unit file and the library directory are written anew; drop-ins stay, and "
       "/usr/local/bin/ollama becomes another version",
       "put the former program back in its place"});
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "only a new process is the new program"));
  }
  holds.expect = {"`readelf -l PROGRAM` names an interpreter, and AT_BASE is not 0",
                  ExpectGpuLine(facts)};
}

}  // namespace

Judgement StaticBinary(const facts::Facts& facts) {
  if (!facts.process.present()) {
    if (auto none = WithoutUnit(facts)) return *none;
    const facts::FileFacts& file = facts.program.file;
    if (facts.program.script.present()) {
      return Contradicted{"no process runs, and ExecStart names a script"};
    }
    const host::Observed<bool> is_static = IsStatic(file);
    if (file.found.absent()) {
      return Contradicted{absl::StrCat("no process runs, and no program is at ", file.path)};
    }
    if (!file.found.present() || !is_static.present()) {
      return CannotTell{
          absl::StrCat("the program of ", facts.unit.name),
          std::string(file.found.present() ? is_static.why_not() : file.found.why_not()),
          absl::StrCat("systemctl cat ", facts.unit.name)};
    }
    if (!*is_static) {
      return Contradicted{
          absl::StrCat(file.path, file.elf->interp.present()
                                      ? absl::StrCat(" names the loader ", *file.elf->interp)
                                      : " is a library, and no program")};
    }
    if (!IsOllama(file)) return Contradicted{absl::StrCat(file.path, " is not Ollama")};
    if (facts.ollama.era == ollama::Era::kC) {
      return Contradicted{"llama-server does the discovery in this era, and is another file"};
    }
    Holds holds;
    holds.confidence = Confidence::kLikely;
    holds.acts = Acts::kNextStart;
    holds.evidence.push_back({file.path, 0, "no PT_INTERP", "the program names no loader"});
    Finish(facts, file, holds);
    return holds;
  }

  const facts::ProcessFacts& process = *facts.process;
  const facts::FileFacts& file = facts.exe_file;
  const std::string exe = process.exe.value_or("");
  const host::Observed<bool> loaded =
      process.auxv.present()
          ? process.auxv->HasInterpreter()
          : host::Observed<bool>(host::NotObserved{std::string(process.auxv.why_not())});
  const host::Observed<bool> is_static =
      process.exe_deleted ? host::Observed<bool>(host::NotObserved{"the file was replaced"})
                          : IsStatic(file);
  if (loaded.value_or(false)) {
    return Contradicted{
        absl::StrCat("AT_BASE is not 0 in ", process.auxv.source, ": a loader started it")};
  }
  if (!loaded.present() && is_static.present() && !*is_static) {
    return Contradicted{absl::StrCat(file.path, " names a loader, or is none that runs")};
  }
  if (!loaded.present() && !is_static.present()) {
    return CannotTell{absl::StrCat("AT_BASE of process ", process.pid),
                      Because(process.auxv.source, loaded.why_not()), HowToSeeProcess(facts)};
  }
  if (StartsTheLoader(exe) || (is_static.present() && !*is_static)) {
    return Contradicted{absl::StrCat("the loader itself was started (", exe, ")")};
  }
  if (!exe.empty() && !IsOllama(file)) {
    return Contradicted{absl::StrCat(exe, " is static, and is not Ollama")};
  }
  if (facts.ollama.era == ollama::Era::kC) {
    return Contradicted{absl::StrCat(
        exe, " is static; llama-server does the discovery in this era, and is another file")};
  }
  if (facts.FoundGpu().value_or(false)) {
    return Contradicted{absl::StrCat(exe, " is static, and discovery found the GPU all the same")};
  }
  Holds holds;
  if (loaded.present()) {
    holds.evidence.push_back(
        {process.auxv.source, 0, "AT_BASE=0", "the kernel started the program without a loader"});
  }
  if (is_static.present()) {
    holds.evidence.push_back({file.path, 0, "no PT_INTERP", "the program names no loader"});
  }
  for (Evidence& evidence : NoShimEvidence(facts)) holds.evidence.push_back(std::move(evidence));
  std::vector<Evidence> effect = NoGpuEvidence(facts);
  holds.confidence =
      loaded.present() && !effect.empty() ? Confidence::kCertain : Confidence::kLikely;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  Finish(facts, file, holds);
  return holds;
}

}  // namespace vgpu::rules

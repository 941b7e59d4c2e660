// The whole machine, and what is installed of Ollama.

#include "absl/strings/str_cat.h"
#include "diag/baseline/take_parts.h"
#include "re2/re2.h"

namespace vgpu::baseline {
namespace {

using facts::Facts;
using host::NotObserved;
using host::Observed;

Observed<std::string> Kernel(const host::Host& host) {
  const Observed<host::Content> content = host.Read("/proc/version", 4096);
  if (content.absent()) return NotObserved{"/proc/version: not there"};
  return content.Map([](const host::Content& read) -> Observed<std::string> {
    static const RE2& form = *new RE2("^Linux version (\\S+)");
    std::string release;
    if (!RE2::PartialMatch(read.bytes, form, &release)) {
      return NotObserved{"/proc/version: names no release"};
    }
    return release;
  });
}

Observed<Strings> Entries(const Observed<facts::PreloadList>& list) {
  return list.Map([](const facts::PreloadList& it) -> Observed<Strings> {
    Strings entries;
    for (const facts::PreloadEntry& entry : it.entries) entries.push_back(entry.text);
    if (entries.empty()) return host::Absent{};
    return entries;
  });
}

// What era this is follows from the version; where that is not known, from the log and the files.
void TakeEra(const facts::OllamaFacts& ollama, Builder& out) {
  out.Put("ollama.version", ollama.version, {ollama.version.source});
  Observed<std::string> era = NotObserved{ollama.era_because};
  if (ollama.era != ollama::Era::kUnknown) era = std::string(ollama::EraName(ollama.era));
  out.Put("ollama.era", era, {ollama.era_because});
}

}  // namespace

void TakeHost(const Subject& subject, Builder& out) {
  const Facts& facts = subject.facts;
  out.PutList("host.preload", Entries(facts.global_preload.host_file), {"/etc/ld.so.preload"});
  out.Put("host.kernel", Kernel(subject.host), {"/proc/version"});
  out.Put("host.distribution", facts.installation.distribution, {"/etc/os-release"});
  out.Put("host.cpu", facts.cpu.Map([](const facts::CpuFacts& cpu) {
    return std::string(cpu.avx2 ? "avx avx2" : cpu.avx ? "avx" : "none");
  }),
          {"/proc/cpuinfo"});
  const auto& given = facts.manager_environment;
  for (const auto& [name, value] : given.value_or({})) {
    out.PutVariable("manager.environment.", name, value, {given.source});
  }
  Observed<bool> looked = given.Map([](const auto&) { return true; });
  if (looked.absent()) looked = true;
  out.Looked("manager.environment.*", looked);
  out.Looked("manager.environment.LD_*", looked);
}

void TakeOllama(const Subject& subject, Builder& out) {
  const Facts& facts = subject.facts;
  TakeEra(facts.ollama, out);
  const facts::Fact<ollama::LibraryDir>& dir = facts.ollama.library_dir;
  out.Put("ollama.library_dir", dir.Map([](const ollama::LibraryDir& it) { return it.path; }),
          {dir.source});
  Observed<bool> looked = dir.Map([](const ollama::LibraryDir& it) -> Observed<bool> {
    if (it.incomplete) return NotObserved{"a directory of it could not be listed"};
    return true;
  });
  if (looked.absent()) looked = true;
  out.Looked("ollama.variant.*", looked);
  if (!dir.present()) {
    out.Put("library.top_level_backend", NoValue<std::string>(dir), {dir.source});
    return;
  }
  const std::string top = host::JoinPath(dir->path, "libggml-cuda.so");
  Observed<host::Resolved> found;
  out.Put("library.top_level_backend", WhatIs(subject.host, top, subject.Root(), &found), {top});
  for (const ollama::Variant& variant : dir->variants) {
    const bool cuda = !variant.backend_path.empty();
    std::string state = "without a CUDA backend";
    if (cuda) {
      state =
          variant.cuda_backend.absent() ? "its CUDA backend leads nowhere" : "with a CUDA backend";
    }
    out.Put(absl::StrCat("ollama.variant.", variant.name), state,
            {cuda ? variant.backend_path : variant.path});
  }
}

}  // namespace vgpu::baseline

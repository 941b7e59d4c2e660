// VG510 library-path-not-honoured: OLLAMA_LIBRARY_PATH in the unit changes nothing. The
// server overwrites it for its child (A, B) or reads it nowhere (C): ollama/ollama
// llm/server.go (v0.13.5), and no reader left at v0.30.0.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

constexpr char kName[] = "OLLAMA_LIBRARY_PATH";

const char* Meaning(ollama::Era era) {
  switch (era) {
    case ollama::Era::kA:
    case ollama::Era::kB:
      return "the server overwrites it for its child: setting or lacking it changes nothing; "
             "the value in Ollama's log is Ollama's own";
    case ollama::Era::kC:
      return "this version reads it nowhere: setting or lacking it changes nothing";
    case ollama::Era::kUnknown:
      break;
  }
  return "no version of Ollama honours it: setting or lacking it changes nothing";
}

}  // namespace

Judgement LibraryPathNotHonoured(const facts::Facts& facts) {
  auto on_disk = facts.unit.disk_environment.find(kName);
  Holds holds;
  holds.confidence = Confidence::kCertain;
  if (facts.unit_judged && on_disk != facts.unit.disk_environment.end()) {
    holds.evidence.push_back(FromVariable(kName, on_disk->second, Meaning(facts.ollama.era)));
    return holds;
  }
  if (facts.unit_judged && facts.unit.loaded_environment.present()) {
    auto loaded = facts.unit.loaded_environment->find(kName);
    if (loaded != facts.unit.loaded_environment->end()) {
      holds.evidence.push_back(FromVariable(kName, loaded->second, Meaning(facts.ollama.era)));
      return holds;
    }
  }
  if (facts.process.present() && facts.process->environ.present()) {
    if (auto value = facts.process->environ->Find(kName)) {
      holds.evidence.push_back(
          {facts.process->environ.source, 0, Assignment(kName, *value), Meaning(facts.ollama.era)});
      return holds;
    }
  }
  const bool unit_seen =
      facts.unit.files.fragment.present() || facts.unit.loaded_environment.present();
  if (!unit_seen && !(facts.process.present() && facts.process->environ.present())) {
    return CannotTell{"the environment that the unit gives",
                      std::string(facts.unit.loaded_environment.why_not()),
                      absl::StrCat("systemctl cat ", facts.unit.name)};
  }
  return Contradicted{"OLLAMA_LIBRARY_PATH is not set"};
}

}  // namespace vgpu::rules

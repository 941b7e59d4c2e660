#include "diag/rules/shared/by_hand.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/rules/shared/in_effect.h"
#include "diag/rules/shared/start_failure.h"

namespace vgpu::rules {

namespace {

// The same, done by the doctor, and held against what the other layers say.
std::string Verify(const facts::Facts& facts) {
  const bool other = facts.unit_judged && facts.unit.name != "ollama.service";
  return absl::StrCat(
      "sudo vgpu-doctor verify", other ? absl::StrCat(" --unit ", ShellWord(facts.unit.name)) : "",
      !facts.unit_judged && facts.process.present() ? absl::StrCat(" --pid ", facts.process->pid)
                                                    : "");
}

// A command of a person's own, for eras B and C.
std::string Manually(const facts::Facts& facts) {
  const std::string exe = facts.ollama.exe.value_or("/usr/local/bin/ollama");
  std::string dir = "/usr/local/lib/ollama";
  std::string variant = "cuda_v12";
  if (facts.ollama.library_dir.present()) {
    dir = facts.ollama.library_dir->path;
    // Ollama keeps the last one by name, unless one is asked for.
    std::string wanted;
    if (facts.process.present() && facts.process->environ.present()) {
      wanted = std::string(facts.process->environ->Find("OLLAMA_LLM_LIBRARY").value_or(""));
    }
    for (const ollama::Variant& candidate : facts.ollama.library_dir->variants) {
      if (candidate.cuda_backend.present() && (wanted.empty() || candidate.name == wanted)) {
        variant = candidate.name;
      }
    }
  }
  // What the child inherits stands behind Ollama's own (discover/runner.go, llm/llama_server.go).
  const std::string inherited = ValueNow(facts, "LD_LIBRARY_PATH").value.value_or("");
  const std::string own = absl::StrCat(dir, ":", dir, "/", variant);
  const std::string path = inherited.empty() ? own : absl::StrCat(own, ":", inherited);
  // What the child inherits.
  const facts::PreloadList* list = facts.Preload();
  const std::string preload =
      list == nullptr
          ? ""
          : absl::StrCat("LD_PRELOAD=", absl::StrReplaceAll(list->value, {{" ", ":"}}), " ");
  if (facts.ollama.era == ollama::Era::kC) {
    return absl::StrCat("sudo -u ollama env ", preload, "LD_LIBRARY_PATH=", ShellWord(path),
                        " GGML_BACKEND_PATH=", dir, "/", variant, "/libggml-cuda.so ", dir,
                        "/llama-server --list-devices --offline --verbose");
  }
  return absl::StrCat("sudo -u ollama env ", preload, "LD_LIBRARY_PATH=", ShellWord(path),
                      " OLLAMA_LIBRARY_PATH=", own, " OLLAMA_DEBUG=2 ", exe,
                      " runner --ollama-engine --port 39999, and beside it "
                      "curl -s http://127.0.0.1:39999/info");
}

}  // namespace

std::string DiscoveryByHand(const facts::Facts& facts) {
  return absl::StrCat(Verify(facts), "; or by hand: ", Manually(facts));
}

}  // namespace vgpu::rules

// VG902 runner-lost-the-backend: discovery named the GPU, and the model's runner could not
// use it.
//
// In era A the server itself looks at the driver, and only a model's runner opens
// libggml-cuda.so: what is wrong with it (VG501 to VG505, VG508) shows when a model is loaded.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

bool OfTheLoader(absl::string_view status) { return absl::StrContains(status, " 127"); }

// The server means layers of the last model for the GPU, and says so in its runner's command
// or in the plan before it.
bool GpuWanted(const ollama::ServerStart& start, uint64_t result) {
  if (start.loads.empty()) return false;
  const ollama::ModelLoad& load = start.loads.back();
  static const RE2& layers = *new RE2("--n-gpu-layers [1-9]");
  if (RE2::PartialMatch(load.command, layers)) return true;
  for (auto plan = start.offloads.rbegin(); plan != start.offloads.rend(); ++plan) {
    if (plan->line.number > load.line.number) continue;
    return plan->line.number > result && plan->on_gpu > 0;
  }
  return false;
}

}  // namespace

Judgement RunnerLostTheBackend(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  if (facts.ollama.era == ollama::Era::kB || facts.ollama.era == ollama::Era::kC) {
    return Contradicted{absl::StrCat("in era ", ollama::EraName(facts.ollama.era),
                                     " discovery itself opens the backend")};
  }
  const ollama::ServerStart* start = facts.ThisStart();
  const ollama::Compute* result = start == nullptr ? nullptr : start->Result();
  if (result == nullptr) {
    return CannotTell{"what discovery found",
                      "the log at hand has no `inference compute` line of this process",
                      absl::StrCat("journalctl -u ", facts.unit.name)};
  }
  if (!result->on_cuda()) return Contradicted{"discovery named no GPU that a runner could lose"};
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  // What the runner of the last model says.
  uint64_t since = result->line.number;
  if (!start->loads.empty()) since = std::max(since, start->loads.back().line.number);
  Holds holds;
  bool cpu_only = false, cuda = false;
  const ollama::LogLine* listed = nullptr;  // the runner's own list of its backends
  for (const ollama::Backend& backend : start->backends) {
    if (backend.line.number < since) continue;
    cuda = cuda || (backend.loaded && backend.name == "CUDA");
    cpu_only = cpu_only || (backend.loaded && backend.name == "CPU");
    if (backend.loaded && backend.path.empty()) listed = &backend.line;
    if (!backend.loaded && absl::StrContains(backend.line.text, "cuda") &&
        holds.evidence.size() < 4) {
      holds.evidence.push_back(
          FromLog(log, backend.line, "the runner could not open the CUDA backend"));
    }
  }
  for (const ollama::LogLine& line : start->loader_errors) {
    if (line.number < since || absl::StrContains(line.text, "cannot be preloaded")) continue;
    if (holds.evidence.size() >= 8) break;
    holds.evidence.push_back(FromLog(log, line, "what the loader said about the runner"));
  }
  bool died = false;
  for (const ollama::ChildEnd& end : start->runner_deaths) {
    if (end.line.number < since || !OfTheLoader(end.status)) continue;
    died = true;
    holds.evidence.push_back(FromLog(log, end.line, "the loader could not start the runner (127)"));
    break;
  }
  const bool shown = !holds.evidence.empty();
  // A runner that never speaks of CUDA, and keeps no layer on the GPU.
  const bool none_offloaded = !start->offloads.empty() &&
                              start->offloads.back().line.number >= since &&
                              start->offloads.back().on_gpu == 0;
  const bool on_cpu = facts.ollama.models_on_cpu.present() && !facts.ollama.models_on_cpu->empty();
  // Without a line of the runner the model alone tells: it may have been asked to run there.
  const bool ps_alone = on_cpu && start->backends.empty();
  const bool lacks_cuda =
      listed != nullptr && cpu_only && !cuda && GpuWanted(*start, result->line.number);
  if (!shown && !ps_alone && !lacks_cuda && !(cpu_only && !cuda && (none_offloaded || on_cpu))) {
    if (start->loads.empty() && start->backends.empty()) {
      return CannotTell{"whether a model's runner can use the GPU",
                        "no model was loaded since this process started",
                        "load a model, then look at `ollama ps`"};
    }
    return Contradicted{cuda ? "the runner of the last model opened the CUDA backend"
                             : "no line of the last model's runner tells of a failure"};
  }
  if (lacks_cuda) {
    holds.evidence.push_back(
        FromLog(log, start->loads.back().line, "layers of this model are meant for the GPU"));
    holds.evidence.push_back(
        FromLog(log, *listed, "all that its runner could open: no backend for CUDA is among it"));
  }
  holds.evidence.push_back(FromLog(log, result->line, "discovery had named the GPU"));
  if (none_offloaded) {
    holds.evidence.push_back(
        FromLog(log, start->offloads.back().line, "no layer of the model is on the GPU"));
  }
  if (on_cpu) {
    holds.evidence.push_back({facts.ollama.models_on_cpu.source, 0,
                              absl::StrCat(facts.ollama.models_on_cpu->front(), ": size_vram 0"),
                              "this model runs on the CPU"});
  }
  holds.confidence = shown && (died || on_cpu || none_offloaded) ? Confidence::kCertain
                     : shown || lacks_cuda                       ? Confidence::kLikely
                                                                 : Confidence::kPossible;
  holds.explains = {"VG704"};
  holds.headline =
      "Discovery named the GPU, and the model's runner could not open Ollama's CUDA "
      "backend: install Ollama's libraries anew.";
  holds.fix.push_back({"curl -fsSL https://ollama.com/install.sh | sh",
                       "puts program and libraries of one version in place",
                       "Ollama is replaced by its newest version, and its unit is written anew",
                       ""});
  if (facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "the server looks at its libraries when it starts"));
  }
  holds.expect = {"`load_backend: loaded CUDA backend from …` when a model is loaded",
                  "`ollama ps` names the GPU"};
  return holds;
}

}  // namespace vgpu::rules

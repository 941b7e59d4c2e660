#include "diag/rules/shared/discovery.h"

#include "absl/strings/str_cat.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/steps.h"

namespace vgpu::rules {
namespace {

using facts::Facts;

Judgement NotShown(const Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  return CannotTell{
      "what discovery found",
      start != nullptr && !start->cut_results.empty()
          ? absl::StrCat("line ", start->cut_results.back().number, " of ",
                         facts.log.ServersLog().source,
                         ", its result, is cut off before it names a library")
          : "the log at hand has no `inference compute` line of this process",
      absl::StrCat("journalctl -u ", facts.unit.name, " --no-pager | grep 'inference compute'")};
}

Judgement Found(const Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || start->Result() == nullptr) {
    return Contradicted{
        absl::StrCat("a probe in the process's place finds the GPU (", facts.probe.source, ")")};
  }
  const ollama::Compute& result = *start->Result();
  return Contradicted{absl::StrCat("discovery found the GPU (line ", result.line.number, " of ",
                                   facts.log.ServersLog().source, ")")};
}

}  // namespace

std::optional<Judgement> WithoutLostGpu(const Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  const host::Observed<bool> found = facts.FoundGpu();
  if (!found.present()) return NotShown(facts);
  if (*found) return Found(facts);
  return std::nullopt;
}

std::optional<Judgement> WithoutFailure(const Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  if (facts.ThisStart() == nullptr) return NotShown(facts);
  if (facts.FoundGpu().value_or(false)) return Found(facts);
  return std::nullopt;
}

const ollama::CudaError* DecidingError(const Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || facts.FoundGpu().value_or(false)) return nullptr;
  if (const ollama::CudaError* lost = start->LostLater()) return lost;
  return start->InitError();
}

Judgement WithoutCode(const Facts& facts) {
  if (auto none = WithoutFailure(facts)) return *none;
  if (const ollama::CudaError* error = DecidingError(facts); error != nullptr) {
    if (error->words.code != 0) {
      return Contradicted{absl::StrCat("the log has ", NameOf(error->words))};
    }
  }
  const ollama::ServerStart& start = *facts.ThisStart();
  const bool told = facts.ollama.era == ollama::Era::kA || start.detail == ollama::Detail::kTrace;
  if (told && start.Result() != nullptr && start.cuda_errors.empty()) {
    return Contradicted{"the log of this process has no error of CUDA, and would have it"};
  }
  return CannotTell{"an error of CUDA at its initialisation",
                    "from Ollama 0.12.4 on the server writes what a child of discovery says only "
                    "with OLLAMA_DEBUG=2",
                    HowToLogMore(facts)};
}

std::string HowToLogMore(const Facts& facts) {
  return absl::StrCat("set OLLAMA_DEBUG=", facts.ollama.era == ollama::Era::kA ? "1" : "2", " for ",
                      facts.unit_judged ? facts.unit.name : "the server",
                      ", restart it, and let vgpu-doctor check read the new log");
}

std::string DiscoveryOf(const Facts& facts) {
  if (!facts.process.present()) return "Discovery";
  return absl::StrCat("Discovery of process ", facts.process->pid);
}

std::string NameOf(const ollama::CudaErrorWords& words) {
  if (words.code == 0) return absl::StrCat("an error of CUDA (", words.text, ")");
  if (words.or_code != 0) {
    return absl::StrCat("CUDA's error ", words.code, " or ", words.or_code, " (", words.text, ")");
  }
  return absl::StrCat("CUDA's error ", words.code, " (", words.text, ")");
}

std::vector<Evidence> CodeEvidence(const Facts& facts, const ollama::CudaError& error) {
  const ollama::DiscoveryLog& log = *facts.log.ServersLog();
  std::string meaning = NameOf(error.words);
  const ollama::CudaErrorInfo* info = ollama::CudaErrorOf(error.words.code);
  if (info != nullptr && error.words.or_code == 0) {
    absl::StrAppend(&meaning, ": ", info->meaning);
  }
  std::vector<Evidence> evidence = {FromLog(log, error.line, std::move(meaning))};
  if (error.after_result) {
    evidence.push_back(FromLog(log, facts.ThisStart()->Result()->line,
                               "discovery had named the GPU before: it was lost since"));
    return evidence;
  }
  for (Evidence& result : ResultEvidence(facts)) evidence.push_back(std::move(result));
  return evidence;
}

std::optional<Judgement> WithoutCard(const Facts& facts) {
  if (!facts.devices.IsVirtual()) return std::nullopt;
  return Contradicted{absl::StrCat(
      "the device here is a virtual one (",
      facts.devices.shim.empty() ? facts.devices.config_source : facts.devices.shim, ")")};
}

std::vector<Evidence> ResultEvidence(const Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || start->Result() == nullptr || start->Result()->on_cuda()) return {};
  return {FromLog(*facts.log.ServersLog(), start->Result()->line,
                  start->Result()->on_gpu()
                      ? "the last discovery of this process found nothing through CUDA"
                      : "the last discovery of this process found no GPU")};
}

std::vector<FixStep> TraceSteps(const Facts& facts, absl::string_view code) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (!facts.unit_judged || start == nullptr || start->detail == ollama::Detail::kTrace) return {};
  return ForAPerson(
      LastDropInSteps(facts, code, {"Environment=OLLAMA_DEBUG=2"},
                      "the log then holds what each child of discovery says: judge again after "
                      "the restart",
                      "the log grows, and holds the prompts of users"));
}

}  // namespace vgpu::rules

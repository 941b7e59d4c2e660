// VG709 cpu-without-avx: the processor lacks the vector extensions that this version asks for
// before it uses a GPU at all. Most often a virtual machine's CPU model hides them.
//
// Source: ollama/ollama, discover/gpu.go and gpu/gpu.go up to v0.5.7 ("CPU does not have
// minimum vector extensions, GPU inference disabled"); from v0.5.8 on nothing asks for them.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"

namespace vgpu::rules {
namespace {

constexpr ollama::Version kFirstWithout = {0, 5, 8};

}  // namespace

Judgement CpuWithoutAvx(const facts::Facts& facts) {
  if (facts.process.absent()) return Contradicted{"no process runs"};
  const ollama::ServerStart* start = facts.ThisStart();
  const bool said = start != nullptr && !start->no_avx.empty();
  const std::optional<ollama::Version> version =
      ollama::ParseVersion(facts.ollama.version.value_or(""));
  if (!said && version && *version >= kFirstWithout) {
    return Contradicted{
        absl::StrCat("version ", *facts.ollama.version, " asks for no vector extensions")};
  }
  if (!said && facts.ollama.era != ollama::Era::kA) {
    if (facts.ollama.era != ollama::Era::kUnknown) {
      return Contradicted{absl::StrCat("no version of era ", ollama::EraName(facts.ollama.era),
                                       " asks for vector extensions")};
    }
    if (start == nullptr || start->Result() == nullptr) {
      return CannotTell{"whether this Ollama asks for vector extensions",
                        "neither its version nor the end of its discovery was seen",
                        "ollama --version; grep -m1 -o 'avx[^ ]*' /proc/cpuinfo"};
    }
    return Contradicted{"the log has discovery's result, and asks for no vector extensions"};
  }
  const bool known = facts.cpu.present();
  if (!said && known && facts.cpu->avx) {
    return Contradicted{absl::StrCat(facts.cpu.source, " lists avx")};
  }
  if (!said && (!known || !version)) {
    return CannotTell{"whether the processor has AVX, or whether this version asks for it",
                      known ? std::string("the version is not known")
                            : Because(facts.cpu.source, facts.cpu.why_not()),
                      "grep -o -w avx /proc/cpuinfo | head -1; ollama --version"};
  }
  Holds holds;
  if (said) {
    holds.evidence.push_back(FromLog(*facts.log.ServersLog(), start->no_avx.back(),
                                     "Ollama uses no GPU, for the processor's sake"));
  }
  if (known && !facts.cpu->avx) {
    holds.evidence.push_back(
        {facts.cpu.source, 0,
         facts.cpu->model.empty() ? std::string("(no avx among the flags)") : facts.cpu->model,
         facts.cpu->hypervisor ? "no AVX: the CPU model that the hypervisor gives lacks it"
                               : "no AVX"});
  }
  std::vector<Evidence> effect = ResultEvidence(facts);
  holds.confidence = said && !effect.empty() ? Confidence::kCertain
                     : said                  ? Confidence::kLikely
                                             : Confidence::kPossible;
  for (Evidence& evidence : effect) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG704", "VG902"};
  holds.headline = absl::StrCat("The processor lacks AVX, and Ollama ",
                                facts.ollama.version.value_or("of this age"),
                                " uses no GPU without it: install a newer Ollama.");
  holds.fix.push_back({"curl -fsSL https://ollama.com/install.sh | sh",
                       "from 0.5.8 on Ollama uses a GPU without AVX; or give the virtual machine "
                       "the host's CPU model (libvirt: <cpu mode='host-passthrough'/>)",
                       "Ollama is replaced by its newest version, and its unit is written anew",
                       "curl -fsSL https://ollama.com/install.sh | OLLAMA_VERSION=0.5.7 sh"});
  holds.expect = {ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

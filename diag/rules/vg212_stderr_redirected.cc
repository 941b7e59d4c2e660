// VG212 stderr-redirected: the service's standard error is not in the journal.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {

Judgement StderrRedirected(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  const facts::LogFacts& log = facts.log;
  if (log.redirected.absent()) {
    return Contradicted{"standard error goes to the journal"};
  }
  if (log.redirected.source.empty()) {
    return CannotTell{absl::StrCat("where ", facts.unit.name, " writes its log"),
                      std::string(log.standard_error.why_not()),
                      absl::StrCat("systemctl show -p StandardError ", facts.unit.name)};
  }
  Holds holds;
  holds.confidence = Confidence::kCertain;
  holds.evidence.push_back(
      {log.standard_error.source, log.standard_error_line,
       absl::StrCat("StandardError=", log.standard_error.value_or("inherit")),
       log.redirected.present()
           ? absl::StrCat("what Ollama says is in ", log.redirected.source, ", and was read there")
           : absl::StrCat("what Ollama says is not in the journal: ", log.redirected.why_not())});
  return holds;
}

}  // namespace vgpu::rules

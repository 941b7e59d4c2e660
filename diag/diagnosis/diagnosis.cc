#include "diag/diagnosis/diagnosis.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/diagnosis/precedence.h"
#include "diag/diagnosis/restored_list.h"
#include "diag/diagnosis/surroundings.h"
#include "diag/rules/catalogue.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/read_only_host.h"

namespace vgpu::diagnosis {
namespace {

using facts::Facts;
using report::Item;
using report::Report;
using report::Verdict;
using rules::Acts;
using rules::CatalogueEntry;
using rules::Holds;
using rules::Kind;

struct Finding {
  const CatalogueEntry* entry;
  const Holds* holds;
  std::vector<std::string> explained_by;  // codes that hold, directly or not
};

// In era A the server's line says nothing about the libraries of the model's runner:
// these stand beside a result that names the GPU.
constexpr absl::string_view kBeatsTheResultInEraA[] = {"VG501", "VG502", "VG709", "VG902"};

// A model's runner said after the result that its backend has no code for the device.
bool RunnerLacksCode(const Facts& facts) {
  const ollama::ServerStart* start = facts.ThisStart();
  if (start == nullptr || start->Result() == nullptr) return false;
  const uint64_t since = start->Result()->line.number;
  return std::any_of(start->arch_missing.begin(), start->arch_missing.end(),
                     [&](const ollama::LogLine& line) { return line.number > since; });
}

bool BeatsTheResult(const Facts& facts, absl::string_view code) {
  if (code == "VG511" && RunnerLacksCode(facts)) return true;
  return facts.ollama.era == ollama::Era::kA &&
         std::find(std::begin(kBeatsTheResultInEraA), std::end(kBeatsTheResultInEraA), code) !=
             std::end(kBeatsTheResultInEraA);
}

// A loaded model with no byte on the GPU: the result of discovery is not the whole truth.
bool ModelsRunOnCpu(const Facts& facts) {
  return facts.ollama.models_on_cpu.present() && !facts.ollama.models_on_cpu->empty();
}

// The codes of what follows from it, by its own rule and by precedence.
std::vector<std::string> ExplainedBy(const Finding& finding) {
  std::vector<std::string> codes = finding.holds->explains;
  for (const Precedence& precedence : Precedences()) {
    if (precedence.cause == finding.entry->code) {
      codes.push_back(std::string(precedence.consequence));
    }
  }
  return codes;
}

// Something in the log itself was not seen: its level, a line, its beginning.
bool AboutTheLog(const rules::CannotTell& lacks) {
  return lacks.why != facts::kOnlyALog && !absl::EndsWith(lacks.why, facts::kOnlyALog) &&
         lacks.why != "not looked at" && !absl::StrContains(lacks.why, "no process was seen");
}

// Worth knowing, and never a root cause.
bool IsNote(const Finding& finding) {
  return finding.holds->is_note || (finding.entry->kind == Kind::kNote && !finding.holds->is_cause);
}

// Fills explained_by: a finding is explained by every other that declares it, and by
// what explains that. What is only latent explains nothing of today.
void LinkFindings(std::vector<Finding>& findings) {
  std::map<std::string, Finding*> by_code;
  for (Finding& finding : findings) by_code[std::string(finding.entry->code)] = &finding;
  const auto explains = [](const Finding& finding) {
    return finding.holds->acts == Acts::kNow && !IsNote(finding);
  };
  for (Finding& cause : findings) {
    if (!explains(cause)) continue;
    // Everything that follows from `cause`, however far.
    std::set<std::string> reached;
    std::vector<const Finding*> pending = {&cause};
    while (!pending.empty()) {
      const Finding* at = pending.back();
      pending.pop_back();
      if (!explains(*at)) continue;
      for (const std::string& code : ExplainedBy(*at)) {
        auto it = by_code.find(code);
        if (it == by_code.end() || it->second == &cause || it->second->holds->independent) {
          continue;
        }
        if (reached.insert(code).second) pending.push_back(it->second);
      }
    }
    for (const std::string& code : reached) {
      by_code[code]->explained_by.push_back(std::string(cause.entry->code));
    }
  }
  // Two that explain each other: the earlier layer is the cause.
  for (Finding& finding : findings) {
    std::vector<std::string>& by = finding.explained_by;
    by.erase(std::remove_if(by.begin(), by.end(),
                            [&](const std::string& code) {
                              const std::vector<std::string>& back = by_code[code]->explained_by;
                              return code > finding.entry->code &&
                                     std::find(back.begin(), back.end(), finding.entry->code) !=
                                         back.end();
                            }),
             by.end());
  }
}

// Ollama's scripts/install.sh, v0.1.0 to v0.33.0-rc2 (check_gpu, install_cuda_driver_apt): where
// `lspci -d 10de:` or `lshw` names an NVIDIA card and there is no nvidia-smi, it installs
// cuda-drivers from NVIDIA's repository. A virtual device has the ids of a real one, and NVIDIA's
// libcuda.so.1 then stands where the shim's did.
constexpr char kInstallScript[] = "https://ollama.com/install.sh";
constexpr char kItsDriver[] =
    "where lspci shows an NVIDIA card, a virtual one too, and there is no nvidia-smi, the script "
    "installs NVIDIA's driver as well; unpacking the archive does not (vgpu-doctor explain "
    "after-update)";

// The risk of every step that runs the script, whichever rule it is of.
std::vector<rules::FixStep> WithItsDriver(std::vector<rules::FixStep> fix) {
  for (rules::FixStep& step : fix) {
    if (!absl::StrContains(step.command, kInstallScript)) continue;
    absl::StrAppend(&step.risk, step.risk.empty() ? "" : "; ", kItsDriver);
  }
  return fix;
}

// `held` are the codes that can follow from another.
Item ItemOf(const Facts& facts, const Finding& finding, const std::set<std::string>& held) {
  Item item;
  item.code = std::string(finding.entry->code);
  item.id = std::string(finding.entry->id);
  item.title = std::string(finding.entry->title);
  item.confidence = finding.holds->confidence;
  item.evidence = finding.holds->evidence;
  item.fix = WithItsDriver(rules::AsTheHostIsKept(facts, item.code, finding.holds->fix));
  item.expect = finding.holds->expect;
  for (const std::string& code : ExplainedBy(finding)) {
    const bool listed =
        std::find(item.explains.begin(), item.explains.end(), code) != item.explains.end();
    if (held.contains(code) && !listed) item.explains.push_back(code);
  }
  item.explained_by = finding.explained_by;
  return item;
}

// Root causes that are only possible, and explain no symptom that a better founded one does
// not explain too: indirect signs of what is known already.
std::vector<Item> TakeNeedless(std::vector<Item>& root_causes) {
  std::set<std::string> explained;
  bool founded = false;
  for (const Item& cause : root_causes) {
    if (cause.confidence == rules::Confidence::kPossible) continue;
    founded = true;
    explained.insert(cause.explains.begin(), cause.explains.end());
  }
  std::vector<Item> needless;
  if (!founded) return needless;
  const auto needed = [&](const Item& cause) {
    if (cause.confidence != rules::Confidence::kPossible) return true;
    for (const std::string& code : cause.explains) {
      if (!explained.contains(code)) return true;
    }
    return cause.explains.empty();
  };
  const auto rest = std::stable_partition(root_causes.begin(), root_causes.end(), needed);
  needless.assign(std::make_move_iterator(rest), std::make_move_iterator(root_causes.end()));
  root_causes.erase(rest, root_causes.end());
  return needless;
}

// Of a service that does not run: what would act only once it started, where the faults that
// keep it from starting are known.
std::vector<Item> TakeBehindTheStart(std::vector<Item>& root_causes) {
  const auto keeps_down = [](const Item& cause) {
    const auto& explains = cause.explains;
    return cause.code == "VG301" || cause.code == "VG307" ||
           std::find(explains.begin(), explains.end(), "VG301") != explains.end() ||
           std::find(explains.begin(), explains.end(), "VG307") != explains.end();
  };
  std::vector<Item> behind;
  if (std::none_of(root_causes.begin(), root_causes.end(), keeps_down)) return behind;
  const auto rest = std::stable_partition(root_causes.begin(), root_causes.end(), keeps_down);
  behind.assign(std::make_move_iterator(rest), std::make_move_iterator(root_causes.end()));
  root_causes.erase(rest, root_causes.end());
  return behind;
}

// Where the first cause is only possible and others explain the same: which they are.
// Nothing here tells them apart, and the report says so.
std::string Tie(const std::vector<Item>& root_causes) {
  const Item& first = root_causes.front();
  if (first.confidence != rules::Confidence::kPossible) return "";
  std::vector<std::string> others;
  for (const Item& other : root_causes) {
    if (&other == &first || other.confidence != first.confidence) continue;
    for (const std::string& code : other.explains) {
      if (std::find(first.explains.begin(), first.explains.end(), code) == first.explains.end()) {
        continue;
      }
      others.push_back(absl::StrCat(other.code, " (", other.title, ")"));
      break;
    }
  }
  if (others.empty()) return "";
  return absl::StrCat(
      " ", absl::StrJoin(others, ", "),
      others.size() == 1 ? " would explain the same" : " would each explain the same",
      ": what was seen does not tell which it is.");
}

// Where the first repair restarts the service, that start meets what is only latent now: it is said
// in the headline and beside the restart, which may otherwise take away what still runs.
void WarnOfTheStart(const std::vector<Finding>& findings, Report& report) {
  std::vector<rules::FixStep>& fix = report.root_causes.front().fix;
  const auto restart = std::find_if(fix.begin(), fix.end(), [](const rules::FixStep& step) {
    return std::holds_alternative<rules::Restart>(step.action);
  });
  if (restart == fix.end()) return;
  std::vector<std::string> met;
  for (Item& item : report.latent) {
    const bool next_start =
        std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
          return finding.entry->code == item.code && finding.holds->acts == Acts::kNextStart;
        });
    if (next_start && item.confidence != rules::Confidence::kPossible) {
      item.repair_first = true;
      met.push_back(absl::StrCat(item.code, " (", item.title, ")"));
    }
  }
  if (met.empty()) return;
  const std::string what = absl::StrJoin(met, ", ");
  absl::StrAppend(&report.headline, " Repair ", what, " first: the start would meet it.");
  absl::StrAppend(&restart->risk, restart->risk.empty() ? "" : "; ", "it meets ", what,
                  ", below, unless that is repaired first");
}

// Of several root causes the headline is that of the first: the others, which it has not named yet.
std::string OtherRootCauses(const Report& report) {
  std::vector<std::string> others;
  for (const Item& other : report.root_causes) {
    if (&other == &report.root_causes.front()) continue;
    const std::string name = absl::StrCat(other.code, " (", other.title, ")");
    if (!absl::StrContains(report.headline, name)) others.push_back(name);
  }
  if (others.empty()) return "";
  const std::string lead = others.size() == 1
                               ? " There is 1 more root cause: "
                               : absl::StrCat(" There are ", others.size(), " more root causes: ");
  return absl::StrCat(lead, absl::StrJoin(others, ", "), ".");
}

std::string HealthyHeadline(const Facts& facts, const Report& report) {
  const ollama::ServerStart* start = facts.ThisStart();
  std::string headline;
  if (start != nullptr && start->Result() != nullptr) {
    const ollama::Compute& result = *start->Result();
    const std::string device = result.description.empty() ? result.name : result.description;
    headline = absl::StrCat("Ollama found the GPU: ", device.empty() ? "a device" : device,
                            " through ", result.library);
  } else {
    headline = absl::StrCat("A probe in the place of process ", facts.process->pid,
                            " does what discovery does, and finds the GPU");
  }
  if (report.latent.empty()) return absl::StrCat(headline, ".");
  return absl::StrCat(headline, "; repair ", report.latent.front().code, " (",
                      report.latent.front().title, ") before the next start.");
}

std::string InconclusiveHeadline(const Facts& facts) {
  if (facts.only_a_log) {
    const ollama::ServerStart* start = facts.ThisStart();
    if (start == nullptr) {
      return "The log holds no line of Ollama's discovery: it proves nothing, either way.";
    }
    if (start->Result() == nullptr && !start->cut_results.empty()) {
      return absl::StrCat("The log names no fault, and its line of discovery's result, ",
                          start->cut_results.back().number,
                          ", is cut off before it names a library: give the log with whole lines.");
    }
    if (start->Result() == nullptr) {
      return "The log names no fault and does not show what discovery found.";
    }
    return absl::StrCat("The log's last discovery found ", start->Result()->library,
                        ", and nothing through CUDA.");
  }
  if (ModelsRunOnCpu(facts)) {
    return absl::StrCat("Discovery named a GPU, and the model ",
                        facts.ollama.models_on_cpu->front(), " runs without one (size_vram is 0).");
  }
  if (facts.process.present()) {
    const ollama::ServerStart* start = facts.ThisStart();
    if (start != nullptr && start->Result() != nullptr) {
      return absl::StrCat("Discovery of process ", facts.process->pid, " found ",
                          start->Result()->library, ", and nothing through CUDA.");
    }
    return absl::StrCat(
        "Nothing is known to be wrong now, and nothing shows what the discovery of "
        "process ",
        facts.process->pid, " found: see VG705 for how to make it show.");
  }
  return absl::StrCat("Nothing is known to be wrong now with ", facts.unit.name,
                      ", and no process of it could be seen.");
}

}  // namespace

void Explain(const Facts& facts, const std::vector<Judged>& judged, Report& report) {
  std::vector<Finding> findings;
  std::set<std::string> held;
  for (const Judged& item : judged) {
    const CatalogueEntry* entry = rules::FindCode(item.code);
    if (entry == nullptr) continue;
    if (const Holds* holds = std::get_if<Holds>(&item.judgement)) {
      findings.push_back({entry, holds, {}});
      if (!holds->independent) held.insert(item.code);
    } else if (const auto* against = std::get_if<rules::Contradicted>(&item.judgement)) {
      // Notes and consequences are no causes that one looks for.
      if (entry->kind == Kind::kCause || entry->kind == Kind::kRisk) {
        report.ruled_out.push_back({item.code, std::string(entry->id), against->because});
      }
    } else {
      const auto& lacks = std::get<rules::CannotTell>(item.judgement);
      // Of a log alone, all that no log holds is one item (AddUnseen).
      if (facts.only_a_log && !AboutTheLog(lacks)) continue;
      AddNotSeen({lacks.what, lacks.why, lacks.how}, report);
    }
  }
  LinkFindings(findings);

  const bool found_gpu = facts.FoundGpu().value_or(false) && !ModelsRunOnCpu(facts);
  const Holds* first = nullptr;
  for (const Finding& finding : findings) {
    Item item = ItemOf(facts, finding, held);
    if (IsNote(finding)) {
      report.notes.push_back(std::move(item));
    } else if (!finding.explained_by.empty() ||
               (finding.entry->kind == Kind::kConsequence && !finding.entry->stands_alone)) {
      report.consequences.push_back(std::move(item));
    } else if (finding.holds->acts == Acts::kNextStart ||
               (finding.entry->kind == Kind::kRisk && !finding.holds->is_cause) ||
               (found_gpu && !BeatsTheResult(facts, finding.entry->code))) {
      report.latent.push_back(std::move(item));
    } else {
      if (first == nullptr) first = finding.holds;
      // A symptom that nothing explains was seen; that it is the cause was not.
      if (finding.entry->kind == Kind::kConsequence) {
        item.confidence = rules::Confidence::kPossible;
      }
      report.root_causes.push_back(std::move(item));
    }
  }

  if (!facts.process.present()) {
    for (Item& item : TakeBehindTheStart(report.root_causes)) {
      report.latent.push_back(std::move(item));
    }
  }
  for (Item& item : TakeNeedless(report.root_causes)) {
    if (rules::FindCode(item.code)->kind != Kind::kConsequence) {
      report.notes.push_back(std::move(item));
      continue;
    }
    // A symptom of what a founded cause explains: it goes with that.
    for (const Item& cause : report.root_causes) item.explained_by.push_back(cause.code);
    report.consequences.push_back(std::move(item));
  }
  if (first != nullptr) {
    report.verdict = Verdict::kProblem;
    for (const Finding& finding : findings) {
      if (finding.entry->code == report.root_causes.front().code) first = finding.holds;
    }
    report.headline = absl::StrCat(first->headline, Tie(report.root_causes));
    WarnOfTheStart(findings, report);
    absl::StrAppend(&report.headline, OtherRootCauses(report));
  } else if (found_gpu) {
    report.verdict = Verdict::kHealthy;
    report.headline = HealthyHeadline(facts, report);
  } else {
    report.verdict = Verdict::kInconclusive;
    report.headline = InconclusiveHeadline(facts);
    if (!report.latent.empty()) {
      report.headline = absl::StrCat(report.headline, " Repair ", report.latent.front().code, " (",
                                     report.latent.front().title, ") before the next start.");
    }
  }
}

namespace {

// What a preload entry itself can be wrong with, by codes whose rules look at its file.
constexpr absl::string_view kOfAnEntry[] = {"VG401", "VG402", "VG403", "VG404",
                                            "VG408", "VG412", "VG413"};

const rules::Rule* RuleOf(absl::string_view code) {
  for (const rules::Rule& rule : rules::AllRules()) {
    if (rule.code == code) return &rule;
  }
  return nullptr;
}

// Where the repair of the unit or of the process brings a preload list back: its entries are
// judged too, as the start behind that repair will load them.
void JudgeRestoredList(const Facts& facts, std::vector<Judged>& judged) {
  std::optional<facts::PreloadList> list;
  for (const Judged& item : judged) {
    const auto* holds = std::get_if<Holds>(&item.judgement);
    if (holds != nullptr && !list && item.code < "VG400") list = RestoredList(facts, holds->fix);
  }
  if (!list) return;
  Facts after = facts;
  after.restored_preload = std::move(list);
  for (Judged& item : judged) {
    const bool of_an_entry =
        std::find(std::begin(kOfAnEntry), std::end(kOfAnEntry), item.code) != std::end(kOfAnEntry);
    if (!of_an_entry) continue;
    rules::Judgement again = RuleOf(item.code)->judge(after);
    if (std::holds_alternative<Holds>(again)) item.judgement = std::move(again);
  }
}

}  // namespace

Report Diagnose(const Facts& facts, const Selection& selection) {
  Report report;
  report.host.hostname = facts.hostname;
  report.host.observed_at = facts.observed_at;
  report.host.source = facts.only_a_log                             ? "log"
                       : facts.host_kind == host::Host::Kind::kLive ? "live"
                                                                    : "tree";
  report.time_zone = facts.time_zone;
  report.subject.unit = facts.unit_judged ? facts.unit.name : "";
  report.subject.pid = facts.process.Map([](const facts::ProcessFacts& p) { return p.pid; });
  report.subject.ollama_version = facts.ollama.version;
  report.subject.era = std::string(ollama::EraName(facts.ollama.era));
  report.subject.era_because = facts.ollama.era_because;

  std::vector<Judged> judged;
  const auto has = [](const std::vector<std::string>& codes, absl::string_view code) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
  };
  for (const rules::Rule& rule : rules::AllRules()) {
    if (has(selection.skip, rule.code) ||
        (!selection.only.empty() && !has(selection.only, rule.code))) {
      report.skipped.push_back(std::string(rule.code));
      continue;
    }
    judged.push_back({std::string(rule.code), rule.judge(facts)});
  }
  JudgeRestoredList(facts, judged);
  Explain(facts, judged, report);
  // Of a capture that lost a piece nothing is certain.
  if (!facts.remarks.empty()) {
    for (auto* items : {&report.root_causes, &report.consequences, &report.latent}) {
      for (Item& item : *items) {
        if (item.confidence == rules::Confidence::kCertain) {
          item.confidence = rules::Confidence::kLikely;
        }
      }
    }
  }
  AddWorking(facts, report);
  AddUnseen(facts, report);
  SayWhatWasNamed(facts, report);
  TakeOutWhatWasJustRun(facts, report);
  return report;
}

}  // namespace vgpu::diagnosis

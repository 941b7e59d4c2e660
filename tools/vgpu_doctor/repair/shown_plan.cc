#include "tools/vgpu_doctor/repair/shown_plan.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/report/redact.h"
#include "diag/report/shown.h"
#include "diag/report/version.h"
#include "diag/report/visible.h"
#include "nlohmann/json.hpp"

namespace vgpu::doctor {
namespace {

using nlohmann::ordered_json;

std::string Codes(const std::vector<report::Item>& items) {
  return absl::StrJoin(items, ", ", [](std::string* out, const report::Item& item) {
    absl::StrAppend(out, item.code);
  });
}

void AppendStep(const rules::FixStep& step, size_t number, By by, std::string& text) {
  absl::StrAppend(&text, "\n  ", number, ". ", step.command, "\n");
  const auto line = [&](absl::string_view name, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&text, "     ", name, value, "\n");
  };
  line("why:  ", step.why);
  line("risk: ", step.risk);
  line("undo: ", step.undo);
  if (by == By::kPerson) line("", "(a person does this)");
}

ordered_json Changes(const std::vector<Change>& changes) {
  ordered_json list = ordered_json::array();
  for (const Change& change : changes) {
    ordered_json item;
    item["what"] = Safe(change.what);
    item["path"] = Safe(change.path);
    item["backup"] = change.backup.empty() ? ordered_json() : ordered_json(Safe(change.backup));
    item["undo"] = Safe(change.undo);
    list.push_back(std::move(item));
  }
  return list;
}

ordered_json Applied(const Outcome& outcome) {
  ordered_json applied;
  applied["results"] = ordered_json::array();
  for (const Result& result : outcome.results) {
    applied["results"].push_back({{"code", result.code},
                                  {"end", Name(result.end)},
                                  {"because", Safe(result.because)},
                                  {"changes", Changes(result.changes)}});
  }
  applied["verdict"] =
      outcome.after ? ordered_json(report::VerdictName(outcome.after->verdict)) : ordered_json();
  applied["headline"] =
      outcome.after ? ordered_json(report::Shown(*outcome.after).headline) : ordered_json();
  return applied;
}

}  // namespace

std::string Safe(absl::string_view host_text) {
  return report::Visible(report::RedactSecrets(host_text));
}

std::string PlanText(const report::Report& report, const Plan& plan, absl::string_view command) {
  const report::Report shown = report::Shown(report);
  std::string text = absl::StrCat(report::VerdictName(report.verdict), ": ", shown.headline, "\n");
  for (const Repair& repair : plan.repairs) {
    absl::StrAppend(&text, "\n", repair.item.code, "  ", repair.item.title, " (",
                    report::ConfidenceName(repair.item.confidence),
                    repair.latent ? ", acts at the next start" : "", ")\n");
    for (size_t i = 0; i < repair.item.fix.size(); ++i) {
      AppendStep(repair.item.fix[i], i + 1, Who(repair.actions[i]), text);
    }
    if (!repair.item.expect.empty()) {
      absl::StrAppend(&text, "\n  then: ", absl::StrJoin(repair.item.expect, "\n        "), "\n");
    }
    if (!repair.by_hand.empty()) {
      absl::StrAppend(&text, "\n  `fix --apply` leaves this to a person: ", Safe(repair.by_hand),
                      ".\n");
    }
  }
  if (plan.repairs.empty()) {
    absl::StrAppend(&text, "\nThere is no root cause to repair.\n");
    if (!shown.latent.empty()) {
      absl::StrAppend(&text, "What would act after the next start is repaired by its code: ",
                      Codes(shown.latent), ".\n");
    }
    return text;
  }
  if (plan.automatic > 0 && !command.empty()) {
    absl::StrAppend(&text, "\n`", command, "` does this",
                    plan.automatic == plan.repairs.size()
                        ? ""
                        : absl::StrCat(" as far as ", plan.repairs[plan.automatic - 1].item.code),
                    ", keeps a backup beside each file that it changes, asks before a restart, "
                    "and judges again.\n");
  }
  return text;
}

std::string OutcomeText(const Plan& plan, const Outcome& outcome) {
  std::string text;
  for (const Result& result : outcome.results) {
    absl::StrAppend(&text, "\n", result.code, ": ");
    switch (result.end) {
      case End::kRepaired:
        absl::StrAppend(&text, "repaired");
        break;
      case End::kTakenBack:
        absl::StrAppend(&text, "taken back, the files are as they were before");
        break;
      case End::kFailed:
        absl::StrAppend(&text, "not repaired, the files are as they were before");
        break;
      case End::kWaits:
        absl::StrAppend(&text, "the files are changed, and the service still runs as before");
        break;
      case End::kNotChecked:
        absl::StrAppend(&text, "changed, and not judged: run `vgpu-doctor check`");
        break;
    }
    if (!result.because.empty()) absl::StrAppend(&text, " (", Safe(result.because), ")");
    absl::StrAppend(&text, "\n");
    for (const Change& change : result.changes) {
      absl::StrAppend(&text, "  ", Safe(change.what), "\n");
      if (!change.undo.empty()) absl::StrAppend(&text, "    undo: ", Safe(change.undo), "\n");
    }
  }
  if (plan.automatic < plan.repairs.size()) {
    const Repair& next = plan.repairs[plan.automatic];
    absl::StrAppend(&text, "\n", next.item.code, ": left alone, ", Safe(next.by_hand), "\n");
  }
  if (outcome.after) {
    absl::StrAppend(&text, "\nNow ", report::VerdictName(outcome.after->verdict), ": ",
                    report::Shown(*outcome.after).headline, "\n");
  }
  return text;
}

std::string PlanJson(const report::Report& report, const Plan& plan, const Outcome* outcome) {
  const report::Report shown = report::Shown(report);
  ordered_json root;
  root["schema"] = "vgpu-doctor.fix/1";
  root["tool_version"] = report::kToolVersion;
  root["unit"] = shown.subject.unit;
  root["verdict"] = report::VerdictName(report.verdict);
  root["headline"] = shown.headline;
  root["repairs"] = ordered_json::array();
  for (const Repair& repair : plan.repairs) {
    ordered_json item;
    item["code"] = repair.item.code;
    item["id"] = repair.item.id;
    item["title"] = repair.item.title;
    item["confidence"] = report::ConfidenceName(repair.item.confidence);
    item["latent"] = repair.latent;
    item["by"] = Name(repair.by_hand.empty() ? By::kTool : By::kPerson);
    item["because"] = Safe(repair.by_hand);
    item["steps"] = ordered_json::array();
    for (size_t i = 0; i < repair.item.fix.size(); ++i) {
      const rules::FixStep& step = repair.item.fix[i];
      item["steps"].push_back({{"command", step.command},
                               {"why", step.why},
                               {"risk", step.risk},
                               {"undo", step.undo},
                               {"by", Name(Who(repair.actions[i]))}});
    }
    item["expect"] = repair.item.expect;
    root["repairs"].push_back(std::move(item));
  }
  root["latent"] = ordered_json::array();
  for (const report::Item& item : shown.latent) root["latent"].push_back(item.code);
  root["applied"] = outcome == nullptr ? ordered_json() : Applied(*outcome);
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace vgpu::doctor

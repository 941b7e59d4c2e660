#include "tools/vgpu_doctor/repair/shown_plan.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/report/phrases.h"
#include "diag/report/redact.h"
#include "diag/report/shown.h"
#include "diag/report/version.h"
#include "diag/report/visible.h"
#include "diag/report/wrap.h"
#include "nlohmann/json.hpp"

namespace vgpu::doctor {
namespace {

using nlohmann::ordered_json;

std::string Codes(const std::vector<report::Item>& items) {
  return absl::StrJoin(items, ", ", [](std::string* out, const report::Item& item) {
    absl::StrAppend(out, item.code);
  });
}

// A command stands on one line, so that it can be copied.
void AppendProseOrCommand(absl::string_view lead, const std::string& value, int width,
                          std::string& text) {
  if (value.empty()) return;
  if (report::IsCommand(value)) {
    absl::StrAppend(&text, lead, "$ ", value, "\n");
  } else {
    absl::StrAppend(&text, report::Hang(lead, value, static_cast<size_t>(width)));
  }
}

void AppendStep(const rules::FixStep& step, size_t number, By by, int width, std::string& text) {
  absl::StrAppend(&text, "\n  ", number, ". ", step.command, "\n");
  AppendProseOrCommand("     why:  ", step.why, width, text);
  AppendProseOrCommand("     risk: ", step.risk, width, text);
  AppendProseOrCommand("     undo: ", step.undo, width, text);
  if (by == By::kPerson) absl::StrAppend(&text, "     (a person does this)\n");
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

std::string PlanText(const report::Report& report, const Plan& plan, absl::string_view command,
                     int width) {
  const report::Report shown = report::Shown(report);
  const auto prose = [width](absl::string_view lead, const std::string& words) {
    return report::Hang(lead, words, static_cast<size_t>(width));
  };
  std::string text =
      prose("", absl::StrCat(report::VerdictName(report.verdict), ": ", shown.headline));
  for (const Repair& repair : plan.repairs) {
    absl::StrAppend(
        &text, "\n",
        prose(repair.item.code + "  ",
              absl::StrCat(repair.item.title, " (", report::ConfidenceName(repair.item.confidence),
                           repair.latent ? ", acts at the next start" : "", ")")));
    for (size_t i = 0; i < repair.item.fix.size(); ++i) {
      AppendStep(repair.item.fix[i], i + 1, Who(repair.actions[i]), width, text);
    }
    for (const Later& later : repair.later) {
      absl::StrAppend(
          &text, "\n",
          prose("  ", absl::StrCat("`", later.command, "` comes once, with ", later.with, ".")));
    }
    if (!repair.item.expect.empty()) {
      text += "\n";
      absl::string_view lead = "  then: ";
      for (const std::string& line : repair.item.expect) {
        text += prose(lead, line);
        lead = "        ";
      }
    }
    if (!repair.by_hand.empty()) {
      absl::StrAppend(&text, "\n",
                      prose("  ", absl::StrCat("`fix --apply` leaves this to a person: ",
                                               Safe(repair.by_hand), ".")));
    }
  }
  if (plan.repairs.empty()) {
    absl::StrAppend(&text, "\nThere is no root cause to repair.\n");
    if (!shown.latent.empty()) {
      text +=
          prose("", absl::StrCat("What would act after the next start is repaired by its code: ",
                                 Codes(shown.latent), "."));
    }
    return text;
  }
  if (plan.automatic > 0 && !command.empty()) {
    const std::string how_far =
        plan.automatic == plan.repairs.size()
            ? ""
            : absl::StrCat(" as far as ", plan.repairs[plan.automatic - 1].item.code);
    // What was captured is repaired where it was.
    const std::string there =
        report.host.source == "live"
            ? ""
            : absl::StrCat(" on ", Safe(report.host.hostname.value_or("the host itself")));
    absl::StrAppend(
        &text, "\n",
        prose("", absl::StrCat("`", command, "`", there, " does this", how_far,
                               ", keeps a backup beside each file that it changes, asks "
                               "before a restart, and judges again.")));
  }
  return text;
}

std::string OutcomeText(const Plan& plan, const Outcome& outcome, int width) {
  std::string text;
  const auto prose = [width](absl::string_view lead, const std::string& words) {
    return report::Hang(lead, words, static_cast<size_t>(width));
  };
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
      text += prose("  ", Safe(change.what));
      AppendProseOrCommand("    undo: ", Safe(change.undo), width, text);
    }
  }
  if (plan.automatic < plan.repairs.size()) {
    const Repair& next = plan.repairs[plan.automatic];
    absl::StrAppend(&text, "\n",
                    prose("", absl::StrCat(next.item.code, ": left alone, ", Safe(next.by_hand))));
  }
  if (outcome.after) {
    absl::StrAppend(&text, "\n",
                    prose("", absl::StrCat("Now ", report::VerdictName(outcome.after->verdict),
                                           ": ", report::Shown(*outcome.after).headline)));
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
    item["later"] = ordered_json::array();
    for (const Later& later : repair.later)
      item["later"].push_back({{"command", later.command}, {"with", later.with}});
    item["expect"] = repair.item.expect;
    root["repairs"].push_back(std::move(item));
  }
  root["latent"] = ordered_json::array();
  for (const report::Item& item : shown.latent) root["latent"].push_back(item.code);
  root["applied"] = outcome == nullptr ? ordered_json() : Applied(*outcome);
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace vgpu::doctor

#include "tools/vgpu_doctor/repair/plan.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/report/shown.h"
#include "tools/vgpu_doctor/cause_name.h"

namespace vgpu::doctor {
namespace {

bool Is(const report::Item& item, absl::string_view wanted) {
  return absl::EqualsIgnoreCase(item.code, wanted) || item.id == wanted;
}

std::string Codes(const std::vector<report::Item>& items) {
  return absl::StrJoin(items, ", ", [](std::string* out, const report::Item& item) {
    absl::StrAppend(out, item.code);
  });
}

absl::Status NotDiagnosed(const report::Report& report, absl::string_view wanted) {
  for (const report::Item& item : report.consequences) {
    if (!Is(item, wanted)) continue;
    return absl::NotFoundError(absl::StrCat(
        item.code, " follows from ", absl::StrJoin(item.explained_by, ", "), ": repair that"));
  }
  for (const report::Item& item : report.notes) {
    if (Is(item, wanted)) return absl::NotFoundError(item.code + " is a note: nothing to repair");
  }
  const rules::CatalogueEntry* entry = FindCause(wanted);
  if (entry == nullptr) return absl::NotFoundError(NoSuchCause(wanted));
  std::vector<report::Item> found = report.root_causes;
  found.insert(found.end(), report.latent.begin(), report.latent.end());
  return absl::NotFoundError(absl::StrCat(entry->code,
                                          " was not diagnosed here, so nothing is repaired; ",
                                          found.empty() ? "no cause was" : Codes(found) + " was"));
}

std::string WhyByHand(const Repair& repair, bool asked_for) {
  const bool changes = std::any_of(repair.actions.begin(), repair.actions.end(),
                                   [](const auto& action) { return Who(action) == By::kTool; });
  std::vector<size_t> by_hand;
  for (size_t i = 0; i < repair.actions.size(); ++i) {
    if (Who(repair.actions[i]) == By::kPerson) by_hand.push_back(i + 1);
  }
  if (by_hand.size() == 1) return absl::StrCat("step ", by_hand[0], " is a person's");
  if (!by_hand.empty()) {
    const size_t last = by_hand.back();
    by_hand.pop_back();
    return absl::StrCat("steps ", absl::StrJoin(by_hand, ", "), " and ", last, " are a person's");
  }
  if (!changes) return "no step is known that repairs it";
  if (repair.item.confidence == rules::Confidence::kPossible && !asked_for) {
    return absl::StrCat("it is possible, and no more: `vgpu-doctor fix ", repair.item.code,
                        " --apply` repairs it all the same");
  }
  return "";
}

// What an action decides: a file, a variable of the unit. Two repairs that decide one
// thing are made one after the other, with a diagnosis in between.
std::vector<std::string> Decides(const rules::Action& action) {
  if (const auto* write = std::get_if<rules::WriteFile>(&action)) {
    std::vector<std::string> things = {write->path};
    for (absl::string_view line : absl::StrSplit(write->content, '\n')) {
      if (!absl::ConsumePrefix(&line, "Environment=") &&
          !absl::ConsumePrefix(&line, "UnsetEnvironment=")) {
        continue;
      }
      absl::ConsumePrefix(&line, "\"");
      things.push_back(absl::StrCat("the variable ", line.substr(0, line.find_first_of("=\""))));
    }
    return things;
  }
  if (const auto* remove = std::get_if<rules::RemoveEntries>(&action)) return {remove->path};
  if (const auto* assign = std::get_if<rules::AssignVariable>(&action)) {
    return {assign->path, absl::StrCat("the variable ", assign->name)};
  }
  if (const auto* move = std::get_if<rules::MoveFile>(&action)) return {move->from, move->to};
  if (const auto* link = std::get_if<rules::MakeLink>(&action)) return {link->path};
  return {};
}

// Whether the other repair makes this request to the service manager too.
bool IsSameRequest(const rules::Action& action, const rules::Action& other) {
  if (std::holds_alternative<rules::Reload>(action))
    return std::holds_alternative<rules::Reload>(other);
  const auto* restart = std::get_if<rules::Restart>(&action);
  const auto* again = std::get_if<rules::Restart>(&other);
  return restart != nullptr && again != nullptr && restart->unit == again->unit &&
         restart->only_start == again->only_start;
}

// Adds a risk to those that a step names.
void AddRisk(const std::string& risk, std::string& risks) {
  if (absl::StrContains(risks, risk)) return;
  if (absl::StartsWith(risk, risks)) {
    risks = risk;
  } else {
    absl::StrAppend(&risks, "; ", risk);
  }
}

// Of two repairs that are made together the first leaves reload and restart to the second.
void LeaveRequestsTo(Repair& next, Repair& repair) {
  for (size_t i = 0; i < repair.actions.size();) {
    const auto same =
        std::find_if(next.actions.begin(), next.actions.end(),
                     [&](const auto& other) { return IsSameRequest(repair.actions[i], other); });
    if (same == next.actions.end()) {
      ++i;
      continue;
    }
    const auto at = static_cast<std::ptrdiff_t>(i);
    AddRisk(repair.item.fix[i].risk,
            next.item.fix[static_cast<size_t>(same - next.actions.begin())].risk);
    repair.later.push_back({repair.item.fix[i].command, next.item.code});
    repair.item.fix.erase(repair.item.fix.begin() + at);
    repair.actions.erase(repair.actions.begin() + at);
  }
}

}  // namespace

const char* Name(By by) {
  switch (by) {
    case By::kTool:
      return "vgpu-doctor";
    case By::kPerson:
      return "person";
    case By::kNeither:
      break;
  }
  return "nobody";
}

By Who(const rules::Action& action) {
  if (std::holds_alternative<rules::ByHand>(action)) return By::kPerson;
  if (std::holds_alternative<rules::NoChange>(action)) return By::kNeither;
  return By::kTool;
}

absl::StatusOr<Plan> MakePlan(const report::Report& report, absl::string_view wanted) {
  const report::Report shown = report::Shown(report);
  Plan plan;
  const auto add = [&](const std::vector<report::Item>& items,
                       const std::vector<report::Item>& safe, bool latent) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (wanted.empty() ? latent && !items[i].repair_first : !Is(items[i], wanted)) continue;
      const bool goes_before = latent && wanted.empty();
      Repair repair{safe[i]};
      repair.item.fix.clear();
      for (size_t k = 0; k < items[i].fix.size(); ++k) {
        const rules::Action& action = items[i].fix[k].action;
        if (goes_before && std::holds_alternative<rules::Restart>(action)) continue;
        repair.item.fix.push_back(safe[i].fix[k]);
        repair.actions.push_back(action);
      }
      repair.latent = latent;
      repair.by_hand = WhyByHand(repair, !wanted.empty());
      plan.repairs.push_back(std::move(repair));
    }
  };
  if (wanted.empty()) add(report.latent, shown.latent, true);
  add(report.root_causes, shown.root_causes, false);
  if (!wanted.empty()) add(report.latent, shown.latent, true);
  if (!wanted.empty() && plan.repairs.empty()) return NotDiagnosed(report, wanted);

  std::set<std::string> decided;
  for (Repair& repair : plan.repairs) {
    std::set<std::string> here;
    for (const rules::Action& action : repair.actions) {
      for (std::string& thing : Decides(action)) here.insert(std::move(thing));
    }
    for (const std::string& thing : here) {
      if (!repair.by_hand.empty() || decided.count(thing) == 0) continue;
      repair.by_hand =
          absl::StrCat("the repair before it decides ",
                       absl::StartsWith(thing, "/") ? absl::StrCat("the file ", thing) : thing,
                       " too: run fix again after that one");
    }
    decided.insert(here.begin(), here.end());
  }
  while (plan.automatic < plan.repairs.size() && plan.repairs[plan.automatic].by_hand.empty()) {
    ++plan.automatic;
  }
  // From the last one: each request goes as far back as it can. What a person does is left as it
  // is: nobody knows which of it will be done.
  for (size_t next = plan.automatic; next-- > 1;) {
    for (size_t i = 0; i < next; ++i) LeaveRequestsTo(plan.repairs[next], plan.repairs[i]);
  }
  return plan;
}

}  // namespace vgpu::doctor

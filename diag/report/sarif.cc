#include "diag/report/sarif.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "diag/report/json.h"
#include "diag/report/phrases.h"
#include "diag/report/runbook.h"
#include "diag/report/shown.h"
#include "diag/report/version.h"
#include "diag/rules/catalogue.h"
#include "nlohmann/json.hpp"

namespace vgpu::report {
namespace {

using Json = nlohmann::ordered_json;

Json Message(absl::string_view text) {
  // A link is `[text](target)`: there is no other way to say that this is none.
  return Json{{"text", absl::StrReplaceAll(text, {{"{", "{{"}, {"}", "}}"}, {"](", "] ("}})}};
}

Json Location(const rules::Evidence& evidence) {
  Json location;
  if (absl::StartsWith(evidence.source, "/")) {
    Json physical = {{"artifactLocation", {{"uri", FileUri(evidence.source)}}}};
    if (evidence.line > 0) {
      physical["region"] = {{"startLine", evidence.line}};
      // Its text is what the file holds, and no message.
      if (!evidence.quote.empty()) physical["region"]["snippet"] = {{"text", evidence.quote}};
    }
    location["physicalLocation"] = std::move(physical);
  } else {
    location["logicalLocations"] = Json::array({Json{{"fullyQualifiedName", Place(evidence)}}});
  }
  std::string text = evidence.meaning;
  if (!evidence.quote.empty()) {
    text = absl::StrCat(WithoutPeriod(evidence.meaning), text.empty() ? "" : ": ", evidence.quote);
  }
  if (!text.empty()) location["message"] = Message(text);
  return location;
}

Json Strings(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

// Results, and the rules that they refer to.
class Run {
 public:
  void Add(absl::string_view code, absl::string_view id, absl::string_view kind,
           absl::string_view level, absl::string_view text, Json more) {
    const auto [rule, added] = index_.try_emplace(std::string(code), rules_.size());
    if (added) rules_.push_back(Rule(code, id));
    Json result = {{"ruleId", std::string(code)},
                   {"ruleIndex", rule->second},
                   {"kind", std::string(kind)},
                   {"level", std::string(level)},
                   {"message", Message(text)}};
    result.update(more);
    results_.push_back(std::move(result));
  }

  void Add(const std::vector<Item>& items, absl::string_view list, absl::string_view level) {
    for (const Item& item : items) {
      std::string text(WithoutPeriod(item.title));
      Json commands = Json::array();
      for (const rules::FixStep& step : item.fix) {
        if (!step.command.empty()) commands.push_back(step.command);
      }
      for (const Json& command : commands) {
        absl::StrAppend(&text, commands.front() == command ? ". To repair it: " : "; ",
                        command.get_ref<const std::string&>());
      }
      Json more;
      for (size_t i = 0; i < item.evidence.size(); ++i)
        more[i == 0 ? "locations" : "relatedLocations"].push_back(Location(item.evidence[i]));
      more["properties"] = {
          {"list", std::string(list)},          {"confidence", ConfidenceName(item.confidence)},
          {"explains", Strings(item.explains)}, {"explainedBy", Strings(item.explained_by)},
          {"fix", std::move(commands)},         {"expect", Strings(item.expect)}};
      Add(item.code, item.id, "fail", level, text, std::move(more));
    }
  }

  Json TakeRules() { return std::move(rules_); }
  Json TakeResults() { return std::move(results_); }

 private:
  static Json Rule(absl::string_view code, absl::string_view id) {
    Json rule = {
        {"id", std::string(code)}, {"name", std::string(id)}, {"help", Message(Runbook(code))}};
    if (const rules::CatalogueEntry* entry = rules::FindCode(code); entry != nullptr) {
      rule["shortDescription"] = Message(entry->title);
      rule["properties"] = {{"kind", std::string(rules::KindName(entry->kind))},
                            {"layer", std::string(rules::LayerTitle(entry->layer()))}};
    }
    return rule;
  }

  std::map<std::string, size_t> index_;
  Json rules_ = Json::array();
  Json results_ = Json::array();
};

}  // namespace

std::string FileUri(absl::string_view path) {
  std::string uri = "file://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("/-._~!$&'()*+,;=:@", c)) {
      uri += c;
    } else {
      absl::StrAppendFormat(&uri, "%%%02X", byte);
    }
  }
  return uri;
}

std::string ToSarif(const Report& report) {
  const Report shown = Shown(report);
  Run run;
  run.Add(shown.root_causes, "root_causes", "error");
  run.Add(shown.consequences, "consequences", "note");
  run.Add(shown.latent, "latent", "warning");
  run.Add(shown.notes, "notes", "note");
  for (const RuledOut& out : shown.ruled_out)
    run.Add(out.code, out.id, "pass", "none", out.because, Json::object());

  const std::string see_it = absl::StrCat(". To see it", OnItsHost(shown), ": ");
  Json not_observed = Json::array();
  for (const NotSeen& not_seen : shown.not_observed) {
    not_observed.push_back(Json{
        {"level", "note"},
        {"message",
         Message(absl::StrCat("Not observed: ", not_seen.what, not_seen.why.empty() ? "" : ": ",
                              not_seen.why, not_seen.how.empty() ? "" : see_it, not_seen.how))}});
  }
  Json invocation = {{"executionSuccessful", true}, {"exitCode", ExitCode(shown.verdict)}};
  if (shown.host.hostname.present()) invocation["machine"] = *shown.host.hostname;
  invocation["toolExecutionNotifications"] = std::move(not_observed);

  Json judged = Json::object();
  for (const auto& [label, text] : WhoWasJudged(shown)) judged[absl::AsciiStrToLower(label)] = text;
  const Json log = {
      {"$schema",
       "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
       "sarif-schema-2.1.0.json"},
      {"version", "2.1.0"},
      {"runs", Json::array({Json{{"tool",
                                  {{"driver",
                                    {{"name", "vgpu-doctor"},
                                     {"semanticVersion", kToolVersion},
                                     {"rules", run.TakeRules()}}}}},
                                 {"invocations", Json::array({std::move(invocation)})},
                                 {"results", run.TakeResults()},
                                 {"properties",
                                  {{"verdict", VerdictName(shown.verdict)},
                                   {"headline", shown.headline},
                                   {"judged", std::move(judged)},
                                   {"skipped", Strings(shown.skipped)}}}}})}};
  return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vgpu::report

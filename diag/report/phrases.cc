#include "diag/report/phrases.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/report/json.h"
#include "diag/report/version.h"
#include "diag/rules/catalogue.h"
#include "re2/re2.h"

namespace vgpu::report {
namespace {

// The value, or that there is none, or why nobody knows.
std::string Say(const host::Observed<std::string>& text, absl::string_view absent) {
  if (text.present()) return *text;
  if (text.absent()) return std::string(absent);
  return absl::StrCat("not observed (", text.why_not(), ")");
}

std::string SayProcess(const host::Observed<int>& pid) {
  if (pid.present()) return absl::StrCat("process ", *pid);
  if (pid.absent()) return "no process runs";
  return absl::StrCat("process not observed (", pid.why_not(), ")");
}

// The word of the JSON form says how it is read; people have what somebody gave them. What was
// never captured has no time: the disk of a host that does not run.
std::string SaySource(const HostLine& host) {
  if (host.source != "tree") return host.source;
  return host.observed_at.present() ? "capture" : "files of a host";
}

}  // namespace

std::string Place(const rules::Evidence& evidence) {
  return evidence.line > 0 ? absl::StrCat(evidence.source, ", line ", evidence.line)
                           : evidence.source;
}

absl::string_view WithoutPeriod(absl::string_view sentence) {
  absl::ConsumeSuffix(&sentence, ".");
  return sentence;
}

bool IsCommand(absl::string_view text) {
  // Words that no sentence of ours begins with.
  constexpr absl::string_view kPrograms[] = {
      "cat",         "curl",     "dmesg",      "docker",    "findmnt",
      "getcap",      "grep",     "journalctl", "ldconfig",  "ldd",
      "ls",          "lsmod",    "lspci",      "namei",     "nm",
      "nvidia-smi",  "objdump",  "ps",         "readelf",   "readlink",
      "stat",        "sudo",     "sudoedit",   "systemctl", "systemd-analyze",
      "vgpu-doctor", "vgpu-run",
  };
  // A command, and what else there is to do.
  if (absl::StrContains(text, ", ")) return false;
  if (absl::StartsWith(text, "find /")) return true;
  static const LazyRE2 kVariable = {"[A-Z_]+=[^ ]* "};
  re2::StringPiece rest(text.data(), text.size());
  while (RE2::Consume(&rest, *kVariable)) {
  }
  absl::string_view word(rest.data(), rest.size());
  word = word.substr(0, word.find(' '));
  return std::find(std::begin(kPrograms), std::end(kPrograms), word) != std::end(kPrograms);
}

const Item* FindItem(absl::string_view code, const Report& report) {
  for (const auto* items :
       {&report.root_causes, &report.consequences, &report.latent, &report.notes}) {
    for (const Item& item : *items) {
      if (item.code == code) return &item;
    }
  }
  return nullptr;
}

std::string Named(absl::string_view code, const Report& report) {
  const Item* item = FindItem(code, report);
  return item == nullptr ? std::string(code) : absl::StrCat(code, " ", item->id);
}

int LayerOf(absl::string_view code) {
  const rules::CatalogueEntry* entry = rules::FindCode(code);
  return entry == nullptr ? 0 : entry->layer();
}

std::string RuledOutGroup::Names() const {
  return absl::StrJoin(causes, ", ", [this](std::string* out, const RuledOut* cause) {
    absl::StrAppend(out, cause == causes.front() ? "" : absl::StrCat(cause->code, " "), cause->id);
  });
}

std::vector<RuledOutGroup> GroupRuledOut(const Report& report) {
  std::vector<RuledOutGroup> groups;
  std::map<absl::string_view, size_t> by_reason;
  for (const RuledOut& out : report.ruled_out) {
    const auto [group, added] = by_reason.try_emplace(out.because, groups.size());
    if (added) groups.push_back({.because = out.because, .causes = {}});
    groups[group->second].causes.push_back(&out);
  }
  return groups;
}

std::string Title(const Report& report) {
  std::string title = absl::AsciiStrToUpper(VerdictName(report.verdict));
  absl::string_view lead = ": ";
  for (const Item& cause : report.root_causes) {
    absl::StrAppend(&title, lead, cause.code, " ", cause.id);
    lead = ", ";
  }
  return title;
}

std::string OnItsHost(const Report& report) {
  if (report.host.source == "live") return "";
  const std::string name = report.host.hostname.value_or("");
  return absl::StrCat(" on ", name.empty() ? "the host itself" : name);
}

std::vector<std::pair<std::string, std::string>> WhoWasJudged(const Report& report) {
  const Subject& subject = report.subject;
  const host::Observed<std::string> time = report.host.observed_at.Map(
      [&](absl::Time observed_at) { return Rfc3339(observed_at, report.time_zone); });
  return {{"Host", Say(report.host.hostname, "without a name")},
          {"Time", Say(time, "none")},
          {"Service", absl::StrCat(subject.unit.empty() ? "no unit is judged" : subject.unit, ", ",
                                   SayProcess(subject.pid))},
          {"Ollama",
           absl::StrCat("version ", Say(subject.ollama_version, "none"), ", era ", subject.era,
                        subject.era_because.empty() ? "" : ": ", subject.era_because)},
          {"Source", absl::StrCat(SaySource(report.host), ", read by vgpu-doctor ", kToolVersion)}};
}

}  // namespace vgpu::report

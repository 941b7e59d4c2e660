#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "diag/facts/gather_parts.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// How far before the start of the process a live journal is read: the starts before it,
// and the crashes that led to it.
constexpr absl::Duration kHistory = absl::Hours(24);
constexpr absl::Duration kHistoryWithoutProcess = absl::Hours(24 * 7);

// "append:/var/log/x", "file:/var/log/x", "truncate:/var/log/x": the path.
Observed<std::string> RedirectedTo(absl::string_view standard_error) {
  for (absl::string_view how : {"append:", "file:", "truncate:"}) {
    absl::string_view path = standard_error;
    if (absl::ConsumePrefix(&path, how)) return std::string(path);
  }
  return Absent{};
}

// The journal takes these too (systemd.exec(5), systemd 252).
bool ReachesJournal(absl::string_view target) {
  return absl::StartsWith(target, "journal") || absl::StartsWith(target, "kmsg") ||
         absl::StartsWith(target, "syslog") || target == "inherit";
}

// journalctl ends well and prints nothing to a user who can read a journal of their own
// and not the system's (measured, systemd 252).
bool MaySeeNothing(const host::Host& host) {
  return host.kind() == host::Host::Kind::kLive && host.observer_uid().value_or(0) != 0;
}

}  // namespace

LogFacts GatherLog(const host::Host& host, const UnitFacts& unit,
                   const host::Observed<ProcessFacts>& process, const GatherOptions& options) {
  const std::optional<absl::Time>& since = options.since;
  LogFacts log;
  host::ToolQuery query{.tool = host::Tool::kJournalUnit, .unit = unit.name};
  if (host.kind() == host::Host::Kind::kLive) {
    query.since = process.present() && process->started.present()
                      ? *process->started - kHistory
                      : host.observed_at().value_or(absl::Now()) - kHistoryWithoutProcess;
  }
  // A capture knows since when a check reads it, and leaves out nothing where a time is named.
  if (host.kind() == host::Host::Kind::kTree && options.whole_journal) {
    query.since = absl::UnixEpoch();
  }
  if (since) query.since = *since;
  log.journal.source = host::ToolSource(query);
  Observed<std::unique_ptr<host::ByteSource>> stream = host.StreamTool(query);
  if (stream.present()) {
    absl::StatusOr<ollama::DiscoveryLog> read =
        ollama::ReadJournal(**stream, log.journal.source, since.value_or(absl::InfinitePast()));
    if (read.ok() && read->lines == 0 && !read->status.ok()) {
      log.journal = {log.journal.source, NotObserved{std::string(read->status.message())}};
    } else if (read.ok() && read->lines == 0 && MaySeeNothing(host)) {
      log.journal = {
          log.journal.source,
          NotObserved{absl::StrCat("journalctl shows no entry to user ", *host.observer_uid(),
                                   ", who may not see the system's journal (root and "
                                   "members of systemd-journal or adm do)")}};
    } else if (read.ok()) {
      log.journal = {log.journal.source, *std::move(read)};
    } else {
      log.journal = {log.journal.source, NotObserved{std::string(read.status().message())}};
    }
  } else {
    log.journal = {log.journal.source, NotObserved{std::string(stream.why_not())}};
  }

  log.standard_error = {unit.loaded.source, NotObserved{"not shown"}};
  if (unit.loaded.present()) {
    log.standard_error = {unit.loaded.source, unit.loaded->Get("StandardError")};
  }
  // `systemctl show` prints "append" without the path (systemd 252, dbus-execute.c: the
  // kind of output only): the text of the unit has it.
  if (const systemd::Setting* setting = unit.on_disk.Last("Service", "StandardError")) {
    absl::string_view kind = absl::string_view(setting->value).substr(0, setting->value.find(':'));
    if (!log.standard_error.present() || *log.standard_error == kind ||
        *log.standard_error == setting->value) {
      log.standard_error = {setting->place.file, setting->value};
      log.standard_error_line = setting->place.line;
    }
  }
  // "inherit" is what standard output has.
  std::string target = log.standard_error.value_or("inherit");
  if (target == "inherit") {
    const systemd::Setting* output = unit.on_disk.Last("Service", "StandardOutput");
    target = output != nullptr ? output->value : "journal";
  }
  Observed<std::string> file = RedirectedTo(target);
  log.redirected = {file.value_or(""), Absent{}};
  if (target == "null") {
    log.redirected = {"/dev/null", NotObserved{"the service's standard error goes to /dev/null"}};
  } else if (!file.present() && !ReachesJournal(target)) {
    log.redirected = {target, NotObserved{absl::StrCat("the service's standard error goes to ",
                                                       target, ", which keeps no log")}};
  }
  if (file.present()) {
    Observed<std::unique_ptr<host::ByteSource>> text =
        host.Open(*file, process.present() ? process->root : "");
    if (text.present()) {
      log.redirected = {*file, ollama::ReadTextLog(**text, *file, host.time_zone(),
                                                   since.value_or(absl::InfinitePast()))};
    } else {
      log.redirected = {*file, NotObserved{text.absent() ? "the file is not there"
                                                         : std::string(text.why_not())}};
    }
  }
  return log;
}

LogFacts GatherLogOf(const host::Host& host, const ProcessFacts& process,
                     std::optional<absl::Time> since) {
  const std::string fd = absl::StrCat("/proc/", process.pid, "/fd/2");
  LogFacts log;
  log.journal = {fd, NotObserved{"the process is in no service: no unit has its log"}};
  log.standard_error = {fd, host.ReadLink(fd)};
  if (!log.standard_error.present()) {
    log.redirected = {
        fd, NotObserved{log.standard_error.absent() ? "not captured"
                                                    : std::string(log.standard_error.why_not())}};
    return log;
  }
  const std::string& target = *log.standard_error;
  log.redirected = {fd, NotObserved{absl::StrCat("standard error of the process is ", target)}};
  if (!absl::StartsWith(target, "/")) return log;
  Observed<std::unique_ptr<host::ByteSource>> text = host.Open(target, process.root);
  if (text.present()) {
    log.redirected = {target, ollama::ReadTextLog(**text, target, host.time_zone(),
                                                  since.value_or(absl::InfinitePast()))};
  }
  return log;
}

}  // namespace vgpu::facts

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

}  // namespace

LogFacts GatherLog(const host::Host& host, const UnitFacts& unit,
                   const host::Observed<ProcessFacts>& process) {
  LogFacts log;
  host::ToolQuery query{.tool = host::Tool::kJournalUnit, .unit = unit.name};
  if (host.kind() == host::Host::Kind::kLive) {
    query.since = process.present() && process->started.present()
                      ? *process->started - kHistory
                      : host.observed_at().value_or(absl::Now()) - kHistoryWithoutProcess;
  }
  log.journal.source = host::ToolSource(query);
  Observed<std::unique_ptr<host::ByteSource>> stream = host.StreamTool(query);
  if (stream.present()) {
    absl::StatusOr<ollama::DiscoveryLog> read =
        ollama::ReadJournal(**stream, log.journal.source);
    if (read.ok()) {
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
  }
  if (file.present()) {
    Observed<std::unique_ptr<host::ByteSource>> text =
        host.Open(*file, process.present() ? process->root : "");
    if (text.present()) {
      log.redirected = {*file, ollama::ReadTextLog(**text, *file, host.time_zone())};
    } else {
      log.redirected = {*file, NotObserved{text.absent() ? "the file is not there"
                                                         : std::string(text.why_not())}};
    }
  }
  return log;
}

}  // namespace vgpu::facts

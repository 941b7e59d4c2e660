#include "diag/ollama/discovery_log.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "diag/journal/journal_reader.h"
#include "diag/journal/pasted_log.h"
#include "diag/logfmt/slog.h"
#include "diag/logfmt/text_log_reader.h"

namespace vgpu::ollama {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// One line, from a journal or from a text, before it is known what it says.
struct Said {
  std::string invocation;
  std::optional<int> pid;
  bool by_systemd = false;
  bool speaker_known = false;  // a journal names who wrote it; a text does not
  uint64_t number = 0;
  Observed<absl::Time> time;
  std::string text;
};

std::vector<absl::string_view> Needles() {
  std::vector<absl::string_view> needles;
  for (const Message& message : Messages()) needles.push_back(message.text);
  return needles;
}

// All that a line says: one event of the server's own or of systemd, and what a child is
// heard to say in it (a record quotes its last words; a raw line is its own).
std::vector<Event> Classify(const Said& said, const std::optional<logfmt::SlogLine>& slog) {
  std::vector<Event> events;
  auto add = [&](Event event) {
    if (std::find(events.begin(), events.end(), event) == events.end()) events.push_back(event);
  };
  const std::string words = slog ? QuotedWords(*slog) : said.text;
  bool spoken = false;  // the server's own message, or systemd's, is known
  for (const Message& message : Messages()) {
    switch (message.speaker) {
      case Speaker::kSystemd: {
        // In a text, "Started " is too weak a word to be taken for systemd's.
        const bool weak =
            message.event == Event::kUnitStarted || message.event == Event::kUnitStopped;
        if (spoken || slog || (said.speaker_known ? !said.by_systemd : weak)) break;
        if (absl::StrContains(said.text, message.text)) {
          add(message.event);
          spoken = true;
        }
        break;
      }
      case Speaker::kOllama:
        // Ollama's messages stand in records; a raw line that holds the words is a quote.
        if (spoken || !slog || said.by_systemd) break;
        if (absl::StrContains(slog->msg, message.text)) {
          add(message.event);
          spoken = true;
        }
        break;
      case Speaker::kRecord:
        if (slog && !said.by_systemd && absl::StrContains(said.text, message.text)) {
          add(message.event);
        }
        break;
      case Speaker::kShim:
        if (!said.by_systemd && absl::StrContains(said.text, "lib=libvgpu-") &&
            absl::StrContains(said.text, message.text)) {
          add(message.event);
        }
        break;
      case Speaker::kChild:
      case Speaker::kLoader:
        if (!said.by_systemd && absl::StrContains(words, message.text)) add(message.event);
        break;
    }
  }
  // What the server says of a failure may hold CUDA's code too.
  const bool may_hold_code = std::any_of(events.begin(), events.end(), [](Event event) {
    return event == Event::kNoDevice || event == Event::kFailure || event == Event::kChildEnded ||
           event == Event::kRunnerDied;
  });
  if (may_hold_code) add(Event::kCudaError);
  std::erase(events, Event::kNone);
  return events;
}

class Builder {
 public:
  Builder(DiscoveryLog log, absl::TimeZone time_zone, absl::Time since)
      : log_(std::move(log)), time_zone_(time_zone), since_(since) {}

  void Add(Said said) {
    std::optional<logfmt::SlogLine> slog = logfmt::ParseSlog(said.text);
    if (slog && !said.time.present()) {
      if (slog->time.present()) said.time = *slog->time;
      if (slog->wall_time) said.time = absl::FromCivil(*slog->wall_time, time_zone_);
    }
    // A line without a time belongs to what stands around it.
    if (said.time.present()) begun_ = *said.time >= since_;
    if (!begun_) return;
    // Two writers and one lost newline: raw words in front of a record, or another behind.
    if (slog && !slog->before.empty()) AddPart(said, slog->before);
    for (Event event : Classify(said, slog)) Add(said, event, slog);
    if (slog && !slog->after.empty()) AddPart(said, slog->after);
  }

  DiscoveryLog Finish() && { return std::move(log_); }

 private:
  void AddPart(const Said& whole, const std::string& text) {
    if (text.size() >= whole.text.size()) return;
    Said part = whole;
    part.text = text;
    Add(std::move(part));
  }

  void Add(const Said& said, Event event, const std::optional<logfmt::SlogLine>& slog) {
    LogLine line{event, said.number, said.time, said.text.substr(0, kMaxText)};
    if (event == Event::kUnitProblem) {
      if (log_.unit_problems.size() >= kMaxExits) {
        log_.unit_problems.erase(log_.unit_problems.begin());
      }
      log_.unit_problems.push_back(std::move(line));
      return;
    }
    if (event == Event::kUnitRestart) {
      if (log_.restarts.size() >= kMaxExits) log_.restarts.erase(log_.restarts.begin());
      log_.restarts.push_back(std::move(line));
      return;
    }
    ServerStart& start = StartFor(said, event);
    TakeLine(event, std::move(line), slog ? &*slog : nullptr, start);
    if (event == Event::kUnitExited) {
      ++log_.exits_seen;
      if (log_.exits.size() >= kMaxExits) log_.exits.erase(log_.exits.begin());
      log_.exits.push_back(*start.exit);
    }
  }

  ServerStart& StartFor(const Said& said, Event event) {
    if (!said.invocation.empty()) {
      for (auto it = log_.starts.rbegin(); it != log_.starts.rend(); ++it) {
        if (it->invocation == said.invocation) return Meet(*it, said);
      }
      return New(said);
    }
    // Without an invocation, a start ends where the next one's first line stands. What
    // the loader says comes before any line of the server.
    if (log_.starts.empty()) return New(said);
    ServerStart& last = log_.starts.back();
    const bool other_pid =
        said.pid && last.pid.present() && *last.pid != *said.pid && !said.by_systemd;
    const bool first_line = event == Event::kServerConfig || event == Event::kUnitStarted ||
                            (event == Event::kListening && last.listening);
    const bool fresh = !last.server_config && !last.listening && last.results.empty();
    if ((first_line && !fresh) || (event == Event::kServerConfig && other_pid && !fresh) ||
        (event == Event::kLoaderError && !last.results.empty() && other_pid)) {
      return New(said);
    }
    return Meet(last, said);
  }

  ServerStart& Meet(ServerStart& start, const Said& said) {
    if (said.pid && !said.by_systemd && !start.pid.present()) start.pid = *said.pid;
    if (!start.first_seen.present()) start.first_seen = said.time;
    return start;
  }

  ServerStart& New(const Said& said) {
    ++log_.starts_seen;
    if (log_.starts.size() >= kMaxStarts) log_.starts.erase(log_.starts.begin());
    ServerStart start;
    start.invocation = said.invocation;
    log_.starts.push_back(std::move(start));
    return Meet(log_.starts.back(), said);
  }

  DiscoveryLog log_;
  absl::TimeZone time_zone_;
  absl::Time since_;
  bool begun_ = since_ == absl::InfinitePast();
};

// "ollama.service: Main process exited, …", or a path as of its drop-in
// ("/etc/systemd/system/ollama.service.d/vgpu.conf:2: …"): of which service systemd speaks.
std::string ServiceOf(absl::string_view text) {
  const size_t suffix = text.find(".service");
  if (suffix == absl::string_view::npos) return "";
  const size_t before = text.substr(0, suffix).find_last_of(" /");
  const size_t begin = before == absl::string_view::npos ? 0 : before + 1;
  return std::string(text.substr(begin, suffix + 8 - begin));
}

}  // namespace

const ServerStart* DiscoveryLog::StartOf(const Process& process) const {
  auto in_time = [&](const ServerStart& start) {
    if (!process.started.present() || !start.first_seen.present()) return true;
    // The start of a process is known to the second of btime, and a clock step moves it.
    return *start.first_seen >= *process.started - absl::Seconds(5);
  };
  if (!process.invocation.empty()) {
    for (auto it = starts.rbegin(); it != starts.rend(); ++it) {
      if (it->invocation == process.invocation) return &*it;
    }
  }
  if (process.pid.present()) {
    for (auto it = starts.rbegin(); it != starts.rend(); ++it) {
      if (it->pid.present() && *it->pid == *process.pid && in_time(*it)) return &*it;
    }
  }
  if (starts.empty()) return nullptr;
  const ServerStart& last = starts.back();
  const bool anonymous = last.invocation.empty() && !last.pid.present();
  return anonymous && in_time(last) ? &last : nullptr;
}

absl::StatusOr<DiscoveryLog> ReadJournal(host::ByteSource& source, std::string name,
                                         absl::Time since) {
  // Made once: that takes longer than to read the journal of a captured host.
  static const absl::StatusOr<journal::JournalReader>& reader =
      *new absl::StatusOr<journal::JournalReader>(journal::JournalReader::Create(Needles()));
  if (!reader.ok()) return reader.status();
  DiscoveryLog log;
  log.source = std::move(name);
  log.is_journal = true;
  Builder builder(std::move(log), absl::UTCTimeZone(), since);
  absl::StatusOr<journal::JournalSummary> summary =
      reader->Read(source, [&](const journal::JournalEntry& entry, uint64_t number) {
        if (!entry.message.present()) return;
        Said said;
        said.number = number;
        said.time = entry.realtime;
        said.text = *entry.message;
        said.speaker_known = true;
        // The manager's own entries are about a unit (UNIT=); a service's are from one.
        said.by_systemd = !entry.unit.empty() || entry.pid == 1;
        said.invocation = !entry.invocation.empty() ? entry.invocation : entry.systemd_invocation;
        if (entry.pid) said.pid = static_cast<int>(*entry.pid);
        builder.Add(std::move(said));
      });
  if (!summary.ok()) return summary.status();
  log = std::move(builder).Finish();
  log.status = summary->status;
  log.lines = summary->lines;
  log.malformed = summary->malformed;
  auto time_of = [](const journal::JournalMoment& moment) { return moment.time; };
  log.first = summary->first.Map(time_of);
  log.last = summary->last.Map(time_of);
  return log;
}

DiscoveryLog ReadTextLog(host::ByteSource& source, std::string name, absl::TimeZone time_zone,
                         absl::Time since) {
  DiscoveryLog log;
  log.source = std::move(name);
  static const absl::StatusOr<logfmt::TextLogReader>& reader =
      *new absl::StatusOr<logfmt::TextLogReader>(logfmt::TextLogReader::Create(Needles()));
  if (!reader.ok()) {
    log.status = reader.status();
    return log;
  }
  Builder builder(std::move(log), time_zone, since);
  logfmt::ScanSummary summary = reader->Read(source, [&](absl::string_view text, uint64_t number) {
    Said said;
    said.number = number;
    said.time = NotObserved{"the line does not say"};
    said.text = std::string(text);
    builder.Add(std::move(said));
  });
  log = std::move(builder).Finish();
  log.status = summary.status;
  log.lines = summary.lines;
  auto time_of = [&](const std::string& line) -> Observed<absl::Time> {
    if (summary.lines == 0) return Absent{};
    std::optional<logfmt::SlogLine> slog = logfmt::ParseSlog(line);
    if (slog && slog->time.present()) return *slog->time;
    if (slog && slog->wall_time) return absl::FromCivil(*slog->wall_time, time_zone);
    return NotObserved{"the line has no time"};
  };
  log.first = time_of(summary.first);
  log.last = time_of(summary.last);
  return log;
}

DiscoveryLog ReadPastedLog(host::ByteSource& source, std::string name, absl::TimeZone time_zone,
                           absl::Time since) {
  DiscoveryLog log;
  log.source = std::move(name);
  static const absl::StatusOr<logfmt::NeedleSet>& needles =
      *new absl::StatusOr<logfmt::NeedleSet>(logfmt::NeedleSet::Create(Needles()));
  if (!needles.ok()) {
    log.status = needles.status();
    return log;
  }
  Builder builder(std::move(log), time_zone, since);
  Observed<absl::Time> first = Absent{};
  Observed<absl::Time> last = Absent{};
  std::string unit;
  journal::PastedSummary summary =
      journal::ReadPastedLog(source, [&](const journal::PastedLine& line) {
        if (first.absent()) first = line.time;
        last = line.time;
        if (!needles->Find(line.text)) return;
        Said said;
        said.by_systemd = line.identifier == "systemd";
        if (said.by_systemd) {
          // A whole machine's journal tells of other services too.
          const std::string service = ServiceOf(line.text);
          if (unit.empty()) unit = service;
          if (service != unit && !absl::StrContains(service, "ollama")) return;
          if (!absl::StrContains(unit, "ollama")) unit = service;
        }
        said.number = line.number;
        said.time = line.time;
        said.text = line.text;
        said.speaker_known = !line.identifier.empty();
        said.invocation = line.invocation;
        said.pid = line.pid;
        builder.Add(std::move(said));
      });
  log = std::move(builder).Finish();
  log.is_journal = summary.journal;
  log.status = summary.status;
  log.lines = summary.lines;
  log.unit = std::move(unit);
  log.first = first;
  log.last = last;
  // Lines without a prefix tell their time in their records.
  if (!log.starts.empty()) {
    if (!log.first.present()) log.first = log.starts.front().first_seen;
    if (!log.last.present()) log.last = log.starts.back().first_seen;
  }
  return log;
}

}  // namespace vgpu::ollama

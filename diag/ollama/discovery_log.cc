#include "diag/ollama/discovery_log.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "diag/journal/journal_reader.h"
#include "diag/logfmt/slog.h"
#include "diag/logfmt/text_log_reader.h"
#include "re2/re2.h"

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

Event Classify(const Said& said, const std::optional<logfmt::SlogLine>& slog) {
  for (const Message& message : Messages()) {
    if (message.speaker == Speaker::kSystemd) {
      if (!said.by_systemd && said.speaker_known) continue;
      // In a text, "Started " is too weak a word to be taken for systemd's.
      if (!said.speaker_known &&
          (message.event == Event::kUnitStarted || message.event == Event::kUnitStopped)) {
        continue;
      }
      if (slog) continue;
    } else if (said.by_systemd) {
      continue;
    }
    if (message.speaker == Speaker::kLoader && slog) continue;
    // Ollama's messages stand in records; a raw line that holds the words is a quote.
    if (message.speaker == Speaker::kOllama && !slog) continue;
    absl::string_view where = slog ? absl::string_view(slog->msg) : absl::string_view(said.text);
    if (absl::StrContains(where, message.text)) return message.event;
  }
  return Event::kNone;
}

std::string ValueOf(const logfmt::SlogLine& slog, absl::string_view key) {
  const std::string* value = slog.Find(key);
  return value == nullptr ? "" : *value;
}

void Keep(std::vector<LogLine>& lines, LogLine line) {
  // The latest count most: the first is kept as an example, then the oldest give way.
  if (lines.size() >= kMaxLines) lines.erase(lines.begin() + 1);
  lines.push_back(std::move(line));
}

class Builder {
 public:
  explicit Builder(DiscoveryLog log, absl::TimeZone time_zone)
      : log_(std::move(log)), time_zone_(time_zone) {}

  void Add(Said said) {
    std::optional<logfmt::SlogLine> slog = logfmt::ParseSlog(said.text);
    const Event event = Classify(said, slog);
    if (event == Event::kNone) return;
    if (slog && !said.time.present()) {
      if (slog->time.present()) said.time = *slog->time;
      if (slog->wall_time) said.time = absl::FromCivil(*slog->wall_time, time_zone_);
    }
    LogLine line{event, said.number, said.time, said.text.substr(0, kMaxText)};
    if (event == Event::kUnitRestart) {
      if (log_.restarts.size() >= kMaxExits) log_.restarts.erase(log_.restarts.begin());
      log_.restarts.push_back(std::move(line));
      return;
    }
    ServerStart& start = StartFor(said, event);
    Take(start, event, std::move(line), slog);
  }

  DiscoveryLog Finish() && { return std::move(log_); }

 private:
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

  void Take(ServerStart& start, Event event, LogLine line,
            const std::optional<logfmt::SlogLine>& slog) {
    switch (event) {
      case Event::kServerConfig:
        if (auto env = logfmt::ParseGoMap(ValueOf(*slog, "env")); env.ok()) {
          start.config_env = *std::move(env);
        }
        start.server_config = std::move(line);
        break;
      case Event::kListening: {
        static const RE2& version = *new RE2(R"(\(version ([^)\s]+)\))");
        RE2::PartialMatch(slog->msg, version, &start.version);
        start.listening = std::move(line);
        break;
      }
      case Event::kDiscoveryBegan:
        start.began = std::move(line);
        break;
      case Event::kPass: {
        if (start.passes.size() >= kMaxLines) break;
        Pass pass;
        auto duration = logfmt::ParseGoDuration(ValueOf(*slog, "duration"));
        if (duration.ok()) {
          pass.duration = *duration;
        } else {
          pass.duration = NotObserved{std::string(duration.status().message())};
        }
        std::string dirs = ValueOf(*slog, "OLLAMA_LIBRARY_PATH");
        if (dirs.empty()) dirs = ValueOf(*slog, "libDirs");
        if (auto list = logfmt::ParseGoSlice(dirs); list.ok()) pass.library_dirs = *std::move(list);
        pass.second = absl::StrContains(ValueOf(*slog, "extra_envs"), "VISIBLE_DEVICES");
        pass.line = std::move(line);
        start.passes.push_back(std::move(pass));
        break;
      }
      case Event::kCount: {
        std::string count = ValueOf(*slog, "initial_count");
        if (count.empty()) count = ValueOf(*slog, "count");
        int number = 0;
        if (absl::SimpleAtoi(count, &number)) start.initial_count = number;
        start.counted = std::move(line);
        break;
      }
      case Event::kVerifying:
        Keep(start.verifying, std::move(line));
        break;
      case Event::kFiltered:
        Keep(start.filtered, std::move(line));
        break;
      case Event::kFailure:
        Keep(start.failures, std::move(line));
        break;
      case Event::kNoDevice:
        Keep(start.no_device, std::move(line));
        break;
      case Event::kOverride:
        Keep(start.overrides, std::move(line));
        break;
      case Event::kLoaderError:
        Keep(start.loader_errors, std::move(line));
        break;
      case Event::kCompute: {
        if (start.results.size() >= kMaxLines) start.results.erase(start.results.begin());
        Compute result;
        result.line = std::move(line);
        result.id = ValueOf(*slog, "id");
        result.library = ValueOf(*slog, "library");
        result.compute = ValueOf(*slog, "compute");
        result.name = ValueOf(*slog, "name");
        result.description = ValueOf(*slog, "description");
        result.pci_id = ValueOf(*slog, "pci_id");
        result.driver = ValueOf(*slog, "driver");
        result.total = ValueOf(*slog, "total");
        start.results.push_back(std::move(result));
        break;
      }
      case Event::kVram:
        start.total_vram = ValueOf(*slog, "total_vram");
        if (start.total_vram.empty()) start.total_vram = ValueOf(*slog, "total vram");
        start.vram = std::move(line);
        break;
      case Event::kUnitExited: {
        static const RE2& ended = *new RE2(R"(code=([a-z]+), status=(\S+))");
        Exit exit;
        RE2::PartialMatch(line.text, ended, &exit.code, &exit.status);
        exit.line = std::move(line);
        start.exit = exit;
        ++log_.exits_seen;
        if (log_.exits.size() >= kMaxExits) log_.exits.erase(log_.exits.begin());
        log_.exits.push_back(std::move(exit));
        break;
      }
      case Event::kUnitStarted:
      case Event::kUnitStopped:
      case Event::kUnitRestart:
      case Event::kNone:
        break;
    }
  }

  DiscoveryLog log_;
  absl::TimeZone time_zone_;
};

}  // namespace

bool Compute::on_gpu() const { return !library.empty() && library != "cpu"; }
bool Compute::on_cuda() const { return absl::EqualsIgnoreCase(library, "cuda"); }

const Compute* ServerStart::Result() const {
  if (results.empty()) return nullptr;
  // Lines of one discovery follow each other within the same second; a CPU line is
  // printed only where there is no device. So a device among the last lines decides.
  const Compute& last = results.back();
  for (auto it = results.rbegin(); it != results.rend(); ++it) {
    if (it->on_cuda() != last.on_cuda() && it->on_gpu() && last.on_gpu() && it->on_cuda()) {
      return &*it;  // CUDA beside another library (Vulkan) of the same discovery
    }
    if (it->on_gpu() != last.on_gpu()) break;
  }
  return &last;
}

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

absl::StatusOr<DiscoveryLog> ReadJournal(host::ByteSource& source, std::string name) {
  absl::StatusOr<journal::JournalReader> reader = journal::JournalReader::Create(Needles());
  if (!reader.ok()) return reader.status();
  DiscoveryLog log;
  log.source = std::move(name);
  log.is_journal = true;
  Builder builder(std::move(log), absl::UTCTimeZone());
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

DiscoveryLog ReadTextLog(host::ByteSource& source, std::string name, absl::TimeZone time_zone) {
  DiscoveryLog log;
  log.source = std::move(name);
  absl::StatusOr<logfmt::TextLogReader> reader = logfmt::TextLogReader::Create(Needles());
  if (!reader.ok()) {
    log.status = reader.status();
    return log;
  }
  Builder builder(std::move(log), time_zone);
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

}  // namespace vgpu::ollama

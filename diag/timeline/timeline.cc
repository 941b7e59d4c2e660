#include "diag/timeline/timeline.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/procfs/system.h"
#include "diag/timeline/package_log.h"

namespace vgpu::timeline {
namespace {

using facts::Facts;
using host::Observed;

// Of a log of a package manager, its end.
constexpr size_t kLogTail = size_t{2} << 20;
// Two times that are this near are one event's.
constexpr absl::Duration kSame = absl::Seconds(2);
// What happened to a file or a driver so shortly before the process was started may have raced it.
constexpr absl::Duration kBeforeStart = absl::Minutes(10);
// Packages that are installed one after the other belong together.
constexpr absl::Duration kRun = absl::Minutes(10);

// Whether the GPU was found, as one moment shows it.
struct Sign {
  absl::Time time;
  bool found = false;
  std::string event = {};
  std::string source = {};
};

class Teller {
 public:
  Teller(const host::Host* host, const Facts& facts, const TellOptions& options, Timeline& out)
      : host_(host), facts_(facts), options_(options), out_(out) {
    if (facts.process.present() && facts.process->started.present()) {
      around_start_ = *facts.process->started - kBeforeStart;
    }
  }

  void Add(const Observed<absl::Time>& time, What what, std::string event, std::string source,
           bool last_start = false) {
    if (!time.present() || *time < options_.since) return;
    out_.events.push_back({*time, what, std::move(event), std::move(source), last_start});
  }

  void FromLog();
  void FromFiles();
  void FromPackages();
  void FromKernel();
  void FromHost();
  void Finish();

 private:
  std::string LineOf(const std::string& source, const ollama::LogLine& line) const {
    return absl::StrCat(source, ", line ", line.number);
  }
  void AddSign(const std::string& source, const ollama::LogLine& line, bool found,
               std::string event, bool last_start) {
    Add(line.time, What::kDiscovery, event, LineOf(source, line), last_start);
    if (line.time.present()) {
      signs_.push_back({*line.time, found, std::move(event), LineOf(source, line)});
    }
  }
  void FromStart(const std::string& source, const ollama::ServerStart& start);
  std::set<std::string> Paths() const;
  void Mark();

  const host::Host* const host_;
  const Facts& facts_;
  const TellOptions& options_;
  Timeline& out_;
  absl::Time around_start_ = absl::InfiniteFuture();  // from here on things bear on the last start
  std::vector<Sign> signs_;
};

void Teller::FromStart(const std::string& source, const ollama::ServerStart& start) {
  const std::string who =
      start.pid.present() ? absl::StrCat(" (process ", *start.pid, ")") : std::string();
  const bool last = &start == facts_.ThisStart();
  if (start.listening) {
    Add(start.listening->time, What::kService,
        absl::StrCat("Ollama ", start.version, " was ready", who),
        LineOf(source, *start.listening));
  } else if (start.server_config) {
    // Not `first_seen`: that may be what systemd says of the start.
    Add(start.server_config->time, What::kService,
        absl::StrCat("the server said its first word", who), LineOf(source, *start.server_config));
  }
  if (start.began) {
    Add(start.began->time, What::kDiscovery, "discovery began", LineOf(source, *start.began), last);
  }
  for (const ollama::Pass& pass : start.passes) {
    Add(pass.line.time, What::kDiscovery,
        absl::StrCat(pass.second ? "a second" : "a first", " pass of discovery ended",
                     pass.duration.present()
                         ? absl::StrCat(" after ", absl::FormatDuration(*pass.duration))
                         : ""),
        LineOf(source, pass.line), last);
  }
  for (const ollama::Failure& failure : start.failures) {
    Add(failure.line.time, What::kDiscovery,
        absl::StrCat("a pass of discovery failed: ", failure.error), LineOf(source, failure.line),
        last);
  }
  for (const ollama::LogLine& line : start.loader_errors) {
    Add(line.time, What::kService, line.text, LineOf(source, line));
  }
  if (const ollama::Compute* result = start.Result(); result != nullptr) {
    // What an earlier start found says whether this one is the first to fail.
    AddSign(source, result->line, result->on_cuda(),
            absl::StrCat(last ? "discovery's result: library="
                              : "an earlier start's discovery ended: library=",
                         result->library,
                         result->description.empty() || !result->on_gpu()
                             ? ""
                             : absl::StrCat(" (", result->description, ")")),
            /*last_start=*/true);
  }
  if (const ollama::CudaError* lost = start.LostLater(); lost != nullptr) {
    AddSign(source, lost->line, false, absl::StrCat("the GPU was lost again: ", lost->line.text),
            last);
  }
}

void Teller::FromLog() {
  const facts::Fact<ollama::DiscoveryLog>& servers = facts_.log.ServersLog();
  if (servers.present()) {
    for (const ollama::ServerStart& start : servers->starts) FromStart(servers->source, start);
    Add(servers->first, What::kHost, "the log at hand begins", servers->source);
    if (servers->starts_seen > servers->starts.size()) {
      out_.not_observed.push_back(
          {absl::StrCat(servers->starts_seen - servers->starts.size(), " earlier starts"),
           "the log has more than are kept", absl::StrCat(servers->source, " --since=...")});
    }
  } else {
    out_.not_observed.push_back(
        {"what the server and systemd logged", std::string(servers.why_not()), servers.source});
  }
  if (!facts_.log.journal.present()) return;
  const ollama::DiscoveryLog& journal = *facts_.log.journal;
  for (const ollama::Exit& exit : journal.exits) {
    std::string event = absl::StrCat("the main process ended: ", exit.code, ", ", exit.status);
    // Of a crash loop, the first end and the last one.
    const bool first = &exit == &journal.exits.front();
    if (first && journal.exits.size() > 2) {
      absl::StrAppend(&event, " (the first of ", journal.exits.size(), " such ends here)");
    }
    Add(exit.line.time, What::kService, event, LineOf(journal.source, exit.line),
        first || &exit == &journal.exits.back());
    // An end without a fault is no sign: somebody stopped it.
    const bool clean = absl::StartsWith(exit.status, "0/") || absl::StartsWith(exit.status, "15/");
    if (exit.line.time.present() && !clean) {
      signs_.push_back(
          {*exit.line.time, false, std::move(event), LineOf(journal.source, exit.line)});
    }
  }
  for (const ollama::LogLine& line : journal.restarts) {
    Add(line.time, What::kService, line.text, LineOf(journal.source, line));
  }
  for (const ollama::LogLine& line : journal.unit_problems) {
    Add(line.time, What::kUnit, line.text, LineOf(journal.source, line));
  }
  if (journal.exits_seen > journal.exits.size()) {
    out_.not_observed.push_back(
        {absl::StrCat(journal.exits_seen - journal.exits.size(), " earlier ends of the process"),
         "the log has more than are kept", absl::StrCat(journal.source, " --since=...")});
  }
}

// The files that decide what is loaded, how the service starts, and what it finds.
std::set<std::string> Teller::Paths() const {
  std::set<std::string> paths = {"/etc/ld.so.preload", "/etc/ld.so.cache", "/etc/ld.so.conf",
                                 facts::kDeviceConfigFile};
  for (const facts::UnitFile& file : facts_.unit.times) paths.insert(file.path);
  for (const facts::IneffectiveText& text : facts_.unit.ineffective) paths.insert(text.path);
  for (const facts::FileFacts& file : facts_.gpu_libraries) paths.insert(file.path);
  for (const facts::FileFacts& file : facts_.program.named_objects) paths.insert(file.path);
  for (const facts::DriverLibrary& library : facts_.devices.driver_libraries) {
    paths.insert(library.path);
  }
  for (const facts::DeviceNode& node : facts_.devices.nodes) paths.insert(node.path);
  for (const facts::InstalledLibrary& library : facts_.installation.libraries) {
    paths.insert(library.path);
  }
  for (const auto* lists : {&facts_.process_preload, &facts_.unit_preload, &facts_.disk_preload}) {
    if (!lists->has_value()) continue;
    for (const facts::PreloadEntry& entry : (*lists)->entries) {
      if (entry.is_path) paths.insert(entry.file.path);
    }
  }
  paths.insert(facts_.program.file.path);
  if (facts_.ollama.exe.present()) paths.insert(*facts_.ollama.exe);
  return paths;
}

void Teller::FromFiles() {
  // Files of one directory that were touched together are one event.
  struct Touch {
    absl::Time time;
    std::string dir;
    std::string path;
    bool written = false;
    bool of_unit = false;  // it makes up the unit
  };
  std::vector<Touch> touches;
  std::set<std::string> of_unit;
  for (const facts::UnitFile& file : facts_.unit.times) {
    if (!file.mtime.present() || !of_unit.insert(file.path).second) continue;
    touches.push_back({*file.mtime, std::string(host::Dirname(file.path)), file.path, true, true});
  }
  const std::string root = facts_.process.present() ? facts_.process->root : "";
  std::set<std::string> seen;
  for (const std::string& path : host_ != nullptr ? Paths() : std::set<std::string>()) {
    if (!absl::StartsWith(path, "/")) continue;
    const bool outside = absl::StrContains(path, "/systemd/") || absl::StartsWith(path, "/dev/");
    const Observed<host::Resolved> found = host_->ResolveNoFollow(path, outside ? "" : root);
    if (!found.present() || !seen.insert(found->path).second) continue;
    const host::FileMeta& meta = found->meta;
    if (meta.mtime.present() && of_unit.count(path) == 0) {
      touches.push_back({*meta.mtime, std::string(host::Dirname(path)), path, true});
    }
    // A package brings its files with the times of their build; the inode has that of the arrival.
    if (meta.ctime.present() &&
        (!meta.mtime.present() || absl::AbsDuration(*meta.ctime - *meta.mtime) > kSame)) {
      touches.push_back({*meta.ctime, std::string(host::Dirname(path)), path, false});
    }
  }
  std::stable_sort(touches.begin(), touches.end(), [](const Touch& a, const Touch& b) {
    return std::tie(a.written, a.dir, a.time) < std::tie(b.written, b.dir, b.time);
  });
  for (size_t i = 0; i < touches.size();) {
    size_t end = i + 1;
    while (end < touches.size() && touches[end].written == touches[i].written &&
           touches[end].dir == touches[i].dir &&
           touches[end].time - touches[end - 1].time <= kSame) {
      ++end;
    }
    const bool one = end == i + 1;
    const bool of_last_start = touches[end - 1].time >= around_start_ ||
                               std::any_of(touches.begin() + static_cast<ptrdiff_t>(i),
                                           touches.begin() + static_cast<ptrdiff_t>(end),
                                           [](const Touch& touch) { return touch.of_unit; });
    const absl::string_view verb = touches[i].dir == "/dev" ? " made or changed"
                                   : touches[i].written
                                       ? " written"
                                       : " put there, or its owner, mode or name changed";
    const std::string what =
        one ? absl::StrCat(touches[i].path, " was")
            : absl::StrCat(end - i, " files of ", touches[i].dir, " (",
                           host::Basename(touches[i].path), " and others) were");
    Add(touches[i].time,
        absl::StrContains(touches[i].path, "/systemd/") ? What::kUnit : What::kFile,
        absl::StrCat(what, verb),
        touches[i].written ? "its modification time" : "the change time of its inode",
        of_last_start);
    i = end;
  }
}

void Teller::FromPackages() {
  using Parser = std::vector<PackageEvent> (*)(absl::string_view, absl::TimeZone);
  struct Log {
    const char* path;
    Parser parse;
  };
  constexpr Log kLogs[] = {
      {"/var/log/dpkg.log", ParseDpkgLog},
      {"/var/log/apt/history.log", ParseAptHistory},
      {"/var/log/pacman.log", ParsePacmanLog},
      {"/var/log/dnf.rpm.log",
       [](absl::string_view text, absl::TimeZone) { return ParseDnfRpmLog(text); }},
  };
  bool any = false;
  for (const Log& log : kLogs) {
    const Observed<std::unique_ptr<host::RangeSource>> source = host_->OpenRanges(log.path);
    if (source.absent()) continue;
    if (!source.present()) {
      out_.not_observed.push_back(
          {log.path, std::string(source.why_not()), absl::StrCat("sudo tail ", log.path)});
      continue;
    }
    any = true;
    const uint64_t size = (*source)->size();
    const uint64_t from = size > kLogTail ? size - kLogTail : 0;
    // A capture has its end, and knows how long it was.
    const Observed<host::Resolved> file = host_->Resolve(log.path);
    const bool cut = from > 0 || (file.present() && file->meta.size.value_or(size) > kLogTail);
    const absl::StatusOr<std::string> text = (*source)->ReadAt(from, kLogTail);
    if (!text.ok()) {
      out_.not_observed.push_back({log.path, std::string(text.status().message()), ""});
      continue;
    }
    size_t others = 0;
    absl::Time first, last;
    const auto flush = [&] {
      if (others > 0) {
        Add(first, What::kPackage,
            absl::StrCat(others, others == 1 ? " other package was" : " other packages were",
                         " installed, upgraded or removed"),
            log.path);
      }
      others = 0;
    };
    for (const PackageEvent& event : log.parse(*text, facts_.time_zone)) {
      if (event.package.empty() || BearsOnGpu(event.package)) {
        Add(event.time, What::kPackage, event.text,
            cut ? std::string(log.path) : absl::StrCat(log.path, ", line ", event.line));
        continue;
      }
      if (others > 0 && event.time - last > kRun) flush();
      if (others++ == 0) first = event.time;
      last = event.time;
    }
    flush();
  }
  if (!any && out_.not_observed.empty() && !host_->complete()) {
    out_.not_observed.push_back({"what was installed and upgraded", "no log of a package manager",
                                 "judge the running host"});
  }
}

void Teller::FromKernel() {
  const facts::Fact<facts::KernelLog>& log = facts_.kernel_log;
  if (!log.present()) {
    out_.not_observed.push_back({"what the kernel logged",
                                 log.absent() ? "there is none" : std::string(log.why_not()),
                                 "sudo dmesg"});
    return;
  }
  // Of each kind, the first and the last one since shortly before the start bear on it.
  std::map<facts::KernelEvent::Kind,
           std::pair<const facts::KernelEvent*, const facts::KernelEvent*>>
      ends;
  for (const facts::KernelEvent& event : log->events) {
    if (!event.time.present() || *event.time < around_start_) continue;
    auto& [first, last] = ends.try_emplace(event.kind, &event, &event).first->second;
    last = &event;
  }
  for (const facts::KernelEvent& event : log->events) {
    if (event.kind == facts::KernelEvent::Kind::kHypervisor) continue;
    const auto it = ends.find(event.kind);
    Add(event.time, What::kKernel, event.text, absl::StrCat(log->source, ", line ", event.number),
        it != ends.end() && (it->second.first == &event || it->second.second == &event));
  }
}

void Teller::FromHost() {
  if (host_ != nullptr) {
    const Observed<host::Content> stat = host_->Read("/proc/stat", size_t{1} << 20);
    const absl::StatusOr<absl::Time> boot =
        stat.present() ? procfs::ParseBootTime(stat->bytes) : absl::NotFoundError("");
    if (boot.ok()) {
      Add(*boot, What::kHost, "the machine was booted", "/proc/stat", *boot >= around_start_);
    }
  }
  Add(facts_.unit.reloaded_at, What::kUnit, "systemd loaded its units", facts_.unit.manager.source,
      /*last_start=*/true);
  if (facts_.process.present()) {
    Add(facts_.process->started, What::kService,
        absl::StrCat("process ", facts_.process->pid, " was started"),
        facts_.process->started.source, /*last_start=*/true);
  }
}

void Teller::Mark() {
  std::stable_sort(signs_.begin(), signs_.end(),
                   [](const Sign& a, const Sign& b) { return a.time < b.time; });
  const auto at = [&](const Sign& sign) -> std::optional<size_t> {
    for (size_t i = 0; i < out_.events.size(); ++i) {
      const Happening& event = out_.events[i];
      if (event.time == sign.time && event.source == sign.source && event.event == sign.event) {
        return i;
      }
    }
    return std::nullopt;
  };
  const Sign* worked = nullptr;
  const Sign* failed = nullptr;
  for (const Sign& sign : signs_) {
    if (sign.found) {
      worked = &sign;
      failed = nullptr;
    } else if (failed == nullptr) {
      failed = &sign;
    }
  }
  if (worked != nullptr) out_.last_worked = at(*worked);
  if (worked != nullptr && failed != nullptr) out_.stopped = at(*failed);
}

void Teller::Finish() {
  std::vector<Happening>& events = out_.events;
  std::stable_sort(events.begin(), events.end(),
                   [](const Happening& a, const Happening& b) { return a.time < b.time; });
  if (events.size() > kMaxEvents) {
    out_.left_out = events.size() - kMaxEvents;
    events.erase(events.begin(), events.begin() + static_cast<ptrdiff_t>(out_.left_out));
  }
  Mark();
}

}  // namespace

absl::string_view WhatName(What what) {
  switch (what) {
    case What::kUnit:
      return "unit";
    case What::kFile:
      return "file";
    case What::kPackage:
      return "package";
    case What::kService:
      return "service";
    case What::kDiscovery:
      return "discovery";
    case What::kKernel:
      return "kernel";
    case What::kHost:
      return "host";
  }
  return "";
}

std::string Timeline::Headline() const {
  const auto when = [&](size_t i) {
    return absl::FormatTime("%Y-%m-%d %H:%M:%S", events[i].time, time_zone);
  };
  if (stopped && last_worked) {
    const size_t between = *stopped - *last_worked - 1;
    return absl::StrCat("It stopped working between ", when(*last_worked), " and ", when(*stopped),
                        ": ", between, between == 1 ? " thing" : " things",
                        " happened in between.");
  }
  if (last_worked) {
    return absl::StrCat("The GPU was last seen to be found at ", when(*last_worked),
                        ", and nothing since shows that it was not.");
  }
  if (!since) return "Nothing at hand shows that the GPU was ever found.";
  const auto text = [&](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, time_zone);
  };
  return absl::StrCat(
      "Nothing since ", text(*since), " shows that the GPU was found.",
      started_before ? absl::StrCat(" The process was started at ", text(*started_before),
                                    ", and discovery runs at the start: --since leaves it out.")
                     : " --since leaves out what was before.");
}

Timeline Tell(const host::Host* host, const Facts& facts, const report::Report& report,
              const TellOptions& options) {
  Timeline timeline;
  timeline.host = report.host;
  timeline.unit = report.subject.unit;
  timeline.time_zone = report.time_zone;
  if (options.since != absl::InfinitePast()) {
    timeline.since = options.since;
    if (facts.process.present() && facts.process->started.present() &&
        *facts.process->started < options.since) {
      timeline.started_before = *facts.process->started;
    }
  }
  Teller teller(host, facts, options, timeline);
  teller.FromFiles();
  teller.FromHost();
  teller.FromLog();
  if (host != nullptr && options.extent == Extent::kAll) teller.FromPackages();
  teller.FromKernel();
  teller.Finish();
  return timeline;
}

std::vector<report::Event> EventsOf(const Timeline& timeline, Extent extent) {
  std::vector<report::Event> events;
  for (const Happening& event : timeline.events) {
    if (extent == Extent::kAll || event.last_start) {
      events.push_back({event.time, event.event, event.source});
    }
  }
  return events;
}

}  // namespace vgpu::timeline

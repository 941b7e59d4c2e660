// Everything that happened, in one list, each with its source; and the moment at which it stopped
// working.
//
//   Timeline timeline = Tell(&host, facts, report, {.since = from});
//   if (timeline.stopped) Say(timeline.events[*timeline.stopped]);
//   report.timeline = EventsOf(timeline, Extent::kLastStart);
//
// A report's time line comes from here as well. What facts do not hold (the times of files, the
// logs of package managers) is read here. Never fails; what could not be read is in
// `not_observed`. Values; thread-compatible.

#ifndef DIAG_TIMELINE_TIMELINE_H_
#define DIAG_TIMELINE_TIMELINE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "diag/facts/facts.h"
#include "diag/host/host.h"
#include "diag/report/report.h"
#include "diag/report/text.h"

namespace vgpu::timeline {

enum class What { kUnit, kFile, kPackage, kService, kDiscovery, kKernel, kHost };

// "unit", "file", "package", "service", "discovery", "kernel", "host".
absl::string_view WhatName(What what);

struct Happening {
  absl::Time time;
  What what = What::kHost;
  std::string event = {};
  std::string source = {};
  bool last_start = false;  // it concerns the service's last start
};

struct Timeline {
  report::HostLine host;
  std::string unit;
  absl::TimeZone time_zone;
  std::vector<Happening> events;  // by time
  // Of `events`: the last one that shows that the GPU was found, and the first one after it that
  // shows that it is not, where none shows that it was found again. What made the difference lies
  // between them, or before both.
  std::optional<size_t> last_worked;
  std::optional<size_t> stopped;
  std::vector<report::NotSeen> not_observed;
  size_t left_out = 0;  // of the oldest, where there are more than kMaxEvents
  // Where events before a time were left out as asked for: that time, and when the process was
  // started, if that was before.
  std::optional<absl::Time> since;
  std::optional<absl::Time> started_before;

  std::string Headline() const;
};

inline constexpr size_t kMaxEvents = 2000;

enum class Extent {
  kLastStart,  // what concerns the last start: the unit's files, this start and earlier results,
               // how it ended, and what happened to files, nodes and the driver since shortly
               // before
  kAll,
};

struct TellOptions {
  absl::Time since = absl::InfinitePast();
  Extent extent = Extent::kAll;  // kLastStart: what only other events need is not looked at
};

// `host` may be null: of a log alone there is no more than facts.
Timeline Tell(const host::Host* host, const facts::Facts& facts, const report::Report& report,
              const TellOptions& options = {});

// For a report.
std::vector<report::Event> EventsOf(const Timeline& timeline, Extent extent);

// The two views; text is safe to print. JSON is of the form "vgpu-doctor.timeline/1".
std::string ToJson(const Timeline& timeline);
std::string ToText(const Timeline& timeline, const report::TextStyle& style);

}  // namespace vgpu::timeline

#endif  // DIAG_TIMELINE_TIMELINE_H_

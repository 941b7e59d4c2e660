#include "tools/vgpu_doctor/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "diag/host/file_io.h"
#include "diag/report/fleet.h"
#include "diag/report/fleet_views.h"
#include "diag/report/visible.h"
#include "tools/command_line/progress.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/meant.h"
#include "tools/vgpu_doctor/output.h"
#include "tools/vgpu_doctor/path_kind.h"
#include "tools/vgpu_doctor/terminal.h"
#include "tools/vgpu_doctor/time_argument.h"

namespace vgpu::doctor {
namespace {

// More than eight wait for the disk, and each holds a host in memory.
constexpr unsigned kMostThreads = 8;

// How many names a message lists.
constexpr size_t kNamed = 5;

int Refuse(absl::string_view why) {
  fprintf(stderr, "vgpu-doctor: %s\n", report::Visible(why).c_str());
  return kUsage;
}

struct Format {
  const char* name;
  std::string (*print)(const report::Fleet&, const PrintOptions&);
};

std::string Text(const report::Fleet& fleet, const PrintOptions& options) {
  // A file is no terminal.
  return report::ToText(
      fleet, options.output == "-" ? StyleOfStandardOutput(options.no_color) : report::TextStyle{});
}

template <std::string (*ToForm)(const report::Fleet&)>
std::string Whole(const report::Fleet& fleet, const PrintOptions&) {
  return ToForm(fleet);
}

constexpr Format kFormats[] = {
    {"text", Text},
    {"json", Whole<report::ToJson>},
    {"markdown", Whole<report::ToMarkdown>},
    {"html", Whole<report::ToHtml>},
    {"prometheus", Whole<report::ToPrometheus>},
};

// The reason, and what is meant instead where that is known.
std::string WithMeant(absl::string_view why, const std::string& directory) {
  const std::string meant = MeantByEach(directory);
  return absl::StrCat(why, meant.empty() ? "" : ". ", meant);
}

// What the options ask for that a table of hosts does not have; empty where there is nothing.
std::string WhatIsNotFor(const HostOptions& options, const PrintOptions& print) {
  if (options.pid != 0) return "--pid names a process of one host, and there are several";
  if (options.probe) return "--probe is evidence of one host, and there are several";
  if (print.timeline) return "--timeline is of one host, and there are several";
  if (print.verbose) return "--verbose is of one host's report, and there are several hosts";
  if (!options.since.empty()) {
    // Else each host would say so.
    const absl::StatusOr<absl::Time> time =
        ParseTimeArgument(options.since, absl::Now(), absl::LocalTimeZone());
    if (!time.ok()) return absl::StrCat("--since ", time.status().message());
  }
  std::vector<absl::string_view> names;
  for (const Format& format : kFormats) {
    if (print.format == format.name) return "";
    names.push_back(format.name);
  }
  return absl::StrCat("--format ", print.format, " shows one host; for several there are ",
                      absl::StrJoin(names, ", "));
}

// Takes rows from several threads.
class Judge {
 public:
  Judge(const std::vector<std::string>& roots, const HostOptions& options,
        const diagnosis::Selection& selection)
      : roots_(roots), options_(options), progress_(options.progress), selection_(selection) {
    // What a line of progress says is of all of them.
    options_.progress = nullptr;
    if (progress_ != nullptr) SayCount();
  }

  // Judges one host after another, until there are no more. Any number of threads may do so.
  void Run() {
    for (size_t i; (i = next_++) < roots_.size();) {
      try {
        One(roots_[i]);
      } catch (const std::exception& error) {  // of a library: what it says is of this host alone
        Add([&] { rows_.AddFault(roots_[i], error.what()); });
      }
    }
  }

  report::Fleet Finish() && { return std::move(rows_).Finish(); }

 private:
  template <typename F>
  void Add(F add) {
    const std::lock_guard<std::mutex> lock(mutex_);
    add();
    if (progress_ != nullptr) SayCount();
  }

  void SayCount() {
    progress_->Say(absl::StrCat("judged ", rows_.size(), " of ", roots_.size(), " hosts"));
  }

  void One(const std::string& root) {
    const absl::StatusOr<std::unique_ptr<host::Host>> host = TryOpenHost(root);
    if (!host.ok()) {
      absl::string_view why = host.status().message();
      absl::ConsumePrefix(&why, absl::StrCat(root, ": "));
      Add([&] { rows_.AddUnreadable(root, why); });
      return;
    }
    const std::optional<facts::Facts> facts = GatherFacts(**host, options_);
    if (!facts) {
      Add([&] { rows_.AddUnreadable(root, "its facts could not be gathered"); });
      return;
    }
    const report::Report report = diagnosis::Diagnose(*facts, selection_);
    Add([&] { rows_.Add(root, report); });
  }

  const std::vector<std::string>& roots_;
  HostOptions options_;
  command_line::Progress* const progress_;
  const diagnosis::Selection& selection_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  report::FleetCollector rows_;
};

}  // namespace

std::optional<std::vector<std::string>> HostsIn(const std::string& directory, bool quiet) {
  const auto say = [&](absl::string_view what) {
    fprintf(stderr, "vgpu-doctor: --each %s: %s\n", report::Visible(directory).c_str(),
            report::Visible(what).c_str());
  };
  host::Fd opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.ok()) {
    say(WithMeant(host::ErrnoText(errno), directory));
    return std::nullopt;
  }
  const host::Observed<std::vector<std::string>> names = host::ListDir(std::move(opened));
  if (!names.present()) {
    say(names.why_not());
    return std::nullopt;
  }
  std::vector<std::string> roots, others;
  for (const std::string& name : *names) {
    if (absl::StartsWith(name, ".")) continue;
    std::string path = host::JoinPath(directory, name);
    if (IsHost(path, name)) {
      roots.push_back(std::move(path));
    } else {
      others.push_back(name);
    }
  }
  if (!quiet && !others.empty() && !roots.empty()) {
    const size_t more = others.size() > kNamed ? others.size() - kNamed : 0;
    if (more > 0) others.resize(kNamed);
    say(absl::StrCat(
        "neither the root of a host nor an archive, left out: ", absl::StrJoin(others, ", "),
        more > 0 ? absl::StrCat(" and ", more, " more") : ""));
  }
  if (roots.empty()) {
    say(WithMeant(
        "there is no captured host in it: no directory that is a host's root, and no archive "
        "(.tar, .tar.zst)",
        directory));
    return std::nullopt;
  }
  return roots;
}

int CheckFleet(const std::vector<std::string>& roots, const HostOptions& options,
               const diagnosis::Selection& selection, const PrintOptions& print) {
  if (const std::string why = WhatIsNotFor(options, print); !why.empty()) return Refuse(why);
  Judge judge(roots, options, selection);
  std::vector<std::thread> threads;
  const size_t wanted = std::min<size_t>(
      std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads), roots.size());
  for (size_t i = 1; i < wanted; ++i) {
    try {
      threads.emplace_back([&judge] { judge.Run(); });
    } catch (const std::system_error&) {
      break;  // no more can be had: the others do the work
    }
  }
  judge.Run();
  for (std::thread& thread : threads) thread.join();
  const report::Fleet fleet = std::move(judge).Finish();
  if (options.progress != nullptr) options.progress->Hide();
  const int verdict = report::ExitCode(fleet);
  if (print.quiet) return verdict;
  for (const Format& format : kFormats) {
    if (print.format != format.name) continue;
    const int written = WriteOutput(format.print(fleet, print), print.output);
    return written == 0 ? verdict : written;
  }
  return verdict;  // WhatIsNotFor lets no other name pass
}

}  // namespace vgpu::doctor

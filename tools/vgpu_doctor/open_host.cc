#include "tools/vgpu_doctor/open_host.h"

#include <stdio.h>
#include <sys/stat.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "diag/archive/read_archive.h"
#include "diag/facts/from_log.h"
#include "diag/host/file_io.h"
#include "diag/host/live_host.h"
#include "diag/host/tree_host.h"
#include "diag/report/visible.h"
#include "tools/vgpu_doctor/meant.h"
#include "tools/vgpu_doctor/time_argument.h"

namespace vgpu::doctor {
namespace {

void Doing(const HostOptions& options, absl::string_view what, absl::string_view of) {
  if (options.progress != nullptr && !of.empty()) options.progress->Say(absl::StrCat(what, of));
}

void Complain(const HostOptions& options, absl::string_view about, absl::string_view why) {
  if (options.progress != nullptr) options.progress->Hide();
  fprintf(stderr, "vgpu-doctor: %s%s\n", report::Visible(about).c_str(),
          report::Visible(why).c_str());
}

// False: the options' `since` is no time, and standard error says so. An empty text sets nothing.
bool ReadSince(const HostOptions& options, absl::Time now, absl::TimeZone zone,
               std::optional<absl::Time>& since) {
  if (options.since.empty()) return true;
  absl::StatusOr<absl::Time> time = ParseTimeArgument(options.since, now, zone);
  if (!time.ok()) {
    Complain(options, "--since ", time.status().message());
    return false;
  }
  since = *time;
  return true;
}

// Where there is nothing at all, the directory that is missing is the better message.
bool IsDirectory(const std::string& root) {
  struct stat st;
  return root != "-" && (stat(root.c_str(), &st) != 0 || S_ISDIR(st.st_mode));
}

absl::StatusOr<std::unique_ptr<host::TreeHost>> OpenArchive(const std::string& name) {
  absl::StatusOr<std::unique_ptr<host::ByteSource>> input = host::OpenInput(name);
  if (!input.ok()) return input.status();
  absl::StatusOr<std::unique_ptr<host::TreeFiles>> files = archive::ReadArchive(**input);
  if (!files.ok()) {
    return absl::Status(
        files.status().code(),
        absl::StrCat(name, ": is not a directory, and as an archive: ", files.status().message()));
  }
  absl::StatusOr<std::unique_ptr<host::TreeHost>> host = host::TreeHost::Over(*std::move(files));
  if (host.ok()) return host;
  return absl::Status(host.status().code(), absl::StrCat(name, host.status().message()));
}

// How far back a story goes: a check needs a day.
constexpr absl::Duration kStory = absl::Hours(24 * 30);

std::optional<facts::Facts> Gather(const host::Host& host, const HostOptions& options,
                                   facts::GatherOptions gather) {
  gather.unit = options.unit;
  gather.probe = options.probe;
  if (options.pid != 0) gather.pid = options.pid;
  if (options.progress != nullptr) {
    gather.doing = [&](absl::string_view what) { options.progress->Say(what); };
  }
  if (!ReadSince(options, host.observed_at().value_or(absl::Now()), host.time_zone(),
                 gather.since)) {
    return std::nullopt;
  }
  facts::Facts facts = facts::Gather(host, gather);
  if (gather.pid && facts.process.absent()) {
    Complain(options, absl::StrCat("--pid ", *gather.pid), ": there is no such process");
    return std::nullopt;
  }
  return facts;
}

constexpr char kRoot[] =
    "Look at DIR, a captured host or a mounted system, instead of this machine;\n"
    "DIR may be a capture's archive (.tar.zst), and - is one on standard input";

// A script's unset variable is not this machine.
std::string NamesADirectory(const std::string& dir) {
  return dir.empty() ? "names no directory" : "";
}

void AddOtherHostOptions(CLI::App& command, HostOptions& options) {
  command.add_option("--unit", options.unit, "The systemd unit to judge (default: ollama.service)")
      ->type_name("UNIT");
  command.add_option("--pid", options.pid, "Judge this process instead of the unit's main process")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22))
      ->option_text("PID");
  command
      .add_option("--since", options.since,
                  "Leave out log entries from before TIME (\"2h ago\", \"2026-02-24 10:06\")")
      ->option_text("TIME");
}

}  // namespace

void AddHostOptions(CLI::App& command, HostOptions& options) {
  command.add_option("--root", options.root, kRoot)
      ->type_name("DIR")
      ->check(NamesADirectory)
      ->option_text("DIR");
  AddOtherHostOptions(command, options);
}

void AddHostsOptions(CLI::App& command, HostOptions& options, std::vector<std::string>& roots) {
  command
      .add_option("--root", roots,
                  absl::StrCat(kRoot, ".\nSeveral of them give one table of hosts"))
      ->type_name("DIR")
      ->check(NamesADirectory)
      ->option_text("DIR...");
  AddOtherHostOptions(command, options);
}

absl::StatusOr<std::unique_ptr<host::Host>> TryOpenHost(const std::string& root) {
  if (root.empty()) return std::make_unique<host::LiveHost>();
  absl::StatusOr<std::unique_ptr<host::TreeHost>> tree =
      IsDirectory(root) ? host::TreeHost::Open(root) : OpenArchive(root);
  if (!tree.ok()) return tree.status();
  std::unique_ptr<host::Host> host = *std::move(tree);
  if (!host->running() && !host->Resolve("/etc").present() && !host->Resolve("/usr").present()) {
    return absl::InvalidArgumentError(
        absl::StrCat(root, ": is no host's root: it has neither etc/ nor usr/ nor .vgpu-capture/"));
  }
  return host;
}

std::unique_ptr<host::Host> OpenHost(const HostOptions& options) {
  Doing(options, "reading ", options.root == "-" ? "standard input" : options.root);
  absl::StatusOr<std::unique_ptr<host::Host>> host = TryOpenHost(options.root);
  if (host.ok()) return *std::move(host);
  const std::string meant = MeantByRoot(options.root);
  Complain(options, "--root ",
           absl::StrCat(host.status().message(), meant.empty() ? "" : ". ", meant));
  return nullptr;
}

std::optional<facts::Facts> GatherFacts(const HostOptions& options) {
  const std::unique_ptr<host::Host> host = OpenHost(options);
  if (host == nullptr) return std::nullopt;
  return GatherFacts(*host, options);
}

std::optional<facts::Facts> GatherFacts(const host::Host& host, const HostOptions& options) {
  return Gather(host, options, {});
}

std::optional<facts::Facts> GatherStory(const host::Host& host, const HostOptions& options) {
  facts::GatherOptions gather;
  gather.whole_journal = true;
  if (host.kind() == host::Host::Kind::kLive) {
    gather.since = host.observed_at().value_or(absl::Now()) - kStory;
  }
  return Gather(host, options, std::move(gather));
}

absl::Time SinceOf(const host::Host* host, const HostOptions& options) {
  const absl::StatusOr<absl::Time> since =
      host != nullptr ? ParseTimeArgument(options.since, host->observed_at().value_or(absl::Now()),
                                          host->time_zone())
                      : ParseTimeArgument(options.since, absl::Now(), absl::LocalTimeZone());
  return since.value_or(absl::InfinitePast());
}

std::optional<facts::Facts> GatherFactsOfLog(const std::string& name, const HostOptions& options) {
  std::optional<absl::Time> from;
  if (!ReadSince(options, absl::Now(), absl::LocalTimeZone(), from)) return std::nullopt;
  // Bytes of an archive would pass for a log with gaps.
  if (const std::string meant = MeantByLog(name); !meant.empty()) {
    Complain(options, absl::StrCat("--log ", name),
             absl::StrCat(IsDirectory(name) ? ": is a directory. " : ": is no log. ", meant));
    return std::nullopt;
  }
  absl::StatusOr<std::unique_ptr<host::ByteSource>> input = host::OpenInput(name);
  if (!input.ok()) {
    Complain(options, "--log ", input.status().message());
    return std::nullopt;
  }
  const std::string shown = name == "-" ? "standard input" : name;
  Doing(options, "reading ", shown);
  facts::Facts facts =
      facts::FromLog(**input, {.name = shown, .since = from.value_or(absl::InfinitePast())});
  if (const ollama::DiscoveryLog& log = *facts.log.journal; !log.status.ok() && log.lines == 0) {
    Complain(options, absl::StrCat("--log ", name), absl::StrCat(": ", log.status.message()));
    return std::nullopt;
  }
  return facts;
}

}  // namespace vgpu::doctor

#include "diag/host/live_host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "diag/host/file_caps.h"
#include "diag/host/file_io.h"
#include "diag/host/http_get.h"
#include "diag/host/subprocess.h"

namespace vgpu::host {
namespace {

constexpr absl::Duration kToolTime = absl::Seconds(10);
// A journal of gigabytes takes journalctl minutes to print. What did not come in this
// time is named as not observed.
constexpr absl::Duration kJournalTime = absl::Seconds(60);
constexpr absl::Duration kHttpTime = absl::Seconds(2);

// The fields that diag/journal reads. Without the list journalctl prints some thirty
// for each entry (systemd >= 236).
constexpr char kJournalFields[] =
    "--output-fields=MESSAGE,PRIORITY,_PID,_COMM,_TRANSPORT,_SYSTEMD_UNIT,UNIT,"
    "_SYSTEMD_INVOCATION_ID,INVOCATION_ID,SYSLOG_IDENTIFIER,EXIT_CODE,EXIT_STATUS,CODE_FUNC,"
    "JOB_RESULT,MESSAGE_ID,_BOOT_ID";

std::vector<std::string> Argv(const ToolQuery& query) {
  std::vector<std::string> argv;
  switch (query.tool) {
    case Tool::kSystemctlShowUnit:
      return {"systemctl", "show", "--no-pager", "--", query.unit};
    case Tool::kSystemctlShowManager:
      return {"systemctl", "show", "--no-pager"};
    case Tool::kSystemctlShowEnvironment:
      return {"systemctl", "show-environment", "--no-pager"};
    case Tool::kSystemctlListUnits:
      return {"systemctl",   "list-units",     "--all",     "--plain",
              "--no-legend", "--type=service", "--no-pager"};
    case Tool::kJournalUnit:
      argv = {"journalctl", "-u", query.unit};
      break;
    case Tool::kJournalKernel:
      argv = {"journalctl", "-k"};
      break;
    case Tool::kOllamaVersion:
    case Tool::kOllamaPs:
      return {};
  }
  argv.insert(argv.end(), {"-o", "json", "--all", "--no-pager", "--quiet", kJournalFields});
  if (query.since != absl::InfinitePast()) {
    argv.push_back(absl::StrCat("--since=@", absl::ToUnixSeconds(query.since)));
  }
  return argv;
}

Observed<std::string> CapsOf(const std::string& path) {
  char value[64];  // struct vfs_ns_cap_data has 24 bytes
  const ssize_t n = lgetxattr(path.c_str(), "security.capability", value, sizeof(value));
  if (n >= 0) return FileCapsText(absl::string_view(value, static_cast<size_t>(n)));
  // ENOTSUP: a file system that keeps none.
  if (errno == ENODATA || errno == ENOTSUP) return Absent{};
  return NotObserved{ErrnoText(errno)};
}

NotObserved WhyNot(const absl::Status& status) { return {std::string(status.message())}; }

}  // namespace

Observed<std::string> LiveHost::hostname() const {
  utsname names;
  if (uname(&names) != 0) return NotObserved{ErrnoText(errno)};
  return std::string(names.nodename);
}

Observed<absl::Time> LiveHost::observed_at() const { return absl::Now(); }

absl::TimeZone LiveHost::time_zone() const { return absl::LocalTimeZone(); }

Observed<uint32_t> LiveHost::observer_uid() const { return static_cast<uint32_t>(geteuid()); }

Observed<Content> LiveHost::RunTool(const ToolQuery& query, size_t limit) const {
  if (query.tool == Tool::kOllamaVersion || query.tool == Tool::kOllamaPs) {
    absl::StatusOr<std::string> body = HttpGet(
        query.port, query.tool == Tool::kOllamaPs ? "/api/ps" : "/api/version", limit, kHttpTime);
    if (!body.ok()) return WhyNot(body.status());
    return Content{ToolSource(query), *std::move(body), false};
  }
  const std::vector<std::string> argv = Argv(query);
  absl::StatusOr<ProcessResult> result = RunProcess(argv, limit, kToolTime);
  if (!result.ok()) return WhyNot(result.status());
  if (result->exit_status != 0 || result->signal != 0) {
    return NotObserved{absl::StrCat(argv[0], ": ", DescribeFailure(*result))};
  }
  return Content{ToolSource(query), std::move(result->out), result->truncated};
}

Observed<std::unique_ptr<ByteSource>> LiveHost::StreamTool(const ToolQuery& query) const {
  using Source = std::unique_ptr<ByteSource>;
  const std::vector<std::string> argv = Argv(query);
  if (argv.empty()) return Observed<Source>(NotObserved{"not a stream"});
  absl::StatusOr<Source> source = StreamProcess(argv, kJournalTime);
  if (!source.ok()) return Observed<Source>(WhyNot(source.status()));
  return *std::move(source);
}

Observed<FileMeta> LiveHost::RawStat(const std::string& path) const {
  struct stat st;
  if (lstat(path.c_str(), &st) != 0) return FromErrno<FileMeta>(errno);
  FileMeta meta = MetaOf(st);
  // Only what can be executed gains anything by them.
  if (meta.type == FileType::kFile && (st.st_mode & 0111) != 0) meta.caps = CapsOf(path);
  return meta;
}

Observed<std::string> LiveHost::RawReadLink(const std::string& path) const {
  char target[4097];
  ssize_t n = readlink(path.c_str(), target, sizeof(target));
  if (n < 0) return FromErrno<std::string>(errno);
  return std::string(target, static_cast<size_t>(n));
}

Observed<Content> LiveHost::RawRead(const std::string& path, size_t limit) const {
  return OpenRegular(AT_FDCWD, path.c_str()).Map([&](const Fd& fd) {
    return ReadAll(fd, path, limit);
  });
}

Observed<std::unique_ptr<ByteSource>> LiveHost::RawOpen(const std::string& path) const {
  using Source = std::unique_ptr<ByteSource>;
  Observed<Fd> fd = OpenRegular(AT_FDCWD, path.c_str());
  if (!fd.present()) return fd.Map([](const Fd&) { return Source(); });
  return StreamOf(std::move(fd).value());
}

Observed<std::unique_ptr<RangeSource>> LiveHost::RawOpenRanges(const std::string& path) const {
  using Source = std::unique_ptr<RangeSource>;
  Observed<Fd> fd = OpenRegular(AT_FDCWD, path.c_str());
  if (!fd.present()) return fd.Map([](const Fd&) { return Source(); });
  return RangesOf(std::move(fd).value());
}

Observed<std::vector<std::string>> LiveHost::RawList(const std::string& path) const {
  Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok()) return FromErrno<std::vector<std::string>>(errno);
  return ListDir(std::move(fd));
}

}  // namespace vgpu::host

#include "tools/vgpu_doctor/verify/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/procfs/environ.h"
#include "diag/procfs/stat.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

using host::ErrnoText;
using host::Fd;

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

struct NamespaceKind {
  const char* name;
  int kind;
  const char* words;
};
// In the order in which they are entered: the user namespace last, because until then the
// caller's privileges open the others (setns(2)).
constexpr NamespaceKind kNamespaces[] = {
    {"cgroup", CLONE_NEWCGROUP, "cgroup namespace"},
    {"ipc", CLONE_NEWIPC, "IPC namespace"},
    {"uts", CLONE_NEWUTS, "host name"},
    {"net", CLONE_NEWNET, "network namespace"},
    {"time", CLONE_NEWTIME, "clock namespace"},
    {"pid", CLONE_NEWPID, "PID namespace"},
    {"mnt", CLONE_NEWNS, "mount namespace"},
    {"user", CLONE_NEWUSER, "user namespace"},
};

// As /proc/PID/limits names them (fs/proc/base.c, lnames).
struct ResourceName {
  absl::string_view name;
  int resource;
};
constexpr ResourceName kResources[] = {
    {"Max cpu time", RLIMIT_CPU},
    {"Max file size", RLIMIT_FSIZE},
    {"Max data size", RLIMIT_DATA},
    {"Max stack size", RLIMIT_STACK},
    {"Max core file size", RLIMIT_CORE},
    {"Max resident set", RLIMIT_RSS},
    {"Max processes", RLIMIT_NPROC},
    {"Max open files", RLIMIT_NOFILE},
    {"Max locked memory", RLIMIT_MEMLOCK},
    {"Max address space", RLIMIT_AS},
    {"Max file locks", RLIMIT_LOCKS},
    {"Max pending signals", RLIMIT_SIGPENDING},
    {"Max msgqueue size", RLIMIT_MSGQUEUE},
    {"Max nice priority", RLIMIT_NICE},
    {"Max realtime priority", RLIMIT_RTPRIO},
};

bool LimitOf(absl::string_view word, rlim_t& value) {
  if (word == "unlimited") {
    value = RLIM_INFINITY;
    return true;
  }
  uint64_t number = 0;
  if (!absl::SimpleAtoi(word, &number)) return false;
  value = number;
  return true;
}

// A child gives its descriptors the first numbers: those of a place are kept away from them.
Fd OpenHigh(const std::string& path, int flags) {
  const Fd low(open(path.c_str(), flags | O_CLOEXEC));
  return Fd(low.ok() ? fcntl(low.get(), F_DUPFD_CLOEXEC, 16) : -1);
}

absl::Status Failed(absl::string_view what, int error) {
  const std::string text = absl::StrCat(what, ": ", ErrnoText(error));
  return error == EACCES || error == EPERM ? absl::PermissionDeniedError(text)
                                           : absl::UnavailableError(text);
}

// A file below /proc, whole. It has no size.
constexpr size_t kProcLimit = size_t{8} << 20;
absl::StatusOr<std::string> ReadProc(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return Failed(path, errno);
  std::string text;
  char buffer[4096];
  while (text.size() < kProcLimit) {
    const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed(path, errno);
    if (n == 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

std::string LinkOf(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t n = readlink(path.c_str(), target, sizeof(target));
  return n < 0 ? "" : std::string(target, static_cast<size_t>(n));
}

// The words behind a name of /proc/PID/status.
std::vector<std::string> Field(absl::string_view status, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, ":")) {
      return absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    }
  }
  return {};
}

uint64_t Hex(absl::string_view status, absl::string_view name) {
  const std::vector<std::string> words = Field(status, name);
  uint64_t value = 0;
  return !words.empty() && absl::SimpleHexAtoi(words[0], &value) ? value : 0;
}

int Decimal(absl::string_view status, absl::string_view name, int fallback) {
  const std::vector<std::string> words = Field(status, name);
  int value = 0;
  return !words.empty() && absl::SimpleAtoi(words[0], &value) ? value : fallback;
}

// The number inside a user namespace of the id that the caller knows as `outside`. The lines
// of the file are: inside, outside, how many (user_namespaces(7)).
bool Inside(absl::string_view map, uint32_t outside, uint32_t& inside) {
  for (absl::string_view line : absl::StrSplit(map, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    uint64_t first = 0, from = 0, count = 0;
    if (words.size() != 3 || !absl::SimpleAtoi(words[0], &first) ||
        !absl::SimpleAtoi(words[1], &from) || !absl::SimpleAtoi(words[2], &count)) {
      continue;
    }
    if (outside >= from && outside - from < count) {
      inside = static_cast<uint32_t>(first + (outside - from));
      return true;
    }
  }
  return false;
}

// What a process may do, as its status has it.
std::string RightsOf(absl::string_view status) {
  std::string rights;
  for (const char* name : {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                           "NoNewPrivs", "Seccomp"}) {
    absl::StrAppend(&rights, name, " ", absl::StrJoin(Field(status, name), " "), "\n");
  }
  return rights;
}

// Whether the process is the one of `facts`, and runs the program that it ran then, for the
// same user and with the same environment.
bool IsStill(const facts::ProcessFacts& facts, const std::string& proc) {
  const absl::StatusOr<procfs::ProcessStat> stat =
      procfs::ParseProcessStat(ReadProc(proc + "/stat").value_or(""));
  if (!stat.ok()) return false;
  if (facts.started_usec.present()) {
    const uint64_t ticks_per_second =
        facts.auxv.present() ? facts.auxv->Find(procfs::Auxv::kClockTick).value_or(100) : 100;
    const absl::Duration start = procfs::TicksToDuration(stat->start_ticks, ticks_per_second);
    if (static_cast<uint64_t>(absl::ToInt64Microseconds(start)) != *facts.started_usec) {
      return false;
    }
  }
  if (facts.exe.present()) {
    const std::string exe = LinkOf(proc + "/exe");
    if (absl::StripSuffix(exe, " (deleted)") != *facts.exe) return false;
  }
  if (facts.identity.present()) {
    // Who it is to the file system, as in facts.
    const std::string status = ReadProc(proc + "/status").value_or("");
    const std::vector<std::string> uid = Field(status, "Uid"), gid = Field(status, "Gid");
    if (uid.size() != 4 || uid[3] != absl::StrCat(facts.identity->uid) || gid.size() != 4 ||
        gid[3] != absl::StrCat(facts.identity->gid)) {
      return false;
    }
  }
  if (facts.environ.present() && !facts.environ->truncated()) {
    const absl::StatusOr<std::string> block = ReadProc(proc + "/environ");
    if (!block.ok()) return false;
    const absl::StatusOr<procfs::Environ> environ = procfs::ParseEnviron(*block);
    if (!environ.ok() || environ->entries() != facts.environ->entries()) return false;
  }
  return true;
}

using Filters = std::vector<std::vector<sock_filter>>;

// As a tracer sees them, the last installed first; its first thread stops for the time of a few
// calls (ptrace(2), PTRACE_SECCOMP_GET_FILTER). Only in a process that ends then: with its end
// the kernel lets the traced one go, whatever state that is in.
absl::StatusOr<Filters> Trace(int pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return Failed("PTRACE_SEIZE", errno);
  if (ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) {
    return Failed("PTRACE_INTERRUPT", errno);
  }
  int status = 0;
  // One that the kernel does not let stop is not waited for.
  for (int tries = 0; waitpid(pid, &status, __WALL | WNOHANG) != pid; ++tries) {
    if (tries == 1000) return absl::UnavailableError("the process did not stop");
    usleep(1000);
  }
  if (!WIFSTOPPED(status)) return absl::UnavailableError("the process ended");
  Filters filters;
  absl::Status problem;
  constexpr long kMost = 64;
  for (long index = 0; index < kMost; ++index) {
    const long size = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, index, nullptr);
    if (size < 0) {
      if (errno != ENOENT) problem = Failed("PTRACE_SECCOMP_GET_FILTER", errno);
      break;
    }
    std::vector<sock_filter> filter(static_cast<size_t>(size));
    if (ptrace(PTRACE_SECCOMP_GET_FILTER, pid, index, filter.data()) != size) {
      problem = Failed("PTRACE_SECCOMP_GET_FILTER", errno);
      break;
    }
    filters.push_back(std::move(filter));
  }
  // What stopped it meanwhile, a signal of its own, is handed on.
  const bool by_us = status >> 16 == PTRACE_EVENT_STOP;
  ptrace(PTRACE_DETACH, pid, nullptr, by_us ? 0L : static_cast<long>(WSTOPSIG(status)));
  if (!problem.ok()) return problem;
  return filters;
}

// The filters of system calls of a process, the oldest first.
absl::StatusOr<Filters> FiltersOf(int pid) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return Failed("a pipe", errno);
  const Fd from(fds[0]);
  Fd to(fds[1]);
  const pid_t tracer = fork();
  if (tracer < 0) return Failed("fork", errno);
  if (tracer == 0) {
    // "+" and each filter, behind its length; else why there are none.
    const absl::StatusOr<Filters> filters = Trace(pid);
    std::string text = filters.ok() ? "+" : std::string(filters.status().message());
    for (const std::vector<sock_filter>& filter : filters.ok() ? *filters : Filters()) {
      const uint32_t size = static_cast<uint32_t>(filter.size());
      text.append(reinterpret_cast<const char*>(&size), sizeof(size));
      text.append(reinterpret_cast<const char*>(filter.data()), size * sizeof(sock_filter));
    }
    WriteAll(to.get(), text);
    _exit(0);
  }
  to = Fd();
  std::string text;
  char buffer[4096];
  // It ends by itself within a second or so.
  for (ssize_t n = 0; (n = read(from.get(), buffer, sizeof(buffer))) != 0;) {
    if (n < 0 && errno != EINTR) break;
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
  }
  while (waitpid(tracer, nullptr, 0) < 0 && errno == EINTR) {
  }
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "+")) return absl::UnavailableError(text);
  Filters filters;
  while (!rest.empty()) {
    uint32_t size = 0;
    if (rest.size() < sizeof(size)) return absl::UnavailableError("they were cut");
    memcpy(&size, rest.data(), sizeof(size));
    rest.remove_prefix(sizeof(size));
    if (rest.size() / sizeof(sock_filter) < size) return absl::UnavailableError("they were cut");
    std::vector<sock_filter> filter(size);
    memcpy(filter.data(), rest.data(), size * sizeof(sock_filter));
    rest.remove_prefix(size * sizeof(sock_filter));
    filters.push_back(std::move(filter));
  }
  std::reverse(filters.begin(), filters.end());
  return filters;
}

}  // namespace

absl::StatusOr<Place> Place::Of(const facts::ProcessFacts& process) {
  Place place;
  const int pid = process.pid;
  const std::string proc = absl::StrCat("/proc/", pid);
  const absl::StatusOr<std::string> status = ReadProc(proc + "/status");
  if (!status.ok()) {
    return absl::NotFoundError(absl::StrCat("process ", pid, " is not there any more"));
  }
  if (absl::Status read = place.OpenNamespaces(proc); !read.ok()) return read;
  if (absl::Status read = place.ReadStatus(pid, proc, *status); !read.ok()) return read;
  if (absl::Status read = place.ReadLimits(proc); !read.ok()) return read;
  place.cgroups_ = Cgroups::Of(pid);
  for (const std::string& path : place.cgroups_.paths()) {
    place.context_.taken_over.push_back(absl::StrCat("cgroup ", path));
  }
  if (!place.cgroups_.why_not().empty()) place.GiveUpDeviceNodes();
  if (!IsStill(process, proc) ||
      RightsOf(ReadProc(proc + "/status").value_or("")) != RightsOf(*status)) {
    return absl::UnavailableError(absl::StrCat(
        "process ", pid,
        " ended, or became another program, while it was looked at; run verify again"));
  }
  return place;
}

absl::StatusOr<Place> Place::OfUser(const facts::Identity& who) {
  Place place;
  for (uid_t& id : place.uid_) id = who.uid;
  for (gid_t& id : place.gid_) id = who.gid;
  // As initgroups(3) does, with the group of its own.
  place.groups_ = {who.groups.begin(), who.groups.end()};
  if (std::find(place.groups_.begin(), place.groups_.end(), who.gid) == place.groups_.end()) {
    place.groups_.push_back(who.gid);
  }
  place.change_user_ = who.uid != geteuid() || geteuid() == 0;
  if (place.change_user_ && geteuid() != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("only root can become the service's user ", who.name));
  }
  place.context_.taken_over.push_back(absl::StrCat("user ", who.uid, ", group ", who.gid,
                                                   ", groups ", absl::StrJoin(place.groups_, " ")));
  return place;
}

absl::Status Place::OpenNamespaces(const std::string& proc) {
  for (const NamespaceKind& kind : kNamespaces) {
    const std::string path = absl::StrCat(proc, "/ns/", kind.name);
    const std::string own = LinkOf(absl::StrCat("/proc/self/ns/", kind.name));
    if (own.empty()) continue;  // this kernel has no such namespace
    const std::string theirs = LinkOf(path);
    if (theirs.empty()) return Failed(path, errno);
    if (theirs == own) continue;
    Namespace entry;
    entry.name = kind.name;
    entry.kind = kind.kind;
    entry.fd = OpenHigh(path, O_RDONLY);
    if (!entry.fd.ok()) return Failed(path, errno);
    pid_namespace_ = pid_namespace_ || kind.kind == CLONE_NEWPID;
    user_namespace_ = user_namespace_ || kind.kind == CLONE_NEWUSER;
    namespaces_.push_back(std::move(entry));
    context_.taken_over.push_back(kind.words);
  }
  for (auto& [name, fd] : {std::pair<const char*, Fd*>{"/root", &root_}, {"/cwd", &cwd_}}) {
    *fd = OpenHigh(absl::StrCat(proc, name), O_PATH | O_DIRECTORY);
    if (!fd->ok()) return Failed(absl::StrCat(proc, name), errno);
  }
  context_.taken_over.push_back("root and working directory");
  if (!namespaces_.empty() && geteuid() != 0) {
    return absl::PermissionDeniedError("only root can enter the namespaces of the process");
  }
  return absl::OkStatus();
}

absl::Status Place::ReadStatus(int pid, const std::string& proc, const std::string& status) {
  const absl::StatusOr<std::string> own = ReadProc("/proc/self/status");
  if (!own.ok()) return own.status();
  const std::vector<std::string> uid = Field(status, "Uid"), gid = Field(status, "Gid");
  bool good = uid.size() >= 3 && gid.size() >= 3;
  for (size_t i = 0; good && i < 3; ++i) {
    good = absl::SimpleAtoi(uid[i], &uid_[i]) && absl::SimpleAtoi(gid[i], &gid_[i]);
  }
  for (const std::string& word : Field(status, "Groups")) {
    gid_t group = 0;
    good = good && absl::SimpleAtoi(word, &group);
    groups_.push_back(group);
  }
  if (!good) return absl::UnavailableError(absl::StrCat(proc, "/status: names no user"));
  change_user_ = Field(*own, "Uid") != uid || Field(*own, "Gid") != gid ||
                 Field(*own, "Groups") != Field(status, "Groups") || user_namespace_;
  context_.taken_over.push_back(
      absl::StrCat("user ", uid_[1], ", group ", gid_[1], ", groups ",
                   groups_.empty() ? "none" : absl::StrJoin(groups_, " ")));
  if (change_user_ && geteuid() != 0) {
    return absl::PermissionDeniedError(absl::StrCat("only root can become user ", uid_[1]));
  }
  capabilities_ = {Hex(status, "CapInh"), Hex(status, "CapPrm"), Hex(status, "CapEff"),
                   Hex(status, "CapBnd"), Hex(status, "CapAmb")};
  const Capabilities mine = {Hex(*own, "CapInh"), Hex(*own, "CapPrm"), Hex(*own, "CapEff"),
                             Hex(*own, "CapBnd"), Hex(*own, "CapAmb")};
  change_capabilities_ = change_user_ || capabilities_ != mine;
  if (change_capabilities_ && geteuid() != 0) {
    return absl::PermissionDeniedError("only root can take over the capabilities of the process");
  }
  context_.taken_over.push_back("capabilities");
  no_new_privs_ = Decimal(status, "NoNewPrivs", 0) == 1;
  if (no_new_privs_) context_.taken_over.push_back("no_new_privs");
  if (const std::vector<std::string> mask = Field(status, "Umask"); !mask.empty()) {
    umask_ = static_cast<int>(strtol(mask[0].c_str(), nullptr, 8));
    context_.taken_over.push_back("umask");
  }
  ReadFilters(pid, status, *own);
  change_capabilities_ = change_capabilities_ || !filters_.empty();
  if (user_namespace_) return TranslateIds(proc);
  return absl::OkStatus();
}

void Place::ReadFilters(int pid, absl::string_view status, absl::string_view own) {
  // A filter is handed down to children, so the process has those of all it descends from, a
  // container's too. As many as the caller has are the caller's own.
  const int theirs = Decimal(status, "Seccomp", 0), ours = Decimal(own, "Seccomp", 0);
  const int filters = Decimal(status, "Seccomp_filters", -1);
  const int own_filters = Decimal(own, "Seccomp_filters", -1);
  const bool more = filters >= 0 && own_filters >= 0 ? filters > own_filters : theirs > ours;
  if (!more) return;
  const absl::StatusOr<Filters> read =
      ours == 0 ? FiltersOf(pid)
                : absl::PermissionDeniedError("the kernel shows them to nobody who has one");
  if (read.ok() && (filters < 0 || static_cast<int>(read->size()) == filters)) {
    filters_ = *read;
    context_.taken_over.push_back(
        absl::StrCat(filters_.size(), " filters of system calls (seccomp)"));
    return;
  }
  context_.not_taken_over.push_back(
      {"the filter of system calls (seccomp)",
       absl::StrCat("what it forbids is not forbidden to a step; it could not be read: ",
                    read.ok() ? "not all of it was shown" : read.status().message()),
       true});
}

void Place::GiveUpDeviceNodes() {
  constexpr uint64_t kMknod = uint64_t{1} << CAP_MKNOD;
  if (geteuid() != 0 || (capabilities_.bounding & kMknod) == 0) return;
  for (uint64_t* set :
       {&capabilities_.inheritable, &capabilities_.permitted, &capabilities_.effective,
        &capabilities_.bounding, &capabilities_.ambient}) {
    *set &= ~kMknod;
  }
  change_capabilities_ = true;
  context_.not_taken_over.push_back(
      {"the capability CAP_MKNOD",
       "outside of the service's cgroup, whose list of devices bounds it, it opens every device",
       false});
}

absl::Status Place::InstallFilters() const {
  for (const std::vector<sock_filter>& filter : filters_) {
    const sock_fprog program = {static_cast<unsigned short>(filter.size()),
                                const_cast<sock_filter*>(filter.data())};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
      return Failed("a filter of system calls", errno);
    }
  }
  return absl::OkStatus();
}

absl::Status Place::TranslateIds(const std::string& proc) {
  const absl::StatusOr<std::string> users = ReadProc(proc + "/uid_map");
  const absl::StatusOr<std::string> groups = ReadProc(proc + "/gid_map");
  if (!users.ok()) return users.status();
  if (!groups.ok()) return groups.status();
  const auto unknown = [&](uint32_t id) {
    return absl::UnavailableError(
        absl::StrCat("the user namespace of the process has no number for ", id));
  };
  for (uid_t& id : uid_) {
    if (!Inside(*users, id, id)) return unknown(id);
  }
  for (gid_t& id : gid_) {
    if (!Inside(*groups, id, id)) return unknown(id);
  }
  return absl::OkStatus();
}

absl::Status Place::ReadLimits(const std::string& proc) {
  // prlimit(2) shows those of another user's process to few.
  const absl::StatusOr<std::string> text = ReadProc(proc + "/limits");
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::string> own_status = ReadProc("/proc/self/status");
  const bool may_raise =
      own_status.ok() && (Hex(*own_status, "CapEff") >> CAP_SYS_RESOURCE & 1) != 0;
  std::vector<std::string> kept;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    for (const ResourceName& known : kResources) {
      if (!absl::StartsWith(line, absl::StrCat(known.name, " "))) continue;
      const std::vector<absl::string_view> words =
          absl::StrSplit(line.substr(known.name.size()), ' ', absl::SkipEmpty());
      Limit limit;
      limit.resource = known.resource;
      rlimit own = {};
      if (words.size() < 2 || !LimitOf(words[0], limit.value.rlim_cur) ||
          !LimitOf(words[1], limit.value.rlim_max) ||
          getrlimit(static_cast<__rlimit_resource>(known.resource), &own) != 0) {
        return absl::UnavailableError(absl::StrCat(proc, "/limits: ", line));
      }
      if (!may_raise && limit.value.rlim_max > own.rlim_max) {
        limit.value.rlim_max = own.rlim_max;
        limit.value.rlim_cur = std::min(limit.value.rlim_cur, own.rlim_max);
        kept.push_back(absl::AsciiStrToLower(known.name.substr(4)));
      }
      if (own.rlim_cur != limit.value.rlim_cur || own.rlim_max != limit.value.rlim_max) {
        limits_.push_back(limit);
      }
    }
  }
  context_.taken_over.push_back("limits");
  if (!kept.empty()) {
    context_.not_taken_over.push_back(
        {absl::StrCat("a higher limit of ", absl::StrJoin(kept, ", ")),
         "only CAP_SYS_RESOURCE may raise it, and a step has the lower one", false});
  }
  return absl::OkStatus();
}

absl::Status Place::BecomeUser() const {
  // What is not in the bounding set can never be gained: root's own file of capabilities, too.
  for (unsigned long cap = 0; cap < 64; ++cap) {
    if ((capabilities_.bounding >> cap & 1) != 0 || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1) {
      continue;
    }
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) return Failed("the bounding set", errno);
  }
  if (change_user_) {
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return Failed("PR_SET_KEEPCAPS", errno);
    if (setresgid(gid_[0], gid_[1], gid_[2]) != 0) return Failed("setresgid", errno);
    if (setresuid(uid_[0], uid_[1], uid_[2]) != 0) return Failed("setresuid", errno);
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (!filters_.empty() && !no_new_privs_) {
    // Only CAP_SYS_ADMIN may, and the change of the user has put it out of effect (seccomp(2)).
    if (syscall(SYS_capget, &header, data) != 0) return Failed("capget", errno);
    for (__user_cap_data_struct& half : data) half.effective = half.permitted;
    if (syscall(SYS_capset, &header, data) != 0) return Failed("capset", errno);
    if (absl::Status status = InstallFilters(); !status.ok()) return status;
  }
  for (int half = 0; half < 2; ++half) {
    data[half].effective = static_cast<uint32_t>(capabilities_.effective >> (32 * half));
    data[half].permitted = static_cast<uint32_t>(capabilities_.permitted >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(capabilities_.inheritable >> (32 * half));
  }
  if (syscall(SYS_capset, &header, data) != 0) return Failed("capset", errno);
  // execve keeps what is ambient (capabilities(7)).
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned long cap = 0; cap < 64; ++cap) {
    if ((capabilities_.ambient >> cap & 1) != 0 &&
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0) {
      return Failed("an ambient capability", errno);
    }
  }
  return absl::OkStatus();
}

absl::Status Place::Enter() const {
  // With the caller's privileges, and its view of the cgroups.
  if (absl::Status status = cgroups_.Join(); !status.ok()) return status;
  // Before the user namespace: only outside of it may a limit be raised.
  for (const Limit& limit : limits_) {
    if (setrlimit(static_cast<__rlimit_resource>(limit.resource), &limit.value) != 0) {
      return Failed("a limit of the process", errno);
    }
  }
  // A user namespace may forbid it to all that is inside (user_namespaces(7)).
  if (change_user_ && setgroups(groups_.size(), groups_.data()) != 0) {
    return Failed("setgroups", errno);
  }
  for (const Namespace& entry : namespaces_) {
    if (setns(entry.fd.get(), entry.kind) != 0) {
      return Failed(absl::StrCat("the ", entry.name, " namespace of the process"), errno);
    }
  }
  if (root_.ok()) {
    // Without a namespace of its own an ordinary user's process has the caller's root.
    struct stat theirs = {}, own = {};
    if (fstat(root_.get(), &theirs) != 0 || stat("/", &own) != 0) return Failed("/", errno);
    if (theirs.st_dev != own.st_dev || theirs.st_ino != own.st_ino) {
      if (fchdir(root_.get()) != 0 || chroot(".") != 0) {
        return Failed("the root directory of the process", errno);
      }
    }
    if (fchdir(cwd_.get()) != 0 && chdir("/") != 0) {
      return Failed("the working directory of the process", errno);
    }
  } else if (chdir("/") != 0) {
    return Failed("/", errno);
  }
  if (umask_ >= 0) umask(static_cast<mode_t>(umask_));
  if (change_capabilities_) {
    if (absl::Status status = BecomeUser(); !status.ok()) return status;
  } else if (change_user_) {
    if (setresgid(gid_[0], gid_[1], gid_[2]) != 0) return Failed("setresgid", errno);
    if (setresuid(uid_[0], uid_[1], uid_[2]) != 0) return Failed("setresuid", errno);
  }
  if (no_new_privs_ && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Failed("no_new_privs", errno);
  }
  // The last of all: they may forbid what has been done so far.
  if (no_new_privs_) return InstallFilters();
  return absl::OkStatus();
}

}  // namespace vgpu::doctor

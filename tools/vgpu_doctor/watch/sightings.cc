#include "tools/vgpu_doctor/watch/sightings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/host/file_io.h"
#include "diag/ollama/variables.h"
#include "diag/procfs/cmdline.h"
#include "diag/procfs/environ.h"
#include "diag/procfs/maps.h"

namespace vgpu::doctor {
namespace {

using host::Fd;
using host::NotObserved;
using host::Observed;

constexpr size_t kMaxFile = 1 << 20;
constexpr size_t kMaxVariables = 64;
constexpr size_t kMaxArguments = 64;
constexpr size_t kMaxText = 4096;
constexpr absl::Duration kUntilExec = absl::Milliseconds(20);

// A whole file of procfs, or as much of it as is kept.
Observed<std::string> ReadProc(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) return host::FromErrno<std::string>(errno);
  std::string text;
  char buffer[16384];
  while (text.size() < kMaxFile) {
    const ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return host::FromErrno<std::string>(errno);
    if (n == 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

// A process that has ended is not observed; one that is there may lack something.
template <typename T>
Observed<T> WhyNot(const Observed<std::string>& text) {
  return NotObserved{text.absent() ? "it had ended" : std::string(text.why_not())};
}

struct Stat {
  char state = '?';
  pid_t parent = 0;
  std::optional<int> exit_code;  // of a zombie; as waitpid(2) gives it
};

// proc(5): the name stands in parentheses, and may hold any.
std::optional<Stat> ParseStat(absl::string_view text) {
  const size_t end = text.rfind(')');
  if (end == absl::string_view::npos) return std::nullopt;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::StripAsciiWhitespace(text.substr(end + 1)), ' ');
  Stat stat;
  if (fields.size() < 2 || fields[0].empty()) return std::nullopt;
  stat.state = fields[0][0];
  if (!absl::SimpleAtoi(fields[1], &stat.parent)) return std::nullopt;
  int code = 0;
  // Field 52, which only who may trace the process is shown (else 0).
  if (stat.state == 'Z' && fields.size() >= 50 && absl::SimpleAtoi(fields[49], &code)) {
    stat.exit_code = code;
  }
  return stat;
}

}  // namespace

bool IsWorthShowing(const std::string& variable) {
  if (ollama::DecidesDiscovery(variable)) return true;
  for (absl::string_view begin : {"LD_", "CUDA_", "OLLAMA_", "GGML_", "VGPU_", "NVIDIA_"}) {
    if (absl::StartsWith(variable, begin)) return true;
  }
  return false;
}

std::string StatusText(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
  }
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

void Sightings::Ignore(const std::vector<pid_t>& pids) {
  ignored_.insert(pids.begin(), pids.end());
}

void Sightings::LookAtLibraries(Sighting& sighting) const {
  const Observed<std::string> text = ReadProc(absl::StrCat(proc_, "/", sighting.pid, "/maps"));
  if (!text.present() || text->empty()) {
    if (!sighting.libraries.present()) {
      sighting.libraries = WhyNot<std::vector<std::string>>(
          text.present() ? Observed<std::string>(host::Absent{}) : text);
    }
    return;
  }
  const absl::StatusOr<procfs::MappedObjects> maps =
      procfs::ParseMaps(*text, text->size() >= kMaxFile);
  if (!maps.ok()) return;
  std::vector<std::string> known = sighting.libraries.value_or({});
  for (const procfs::MappedFile& file : maps->files) {
    if (known.size() >= kMaxLibraries) break;
    if (std::find(known.begin(), known.end(), file.path) == known.end()) known.push_back(file.path);
  }
  sighting.libraries = std::move(known);
}

void Sightings::Observe(pid_t pid, Living& living, absl::Time now) {
  Sighting& sighting = all_[living.index];
  sighting.last = now;
  const std::string dir = absl::StrCat(proc_, "/", pid, "/");
  if (const Observed<std::string> text = ReadProc(dir + "stat"); text.present()) {
    if (const std::optional<Stat> stat = ParseStat(*text)) {
      if (sighting.parent == 0) sighting.parent = stat->parent;
      if (stat->exit_code) sighting.status = *stat->exit_code;
      if (stat->state == 'Z') return;  // nothing else is left of it
    }
  }
  char exe[PATH_MAX];
  const ssize_t length = readlink((dir + "exe").c_str(), exe, sizeof exe);
  if (length > 0) {
    sighting.program = std::string(exe, static_cast<size_t>(length));
  } else if (!sighting.program.present()) {
    sighting.program = WhyNot<std::string>(host::FromErrno<std::string>(errno));
  }
  // systemd's own, until it executes the service.
  const absl::string_view name = host::Basename(
      sighting.program.present() ? absl::string_view(*sighting.program) : absl::string_view());
  if (sighting.parent == 1 && (name == "systemd" || name == "systemd-executor")) return;
  const Observed<std::string> words = ReadProc(dir + "cmdline");
  const std::string now_is =
      absl::StrCat(sighting.program.value_or(""), "\n", words.value_or("").substr(0, kMaxText));
  // So is a child what its parent is, until it executes another program.
  auto parent = living_.find(sighting.parent);
  if (living.told.empty() && parent != living_.end() && parent->second.told == now_is &&
      now - sighting.first < kUntilExec) {
    return;
  }
  if (words.present() && !words->empty() && now_is != living.told) {
    if (const absl::StatusOr<procfs::Cmdline> parsed =
            procfs::ParseCmdline(words->substr(0, kMaxText), words->size() > kMaxText);
        parsed.ok()) {
      std::vector<std::string> arguments = parsed->args;
      if (arguments.size() > kMaxArguments) arguments.resize(kMaxArguments);
      sighting.arguments = std::move(arguments);
    }
    const Observed<std::string> block = ReadProc(dir + "environ");
    if (block.present()) {
      std::vector<std::pair<std::string, std::string>> variables;
      if (const absl::StatusOr<procfs::Environ> environ =
              procfs::ParseEnviron(*block, block->size() >= kMaxFile);
          environ.ok()) {
        for (const procfs::Environ::Entry& entry : environ->entries()) {
          if (!entry.assignment || !IsWorthShowing(entry.name)) continue;
          if (variables.size() >= kMaxVariables) break;
          variables.emplace_back(entry.name, entry.value.substr(0, kMaxText));
        }
      }
      sighting.environment = std::move(variables);
    } else if (!sighting.environment.present()) {
      sighting.environment = WhyNot<std::vector<std::pair<std::string, std::string>>>(block);
    }
    sighting.libraries = Observed<std::vector<std::string>>();  // of the new program
    living.look_next = now;
    living.told = now_is;
    tell_(sighting, Moment::kProgram);
  } else if (!words.present() && !sighting.arguments.present()) {
    sighting.arguments = WhyNot<std::vector<std::string>>(words);
  }
  if (now < living.look_next) return;
  LookAtLibraries(sighting);
  // Often while it is young, and ten times a second once it has got what it needs.
  living.look_next = now + (now - sighting.first < absl::Seconds(5) ? absl::Milliseconds(2)
                                                                    : absl::Milliseconds(100));
}

void Sightings::Appeared(pid_t pid, absl::Time now) {
  if (ignored_.count(pid) != 0) return;
  auto it = living_.find(pid);
  if (it == living_.end()) {
    if (all_.size() >= kMaxSightings) {
      ++uncounted_;
      ignored_.insert(pid);
      return;
    }
    Sighting sighting;
    sighting.pid = pid;
    sighting.first = now;
    all_.push_back(std::move(sighting));
    it = living_.emplace(pid, Living{all_.size() - 1, now, ""}).first;
  }
  Observe(pid, it->second, now);
}

void Sightings::Look(const std::vector<pid_t>& pids, absl::Time now) {
  const std::set<pid_t> present(pids.begin(), pids.end());
  for (auto it = ignored_.begin(); it != ignored_.end();) {
    it = present.count(*it) == 0 ? ignored_.erase(it) : std::next(it);
  }
  std::vector<pid_t> gone;
  for (const auto& [pid, living] : living_) {
    if (present.count(pid) == 0) gone.push_back(pid);
  }
  // A zombie is in no cgroup any more (Linux, cgroup v2) and still tells how it ended.
  for (pid_t pid : gone) Finish(pid, now);
  for (pid_t pid : pids) Appeared(pid, now);
}

void Sightings::Finish(pid_t pid, absl::Time now) {
  auto it = living_.find(pid);
  if (it == living_.end()) return;
  Sighting& sighting = all_[it->second.index];
  if (!sighting.status.present()) {
    const Observed<std::string> text = ReadProc(absl::StrCat(proc_, "/", pid, "/stat"));
    if (text.present()) {
      const std::optional<Stat> stat = ParseStat(*text);
      // It lives, outside the unit: a session of its own, say.
      if (stat && stat->state != 'Z' && stat->state != 'X') {
        sighting.last = now;
        living_.erase(it);
        return;
      }
      if (stat && stat->exit_code) sighting.status = *stat->exit_code;
    }
  }
  if (!sighting.status.present()) {
    sighting.status = NotObserved{"its parent took it before it could be read"};
  }
  sighting.alive = false;
  living_.erase(it);
  tell_(sighting, Moment::kEnded);
}

void Sightings::Ended(pid_t pid, int status, absl::Time now) {
  auto it = living_.find(pid);
  if (it == living_.end()) return;
  all_[it->second.index].status = status;
  Finish(pid, now);
}

}  // namespace vgpu::doctor

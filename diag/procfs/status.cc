#include "diag/procfs/status.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {
namespace {

using ::vgpu::host::NotObserved;
using ::vgpu::host::Observed;

// Of a name, the kernel escapes '\n' and '\\' and nothing else (fs/proc/array.c,
// proc_task_name).
std::string UnescapeName(absl::string_view text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 'n' || next == '\\') {
      name += next == 'n' ? '\n' : '\\';
      ++i;
    } else {
      name += text[i];
    }
  }
  return name;
}

NotObserved Unreadable(absl::string_view key, absl::string_view value) {
  return {absl::StrCat("status: ", key, " cannot be read: ", Quoted(value))};
}

template <typename T>
Observed<T> ParseOne(absl::string_view key, absl::string_view value) {
  T number = 0;
  if (!ParseNumber(absl::StripAsciiWhitespace(value), &number)) return Unreadable(key, value);
  return number;
}

template <typename T>
Observed<std::vector<T>> ParseList(absl::string_view key, absl::string_view value) {
  std::vector<T> numbers;
  absl::string_view rest = value;
  for (absl::string_view field = TakeField(&rest); !field.empty(); field = TakeField(&rest)) {
    T number = 0;
    if (!ParseNumber(field, &number)) return Unreadable(key, value);
    numbers.push_back(number);
  }
  return numbers;
}

Observed<ProcessStatus::Ids> ParseIds(absl::string_view key, absl::string_view value) {
  ProcessStatus::Ids ids = {};
  absl::string_view rest = value;
  for (uint32_t& id : ids) {
    if (!ParseNumber(TakeField(&rest), &id)) return Unreadable(key, value);
  }
  return ids;
}

// What every member says until its line is found.
template <typename T>
void SetMissing(absl::string_view key, Observed<T>* member) {
  *member = NotObserved{absl::StrCat("status: no line ", key)};
}

}  // namespace

absl::StatusOr<ProcessStatus> ParseProcessStatus(absl::string_view text) {
  ProcessStatus status;
  // A number that the end of the text cuts is another one. (npos + 1 is 0.)
  if (IsCut(text)) text = text.substr(0, text.rfind('\n') + 1);
  absl::string_view line;
  if (!TakeLine(&text, &line) || !absl::ConsumePrefix(&line, "Name:")) {
    return absl::InvalidArgumentError(
        absl::StrCat("status: does not begin with Name: ", Quoted(line)));
  }
  absl::ConsumePrefix(&line, "\t");
  status.name = UnescapeName(line);

  SetMissing("State", &status.state);
  SetMissing("PPid", &status.ppid);
  SetMissing("Uid", &status.uid);
  SetMissing("Gid", &status.gid);
  SetMissing("Groups", &status.groups);
  SetMissing("Threads", &status.threads);
  SetMissing("NoNewPrivs", &status.no_new_privs);
  SetMissing("Seccomp", &status.seccomp);
  SetMissing("Seccomp_filters", &status.seccomp_filters);
  SetMissing("NSpid", &status.ns_pids);

  while (TakeLine(&text, &line)) {
    absl::string_view value = line;
    const absl::string_view key = TakeUntil(':', &value);
    if (key == "State") {
      const absl::string_view letter = TakeField(&value);
      if (letter.size() == 1) {
        status.state = letter[0];
      } else {
        status.state = Unreadable(key, letter);
      }
    } else if (key == "PPid") {
      status.ppid = ParseOne<int32_t>(key, value);
    } else if (key == "Uid") {
      status.uid = ParseIds(key, value);
    } else if (key == "Gid") {
      status.gid = ParseIds(key, value);
    } else if (key == "Groups") {
      status.groups = ParseList<uint32_t>(key, value);
    } else if (key == "Threads") {
      status.threads = ParseOne<uint32_t>(key, value);
    } else if (key == "NoNewPrivs") {
      status.no_new_privs =
          ParseOne<uint32_t>(key, value).Map([](uint32_t number) { return number != 0; });
    } else if (key == "Seccomp") {
      status.seccomp = ParseOne<uint32_t>(key, value);
    } else if (key == "Seccomp_filters") {
      status.seccomp_filters = ParseOne<uint32_t>(key, value);
    } else if (key == "NSpid") {
      status.ns_pids = ParseList<int32_t>(key, value);
    }
  }
  return status;
}

}  // namespace vgpu::procfs

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/facts/gather_parts.h"
#include "diag/procfs/status.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

constexpr size_t kAccountsLimit = size_t{1} << 20;

// A line of passwd(5) or group(5): names, and a number in the third field. Others (of the
// name service switch: "+::::::") say nothing here.
bool IsAccount(const std::vector<std::string>& fields) {
  uint32_t id = 0;
  return fields.size() >= 4 && !fields[0].empty() && absl::SimpleAtoi(fields[2], &id);
}

// The line of passwd(5) or group(5) whose name, or number in its third field, is `who`.
std::optional<std::vector<std::string>> Account(absl::string_view text, absl::string_view who) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    std::vector<std::string> fields = absl::StrSplit(line, ':');
    if (IsAccount(fields) && (fields[0] == who || fields[2] == who)) return fields;
  }
  return std::nullopt;
}

Observed<std::string> Accounts(const host::Host& host, absl::string_view path) {
  Observed<host::Content> content = host.Read(path, kAccountsLimit);
  if (content.absent()) return NotObserved{absl::StrCat(path, ": not captured")};
  return content.Map([&](const host::Content& read) -> Observed<std::string> {
    for (absl::string_view line : absl::StrSplit(read.bytes, '\n')) {
      if (IsAccount(absl::StrSplit(line, ':'))) return read.bytes;
    }
    return NotObserved{absl::StrCat(path, ": no line of it is an account")};
  });
}

Observed<uint32_t> GroupId(const Observed<std::string>& groups, absl::string_view name) {
  uint32_t gid = 0;
  if (absl::SimpleAtoi(name, &gid)) return gid;
  if (!groups.present()) return NotObserved{std::string(groups.why_not())};
  std::optional<std::vector<std::string>> fields = Account(*groups, name);
  if (!fields || !absl::SimpleAtoi((*fields)[2], &gid)) {
    return NotObserved{absl::StrCat("/etc/group knows no ", name)};
  }
  return gid;
}

// A setting of one value: as loaded, else as on disk. Empty: not set.
std::string Value(const UnitFacts& unit, absl::string_view key) {
  if (unit.loaded.present()) {
    Observed<std::string> shown = unit.loaded->Get(key);
    if (shown.present()) return *shown;
    if (unit.shown_whole) return "";
  }
  const systemd::Setting* setting = unit.on_disk.Last("Service", key);
  return setting == nullptr ? "" : setting->value;
}

}  // namespace

Observed<Identity> IdentityOfUnit(const host::Host& host, const UnitFacts& unit) {
  if (!unit.loaded.present() && !unit.files.fragment.present()) {
    return NotObserved{std::string(unit.loaded.why_not())};
  }
  const std::string dynamic = Value(unit, "DynamicUser");
  if (dynamic == "yes" || dynamic == "true" || dynamic == "1" || dynamic == "on") {
    return NotObserved{"DynamicUser= gives the service another user at each start"};
  }
  Identity who;
  who.name = Value(unit, "User");
  if (who.name.empty()) who.name = "root";
  const Observed<std::string> groups = Accounts(host, "/etc/group");
  // root is root, whatever else a file says of it (systemd 252, get_user_creds).
  if (who.name != "root" && who.name != "0") {
    const Observed<std::string> users = Accounts(host, "/etc/passwd");
    if (!users.present()) return NotObserved{std::string(users.why_not())};
    std::optional<std::vector<std::string>> fields = Account(*users, who.name);
    // A directory stands behind the group's number: else that may have been cut.
    if (!fields || fields->size() < 5 || !absl::SimpleAtoi((*fields)[2], &who.uid) ||
        !absl::SimpleAtoi((*fields)[3], &who.gid)) {
      return NotObserved{absl::StrCat("/etc/passwd knows no ", who.name)};
    }
    who.name = (*fields)[0];
  }
  if (const std::string group = Value(unit, "Group"); !group.empty()) {
    Observed<uint32_t> gid = GroupId(groups, group);
    if (!gid.present()) return NotObserved{std::string(gid.why_not())};
    who.gid = *gid;
  }
  // The members of a line that is not ended may be cut, and further lines too.
  who.groups_known = groups.present() && absl::EndsWith(*groups, "\n");
  for (absl::string_view line : absl::StrSplit(groups.value_or(""), '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ':');
    if (fields.size() < 4) continue;
    const std::vector<absl::string_view> members = absl::StrSplit(fields[3], ',');
    uint32_t gid = 0;
    if (std::find(members.begin(), members.end(), who.name) != members.end() &&
        absl::SimpleAtoi(fields[2], &gid)) {
      who.groups.push_back(gid);
    }
  }
  const std::string extra = Value(unit, "SupplementaryGroups");
  for (absl::string_view name : absl::StrSplit(extra, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    Observed<uint32_t> gid = GroupId(groups, name);
    if (gid.present()) who.groups.push_back(*gid);
    who.groups_known = who.groups_known && gid.present();
  }
  return who;
}

Fact<Identity> IdentityOfProcess(const host::Host& host, int pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/status");
  Observed<host::Content> content = host.Read(path, 65536);
  if (content.absent()) return {path, NotObserved{"not captured"}};
  return {path, content.Map([](const host::Content& read) -> Observed<Identity> {
            absl::StatusOr<procfs::ProcessStatus> status = procfs::ParseProcessStatus(read.bytes);
            if (!status.ok()) return NotObserved{std::string(status.status().message())};
            if (!status->uid.present() || !status->gid.present()) {
              return NotObserved{"names no user"};
            }
            // The fourth is the one that file accesses go by (proc(5)).
            Identity who;
            who.uid = (*status->uid)[3];
            who.gid = (*status->gid)[3];
            who.name = who.uid == 0 ? "root" : absl::StrCat(who.uid);
            who.groups_known = status->groups.present();
            who.groups = status->groups.value_or({});
            return who;
          })};
}

}  // namespace vgpu::facts

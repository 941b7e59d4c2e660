#include "diag/timeline/package_log.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "re2/re2.h"

namespace vgpu::timeline {
namespace {

// A line of a log has a few hundred bytes; of an apt run, some kilobytes.
constexpr size_t kLongestLine = 64 << 10;

// Parts of names.
constexpr absl::string_view kBearing[] = {
    "apparmor",    "containerd",    "cublas",  "cuda",   "cudnn",     "dkms",
    "docker",      "glibc",         "kernel",  "libc6",  "libnvidia", "libstdc++",
    "linux-image", "linux-modules", "nvidia",  "ollama", "podman",    "rocm",
    "selinux",     "snapd",         "systemd", "vgpu",   "vulkan",
};

std::optional<absl::Time> Local(absl::string_view date, absl::string_view time,
                                absl::TimeZone zone) {
  absl::CivilSecond civil;
  if (!absl::ParseCivilTime(absl::StrCat(date, "T", time), &civil)) return std::nullopt;
  return absl::FromCivil(civil, zone);
}

// "-0500"; 0 for "Z".
int OffsetSeconds(absl::string_view offset) {
  if (offset.size() != 5) return 0;
  const int hours = (offset[1] - '0') * 10 + (offset[2] - '0');
  const int minutes = (offset[3] - '0') * 10 + (offset[4] - '0');
  return (hours * 60 + minutes) * (offset[0] == '-' ? -60 : 60);
}

// "libc6:amd64": without its architecture.
std::string Name(absl::string_view package) {
  return std::string(package.substr(0, package.find(':')));
}

std::string Sentence(absl::string_view verb, absl::string_view package, absl::string_view from,
                     absl::string_view to) {
  if (verb == "install") return absl::StrCat(package, " ", to, " was installed");
  if (verb == "remove" || verb == "purge") {
    return absl::StrCat(package, " ", from, " was ", verb == "remove" ? "removed" : "purged");
  }
  return absl::StrCat(package, " was ", verb == "downgrade" ? "downgraded" : "upgraded", " from ",
                      from, " to ", to);
}

template <typename OnLine>
void EachLine(absl::string_view text, OnLine on_line) {
  uint64_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (!line.empty() && line.size() <= kLongestLine) on_line(line, number);
  }
}

}  // namespace

std::vector<PackageEvent> ParseDpkgLog(absl::string_view text, absl::TimeZone zone) {
  std::vector<PackageEvent> events;
  EachLine(text, [&](absl::string_view line, uint64_t number) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words.size() != 6) return;
    const absl::string_view verb = words[2];
    if (verb != "install" && verb != "upgrade" && verb != "remove" && verb != "purge") return;
    const std::optional<absl::Time> time = Local(words[0], words[1], zone);
    if (!time) return;
    const std::string name = Name(words[3]);
    events.push_back({*time, Sentence(verb, name, words[4], words[5]), name, number});
  });
  return events;
}

std::vector<PackageEvent> ParseAptHistory(absl::string_view text, absl::TimeZone zone) {
  std::vector<PackageEvent> events;
  std::optional<absl::Time> start;
  EachLine(text, [&](absl::string_view line, uint64_t number) {
    if (absl::ConsumePrefix(&line, "Start-Date: ")) {
      const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      start = words.size() == 2 ? Local(words[0], words[1], zone) : std::nullopt;
    } else if (start && absl::ConsumePrefix(&line, "Commandline: ")) {
      events.push_back({*start, absl::StrCat("`", line, "` was run"), "", number});
    }
  });
  return events;
}

std::vector<PackageEvent> ParsePacmanLog(absl::string_view text, absl::TimeZone zone) {
  static const RE2& form = *new RE2(
      R"(^\[(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?([+-]\d{4})?\] \[ALPM\] )"
      R"((installed|upgraded|downgraded|removed|reinstalled) (\S+) \((\S+)(?: -> (\S+))?\)$)");
  std::vector<PackageEvent> events;
  EachLine(text, [&](absl::string_view line, uint64_t number) {
    std::string date, minutes, seconds, offset, verb, name, from, to;
    if (!RE2::FullMatch(re2::StringPiece(line.data(), line.size()), form, &date, &minutes, &seconds,
                        &offset, &verb, &name, &from, &to)) {
      return;
    }
    const absl::TimeZone where = offset.empty() ? zone : absl::FixedTimeZone(OffsetSeconds(offset));
    const std::optional<absl::Time> time =
        Local(date, absl::StrCat(minutes, seconds.empty() ? ":00" : seconds), where);
    if (!time) return;
    const absl::string_view plain = verb == "installed" || verb == "reinstalled" ? "install"
                                    : verb == "removed"                          ? "remove"
                                    : verb == "downgraded"                       ? "downgrade"
                                                                                 : "upgrade";
    events.push_back({*time, Sentence(plain, name, from, to.empty() ? from : to), name, number});
  });
  return events;
}

std::vector<PackageEvent> ParseDnfRpmLog(absl::string_view text) {
  // 2026-02-26T06:01:02-0500 SUBDEBUG Upgrade: glibc-2.34-60.el9.x86_64
  static const RE2& form = *new RE2(R"(^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)([+-]\d{4}|Z) SUBDEBUG )"
                                    R"((Installed|Upgrade|Upgraded|Downgrade|Erase): (\S+)$)");
  std::vector<PackageEvent> events;
  EachLine(text, [&](absl::string_view line, uint64_t number) {
    std::string date, clock, offset, verb, package;
    if (!RE2::FullMatch(re2::StringPiece(line.data(), line.size()), form, &date, &clock, &offset,
                        &verb, &package)) {
      return;
    }
    // The line of the version that goes.
    if (verb == "Upgraded") return;
    const std::optional<absl::Time> time =
        Local(date, clock, absl::FixedTimeZone(OffsetSeconds(offset)));
    if (!time) return;
    const absl::string_view what = verb == "Installed"   ? " was installed"
                                   : verb == "Erase"     ? " was removed"
                                   : verb == "Downgrade" ? " was put in a newer one's place"
                                                         : " was put in an older one's place";
    events.push_back({*time, absl::StrCat(package, what), package, number});
  });
  return events;
}

bool BearsOnGpu(absl::string_view package) {
  const std::string name = absl::AsciiStrToLower(package);
  return name == "linux" ||
         std::any_of(std::begin(kBearing), std::end(kBearing),
                     [&](absl::string_view part) { return absl::StrContains(name, part); });
}

}  // namespace vgpu::timeline

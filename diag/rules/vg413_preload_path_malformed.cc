// VG413 preload-path-malformed: quotes, line breaks, foreign separators or doubled
// directories inside the value of LD_PRELOAD.
//
// The loader takes ':' and ' ' for separators and all else for part of a name, prints the
// name as it stands, and goes on (measured, glibc 2.36). A file that really is called so is
// no fault.

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

// What an entry was meant to be, and what is wrong with it.
struct Malformed {
  std::string what;
  std::string meant;  // entries joined by ':'; empty: not known
};

constexpr absl::string_view kTypographic[] = {"\u201c", "\u201d", "\u2018", "\u2019",
                                              "\u00a0", "\ufeff", "\u200b"};

// A path of more directories is not looked through for doubled ones.
constexpr size_t kMaxParts = 32;

// The end of "….so" or "….so.1" that begins at `so`; npos where it is neither.
size_t EndOfSo(absl::string_view text, size_t so) {
  size_t end = so + 3;
  while (end + 1 < text.size() && text[end] == '.' && text[end + 1] >= '0' &&
         text[end + 1] <= '9') {
    ++end;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  }
  return end;
}

// "/a.so,/b.so", "/a.so/usr/b.so": two entries, and no separator that the loader knows.
std::optional<Malformed> WrongSeparator(absl::string_view text) {
  std::string what;
  std::string meant;
  size_t begin = 0;
  for (size_t so = text.find(".so"); so != absl::string_view::npos; so = text.find(".so", so + 1)) {
    const size_t end = EndOfSo(text, so);
    if (end >= text.size() || text.find(".so", end) == absl::string_view::npos) break;
    const absl::string_view next = text.substr(end, 1);
    if (next == "/") {
      what = "runs two paths together: a ':' is missing between them";
    } else if (next == "," || next == ";" || next == "|") {
      what =
          absl::StrCat("parts its entries by '", next, "', and the loader only by ':' and blanks");
    } else {
      continue;
    }
    absl::StrAppend(&meant, text.substr(begin, end - begin), ":");
    begin = next == "/" ? end : end + 1;
  }
  if (what.empty()) return std::nullopt;
  absl::StrAppend(&meant, text.substr(begin));
  return Malformed{std::move(what), std::move(meant)};
}

bool IsInstalled(const facts::Facts& facts, absl::string_view path) {
  for (const facts::FileFacts& file : facts.gpu_libraries) {
    if (file.path == path && file.found.present()) return true;
  }
  return false;
}

// "/usr/lib64/usr/lib64/x.so", "/usr/lib64//opt/vgpu/lib/x.so": a directory put in front of a
// path that had one.
std::optional<Malformed> DoubledDirectories(const facts::Facts& facts, absl::string_view text) {
  if (text.empty() || text.front() != '/') return std::nullopt;
  if (const size_t twice = text.find("//", 1); twice != absl::string_view::npos) {
    const absl::string_view meant = text.substr(twice + 1);
    if (IsInstalled(facts, meant)) {
      return Malformed{"has a directory in front of a whole path", std::string(meant)};
    }
  }
  const std::vector<std::string> parts = absl::StrSplit(text, '/', absl::SkipEmpty());
  if (parts.size() > kMaxParts) return std::nullopt;
  for (size_t length = parts.size() / 2; length >= 1; --length) {
    for (size_t at = 0; at + 2 * length < parts.size(); ++at) {
      bool same = true;
      for (size_t i = 0; i < length && same; ++i) same = parts[at + i] == parts[at + length + i];
      if (!same) continue;
      std::vector<std::string> left(parts.begin(), parts.begin() + at);
      left.insert(left.end(), parts.begin() + at + length, parts.end());
      std::string meant = absl::StrCat("/", absl::StrJoin(left, "/"));
      // One name twice may be meant ("/opt/vgpu/vgpu"), unless the file lies at the other place.
      if (length == 1 && !IsInstalled(facts, meant)) continue;
      return Malformed{"has its directories twice", std::move(meant)};
    }
  }
  return std::nullopt;
}

// "$HOME/x.so": systemd and the loader expand no variable; the loader knows three tokens.
bool NamesVariable(absl::string_view text) {
  for (size_t at = text.find('$'); at != absl::string_view::npos; at = text.find('$', at + 1)) {
    absl::string_view name = text.substr(at + 1);
    absl::ConsumePrefix(&name, "{");
    if (!absl::StartsWith(name, "ORIGIN") && !absl::StartsWith(name, "LIB") &&
        !absl::StartsWith(name, "PLATFORM")) {
      return true;
    }
  }
  return absl::StartsWith(text, "~/");
}

std::optional<Malformed> Look(const facts::Facts& facts, absl::string_view text) {
  const bool quoted = text.find_first_of("\"'`") != absl::string_view::npos;
  if (quoted || text.find_first_of("\n\r\t\v\f") != absl::string_view::npos) {
    return Malformed{quoted ? "has a quote in it, which the loader takes for part of the name"
                            : "has a line break or a tab in it, which is no separator",
                     absl::StrReplaceAll(text, {{"\"", ""},
                                                {"'", ""},
                                                {"`", ""},
                                                {"\r", ""},
                                                {"\v", ""},
                                                {"\f", ""},
                                                {"\n", ":"},
                                                {"\t", ":"}})};
  }
  for (absl::string_view sign : kTypographic) {
    if (!absl::StrContains(text, sign)) continue;
    return Malformed{"has a typographic quote or an invisible character in it",
                     absl::StrReplaceAll(text, {{sign, ""}})};
  }
  if (const size_t at = text.find("LD_PRELOAD="); at != absl::string_view::npos) {
    return Malformed{"has the name of the variable in its value",
                     std::string(text.substr(at + 11))};
  }
  if (std::optional<Malformed> found = WrongSeparator(text)) return found;
  if (std::optional<Malformed> found = DoubledDirectories(facts, text)) return found;
  if (NamesVariable(text)) return Malformed{"names a variable, which nobody expands", ""};
  if (absl::StrContains(text, "\\")) return Malformed{"has a backslash in it", ""};
  return std::nullopt;
}

}  // namespace

Judgement PreloadPathMalformed(const facts::Facts& facts) {
  const std::vector<ActingList> lists = ActingLists(facts);
  if (lists.empty()) return WithoutPreload(facts);
  size_t entries = 0;
  for (const ActingList& acting : lists) {
    std::vector<Faulty> faults;
    std::vector<std::string> meant;
    bool all_known = true;
    for (const facts::PreloadEntry& entry : acting.list->entries) {
      ++entries;
      std::optional<Malformed> malformed;
      if (entry.is_path && !entry.file.found.present()) malformed = Look(facts, entry.text);
      if (!malformed) {
        meant.push_back(entry.text);
        continue;
      }
      faults.push_back({&entry, malformed->what});
      if (malformed->meant.empty()) all_known = false;
      for (absl::string_view part : absl::StrSplit(malformed->meant, ':', absl::SkipEmpty())) {
        meant.emplace_back(part);
      }
    }
    if (faults.empty()) continue;
    Holds holds = PassedOver(facts, acting, faults, "write the list anew");
    const bool explains_loss = !holds.explains.empty();
    holds.explains = {"VG401"};
    if (explains_loss) holds.explains.insert(holds.explains.end(), {"VG414", "VG704"});
    if (facts.unit_judged && all_known) {
      holds.fix = SetListSteps(facts, *acting.list, "VG413", meant, "the list as it was meant");
    } else if (facts.unit_judged) {
      holds.fix.push_back({absl::StrCat("sudo systemctl edit ", facts.unit.name),
                           "write there, below [Service], Environment=\"LD_PRELOAD=…\" with whole "
                           "paths and ':' between them; systemd and the loader expand no variable",
                           "", "the same command: take the line out again"});
      holds.fix.push_back(RestartStep(facts, "a preload list is read once, at the start"));
    }
    return holds;
  }
  return Contradicted{
      absl::StrCat(Count(entries, "entry", "entries"),
                   " without quotes, line breaks, doubled directories or foreign separators")};
}

}  // namespace vgpu::rules

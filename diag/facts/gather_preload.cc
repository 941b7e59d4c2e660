#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "diag/facts/gather_parts.h"
#include "diag/facts/service_view.h"
#include "diag/loader/preload_list.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

constexpr char kPreloadFile[] = "/etc/ld.so.preload";
constexpr size_t kListLimit = size_t{1} << 20;
constexpr size_t kMapsLimit = size_t{4} << 20;
// A file of any length is looked at up to here.
constexpr size_t kMaxEntries = 256;
constexpr size_t kMaxProcesses = 4096;

// What is neither a path nor a library's name has no business in the file. It may be a
// secret that landed there (seen in the field: an access token), so it is never kept. A
// comment's "#" tells what happened, and no secret is that short.
bool MayBeShown(absl::string_view word) {
  return absl::StrContains(word, '/') || absl::StrContains(word, ".so") || word.size() <= 2;
}

PreloadEntry EntryOf(const host::Host& host, const std::string& path, absl::string_view word,
                     int line, absl::string_view root) {
  PreloadEntry entry;
  if (absl::StrContains(word, '/') || absl::StrContains(word, ".so")) {
    entry = LookAtPreload(host, word, path, line, "", "", root).entries.front();
  } else {
    entry.is_path = false;
    entry.text = MayBeShown(word)
                     ? std::string(word)
                     : absl::StrCat("(a word of ", word.size(), " bytes that is no path)");
    entry.file.path = entry.text;
    entry.file.found = Absent{};
    entry.file.elf = Absent{};
  }
  entry.line = line;
  return entry;
}

Observed<PreloadList> ReadList(const host::Host& host, const std::string& path, PreloadKind kind,
                               absl::string_view root) {
  Observed<host::Content> content = host.Read(path, kListLimit, root);
  if (content.absent()) return Absent{};
  if (!content.present()) return NotObserved{std::string(content.why_not())};
  PreloadList list;
  list.kind = kind;
  list.source = path;
  const Observed<host::Resolved> found = host.Resolve(path, root);
  if (found.present()) list.way = {{found->path, found->meta}};
  int line = 1;
  const char* counted = content->bytes.data();
  for (absl::string_view word : loader::SplitPreloadFile(content->bytes)) {
    if (list.entries.size() == kMaxEntries) break;
    line += static_cast<int>(std::count(counted, word.data(), '\n'));
    counted = word.data();
    list.entries.push_back(EntryOf(host, path, word, line, root));
  }
  if (!list.entries.empty()) list.line = list.entries.front().line;
  list.value = absl::StrJoin(list.entries, " ", [](std::string* out, const PreloadEntry& entry) {
    out->append(entry.text);
  });
  return list;
}

// Files called like a shim in the maps of a program.
Fact<std::vector<std::string>> ShimsIn(const host::Host& host, const std::string& maps) {
  Observed<host::Content> content = host.Read(maps, kMapsLimit);
  if (content.absent()) return {maps, NotObserved{"not captured"}};
  return {maps, content.Map([](const host::Content& read) -> Observed<std::vector<std::string>> {
            absl::StatusOr<procfs::MappedObjects> mapped =
                procfs::ParseMaps(read.bytes, read.truncated);
            if (!mapped.ok()) return NotObserved{std::string(mapped.status().message())};
            std::vector<std::string> shims;
            for (const procfs::MappedFile& file : mapped->files) {
              std::optional<ShimName> shim = ShimOf(file.path);
              if (shim && shim->named_as_shim) shims.push_back(file.path);
            }
            return shims;
          })};
}

GlobalPreload GatherGlobal(const host::Host& host) {
  GlobalPreload global;
  global.host_file = ReadList(host, kPreloadFile, PreloadKind::kHostFile, "");
  if (!global.host_file.present() || global.host_file->entries.empty()) return global;
  // Who is hit: init, and sshd, without which nobody comes in to repair.
  global.init_shims = ShimsIn(host, "/proc/1/maps");
  const std::vector<std::string> names = host.List("/proc").value_or({});
  for (size_t i = 0; i < names.size() && i < kMaxProcesses; ++i) {
    Observed<host::Content> comm = host.Read(absl::StrCat("/proc/", names[i], "/comm"), 64);
    if (!comm.present() || comm->bytes != "sshd\n") continue;
    global.sshd_shims = ShimsIn(host, absl::StrCat("/proc/", names[i], "/maps"));
    break;
  }
  return global;
}

// A list that holds nothing is none for whoever reads it.
Observed<PreloadList> WithoutEmpty(Observed<PreloadList> list) {
  if (list.present() && list->entries.empty()) return Absent{};
  return list;
}

// What the process, or the next start, has in the file.
Observed<PreloadList> FileSeen(const host::Host& host, const Sight& sight,
                               const GlobalPreload& global, absl::string_view root) {
  if (sight.what == Sight::What::kHidden) return Absent{};
  if (!root.empty()) {
    return WithoutEmpty(ReadList(
        host, kPreloadFile,
        sight.what == Sight::What::kAsHost ? PreloadKind::kHostFile : PreloadKind::kBoundFile,
        root));
  }
  if (sight.what == Sight::What::kAsHost) return WithoutEmpty(global.host_file);
  if (sight.what == Sight::What::kBound) {
    return WithoutEmpty(ReadList(host, sight.host_path, PreloadKind::kBoundFile, ""));
  }
  return NotObserved{absl::StrCat("the service sees another ", kPreloadFile, " than the host")};
}

// Mounts stand on paths without links.
std::string PathOf(const PreloadEntry& entry, bool has_root) {
  const bool resolved = !has_root && entry.file.found.present();
  return resolved ? entry.file.found->path : entry.file.path;
}

// Puts what the service sees at an entry's path in place of what the host has there.
void LookThrough(const host::Host& host, PreloadEntry& entry, Sight sight, bool has_root) {
  const std::string path = entry.file.path;
  if (path.empty() || path.front() != '/') return;
  entry.sight = std::move(sight);
  if (has_root || entry.sight.what == Sight::What::kAsHost) return;
  if (entry.sight.what == Sight::What::kHidden) {
    entry.file.found = Absent{};
    entry.file.elf = Absent{};
    return;
  }
  if (entry.sight.what == Sight::What::kUnknown) {
    entry.file.found = NotObserved{
        absl::StrCat("something is mounted there for the service: ", entry.sight.because)};
    return;
  }
  FileFacts seen = LookAtFile(host, entry.sight.host_path, "");
  // What is bound was not captured at all, its directory neither.
  if (seen.found.absent() && !host.Resolve(host::Dirname(entry.sight.host_path)).present()) {
    seen.found =
        NotObserved{absl::StrCat(entry.sight.host_path, " is bound there for the service (",
                                 entry.sight.because, "), and was not seen")};
  }
  seen.path = path;
  entry.file = std::move(seen);
}

// systemd's words for what it cuts off a value (load-fragment.c).
constexpr absl::string_view kCutOff = "Invalid environment assignment, ignoring: ";

bool Lists(const std::optional<PreloadList>& list, absl::string_view word) {
  return list && std::any_of(list->entries.begin(), list->entries.end(),
                             [&](const PreloadEntry& entry) { return entry.text == word; });
}

}  // namespace

std::vector<std::string> WishedWords(const Facts& facts) {
  std::vector<std::string> words;
  const auto add = [&](absl::string_view value) {
    for (absl::string_view word : loader::SplitPreload(value)) {
      if (words.size() == kMaxEntries) return;
      if (!absl::StrContains(word, '/') && !absl::StrContains(word, ".so")) continue;
      if (Lists(facts.unit_preload, word) || Lists(facts.disk_preload, word)) continue;
      if (std::find(words.begin(), words.end(), word) == words.end()) words.emplace_back(word);
    }
  };
  const systemd::EffectiveUnit& disk = facts.unit.on_disk;
  for (const systemd::Superseded& superseded : disk.superseded) {
    if (superseded.key == "LD_PRELOAD") add(superseded.was.value.value_or(""));
  }
  const auto set = disk.environment.find("LD_PRELOAD");
  if (set != disk.environment.end()) {
    add(set->second.value.value_or(""));
    for (const systemd::UnitProblem& problem : disk.problems) {
      absl::string_view word = problem.message;
      if (problem.place == set->second.place && absl::ConsumePrefix(&word, kCutOff)) add(word);
    }
  }
  for (const IneffectiveText& text : facts.unit.ineffective) {
    for (const Wish& wish : text.wishes) {
      if (wish.name == "LD_PRELOAD") add(wish.value);
    }
  }
  return words;
}

void GatherPreloadFiles(const host::Host& host, Facts& facts) {
  facts.global_preload = GatherGlobal(host);
  facts.unit_preload_file =
      FileSeen(host, SeenByNextStart(facts.unit.mounts, kPreloadFile), facts.global_preload, "");
  facts.process_preload_file = Absent{};
  const bool has_root = facts.process.present() && !facts.process->root.empty();
  if (facts.process.present()) {
    facts.process_preload_file =
        FileSeen(host, SeenByService(facts.unit, facts.process, kPreloadFile), facts.global_preload,
                 facts.process->root);
  }
  const auto now = [&](PreloadList& list) {
    for (PreloadEntry& entry : list.entries) {
      LookThrough(host, entry, SeenByService(facts.unit, facts.process, PathOf(entry, has_root)),
                  has_root);
    }
  };
  const auto next = [&](PreloadList& list) {
    for (PreloadEntry& entry : list.entries) {
      LookThrough(host, entry, SeenByNextStart(facts.unit.mounts, PathOf(entry, false)), false);
    }
  };
  if (facts.process_preload) now(*facts.process_preload);
  if (facts.unit_preload) next(*facts.unit_preload);
  if (facts.disk_preload) next(*facts.disk_preload);
  for (PreloadEntry& entry : facts.wished_entries) {
    LookThrough(host, entry, SeenByNextStart(facts.unit.mounts, PathOf(entry, false)), false);
  }
  if (facts.process_preload_file.present()) {
    PreloadList list = *facts.process_preload_file;
    now(list);
    facts.process_preload_file = std::move(list);
  }
  if (facts.unit_preload_file.present()) {
    PreloadList list = *facts.unit_preload_file;
    next(list);
    facts.unit_preload_file = std::move(list);
  }
}

}  // namespace vgpu::facts

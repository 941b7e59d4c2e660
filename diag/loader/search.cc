#include "diag/loader/search.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::loader {
namespace {

using host::NotObserved;
using host::Observed;

// Bounds on what one name is looked for: a variable may hold a megabyte of directories.
constexpr size_t kMaxDirs = 256;
constexpr size_t kMaxShadows = 8;
constexpr uint32_t kSetUid = 04000;

constexpr absl::string_view kLoopError = "Too many levels of symbolic links";

// The checks that open_verify makes before it looks at the machine (elf/dl-load.c).
bool ComesBeforeMachine(absl::string_view error) {
  constexpr absl::string_view kFirst[] = {
      "file too short",
      "invalid ELF header",
      "ELF file data encoding not little-endian",
      "ELF file version ident does not match current one",
      "ELF file OS ABI invalid",
      "nonzero padding in e_ident",
      "ELF file version does not match current one",
  };
  return std::find(std::begin(kFirst), std::end(kFirst), error) != std::end(kFirst);
}

}  // namespace

bool SameFile(const host::Resolved& a, const host::Resolved& b) {
  if (a.meta.id.present() && b.meta.id.present()) return *a.meta.id == *b.meta.id;
  return a.path == b.path;
}

Search::Verdict Search::JudgeElf(const elf::ElfInfo& info) const {
  const std::string error = info.error.value_or("");
  if (!error.empty() && ComesBeforeMachine(error)) return {Fit::kRefuse, error};
  if (info.elf_class.value_or(64) != 64) return {Fit::kPassOver, "wrong ELF class: ELFCLASS32"};
  const elf::ElfInfo* program = objects_.empty() ? nullptr : objects_[0].info();
  if (program != nullptr && program->machine.present() && info.machine.present() &&
      *program->machine != *info.machine) {
    return {Fit::kPassOver, ""};
  }
  if (!error.empty() && error != "truncated") return {Fit::kRefuse, error};
  return {Fit::kTake, ""};
}

// What open(2), read(2) and the checks of the header say to a path.
Search::Verdict Search::Judge(absl::string_view path) const {
  const Files::Look& look = files_.At(options_.view, path);
  if (look.found.absent()) return {look.trace.loop ? Fit::kLoop : Fit::kNotThere, ""};
  if (!look.found.present()) return {Fit::kUnseen, std::string(look.found.why_not())};
  switch (look.found->meta.type) {
    case host::FileType::kFile:
      break;
    case host::FileType::kDir:
      return {Fit::kRefuse, "cannot read file data: Is a directory"};
    case host::FileType::kFifo:
      return {Fit::kHang, ""};
    default:
      return {Fit::kUnseen, absl::StrCat(path, " is no regular file (",
                                         host::FileTypeName(look.found->meta.type), ")")};
  }
  const Observed<ElfRef>& info = files_.ElfOf(options_.view, path);
  if (info.present()) return JudgeElf(**info);
  // A file of which only the name is known: most are what they are called.
  return {Fit::kTake, ""};
}

bool Search::IsDir(absl::string_view path) const {
  const std::string absolute = Absolute(path).value_or(std::string(path));
  const Observed<host::Resolved>& found = files_.At(options_.view, absolute).found;
  // One that could not be looked at may be one.
  return found.not_observed() || (found.present() && found->meta.type == host::FileType::kDir);
}

std::optional<std::string> Search::Absolute(absl::string_view path) const {
  if (absl::StartsWith(path, "/")) return std::string(path);
  if (!options_.cwd.present()) return std::nullopt;
  return host::JoinPath(*options_.cwd, path);
}

Tokens Search::TokensOf(size_t object) const {
  Tokens tokens;
  tokens.lib = system_.lib;
  if (system_.cpu.present()) tokens.platform = system_.cpu->platform;
  if (object >= objects_.size()) return tokens;
  const Object& of = objects_[object];
  if (object > 0) {
    // As text: links are not followed.
    if (const std::optional<std::string> path = Absolute(of.place.path)) {
      tokens.origin = std::string(host::Dirname(*path));
    }
  } else if (of.file.present()) {
    // The kernel's name of the program, which has no links in it.
    absl::string_view path = of.file->path;
    absl::ConsumePrefix(&path, options_.view.root);
    tokens.origin = std::string(host::Dirname(path));
  } else if (absl::StartsWith(of.place.path, "/")) {
    tokens.origin = std::string(host::Dirname(of.place.path));
  }
  return tokens;
}

Search::Result Search::Open(absl::string_view path) const {
  Result result;
  result.place.rule = Rule::kPath;
  const std::optional<std::string> absolute = Absolute(path);
  if (!absolute) {
    result.place.path = std::string(path);
    result.answer = Answer::kUnseen;
    result.doubts.push_back({absl::StrCat(
        path, " is below the directory that the program starts in: ", options_.cwd.why_not())});
    return result;
  }
  result.place.path = std::string(path);
  result.place.dir = std::string(host::Dirname(*absolute));
  result.searched.push_back(result.place.dir);
  const Verdict verdict = Judge(*absolute);
  switch (verdict.fit) {
    case Fit::kTake:
      result.answer = Answer::kFound;
      break;
    case Fit::kNotThere:
      break;
    case Fit::kLoop:
      result.error = std::string(kLoopError);
      break;
    case Fit::kPassOver:
      result.error = verdict.text;
      AddShadow(result.place, result);
      result.passed_over = std::move(result.shadows);
      result.shadows.clear();
      break;
    case Fit::kRefuse:
      result.answer = Answer::kRefused;
      result.error = verdict.text;
      break;
    case Fit::kHang:
      result.answer = Answer::kHangs;
      break;
    case Fit::kUnseen:
      result.answer = Answer::kUnseen;
      result.doubts.push_back({verdict.text});
      break;
  }
  return result;
}

Search::List Search::ListOf(Rule rule, absl::string_view text, absl::string_view separators,
                            size_t object) const {
  List list;
  list.rule = rule;
  if (rule == Rule::kRpath) list.of_object = object;
  const Tokens tokens = TokensOf(object);
  const bool secure = options_.secure.value_or(false);
  for (absl::string_view element : absl::StrSplit(text, absl::ByAnyChar(separators))) {
    if (list.dirs.size() == kMaxDirs) {
      list.dirs.push_back({std::string(element), false});
      break;
    }
    std::optional<std::string> dir = ExpandTokens(element, tokens);
    if (!dir) {
      // Where it is only not known what the token stands for, a directory is missing here.
      const bool has_platform = absl::StrContains(element, "PLATFORM");
      if (has_platform && !system_.cpu.present()) {
        list.dirs.push_back({std::string(element), false});
      }
      continue;
    }
    if (secure && HasToken(element) && !system_.IsTrusted(*dir)) continue;
    if (dir->empty()) dir->push_back('.');  // an empty element is the working directory
    while (dir->size() > 1 && dir->back() == '/') dir->pop_back();
    const bool known = Absolute(*dir).has_value();
    list.dirs.push_back({*std::move(dir), known});
  }
  return list;
}

// The loader that asks says DF_1_NODEFLIB.
bool Search::Skips(std::optional<size_t> asker) const {
  const elf::ElfInfo* info = objects_.empty() ? nullptr : objects_[asker.value_or(0)].info();
  return info != nullptr && info->no_default_dirs.value_or(false);
}

// What _dl_map_object goes through before the cache, in its order (elf/dl-load.c).
std::vector<Search::List> Search::Lists(std::optional<size_t> asker, Result& result) const {
  std::vector<List> lists;
  const auto text_of = [&](size_t object, bool run_path) -> std::string {
    const elf::ElfInfo* info = objects_[object].info();
    if (info == nullptr) return "";
    const Observed<std::string>& text = run_path ? info->runpath : info->rpath;
    // Who wrote down what a file needs, and no path beside it, saw a file that has none: most
    // have none, and Ollama's own programs of eras A and B do not.
    if (text.not_observed() && !info->needed.present()) {
      result.doubts.push_back({absl::StrCat(run_path ? "RUNPATH" : "RPATH", " of ",
                                            objects_[object].name, ": ", text.why_not())});
    }
    // Of an object that has both, RPATH is ignored.
    if (!run_path && info->runpath.present()) return "";
    return text.value_or("");
  };

  const std::string runpath = asker ? text_of(*asker, true) : "";
  const bool has_runpath =
      asker && objects_[*asker].info() != nullptr && objects_[*asker].info()->runpath.present();
  if (!has_runpath && !objects_.empty()) {
    bool did_program = false;
    for (std::optional<size_t> at = asker; at; at = objects_[*at].loader) {
      did_program = did_program || *at == 0;
      const std::string rpath = text_of(*at, false);
      if (!rpath.empty()) lists.push_back(ListOf(Rule::kRpath, rpath, ":", *at));
    }
    if (!did_program) {
      const std::string rpath = text_of(0, false);
      if (!rpath.empty()) lists.push_back(ListOf(Rule::kRpath, rpath, ":", 0));
    }
  }
  const std::string library_path = options_.environment.library_path.value_or("");
  if (!library_path.empty() && !options_.secure.value_or(false)) {
    lists.push_back(ListOf(Rule::kLibraryPath, library_path, ":;", 0));
  }
  if (!runpath.empty()) lists.push_back(ListOf(Rule::kRunpath, runpath, ":", *asker));
  return lists;
}

const std::vector<Search::Subdir>& Search::Subdirs() const {
  if (!subdirs_.empty()) return subdirs_;
  if (system_.cpu.present()) {
    for (const std::string& name : system_.cpu->hwcaps) {
      subdirs_.push_back({absl::StrCat("glibc-hwcaps/", name), true});
    }
    if (system_.legacy_subdirs.value_or(true)) {
      for (const std::string& name : system_.cpu->legacy) {
        subdirs_.push_back({name, system_.legacy_subdirs.present()});
      }
    }
  } else {
    for (absl::string_view name : {"x86-64-v4", "x86-64-v3", "x86-64-v2"}) {
      subdirs_.push_back({absl::StrCat("glibc-hwcaps/", name), false});
    }
  }
  subdirs_.push_back({"", true});
  return subdirs_;
}

void Search::AddShadow(const Place& place, Result& result) const {
  if (result.shadows.size() == kMaxShadows) return;
  const std::string path = Absolute(place.path).value_or(place.path);
  const Files::Look& look = files_.At(options_.view, path);
  if (!look.found.present()) return;
  if (result.answer == Answer::kFound) {
    const std::string winner = Absolute(result.place.path).value_or(result.place.path);
    const Files::Look& taken = files_.At(options_.view, winner);
    if (taken.found.present() && SameFile(*taken.found, *look.found)) return;
  }
  for (const Shadowed& known : result.shadows) {
    if (SameFile(known.file, *look.found)) return;
  }
  result.shadows.push_back({place, *look.found, files_.ElfOf(options_.view, path)});
}

// One place of a list. After a winner was found, what is there is in its shadow.
void Search::Try(const Place& place, bool sure, bool set_uid_only, Result& result,
                 bool& loop) const {
  const std::string path = Absolute(place.path).value_or(place.path);
  const Verdict verdict = Judge(path);
  if (result.answer != Answer::kNotFound) {
    if (verdict.fit == Fit::kTake) AddShadow(place, result);
    return;
  }
  if (!sure) {
    if (verdict.fit == Fit::kTake) {
      result.doubts.push_back(
          {absl::StrCat(place.path,
                        ": whether the loader looks there depends on the CPU and on "
                        "glibc's version, which were not seen")});
    }
    return;
  }
  loop = false;
  switch (verdict.fit) {
    case Fit::kTake: {
      if (set_uid_only) {
        const Observed<uint32_t>& mode = files_.At(options_.view, path).found->meta.mode;
        if (mode.not_observed()) result.doubts.push_back({"whether it is set-uid was not seen"});
        if ((mode.value_or(0) & kSetUid) == 0) return;
      }
      result.answer = Answer::kFound;
      result.place = place;
      return;
    }
    case Fit::kRefuse:
      result.answer = Answer::kRefused;
      result.place = place;
      result.error = verdict.text;
      return;
    case Fit::kHang:
      result.answer = Answer::kHangs;
      result.place = place;
      return;
    case Fit::kPassOver: {
      if (!verdict.text.empty()) result.error = verdict.text;
      Result other;
      AddShadow(place, other);
      for (Shadowed& file : other.shadows) result.passed_over.push_back(std::move(file));
      return;
    }
    case Fit::kUnseen:
      result.doubts.push_back({absl::StrCat(place.path, ": ", verdict.text)});
      return;
    case Fit::kLoop:
      loop = true;
      result.error = std::string(kLoopError);
      return;
    case Fit::kNotThere:
      if (result.error == kLoopError) result.error.clear();  // errno is of the last call
      return;
  }
}

void Search::TryCache(absl::string_view name, std::optional<size_t> asker, Result& result) const {
  if (!system_.cache.present()) {
    if (system_.cache.not_observed() && result.answer == Answer::kNotFound) {
      result.doubts.push_back({std::string(system_.cache.why_not())});
    }
    return;
  }
  const LdSoCache::Entry* best = nullptr;
  size_t best_rank = 0;
  bool doubtful = false;
  for (const LdSoCache::Entry* entry : system_.cache->Find(name)) {
    if (entry->legacy_hwcap != 0) {
      doubtful = true;
      continue;
    }
    if (entry->hwcaps.empty()) {
      if (best == nullptr) best = entry;
      break;  // entries for some CPUs come before those for all
    }
    if (!system_.cpu.present()) {
      doubtful = true;
      continue;
    }
    const std::vector<std::string>& levels = system_.cpu->hwcaps;
    const auto level = std::find(levels.begin(), levels.end(), entry->hwcaps);
    const size_t rank = static_cast<size_t>(level - levels.begin());
    if (level != levels.end() && (best == nullptr || rank < best_rank)) {
      best = entry;
      best_rank = rank;
    }
  }
  if (best == nullptr) return;
  if (Skips(asker) && system_.IsTrusted(best->path)) return;
  if (doubtful && result.answer == Answer::kNotFound) {
    result.doubts.push_back(
        {absl::StrCat("which of the cache's files for ", name, " fits the CPU was not seen")});
  }
  Place place;
  place.rule = Rule::kCache;
  place.path = best->path;
  place.dir = std::string(host::Dirname(best->path));
  bool loop = false;
  Try(place, true, false, result, loop);
  // A library that ldconfig saw, and that a capture without the system's libraries lacks.
  if (result.answer == Answer::kNotFound && !system_.absence_counts) {
    result.answer = Answer::kUnseen;
    result.place = place;
    result.doubts.push_back({absl::StrCat(best->path, " is in /etc/ld.so.cache; not captured")});
  }
}

Search::Result Search::Find(absl::string_view name, std::optional<size_t> asker,
                            bool set_uid_only) const {
  Result result;
  const auto search = [&](const List& list) {
    for (size_t i = 0; i < list.dirs.size(); ++i) {
      const Dir& dir = list.dirs[i];
      const bool looking = result.answer == Answer::kNotFound;
      if (!dir.known) {
        if (looking) {
          result.doubts.push_back({absl::StrCat("the directory that ", RuleName(list.rule),
                                                " names as \"", dir.path, "\" is not known")});
        }
        continue;
      }
      if (looking) result.searched.push_back(dir.path);
      if (!IsDir(dir.path)) continue;
      bool loop = false;
      for (const Subdir& sub : Subdirs()) {
        const std::string path = sub.path.empty() ? dir.path : host::JoinPath(dir.path, sub.path);
        // Most directories have none of them: their first part is looked up once.
        if (!sub.path.empty() &&
            (!IsDir(host::JoinPath(dir.path, sub.path.substr(0, sub.path.find('/')))) ||
             !IsDir(path))) {
          continue;
        }
        Place place;
        place.rule = list.rule;
        place.dir = dir.path;
        place.subdir = sub.path;
        place.entry = i;
        place.of_object = list.of_object;
        place.path = host::JoinPath(path, name);
        Try(place, sub.taken, set_uid_only, result, loop);
      }
      // The error of a circle of links ends the list, if it is the directory's last one
      // (open_path: neither ENOENT nor EACCES).
      if (loop && result.answer == Answer::kNotFound) return;
    }
  };
  for (const List& list : Lists(asker, result)) search(list);
  // Secure mode trusts the cache for nothing that is preloaded.
  if (!set_uid_only) TryCache(name, asker, result);
  if (!Skips(asker)) {
    List defaults;
    if (!set_uid_only && system_.conf) {
      defaults.rule = Rule::kConfDir;
      for (const LdSoConf::Dir& dir : system_.conf->dirs) defaults.dirs.push_back({dir.path, true});
      search(defaults);
    }
    defaults = {};
    for (const std::string& dir : system_.default_dirs) defaults.dirs.push_back({dir, true});
    search(defaults);
  }
  if (result.answer == Answer::kNotFound) {
    const bool captured = files_.host().running() && !files_.host().complete();
    if (!system_.absence_counts || (captured && IsPartOfGlibc(name))) {
      result.answer = Answer::kUnseen;
      result.doubts.push_back(
          {absl::StrCat("the system's libraries were not captured; ", name, " may be among them")});
    }
  }
  return result;
}

}  // namespace vgpu::loader

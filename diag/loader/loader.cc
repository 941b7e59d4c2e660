#include "diag/loader/loader.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/loader/binding.h"
#include "diag/loader/preload_list.h"
#include "diag/loader/search.h"
#include "diag/loader/system.h"
#include "diag/loader/tokens.h"

namespace vgpu::loader {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

constexpr int kExitError = 127;
// Preload lists and NEEDED entries of any length are followed up to here.
constexpr size_t kMaxObjects = 1024;
constexpr size_t kMaxPreloads = 256;
constexpr size_t kPreloadFileLimit = size_t{64} << 10;
// Longer names are no names in secure mode (SECURE_NAME_LIMIT, elf/rtld.c).
constexpr size_t kSecureNameLimit = 255;
constexpr uint64_t kPage = 4096;

constexpr absl::string_view kNotFoundText = "cannot open shared object file";

bool IsGlibcLoader(absl::string_view interpreter) {
  const absl::string_view name = host::Basename(interpreter);
  return absl::StartsWith(name, "ld-linux") || absl::StartsWith(name, "ld64.so") ||
         absl::StartsWith(name, "ld.so") || absl::StartsWith(name, "ld-2.");
}

bool Decides(const Problem& problem) {
  return problem.effect == Effect::kEndsProgram || problem.effect == Effect::kFailsDlopen;
}

// Of problems and of what was not seen: whether it works.
Observed<bool> Works(const std::vector<Problem>& problems, const std::vector<Unseen>& unseen) {
  for (const Problem& problem : problems) {
    if (Decides(problem) && problem.doubts.empty()) return false;
  }
  for (const Problem& problem : problems) {
    if (Decides(problem)) return NotObserved{problem.doubts.front().why};
  }
  if (!unseen.empty()) {
    return NotObserved{absl::StrCat(unseen.front().what, ": ", unseen.front().why)};
  }
  return true;
}

}  // namespace

absl::string_view RuleName(Rule rule) {
  switch (rule) {
    case Rule::kProgram:
      return "the program";
    case Rule::kInterpreter:
      return "the loader itself";
    case Rule::kPath:
      return "its path";
    case Rule::kLoadedName:
      return "loaded already under this name";
    case Rule::kLoadedSoname:
      return "an object of this soname is loaded already";
    case Rule::kLoadedFile:
      return "the same file is loaded already";
    case Rule::kRpath:
      return "RPATH";
    case Rule::kLibraryPath:
      return "LD_LIBRARY_PATH";
    case Rule::kRunpath:
      return "RUNPATH";
    case Rule::kCache:
      return "/etc/ld.so.cache";
    case Rule::kConfDir:
      return "/etc/ld.so.conf";
    case Rule::kDefaultDir:
      return "a default directory";
  }
  return "";
}

Environment Environment::From(const std::map<std::string, std::string>& variables) {
  Environment environment;
  if (auto it = variables.find("LD_PRELOAD"); it != variables.end()) {
    environment.preload = it->second;
  }
  if (auto it = variables.find("LD_LIBRARY_PATH"); it != variables.end()) {
    environment.library_path = it->second;
  }
  auto now = variables.find("LD_BIND_NOW");
  environment.bind_now = now != variables.end() && !now->second.empty();
  return environment;
}

std::string Object::soname() const {
  const elf::ElfInfo* known = info();
  return known == nullptr ? "" : known->soname.value_or("");
}

Observed<bool> Load::Starts() const {
  if (kind == Kind::kStatic) return true;
  if (kind == Kind::kAbsent) return false;
  if (kind != Kind::kGlibc) return NotObserved{"it is not glibc's loader that starts it"};
  return Works(problems, unseen);
}

const Object* Load::Find(absl::string_view soname) const {
  for (const Object& object : objects) {
    const bool named =
        std::find(object.names.begin(), object.names.end(), soname) != object.names.end();
    if (named || object.soname() == soname) return &object;
  }
  return nullptr;
}

Observed<bool> Opened::Succeeds() const { return Works(problems, unseen); }

bool Opened::Fails() const { return std::any_of(problems.begin(), problems.end(), Decides); }

// One start, or one dlopen: adds objects to a Load.
class Loader::Run {
 public:
  Run(Files& files, const System& system, Exports& exports, Load& load, bool dlopen,
      std::vector<Problem>& problems, std::vector<Unseen>& unseen)
      : files_(files),
        system_(system),
        exports_(exports),
        load_(load),
        dlopen_(dlopen),
        problems_(problems),
        unseen_(unseen),
        search_(files, system, load.options, load.objects) {}

  void Preload() {
    const StartOptions& options = load_.options;
    const bool secure = options.secure.value_or(false);
    const std::string preload = options.environment.preload.value_or("");
    for (absl::string_view entry : SplitPreload(preload)) {
      // In secure mode: no slash, and not too long. Dropped without a word.
      if (secure && (absl::StrContains(entry, '/') || entry.size() >= kSecureNameLimit)) continue;
      PreloadOne(entry, Asker::kPreloadVariable, secure);
    }
    const Files::Look& file = files_.At(options.view, options.preload_file);
    if (!file.found.present() || file.found->meta.size.value_or(1) == 0) {
      if (file.found.not_observed()) {
        unseen_.push_back({options.preload_file, std::string(file.found.why_not())});
      }
      return;
    }
    const Observed<host::Content> content =
        files_.Read(options.view, options.preload_file, kPreloadFileLimit);
    if (!content.present()) {
      unseen_.push_back({options.preload_file, std::string(content.why_not())});
      return;
    }
    for (absl::string_view entry : SplitPreloadFile(content->bytes)) {
      PreloadOne(entry, Asker::kPreloadFile, secure);
    }
  }

  // What `from` and all behind it need, breadth first.
  void Needed(std::vector<size_t> list) {
    for (size_t at = 0; at < list.size(); ++at) {
      const size_t by = list[at];
      const elf::ElfInfo* info = load_.objects[by].info();
      if (info == nullptr || info->needed.not_observed()) {
        if (!died_ && !known_unneeded_.contains(by)) NotSeen(by, info);
        continue;
      }
      if (!info->needed.present()) continue;
      const std::vector<std::string> names = *info->needed;
      for (const std::string& name : names) {
        Request request;
        request.by = Asker::kNeeded;
        request.object = by;
        request.name = name;
        const std::optional<size_t> object = Map(request, by, false);
        if (object && std::find(list.begin(), list.end(), *object) == list.end()) {
          list.push_back(*object);
        }
      }
    }
    order = std::move(list);
  }

  // The object that answers, as loaded; nothing where there is none.
  std::optional<size_t> Map(Request request, std::optional<size_t> asker, bool set_uid_only) {
    if (died_) return std::nullopt;
    std::optional<std::string> name = request.name;
    // Names without a slash are taken as they stand, but for NEEDED entries.
    if (absl::StrContains(request.name, '/') || request.by == Asker::kNeeded) {
      name = ExpandTokens(request.name, search_.TokensOf(asker.value_or(0)));
    }
    if (!name) {
      Report(request, {}, "empty dynamic string token substitution");
      return std::nullopt;
    }
    if (std::optional<size_t> loaded = Loaded(*name, request)) return loaded;
    if (load_.objects.size() >= kMaxObjects) {
      unseen_.push_back({*name, absl::StrCat("only ", kMaxObjects, " libraries were followed")});
      return std::nullopt;
    }
    Search::Result result = absl::StrContains(*name, '/')
                                ? search_.Open(*name)
                                : search_.Find(*name, asker, set_uid_only);
    for (const NotObserved& doubt : SonameDoubts(*name)) result.doubts.push_back(doubt);
    switch (result.answer) {
      case Search::Answer::kFound:
        return Take(*name, std::move(request), asker, std::move(result));
      case Search::Answer::kUnseen:
        return Placeholder(*name, std::move(request), asker, std::move(result));
      case Search::Answer::kNotFound:
      case Search::Answer::kRefused:
      case Search::Answer::kHangs:
        Report(request, std::move(result), "");
        return std::nullopt;
    }
    return std::nullopt;
  }

  void CheckCut(size_t first) {
    for (size_t i = first; i < load_.objects.size() && !died_; ++i) ReportCut(i);
  }

  void Bind(size_t first, const std::vector<size_t>& scope, bool at_once) {
    if (died_) return;
    const BindingOptions options = {.at_once = at_once, .dlopen = dlopen_, .argv0 = argv0()};
    CheckVersions(load_.objects, first, options, problems_, unseen_);
    CheckSymbols(load_.objects, first, scope, options, exports_, problems_, unseen_);
  }

  std::vector<size_t> order;  // breadth first, after Needed

 private:
  std::string argv0() const {
    return load_.options.argv0.empty() ? load_.options.program : load_.options.argv0;
  }

  void PreloadOne(absl::string_view entry, Asker by, bool secure) {
    if (++preloads_ > kMaxPreloads) {
      if (preloads_ == kMaxPreloads + 1) {
        unseen_.push_back({"the preload list", absl::StrCat("only its first ", kMaxPreloads,
                                                            " entries were looked at")});
      }
      return;
    }
    Request request;
    request.by = by;
    request.name = std::string(entry);
    Map(request, 0, secure);
  }

  // An object that is loaded already and answers to this name (_dl_map_object).
  std::optional<size_t> Loaded(const std::string& name, Request& request) {
    AddInterpreter(name, request);
    for (size_t i = 0; i < load_.objects.size(); ++i) {
      Object& object = load_.objects[i];
      const bool named =
          std::find(object.names.begin(), object.names.end(), name) != object.names.end();
      if (!named && object.soname() != name) continue;
      // A program's own soname is none of a library (l_soname_added is not looked at, but no
      // linker gives a program one).
      request.rule = named ? Rule::kLoadedName : Rule::kLoadedSoname;
      if (object.place.rule == Rule::kInterpreter) request.rule = Rule::kInterpreter;
      if (!named) {
        object.names.push_back(name);
        // What would have been taken without it.
        if (!absl::StrContains(name, '/') && object.place.rule != Rule::kInterpreter) {
          Overshadow(name, request, object);
        }
      }
      object.requests.push_back(request);
      return i;
    }
    return std::nullopt;
  }

  // The files that `object`, by its soname, keeps from being found.
  void Overshadow(const std::string& name, const Request& request, Object& object) {
    Search::Result other = search_.Find(name, request.object, false);
    if (other.answer != Search::Answer::kFound) return;
    const std::string path = search_.Absolute(other.place.path).value_or(other.place.path);
    const Files::Look& look = files_.At(load_.options.view, path);
    const bool same =
        look.found.present() && object.file.present() && SameFile(*look.found, *object.file);
    if (look.found.present() && !same) {
      object.shadows.push_back({other.place, *look.found, files_.ElfOf(load_.options.view, path)});
    }
    for (Shadowed& shadow : other.shadows) {
      if (object.file.present() && SameFile(shadow.file, *object.file)) continue;
      object.shadows.push_back(std::move(shadow));
    }
  }

  // The loader is mapped before everything else; it enters the list where it is needed.
  void AddInterpreter(const std::string& name, const Request& request) {
    if (load_.interpreter.empty() || has_interpreter()) return;
    if (name != load_.interpreter && name != host::Basename(load_.interpreter)) {
      // Another link to the loader's file.
      if (!absl::StartsWith(host::Basename(name), "ld-linux")) return;
    }
    Object object;
    object.name = name;
    object.place.rule = Rule::kInterpreter;
    object.place.path = load_.interpreter;
    object.names = {load_.interpreter, name};
    object.file = files_.At(load_.options.view, load_.interpreter).found;
    object.elf = files_.ElfOf(load_.options.view, load_.interpreter);
    object.loader = request.object;
    known_unneeded_.insert(load_.objects.size());
    load_.objects.push_back(std::move(object));
  }

  bool has_interpreter() const {
    return std::any_of(load_.objects.begin(), load_.objects.end(), [](const Object& object) {
      return object.place.rule == Rule::kInterpreter;
    });
  }

  // Objects that were named by a path and whose DT_SONAME was not seen: one of them may
  // answer to `name`.
  std::vector<NotObserved> SonameDoubts(absl::string_view name) const {
    std::vector<NotObserved> doubts;
    if (absl::StrContains(name, '/')) return doubts;
    for (const Object& object : load_.objects) {
      if (object.place.rule != Rule::kPath || IsCut(object)) continue;
      const elf::ElfInfo* info = object.info();
      if (info != nullptr && !info->soname.not_observed()) continue;
      doubts.push_back({absl::StrCat("whether ", object.place.path, " answers to ", name,
                                     ": its DT_SONAME was not seen")});
    }
    return doubts;
  }

  std::optional<size_t> Take(const std::string& name, Request request, std::optional<size_t> asker,
                             Search::Result result) {
    const std::string path = search_.Absolute(result.place.path).value_or(result.place.path);
    const Observed<host::Resolved>& found = files_.At(load_.options.view, path).found;
    // One file is loaded once, whatever it is called (_dl_map_object_from_fd).
    for (size_t i = 0; i < load_.objects.size() && found.present(); ++i) {
      Object& object = load_.objects[i];
      if (!object.file.present() || !SameFile(*object.file, *found)) continue;
      request.rule = Rule::kLoadedFile;
      object.names.push_back(name);
      object.requests.push_back(std::move(request));
      return i;
    }
    const Observed<ElfRef>& elf = files_.ElfOf(load_.options.view, path);
    if (elf.present()) {
      const std::string refusal = Refusal(**elf);
      if (!refusal.empty()) {
        result.error = refusal;
        result.answer = Search::Answer::kRefused;
        Report(request, std::move(result), "");
        return std::nullopt;
      }
    }
    Object object;
    object.name = name;
    request.rule = result.place.rule;
    object.place = std::move(result.place);
    object.requests.push_back(std::move(request));
    object.file = found;
    object.elf = elf;
    object.shadows = std::move(result.shadows);
    object.doubts = std::move(result.doubts);
    object.names = {name};
    if (object.place.path != name) object.names.push_back(object.place.path);
    object.loader = asker;
    load_.objects.push_back(std::move(object));
    // The dynamic section is read as soon as a file is mapped. Where zeros stand for it, the
    // object needs nothing and answers to nothing, and the end comes when it is relocated.
    const size_t index = load_.objects.size() - 1;
    if (IsCut(load_.objects[index]) && load_.objects[index].info()->needed.not_observed()) {
      known_unneeded_.insert(index);
      if (LacksPages(load_.objects[index])) ReportCut(index);
    }
    return index;
  }

  static bool IsCut(const Object& object) {
    const elf::ElfInfo* info = object.info();
    return info != nullptr && info->error.value_or("") == "truncated";
  }

  // Within the last page that the file has, zeros stand for what is missing.
  static bool LacksPages(const Object& object) {
    const uint64_t size = object.file.present() ? object.file->meta.size.value_or(0) : uint64_t{0};
    const uint64_t end = object.info()->last_segment_end.value_or(0);
    return end == 0 || (size + kPage - 1) / kPage < (end + kPage - 1) / kPage;
  }

  // A file that is shorter than what is mapped of it.
  void ReportCut(size_t index) {
    const Object& object = load_.objects[index];
    if (!IsCut(object)) return;
    Problem problem;
    problem.trouble = Trouble::kCut;
    problem.request = object.requests.front();
    problem.path = object.place.path;
    problem.object = index;
    problem.doubts = object.doubts;
    const bool lacks_pages = LacksPages(object);
    problem.signal = lacks_pages ? SIGBUS : SIGSEGV;
    died_ = lacks_pages || object.info()->needed.not_observed();
    problem.effect = died_ ? Effect::kEndsProgram : Effect::kIfUsed;
    problems_.push_back(std::move(problem));
  }

  // Programs are no libraries.
  static std::string Refusal(const elf::ElfInfo& info) {
    if (info.type.value_or("") == "EXEC") return "cannot dynamically load executable";
    if (info.pie.value_or(false)) {
      return "cannot dynamically load position-independent executable";
    }
    return "";
  }

  // A library that is there, or not, unseen.
  std::optional<size_t> Placeholder(const std::string& name, Request request,
                                    std::optional<size_t> asker, Search::Result result) {
    const NotObserved why =
        result.doubts.empty() ? NotObserved{"not looked at"} : result.doubts.back();
    unseen_.push_back({name, why.why});
    Object object;
    object.name = name;
    request.rule = result.place.rule;
    object.place = std::move(result.place);
    object.requests.push_back(std::move(request));
    object.file = why;
    object.elf = why;
    object.doubts = std::move(result.doubts);
    object.names = {name};
    object.loader = asker;
    known_unneeded_.insert(load_.objects.size());
    load_.objects.push_back(std::move(object));
    return load_.objects.size() - 1;
  }

  void NotSeen(size_t object, const elf::ElfInfo* info) {
    const Object& of = load_.objects[object];
    unseen_.push_back({absl::StrCat("what ", of.name, " needs"),
                       std::string(info == nullptr ? of.elf.why_not() : info->needed.why_not())});
  }

  void Report(const Request& request, Search::Result result, absl::string_view refusal) {
    Problem problem;
    problem.request = request;
    problem.path = result.answer == Search::Answer::kNotFound ? "" : result.place.path;
    problem.searched = std::move(result.searched);
    problem.passed_over = std::move(result.passed_over);
    problem.doubts = std::move(result.doubts);
    if (request.object) problem.needed_by = request.object;
    if (result.answer == Search::Answer::kHangs) {
      problem.trouble = Trouble::kHangs;
      problem.effect = Effect::kEndsProgram;
      problems_.push_back(std::move(problem));
      return;
    }
    // "PATH: file too short", or "NAME: cannot open shared object file: No such file ...".
    std::string at = request.name, what, detail;
    if (!refusal.empty()) {
      problem.trouble = Trouble::kNotLoadable;
      what = std::string(refusal);
    } else if (result.answer == Search::Answer::kRefused) {
      problem.trouble = Trouble::kNotLoadable;
      // What open_verify finds is said of the file, what _dl_map_object_from_fd finds later is
      // said of the name (elf/dl-load.c).
      const bool of_name = absl::StartsWith(result.error, "cannot dynamically load") ||
                           absl::StartsWith(result.error, "object file has no");
      if (!of_name) at = result.place.path;
      what = result.error;
    } else if (absl::StartsWith(result.error, "wrong ELF class")) {
      problem.trouble = Trouble::kNotLoadable;
      what = result.error;
    } else {
      problem.trouble = Trouble::kNotFound;
      what = std::string(kNotFoundText);
      detail = result.error;
      // Where no directory was left to look into, no call has failed (DF_1_NODEFLIB).
      const bool looked = !problem.searched.empty();
      if (detail.empty() && looked) detail = "No such file or directory";
    }
    switch (request.by) {
      case Asker::kPreloadVariable:
      case Asker::kPreloadFile:
        problem.effect = Effect::kPassedOver;
        problem.text = absl::StrCat(
            "ERROR: ld.so: object '", request.name, "' from ",
            request.by == Asker::kPreloadFile ? "/etc/ld.so.preload" : "LD_PRELOAD",
            " cannot be preloaded (", what.substr(0, what.find(": Is a directory")), "): ignored.");
        break;
      case Asker::kStart:
      case Asker::kNeeded:
      case Asker::kDlopen:
        problem.effect = dlopen_ ? Effect::kFailsDlopen : Effect::kEndsProgram;
        problem.status = dlopen_ ? 0 : kExitError;
        // Without libc, the loader knows few errors by their words (elf/dl-minimal.c).
        if (!dlopen_) {
          absl::StrReplaceAll({{"Too many levels of symbolic links", "Error 40"}}, &detail);
          absl::StrReplaceAll({{": Is a directory", ": Error 21"}}, &what);
        }
        problem.text = absl::StrCat(
            dlopen_ ? "" : absl::StrCat(argv0(), ": error while loading shared libraries: "), at,
            ": ", what, detail.empty() ? "" : ": ", detail);
        break;
    }
    problems_.push_back(std::move(problem));
  }

  Files& files_;
  const System& system_;
  Exports& exports_;
  Load& load_;
  const bool dlopen_;
  std::vector<Problem>& problems_;
  std::vector<Unseen>& unseen_;
  Search search_;
  std::set<size_t> known_unneeded_;  // that nothing is asked of, or that were said already
  size_t preloads_ = 0;
  bool died_ = false;  // of a signal: nothing follows
};

Loader::Loader(const host::Host& host) : files_(host), exports_(std::make_unique<Exports>()) {}

Loader::~Loader() = default;

const System& Loader::SystemOf(const View& view, absl::string_view interpreter) {
  std::unique_ptr<System>& system =
      systems_[absl::StrCat(view.root, "\n", view.name, "\n", interpreter)];
  if (system == nullptr) system = std::make_unique<System>(ReadSystem(files_, view, interpreter));
  return *system;
}

// What kind of program it is, and its interpreter.
void Loader::Look(Load& load) {
  const StartOptions& options = load.options;
  const Files::Look& look = files_.At(options.view, options.program);
  if (look.found.absent()) {
    load.kind = Kind::kAbsent;
    return;
  }
  Object program;
  program.name = options.program;
  program.place.rule = Rule::kProgram;
  program.place.path = options.program;
  program.file = look.found;
  program.elf = files_.ElfOf(options.view, options.program);
  program.requests.push_back({});
  program.requests.front().rule = Rule::kProgram;
  const elf::ElfInfo* info = program.info();
  if (info == nullptr) {
    load.unseen.push_back({options.program, std::string(program.elf.why_not())});
    load.objects.push_back(std::move(program));
    return;
  }
  if (info->error.present() && info->elf_class.not_observed()) {
    constexpr size_t kFirstLine = 256;  // BINPRM_BUF_SIZE
    const Observed<host::Content> head = files_.Read(options.view, options.program, kFirstLine);
    absl::string_view line = head.present() ? absl::string_view(head->bytes) : "";
    line = line.substr(0, line.find('\n'));
    if (absl::ConsumePrefix(&line, "#!")) {
      load.kind = Kind::kScript;
      load.interpreter = std::string(absl::StripAsciiWhitespace(line));
    }
    load.objects.push_back(std::move(program));
    return;
  }
  load.interpreter = info->interp.value_or("");
  if (info->interp.absent()) {
    load.kind = Kind::kStatic;
  } else if (info->elf_class.value_or(64) != 64 ||
             (info->interp.present() && !IsGlibcLoader(load.interpreter))) {
    load.kind = Kind::kOtherLoader;
  } else {
    load.kind = Kind::kGlibc;
    if (info->interp.not_observed()) {
      load.unseen.push_back(
          {absl::StrCat("the loader of ", options.program), std::string(info->interp.why_not())});
    }
  }
  load.objects.push_back(std::move(program));
}

Load Loader::Start(const StartOptions& options) {
  Load load;
  load.options = options;
  Look(load);
  if (load.kind != Kind::kGlibc) return load;
  const System& system = SystemOf(options.view, load.interpreter);
  load.cache_stood_in = system.conf.has_value();
  if (options.secure.not_observed()) {
    load.unseen.push_back(
        {"whether the loader drops LD_PRELOAD (AT_SECURE)", std::string(options.secure.why_not())});
  }
  Run run(files_, system, *exports_, load, false, load.problems, load.unseen);
  run.Preload();
  std::vector<size_t> list;
  for (size_t i = 0; i < load.objects.size(); ++i) list.push_back(i);
  run.Needed(std::move(list));
  load.global = run.order;
  run.CheckCut(0);
  run.Bind(0, load.global, options.environment.bind_now);
  return load;
}

Opened Loader::Dlopen(const Load& load, size_t caller, absl::string_view name, Mode mode) {
  Opened opened;
  opened.name = std::string(name);
  opened.caller = caller;
  opened.mode = mode;
  opened.load = load;
  opened.first_new = load.objects.size();
  if (load.kind != Kind::kGlibc || caller >= load.objects.size()) {
    opened.unseen.push_back({opened.name, "its program's libraries are not known"});
    return opened;
  }
  const System& system = SystemOf(load.options.view, load.interpreter);
  Run run(files_, system, *exports_, opened.load, true, opened.problems, opened.unseen);
  Request request;
  request.by = Asker::kDlopen;
  request.object = caller;
  request.name = opened.name;
  opened.object = run.Map(request, caller, false);
  if (!opened.object) return opened;
  run.Needed({*opened.object});
  opened.scope = run.order;
  run.CheckCut(opened.first_new);
  std::vector<size_t> scope = opened.load.global;
  for (size_t object : opened.scope) {
    if (std::find(scope.begin(), scope.end(), object) == scope.end()) scope.push_back(object);
  }
  run.Bind(opened.first_new, scope, mode != Mode::kLazyLocal || load.options.environment.bind_now);
  if (mode == Mode::kNowGlobal && !opened.Fails()) opened.load.global = std::move(scope);
  return opened;
}

Loader::Entry Loader::LookAtEntry(absl::string_view text, const StartOptions& options) {
  Load load;
  load.options = options;
  Look(load);
  // Of a program that is not known, the directory still says where $ORIGIN leads.
  if (load.objects.empty()) {
    Object program;
    program.place.rule = Rule::kProgram;
    program.place.path = options.program;
    load.objects.push_back(std::move(program));
  }
  const System& system = SystemOf(options.view, load.interpreter);
  const Search search(files_, system, load.options, load.objects);
  Entry entry;
  entry.path = std::string(text);
  Search::Result result;
  if (absl::StrContains(text, '/')) {
    const std::optional<std::string> path = ExpandTokens(text, search.TokensOf(0));
    if (!path || path->empty()) {
      entry.found = NotObserved{"what its tokens stand for is not known"};
      entry.elf = NotObserved{"what its tokens stand for is not known"};
      return entry;
    }
    entry.path = *path;
    result = search.Open(*path);
  } else {
    result = search.Find(text, 0, options.secure.value_or(false));
  }
  if (!result.place.path.empty()) entry.path = result.place.path;
  entry.place = result.place;
  const bool lost = result.answer == Search::Answer::kNotFound && !absl::StrContains(text, '/');
  if (lost && result.doubts.empty()) {
    entry.found = Absent{};
    entry.elf = Absent{};
    return entry;
  }
  if (lost || result.answer == Search::Answer::kUnseen) {
    const NotObserved why =
        result.doubts.empty() ? NotObserved{"not looked at"} : result.doubts.front();
    entry.found = why;
    entry.elf = why;
    return entry;
  }
  const std::string path = search.Absolute(entry.path).value_or(entry.path);
  const Files::Look& look = files_.At(options.view, path);
  entry.found = look.found;
  entry.trace = look.trace;
  entry.elf = files_.ElfOf(options.view, path);
  return entry;
}

}  // namespace vgpu::loader

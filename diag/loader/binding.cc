#include "diag/loader/binding.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace vgpu::loader {
namespace {

using host::NotObserved;
using host::Observed;

constexpr int kExitVersion = 1;
constexpr int kExitError = 127;

// A file of a whole toolkit can lack thousands of symbols; the first ones say it all.
constexpr size_t kMaxMissing = 32;

bool IsEmpty(const Observed<std::vector<std::string>>& list) {
  return list.absent() || (list.present() && list->empty());
}

bool Contains(const std::vector<std::string>& list, absl::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The file has no DT_VERSYM: neither does it define versions nor does it need any.
bool HasNoVersionTable(const elf::ElfInfo& info) {
  const bool needs_none =
      info.version_needs.absent() || (info.version_needs.present() && info.version_needs->empty());
  return IsEmpty(info.version_defs) && needs_none;
}

std::string NameInMessage(const Object& object, const BindingOptions& options) {
  return object.place.rule == Rule::kProgram ? options.argv0 : object.place.path;
}

// The object that a version need means: the first that goes by that name.
std::optional<size_t> ByName(const std::vector<Object>& objects, absl::string_view name) {
  for (size_t i = 0; i < objects.size(); ++i) {
    if (Contains(objects[i].names, name)) return i;
  }
  return std::nullopt;
}

void EndOrFail(const BindingOptions& options, int status, Problem& problem) {
  problem.effect = options.dlopen ? Effect::kFailsDlopen : Effect::kEndsProgram;
  problem.status = options.dlopen ? 0 : status;
}

// Which names a library gives: of a library whose symbols were not all seen, a name that
// another one's family gives need not be doubted.
struct Family {
  absl::string_view library;  // the front of a soname or file name
  absl::string_view symbols;  // the front of its symbols; empty: of none of the others
};

constexpr Family kFamilies[] = {
    {"libcublasLt.so", "cublas"},
    {"libcublas.so", "cublas"},
    {"libcudart.so", "cuda"},
    {"libcudart.so", "__cuda"},
    {"libnvidia-ml.so", "nvml"},
    {"libggml", "ggml_"},
    {"libllama", "llama_"},
    // Runtimes of C and C++.
    {"ld-linux", ""},
    {"libc.so.", ""},
    {"libm.so.", ""},
    {"libdl.so.", ""},
    {"librt.so.", ""},
    {"libpthread.so.", ""},
    {"libresolv.so.", ""},
    {"libgcc_s.so.", ""},
    {"libstdc++.so.", ""},
    {"libgomp.so.", ""},
};

// "cuInit", and not "cudaMalloc" or "cublasCreate_v2".
bool IsOfDriver(absl::string_view symbol) {
  return symbol.size() > 2 && absl::StartsWith(symbol, "cu") && symbol[2] >= 'A' &&
         symbol[2] <= 'Z';
}

// The symbol is one of a family, and the object's library is of another.
bool IsOfAnotherFamily(const Object& object, absl::string_view symbol) {
  const std::string soname = object.soname();
  const absl::string_view name = soname.empty() ? host::Basename(object.name) : soname;
  const bool of_libcuda = absl::StartsWith(name, "libcuda.so");
  // A program gives its libraries nothing of CUDA's: what is linked into it stays inside.
  // (Of ggml it may: Ollama's own has it linked in.)
  const bool of_ggml = absl::StartsWith(symbol, "ggml_") || absl::StartsWith(symbol, "llama_");
  bool library_known = of_libcuda || (object.place.rule == Rule::kProgram && !of_ggml);
  bool symbol_known = IsOfDriver(symbol);
  if (of_libcuda && symbol_known) return false;
  for (const Family& family : kFamilies) {
    const bool of_library = absl::StartsWith(name, family.library);
    const bool of_symbol = !family.symbols.empty() && absl::StartsWith(symbol, family.symbols);
    if (of_library && of_symbol) return false;
    library_known = library_known || of_library;
    symbol_known = symbol_known || of_symbol;
  }
  return library_known && symbol_known;
}

enum class Match { kYes, kNo, kUnknown, kAsserts };

// Whether a lookup of `symbol` ends at this object (elf/dl-lookup.c, check_match).
Match Defines(const Object& object, const elf::UndefinedSymbol& symbol, absl::string_view file,
              Exports& exports, std::string& why) {
  const elf::ElfInfo* info = object.info();
  if (info == nullptr || info->exports.not_observed()) {
    if (IsOfAnotherFamily(object, symbol.name)) return Match::kNo;
    why = absl::StrCat("symbols of ", object.name, ": ",
                       info == nullptr ? object.elf.why_not() : info->exports.why_not());
    return Match::kUnknown;
  }
  const Exports::Versions* found = exports.Find(*object.elf, symbol.name);
  if (found == nullptr) {
    if (info->exports_complete.value_or(false) || info->exports.absent()) return Match::kNo;
    if (IsOfAnotherFamily(object, symbol.name)) return Match::kNo;
    why = absl::StrCat("only some symbols of ", object.name, " were recorded");
    return Match::kUnknown;
  }
  if (symbol.version.absent()) return Match::kYes;
  if (symbol.version.not_observed()) {
    why = absl::StrCat("the version of ", symbol.name, ": ", symbol.version.why_not());
    return Match::kUnknown;
  }
  for (const elf::ExportedSymbol* exported : *found) {
    if (exported->version.not_observed()) {
      why = absl::StrCat("the version of ", symbol.name, " in ", object.name, ": ",
                         exported->version.why_not());
      return Match::kUnknown;
    }
    if (exported->version.present() && *exported->version != *symbol.version) continue;
    if (exported->version.absent() && HasNoVersionTable(*info) && !file.empty() &&
        Contains(object.names, file)) {
      return Match::kAsserts;
    }
    return Match::kYes;
  }
  return Match::kNo;
}

// The library that a version is asked of.
std::string FileOfVersion(const elf::ElfInfo& info, absl::string_view version) {
  if (!info.version_needs.present()) return "";
  for (const elf::VersionNeed& need : *info.version_needs) {
    if (Contains(need.versions, version)) return need.file;
  }
  return "";
}

}  // namespace

const Exports::Versions* Exports::Find(const ElfRef& file, absl::string_view name) {
  auto [it, is_new] = indices_.try_emplace(file.get());
  Index& index = it->second;
  if (is_new) {
    index.file = file;
    if (file->exports.present()) {
      for (const elf::ExportedSymbol& symbol : *file->exports) {
        index.by_name[symbol.name].push_back(&symbol);
      }
    }
  }
  const auto found = index.by_name.find(name);
  return found == index.by_name.end() ? nullptr : &found->second;
}

void CheckVersions(const std::vector<Object>& objects, size_t first, const BindingOptions& options,
                   std::vector<Problem>& problems, std::vector<Unseen>& unseen) {
  for (size_t i = first; i < objects.size(); ++i) {
    const Object& object = objects[i];
    const elf::ElfInfo* info = object.info();
    if (info == nullptr || !info->version_needs.present()) continue;
    for (const elf::VersionNeed& need : *info->version_needs) {
      const std::optional<size_t> library = ByName(objects, need.file);
      // What is not loaded at all is a problem of its own, or was replaced in the file.
      if (!library) continue;
      const Object& of = objects[*library];
      const elf::ElfInfo* its = of.info();
      if (its == nullptr || its->version_defs.not_observed()) {
        unseen.push_back(
            {absl::StrCat("versions of ", of.name, ", of which ", object.name, " needs ",
                          need.versions.empty() ? "" : need.versions[0]),
             std::string(its == nullptr ? of.elf.why_not() : its->version_defs.why_not())});
        continue;
      }
      // A library without any versions gets a warning here; see CheckSymbols.
      if (IsEmpty(its->version_defs)) continue;
      for (const std::string& version : need.versions) {
        if (Contains(*its->version_defs, version) || Contains(need.weak, version)) continue;
        Problem problem;
        problem.trouble = Trouble::kVersionNotFound;
        EndOrFail(options, kExitVersion, problem);
        problem.request = of.requests.empty() ? Request() : of.requests.front();
        problem.path = of.place.path;
        problem.object = library;
        problem.needed_by = i;
        problem.version = version;
        problem.doubts = of.doubts;
        problem.text =
            absl::StrCat(options.dlopen ? "" : absl::StrCat(options.argv0, ": "),
                         NameInMessage(of, options), ": version `", version,
                         "' not found (required by ", NameInMessage(object, options), ")");
        problems.push_back(std::move(problem));
      }
    }
  }
}

void CheckSymbols(const std::vector<Object>& objects, size_t first,
                  const std::vector<size_t>& scope, const BindingOptions& options, Exports& exports,
                  std::vector<Problem>& problems, std::vector<Unseen>& unseen) {
  std::vector<Problem> found;
  // What is needed is relocated before what needs it, so the last object's comes first.
  for (size_t i = objects.size(); i-- > first;) {
    const Object& object = objects[i];
    const elf::ElfInfo* info = object.info();
    if (info == nullptr || !info->undefined.present()) continue;
    const bool at_once = options.at_once || info->bind_now.value_or(false);
    size_t missing = 0;
    std::string first_doubt;
    for (const elf::UndefinedSymbol& symbol : *info->undefined) {
      if (symbol.weak || symbol.lazy.absent()) continue;
      const std::string file =
          symbol.version.present() ? FileOfVersion(*info, *symbol.version) : std::string();
      Match match = Match::kNo;
      std::string why;
      const Object* at = nullptr;
      for (size_t in_scope : scope) {
        const Match here = Defines(objects[in_scope], symbol, file, exports, why);
        if (here == Match::kNo) continue;
        if (here == Match::kUnknown) {
          match = Match::kUnknown;
          continue;
        }
        // Behind an object of which it is not known, one that defines it ends all doubt
        // whether it is found.
        if (here == Match::kAsserts && match == Match::kUnknown) continue;
        match = here;
        at = &objects[in_scope];
        break;
      }
      if (match == Match::kYes) continue;
      if (match == Match::kUnknown) {
        if (first_doubt.empty()) first_doubt = why;
        continue;
      }
      if (++missing > kMaxMissing) break;
      Problem problem;
      const bool waits = !at_once && symbol.lazy.value_or(true);
      problem.request = object.requests.empty() ? Request() : object.requests.front();
      problem.path = object.place.path;
      problem.object = i;
      problem.needed_by = i;
      problem.symbol = symbol.name;
      problem.version = symbol.version.value_or("");
      problem.doubts = object.doubts;
      if (match == Match::kAsserts) {
        problem.trouble = Trouble::kNoVersions;
        problem.object = static_cast<size_t>(at - objects.data());
        problem.path = at->place.path;
        // An assertion ends the process, in dlopen too.
        problem.effect = waits ? Effect::kIfUsed : Effect::kEndsProgram;
        problem.status = kExitError;
        problem.text =
            "Inconsistency detected by ld.so: dl-lookup.c: 107: check_match: Assertion "
            "`version->filename == NULL || ! _dl_name_match_p (version->filename, map)' failed!";
        found.push_back(std::move(problem));
        continue;
      }
      problem.trouble = Trouble::kUndefinedSymbol;
      EndOrFail(options, kExitError, problem);
      if (waits) {
        problem.effect = Effect::kIfUsed;
        problem.status = kExitError;
      }
      const std::string version =
          problem.version.empty() ? "" : absl::StrCat(", version ", problem.version);
      problem.text = absl::StrCat(
          options.dlopen && !waits ? "" : absl::StrCat(options.argv0, ": symbol lookup error: "),
          NameInMessage(object, options), ": undefined symbol: ", symbol.name, version);
      found.push_back(std::move(problem));
    }
    if (!first_doubt.empty()) {
      unseen.push_back({absl::StrCat("whether all symbols of ", object.name, " are defined"),
                        std::move(first_doubt)});
    } else if (!info->undefined_complete.value_or(true)) {
      unseen.push_back({absl::StrCat("whether all symbols of ", object.name, " are defined"),
                        "only some of those that it needs were recorded"});
    }
  }
  // What ends the program stands before what may.
  std::stable_partition(found.begin(), found.end(),
                        [](const Problem& problem) { return problem.effect != Effect::kIfUsed; });
  for (Problem& problem : found) problems.push_back(std::move(problem));
}

}  // namespace vgpu::loader

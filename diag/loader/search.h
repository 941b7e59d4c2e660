// Where the loader looks for a name, and what it makes of the files that it finds.
//
// One step of the model in loader.h, which uses it: private to this directory.

#ifndef DIAG_LOADER_SEARCH_H_
#define DIAG_LOADER_SEARCH_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/loader/files.h"
#include "diag/loader/loader.h"
#include "diag/loader/system.h"
#include "diag/loader/tokens.h"

namespace vgpu::loader {

class Search {
 public:
  // All of them have to outlive it. `objects` are those that are loaded; the first is the
  // program.
  Search(Files& files, const System& system, const StartOptions& options,
         const std::vector<Object>& objects)
      : files_(files), system_(system), options_(options), objects_(objects) {}

  enum class Answer {
    kFound,
    kNotFound,
    kRefused,  // `error` says why; the search ends there
    kHangs,
    kUnseen,  // it cannot be told whether there is such a file
  };
  struct Result {
    Answer answer = Answer::kNotFound;
    Place place;                        // of what was found or refused
    std::string error;                  // "file too short"
    std::vector<std::string> searched;  // directories
    std::vector<Shadowed> shadows;
    std::vector<Shadowed> passed_over;
    std::vector<host::NotObserved> doubts;
  };

  // A name with a slash, its tokens replaced.
  Result Open(absl::string_view path) const;

  // A name without one, that `asker` needs or opens. `set_uid_only`: a preload in secure
  // mode.
  Result Find(absl::string_view name, std::optional<size_t> asker, bool set_uid_only) const;

  // What the strings of an object mean.
  Tokens TokensOf(size_t object) const;

  // Below the directory that the program starts in; nothing where that is not known.
  std::optional<std::string> Absolute(absl::string_view path) const;

 private:
  struct Dir {
    std::string path;  // as the loader names it, which may be below the working directory
    bool known = true;
  };
  struct List {
    Rule rule = Rule::kDefaultDir;
    std::vector<Dir> dirs;
    std::optional<size_t> of_object;
  };
  struct Subdir {
    std::string path;
    bool taken = true;  // false: it is not known whether the loader looks there
  };
  enum class Fit { kTake, kNotThere, kLoop, kPassOver, kRefuse, kHang, kUnseen };
  struct Verdict {
    Fit fit = Fit::kNotThere;
    std::string text;  // the refusal, or why it was not seen
  };

  Verdict Judge(absl::string_view path) const;
  Verdict JudgeElf(const elf::ElfInfo& info) const;
  std::vector<List> Lists(std::optional<size_t> asker, Result& result) const;
  List ListOf(Rule rule, absl::string_view text, absl::string_view separators, size_t object) const;
  const std::vector<Subdir>& Subdirs() const;
  bool IsDir(absl::string_view path) const;
  void Try(const Place& place, bool sure, bool set_uid_only, Result& result, bool& loop) const;
  void TryCache(absl::string_view name, std::optional<size_t> asker, Result& result) const;
  void AddShadow(const Place& place, Result& result) const;
  bool Skips(std::optional<size_t> asker) const;

  Files& files_;
  const System& system_;
  const StartOptions& options_;
  const std::vector<Object>& objects_;
  mutable std::vector<Subdir> subdirs_;
};

// Whether two looks led to one file: by device and inode, else by the path behind links.
bool SameFile(const host::Resolved& a, const host::Resolved& b);

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_SEARCH_H_

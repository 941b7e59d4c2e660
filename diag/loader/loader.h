// What glibc's dynamic loader does when a program starts, and when one of its objects
// opens a library: which file wins for each name, by which rule, what it shadows, and
// what goes wrong with which words.
//
//   Loader loader(host);
//   Load load = loader.Start({.program = "/usr/local/bin/ollama",
//                             .environment = {.preload = "/usr/lib64/libvgpu-cuda.so"}});
//   Opened backend = loader.Dlopen(load, 0, "/usr/local/lib/ollama/cuda_v12/libggml-cuda.so");
//   for (const Problem& problem : backend.problems) Say(problem.text);
//
// The model is of glibc 2.36 on 64-bit little-endian machines (elf/rtld.c, dl-load.c,
// dl-deps.c, dl-version.c, dl-lookup.c). Later versions differ in little: they have no
// legacy hwcaps directories (2.37). Not modelled: LD_AUDIT, DT_FILTER and DT_AUXILIARY,
// dlmopen, RTLD_DEEPBIND, the space for static TLS, permissions and noexec mounts.
//
// Three answers everywhere. What could not be looked at is in `unseen`, and the `doubts`
// of an object or a problem name what might make it another one: with none, it is what
// the loader does with these files.
//
// A capture (a tree of a host that ran) keeps the files that matter, and often not the
// system's libraries. It is trusted to say that a library is *not* there only if it has
// libc.so.6 in some directory that the loader searches by itself, because each program
// needs that one. Without it, a name that ends in those directories is not observed, and
// so is, always, a missing part of glibc itself.
//
// Thread-compatible; looks at each file once. The Host has to outlive the Loader.

#ifndef DIAG_LOADER_LOADER_H_
#define DIAG_LOADER_LOADER_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/loader/files.h"

namespace vgpu::loader {

class Exports;
struct System;

// Of a process's environment, what the loader reads.
struct Environment {
  std::optional<std::string> preload;       // LD_PRELOAD
  std::optional<std::string> library_path;  // LD_LIBRARY_PATH
  bool bind_now = false;                    // LD_BIND_NOW is set and not empty

  // From a whole environment.
  static Environment From(const std::map<std::string, std::string>& variables);
};

struct StartOptions {
  std::string program;  // absolute, as the process sees it
  std::string argv0;    // as its messages begin; empty: `program`
  Environment environment;
  View view;
  // AT_SECURE: LD_ variables are dropped. Where it is not known, it is taken as false.
  host::Observed<bool> secure = false;
  // The file that the process sees as /etc/ld.so.preload, if that is another one.
  std::string preload_file = "/etc/ld.so.preload";
  host::Observed<std::string> cwd = host::NotObserved{"not known"};
};

// Who asks for a library.
enum class Asker { kStart, kPreloadVariable, kPreloadFile, kNeeded, kDlopen };

// By which rule a name led to a file.
enum class Rule {
  kProgram,       // it is the program
  kInterpreter,   // it is the loader itself, which is always there
  kPath,          // the name has a slash
  kLoadedName,    // loaded already: asked for by this name before
  kLoadedSoname,  // loaded already: an object of this DT_SONAME
  kLoadedFile,    // loaded already: the same file under another name
  kRpath,         // DT_RPATH of `of_object`
  kLibraryPath,   // LD_LIBRARY_PATH
  kRunpath,       // DT_RUNPATH of the object that asks
  kCache,         // /etc/ld.so.cache
  kConfDir,       // a directory of /etc/ld.so.conf, which stands in for the cache
  kDefaultDir,
};

// A place where a file of that name is.
struct Place {
  Rule rule = Rule::kPath;
  std::string path;                 // as the loader opens it
  std::string dir;                  // of the list, before a subdirectory for the CPU
  std::string subdir;               // "glibc-hwcaps/x86-64-v3"; empty: the directory itself
  size_t entry = 0;                 // position in the list of directories, from 0
  std::optional<size_t> of_object;  // whose RPATH
};

// What a person reads: "LD_LIBRARY_PATH", "RUNPATH", "/etc/ld.so.cache".
absl::string_view RuleName(Rule rule);

struct Request {
  Asker by = Asker::kStart;
  std::optional<size_t> object;  // that asks
  std::string name;              // verbatim, with its tokens
  Rule rule = Rule::kPath;       // that answered
};

// A file that was not taken, because another place came first.
struct Shadowed {
  Place place;
  host::Resolved file;
  host::Observed<ElfRef> elf;
};

struct Object {
  std::string name;               // as it was first asked for, tokens replaced
  Place place;                    // that won
  std::vector<Request> requests;  // who asked for it; the first brought it in
  host::Observed<host::Resolved> file;
  host::Observed<ElfRef> elf;
  std::vector<Shadowed> shadows;
  std::vector<host::NotObserved> doubts;  // places that came before and were not seen

  // For later steps: the names that match it, and the object that brought it in.
  std::vector<std::string> names;
  std::optional<size_t> loader;

  const elf::ElfInfo* info() const { return elf.present() ? elf->get() : nullptr; }
  // "libcuda.so.1": DT_SONAME, or "" where it has none or none was seen.
  std::string soname() const;
};

enum class Trouble {
  kNotFound,         // no file
  kNotLoadable,      // a file that is refused, in the loader's own words
  kCut,              // it is mapped, and touching what is missing ends the process
  kHangs,            // a FIFO: the loader waits for its writer
  kVersionNotFound,  // a library lacks a version node that another one needs
  kNoVersions,       // it has no versions at all, where one is asked of it: an assertion fails
  kUndefinedSymbol,
};

enum class Effect {
  kPassedOver,   // one line on standard error; the program goes on
  kEndsProgram,  // with `status`, or by `signal`
  kFailsDlopen,
  kIfUsed,  // ends the program when the symbol is first called, or the part touched
};

struct Problem {
  Trouble trouble = Trouble::kNotFound;
  Effect effect = Effect::kEndsProgram;
  int status = 0;  // exit status
  int signal = 0;
  Request request;   // of the library; of the undefined symbol's object, the first one
  std::string path;  // of the file that is refused or lacks something; "" where none is there
  std::optional<size_t> object;     // the same, if it was loaded
  std::optional<size_t> needed_by;  // the object that needs the version or the symbol
  std::string symbol;
  std::string version;
  std::vector<std::string> searched;  // directories, in order
  std::vector<Shadowed> passed_over;  // files of that name for another machine or class
  std::string text;  // the line that glibc prints, or dlerror(3) returns; "" where none
  std::vector<host::NotObserved> doubts;
};

struct Unseen {
  std::string what;
  std::string why;
};

enum class Kind {
  kGlibc,        // a program that glibc's loader starts
  kStatic,       // nothing is loaded; LD_PRELOAD means nothing
  kScript,       // `interpreter` runs it: start that one instead
  kOtherLoader,  // musl, or a 32-bit program: LD_PRELOAD works, by other rules
  kAbsent,       // there is no such program
  kNotObserved,  // its file could not be looked at
};

struct Load {
  Kind kind = Kind::kNotObserved;
  std::string interpreter;  // of a script, the rest of its first line; else PT_INTERP
  // The program, preloads, and what is needed, breadth first: the order in which symbols
  // are looked up. Objects of a successful dlopen follow.
  std::vector<Object> objects;
  std::vector<size_t> global;  // objects that every lookup searches
  std::vector<Problem> problems;
  std::vector<Unseen> unseen;
  // A cache was not captured: directories of ld.so.conf were searched in its place.
  bool cache_stood_in = false;

  // Whether the program comes to its main function: present and true where nothing ends
  // it and nothing that decides was unseen.
  host::Observed<bool> Starts() const;
  // The object that answers to a soname or file name; null where none does.
  const Object* Find(absl::string_view soname) const;

  // What Start was asked, for what is opened later.
  StartOptions options;
};

enum class Mode { kNowLocal, kNowGlobal, kLazyLocal };

struct Opened {
  std::string name;
  size_t caller = 0;
  Mode mode = Mode::kNowLocal;
  // The process afterwards, or as it would be: where the call fails, with the objects that
  // were tried.
  Load load;
  size_t first_new = 0;           // objects from here on are new
  std::optional<size_t> object;   // that was opened, or was there already
  std::vector<size_t> scope;      // what it and its libraries look symbols up in, behind `global`
  std::vector<Problem> problems;  // of this call
  std::vector<Unseen> unseen;

  host::Observed<bool> Succeeds() const;
  // A problem, doubtful or not, keeps it from succeeding.
  bool Fails() const;
};

class Loader {
 public:
  explicit Loader(const host::Host& host);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  Load Start(const StartOptions& options);

  // `caller` is the index of the object whose code calls dlopen. `name` as it is given.
  Opened Dlopen(const Load& load, size_t caller, absl::string_view name,
                Mode mode = Mode::kNowLocal);

  // Where one preload entry leads, whether it can be loaded or not. The program may be
  // unknown but for its path.
  struct Entry {
    std::string path;  // tokens replaced
    host::Observed<host::Resolved> found;
    host::Trace trace;
    host::Observed<ElfRef> elf;
    Place place;
  };
  Entry LookAtEntry(absl::string_view text, const StartOptions& options);

 private:
  class Run;
  const System& SystemOf(const View& view, absl::string_view interpreter);
  void Look(Load& load);

  Files files_;
  std::unique_ptr<Exports> exports_;
  std::map<std::string, std::unique_ptr<System>> systems_;  // by view and interpreter
};

}  // namespace vgpu::loader

#endif  // DIAG_LOADER_LOADER_H_

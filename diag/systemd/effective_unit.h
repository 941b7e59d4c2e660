// What a service's fragment and drop-ins say together: the unit that systemd would
// load from the disk, with the file and line of everything in it.
//
//   UnitFiles files = FindUnit(host, "ollama.service");
//   EffectiveUnit unit = MergeUnit(files.InOrder(), context);
//   auto preload = unit.environment.find("LD_PRELOAD");
//   if (preload == unit.environment.end()) {
//     for (const Superseded& s : unit.superseded) ...   // what took it away, and where
//   }
//
// Readings follow load-fragment.c of systemd 252 and its wording. Only what the text
// says is here: an EnvironmentFile= is named, not read (environment_file.h reads it,
// and what it sets wins over Environment=).
//
// A value; MergeUnit is pure. Thread-safe as values are. Nothing is owned by others.

#ifndef DIAG_SYSTEMD_EFFECTIVE_UNIT_H_
#define DIAG_SYSTEMD_EFFECTIVE_UNIT_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "diag/host/observed.h"
#include "diag/systemd/specifiers.h"
#include "diag/systemd/unit_file.h"

namespace vgpu::systemd {

struct Place {
  std::string file;
  int line = 0;
  friend bool operator==(const Place& a, const Place& b) {
    return a.file == b.file && a.line == b.line;
  }
};

// One variable of Environment=. The value is not observed where it needs a specifier
// that is not known here; `raw` has the specifiers as written, without the quotes.
struct EnvironmentEntry {
  host::Observed<std::string> value;
  std::string raw;
  Place place;
};

// An assignment that no longer counts.
struct Superseded {
  enum class How {
    kReplaced,  // a later assignment of the same variable
    kReset,     // a bare Environment=
  };
  std::string key;
  EnvironmentEntry was;
  Place by;
  How how = How::kReplaced;
};

struct EnvironmentFileSetting {
  std::string path;       // simplified; may be a glob pattern
  bool optional = false;  // "-": the unit starts without it
  Place place;
};

// A word of UnsetEnvironment= (NAME or NAME=VALUE) or PassEnvironment= (NAME).
struct EnvironmentWord {
  std::string word;
  Place place;
};

// One command of ExecStart= or ExecStartPre=.
struct ExecCommand {
  std::string path;               // absolute, or a name that is searched in systemd's path
  std::vector<std::string> argv;  // argv[0] is the path unless "@" is among the prefixes
  std::string prefixes;           // of "-@:+!", in the order written; "!!" stays two
  std::string raw;                // the command as written; a setting may hold several, apart by ;
  // Why some of `path` and `argv` stands as written: a specifier that is not known.
  // Empty: nothing does.
  std::string unexpanded;
  Place place;

  bool IgnoresFailure() const { return prefixes.find('-') != std::string::npos; }
};

// Any other key: its value as written.
struct Setting {
  std::string section;
  std::string key;
  std::string value;
  Place place;
};

struct UnitProblem {
  Place place;
  std::string message;
};

struct EffectiveUnit {
  std::map<std::string, EnvironmentEntry> environment;
  std::vector<Superseded> superseded;  // in the order in which they ended
  std::vector<EnvironmentFileSetting> environment_files;
  std::vector<EnvironmentWord> unset_environment;
  std::vector<EnvironmentWord> pass_environment;
  std::vector<ExecCommand> exec_start;
  std::vector<ExecCommand> exec_start_pre;
  // Every other known key, in order; what a bare `Key=` took back is gone, and that
  // bare assignment too. A key that holds one value has its last one in effect.
  std::map<std::pair<std::string, std::string>, std::vector<Setting>> settings;
  // What systemd ignores, in its words, and what stops it.
  std::vector<UnitProblem> problems;
  // Assignments in a section that is not of a service, in none, or with an unknown key.
  std::vector<Setting> ineffective;
  // The fragment itself has an error that systemd does not pass over: the unit is
  // not loaded (LoadState=bad-setting).
  bool bad_setting = false;

  // The one in effect of a key that holds one value; nullptr where there is none.
  // Points into this unit.
  const Setting* Last(absl::string_view section, absl::string_view key) const;
  std::vector<Setting> All(absl::string_view section, absl::string_view key) const;
};

// `files` in systemd's order: the fragment, then the drop-ins. Pointers are not kept.
EffectiveUnit MergeUnit(absl::Span<const UnitFile* const> files, const SpecifierContext& context);

}  // namespace vgpu::systemd

#endif  // DIAG_SYSTEMD_EFFECTIVE_UNIT_H_

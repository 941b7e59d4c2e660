// What every view for people says alike: where a piece of evidence stands, how a code is
// named, which causes one reason rules out, who was judged.
//
// They take a report that is safe to show (shown.h) and point into it.
//
// Pure functions, safe in any thread.

#ifndef DIAG_REPORT_PHRASES_H_
#define DIAG_REPORT_PHRASES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/report/report.h"

namespace vgpu::report {

// "/proc/57290/maps, line 44": a file or a command, and its line.
std::string Place(const rules::Evidence& evidence);

// A sentence that goes on: without the period at its end.
absl::string_view WithoutPeriod(absl::string_view sentence);

// A command of a shell, and no sentence: it begins with the name of a program that rules name, or
// with a variable for one.
//   "sudo rm /etc/x"; "LD_LIBRARY_PATH=/a ldd -r /b"      and not "put the line back as it was"
bool IsCommand(absl::string_view text);

// Null where the report holds no such item.
const Item* FindItem(absl::string_view code, const Report& report);

// "VG704 discovered-no-gpu", where the report knows the code.
std::string Named(absl::string_view code, const Report& report);

// "VG302" is of layer 3; 0 where it is of none.
int LayerOf(absl::string_view code);

struct RuledOutGroup {
  std::string because;
  std::vector<const RuledOut*> causes;  // never empty

  // "loader-crash, VG404 preload-file-truncated": all but the first code, which leads the line.
  std::string Names() const;
};

// Those that one reason rules out stand together, in the order of the first of them.
std::vector<RuledOutGroup> GroupRuledOut(const Report& report);

// Verdict and root causes, in one line: "PROBLEM: VG203 daemon-reload-needed, VG506 …"; "HEALTHY".
std::string Title(const Report& report);

// " on test10" where another machine than this one was judged: what could not be seen is to be seen
// there. Empty of a live host.
std::string OnItsHost(const Report& report);

// Host, time, service, Ollama, source: a label and what is known of it.
std::vector<std::pair<std::string, std::string>> WhoWasJudged(const Report& report);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_PHRASES_H_

// VG201 unit-not-found: no such unit, on disk or loaded.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {

Judgement UnitNotFound(const facts::Facts& facts) {
  if (!facts.unit_judged) return *WithoutUnit(facts);
  const facts::UnitFacts& unit = facts.unit;
  const std::string load_state = unit.load_state.value_or("");
  if (unit.files.fragment.present()) {
    return Contradicted{absl::StrCat(unit.files.fragment->file.path, " is there")};
  }
  if (!load_state.empty() && load_state != "not-found") {
    return Contradicted{absl::StrCat(unit.loaded.source, ": LoadState=", load_state)};
  }
  if (load_state.empty() && facts.UnitIsKnown()) {
    return Contradicted{facts.process.present()
                            ? absl::StrCat("process ", facts.process->pid, " is in ", unit.name)
                            : absl::StrCat("the journal has what ", unit.name, " said")};
  }
  if (!unit.files.fragment.absent() && load_state != "not-found") {
    return CannotTell{absl::StrCat("whether there is a unit file of ", unit.name),
                      std::string(unit.files.fragment.why_not()),
                      absl::StrCat("systemctl cat ", unit.name)};
  }
  const bool no_systemd = facts::NoSystemd(unit);
  // Neither the units that are loaded were seen nor any on the disk: the unit may be elsewhere,
  // or the service manager another one.
  if (!no_systemd && facts.running_host && !unit.loaded.present() && !unit.manager.present() &&
      !facts.ollama_units.present() && !facts.listener.present()) {
    return CannotTell{absl::StrCat("whether there is a unit ", unit.name),
                      absl::StrCat("no file of it was found, and systemd was not asked (",
                                   unit.loaded.why_not(), ")"),
                      absl::StrCat("systemctl cat ", unit.name)};
  }

  Holds holds;
  holds.confidence = load_state == "not-found" ? Confidence::kCertain : Confidence::kLikely;
  holds.evidence.push_back(
      {"systemd's unit search path", 0, unit.name, "no directory of it has a file of this name"});
  if (!load_state.empty()) {
    holds.evidence.push_back(
        {unit.loaded.source, 0, "LoadState=not-found", "systemd has no such unit loaded"});
  }
  if (no_systemd) {
    holds.evidence.push_back(
        {unit.loaded.source, 0, std::string(unit.loaded.why_not()),
         "systemd does not run here: no unit can be loaded, and a process is started otherwise"});
  }
  if (facts.listener.present()) {
    const std::string where =
        facts.listener_unit.empty() ? "in no unit" : absl::StrCat("in ", facts.listener_unit);
    holds.headline =
        absl::StrCat("There is no unit ", unit.name, " here; process ", *facts.listener, " (",
                     where, ") listens on port ", facts.port, ": judge that one.");
    holds.evidence.push_back({facts.listener.source, 0, absl::StrCat("process ", *facts.listener),
                              absl::StrCat("listens on Ollama's port ", facts.port, ", ", where)});
    holds.fix.push_back({facts.listener_unit.empty()
                             ? absl::StrCat("sudo vgpu-doctor check --pid ", *facts.listener)
                             : absl::StrCat("sudo vgpu-doctor check --unit ", facts.listener_unit),
                         "judges what serves", "", ""});
  } else {
    holds.headline =
        absl::StrCat("There is no unit ", unit.name, " on this host",
                     no_systemd ? ", and systemd does not run here: name the process with --pid."
                                : ": install Ollama as a service, or name its unit with --unit.");
    if (no_systemd) {
      holds.fix.push_back(
          {"vgpu-doctor check --pid PID", "judges a process that systemd did not start", "", ""});
    } else {
      holds.fix.push_back({"systemctl list-unit-files '*ollama*'",
                           "shows how the unit is called, if there is one", "", ""});
    }
  }
  holds.explains = {"VG301"};
  holds.expect = {no_systemd || (facts.listener.present() && facts.listener_unit.empty())
                      ? "a report on the process that serves"
                      : absl::StrCat("`systemctl status ", unit.name, "` shows a loaded unit")};
  return holds;
}

}  // namespace vgpu::rules

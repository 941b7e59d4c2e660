// VG201 unit-not-found: no such unit, on disk or loaded.

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

// No server runs, and that was seen.
bool NoServer(const facts::Facts& facts) {
  return facts.running_host && !facts.process.present() && facts.servers.present() &&
         facts.servers->empty();
}

// Nor is there a program in any of the usual places, nor a unit that is called like it.
bool NoOllama(const facts::Facts& facts) {
  return facts.complete && NoServer(facts) && !facts.ollama.exe.present() &&
         facts.installation.others.empty() && facts.ollama_units.value_or({}).empty();
}

// What was looked at, and what there is to judge instead.
void SayNoOllama(const facts::Facts& facts, Holds& holds) {
  const bool live = facts.host_kind == host::Host::Kind::kLive;
  holds.headline =
      absl::StrCat("No Ollama was found ", live ? "here" : "on this host", ": no unit ",
                   facts.unit.name, ", no process, no program in the usual places.");
  if (facts.ollama_units.present()) {
    holds.evidence.push_back({facts.ollama_units.source, 0, "(none)",
                              "no unit that systemd knows is called like Ollama"});
  }
  holds.evidence.push_back({"/proc/*/cmdline", 0, "(none)",
                            "no process is `ollama serve`, by its program or its words"});
  holds.evidence.push_back({facts.ollama.exe.source, 0, "(none)",
                            "none of the places where installers put the program has it"});
  holds.fix.push_back({"vgpu-doctor check --root FILE",
                       "judges the machine that has Ollama, from the FILE that `sudo vgpu-doctor "
                       "capture` wrote there",
                       "", ""});
  const bool needs_sudo = live && facts.observer_uid.value_or(0) != 0;
  holds.fix.push_back({absl::StrCat(needs_sudo ? "sudo " : "", "vgpu-doctor check ",
                                    live ? "" : "--root FILE ", "--unit UNIT"),
                       "judges a service whose unit and program are called otherwise", "", ""});
  holds.expect = {"a report on the service that is to see the GPU"};
}

}  // namespace

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
  } else if (NoOllama(facts)) {
    SayNoOllama(facts, holds);
  } else if (no_systemd && NoServer(facts) && !facts.installation.others.empty() &&
             !facts.installation.others.front().program.empty()) {
    const std::string& program = facts.installation.others.front().program;
    holds.headline = absl::StrCat("There is no unit ", unit.name,
                                  " on this host, systemd does not run here, and no server of "
                                  "Ollama runs: start ",
                                  program, " serve, and check again.");
    holds.evidence.push_back({program, 0, facts.installation.others.front().version.value_or(""),
                              "the program is installed"});
    holds.fix.push_back({absl::StrCat(program, " serve"),
                         "starts a server, whose discovery can then be judged", "", ""});
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
  if (!holds.expect.empty()) return holds;
  holds.expect = {no_systemd || (facts.listener.present() && facts.listener_unit.empty())
                      ? "a report on the process that serves"
                      : absl::StrCat("`systemctl status ", unit.name, "` shows a loaded unit")};
  return holds;
}

}  // namespace vgpu::rules

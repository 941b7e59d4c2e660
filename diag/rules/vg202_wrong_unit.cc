// VG202 wrong-unit: another unit than the configured one runs Ollama: a snap's, a user's, a
// container, a shell. What the configured unit says reaches nobody then.
//
// A second server on a port of its own is no fault. Neither is the container that the unit
// itself starts: that is VG610's ground.

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

using facts::OllamaServer;

bool IsOfUnit(const facts::Facts& facts, const OllamaServer& server) {
  return server.unit == facts.unit.name ||
         (facts.process.present() && facts.process->pid == server.pid);
}

std::string Where(const OllamaServer& server) {
  if (server.container) {
    return absl::StrCat("the ", server.container->runtime, " container ",
                        server.container->id.substr(0, 12));
  }
  if (server.forwards) return "a container, whose port the host passes on";
  if (absl::StartsWith(server.user_unit, "ollama") && absl::StartsWith(server.unit, "user@")) {
    return absl::StrCat(server.user_unit, " of a user's manager (", server.unit, ")");
  }
  if (absl::StartsWith(server.unit, "session-") || absl::StartsWith(server.unit, "user@")) {
    return absl::StrCat("a login or a shell (", server.unit, ")");
  }
  return server.unit.empty() ? std::string("no unit") : server.unit;
}

// Which of the others serves: the one that listens on the port, else the only one.
const OllamaServer* Other(const facts::Facts& facts) {
  if (!facts.servers.present()) return nullptr;
  const OllamaServer* other = nullptr;
  for (const OllamaServer& server : *facts.servers) {
    if (IsOfUnit(facts, server)) continue;
    if (server.listens.value_or(false)) return &server;
    // A container has a network of its own: its port is not to be seen here.
    if (other == nullptr) other = &server;
  }
  return other;
}

// One that systemd says is active, where no process of it was seen.
const systemd::ListedUnit* OtherListed(const facts::Facts& facts) {
  if (!facts.ollama_units.present()) return nullptr;
  for (const systemd::ListedUnit& unit : *facts.ollama_units) {
    if (unit.name != facts.unit.name && unit.active == "active" && unit.sub == "running") {
      return &unit;
    }
  }
  return nullptr;
}

bool Listens(const facts::Facts& facts, int pid) {
  if (!facts.servers.present()) return false;
  return std::any_of(facts.servers->begin(), facts.servers->end(), [&](const OllamaServer& s) {
    return s.pid == pid && s.listens.value_or(false);
  });
}

FixStep StopOther(const OllamaServer& server) {
  const std::string risk = "who uses that server is cut off, and its models may lie elsewhere";
  if (server.container) {
    const std::string engine = server.container->runtime == "podman" ? "podman" : "docker";
    const std::string id = server.container->id.substr(0, 12);
    return {absl::StrCat("sudo ", engine, " stop ", id), "frees the port", risk,
            absl::StrCat("sudo ", engine, " start ", id)};
  }
  if (server.forwards) {
    return {"sudo docker ps --filter publish=11434",
            "names the container; `sudo docker stop NAME` then frees the port", risk,
            "sudo docker start NAME"};
  }
  absl::string_view uid = server.unit;
  if (absl::StartsWith(server.user_unit, "ollama") && absl::ConsumePrefix(&uid, "user@") &&
      absl::ConsumeSuffix(&uid, ".service")) {
    const std::string manager = absl::StrCat("sudo systemctl --user --machine=", uid, "@.host ");
    return {absl::StrCat(manager, "disable --now ", server.user_unit), "frees the port", risk,
            absl::StrCat(manager, "enable --now ", server.user_unit)};
  }
  if (absl::StartsWith(server.unit, "snap.")) {
    return {"sudo snap stop --disable ollama", "frees the port", risk,
            "sudo snap start --enable ollama"};
  }
  if (absl::EndsWith(server.unit, ".service") && !absl::StartsWith(server.unit, "user@")) {
    return {absl::StrCat("sudo systemctl disable --now ", server.unit), "frees the port", risk,
            absl::StrCat("sudo systemctl enable --now ", server.unit)};
  }
  return {absl::StrCat("sudo kill ", server.pid), "ends the server that a person started", risk,
          "start it again by hand"};
}

// How to judge what serves.
std::string JudgeOther(const OllamaServer& server) {
  const bool of_system = absl::EndsWith(server.unit, ".service") && !server.container &&
                         !server.forwards && !absl::StartsWith(server.unit, "user@");
  return of_system ? absl::StrCat("sudo vgpu-doctor check --unit ", server.unit)
                   : absl::StrCat("sudo vgpu-doctor check --pid ", server.pid);
}

Holds AboutUnit(const facts::Facts& facts) {
  Holds holds;
  if (facts.unit.active_state.present()) {
    holds.evidence.push_back(
        {facts.unit.loaded.source, 0,
         absl::StrCat("ActiveState=", *facts.unit.active_state,
                      " SubState=", facts.unit.sub_state.value_or("?")),
         absl::StrCat("the configured unit, ", facts.unit.name, ", does not serve")});
  } else if (!facts.unit.files.drop_ins.empty()) {
    holds.evidence.push_back({facts.unit.files.drop_ins.front().file.path, 0, "",
                              absl::StrCat("what is configured, for ", facts.unit.name)});
  }
  holds.explains = {"VG201", "VG301", "VG307", "VG705"};
  holds.expect = {absl::StrCat("`systemctl is-active ", facts.unit.name,
                               "` says active, and nothing else listens on port ", facts.port),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace

Judgement WrongUnit(const facts::Facts& facts) {
  if (facts.process_named) return Contradicted{"a process was named, and it is the one judged"};
  if (!facts.unit_judged) return *WithoutUnit(facts);
  const facts::UnitFacts& unit = facts.unit;
  // A unit that is nowhere, with nothing configured for it: only its name is wrong (VG201).
  if (!facts.UnitIsKnown() && unit.files.fragment.absent() && unit.files.drop_ins.empty()) {
    return Contradicted{absl::StrCat("nothing is configured for ", unit.name)};
  }
  if (facts.UnitRunsContainer()) {
    return Contradicted{absl::StrCat(unit.name, " itself runs a container")};
  }
  const OllamaServer* other = Other(facts);
  if (facts.process.present()) {
    const int pid = facts.process->pid;
    const bool taken = other != nullptr && other->listens.value_or(false) && !Listens(facts, pid);
    if (!taken) return Contradicted{absl::StrCat("process ", pid, " is in ", unit.name)};
    // It has the unit's name, and another has the port: it is about to die of that, or its
    // own sockets were not seen.
    const bool seen = std::any_of(
        facts.servers->begin(), facts.servers->end(),
        [&](const OllamaServer& server) { return server.pid == pid && server.listens.present(); });
    if (!seen || !facts.CrashLooping()) {
      return CannotTell{
          absl::StrCat("whether process ", pid, " of ", unit.name, " serves"),
          absl::StrCat("process ", other->pid, " listens on port ", facts.port, " too"),
          "sudo ss -ltnp"};
    }
  } else if (!facts.servers.present()) {
    return CannotTell{"which process serves", std::string(facts.servers.why_not()),
                      "pgrep -af ollama; sudo ss -ltnp"};
  }
  if (other != nullptr) {
    const bool listens = other->listens.value_or(false);
    // What does not have the port, and need not be in its way, may be a server of its own.
    if (!listens && facts.listener.present()) {
      return Contradicted{absl::StrCat("process ", *facts.listener, " listens on port ", facts.port,
                                       ", and is no Ollama")};
    }
    Holds holds = AboutUnit(facts);
    holds.evidence.push_back({absl::StrCat("/proc/", other->pid, "/cmdline"), 0, other->command,
                              other->forwards
                                  ? absl::StrCat("passes port ", facts.port, " on to a container")
                                  : "a server of Ollama that runs"});
    holds.evidence.push_back({absl::StrCat("/proc/", other->pid, "/cgroup"), 0, Where(*other),
                              absl::StrCat("where it runs, and not in ", unit.name)});
    if (listens) {
      holds.evidence.push_back({absl::StrCat("/proc/", other->pid, "/fd"), 0,
                                absl::StrCat("process ", other->pid),
                                absl::StrCat("listens on port ", facts.port)});
    }
    holds.confidence = listens && unit.active_state.present() ? Confidence::kCertain
                       : listens                              ? Confidence::kLikely
                                                              : Confidence::kPossible;
    holds.headline =
        absl::StrCat("Ollama is served by process ", other->pid, " in ", Where(*other),
                     ", and not by ", unit.name, ": stop that one, or configure and judge it.");
    holds.fix = {{JudgeOther(*other), "judges what serves, if that is the one to keep", "", ""},
                 StopOther(*other),
                 {absl::StrCat("sudo systemctl enable --now ", unit.name),
                  "starts the unit that is configured", "",
                  absl::StrCat("sudo systemctl disable --now ", unit.name)}};
    return holds;
  }
  if (const systemd::ListedUnit* listed = OtherListed(facts);
      listed != nullptr && !facts.process.present()) {
    Holds holds = AboutUnit(facts);
    holds.confidence = Confidence::kLikely;
    holds.evidence.push_back(
        {facts.ollama_units.source, 0,
         absl::StrCat(listed->name, " ", listed->load, " ", listed->active, " ", listed->sub),
         "another unit of that name runs"});
    holds.headline = absl::StrCat(listed->name, " runs, and ", unit.name,
                                  " does not: judge the former, or stop it.");
    OllamaServer server;
    server.unit = listed->name;
    holds.fix = {{JudgeOther(server), "judges what runs, if that is the one to keep", "", ""},
                 StopOther(server),
                 {absl::StrCat("sudo systemctl enable --now ", unit.name),
                  "starts the unit that is configured", "",
                  absl::StrCat("sudo systemctl disable --now ", unit.name)}};
    return holds;
  }
  return Contradicted{"no other server of Ollama runs on this host"};
}

}  // namespace vgpu::rules

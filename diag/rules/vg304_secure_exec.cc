// VG304 secure-exec: the kernel started the program in secure mode, so the loader drops
// LD_PRELOAD and LD_LIBRARY_PATH. /proc/PID/environ still shows them: that is what execve was
// given (glibc 2.36, measured).
//
// AT_SECURE decides. Why: a set-user-ID or set-group-ID bit (not under NoNewPrivileges), file
// capabilities (NoNewPrivileges or not) where root does not run it, or a security module
// (security/commoncap.c, cap_bprm_creds_from_file). A list in /etc/ld.so.preload is not
// dropped. Eras A and B give the model's runner and the discovery child their libraries by
// LD_LIBRARY_PATH, and these are the same program: they lose it too. llama-server (C) is
// another file.

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "diag/facts/access.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

struct Why {
  std::vector<Evidence> evidence;
  std::vector<FixStep> fix;
};

// Capabilities that are only inheritable grant a service nothing.
bool Grants(absl::string_view caps) {
  for (absl::string_view group : absl::StrSplit(caps, ' ', absl::SkipEmpty())) {
    const size_t flags = group.find_first_of("=+");
    if (flags == absl::string_view::npos) return true;
    if (group.find_first_of("ep", flags) != absl::string_view::npos) return true;
  }
  return false;
}

// What in the file makes the kernel start it in secure mode for `who`.
Why InFile(const facts::Facts& facts, const facts::FileFacts& file,
           const host::Observed<facts::Identity>& who, bool no_new_privs) {
  Why why;
  if (!file.found.present()) return why;
  const host::FileMeta& meta = file.found->meta;
  const std::string path = file.found->path;
  const bool root = who.present() && who->uid == 0;
  if (meta.caps.present() && Grants(*meta.caps) && !root) {
    why.evidence.push_back({path, 0, *meta.caps, "the program has file capabilities"});
    why.fix.push_back(
        {absl::StrCat("sudo setcap -r ", ShellQuoted(path)), "takes the file capabilities away",
         "what they were for is lost; `AmbientCapabilities=` in the unit gives the "
         "same and is no secure mode",
         absl::StrCat("sudo setcap ", ShellQuoted(*meta.caps), " ", ShellQuoted(path)),
         RemoveCapabilities{path}});
    const std::string names = absl::StrReplaceAll(
        absl::AsciiStrToUpper(meta.caps->substr(0, meta.caps->find_first_of("=+ "))), {{",", " "}});
    for (FixStep& step : LastDropInSteps(
             facts, "VG304", {absl::StrCat("AmbientCapabilities=", names)},
             "gives the service the same capability without secure mode, if it needs it", "")) {
      why.fix.push_back(std::move(step));
    }
  }
  if (!meta.mode.present() || no_new_privs) return why;
  const bool set_uid =
      (*meta.mode & 04000) != 0 && meta.uid.present() && !(who.present() && who->uid == *meta.uid);
  const bool set_gid = (*meta.mode & 02010) == 02010 && meta.gid.present() &&
                       !(who.present() && who->gid == *meta.gid);
  if (set_uid || set_gid) {
    why.evidence.push_back(
        {path, 0,
         absl::StrCat("mode ", facts::ModeText(*meta.mode), ", owner ", meta.uid.value_or(0), ":",
                      meta.gid.value_or(0)),
         set_uid ? "the program is set-user-ID" : "the program is set-group-ID"});
    const auto chmod = [&](absl::string_view sign) {
      return absl::StrCat("sudo chmod ", set_uid ? absl::StrCat("u", sign, "s") : "",
                          set_uid && set_gid ? "," : "",
                          set_gid ? absl::StrCat("g", sign, "s") : "", " ", ShellQuoted(path));
    };
    why.fix.push_back({chmod("-"), "the program then runs as the user of its unit",
                       "it can no longer reach what only that user or group may", chmod("+"),
                       ChangeMode{path, 0, (set_uid ? 04000u : 0u) | (set_gid ? 02000u : 0u)}});
  }
  return why;
}

// A variable of the loader is given to the service: then there is something to drop.
std::vector<Evidence> Dropped(const facts::Facts& facts) {
  std::vector<Evidence> given;
  for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH"}) {
    if (facts.process.present() && facts.process->environ.present()) {
      auto value = facts.process->environ->FindAsLoader(name);
      if (!value || value->empty()) continue;
      given.push_back({facts.process->environ.source, 0, Assignment(name, *value),
                       "given to the program, and dropped by the loader"});
      continue;
    }
    const facts::Environment& next = facts.unit.loaded_environment.present()
                                         ? *facts.unit.loaded_environment
                                         : facts.unit.disk_environment;
    auto variable = next.find(name);
    if (variable == next.end() || !variable->second.value.present() ||
        variable->second.value->empty()) {
      continue;
    }
    given.push_back(FromVariable(name, variable->second, "the loader drops it"));
  }
  return given;
}

// Discovery, or the load of a model, loses something by secure mode.
bool Matters(const facts::Facts& facts, const std::vector<Evidence>& dropped) {
  return !dropped.empty() || facts.ollama.era == ollama::Era::kA ||
         facts.ollama.era == ollama::Era::kB;
}

void Finish(const facts::Facts& facts, Why why, std::vector<Evidence> dropped, Holds& holds) {
  for (Evidence& evidence : why.evidence) holds.evidence.push_back(std::move(evidence));
  for (Evidence& evidence : dropped) holds.evidence.push_back(std::move(evidence));
  holds.explains = {"VG309", "VG415", "VG504", "VG704", "VG902"};
  holds.fix = std::move(why.fix);
  if (holds.fix.empty()) {
    holds.fix.push_back(
        {facts.process.present()
             ? absl::StrCat("cat /proc/", facts.process->pid, "/attr/current; getcap ",
                            ShellQuoted(facts.ollama.exe.value_or("/usr/local/bin/ollama")))
             : "getcap /usr/local/bin/ollama",
         "names the security module's label, if that is why: its policy then needs `noatsecure` "
         "(SELinux), or a transition that keeps the environment (`px` for `Px` in AppArmor)",
         "", ""});
  }
  const bool restarts = std::any_of(holds.fix.begin(), holds.fix.end(), [](const FixStep& step) {
    return absl::StrContains(step.command, "systemctl restart");
  });
  if (!restarts && facts.unit_judged) {
    holds.fix.push_back(RestartStep(facts, "the kernel decides at each start"));
  }
  holds.expect = {"the shims are in /proc/PID/maps of the new process", ExpectGpuLine(facts)};
}

// The file alone: what the next start would be.
Judgement NextStart(const facts::Facts& facts) {
  const bool no_new_privs = [&] {
    const systemd::Setting* setting = facts.unit.on_disk.Last("Service", "NoNewPrivileges");
    return setting != nullptr && (setting->value == "yes" || setting->value == "true" ||
                                  setting->value == "1" || setting->value == "on");
  }();
  const host::Observed<facts::Identity>& who = facts.unit.identity;
  const facts::FileFacts& file = facts.program.file;
  if (facts.program.script.present()) {
    return Contradicted{
        "no process runs, and ExecStart names a script, whose set-ID bits the "
        "kernel passes over"};
  }
  if (file.found.absent()) {
    return Contradicted{absl::StrCat("no process runs, and no program is at ", file.path)};
  }
  if (!file.found.present()) {
    return CannotTell{absl::StrCat("the program of ", facts.unit.name),
                      std::string(file.found.why_not()),
                      absl::StrCat("systemctl cat ", facts.unit.name)};
  }
  Why why = InFile(facts, file, who, no_new_privs);
  std::vector<Evidence> dropped = Dropped(facts);
  if (why.evidence.empty() || !Matters(facts, dropped)) {
    return Contradicted{
        absl::StrCat(file.found->path, " has no set-ID bit and no file capability that counts")};
  }
  Holds holds;
  holds.confidence = who.present() ? Confidence::kLikely : Confidence::kPossible;
  holds.acts = Acts::kNextStart;
  holds.headline = absl::StrCat("The next start of ", facts.unit.name,
                                " will be in secure mode, where the loader drops LD_PRELOAD and "
                                "LD_LIBRARY_PATH.");
  Finish(facts, std::move(why), std::move(dropped), holds);
  return holds;
}

}  // namespace

Judgement SecureExec(const facts::Facts& facts) {
  if (!facts.process.present()) {
    if (auto none = WithoutUnit(facts)) return *none;
    return NextStart(facts);
  }
  const facts::ProcessFacts& process = *facts.process;
  const host::Observed<bool> secure =
      process.auxv.present()
          ? process.auxv->Secure()
          : host::Observed<bool>(host::NotObserved{std::string(process.auxv.why_not())});
  const bool no_new_privs = process.no_new_privs.value_or(false);
  Why why;
  if (!process.exe_deleted) why = InFile(facts, facts.exe_file, process.identity, no_new_privs);
  // A process to which the bits of its file gave a user or a group shows those as its own: then
  // whom the unit starts says that they did.
  if (!process.exe_deleted && why.evidence.empty() && secure.value_or(false)) {
    why = InFile(facts, facts.exe_file, facts.unit.identity, no_new_privs);
  }
  if (secure.present() && !*secure) {
    // Bits that were set after the start meet the next one.
    const bool next = !why.evidence.empty() && Matters(facts, Dropped(facts)) &&
                      process.identity.present() && process.identity->uid != 0;
    if (next) return NextStart(facts);
    return Contradicted{absl::StrCat("AT_SECURE is 0 in ", process.auxv.source)};
  }
  std::vector<Evidence> dropped = Dropped(facts);
  const std::vector<Evidence> no_shim = NoShimEvidence(facts);
  if (!secure.present()) {
    if (NoShimMapped(facts).present() && !*NoShimMapped(facts)) {
      return Contradicted{absl::StrCat("shims are loaded (", process.maps.source, ")")};
    }
    const bool preload = facts.process_preload.has_value();
    if (why.evidence.empty() || !process.identity.present() || !preload || no_shim.empty()) {
      return CannotTell{absl::StrCat("AT_SECURE of process ", process.pid),
                        Because(process.auxv.source, secure.why_not()), HowToSeeProcess(facts)};
    }
  } else if (!Matters(facts, dropped)) {
    return Contradicted{absl::StrCat("AT_SECURE is 1 in ", process.auxv.source,
                                     ", and no variable of the loader is there to be dropped")};
  } else if (facts.FoundGpu().value_or(false) && facts.ollama.era != ollama::Era::kA) {
    return Contradicted{absl::StrCat("AT_SECURE is 1 in ", process.auxv.source,
                                     ", and discovery found the GPU all the same")};
  }
  Holds holds;
  if (secure.present()) {
    holds.evidence.push_back(
        {process.auxv.source, 0, "AT_SECURE=1", "the kernel started the program in secure mode"});
    if (why.evidence.empty() && process.label.present() && !process.label->empty() &&
        *process.label != "unconfined") {
      holds.evidence.push_back({process.label.source, 0, *process.label,
                                "the file says no reason: a security module's transition may be "
                                "it"});
    }
  }
  const std::vector<Evidence> effect = NoGpuEvidence(facts);
  const bool lost = !dropped.empty() && (!no_shim.empty() || !facts.process_preload.has_value());
  holds.confidence = secure.present() && lost && !effect.empty() ? Confidence::kCertain
                     : secure.present() || !effect.empty()       ? Confidence::kLikely
                                                                 : Confidence::kPossible;
  holds.headline =
      absl::StrCat("The kernel started process ", process.pid, " in secure mode",
                   why.evidence.empty() ? "" : absl::StrCat(" (", why.evidence[0].quote, ")"),
                   ": the loader dropped LD_PRELOAD and LD_LIBRARY_PATH.");
  Finish(facts, std::move(why), std::move(dropped), holds);
  for (const Evidence& evidence : no_shim) holds.evidence.push_back(evidence);
  for (const Evidence& evidence : effect) holds.evidence.push_back(evidence);
  return holds;
}

}  // namespace vgpu::rules

// What the unit says: its files, in the words of systemd-delta, and what a start of it would have.

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/baseline/take_parts.h"

namespace vgpu::baseline {
namespace {

using facts::Facts;
using host::Absent;
using host::NotObserved;
using host::Observed;

// Settings of a service that decide what it sees and may do: systemd.exec(5),
// systemd.resource-control(5).
constexpr absl::string_view kSandbox[] = {
    "AmbientCapabilities",
    "AppArmorProfile",
    "BindPaths",
    "BindReadOnlyPaths",
    "CapabilityBoundingSet",
    "DeviceAllow",
    "DevicePolicy",
    "DynamicUser",
    "ExecPaths",
    "ExecSearchPath",
    "ExtensionDirectories",
    "ExtensionImages",
    "InaccessiblePaths",
    "IPCNamespacePath",
    "LimitAS",
    "LimitMEMLOCK",
    "LimitNOFILE",
    "MemoryDenyWriteExecute",
    "MemoryMax",
    "MountAPIVFS",
    "MountImages",
    "NetworkNamespacePath",
    "NoExecPaths",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateMounts",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RestrictAddressFamilies",
    "RestrictFileSystems",
    "RestrictNamespaces",
    "RootDirectory",
    "RootHash",
    "RootImage",
    "RootVerity",
    "SecureBits",
    "SELinuxContext",
    "SmackProcessLabel",
    "SystemCallArchitectures",
    "SystemCallErrorNumber",
    "SystemCallFilter",
    "TemporaryFileSystem",
    "WorkingDirectory",
};

// Those with keys of their own.
constexpr absl::string_view kElsewhere[] = {"User", "Group", "SupplementaryGroups"};

bool Among(absl::Span<const absl::string_view> table, absl::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

Observed<std::string> Content(const Subject& subject, absl::string_view path) {
  return subject.host.Read(path).Map([](const host::Content& content) { return content.bytes; });
}

void TakeFiles(const Subject& subject, Builder& out) {
  const facts::UnitFacts& unit = subject.facts.unit;
  Observed<std::string> load_state = unit.load_state;
  if (load_state.present() && *load_state == "not-found") load_state = Absent{};
  if (load_state.not_observed() && unit.files.fragment.absent()) load_state = Absent{};
  out.Put("unit.load_state", load_state, {unit.loaded.source});

  const std::string fragment =
      unit.files.fragment.present() ? unit.files.fragment->file.path : std::string();
  out.Put("unit.fragment", unit.files.fragment.Map([](const systemd::Fragment& file) {
    if (file.masked) return absl::StrCat("masked by ", file.file.path);
    return file.resolved == file.file.path || file.resolved.empty()
               ? file.file.path
               : absl::StrCat(file.file.path, ", redirected to ", file.resolved);
  }),
          {fragment});
  out.PutSealed(
      "unit.fragment.content",
      fragment.empty() ? NoValue<std::string>(unit.files.fragment) : Content(subject, fragment),
      {fragment});
  out.Put("unit.need_daemon_reload",
          unit.loaded.present() ? unit.loaded->NeedDaemonReload().Map(
                                      [](bool yes) { return std::string(yes ? "yes" : "no"); })
                                : NoValue<std::string>(unit.loaded),
          {unit.loaded.source});
}

// "its name does not end in .conf" and the like: why systemd passes a file over.
bool IsShadowed(const systemd::SkippedFile& file) { return absl::StartsWith(file.why, "shadowed"); }

void TakeDropIns(const Subject& subject, Builder& out) {
  const systemd::UnitFiles& files = subject.facts.unit.files;
  Observed<bool> looked = true;
  if (!files.unseen.empty()) {
    looked = NotObserved{absl::StrCat(files.unseen[0].path, ": ", files.unseen[0].why)};
  }
  Strings order;
  for (const systemd::DropIn& drop_in : files.drop_ins) {
    const std::string& path = drop_in.file.path;
    const std::string name(host::Basename(path));
    order.push_back(path);
    std::string state = "extended";
    if (drop_in.resolved == "/dev/null" || drop_in.file.assignments.empty()) {
      state = "masked";
    } else if (drop_in.resolved != path && !drop_in.resolved.empty() &&
               host::Basename(drop_in.resolved) != name) {
      state = absl::StrCat("redirected to ", drop_in.resolved);
    }
    for (const systemd::SkippedFile& skipped : files.skipped) {
      if (IsShadowed(skipped) && host::Basename(skipped.path) == name) {
        absl::StrAppend(&state, ", and ", skipped.path, " is overridden");
      }
    }
    const std::string key = absl::StrCat("unit.drop_in.", name);
    out.Put(key, state, {path});
    out.PutSealed(absl::StrCat(key, ".content"), Content(subject, path), {path});
  }
  for (const systemd::SkippedFile& skipped : files.skipped) {
    if (!absl::StartsWith(skipped.why, "masked")) continue;
    out.Put(absl::StrCat("unit.drop_in.", host::Basename(skipped.path)), std::string("masked"),
            {skipped.path});
  }
  out.PutList("unit.drop_ins",
              looked.present() ? Observed<Strings>(order) : NoValue<Strings>(looked),
              {order.empty() ? "" : std::string(host::Dirname(order.front()))});
  out.Looked("unit.drop_in.*", looked);
  out.Looked("unit.drop_in.*.content", looked);

  std::map<std::string, std::set<std::string>> whys;
  for (const facts::IneffectiveText& text : subject.facts.unit.ineffective) {
    whys[text.path].insert(text.why);
  }
  for (const auto& [path, why] : whys) {
    out.Put(absl::StrCat("unit.ineffective.", path), absl::StrJoin(why, "; "), {path});
  }
  out.Looked("unit.ineffective.*", looked);
}

void TakeEnvironment(const Facts& facts, Builder& out) {
  const facts::UnitFacts& unit = facts.unit;
  const bool loaded = unit.loaded_environment.present();
  const facts::Environment& environment = loaded ? *unit.loaded_environment : unit.disk_environment;
  for (const auto& [name, variable] : environment) {
    From from = {variable.source, variable.line};
    // Where the disk says the same, its line is the better evidence.
    auto disk = unit.disk_environment.find(name);
    if (loaded && disk != unit.disk_environment.end() && disk->second.value.present() &&
        disk->second.value == variable.value) {
      from = {disk->second.source, disk->second.line};
    }
    out.PutVariable("unit.environment.", name, variable.value, std::move(from));
  }
  Observed<bool> looked = true;
  if (!unit.unread_environment_files.empty()) looked = unit.unread_environment_files.front();
  if (!loaded && !unit.files.fragment.present()) looked = NoValue<bool>(unit.files.fragment);
  // A unit that is not there sets nothing.
  if (looked.absent()) looked = true;
  if (!loaded && !unit.files.unseen.empty()) looked = NotObserved{unit.files.unseen.front().why};
  out.Looked("unit.environment.*", looked);

  Strings files, unset, pass;
  for (const systemd::EnvironmentFileSetting& file : unit.on_disk.environment_files) {
    files.push_back(absl::StrCat(file.optional ? "-" : "", file.path));
  }
  for (const systemd::EnvironmentWord& word : unit.on_disk.unset_environment) {
    // NAME=VALUE: the value is that of a variable.
    const size_t equals = word.word.find('=');
    unset.push_back(equals == std::string::npos
                        ? word.word
                        : absl::StrCat(word.word.substr(0, equals), "=",
                                       out.sealer().Variable(word.word.substr(0, equals),
                                                             word.word.substr(equals + 1))));
  }
  for (const systemd::EnvironmentWord& word : unit.on_disk.pass_environment) {
    pass.push_back(word.word);
  }
  const auto list = [&](absl::string_view key, const Strings& items, From from) {
    out.PutList(key, items.empty() ? Observed<Strings>(Absent{}) : Observed<Strings>(items),
                std::move(from));
  };
  const auto place = [](const auto& settings) {
    return settings.empty() ? From{}
                            : From{settings.front().place.file, settings.front().place.line};
  };
  list("unit.environment_files", files, place(unit.on_disk.environment_files));
  list("unit.unset_environment", unset, place(unit.on_disk.unset_environment));
  list("unit.pass_environment", pass, place(unit.on_disk.pass_environment));
}

void TakeProgram(const Subject& subject, Builder& out) {
  const facts::ProgramFacts& program = subject.facts.program;
  const From from = {program.source, program.line};
  const Observed<std::string> unknown = NotObserved{"ExecStart= is not known"};
  out.Put("unit.exec_start",
          program.command.empty() ? unknown : Observed<std::string>(program.command), from);
  Strings pre;
  From pre_from;
  for (const systemd::ExecCommand& command : subject.facts.unit.on_disk.exec_start_pre) {
    pre.push_back(command.raw);
    pre_from = {command.place.file, command.place.line};
  }
  out.PutList("unit.exec_start_pre",
              pre.empty() ? Observed<Strings>(Absent{}) : Observed<Strings>(pre), pre_from);

  const std::string& path = program.file.path;
  Observed<host::Resolved> found = NotObserved{"ExecStart= is not known"};
  const Observed<std::string> what =
      path.empty() ? unknown : WhatIs(subject.host, path, "", &found);
  out.Put("unit.program", what, {path});
  const host::FileMeta meta = found.present() ? found->meta : host::FileMeta();
  const auto of_file = [&](Observed<std::string> value) {
    return found.present() ? value : NoValue<std::string>(found);
  };
  out.Put("unit.program.build_id",
          of_file(program.script.present()
                      ? Observed<std::string>(Absent{})
                      : program.file.elf.Map([](const elf::ElfInfo& elf) { return elf.build_id; })),
          {path});
  out.Put("unit.program.interpreter",
          of_file(program.file.elf.Map([](const elf::ElfInfo& elf) { return elf.interp; })),
          {path});
  out.Put("unit.program.content",
          found.present() ? subject.hashes.Of(*found, "") : NoValue<std::string>(found), {path});
  out.Put("unit.program.owner", of_file(OwnerText(meta)), {path});
  out.Put("unit.program.mode", of_file(ModeOf(meta)), {path});
  out.Put("unit.program.caps", of_file(meta.caps), {path});
}

void TakeSettings(const Facts& facts, Builder& out) {
  const facts::UnitFacts& unit = facts.unit;
  out.Put("unit.user", unit.identity.Map([](const facts::Identity& who) { return who.name; }),
          {unit.files.fragment.present() ? unit.files.fragment->file.path : ""});
  out.PutList("unit.groups", unit.identity.Map([](const facts::Identity& who) -> Observed<Strings> {
    if (!who.groups_known) return NotObserved{"its groups are not all known"};
    std::set<uint32_t> groups(who.groups.begin(), who.groups.end());
    groups.insert(who.gid);
    Strings words;
    for (uint32_t group : groups) words.push_back(absl::StrCat(group));
    return words;
  }),
              {});
  for (const auto& [where, settings] : unit.on_disk.settings) {
    const auto& [section, key] = where;
    if (section != "Service" || Among(kElsewhere, key) || settings.empty()) continue;
    // SetCredential= has a secret in the unit itself.
    const bool secret = absl::StartsWith(key, "SetCredential");
    Strings values;
    for (const systemd::Setting& setting : settings) {
      values.push_back(secret ? out.sealer().Whole(setting.value) : setting.value);
    }
    out.PutList(absl::StrCat(Among(kSandbox, key) ? "unit.sandbox." : "unit.setting.", key), values,
                {settings.back().place.file, settings.back().place.line});
  }
  Observed<bool> looked = true;
  if (unit.files.fragment.not_observed()) looked = NoValue<bool>(unit.files.fragment);
  if (!unit.files.unseen.empty()) looked = NotObserved{unit.files.unseen.front().why};
  out.Looked("unit.sandbox.*", looked);
  out.Looked("unit.setting.*", looked);
}

}  // namespace

void TakeUnit(const Subject& subject, Builder& out) {
  if (!subject.facts.unit_judged) return;
  TakeFiles(subject, out);
  TakeDropIns(subject, out);
  TakeEnvironment(subject.facts, out);
  TakeProgram(subject, out);
  TakeSettings(subject.facts, out);
}

}  // namespace vgpu::baseline

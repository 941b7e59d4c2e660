#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/facts/gather_parts.h"
#include "diag/facts/shared_object_names.h"
#include "diag/loader/ld_so_conf.h"
#include "diag/systemd/environment_file.h"
#include "diag/systemd/specifiers.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;
using systemd::ShowProperties;

Fact<ShowProperties> Show(const host::Host& host, const host::ToolQuery& query) {
  return {host::ToolSource(query),
          host.RunTool(query).Map([](const host::Content& content) -> Observed<ShowProperties> {
            // systemctl ends each property with a newline: what has none was cut.
            absl::string_view text = content.bytes;
            if (const size_t end = text.rfind('\n'); end != absl::string_view::npos) {
              text = text.substr(0, end + 1);
            }
            absl::StatusOr<ShowProperties> show = systemd::ParseShow(text);
            if (!show.ok()) return NotObserved{std::string(show.status().message())};
            return *std::move(show);
          })};
}

// A property of a unit's `show`, not observed where the whole is not.
Observed<std::string> Property(const Fact<ShowProperties>& show, absl::string_view key) {
  if (!show.present()) return NotObserved{std::string(show.why_not())};
  return show->Get(key);
}

template <typename T>
Observed<T> NumberProperty(const Fact<ShowProperties>& show, absl::string_view key) {
  return Property(show, key).Map([&](const std::string& text) -> Observed<T> {
    T number;
    if (absl::SimpleAtoi(text, &number)) return number;
    return NotObserved{absl::StrCat(key, "=", text, " is no number")};
  });
}

systemd::SpecifierContext ContextOf(const host::Host& host, const std::string& unit) {
  systemd::SpecifierContext context;
  context.unit = unit;
  context.hostname = host.hostname();
  auto line_of = [&](absl::string_view path) {
    return host.Read(path, 4096).Map([](const host::Content& content) {
      return content.bytes.substr(0, content.bytes.find('\n'));
    });
  };
  // machine-id(5): 32 hexadecimal digits.
  context.machine_id =
      line_of("/etc/machine-id").Map([](const std::string& id) -> Observed<std::string> {
        if (id.size() == 32 && std::all_of(id.begin(), id.end(), absl::ascii_isxdigit)) return id;
        return NotObserved{"/etc/machine-id: holds no machine id"};
      });
  context.boot_id = NotObserved{"boot id not known"};
  return context;
}

// What the files of EnvironmentFile= set, over `environment`: they win.
void AddEnvironmentFile(const host::Host& host, const std::string& path, bool optional,
                        UnitFacts& unit, Environment& environment) {
  Observed<host::Content> content = host.Read(path);
  // A missing one that is not optional keeps the unit from starting: where the unit runs,
  // a capture lacks it.
  if (content.absent() && !optional && unit.main_pid.present() && !host.complete()) {
    content = NotObserved{"not captured"};
  }
  if (content.absent()) return;
  if (!content.present()) {
    std::string why(content.why_not());  // names the path where a part of it is not observed
    if (!absl::StartsWith(why, "/")) why = absl::StrCat(path, ": ", why);
    // Once, though the disk and systemd may both name the file.
    const NotObserved unread{std::move(why)};
    std::vector<NotObserved>& list = unit.unread_environment_files;
    if (std::find(list.begin(), list.end(), unread) == list.end()) list.push_back(unread);
    return;
  }
  systemd::EnvironmentFile file = systemd::ParseEnvironmentFile(content->bytes);
  for (const systemd::EnvironmentFile::Variable& variable : file.variables) {
    environment[variable.key] = Variable{variable.value, path, variable.line};
  }
}

// UnsetEnvironment=: "NAME" or "NAME=VALUE".
void Unset(absl::string_view word, Environment& environment) {
  size_t equals = word.find('=');
  auto it = environment.find(std::string(word.substr(0, equals)));
  if (it == environment.end()) return;
  if (equals == absl::string_view::npos ||
      (it->second.value.present() && *it->second.value == word.substr(equals + 1))) {
    environment.erase(it);
  }
}

Environment DiskEnvironment(const host::Host& host, UnitFacts& unit) {
  Environment environment;
  for (const auto& [key, entry] : unit.on_disk.environment) {
    environment[key] = Variable{entry.value, entry.place.file, entry.place.line};
  }
  for (const systemd::EnvironmentFileSetting& file : unit.on_disk.environment_files) {
    AddEnvironmentFile(host, file.path, file.optional, unit, environment);
  }
  for (const systemd::EnvironmentWord& word : unit.on_disk.unset_environment) {
    Unset(word.word, environment);
  }
  return environment;
}

Fact<Environment> LoadedEnvironment(const host::Host& host, UnitFacts& unit) {
  const std::string source = unit.loaded.source;
  if (!unit.loaded.present()) return {source, NotObserved{std::string(unit.loaded.why_not())}};
  // `show` leaves an empty Environment= out, and so it cannot be told from one that was
  // not asked for, or was taken out of a capture. It is empty where all else was printed;
  // not where systemd says that it has read the files as they are, and these set something.
  Observed<std::map<std::string, std::string>> shown = unit.loaded->Environment();
  const bool printed = unit.loaded->Get("Environment").present();
  const bool agrees = !unit.loaded->NeedDaemonReload().value_or(true);
  const bool disk_sets = !unit.on_disk.environment.empty();
  if (!shown.present() && (printed || !unit.shown_whole || (agrees && disk_sets))) {
    return {source, NotObserved{std::string(shown.why_not())}};
  }
  Environment environment;
  if (shown.present()) {
    for (const auto& [key, value] : *shown) environment[key] = Variable{value, source, 0};
  }
  if (auto files = unit.loaded->EnvironmentFiles(); files.present()) {
    for (const systemd::ShownEnvironmentFile& file : *files) {
      AddEnvironmentFile(host, file.path, file.optional, unit, environment);
    }
  } else if (!unit.shown_whole) {
    // Not asked for: those that the disk names stand in for them.
    for (const systemd::EnvironmentFileSetting& file : unit.on_disk.environment_files) {
      AddEnvironmentFile(host, file.path, file.optional, unit, environment);
    }
  }
  const std::string unset = unit.loaded->Get("UnsetEnvironment").value_or("");
  for (absl::string_view word : absl::StrSplit(unset, ' ', absl::SkipEmpty())) {
    Unset(word, environment);
  }
  return {source, environment};
}

// A drop-in that could not be read may be what sets a variable that systemd has loaded, or
// ExecStart=: where the files that were read say otherwise, the disk's value is not known.
void ForgetWhatUnseenFilesMaySay(UnitFacts& unit) {
  if (unit.files.unseen.empty() || !unit.loaded_environment.present()) return;
  const systemd::SkippedFile& unseen = unit.files.unseen.front();
  const std::string why = absl::StrCat(unseen.path, ": ", unseen.why);
  for (const auto& [name, variable] : *unit.loaded_environment) {
    Variable& on_disk = unit.disk_environment[name];
    if (on_disk.value == variable.value) continue;
    on_disk = {NotObserved{why}, unseen.path, 0};
  }
  for (systemd::ExecCommand& command : unit.on_disk.exec_start) {
    if (command.unexpanded.empty()) command.unexpanded = why;
  }
}

// A target is made where it is missing (systemd 252, apply_one_mount), but neither sysfs
// nor procfs lets anybody make one.
bool CannotBeMade(absl::string_view path) {
  return systemd::IsWithin(path, "/sys") || systemd::IsWithin(path, "/proc");
}

void FindMissingMounts(const host::Host& host, UnitFacts& unit) {
  // With a root of its own, paths are looked up there.
  for (absl::string_view key : {"RootDirectory", "RootImage"}) {
    if (unit.on_disk.Last("Service", key) != nullptr) return;
  }
  for (const systemd::MountSetting& mount : unit.mounts.settings) {
    if (mount.optional || mount.implied) continue;
    const bool bind = mount.kind == systemd::MountSetting::Kind::kBind;
    const bool empty = mount.kind == systemd::MountSetting::Kind::kEmpty;
    const bool source_missing = bind && host.Resolve(mount.source).absent();
    const bool target_missing =
        host.Resolve(mount.target).absent() && (bind || empty ? CannotBeMade(mount.target) : true);
    if (source_missing || target_missing) unit.missing_mounts.push_back(mount);
  }
}

// A pattern in the last component, as EnvironmentFile= has them, and a directory that has no
// such name (or is not there).
bool NothingMatches(const host::Host& host, const std::string& pattern) {
  if (pattern.find_first_of("*?[") < host::Dirname(pattern).size()) return false;
  const Observed<std::vector<std::string>> names = host.List(host::Dirname(pattern));
  if (!names.present()) return names.absent();
  return std::none_of(names->begin(), names->end(), [&](const std::string& name) {
    return loader::MatchesGlob(host::Basename(pattern), name);
  });
}

// What execve wants beside the modes: an interpreter, the right processor, a mount without
// noexec.
void LookAtExecution(const host::Host& host, ProgramFacts& program) {
  if (program.script.present()) {
    absl::string_view line = absl::string_view(*program.script).substr(2);
    line = line.substr(0, line.find('\n'));
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t")));
    line = line.substr(0, line.find_first_of(" \t"));
    if (!line.empty()) program.interpreter = host.Resolve(line);
  }
  if (program.file.elf.present() && program.file.elf->machine.present()) {
    const FileFacts shell = LookAtFile(host, "/bin/sh", "");
    program.other_machine = shell.elf.present() && shell.elf->machine.present() &&
                            *shell.elf->machine != *program.file.elf->machine;
  }
  program.noexec = Absent{};
  Observed<host::Content> mounts = host.Read("/proc/1/mountinfo", size_t{4} << 20);
  if (!mounts.present() || !program.file.found.present()) return;
  const absl::StatusOr<procfs::MountTable> table =
      procfs::ParseMountInfo(mounts->bytes, mounts->truncated);
  if (!table.ok() || !table->whole()) return;
  const procfs::Mount* mount = table->MountOf(program.file.found->path);
  if (mount == nullptr || !mount->noexec()) return;
  program.noexec = absl::StrCat(mount->mount_point, " ", absl::StrJoin(mount->options, ","));
  program.noexec_mount_point = mount->mount_point;
}

}  // namespace

void GatherUnit(const host::Host& host, UnitFacts& unit) {
  unit.loaded = Show(host, {.tool = host::Tool::kSystemctlShowUnit, .unit = unit.name});
  unit.manager = Show(host, {.tool = host::Tool::kSystemctlShowManager});

  std::vector<std::string> unit_path;
  if (unit.manager.present()) unit_path = unit.manager->UnitPath().value_or({});
  unit.files = systemd::FindUnit(host, unit.name, unit_path);
  systemd::SpecifierContext context = ContextOf(host, unit.name);
  if (unit.files.fragment.present()) context.fragment_path = unit.files.fragment->file.path;
  unit.on_disk = systemd::MergeUnit(unit.files.InOrder(), context);
  unit.mounts = systemd::ReadMountSettings(unit.on_disk, context);

  // Of every loaded service `show` prints UMask= and the limits, which nobody asks for by
  // name (systemd 252, dbus-execute.c); InvocationID= is of another part of it.
  unit.shown_whole = true;
  for (const char* key : {"UMask", "InvocationID"}) {
    unit.shown_whole = unit.shown_whole && unit.loaded.present() && unit.loaded->Get(key).present();
  }
  unit.load_state = Property(unit.loaded, "LoadState");
  unit.active_state = Property(unit.loaded, "ActiveState");
  unit.sub_state = Property(unit.loaded, "SubState");
  unit.result = Property(unit.loaded, "Result");
  unit.invocation = Property(unit.loaded, "InvocationID");
  unit.restarts = NumberProperty<uint64_t>(unit.loaded, "NRestarts");
  unit.main_pid = NumberProperty<int>(unit.loaded, "MainPID").Map([](int pid) -> Observed<int> {
    if (pid == 0) return Absent{};
    return pid;
  });
  if (unit.manager.present()) {
    unit.reloaded_usec = unit.manager->MonotonicUsec("UnitsLoadTimestampMonotonic");
    unit.reloaded_at = unit.manager->WallTime("UnitsLoadTimestamp");
  }
  if (unit.loaded.present()) {
    unit.started_usec = unit.loaded->MonotonicUsec("ExecMainStartTimestampMonotonic");
  }
  auto note_time = [&](const std::string& path) {
    Observed<host::Resolved> found = host.Resolve(path);
    if (found.present()) unit.times.push_back({path, found->meta.mtime});
  };
  if (unit.files.fragment.present()) note_time(unit.files.fragment->file.path);
  for (const systemd::DropIn& drop_in : unit.files.drop_ins) note_time(drop_in.file.path);
  for (const systemd::EnvironmentFileSetting& file : unit.on_disk.environment_files) {
    note_time(file.path);
  }
  unit.identity = IdentityOfUnit(host, unit);
  GatherIneffective(host, unit);
  for (const systemd::EnvironmentFileSetting& file : unit.on_disk.environment_files) {
    const bool pattern = file.path.find_first_of("*?[") != std::string::npos;
    // That nothing matches is an error as well (systemd 252, exec_context_load_environment). A
    // capture may lack what did, so the start must have failed of it.
    const bool missing =
        pattern ? unit.result.value_or("") == "resources" && NothingMatches(host, file.path)
                : host.Resolve(file.path).absent();
    if (!file.optional && missing) unit.missing_environment_files.push_back(file);
  }
  FindMissingMounts(host, unit);
  unit.disk_environment = DiskEnvironment(host, unit);
  unit.loaded_environment = LoadedEnvironment(host, unit);
  ForgetWhatUnseenFilesMaySay(unit);
}

ProgramFacts GatherProgram(const host::Host& host, const UnitFacts& unit) {
  ProgramFacts program;
  std::string path;
  Observed<std::vector<systemd::ShownExec>> shown = NotObserved{"not shown"};
  if (unit.loaded.present()) shown = unit.loaded->Exec("ExecStart");
  if (shown.present() && !shown->empty()) {
    path = shown->front().path;
    program.command = shown->front().argv_text;
    program.source = unit.loaded.source;
    // The line that says so, where the disk says the same.
    for (const systemd::ExecCommand& command : unit.on_disk.exec_start) {
      if (absl::StrJoin(command.argv, " ") != program.command) continue;
      program.source = command.place.file;
      program.line = command.place.line;
    }
  } else if (!unit.on_disk.exec_start.empty()) {
    const systemd::ExecCommand& command = unit.on_disk.exec_start.front();
    path = command.path;
    program.command = absl::StrJoin(command.argv, " ");
    program.source = command.place.file;
    program.line = command.place.line;
  }
  if (path.empty()) {
    program.file.found = NotObserved{"ExecStart= is not known"};
    program.script = NotObserved{"ExecStart= is not known"};
    return program;
  }
  program.file = LookAtFile(host, path, "");
  constexpr size_t kTextLimit = size_t{64} << 10;
  constexpr size_t kProgramLimit = size_t{4} << 20;
  Observed<host::Content> content = host.Read(path, kProgramLimit);
  program.script = content.Map([&](const host::Content& read) -> Observed<std::string> {
    if (!absl::StartsWith(read.bytes, "#!")) return Absent{};
    return read.bytes.substr(0, kTextLimit);
  });
  LookAtExecution(host, program);
  for (const std::string& name : content.present() ? SharedObjectNames(content->bytes)
                                                   : RecordedNames(host, program.file.found)) {
    program.named_objects.push_back(LookAtFile(host, name, ""));
  }
  // Not a script, even where only its facts were captured.
  if (program.script.not_observed() && program.file.elf.present() &&
      program.file.elf->elf_class.present()) {
    program.script = Absent{};
  }
  return program;
}

}  // namespace vgpu::facts

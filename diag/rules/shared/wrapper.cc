#include "diag/rules/shared/wrapper.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/rules/shared/copies.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// Programs that start another one.
constexpr absl::string_view kLaunchers[] = {
    "bash", "bwrap", "chrt",        "chroot",  "dash",    "doas",    "env",    "ionice", "ksh",
    "nice", "nohup", "numactl",     "prlimit", "runuser", "setpriv", "setsid", "sh",     "stdbuf",
    "su",   "sudo",  "systemd-run", "taskset", "timeout", "unshare", "zsh"};

// What takes the loader's variables away, or sets others. Sources: env(1) of coreutils,
// bash(1), su(1), runuser(1) and setpriv(1) of util-linux, sudo(8) (a set-uid program: the
// loader has dropped LD_PRELOAD before sudo reads its environment), bwrap(1).
struct Harm {
  const char* pattern;
  const char* meaning;
  // It matters in the command that starts Ollama only; false: in the whole script.
  bool of_command;
};
#define START R"((?:^|[\s/;&|'"(`]))"
constexpr Harm kHarms[] = {
    {START R"(env\s+(?:-[uCS]\s+\S+\s+|-\S+\s+)*?(?:-i\b|-\s|--ignore-environment\b|-[0vC]+i))",
     "env -i starts the program with an environment that holds only what is named here", true},
    {START R"(env\s+.*(?:-u\s*|--unset=)(?:LD_PRELOAD|LD_LIBRARY_PATH)\b)",
     "env -u takes the variable away", true},
    {START R"(unset\s+(?:-v\s+)?(?:\w+\s+)*(?:LD_PRELOAD|LD_LIBRARY_PATH)\b)",
     "unset takes the variable away", false},
    {START R"(export\s+-n\s+(?:\w+\s+)*(?:LD_PRELOAD|LD_LIBRARY_PATH)\b)",
     "export -n keeps the variable from the programs that are started", false},
    {START R"(exec\s+-\w*c\w*\s)", "exec -c starts the program with an empty environment", true},
    {START R"((?:sudo|doas|pkexec)\s)",
     "this is a set-uid program: LD_PRELOAD and LD_LIBRARY_PATH do not get through it", true},
    {START R"((?:su|runuser)\s+(?:\S+\s+)*?(?:-|-l|--login)(?:\s|$))",
     "a login shell starts with an environment of its own", true},
    {START R"(setpriv\s.*--reset-env\b)", "setpriv --reset-env starts with a new environment",
     true},
    {START R"(bwrap\s.*--clearenv\b)", "bwrap --clearenv starts with an empty environment", true},
    {START R"(systemd-run\s)",
     "systemd-run starts the program in another unit, with that unit's environment", true},
    {R"(^(?:export\s+)?LD_PRELOAD=(?:"[^"]*"|'[^']*'|[^\s;]*)\s*(?:$|;|&&))",
     "it sets a preload list of its own", false},
    {START R"((?:export\s+)?LD_PRELOAD=)", "it sets a preload list of its own", true},
};
#undef START

const RE2& Pattern(size_t i) {
  static const std::vector<const RE2*>& patterns = *[] {
    auto* compiled = new std::vector<const RE2*>;
    for (const Harm& harm : kHarms) compiled->push_back(new RE2(harm.pattern));
    return compiled;
  }();
  return *patterns[i];
}

// Whether a command starts what the wrapper is for: Ollama, or its own arguments. A
// command that prepares something (`sudo chmod …`) does not.
bool StartsOllama(absl::string_view code) {
  static const RE2& prepares = *new RE2(
      R"(^(?:sudo|doas)\s+(?:-\S+\s+)*(?:/\S*/)?(?:chgrp|chmod|chown|cp|echo|install|kill|ln|mkdir|modprobe|mount|rm|setfacl|sysctl|systemctl|tee|touch|udevadm)\b)");
  static const RE2& says = *new RE2(R"(^(?:echo|printf|logger)\s)");
  static const RE2& starts = *new RE2(R"((?i)ollama|\$\{?[@*]|\bserve\b)");
  if (RE2::PartialMatch(std::string(code), prepares)) return false;
  if (RE2::PartialMatch(std::string(code), says)) return false;
  return RE2::PartialMatch(std::string(code), starts);
}

// A line of a shell script without its comment: a "#" at the start of a word, outside
// of quotes.
absl::string_view WithoutComment(absl::string_view line) {
  char quote = '\0';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '\\') {
      ++i;
    } else if (c == '#' && (i == 0 || absl::ascii_isspace(line[i - 1]))) {
      return line.substr(0, i);
    }
  }
  return line;
}

bool IsOllama(const facts::ProgramFacts& program) {
  if (program.script.present()) return false;
  const facts::FileFacts& file = program.file;
  if (file.elf.present() && file.elf->go_build.present() && file.elf->go_build->module.present()) {
    return *file.elf->go_build->module == "github.com/ollama/ollama";
  }
  const absl::string_view path =
      file.found.present() ? absl::string_view(file.found->path) : absl::string_view(file.path);
  const absl::string_view name = host::Basename(path);
  return absl::StartsWith(name, "ollama") && !absl::EndsWith(name, ".sh") &&
         !absl::StrContains(name, "wrap");
}

}  // namespace

std::vector<Evidence> HarmIn(absl::string_view text, const std::string& source, int first_line) {
  constexpr size_t kMaxCommand = 4096;
  std::vector<Evidence> harm;
  int number = first_line;
  std::string command;  // with the lines that a backslash at their ends joins to it
  int begins = number;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    // The first line names the interpreter, and may do harm in that.
    const bool shebang = number == first_line && absl::ConsumePrefix(&line, "#!");
    absl::string_view code =
        absl::StripAsciiWhitespace(shebang ? line : WithoutComment(line.substr(0, kMaxCommand)));
    if (command.empty()) begins = number;
    ++number;
    const bool goes_on = absl::ConsumeSuffix(&code, "\\");
    if (command.size() + code.size() <= kMaxCommand) absl::StrAppend(&command, code);
    if (goes_on) {
      absl::StrAppend(&command, " ");
      continue;
    }
    if (!command.empty()) {
      const bool starts = shebang || StartsOllama(command);
      for (size_t i = 0; i < std::size(kHarms); ++i) {
        if (kHarms[i].of_command && !starts) continue;
        if (!RE2::PartialMatch(command, Pattern(i))) continue;
        harm.push_back({source, begins, command, kHarms[i].meaning});
        break;
      }
    }
    command.clear();
  }
  return harm;
}

namespace {

// What ExecStart names is what runs and serves: Ollama under another name.
bool IsWhatServes(const facts::Facts& facts) {
  return facts.process.present() && facts.process->exe.present() &&
         facts.program.file.found.present() &&
         *facts.process->exe == facts.program.file.found->path;
}

}  // namespace

Observed<Wrapper> FindWrapper(const facts::Facts& facts) {
  const facts::ProgramFacts& program = facts.program;
  if (program.command.empty()) return NotObserved{"ExecStart= is not known"};
  Wrapper wrapper;
  const std::string name(host::Basename(program.file.path));
  if (program.script.present()) {
    wrapper.kind = "a script";
    wrapper.harm = HarmIn(*program.script, program.file.path, 1);
  } else if (std::find(std::begin(kLaunchers), std::end(kLaunchers), name) !=
             std::end(kLaunchers)) {
    wrapper.kind = name;
    wrapper.harm = HarmIn(program.command, program.source, program.line);
  } else if (IsOllama(program) || IsWhatServes(facts)) {
    return Absent{};
  } else {
    wrapper.kind = "a program that is not Ollama";
    wrapper.unknown_program = true;
  }
  wrapper.copies = CopiesNamedByProgram(facts);
  return wrapper;
}

const facts::UnitFile* EnvironmentFileSinceTheStart(const facts::Facts& facts) {
  if (!facts.process.present() || !facts.process->started.present()) return nullptr;
  const absl::Time started = *facts.process->started;
  for (const systemd::EnvironmentFileSetting& setting : facts.unit.on_disk.environment_files) {
    for (const facts::UnitFile& file : facts.unit.times) {
      if (file.path == setting.path && file.mtime.present() &&
          *file.mtime > started + absl::Seconds(1)) {
        return &file;
      }
    }
  }
  return nullptr;
}

Observed<bool> OlderThanUnit(const facts::Facts& facts, const Difference& lost) {
  const Observed<absl::Time> written = WrittenAt(facts, lost.name);
  const Observed<absl::Time> started = facts.process.Map(
      [](const facts::ProcessFacts& process) -> Observed<absl::Time> { return process.started; });
  const bool both = written.present() && started.present();
  const bool newer = both && *written > *started + absl::Seconds(1);
  // systemd reads an EnvironmentFile= at each start: a reload says nothing of it.
  const std::string& source = lost.wanted.source;
  const bool of_file = std::any_of(
      facts.unit.on_disk.environment_files.begin(), facts.unit.on_disk.environment_files.end(),
      [&](const systemd::EnvironmentFileSetting& file) { return file.path == source; });
  if (newer && (of_file || !facts.unit.loaded_environment.present())) return true;
  const Observed<Wrapper> wrapper = FindWrapper(facts);
  const bool harm = wrapper.present() && !wrapper->harm.empty();
  if (!harm && EnvironmentFileSinceTheStart(facts) != nullptr) return true;
  Observed<bool> before = facts.StartedBeforeReload();
  if (before.present() && !*before) return false;
  if (newer) return true;
  if (both && *written <= *started && harm) return false;
  return before;
}

}  // namespace vgpu::rules

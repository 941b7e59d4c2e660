#include "diag/rules/wrapper.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/rules/copies.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;

// Programs that start another one.
constexpr absl::string_view kLaunchers[] = {
    "bash",  "chrt",    "dash",   "env",    "ionice", "ksh",     "nice",   "nohup",
    "numactl", "prlimit", "runuser", "setpriv", "setsid", "sh",   "stdbuf", "su",
    "sudo",  "systemd-run", "taskset", "timeout", "zsh"};

// What takes the loader's variables away, or sets others. Sources: env(1) of coreutils,
// bash(1), su(1) and runuser(1) of util-linux, sudo(8) (a set-uid program: the loader
// has dropped LD_PRELOAD before sudo reads its environment).
struct Harm {
  const char* pattern;
  const char* meaning;
};
constexpr Harm kHarms[] = {
    {R"((?:^|[\s/;&|'"(])env\s+(?:\S+\s+)*?(?:-i\b|-\s|--ignore-environment\b|-[0vC]*i))",
     "env -i starts the program with an environment that holds only what is named here"},
    {R"((?:^|[\s/;&|'"(])env\s+.*(?:-u\s*|--unset=)(?:LD_PRELOAD|LD_LIBRARY_PATH)\b)",
     "env -u takes the variable away"},
    {R"((?:^|[\s;&|'"])unset\s+(?:-v\s+)?(?:\w+\s+)*(?:LD_PRELOAD|LD_LIBRARY_PATH)\b)",
     "unset takes the variable away"},
    {R"((?:^|[\s;&|'"])exec\s+-\w*c\w*\s)", "exec -c starts the program with an empty environment"},
    {R"((?:^|[\s/;&|'"(])sudo\s)",
     "sudo is a set-uid program: LD_PRELOAD and LD_LIBRARY_PATH do not get through it"},
    {R"((?:^|[\s/;&|'"(])(?:su|runuser)\s+(?:\S+\s+)*?(?:-|-l|--login)(?:\s|$))",
     "a login shell starts with an environment of its own"},
    {R"((?:^|[\s/;&|'"(])systemd-run\s)",
     "systemd-run starts the program in another unit, with that unit's environment"},
    {R"((?:^|[\s;&|'"])(?:export\s+)?LD_PRELOAD=)", "it sets a preload list of its own"},
};

const RE2& Pattern(size_t i) {
  static const std::vector<const RE2*>& patterns = *[] {
    auto* compiled = new std::vector<const RE2*>;
    for (const Harm& harm : kHarms) compiled->push_back(new RE2(harm.pattern));
    return compiled;
  }();
  return *patterns[i];
}

bool IsOllama(const facts::ProgramFacts& program) {
  if (program.script.present()) return false;
  const facts::FileFacts& file = program.file;
  if (file.elf.present() && file.elf->go_build.present() &&
      file.elf->go_build->module.present()) {
    return *file.elf->go_build->module == "github.com/ollama/ollama";
  }
  const absl::string_view path =
      file.found.present() ? absl::string_view(file.found->path) : absl::string_view(file.path);
  return absl::StartsWith(host::Basename(path), "ollama") &&
         !absl::EndsWith(host::Basename(path), ".sh");
}

}  // namespace

std::vector<Evidence> HarmIn(absl::string_view text, const std::string& source, int first_line) {
  constexpr size_t kMaxLine = 4096;
  std::vector<Evidence> harm;
  int number = first_line;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::string_view code = absl::StripAsciiWhitespace(line).substr(0, kMaxLine);
    if (!code.empty() && code.front() != '#') {
      for (size_t i = 0; i < std::size(kHarms); ++i) {
        if (!RE2::PartialMatch(std::string(code), Pattern(i))) continue;
        harm.push_back({source, number, std::string(code), kHarms[i].meaning});
        break;
      }
    }
    ++number;
  }
  return harm;
}

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
  } else if (IsOllama(program)) {
    return Absent{};
  } else if (facts.process.present() && facts.process->exe.present() &&
             program.file.found.present() && *facts.process->exe == program.file.found->path) {
    // It is what runs and serves: Ollama under another name.
    return Absent{};
  } else {
    wrapper.kind = "a program that is not Ollama";
  }
  wrapper.copies = CopiesNamedByProgram(facts);
  return wrapper;
}

}  // namespace vgpu::rules

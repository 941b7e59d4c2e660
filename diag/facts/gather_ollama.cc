#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/facts/gather_parts.h"
#include "diag/facts/usual_programs.h"
#include "nlohmann/json.hpp"

namespace vgpu::facts {
namespace {

using host::Content;
using host::NotObserved;
using host::Observed;
using nlohmann::json;

Fact<std::string> ApiVersion(const host::Host& host, uint16_t port) {
  host::ToolQuery query{.tool = host::Tool::kOllamaVersion, .port = port};
  return {host::ToolSource(query),
          host.RunTool(query, 65536).Map([](const Content& content) -> Observed<std::string> {
            json answer = json::parse(content.bytes, nullptr, false);
            if (!answer.is_object() || !answer["version"].is_string()) {
              return NotObserved{"the answer names no version"};
            }
            return answer["version"].get<std::string>();
          })};
}

Fact<std::vector<LoadedModel>> LoadedModels(const host::Host& host, uint16_t port) {
  constexpr size_t kMaxModels = 256;
  host::ToolQuery query{.tool = host::Tool::kOllamaPs, .port = port};
  return {host::ToolSource(query),
          host.RunTool(query, size_t{1} << 20)
              .Map([](const Content& content) -> Observed<std::vector<LoadedModel>> {
                json answer = json::parse(content.bytes, nullptr, false);
                if (!answer.is_object() || !answer["models"].is_array()) {
                  return NotObserved{"the answer lists no models"};
                }
                std::vector<LoadedModel> models;
                for (const json& item : answer["models"]) {
                  auto number = [&](const char* key) -> std::optional<uint64_t> {
                    auto it = item.find(key);
                    if (it == item.end() || !it->is_number()) return std::nullopt;
                    const double value = it->get<double>();
                    if (!(value >= 0 && value < 1e18)) return std::nullopt;
                    return static_cast<uint64_t>(value);
                  };
                  if (!item.is_object() || models.size() == kMaxModels) continue;
                  auto name = item.find("name");
                  const std::optional<uint64_t> vram = number("size_vram");
                  if (!vram || name == item.end() || !name->is_string()) continue;
                  models.push_back({name->get<std::string>(), number("size").value_or(0), *vram,
                                    number("context_length").value_or(0)});
                }
                return models;
              })};
}

// The first word that is an absolute path to a program called ollama, behind its links.
std::string OllamaAmong(const host::Host& host, absl::string_view text) {
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \t\n\"'=;&|()"))) {
    if (!absl::StartsWith(word, "/") || host::Basename(word) != "ollama") continue;
    Observed<host::Resolved> found = host.Resolve(word);
    if (found.present() && found->meta.type == host::FileType::kFile) return found->path;
  }
  return "";
}

// Of the process, else of its next start; systemd's default is the root directory.
std::string WorkingDirectory(const host::Host& host, const Facts& facts) {
  if (facts.process.present()) {
    Observed<std::string> cwd = host.ReadLink(absl::StrCat("/proc/", facts.process->pid, "/cwd"));
    if (cwd.present() && absl::StartsWith(*cwd, "/")) return *cwd;
  }
  const systemd::Setting* setting = facts.unit.on_disk.Last("Service", "WorkingDirectory");
  if (setting == nullptr) return "/";
  absl::string_view path = absl::StripPrefix(setting->value, "-");
  return absl::StartsWith(path, "/") ? std::string(path) : "/";
}

}  // namespace

Observed<std::string> GoVersion(const host::Host& host, const std::string& path,
                                absl::string_view root) {
  const FileFacts file = LookAtFile(host, path, root);
  if (!file.found.present()) return NotObserved{"the program's file could not be looked at"};
  const Observed<elf::ElfInfo>& info = file.elf;
  if (!info.present()) return NotObserved{std::string(info.why_not())};
  if (info->go_build.absent()) return NotObserved{"the program carries no Go build information"};
  return info->go_build.Map([](const elf::GoBuild& build) -> Observed<std::string> {
    if (build.version.absent()) return NotObserved{"its build information names no version"};
    return build.version;
  });
}

OllamaFacts GatherOllama(const host::Host& host, const Facts& facts) {
  OllamaFacts ollama;
  std::string root;
  // Where nothing names it, the places in which gather_installation.cc looks for one.
  ollama.exe = {
      facts.program.source.empty() ? absl::StrJoin(kUsualPrograms, ", ") : facts.program.source,
      NotObserved{"no process, and ExecStart= is not known"}};
  if (facts.process.present() && facts.process->exe.present()) {
    ollama.exe = facts.process->exe;
    root = facts.process->root;
  } else if (facts.program.file.found.present()) {
    // What ExecStart names; of a wrapper, the word of its command or script that is a path
    // to a program called ollama.
    std::string path = facts.program.file.found->path;
    if (host::Basename(path) != "ollama") {
      path = OllamaAmong(host, facts.program.command);
      if (path.empty()) path = OllamaAmong(host, facts.program.script.value_or(""));
    }
    if (path.empty() && !facts.program.script.present()) path = facts.program.file.found->path;
    ollama.exe = {facts.program.source, path};
    if (path.empty()) {
      ollama.exe = {facts.program.source,
                    NotObserved{absl::StrCat(facts.program.file.path,
                                             " is a script, and what it runs is not known")}};
    }
  }

  // What this process said at its start is about the program that runs; the file may
  // have been replaced since. A build of one's own calls itself 0.0.0, and its file may
  // know better: the first answer that is a version counts.
  const ollama::ServerStart* start = facts.ThisStart();
  const Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  ollama.version = {"", NotObserved{"the program is not known"}};
  auto known = [&] { return ollama::ParseVersion(ollama.version.value_or("")).has_value(); };
  auto offer = [&](Fact<std::string> answer) {
    const bool better = ollama::ParseVersion(answer.value_or("")).has_value();
    if (better || !ollama.version.present()) ollama.version = std::move(answer);
  };
  if (start != nullptr && !start->version.empty()) {
    offer({absl::StrCat(log.source, ", line ", start->listening->number), start->version});
  }
  if (!known() && facts.process.present()) {
    if (Fact<std::string> answer = ApiVersion(host, facts.port); answer.present())
      offer(std::move(answer));
  }
  if (!known() && ollama.exe.present()) {
    offer({*ollama.exe, GoVersion(host, *ollama.exe, root).Map([](const std::string& v) {
             return std::string(absl::StripPrefix(v, "v"));
           })});
  }
  if (!ollama.version.present() && log.present()) {
    for (const ollama::ServerStart& other : log->starts) {
      if (other.version.empty()) continue;
      ollama.version = {absl::StrCat(log.source, ", line ", other.listening->number),
                        other.version};
    }
  }
  std::optional<ollama::Version> version = ollama::ParseVersion(ollama.version.value_or(""));
  ollama.library_dir = {"", NotObserved{"the program is not known"}};
  if (ollama.exe.present()) {
    const ollama::LibraryDirSearch search{
        .exe = *ollama.exe,
        .era = version ? ollama::EraOf(*version) : ollama::Era::kUnknown,
        .cwd = WorkingDirectory(host, facts)};
    ollama.library_dir_candidates = ollama::LibraryDirCandidates(search);
    ollama.library_dir = {*ollama.exe, ollama::FindLibraryDir(host, search, root)};
    // A capture that lacks the very program that runs shows another root than the one in which it
    // runs, or not all of it.
    const bool runs = facts.process.present() && !facts.process->exe_deleted;
    if (runs && host.kind() == host::Host::Kind::kTree && ollama.library_dir.absent() &&
        host.Resolve(*ollama.exe, root).absent()) {
      ollama.library_dir = {*ollama.exe,
                            NotObserved{"the capture lacks the program that runs: its libraries "
                                        "may be elsewhere, too"}};
    }
  }

  if (version) {
    ollama.era = ollama::EraOf(*version);
    ollama.era_because =
        absl::StrCat("version ", *ollama.version, " (", ollama.version.source, ")");
  } else if (start != nullptr && start->era_line) {
    ollama.era = start->era;
    ollama.era_because =
        absl::StrCat("only this era prints line ", start->era_line->number, " of ", log.source);
  } else if (ollama.library_dir.present() && ollama.library_dir->has_llama_server) {
    ollama.era = ollama::Era::kC;
    ollama.era_because = absl::StrCat(ollama.library_dir->path, " holds llama-server");
  } else if (start != nullptr && !start->passes.empty()) {
    ollama.era = ollama::Era::kB;
    ollama.era_because = "the log has discovery's passes, and no llama-server is installed";
  } else {
    ollama.era_because = "neither a version nor a line that only one era prints was seen";
  }
  if (facts.process.present()) {
    ollama.models = LoadedModels(host, facts.port);
    ollama.models_on_cpu = {ollama.models.source,
                            ollama.models.Map([](const std::vector<LoadedModel>& models) {
                              std::vector<std::string> names;
                              for (const LoadedModel& model : models) {
                                if (model.size_vram == 0) names.push_back(model.name);
                              }
                              return names;
                            })};
  }
  return ollama;
}

std::vector<PciFacts> GatherPci(const host::Host& host) {
  constexpr absl::string_view kDevices = "/sys/bus/pci/devices";
  constexpr absl::string_view kNvidia = "0x10de";
  std::vector<PciFacts> functions;
  Observed<std::vector<std::string>> addresses = host.List(kDevices);
  if (!addresses.present()) return functions;
  for (const std::string& address : *addresses) {
    auto read = [&](absl::string_view file) -> Fact<std::string> {
      const std::string path = absl::StrCat(kDevices, "/", address, "/", file);
      return {path, host.Read(path, 64).Map([](const Content& content) {
                return std::string(absl::StripAsciiWhitespace(content.bytes));
              })};
    };
    PciFacts function{address, read("vendor"), {}, {}};
    if (function.vendor.value_or("") != kNvidia) continue;
    function.device = read("device");
    function.device_class = read("class");
    functions.push_back(std::move(function));
  }
  return functions;
}

}  // namespace vgpu::facts

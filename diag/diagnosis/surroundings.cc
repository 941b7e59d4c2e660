#include "diag/diagnosis/surroundings.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/probe/conclude.h"
#include "diag/probe/step_names.h"
#include "diag/rules/shared/by_hand.h"

namespace vgpu::diagnosis {
namespace {

using facts::Facts;
using report::Report;
using report::Working;

constexpr absl::string_view kAsksForProcess = "vgpu-doctor check --pid PID";

// What one command on the host would settle most of what a log leaves open.
struct Settling {
  absl::string_view code;  // of the first root cause; empty: any
  absl::string_view command;
};

constexpr Settling kSettling[] = {
    {"VG507", "tr '\\0' '\\n' < /proc/$(pgrep -of 'ollama serve')/environ | grep VISIBLE_DEVICES"},
    {"VG604", "ls -l /dev/nvidia*"},
    {"VG605", "lsmod | grep nvidia"},
    {"VG606", "cat /proc/driver/nvidia/version; ls -l /usr/lib/*/libcuda.so.*"},
    {"VG607", "nvidia-smi"},
    {"VG608", "sudo dmesg | grep -iE 'suspend|nvrm'"},
    {"VG609", "systemctl status nvidia-fabricmanager"},
    {"VG610", "docker run --rm --gpus all ubuntu nvidia-smi"},
    {"VG611", "sudo dmesg | grep -i nvrm"},
    {"VG612", "nvidia-smi; nvidia-ctk --version"},
    {"VG613", "nvidia-smi -q -d COMPUTE,MEMORY"},
    {"VG709", "grep -m1 -o 'avx[^ ]*' /proc/cpuinfo"},
};

// Of a log alone: how much it proves, and what would settle the rest.
void AddBeyondTheLog(const Facts& facts, Report& report) {
  std::string command = facts.unit_judged
                            ? absl::StrCat("sudo vgpu-doctor check --unit ", facts.unit.name)
                            : "sudo vgpu-doctor check";
  if (!report.root_causes.empty()) {
    for (const Settling& settling : kSettling) {
      if (settling.code == report.root_causes.front().code) command = std::string(settling.command);
    }
  }
  report.not_observed.insert(
      report.not_observed.begin(),
      {"the unit, the process, the libraries and the device",
       "only a log was given: it proves what its lines say of this start, and nothing about what "
       "is on the host now",
       command});
}

// The program of a process that --pid named, where neither it nor any of its words is called like
// Ollama: not a wrapper's, a loader's or a tracer's that runs it. Empty otherwise.
std::string OtherProgram(const Facts& facts) {
  if (!facts.process_named || !facts.process.present()) return "";
  const facts::ProcessFacts& process = *facts.process;
  if (!process.exe.present() || !process.argv.present()) return "";
  const std::string words = absl::StrCat(*process.exe, " ", absl::StrJoin(*process.argv, " "));
  if (absl::StrContains(words, "ollama") || facts.ThisStart() != nullptr) return "";
  return *process.exe;
}

}  // namespace

void SayWhatWasNamed(const Facts& facts, Report& report) {
  const std::string program = OtherProgram(facts);
  if (program.empty()) return;
  const std::string what =
      absl::StrCat("Process ", facts.process->pid, " is ", program, ", and not Ollama");
  if (report.verdict == report::Verdict::kInconclusive) {
    report.headline = absl::StrCat(what, ": name the process of `ollama serve`.");
  } else {
    absl::StrAppend(&report.headline, " ", what, ".");
  }
}

void TakeOutWhatWasJustRun(const Facts& facts, Report& report) {
  if (facts.host_kind != host::Host::Kind::kLive) return;
  const bool root = facts.observer_uid.present() && *facts.observer_uid == 0;
  const bool nothing_runs = !facts.process.present();
  const bool has_unit = facts.unit.files.fragment.present() || facts.UnitIsKnown();
  const std::string instead =
      !nothing_runs
          ? ""
          : absl::StrCat("start ", has_unit ? facts.unit.name : "Ollama", ", and run this again");
  for (report::NotSeen& item : report.not_observed) {
    const bool same = item.how == "sudo vgpu-doctor check" ||
                      item.how == absl::StrCat("sudo vgpu-doctor check --unit ", facts.unit.name) ||
                      (!nothing_runs && item.how == absl::StrCat("sudo vgpu-doctor check --pid ",
                                                                 facts.process->pid));
    const bool asks_for_none =
        item.how == kAsksForProcess && facts.servers.present() && facts.servers->empty();
    if ((root && same) || asks_for_none) item.how = instead;
  }
}

void AddNotSeen(report::NotSeen item, Report& report) {
  for (const report::NotSeen& seen : report.not_observed) {
    if (seen.what == item.what) return;
  }
  report.not_observed.push_back(std::move(item));
}

void AddWorking(const Facts& facts, Report& report) {
  if (facts.unit.loaded.present() && facts.unit.loaded->NeedDaemonReload().present() &&
      !*facts.unit.loaded->NeedDaemonReload() && facts.unit.files.fragment.present()) {
    report.working.push_back(
        {absl::StrCat(facts.unit.name, " is loaded"),
         {{facts.unit.loaded.source, 0,
           absl::StrCat("LoadState=", facts.unit.load_state.value_or("?"), " NeedDaemonReload=no"),
           ""}}});
  }
  if (facts.process.present()) {
    Working running{absl::StrCat("process ", facts.process->pid, " runs"), {}};
    if (!facts.chosen_because.empty()) {
      absl::StrAppend(&running.what, ", and is the one judged: ", facts.chosen_because);
    }
    running.evidence.push_back(
        {facts.process->exe.source, 0, facts.process->exe.value_or("(its program is not seen)"),
         facts.process->started.present()
             ? absl::StrCat("since ", absl::FormatTime("%Y-%m-%d %H:%M:%S %z",
                                                       *facts.process->started, facts.time_zone))
             : ""});
    report.working.push_back(std::move(running));
  }
  if (const facts::PreloadList* list = facts.Preload(); list != nullptr) {
    const auto exists = [](const facts::PreloadEntry& entry) { return entry.file.found.present(); };
    const auto n = std::count_if(list->entries.begin(), list->entries.end(), exists);
    if (n > 0) {
      report.working.push_back(
          {absl::StrCat(n, " of ", list->entries.size(), " preload entries exist"),
           {{list->source, list->line,
             absl::StrCat(list->kind == facts::PreloadKind::kEnvironment ? "LD_PRELOAD=" : "",
                          list->value),
             ""}}});
    }
  }
  if (facts.process.present() && facts.process->maps.present()) {
    std::vector<std::string> shims;
    for (const procfs::MappedFile& file : facts.process->maps->files) {
      std::optional<facts::ShimName> shim = facts::ShimOf(file.path);
      if (shim && shim->named_as_shim) shims.push_back(file.path);
    }
    if (!shims.empty()) {
      report.working.push_back(
          {absl::StrCat(shims.size(), shims.size() == 1 ? " shim is" : " shims are",
                        " loaded in the process"),
           {{facts.process->maps.source, 0, absl::StrJoin(shims, " "), ""}}});
    }
  }
  for (const facts::PciFacts& function : facts.nvidia_functions) {
    report.working.push_back({absl::StrCat("an NVIDIA function is visible at ", function.address),
                              {{function.vendor.source, 0,
                                absl::StrCat(*function.vendor, " ", function.device.value_or("?"),
                                             " ", function.device_class.value_or("?")),
                                "vendor, device and class, as the host sees them"}}});
  }
  const ollama::ServerStart* start = facts.ThisStart();
  if (start != nullptr && start->Result() != nullptr && start->Result()->on_cuda() &&
      start->LostLater() == nullptr) {
    const ollama::DiscoveryLog& log = *facts.log.ServersLog();
    report.working.push_back({"discovery found a GPU",
                              {{log.source, static_cast<int>(start->Result()->line.number),
                                start->Result()->line.text, ""}}});
  }
  if (facts.probe.result.present() && probe::Verified(*facts.probe.result)) {
    Working proof{"a probe in the process's place finds the GPU", {}};
    for (const probe::Step& step : probe::ProcessRun(*facts.probe.result)->steps) {
      if (step.status != probe::StepStatus::kOk || step.devices.empty()) continue;
      if (step.name != probe::kDiscovery && step.name != probe::kCuda) continue;
      const probe::Device& device = step.devices.front();
      proof.evidence.push_back({facts.probe.source, 0,
                                absl::StrJoin({device.name, device.uuid, device.pci_address}, " "),
                                absl::StrCat(probe::StepTitle(step.name),
                                             step.variant.empty() ? "" : ", ", step.variant)});
    }
    report.working.push_back(std::move(proof));
  }
}

void AddUnseen(const Facts& facts, Report& report) {
  const bool healthy = report.verdict == report::Verdict::kHealthy;
  auto add = [&](absl::string_view what, absl::string_view why, absl::string_view how) {
    AddNotSeen({std::string(what), std::string(why), std::string(how)}, report);
  };
  const std::string again = !facts.unit_judged && facts.process.present()
                                ? absl::StrCat("sudo vgpu-doctor check --pid ", facts.process->pid)
                                : absl::StrCat("sudo vgpu-doctor check --unit ", facts.unit.name);
  const ollama::ServerStart* start = facts.ThisStart();
  if (start != nullptr && start->Result() == nullptr && !start->cut_results.empty()) {
    add("the rest of discovery's result",
        absl::StrCat("line ", start->cut_results.back().number, " of ",
                     facts.log.ServersLog().source, " is cut off before it names a library"),
        absl::StrCat("journalctl -u ", facts.unit.name, " --no-pager | grep 'inference compute'"));
  }
  if (facts.only_a_log) {
    AddBeyondTheLog(facts, report);
    if (const ollama::DiscoveryLog& log = *facts.log.journal; !log.status.ok()) {
      add(absl::StrCat("the rest of ", log.source), log.status.message(), "");
    }
    return;
  }
  if (facts.process.present()) {
    const facts::ProcessFacts& process = *facts.process;
    const std::string whose = absl::StrCat(" of process ", process.pid);
    if (process.environ.not_observed()) {
      add(absl::StrCat("environment", whose), process.environ.why_not(), again);
    }
    if (process.maps.not_observed()) {
      add(absl::StrCat("loaded libraries", whose), process.maps.why_not(), again);
    }
    if (process.maps.present() && !process.maps->whole()) {
      add(absl::StrCat("the rest of the loaded libraries", whose),
          process.maps->truncated
              ? "the list is longer than what is read of it"
              : absl::StrCat("malformed lines: ", process.maps->malformed_lines),
          process.maps.source);
    }
    if (process.environ.present() && process.environ->truncated()) {
      add(absl::StrCat("the rest of the environment", whose),
          "it is longer than what is read of it", process.environ.source);
    }
  } else if (facts.process.not_observed()) {
    add(absl::StrCat("the process of ", facts.unit.name), facts.process.why_not(),
        facts.running_host ? kAsksForProcess : "judge the running host");
  }
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  if (log.not_observed()) {
    const bool not_root = facts.observer_uid.value_or(0) != 0;
    add(facts.unit_judged || !facts.process.present()
            ? absl::StrCat("the log of ", facts.unit.name)
            : absl::StrCat("the log of process ", facts.process->pid),
        log.why_not(),
        absl::StrCat(not_root ? "sudo " : "", absl::StartsWith(log.source, "/") ? "ls -l " : "",
                     log.source));
  } else if (log.present() && !log->status.ok()) {
    add(absl::StrCat("the rest of ", log->source), log->status.message(), log->source);
  }
  if (log.present() && log->malformed > 0) {
    add(absl::StrCat(log->malformed, " lines of ", log->source), "they are no journal entries", "");
  }
  // The server's maps never show the backend in these eras: a child loads it.
  const bool child = facts.ollama.era == ollama::Era::kB || facts.ollama.era == ollama::Era::kC;
  if (!healthy && child && facts.process.present() && facts.children.empty()) {
    add(rules::kDiscoveryChild, rules::kDiscoveryChildIsGone, rules::DiscoveryByHand(facts));
  }
  for (const host::NotObserved& file : facts.unit.unread_environment_files) {
    // "/etc/default/ollama: permission denied"
    const size_t colon = file.why.find(": ");
    add(absl::StrCat("EnvironmentFile ", file.why.substr(0, colon)),
        colon == std::string::npos ? "" : file.why.substr(colon + 2), again);
  }
  for (const systemd::SkippedFile& file : facts.unit.files.unseen) {
    add(file.path, file.why, again);
  }
  if (facts.probe.result.not_observed() && !facts.probe.source.empty()) {
    add(facts.probe.source, facts.probe.result.why_not(), "sudo vgpu-doctor verify");
  }
  for (const std::string& remark : facts.remarks) {
    add("a part of the capture", remark, "");
  }
}

}  // namespace vgpu::diagnosis

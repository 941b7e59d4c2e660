#include "diag/probe/conclude.h"

#include <signal.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/probe/step_names.h"

namespace vgpu::probe {
namespace {

// A driver keeps some memory for itself, and NVML counts that.
constexpr double kMemoryTolerance = 0.10;

bool IsHex(absl::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isxdigit(c); });
}

// One device, and what each step says of it.
struct Group {
  std::vector<std::pair<const Step*, const Device*>> members;

  bool Has(const Step& step) const {
    return std::any_of(members.begin(), members.end(),
                       [&](const auto& member) { return member.first == &step; });
  }
  bool Is(std::string (*canonical)(absl::string_view), std::string Device::*field,
          const Device& device) const {
    const std::string wanted = canonical(device.*field);
    if (wanted.empty()) return false;
    return std::any_of(members.begin(), members.end(), [&](const auto& member) {
      return canonical(member.second->*field) == wanted;
    });
  }
  // A part of a card has an id and a size of its own, and the card's address.
  bool IsPart() const {
    return std::any_of(members.begin(), members.end(), [](const auto& member) {
      return absl::StartsWith(member.second->uuid, "MIG-") ||
             absl::StrContains(member.second->name, " MIG ");
    });
  }
  std::string Name() const {
    for (const auto& [step, device] : members) {
      if (!device->uuid.empty()) return device->uuid;
    }
    for (const auto& [step, device] : members) {
      if (!device->pci_address.empty()) return device->pci_address;
    }
    return members.front().second->name;
  }
};

// Puts the devices of one step to the groups: by id, by address, and what is left in order,
// where that leaves no choice.
void Add(const Step& step, std::vector<Group>& groups) {
  std::vector<const Device*> left;
  for (const Device& device : step.devices) {
    Group* found = nullptr;
    for (Group& group : groups) {
      if (!group.Has(step) && group.Is(CanonicalUuid, &Device::uuid, device)) found = &group;
    }
    for (Group& group : groups) {
      if (found == nullptr && !group.Has(step) &&
          group.Is(CanonicalAddress, &Device::pci_address, device)) {
        found = &group;
      }
    }
    if (found == nullptr) {
      left.push_back(&device);
    } else {
      found->members.push_back({&step, &device});
    }
  }
  std::vector<Group*> open;
  for (Group& group : groups) {
    if (!group.Has(step)) open.push_back(&group);
  }
  if (open.size() == left.size()) {
    for (size_t i = 0; i < left.size(); ++i) open[i]->members.push_back({&step, left[i]});
    return;
  }
  for (const Device* device : left) {
    Group fresh;
    fresh.members.push_back({&step, device});
    groups.push_back(std::move(fresh));
  }
}

std::string Label(const Step& step) {
  std::string label = step.name;
  if (!step.variant.empty()) absl::StrAppend(&label, " ", step.variant);
  if (!step.way.empty()) absl::StrAppend(&label, " ", step.way);
  return label;
}

// A card is its function 0, and ggml writes that, whatever it is.
std::string WithoutFunction(const std::string& address) {
  return address.substr(0, address.rfind('.'));
}

using TextOf = std::string (*)(const Device&);

std::string UuidOf(const Device& device) {
  const std::string uuid = CanonicalUuid(device.uuid);
  return uuid.empty() ? device.uuid : uuid;
}

std::string AddressOf(const Device& device) {
  const std::string address = CanonicalAddress(device.pci_address);
  return address.empty() ? device.pci_address : address;
}

std::string NameOf(const Device& device) { return device.name; }

std::string IdsOf(const Device& device) {
  if (device.vendor.empty()) return "";
  return absl::StrCat(device.vendor, " ", device.device, " ", device.device_class);
}

void CompareTexts(absl::string_view what, const Group& group, TextOf text,
                  std::vector<Comparison>& comparisons) {
  Comparison comparison;
  comparison.what = std::string(what);
  comparison.device = group.Name();
  std::set<std::string> different;
  for (const auto& [step, device] : group.members) {
    std::string value = text(*device);
    if (value.empty()) continue;
    different.insert(text == AddressOf ? WithoutFunction(value) : value);
    comparison.values.push_back({Label(*step), std::move(value)});
  }
  if (comparison.values.size() < 2) return;
  comparison.agree = different.size() == 1;
  comparisons.push_back(std::move(comparison));
}

void CompareMemory(const Group& group, std::vector<Comparison>& comparisons) {
  Comparison comparison;
  comparison.what = "memory";
  comparison.device = group.Name();
  uint64_t least = 0, most = 0;
  for (const auto& [step, device] : group.members) {
    const uint64_t bytes = device->memory_bytes;
    if (bytes == 0) continue;
    least = comparison.values.empty() ? bytes : std::min(least, bytes);
    most = std::max(most, bytes);
    comparison.values.push_back({Label(*step), absl::StrCat(bytes >> 20, " MiB")});
  }
  if (comparison.values.size() < 2) return;
  comparison.agree =
      static_cast<double>(most - least) <= kMemoryTolerance * static_cast<double>(most);
  comparisons.push_back(std::move(comparison));
}

bool AnyMatters(const Context& context) {
  return std::any_of(context.not_taken_over.begin(), context.not_taken_over.end(),
                     [](const NotTakenOver& left) { return left.matters; });
}

// Settings by which a service sees files that the host does not show there (systemd.exec(5)), and
// variables that were not seen: without one of them a step may fail that goes well in the
// service. Everything else that is not taken over only forbids.
constexpr absl::string_view kGives[] = {
    "BindPaths=",           "BindReadOnlyPaths=",    "ExtensionDirectories=", "ExtensionImages=",
    "InaccessiblePaths=",   "MountImages=",          "RootDirectory=",        "RootImage=",
    "TemporaryFileSystem=", "all of the environment"};

// What the steps of a run lacked, if a failure may be for want of it; else null.
const NotTakenOver* Lacked(const Run& run) {
  for (const NotTakenOver& left : run.context.not_taken_over) {
    for (const absl::string_view gives : kGives) {
      if (absl::StartsWith(left.what, gives)) return &left;
    }
  }
  return nullptr;
}

// All that is done with a variant's libraries went well, and showed a device.
bool VariantWorks(const Run& run, absl::string_view variant) {
  bool found = false;
  for (const Step& step : run.steps) {
    if (step.variant != variant) continue;
    if (step.status == StepStatus::kFailed && step.needed) return false;
    found = found || (step.status == StepStatus::kOk && !step.devices.empty());
  }
  return found;
}

// Ollama tries every variant and keeps what works: one that is for another driver stands in
// nobody's way.
bool PassedOver(const Run& run, const Step& failed) {
  if (failed.variant.empty()) return false;
  return std::any_of(run.steps.begin(), run.steps.end(), [&](const Step& step) {
    return !step.variant.empty() && step.variant != failed.variant &&
           VariantWorks(run, step.variant);
  });
}

const Step* FirstFailed(const Run& run) {
  for (const bool needed : {true, false}) {
    for (const Step& step : run.steps) {
      if (step.status == StepStatus::kFailed && step.needed == needed && !PassedOver(run, step)) {
        return &step;
      }
    }
  }
  return nullptr;
}

const Comparison* FirstDisagreement(const Run& run) {
  for (const Comparison& comparison : run.comparisons) {
    if (!comparison.agree) return &comparison;
  }
  return nullptr;
}

// No step of any run was done; `why` is the first reason.
bool NothingDone(const Result& result, std::string& why) {
  for (const Run& run : result.runs) {
    if (run.steps.empty() && why.empty() && !run.context.not_taken_over.empty()) {
      const NotTakenOver& left = run.context.not_taken_over.front();
      why = absl::StrCat("without ", left.what, " (", left.why, ")");
    }
    for (const Step& step : run.steps) {
      if (step.status != StepStatus::kNotRun) return false;
      if (why.empty()) why = step.why;
    }
  }
  return true;
}

// The step that decides in this era, and must have found a device: era A's server asks the
// driver's library itself.
absl::string_view DecidingStep(const Result& result) {
  if (result.era == "A") return kCuda;
  if (result.era == "B" || result.era == "C") return kDiscovery;
  return "";
}

std::string FailedSentence(const Run& run, const Step& step) {
  std::string sentence(StepTitle(step.name));
  if (!step.variant.empty()) absl::StrAppend(&sentence, " (", step.variant, ")");
  absl::StrAppend(&sentence, ": no.", step.why.empty() ? "" : " ", step.why);
  if (!absl::EndsWith(sentence, ".")) sentence += ".";
  if (run.environment == "unit") absl::StrAppend(&sentence, " So it would be at the next start.");
  return sentence;
}

}  // namespace

std::string CanonicalUuid(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  absl::string_view rest = lower;
  std::string prefix = "GPU-";
  if (absl::StartsWith(rest, "mig-")) prefix = "MIG-";
  if (!absl::StartsWith(rest, "gpu-") && !absl::StartsWith(rest, "mig-")) return "";
  rest.remove_prefix(4);
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '-');
  constexpr size_t kDigits[] = {8, 4, 4, 4, 12};
  if (parts.size() != std::size(kDigits)) return "";
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!IsHex(parts[i], kDigits[i], kDigits[i])) return "";
  }
  return absl::StrCat(prefix, rest);
}

std::string CanonicalAddress(absl::string_view text) {
  // NVML's domain has eight digits, sysfs's four (nvml.h, nvmlPciInfo_t; pci(5)).
  std::string lower = absl::AsciiStrToLower(text);
  const std::vector<absl::string_view> parts = absl::StrSplit(lower, ':');
  if (parts.size() != 3 || !IsHex(parts[0], 4, 8) || !IsHex(parts[1], 2, 2)) return "";
  const std::vector<absl::string_view> slot = absl::StrSplit(parts[2], '.');
  if (slot.size() != 2 || !IsHex(slot[0], 2, 2) || slot[1].size() != 1 || slot[1][0] < '0' ||
      slot[1][0] > '7' || slot[0][0] > '1') {
    return "";
  }
  absl::string_view domain = parts[0];
  while (domain.size() > 4 && domain[0] == '0') domain.remove_prefix(1);
  return absl::StrCat(domain, ":", parts[1], ":", parts[2]);
}

std::vector<Comparison> Compare(const Run& run) {
  std::vector<Group> groups;
  // First those that name both an id and an address.
  for (const absl::string_view name :
       {kCuda, kCudart, kDiscovery, kGpuDiscover, kNvml, kPci, kCudaSelect, kDiscoverySelect}) {
    for (const Step& step : run.steps) {
      if (step.name != name || step.status != StepStatus::kOk) continue;
      // A selection shows one device of several: it is held against the one that was asked for.
      Add(step, groups);
    }
  }
  std::vector<Comparison> comparisons;
  for (const Group& group : groups) {
    CompareTexts("pci address", group, AddressOf, comparisons);
    if (!group.IsPart()) {
      CompareTexts("uuid", group, UuidOf, comparisons);
      CompareTexts("name", group, NameOf, comparisons);
      CompareMemory(group, comparisons);
    }
    CompareTexts("pci ids", group, IdsOf, comparisons);
  }
  return comparisons;
}

const Run* ProcessRun(const Result& result) {
  for (const Run& run : result.runs) {
    if (run.environment == "process") return &run;
  }
  return nullptr;
}

bool Verified(const Result& result) {
  const Run* run = ProcessRun(result);
  const absl::string_view deciding = DecidingStep(result);
  if (run == nullptr || result.pid == 0 || deciding.empty() || AnyMatters(run->context)) {
    return false;
  }
  bool found = false;
  for (const Step& step : run->steps) {
    if (step.status == StepStatus::kFailed && step.needed && !PassedOver(*run, step)) return false;
    if (step.name == deciding && step.status == StepStatus::kOk && !step.devices.empty()) {
      found = true;
    }
  }
  return found && FirstDisagreement(*run) == nullptr;
}

void Conclude(Result& result) {
  for (Run& run : result.runs) run.comparisons = Compare(run);
  for (const Run& run : result.runs) {
    if (const Step* failed = FirstFailed(run); failed != nullptr && Lacked(run) == nullptr) {
      result.verdict = Verdict::kProblem;
      result.headline = FailedSentence(run, *failed);
      return;
    }
  }
  for (const Run& run : result.runs) {
    const Comparison* differs = FirstDisagreement(run);
    if (differs == nullptr || Lacked(run) != nullptr) continue;
    result.verdict = Verdict::kProblem;
    result.headline =
        absl::StrCat("The steps disagree about the ", differs->what, " of a device: ",
                     absl::StrJoin(differs->values, ", ",
                                   [](std::string* out, const Comparison::Value& value) {
                                     absl::StrAppend(out, value.step, " says ", value.value);
                                   }),
                     ".");
    return;
  }
  if (Verified(result)) {
    result.verdict = Verdict::kHealthy;
    result.headline =
        absl::StrCat("In the place of process ", result.pid,
                     ", every step that discovery takes finds the GPU, and they agree.");
    return;
  }
  result.verdict = Verdict::kInconclusive;
  for (const Run& run : result.runs) {
    const Step* failed = FirstFailed(run);
    if (failed == nullptr) continue;
    result.headline =
        absl::StrCat(StepTitle(failed->name), ": no. But the steps were done without ",
                     Lacked(run)->what, ", with which it may go well.");
    return;
  }
  const Run* run = ProcessRun(result);
  if (std::string why; NothingDone(result, why)) {
    result.headline = absl::StrCat("No step could be done", why.empty() ? "" : ": ", why, ".");
  } else if (run == nullptr) {
    result.headline =
        "Nothing runs: the steps were done with what the next start would get, and outside of the "
        "namespaces that it would have.";
  } else if (DecidingStep(result).empty()) {
    result.headline = absl::StrCat(
        "No step failed; what this program does to find a GPU is not "
        "known, so none of them proves that process ",
        result.pid, " can.");
  } else if (AnyMatters(run->context)) {
    const auto left =
        std::find_if(run->context.not_taken_over.begin(), run->context.not_taken_over.end(),
                     [](const NotTakenOver& item) { return item.matters; });
    result.headline = absl::StrCat("No step failed, but they were done without ", left->what,
                                   " of the service: that may decide otherwise.");
  } else {
    result.headline = "No step failed, and none shows that discovery finds a GPU.";
  }
}

std::string SignalName(int signal) {
  // sigabbrev_np(3) is newer than the oldest glibc that is built for.
  const char* name = nullptr;
  switch (signal) {
    case SIGABRT:
      name = "SIGABRT";
      break;
    case SIGBUS:
      name = "SIGBUS";
      break;
    case SIGFPE:
      name = "SIGFPE";
      break;
    case SIGILL:
      name = "SIGILL";
      break;
    case SIGKILL:
      name = "SIGKILL";
      break;
    case SIGSEGV:
      name = "SIGSEGV";
      break;
    case SIGSYS:
      name = "SIGSYS";
      break;
    case SIGTERM:
      name = "SIGTERM";
      break;
    case SIGTRAP:
      name = "SIGTRAP";
      break;
    default:
      return absl::StrCat("signal ", signal);
  }
  return name;
}

std::string HowItEnded(const Step& step) {
  if (step.timed_out) return "did not end in time";
  if (step.signal != 0) return absl::StrCat("ended by ", SignalName(step.signal));
  return "";
}

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy:
      return "healthy";
    case Verdict::kProblem:
      return "problem";
    case Verdict::kInconclusive:
      break;
  }
  return "inconclusive";
}

const char* StatusName(StepStatus status) {
  switch (status) {
    case StepStatus::kOk:
      return "ok";
    case StepStatus::kFailed:
      return "failed";
    case StepStatus::kNotRun:
      break;
  }
  return "not run";
}

}  // namespace vgpu::probe

#include "diag/facts/kernel_log.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "diag/journal/journal_reader.h"
#include "re2/re2.h"

namespace vgpu::facts {
namespace {

using Kind = KernelEvent::Kind;

struct Words {
  Kind kind;
  absl::string_view text;
};

// The more special one first.
constexpr Words kWords[] = {
    {Kind::kGpuLost, "GPU has fallen off the bus"},
    {Kind::kXid, "NVRM: Xid"},
    {Kind::kApiMismatch, "NVRM: API mismatch"},
    {Kind::kDriver, "RmInitAdapter failed"},
    {Kind::kDriver, "NVRM: No NVIDIA GPU found"},
    {Kind::kDriver, "NVRM: No NVIDIA devices probed"},
    {Kind::kDriver, "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid"},
    {Kind::kDriverLoaded, "NVRM: loading NVIDIA UNIX"},
    {Kind::kDeviceAdded, ": [10de:"},
    {Kind::kCrash, "segfault at "},
    {Kind::kCrash, "general protection fault"},
    {Kind::kCrash, "trap invalid opcode"},
    {Kind::kCrash, "trap int3"},
    {Kind::kSuspend, "PM: suspend entry"},
    {Kind::kSuspend, "PM: hibernation: hibernation entry"},
    {Kind::kResume, "PM: suspend exit"},
    {Kind::kResume, "PM: hibernation: hibernation exit"},
    {Kind::kResume, "PM: hibernation exit"},
    {Kind::kOomKill, "Killed process "},
    {Kind::kHypervisor, "Hypervisor detected: "},
};

void ReadDetails(KernelEvent& event) {
  switch (event.kind) {
    case Kind::kCrash: {
      // "traps: ollama[57302] trap invalid opcode ip:…" has no colon behind the bracket.
      static const RE2& who = *new RE2(R"(^(?:traps: )?(.{1,15})\[(\d{1,9})\])");
      static const RE2& where = *new RE2(R"( in (\S+)\[[0-9a-f,+]+\])");
      RE2::PartialMatch(event.text, who, &event.program, &event.pid);
      RE2::PartialMatch(event.text, where, &event.object);
      break;
    }
    case Kind::kOomKill: {
      static const RE2& who = *new RE2(R"(Killed process (\d{1,9}) \((.{1,15}?)\))");
      RE2::PartialMatch(event.text, who, &event.pid, &event.program);
      break;
    }
    case Kind::kXid:
    case Kind::kGpuLost: {
      static const RE2& xid = *new RE2(R"(Xid \([^)]*\): (\d{1,5}))");
      RE2::PartialMatch(event.text, xid, &event.xid);
      break;
    }
    default:
      break;
  }
}

}  // namespace

const KernelEvent* KernelLog::Last(Kind kind) const {
  for (auto it = events.rbegin(); it != events.rend(); ++it) {
    if (it->kind == kind) return &*it;
  }
  return nullptr;
}

absl::StatusOr<KernelLog> ReadKernelLog(host::ByteSource& source, std::string name) {
  static const absl::StatusOr<journal::JournalReader>& reader = *[] {
    std::vector<absl::string_view> needles;
    for (const Words& words : kWords) needles.push_back(words.text);
    return new absl::StatusOr<journal::JournalReader>(journal::JournalReader::Create(needles));
  }();
  if (!reader.ok()) return reader.status();
  KernelLog log;
  log.source = std::move(name);
  absl::StatusOr<journal::JournalSummary> summary =
      reader->Read(source, [&](const journal::JournalEntry& entry, uint64_t number) {
        if (!entry.message.present()) return;
        const std::string& text = *entry.message;
        const Words* words = std::find_if(
            std::begin(kWords), std::end(kWords),
            [&](const Words& candidate) { return absl::StrContains(text, candidate.text); });
        if (words == std::end(kWords)) return;
        KernelEvent event;
        event.kind = words->kind;
        event.number = number;
        event.time = entry.realtime;
        event.text = text.substr(0, kMaxKernelText);
        ReadDetails(event);
        if (log.events.size() >= kMaxKernelEvents) log.events.erase(log.events.begin());
        log.events.push_back(std::move(event));
      });
  if (!summary.ok()) return summary.status();
  log.status = summary->status;
  log.lines = summary->lines;
  auto time_of = [](const journal::JournalMoment& moment) { return moment.time; };
  log.first = summary->first.Map(time_of);
  log.last = summary->last.Map(time_of);
  return log;
}

}  // namespace vgpu::facts

#include "diag/rules/shared/reported_device.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "diag/logfmt/slog.h"
#include "diag/probe/step_names.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/discovery.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

using facts::Facts;
using ollama::ServerStart;
using Where = ReportedDevice::Where;

// So many zero bytes are no accident: one in 10^26 by chance.
constexpr size_t kManyZeros = 12;

uint8_t HexDigit(char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); }

// The 16 bytes of a canonical UUID.
std::array<uint8_t, 16> BytesOf(absl::string_view uuid) {
  std::array<uint8_t, 16> bytes{};
  size_t digits = 0;
  for (char c : uuid.substr(4)) {  // behind "GPU-"
    if (c == '-') continue;
    bytes[digits / 2] = static_cast<uint8_t>(bytes[digits / 2] << 4 | HexDigit(c));
    ++digits;
  }
  return bytes;
}

ReportedDevice FromResult(const ollama::Compute& result) {
  ReportedDevice device;
  device.where = Where::kResult;
  device.line = &result.line;
  device.id = result.id;
  device.pci_id = result.pci_id;
  device.compute = result.compute;
  // Eras B and C name the backend's device ("CUDA0") and describe the card.
  device.name = result.description.empty() ? result.name : result.description;
  device.total = result.total;
  return device;
}

// A record of the second pass. Nothing for a device of another library than CUDA.
std::optional<ReportedDevice> FromRecord(const ollama::LogLine& line, Where where) {
  std::optional<logfmt::SlogLine> record = logfmt::ParseSlog(line.text);
  if (!record) return std::nullopt;
  auto value = [&](absl::string_view key) {
    const std::string* found = record->Find(key);
    return found == nullptr ? std::string() : *found;
  };
  // The first names a directory ("…/cuda_v12"), the second the library itself.
  const std::string library = absl::AsciiStrToLower(value("library"));
  if (!absl::StrContains(library, "cuda")) return std::nullopt;
  ReportedDevice device;
  device.where = where;
  device.line = &line;
  device.id = value("id");
  device.pci_id = value("pci_id");
  device.compute = value("compute");
  device.name = value("description");
  return device;
}

// ggml's own line (ggml-cuda.cu, ggml_cuda_init); another backend's has no compute capability.
std::optional<ReportedDevice> FromGgml(const ollama::LogLine& line) {
  static const RE2& form =
      *new RE2("Device [0-9]+: (.*), compute capability ([0-9.]+)(?:.*, ID: (GPU-[0-9a-fA-F-]+))?");
  ReportedDevice device;
  if (!RE2::PartialMatch(line.text, form, &device.name, &device.compute, &device.id)) {
    return std::nullopt;
  }
  device.where = Where::kGgml;
  device.line = &line;
  return device;
}

// Era C's line for a device that no backend has code for: cc="610" is 6.1.
std::optional<ReportedDevice> FromSkipped(const ollama::LogLine& line) {
  static const RE2& form = *new RE2("cc=\"?([0-9]{3,6})\"?\\b");
  int cc = 0;
  if (!RE2::PartialMatch(line.text, form, &cc)) return std::nullopt;
  ReportedDevice device;
  device.where = Where::kSkipped;
  device.line = &line;
  device.compute = absl::StrCat(cc / 100, ".", cc % 100 / 10);
  return device;
}

std::string ShimToReplace(const Facts& facts) {
  const facts::Shim wanted =
      facts.ollama.era == ollama::Era::kA ? facts::Shim::kCuda : facts::Shim::kCudart;
  const facts::PreloadList* list = facts.Preload();
  if (list != nullptr) {
    for (const facts::PreloadEntry& entry : list->entries) {
      if (entry.shim == wanted) return entry.file.path;
    }
  }
  return absl::StrCat("/usr/lib64/", facts::InfoOf(wanted).name, ".so");
}

}  // namespace

const ServerStart* StartToJudge(const Facts& facts) {
  if (facts.process.present()) return facts.ThisStart();
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  if (!log.present() || log->starts.empty()) return nullptr;
  return &log->starts.back();
}

std::vector<ReportedDevice> ReportedDevices(const ServerStart& start) {
  std::vector<ReportedDevice> devices;
  for (const ollama::LogLine& line : start.devices) {
    if (auto device = FromGgml(line)) devices.push_back(*std::move(device));
  }
  for (const ollama::LogLine& line : start.arch_missing) {
    if (auto device = FromSkipped(line)) devices.push_back(*std::move(device));
  }
  for (const ollama::LogLine& line : start.verifying) {
    if (auto device = FromRecord(line, Where::kVerifying)) devices.push_back(*std::move(device));
  }
  for (const ollama::LogLine& line : start.filtered) {
    if (auto device = FromRecord(line, Where::kFiltered)) devices.push_back(*std::move(device));
  }
  for (const ollama::Compute& result : start.results) {
    const bool last = result.discovery == start.results.back().discovery;
    if (last && result.on_cuda()) devices.push_back(FromResult(result));
  }
  return devices;
}

std::vector<ReportedDevice> AllReportedDevices(const Facts& facts) {
  std::vector<ReportedDevice> devices;
  if (const ServerStart* start = StartToJudge(facts)) devices = ReportedDevices(*start);
  if (!facts.probe.result.present()) return devices;
  for (const probe::Run& run : facts.probe.result->runs) {
    for (const probe::Step& step : run.steps) {
      // The files of sysfs are judged as the host has them.
      if (step.status != probe::StepStatus::kOk || step.name == probe::kPci) continue;
      for (const probe::Device& found : step.devices) {
        ReportedDevice device;
        device.where = Where::kProbe;
        device.step = step.name;
        device.id = found.uuid;
        device.pci_id = found.pci_address;
        device.compute = found.compute;
        device.name = found.name;
        if (found.memory_bytes > 0) {
          device.total = absl::StrCat(found.memory_bytes >> 20, " MiB");
        }
        devices.push_back(std::move(device));
      }
    }
  }
  return devices;
}

std::optional<Judgement> WithoutReports(const Facts& facts,
                                        const std::vector<ReportedDevice>& reported) {
  if (!reported.empty()) return std::nullopt;
  const ServerStart* start = StartToJudge(facts);
  const CannotTell unseen{"what CUDA's device says of itself (id, address, compute capability)",
                          start == nullptr
                              ? "the log does not show the discovery of this process"
                              : "no line names a device, and the log's level hides the passes",
                          HowToLogMore(facts)};
  if (start == nullptr) return unseen;
  if (start->initial_count == 0) return Contradicted{"initial_count=0: no device was reported"};
  const bool passes_shown = facts.ollama.era == ollama::Era::kA ||
                            start->detail == ollama::Detail::kDebug ||
                            start->detail == ollama::Detail::kTrace;
  if (start->Result() != nullptr && passes_shown) {
    return Contradicted{
        absl::StrCat("discovery reported no CUDA device (library=", start->Result()->library, ")")};
  }
  return unseen;
}

std::optional<Judgement> DeviceNotSeen(const Facts& facts) {
  const facts::DeviceFacts& devices = facts.devices;
  if (devices.IsVirtual() || devices.IsPhysical() || !devices.functions.not_observed() ||
      !devices.modules.not_observed() || !devices.module_version.not_observed()) {
    return std::nullopt;
  }
  return CannotTell{"which GPU is there, and by which driver",
                    std::string(devices.functions.why_not()), "lspci -nnk -d 10de:"};
}

Evidence FromReport(const Facts& facts, const ReportedDevice& device, std::string meaning) {
  if (device.line == nullptr) {
    std::vector<absl::string_view> said = {device.step};
    for (const std::string* text :
         {&device.id, &device.pci_id, &device.compute, &device.name, &device.total}) {
      if (!text->empty()) said.push_back(*text);
    }
    return {facts.probe.source, 0, absl::StrJoin(said, " "), std::move(meaning)};
  }
  return FromLog(*facts.log.ServersLog(), *device.line, std::move(meaning));
}

std::string WhatIsWrongWithUuid(absl::string_view uuid) {
  const std::array<uint8_t, 16> bytes = BytesOf(uuid);
  if (std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; })) {
    return "all of it is zero";
  }
  if (std::all_of(bytes.begin(), bytes.end(), [&](uint8_t b) { return b == bytes[0]; })) {
    return "it is one byte, sixteen times";
  }
  const size_t zeros = static_cast<size_t>(std::count(bytes.begin(), bytes.end(), 0));
  if (zeros < kManyZeros) return "";
  uint64_t first = 0;
  for (size_t i = 8; i > 0; --i) first = first << 8 | bytes[i - 1];
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  if (first >= kGiB && first <= 2048 * kGiB && first % (uint64_t{1} << 20) == 0) {
    return absl::StrFormat(
        "its first eight bytes, read as a number, are %.1f GiB: a size of memory",
        static_cast<double>(first) / static_cast<double>(kGiB));
  }
  return absl::StrCat(zeros, " of its 16 bytes are zero: small numbers stand there, and no id");
}

std::vector<FixStep> ReplaceShimSteps(const Facts& facts, std::string why) {
  const std::string path = ShimToReplace(facts);
  std::vector<FixStep> steps = {
      {absl::StrCat("sudo cp -a ", path, " ", path, ".before && sudo install -m 0755 ",
                    host::Basename(path), " ", path),
       std::move(why), "every program that loads it gets the new one at its next start",
       absl::StrCat("sudo mv ", path, ".before ", path)}};
  if (facts.unit_judged) steps.push_back(RestartStep(facts, "discovery runs once, at the start"));
  return steps;
}

std::vector<FixStep> EditDevicesSteps(const Facts& facts, std::string what) {
  std::vector<FixStep> steps = {{absl::StrCat("sudoedit ", facts::kDeviceConfigFile),
                                 std::move(what), "", "put the file back as it was"}};
  if (facts.unit_judged) steps.push_back(RestartStep(facts, "the shims read it when they load"));
  return steps;
}

bool DiscoveryFoundGpu(const Facts& facts) { return facts.FoundGpu().value_or(false); }

Acts ActsNowIfRunning(const Facts& facts) {
  return facts.process.present() ? Acts::kNow : Acts::kNextStart;
}

}  // namespace vgpu::rules

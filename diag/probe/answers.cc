#include "diag/probe/answers.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "re2/re2.h"

namespace vgpu::probe {
namespace {

using nlohmann::json;

constexpr size_t kMaxItems = 256;
constexpr size_t kTextLimit = 4096;

bool NotTooDeep(int depth, json::parse_event_t, json&) { return depth < 8; }

json Parsed(absl::string_view text) {
  return json::parse(text.begin(), text.end(), NotTooDeep, /*allow_exceptions=*/false);
}

const json* Find(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::string Text(const json& object, const char* key) {
  const json* value = Find(object, key);
  if (value == nullptr || !value->is_string()) return "";
  return value->get_ref<const std::string&>().substr(0, kTextLimit);
}

bool Flag(const json& object, const char* key) {
  const json* value = Find(object, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

uint64_t Unsigned(const json& object, const char* key) {
  const json* value = Find(object, key);
  return value != nullptr && value->is_number_unsigned() ? value->get<uint64_t>() : 0;
}

template <typename F>
void ForEach(const json& list, F f) {
  if (!list.is_array()) return;
  for (size_t i = 0; i < list.size() && i < kMaxItems; ++i) {
    if (list[i].is_object()) f(list[i]);
  }
}

std::string Compute(uint64_t major, uint64_t minor) {
  return major == 0 ? "" : absl::StrCat(major, ".", minor);
}

bool IsCuda(const std::string& library) { return absl::EqualsIgnoreCase(library, "cuda"); }

}  // namespace

ProgramAnswer ParseProgramAnswer(absl::string_view text) {
  ProgramAnswer answer;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, "call ")) {
      answer.call = std::string(line.substr(0, 256));
      continue;
    }
    if (!absl::StartsWith(line, "{")) continue;
    const json object = Parsed(line);
    if (!object.is_object()) continue;
    answer.complete = true;
    answer.ok = Flag(object, "ok");
    answer.missing = Flag(object, "missing");
    answer.secure = Flag(object, "secure");
    answer.call = Text(object, "call");
    answer.why = Text(object, "why");
    answer.library = Text(object, "library");
    if (const json* list = Find(object, "preload")) {
      ForEach(*list, [&](const json& item) {
        answer.preload.push_back({Text(item, "entry"), Text(item, "from"), Flag(item, "loaded")});
      });
    }
    if (const json* list = Find(object, "devices")) {
      ForEach(*list, [&](const json& item) {
        Device device;
        device.uuid = Text(item, "uuid");
        device.pci_address = Text(item, "pci_address");
        device.name = Text(item, "name");
        device.compute = Text(item, "compute");
        device.memory_bytes = Unsigned(item, "memory_bytes");
        device.vendor = Text(item, "vendor");
        device.device = Text(item, "device");
        device.device_class = Text(item, "class");
        answer.devices.push_back(std::move(device));
      });
    }
  }
  return answer;
}

// The keys of ml.DeviceInfo (ollama/ollama ml/device.go, v0.13.5).
std::optional<std::vector<Device>> ParseRunnerInfo(absl::string_view text) {
  const json list = Parsed(text);
  // An empty list of Go may be null.
  if (!list.is_array() && !list.is_null()) return std::nullopt;
  std::vector<Device> devices;
  ForEach(list, [&](const json& item) {
    if (!IsCuda(Text(item, "backend"))) return;
    Device device;
    device.uuid = Text(item, "id");
    device.pci_address = Text(item, "pci_id");
    device.name = Text(item, "description");
    device.memory_bytes = Unsigned(item, "total_memory");
    device.compute = Compute(Unsigned(item, "ComputeMajor"), Unsigned(item, "ComputeMinor"));
    devices.push_back(std::move(device));
  });
  return devices;
}

// The pattern of discover/llama_server.go (v0.33.0-rc2), for CUDA's devices.
std::vector<Device> ParseListedDevices(absl::string_view text) {
  static const RE2& form =
      *new RE2(R"(^\s+(?:CUDA(\d+)):\s+(.+?)\s+\((\d+)\s+MiB,\s+\d+\s+MiB\s+free\)\s*$)");
  static const RE2& of_ggml = *new RE2(R"(^\s+Device (\d+): .+, compute capability (\d+\.\d+))");
  std::map<int, std::string> computes;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    int number = 0;
    std::string compute;
    if (RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), of_ggml, &number, &compute) &&
        computes.size() < kMaxItems) {
      computes[number] = compute.substr(0, kTextLimit);
    }
  }
  std::vector<Device> devices;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    Device device;
    std::string name;
    int number = 0;
    uint64_t mib = 0;
    if (devices.size() == kMaxItems ||
        !RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), form, &number, &name,
                           &mib)) {
      continue;
    }
    if (const auto known = computes.find(number); known != computes.end()) {
      device.compute = known->second;
    }
    // 0 MiB: Ollama takes it for no device (llama_server.go, isPseudoDevice).
    if (mib == 0 || mib > (uint64_t{1} << 40)) continue;
    device.name = name.substr(0, kTextLimit);
    device.memory_bytes = mib << 20;
    devices.push_back(std::move(device));
  }
  return devices;
}

std::vector<std::string> ParseCompiledFor(absl::string_view text) {
  static const RE2& form = *new RE2(R"(CUDA : ARCHS = ([0-9,]+))");
  std::string numbers;
  std::vector<std::string> compiled;
  if (!RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), form, &numbers)) {
    return compiled;
  }
  for (absl::string_view word : absl::StrSplit(numbers, ',')) {
    int number = 0;
    if (!absl::SimpleAtoi(word, &number) || number < 100 || compiled.size() == kMaxItems) continue;
    compiled.push_back(absl::StrCat(number / 100, ".", number / 10 % 10));
  }
  return compiled;
}

// nativeProbeResult of discover/native_probe.go (v0.30 and later).
std::optional<std::vector<Device>> ParseGpuDiscover(absl::string_view text) {
  const json object = Parsed(text);
  const json* list = Find(object, "devices");
  if (list == nullptr || (!list->is_array() && !list->is_null())) return std::nullopt;
  std::vector<Device> devices;
  ForEach(*list, [&](const json& item) {
    if (!IsCuda(Text(item, "library"))) return;
    Device device;
    device.pci_address = Text(item, "device_id");
    device.name = Text(item, "description");
    device.memory_bytes = Unsigned(item, "total_memory");
    device.compute = Compute(Unsigned(item, "compute_major"), Unsigned(item, "compute_minor"));
    devices.push_back(std::move(device));
  });
  return devices;
}

}  // namespace vgpu::probe

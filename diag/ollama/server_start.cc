#include "diag/ollama/server_start.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "re2/re2.h"

namespace vgpu::ollama {
namespace {

using logfmt::SlogLine;

std::string ValueOf(const SlogLine* slog, absl::string_view key) {
  const std::string* value = slog == nullptr ? nullptr : slog->Find(key);
  return value == nullptr ? "" : *value;
}

// The first key that has a value.
std::string ValueOf(const SlogLine* slog, std::initializer_list<absl::string_view> keys) {
  for (absl::string_view key : keys) {
    if (std::string value = ValueOf(slog, key); !value.empty()) return value;
  }
  return "";
}

template <typename T>
void Keep(std::vector<T>& items, T item) {
  // The latest count most: the first is kept as an example, then the oldest give way.
  if (items.size() >= kMaxLines) items.erase(items.begin() + 1);
  items.push_back(std::move(item));
}

std::vector<std::string> LibraryDirs(const SlogLine* slog) {
  auto list = logfmt::ParseGoSlice(ValueOf(slog, {"OLLAMA_LIBRARY_PATH", "libDirs"}));
  return list.ok() ? *std::move(list) : std::vector<std::string>();
}

// The second pass selects one device.
bool SelectsDevice(const SlogLine* slog) {
  return absl::StrContains(ValueOf(slog, "extra_envs"), "VISIBLE_DEVICES");
}

// "exit status 127", "signal: segmentation fault", from any text that holds it.
std::string StatusIn(absl::string_view text) {
  static const RE2& status = *new RE2(
      R"((exit status -?\d+|exit code:? -?\d+|signal: [a-z ]+[a-z](?: \(core dumped\))?))");
  std::string found;
  RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), status, &found);
  return found;
}

Failure FailureOf(LogLine line, const SlogLine* slog) {
  Failure failure;
  failure.error = ValueOf(slog, "error");
  failure.library_dirs = LibraryDirs(slog);
  failure.second = SelectsDevice(slog);
  const std::string said = absl::StrCat(slog == nullptr ? "" : slog->msg, " ", failure.error, " ",
                                        ValueOf(slog, "detail"));
  if (absl::StrContains(said, "timed out") || absl::StrContains(said, "timeout") ||
      absl::StrContains(said, "deadline exceeded")) {
    failure.why = Failure::Why::kTimeout;
  } else if (absl::StrContains(said, "crashed") || !StatusIn(said).empty()) {
    failure.why = Failure::Why::kCrash;
  }
  failure.line = std::move(line);
  return failure;
}

ChildEnd EndOf(LogLine line, const SlogLine* slog) {
  ChildEnd end;
  end.status = StatusIn(line.text);
  if (end.status.empty()) {
    const std::string code = ValueOf(slog, {"code", "exit"});
    if (!code.empty()) end.status = absl::StrCat("exit status ", code);
  }
  end.library_dirs = LibraryDirs(slog);
  end.line = std::move(line);
  return end;
}

// `msg=system CPU.0.AVX=1 … CUDA.0.ARCHS=…` (from v0.5.8), `info="CUDA : … | CPU : …"` before:
// all backends that a runner has. It names no path. ServerStart::backends tells it apart by
// that from what was opened.
void TakeSystem(LogLine line, ServerStart& start) {
  for (absl::string_view name : {"CUDA", "CPU"}) {
    if (!absl::StrContains(line.text, absl::StrCat(name, ".0.")) &&
        !absl::StrContains(line.text, absl::StrCat(name, " : "))) {
      continue;
    }
    Keep(start.backends, Backend{line, /*loaded=*/true, std::string(name), ""});
  }
}

void TakeBackend(LogLine line, ServerStart& start) {
  static const RE2& loaded = *new RE2(R"(load_backend: loaded (\S+) backend from (\S+))");
  static const RE2& failed = *new RE2(
      R"(load_backend: failed to (?:load|find ggml_backend_init in|initialize backend from) )"
      R"(([^: ]+))");
  Backend backend;
  backend.loaded = RE2::PartialMatch(line.text, loaded, &backend.name, &backend.path);
  if (!backend.loaded) RE2::PartialMatch(line.text, failed, &backend.path);
  backend.line = std::move(line);
  Keep(start.backends, std::move(backend));
}

void TakeDeviceCount(LogLine line, ServerStart& start) {
  static const RE2& found = *new RE2(R"(ggml_(cuda_init|vulkan): [Ff]ound (\d{1,5}) )");
  DeviceCount count;
  std::string who;
  if (!RE2::PartialMatch(line.text, found, &who, &count.count)) return;
  count.cuda = who == "cuda_init";
  count.line = std::move(line);
  Keep(start.device_counts, std::move(count));
}

void TakeOffload(LogLine line, const SlogLine* slog, ServerStart& start) {
  static const RE2& layers = *new RE2(R"(offloaded (\d{1,6})/(\d{1,6}) layers to GPU)");
  Offload offload;
  if (!RE2::PartialMatch(line.text, layers, &offload.on_gpu, &offload.of)) {
    // "layers.offload" may be a list, one number for each device: "20,13".
    if (!absl::SimpleAtoi(ValueOf(slog, "layers.model"), &offload.of) ||
        !absl::SimpleAtoi(ValueOf(slog, "layers.offload"), &offload.on_gpu)) {
      return;
    }
  }
  offload.line = std::move(line);
  Keep(start.offloads, std::move(offload));
}

void TakeRunner(LogLine line, const SlogLine* slog, ServerStart& start) {
  const std::string command = ValueOf(slog, "cmd");
  const bool for_model = absl::StrContains(command, " --model ") ||
                         absl::StrContains(command, " -m ") ||
                         absl::StrContains(command, " --model=");
  Era era = Era::kUnknown;
  if (absl::StrContains(line.text, "starting llama-server")) era = Era::kC;
  // Era A starts a runner only for a model.
  if (!for_model && absl::StrContains(command, "runner --ollama-engine --port")) era = Era::kB;
  if (era != Era::kUnknown && !start.era_line) {
    start.era = era;
    start.era_line = line;
  }
  if (for_model) Keep(start.loads, ModelLoad{std::move(line), command});
}

// A paste as wide as a terminal ends within the line, before the library or in it: such a
// line tells no result. Every release writes more behind `library=`.
bool CutBeforeLibraryEnds(const SlogLine* slog) {
  const std::string* library = slog == nullptr ? nullptr : slog->Find("library");
  if (library == nullptr) return true;
  if (&slog->attrs.back().value != library) return false;
  for (absl::string_view name : {"cpu", "cuda", "rocm", "vulkan", "metal", "oneapi"}) {
    if (absl::EqualsIgnoreCase(*library, name)) return false;
  }
  return true;
}

void TakeCompute(LogLine line, const SlogLine* slog, ServerStart& start) {
  if (CutBeforeLibraryEnds(slog)) {
    if (start.cut_results.size() < kMaxLines) start.cut_results.push_back(std::move(line));
    return;
  }
  Compute result;
  // One discovery prints its lines within a moment, and says before that it begins.
  if (!start.results.empty()) {
    const Compute& last = start.results.back();
    const bool new_one = (start.began && start.began->number > last.line.number) ||
                         (line.time.present() && last.line.time.present() &&
                          *line.time - *last.line.time > absl::Seconds(5));
    result.discovery = last.discovery + (new_one ? 1 : 0);
  }
  result.line = std::move(line);
  result.id = ValueOf(slog, "id");
  result.library = ValueOf(slog, "library");
  result.compute = ValueOf(slog, "compute");
  result.name = ValueOf(slog, "name");
  result.description = ValueOf(slog, "description");
  result.pci_id = ValueOf(slog, "pci_id");
  result.driver = ValueOf(slog, "driver");
  result.total = ValueOf(slog, "total");
  if (start.results.size() >= kMaxLines) start.results.erase(start.results.begin());
  start.results.push_back(std::move(result));
}

// OLLAMA_DEBUG as `server config` prints it: a truth value to v0.6, a level since.
Detail DetailOf(absl::string_view debug) {
  if (debug == "DEBUG" || debug == "true" || debug == "1") return Detail::kDebug;
  if (debug == "INFO" || debug == "false" || debug == "0") return Detail::kInfo;
  if (absl::StartsWith(debug, "DEBUG-") || debug == "TRACE") return Detail::kTrace;
  return Detail::kUnknown;
}

void TakeConfig(LogLine line, const SlogLine* slog, ServerStart& start) {
  if (auto env = logfmt::ParseGoMap(ValueOf(slog, "env")); env.ok()) {
    start.config_env = *std::move(env);
  }
  for (const auto& [name, value] : start.config_env) {
    if (name == "OLLAMA_DEBUG") start.detail = std::max(start.detail, DetailOf(value));
  }
  start.server_config = std::move(line);
}

void TakePass(LogLine line, const SlogLine* slog, ServerStart& start) {
  Pass pass;
  auto duration = logfmt::ParseGoDuration(ValueOf(slog, "duration"));
  if (duration.ok()) {
    pass.duration = *duration;
  } else {
    pass.duration = host::NotObserved{std::string(duration.status().message())};
  }
  pass.library_dirs = LibraryDirs(slog);
  pass.second = SelectsDevice(slog);
  pass.line = std::move(line);
  Keep(start.passes, std::move(pass));
}

void TakeOverride(LogLine line, const SlogLine* slog, ServerStart& start) {
  for (const logfmt::SlogAttr& attr : slog->attrs) {
    if (!absl::StrContains(attr.key, "VISIBLE_DEVICES") &&
        !absl::StrContains(attr.key, "DEVICE_ORDINAL") && !absl::StartsWith(attr.key, "HSA_")) {
      continue;
    }
    Keep(start.overrides, Named{std::move(line), attr.key, attr.value});
    return;
  }
  Keep(start.overrides, Named{std::move(line), "", ""});
}

}  // namespace

bool Compute::on_gpu() const { return !library.empty() && library != "cpu"; }
bool Compute::on_cuda() const { return absl::EqualsIgnoreCase(library, "cuda"); }

const Compute* ServerStart::Result() const {
  if (results.empty()) return nullptr;
  // A CPU line is printed only where there is no device, so a device among the lines of
  // the last discovery decides, and CUDA before another library (Vulkan).
  const Compute* best = &results.back();
  for (auto it = results.rbegin(); it != results.rend(); ++it) {
    if (it->discovery != results.back().discovery) break;
    if (it->on_gpu() != results.back().on_gpu()) break;
    if (it->on_cuda() && !best->on_cuda()) best = &*it;
  }
  return best;
}

const CudaError* ServerStart::LostLater() const {
  const Compute* result = Result();
  if (result == nullptr || !result->on_cuda()) return nullptr;
  const CudaError* lost = nullptr;
  for (const CudaError& error : cuda_errors) {
    if (error.line.number < result->line.number) continue;
    // A call may fail for the model's sake; these tell of the device, or of code in the backend
    // that no model can run on it.
    const bool of_device = error.words.at_init || error.Is(800) || error.Is(999) || error.Is(98) ||
                           error.Is(200) || error.Is(209) || error.Is(222);
    if (error.after_result && of_device) lost = &error;
  }
  if (lost == nullptr) return nullptr;
  for (const DeviceCount& count : device_counts) {
    if (count.cuda && count.count > 0 && count.line.number > lost->line.number) return nullptr;
  }
  return lost;
}

const CudaError* ServerStart::InitError() const {
  // Beside a driver that serves CUDA 12, the variant for CUDA 13 says 35 on a sound host: any
  // other code tells more.
  const auto weight = [](const CudaError& error) {
    return error.words.code == 0 ? 0 : error.words.code == 35 ? 1 : 2;
  };
  const CudaError* best = nullptr;
  for (const CudaError& error : cuda_errors) {
    if (error.after_result) continue;
    if (best == nullptr || weight(error) >= weight(*best)) best = &error;
  }
  return best;
}

std::string QuotedWords(const SlogLine& slog) {
  std::string words = slog.msg;
  // `detail` and `stderr` are a child's last lines; `error` wraps what it said.
  for (absl::string_view key : {"error", "err", "detail", "stderr"}) {
    if (const std::string* value = slog.Find(key)) absl::StrAppend(&words, "\n", *value);
  }
  return words;
}

void TakeLine(Event event, LogLine line, const SlogLine* slog, ServerStart& start) {
  line.event = event;
  if (slog != nullptr) {
    if (slog->level == "DEBUG") start.detail = std::max(start.detail, Detail::kDebug);
    if (slog->level == "TRACE") start.detail = Detail::kTrace;
  }
  switch (event) {
    case Event::kServerConfig:
      return TakeConfig(std::move(line), slog, start);
    case Event::kListening: {
      static const RE2& version = *new RE2(R"(\(version ([^)\s]+)\))");
      RE2::PartialMatch(slog->msg, version, &start.version);
      start.listening = std::move(line);
      return;
    }
    case Event::kDiscoveryBegan:
      if (absl::StrContains(line.text, "looking for compatible GPUs") && !start.era_line) {
        start.era = Era::kA;
        start.era_line = line;
      }
      start.began = std::move(line);
      return;
    case Event::kPass:
      if (absl::StrContains(line.text, "llama-server") && !start.era_line) {
        start.era = Era::kC;
        start.era_line = line;
      }
      return TakePass(std::move(line), slog, start);
    case Event::kCount: {
      int number = 0;
      if (absl::SimpleAtoi(ValueOf(slog, {"initial_count", "count"}), &number)) {
        start.initial_count = number;
      }
      start.counted = std::move(line);
      return;
    }
    case Event::kVerifying:
      return Keep(start.verifying, std::move(line));
    case Event::kFiltered:
      return Keep(start.filtered, std::move(line));
    case Event::kSkipped:
      return Keep(start.skipped,
                  Named{std::move(line), ValueOf(slog, {"libDir", "description", "name"}),
                        ValueOf(slog, "requested")});
    case Event::kOverride:
      return TakeOverride(std::move(line), slog, start);
    case Event::kFailure:
      return Keep(start.failures, FailureOf(std::move(line), slog));
    case Event::kChildEnded:
      return Keep(start.child_ends, EndOf(std::move(line), slog));
    case Event::kNoDevice:
      return Keep(start.no_device, std::move(line));
    case Event::kDriverTooOld:
      return Keep(start.driver_too_old,
                  DriverTooOld{std::move(line), ValueOf(slog, "device"), ValueOf(slog, "driver"),
                               ValueOf(slog, "required_driver")});
    case Event::kArchMissing:
      return Keep(start.arch_missing, std::move(line));
    case Event::kNoAvx:
      return Keep(start.no_avx, std::move(line));
    case Event::kCompute:
      return TakeCompute(std::move(line), slog, start);
    case Event::kVram:
      start.total_vram = ValueOf(slog, {"total_vram", "total vram"});
      start.vram = std::move(line);
      return;
    case Event::kLoaderError:
      return Keep(start.loader_errors, std::move(line));
    case Event::kBackend:
      if (slog != nullptr && slog->msg == "system") return TakeSystem(std::move(line), start);
      return TakeBackend(std::move(line), start);
    case Event::kDeviceCount:
      return TakeDeviceCount(std::move(line), start);
    case Event::kDevice:
      return Keep(start.devices, std::move(line));
    case Event::kRunner:
      return TakeRunner(std::move(line), slog, start);
    case Event::kOffload:
      return TakeOffload(std::move(line), slog, start);
    case Event::kTooLarge:
      return Keep(start.too_large, std::move(line));
    case Event::kRunnerDied:
      return Keep(start.runner_deaths, EndOf(std::move(line), slog));
    case Event::kLaunchRefused:
      return Keep(start.launches_refused, std::move(line));
    case Event::kOtherRuntime:
      return Keep(start.foreign_runtimes, std::move(line));
    case Event::kUnitExited: {
      static const RE2& ended = *new RE2(R"(code=([a-z]+), status=(\S+))");
      Exit exit;
      RE2::PartialMatch(line.text, ended, &exit.code, &exit.status);
      exit.line = std::move(line);
      start.exit = std::move(exit);
      return;
    }
    case Event::kCudaError: {
      const std::string words = slog != nullptr ? QuotedWords(*slog) : line.text;
      std::optional<CudaErrorWords> found = FindCudaError(words);
      if (!found) return;
      const bool after = !start.results.empty() &&
                         !(start.began && start.began->number > start.results.back().line.number);
      return Keep(start.cuda_errors, CudaError{std::move(line), *std::move(found), after});
    }
    case Event::kUnitStarted:
    case Event::kUnitStopped:
    case Event::kUnitRestart:
    case Event::kUnitProblem:
    case Event::kNone:
      return;
  }
}

}  // namespace vgpu::ollama

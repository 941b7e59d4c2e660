// How fast a large journal is read, beside what bounds it and what one would write
// first.
//
//   bazel run -c opt //diag/journal:journal_benchmark

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "diag/journal/journal_reader.h"
#include "diag/logfmt/memory_source.h"
#include "nlohmann/json.hpp"
#include "re2/re2.h"

namespace vgpu::journal {
namespace {

constexpr size_t kJournalSize = size_t{200} << 20;
constexpr size_t kSampleSize = size_t{8} << 20;  // for what is slow

// Messages of Ollama's discovery, as a diagnosis looks for them.
constexpr absl::string_view kNeedles[] = {
    "inference compute",
    "server config",
    "Listening on",
    "looking for compatible GPUs",
    "no compatible GPUs were discovered",
    "no nvidia devices detected by library",
    "unknown error initializing cuda driver library",
    "version mismatch between driver and cuda driver library",
    "Unable to load cudart library",
    "error looking up nvidia GPU memory",
    "CUDA GPU is too old",
    "discovering available GPUs",
    "user overrode visible devices",
    "skipping available library at user",
    "bootstrap discovery took",
    "evaluating which, if any, devices to filter out",
    "verifying if device is supported",
    "filtering device which didn't fully initialize",
    "filtering device with overlapping libraries",
    "dropping duplicate device",
    "failure during GPU discovery",
    "failure during llama-server GPU discovery",
    "unable to start discovery subprocess",
    "unable to refresh free memory",
    "entering low vram mode",
    "vram-based default context",
    "runner exited",
    "watchdog timed out",
    "system_info line not found",
    "skipping pseudo-device with zero memory",
    "NVIDIA driver too old",
    "dropping integrated GPU",
    "ggml_cuda_init",
    "ggml_nvml_init",
    "loaded CUDA backend",
    "failed to load",
    "CUDA error",
    "GGML_ASSERT",
    "symbol lookup error",
    "cannot be preloaded",
    "libvgpu",
    "Main process exited",
    "Failed with result",
    "Failed to set up mount namespacing",
};

// The fields that journald puts beside each message of a service.
std::string Entry(uint64_t index, absl::string_view message) {
  return absl::StrFormat(
      R"({"__CURSOR":"s=5f1c2b7e9d8a4c3fb0a1e2d3c4b5a697;i=%x;b=0f5b1c6a7d8e49f0a1b2c3d4e5f60718;)"
      R"(m=%x;t=%x;x=9c7d1e2f3a4b5c6d","__REALTIME_TIMESTAMP":"%d","__MONOTONIC_TIMESTAMP":"%d",)"
      R"("_BOOT_ID":"0f5b1c6a7d8e49f0a1b2c3d4e5f60718","PRIORITY":"6","SYSLOG_FACILITY":"3",)"
      R"("_UID":"998","_GID":"998","_CAP_EFFECTIVE":"0","_SELINUX_CONTEXT":"unconfined\n",)"
      R"("_MACHINE_ID":"7a6b5c4d3e2f10998877665544332211","_HOSTNAME":"gpu-guest-04",)"
      R"("_SYSTEMD_SLICE":"system.slice","_RUNTIME_SCOPE":"system","_TRANSPORT":"stdout",)"
      R"("_STREAM_ID":"c0ffee11deadbeef2233445566778899","SYSLOG_IDENTIFIER":"ollama",)"
      R"("_PID":"154237","_COMM":"ollama","_EXE":"/usr/local/bin/ollama",)"
      R"("_CMDLINE":"/usr/local/bin/ollama serve","_SYSTEMD_CGROUP":"/system.slice/ollama.service",)"
      R"("_SYSTEMD_UNIT":"ollama.service",)"
      R"("_SYSTEMD_INVOCATION_ID":"1234567890abcdef1234567890abcdef","MESSAGE":"%s"})"
      "\n",
      index, 1000000 + index * 137, 0x64b0000000000 + index * 137, 1772029016934123 + index * 137,
      1000000 + index * 137, message);
}

std::string MakeJournal(size_t size) {
  std::mt19937 random(1);
  std::string journal;
  journal.reserve(size + 4096);
  for (uint64_t i = 0; journal.size() < size; ++i) {
    std::string message;
    if (i % 20000 == 50) {
      message =
          R"(time=2026-02-25T09:16:56.934-05:00 level=INFO source=types.go:60 msg=\"inference compute\" id=cpu library=cpu compute=\"\" name=cpu description=cpu libdirs=ollama driver=\"\" pci_id=\"\" type=\"\" total=\"3.8 GiB\" available=\"3.0 GiB\")";
    } else if (random() % 50 == 0) {
      message =
          R"(time=2026-02-25T09:17:00.001-05:00 level=INFO source=server.go:1289 msg=\"llama runner started in 2.51 seconds\" model=/usr/share/ollama/.ollama/models/blobs/sha256-0a1b2c3d)";
    } else if (random() % 50 == 0) {
      message =
          R"(llama_model_loader: - kv  12:                 llama.attention.head_count u32              = 32)";
    } else {
      message = absl::StrFormat(
          R"([GIN] 2026/02/26 - 06:%02d:%02d | 200 | %8.3fms |       127.0.0.1 | %-7s \"%s\")",
          random() % 60, random() % 60, (random() % 100000) / 1000.0,
          random() % 3 == 0 ? "POST" : "GET", random() % 3 == 0 ? "/api/chat" : "/api/tags");
    }
    journal += Entry(i, message);
  }
  return journal;
}

const std::string& Journal() {
  static const std::string& journal = *new std::string(MakeJournal(kJournalSize));
  return journal;
}

uint64_t CountLines(absl::string_view text) {
  uint64_t lines = 0;
  for (size_t i = text.find('\n'); i != absl::string_view::npos; i = text.find('\n', i + 1)) {
    ++lines;
  }
  return lines;
}

void Report(benchmark::State& state, absl::string_view text, uint64_t lines) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * lines));
}

void BM_JournalReader(benchmark::State& state) {
  const std::string& journal = Journal();
  const auto reader = JournalReader::Create(kNeedles);
  if (!reader.ok()) return state.SkipWithError(reader.status().ToString().c_str());
  uint64_t lines = 0;
  for (auto _ : state) {
    logfmt::MemorySource source(journal);
    uint64_t found = 0;
    const auto summary = reader->Read(source, [&](const JournalEntry&, uint64_t) { ++found; });
    if (!summary.ok() || found == 0) return state.SkipWithError("nothing found");
    lines = summary->lines;
    state.counters["found"] = static_cast<double>(found);
  }
  Report(state, journal, lines);
}
BENCHMARK(BM_JournalReader)->Unit(benchmark::kMillisecond);

void BM_NeedlesOnly(benchmark::State& state) {
  const std::string& journal = Journal();
  const auto path = static_cast<logfmt::NeedleSet::Path>(state.range(0));
  if (!logfmt::NeedleSet::Supported(path)) return state.SkipWithError("not on this processor");
  const auto set = logfmt::NeedleSet::Create(kNeedles, path);
  for (auto _ : state) {
    absl::string_view rest = journal;
    while (const auto match = set->Find(rest)) rest.remove_prefix(match->position + 1);
    benchmark::DoNotOptimize(rest);
  }
  Report(state, journal, CountLines(journal));
}
BENCHMARK(BM_NeedlesOnly)
    ->ArgName("path")
    ->Arg(static_cast<int>(logfmt::NeedleSet::Path::kPortable))
    ->Arg(static_cast<int>(logfmt::NeedleSet::Path::kSsse3))
    ->Arg(static_cast<int>(logfmt::NeedleSet::Path::kAvx2))
    ->Unit(benchmark::kMillisecond);

// In blocks, as a file is read; and to a buffer as large as the journal.
void BM_MemcpyBlocks(benchmark::State& state) {
  const std::string& journal = Journal();
  std::string block(logfmt::kBlockSize, '\0');
  for (auto _ : state) {
    logfmt::MemorySource source(journal);
    while (*source.Read(block.data(), block.size()) > 0) benchmark::ClobberMemory();
  }
  Report(state, journal, CountLines(journal));
}
BENCHMARK(BM_MemcpyBlocks)->Unit(benchmark::kMillisecond);

void BM_Memcpy(benchmark::State& state) {
  const std::string& journal = Journal();
  std::string copy(journal.size(), '\0');
  for (auto _ : state) {
    std::memcpy(copy.data(), journal.data(), journal.size());
    benchmark::ClobberMemory();
  }
  Report(state, journal, CountLines(journal));
}
BENCHMARK(BM_Memcpy)->Unit(benchmark::kMillisecond);

void BM_MemchrNewlines(benchmark::State& state) {
  const std::string& journal = Journal();
  uint64_t lines = 0;
  for (auto _ : state) benchmark::DoNotOptimize(lines = CountLines(journal));
  Report(state, journal, lines);
}
BENCHMARK(BM_MemchrNewlines)->Unit(benchmark::kMillisecond);

void BM_Re2Alternation(benchmark::State& state) {
  const absl::string_view journal = absl::string_view(Journal()).substr(0, kSampleSize * 4);
  const RE2 any(absl::StrJoin(kNeedles, "|", [](std::string* out, absl::string_view needle) {
    out->append(RE2::QuoteMeta(re2::StringPiece(needle.data(), needle.size())));
  }));
  for (auto _ : state) {
    uint64_t found = 0;
    for (size_t at = 0; at < journal.size(); at += logfmt::kBlockSize) {
      const absl::string_view block = journal.substr(at, logfmt::kBlockSize);
      re2::StringPiece rest(block.data(), block.size());
      while (RE2::FindAndConsume(&rest, any)) ++found;
    }
    if (found == 0) return state.SkipWithError("nothing found");
  }
  Report(state, journal, CountLines(journal));
}
BENCHMARK(BM_Re2Alternation)->Unit(benchmark::kMillisecond);

void BM_NlohmannEveryLine(benchmark::State& state) {
  const absl::string_view journal = absl::string_view(Journal()).substr(0, kSampleSize);
  for (auto _ : state) {
    uint64_t found = 0;
    for (size_t at = 0; at < journal.size();) {
      const size_t end = std::min(journal.find('\n', at), journal.size());
      const auto json =
          nlohmann::json::parse(journal.begin() + static_cast<std::ptrdiff_t>(at),
                                journal.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
      at = end + 1;
      if (!json.is_object()) continue;
      const std::string message = json.value("MESSAGE", "");
      for (absl::string_view needle : kNeedles) {
        if (message.find(needle.data(), 0, needle.size()) != std::string::npos) {
          ++found;
          break;
        }
      }
    }
    if (found == 0) return state.SkipWithError("nothing found");
  }
  Report(state, journal, CountLines(journal));
}
BENCHMARK(BM_NlohmannEveryLine)->Unit(benchmark::kMillisecond);

void BM_EntryOfEveryLine(benchmark::State& state) {
  const absl::string_view journal = absl::string_view(Journal()).substr(0, kSampleSize);
  for (auto _ : state) {
    uint64_t good = 0;
    for (size_t at = 0; at < journal.size();) {
      const size_t end = std::min(journal.find('\n', at), journal.size());
      good += ParseJournalEntry(journal.substr(at, end - at)).ok();
      at = end + 1;
    }
    if (good == 0) return state.SkipWithError("nothing read");
  }
  Report(state, journal, CountLines(journal));
}
BENCHMARK(BM_EntryOfEveryLine)->Unit(benchmark::kMillisecond);

// The console's table, and the speeds for the ratios.
class Speeds : public benchmark::ConsoleReporter {
 public:
  Speeds() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      const auto speed = run.counters.find("bytes_per_second");
      if (speed != run.counters.end()) speeds_[run.benchmark_name()] = speed->second;
    }
  }

  void PrintRatios() const {
    const auto reader = speeds_.find("BM_JournalReader");
    if (reader == speeds_.end()) return;
    std::printf("\nBM_JournalReader, as a multiple of\n");
    for (const auto& [name, speed] : speeds_) {
      std::printf("  %-28s %8.2f\n", name.c_str(), reader->second / speed);
    }
  }

 private:
  std::map<std::string, double> speeds_;
};

}  // namespace
}  // namespace vgpu::journal

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  vgpu::journal::Speeds speeds;
  benchmark::RunSpecifiedBenchmarks(&speeds);
  speeds.PrintRatios();
  return 0;
}

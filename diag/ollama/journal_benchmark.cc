// How fast a large journal is read, beside what bounds it and what one would write
// first.
//
//   bazel run -c opt //diag/ollama:journal_benchmark

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "diag/journal/journal_reader.h"
#include "diag/journal/sample_journal.h"
#include "diag/logfmt/memory_source.h"
#include "diag/ollama/messages.h"
#include "nlohmann/json.hpp"
#include "re2/re2.h"

namespace vgpu::ollama {
namespace {

using journal::JournalEntry;
using journal::JournalReader;

constexpr size_t kJournalSize = size_t{200} << 20;
constexpr size_t kSampleSize = size_t{8} << 20;  // for what is slow

// What a diagnosis looks for.
const std::vector<absl::string_view>& Needles() {
  static const auto& needles = *[] {
    auto* texts = new std::vector<absl::string_view>;
    for (const Message& message : Messages()) texts->push_back(message.text);
    return texts;
  }();
  return needles;
}

const std::string& Journal() {
  static const std::string& journal = *new std::string(journal::SampleJournal(kJournalSize));
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
  const auto reader = JournalReader::Create(Needles());
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
  const auto set = logfmt::NeedleSet::Create(Needles(), path);
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
  const RE2 any(absl::StrJoin(Needles(), "|", [](std::string* out, absl::string_view needle) {
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
      for (absl::string_view needle : Needles()) {
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
      good += journal::ParseJournalEntry(journal.substr(at, end - at)).ok();
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
}  // namespace vgpu::ollama

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  vgpu::ollama::Speeds speeds;
  benchmark::RunSpecifiedBenchmarks(&speeds);
  speeds.PrintRatios();
  return 0;
}

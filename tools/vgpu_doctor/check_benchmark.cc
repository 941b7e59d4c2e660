// How fast a whole `check` of a host with a large journal is, beside what bounds it.
//
//   bazel run //tools/vgpu_doctor:check_benchmark
//
// A tree with 200 MB of journal is made once, in a temporary directory. The limit is
// reading the file: BM_ReadFile does that and nothing else. BM_GrepFixed runs `grep -c -F`
// with the same messages as a whole process.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "diag/diagnosis/diagnosis.h"
#include "diag/facts/gather.h"
#include "diag/host/tree_host.h"
#include "diag/journal/sample_journal.h"
#include "diag/ollama/messages.h"
#include "diag/report/text.h"

namespace vgpu::doctor {
namespace {

constexpr size_t kJournalSize = size_t{200} << 20;
constexpr size_t kBlock = size_t{256} << 10;

// A captured host with a unit, one process and the journal. Removed at exit.
class Tree {
 public:
  Tree() {
    const char* temp = getenv("TMPDIR");
    dir_ = absl::StrCat(temp != nullptr ? temp : "/tmp", "/check_benchmark.XXXXXX");
    if (mkdtemp(dir_.data()) == nullptr) {
      perror("check_benchmark: mkdtemp");
      exit(1);
    }
    Write(".vgpu-capture/manifest.json", "{\"schema\": \"vgpu-doctor.capture/1\"}");
    Write(".vgpu-capture/systemctl/show-ollama.service.txt",
          "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=154237\n"
          "FragmentPath=/etc/systemd/system/ollama.service\nNeedDaemonReload=no\n"
          "InvocationID=1234567890abcdef1234567890abcdef\n");
    Write("etc/systemd/system/ollama.service",
          "[Service]\nExecStart=/usr/local/bin/ollama serve\n");
    Write("proc/154237/stat", "154237 (ollama) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 9 0 99 0 0\n");
    Write("proc/154237/environ", std::string("PATH=/usr/bin\0", 14));
    const std::string journal = journal::SampleJournal(kJournalSize);
    Write(kJournal, journal);
    size_ = journal.size();
    for (char c : journal) lines_ += c == '\n';
  }
  ~Tree() { std::filesystem::remove_all(dir_); }

  const std::string& dir() const { return dir_; }
  std::string journal() const { return absl::StrCat(dir_, "/", kJournal); }
  void Report(benchmark::State& state) const {
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size_));
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * lines_));
  }

 private:
  static constexpr char kJournal[] = ".vgpu-capture/journal/ollama.service.jsonl";

  void Write(const std::string& path, const std::string& content) {
    const std::filesystem::path file = std::filesystem::path(dir_) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }

  std::string dir_;
  size_t size_ = 0;
  uint64_t lines_ = 0;
};

const Tree* tree = nullptr;  // made by main, which also removes it

void BM_Check(benchmark::State& state) {
  for (auto _ : state) {
    auto host = host::TreeHost::Open(tree->dir());
    if (!host.ok()) return state.SkipWithError(host.status().ToString().c_str());
    const report::Report report = diagnosis::Diagnose(facts::Gather(**host, {}));
    benchmark::DoNotOptimize(report::ToText(report, {}));
    if (report.root_causes.size() != 1 || report.root_causes[0].code != "VG704") {
      return state.SkipWithError("the journal's result was not found");
    }
  }
  tree->Report(state);
}
BENCHMARK(BM_Check)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_ReadFile(benchmark::State& state) {
  std::string block(kBlock, '\0');
  for (auto _ : state) {
    int fd = open(tree->journal().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return state.SkipWithError("cannot open the journal");
    while (read(fd, block.data(), block.size()) > 0) benchmark::ClobberMemory();
    close(fd);
  }
  tree->Report(state);
}
BENCHMARK(BM_ReadFile)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_ReadFileAndCountLines(benchmark::State& state) {
  std::string block(kBlock, '\0');
  for (auto _ : state) {
    int fd = open(tree->journal().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return state.SkipWithError("cannot open the journal");
    uint64_t lines = 0;
    for (ssize_t n; (n = read(fd, block.data(), block.size())) > 0;) {
      const char* end = block.data() + n;
      for (const char* at = block.data();
           (at = static_cast<const char*>(memchr(at, '\n', static_cast<size_t>(end - at)))) !=
           nullptr;
           ++at) {
        ++lines;
      }
    }
    benchmark::DoNotOptimize(lines);
    close(fd);
  }
  tree->Report(state);
}
BENCHMARK(BM_ReadFileAndCountLines)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_GrepFixed(benchmark::State& state) {
  std::string command = "LC_ALL=C grep -c -F";
  for (const ollama::Message& message : ollama::Messages()) {
    // No message holds a double quote or a backslash (messages.h).
    absl::StrAppend(&command, " -e \"", message.text, "\"");
  }
  // Through a pipe: GNU grep stops at the first match where /dev/null takes the output.
  absl::StrAppend(&command, " ", tree->journal(), " | cat > /dev/null");
  for (auto _ : state) {
    if (system(command.c_str()) != 0) return state.SkipWithError("grep failed");
  }
  tree->Report(state);
}
BENCHMARK(BM_GrepFixed)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vgpu::doctor

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const vgpu::doctor::Tree tree;
  vgpu::doctor::tree = &tree;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

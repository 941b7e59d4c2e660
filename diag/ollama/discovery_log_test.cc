#include "diag/ollama/discovery_log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::ollama {
namespace {

// A journal entry of the service, `pid` writing `message` at `second`.
std::string Entry(int second, int pid, const std::string& invocation, std::string message) {
  message = absl::StrReplaceAll(message, {{"\\", "\\\\"}, {"\"", "\\\""}});
  return absl::StrCat("{\"__REALTIME_TIMESTAMP\":\"", 1772000000000000 + second * 1000000ll,
                      "\",\"_PID\":\"", pid, "\",\"_SYSTEMD_INVOCATION_ID\":\"", invocation,
                      "\",\"_SYSTEMD_UNIT\":\"ollama.service\",\"MESSAGE\":\"", message, "\"}\n");
}

// What systemd says about the service.
std::string Manager(int second, const std::string& invocation, const std::string& message) {
  return absl::StrCat("{\"__REALTIME_TIMESTAMP\":\"", 1772000000000000 + second * 1000000ll,
                      "\",\"_PID\":\"1\",\"UNIT\":\"ollama.service\",\"INVOCATION_ID\":\"",
                      invocation, "\",\"MESSAGE\":\"", message, "\"}\n");
}

DiscoveryLog Journal(const std::string& text) {
  auto source = host::StringSource(text);
  absl::StatusOr<DiscoveryLog> log = ReadJournal(*source, "journal");
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? *std::move(log) : DiscoveryLog();
}

DiscoveryLog Text(const std::string& text) {
  auto source = host::StringSource(text);
  return ReadTextLog(*source, "/var/log/ollama.log", absl::UTCTimeZone());
}

constexpr char kConfig[] =
    "time=2026-02-25T09:16:56.000-05:00 level=INFO source=routes.go:1648 msg=\"server config\" "
    "env=\"map[CUDA_VISIBLE_DEVICES: LD_LIBRARY_PATH:/usr/lib64 OLLAMA_DEBUG:DEBUG]\"";
constexpr char kListening[] =
    "time=2026-02-25T09:16:56.100-05:00 level=INFO source=routes.go:1700 msg=\"Listening on "
    "127.0.0.1:11434 (version 0.16.2)\"";
constexpr char kGpu[] =
    "time=2026-02-25T09:16:58.000-05:00 level=INFO source=types.go:42 msg=\"inference compute\" "
    "id=GPU-d110a105-ac29-1d54-7b49-9c90440f215b filter_id=\"\" library=CUDA compute=9.0 "
    "name=CUDA0 description=\"NVIDIA H100 80GB HBM3\" libdirs=ollama,cuda_v12 driver=12.8 "
    "pci_id=0000:00:05.0 type=discrete total=\"80.0 GiB\" available=\"78.0 GiB\"";
constexpr char kCpu[] =
    "time=2026-02-25T09:17:56.000-05:00 level=INFO source=types.go:60 msg=\"inference compute\" "
    "id=cpu library=cpu compute=\"\" name=cpu description=cpu libdirs=ollama driver=\"\" "
    "pci_id=\"\" type=\"\" total=\"3.8 GiB\" available=\"3.0 GiB\"";
constexpr char kPass1[] =
    "time=2026-02-25T09:16:56.934-05:00 level=DEBUG source=runner.go:437 msg=\"bootstrap "
    "discovery took\" duration=302.578653ms OLLAMA_LIBRARY_PATH=\"[/usr/local/lib/ollama "
    "/usr/local/lib/ollama/cuda_v12]\" extra_envs=map[]";
constexpr char kCount1[] =
    "time=2026-02-25T09:16:57.000-05:00 level=DEBUG source=runner.go:124 msg=\"evaluating "
    "which, if any, devices to filter out\" initial_count=1";
constexpr char kFiltered[] =
    "time=2026-02-25T09:17:50.000-05:00 level=DEBUG source=runner.go:153 msg=\"filtering device "
    "which didn't fully initialize\" id=GPU-00000000-1400-0000-0900-000000000000 "
    "pci_id=99fff950:99fff9 library=CUDA";

TEST(DiscoveryLogTest, AStartOfEraBThatFoundTheDevice) {
  DiscoveryLog log = Journal(Manager(0, "aa", "Started ollama.service - Ollama Service.") +
                             Entry(1, 57290, "aa", kConfig) + Entry(1, 57290, "aa", kListening) +
                             Entry(2, 57290, "aa", kPass1) + Entry(2, 57290, "aa", kCount1) +
                             Entry(3, 57290, "aa", kGpu));
  ASSERT_EQ(log.starts.size(), 1u);
  const ServerStart* start = log.StartOf({.invocation = "aa"});
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(*start->pid, 57290);
  EXPECT_EQ(start->version, "0.16.2");
  EXPECT_TRUE(start->from_its_beginning());
  ASSERT_EQ(start->passes.size(), 1u);
  EXPECT_EQ(*start->passes[0].duration, absl::Nanoseconds(302578653));
  EXPECT_EQ(start->passes[0].library_dirs[1], "/usr/local/lib/ollama/cuda_v12");
  EXPECT_FALSE(start->passes[0].second);
  EXPECT_EQ(start->initial_count, 1);
  ASSERT_NE(start->Result(), nullptr);
  EXPECT_TRUE(start->Result()->on_cuda());
  EXPECT_EQ(start->Result()->pci_id, "0000:00:05.0");
  EXPECT_EQ(start->Result()->line.number, 6u);
  EXPECT_EQ(start->config_env[1].second, "/usr/lib64");
}

TEST(DiscoveryLogTest, TheLastResultOfAProcessDecides) {
  DiscoveryLog log =
      Journal(Entry(1, 7, "aa", kConfig) + Entry(2, 7, "aa", kCount1) + Entry(3, 7, "aa", kGpu) +
              Entry(4, 7, "aa", kFiltered) + Entry(60, 7, "aa", kCpu));
  const ServerStart* start = log.StartOf({.invocation = "aa"});
  EXPECT_FALSE(start->Result()->on_gpu());
  EXPECT_EQ(start->filtered.size(), 1u);
}

TEST(DiscoveryLogTest, CudaBesideVulkanIsCuda) {
  std::string vulkan = absl::StrReplaceAll(kGpu, {{"library=CUDA", "library=Vulkan"}});
  DiscoveryLog log =
      Journal(Entry(1, 7, "aa", kConfig) + Entry(3, 7, "aa", kGpu) + Entry(3, 7, "aa", vulkan));
  EXPECT_TRUE(log.starts[0].Result()->on_cuda());
}

TEST(DiscoveryLogTest, AnotherStartIsNotThisProcess) {
  DiscoveryLog log =
      Journal(Entry(1, 7, "aa", kConfig) + Entry(3, 7, "aa", kGpu) + Entry(9, 8, "bb", kConfig));
  EXPECT_EQ(log.StartOf({.invocation = "bb"})->Result(), nullptr);
  EXPECT_NE(log.StartOf({.pid = 7})->Result(), nullptr);
  EXPECT_EQ(log.StartOf({.invocation = "cc", .pid = 9}), nullptr);
}

TEST(DiscoveryLogTest, APidThatIsUsedAgainIsToldApartByTime) {
  DiscoveryLog log = Journal(Entry(1, 7, "aa", kConfig) + Entry(3, 7, "aa", kGpu));
  EXPECT_EQ(log.StartOf({.pid = 7, .started = absl::FromUnixSeconds(1772009999)}), nullptr);
}

TEST(DiscoveryLogTest, ACrashLoop) {
  std::string text;
  for (int i = 0; i < 3; ++i) {
    std::string id = absl::StrCat("run", i);
    text += Manager(i * 10, id, "Started ollama.service - Ollama Service.");
    text += Entry(i * 10, 100 + i, id,
                  "ERROR: ld.so: object '/usr/lib64/libvgpu-syscall.so' from LD_PRELOAD cannot be "
                  "preloaded (cannot open shared object file): ignored.");
    text +=
        Manager(i * 10 + 1, id, "ollama.service: Main process exited, code=dumped, status=11/SEGV");
    text += Manager(
        i * 10 + 4, id,
        absl::StrCat("ollama.service: Scheduled restart job, restart counter is at ", i + 1, "."));
  }
  DiscoveryLog log = Journal(text);
  EXPECT_EQ(log.exits_seen, 3u);
  EXPECT_EQ(log.exits[2].status, "11/SEGV");
  EXPECT_EQ(log.exits[2].code, "dumped");
  ASSERT_EQ(log.starts.size(), 3u);
  EXPECT_EQ(log.starts[1].loader_errors.size(), 1u);
  EXPECT_EQ(log.starts[1].exit->status, "11/SEGV");
  EXPECT_EQ(log.restarts.size(), 3u);
}

TEST(DiscoveryLogTest, ARedirectedFileWithTwoStarts) {
  DiscoveryLog log = Text(absl::StrCat(kConfig, "\n", kListening, "\n", kGpu, "\n", kConfig, "\n",
                                       kListening, "\n", kCpu, "\n"));
  ASSERT_EQ(log.starts.size(), 2u);
  EXPECT_TRUE(log.starts[0].Result()->on_gpu());
  const ServerStart* last = log.StartOf({.pid = 9});
  ASSERT_NE(last, nullptr);
  EXPECT_FALSE(last->Result()->on_gpu());
  EXPECT_EQ(*log.first, *last->first_seen);
}

TEST(DiscoveryLogTest, EraAAndItsFirstLineWithoutZone) {
  DiscoveryLog log = Text(
      "2025/05/03 10:00:00 routes.go:1233: INFO server config env=\"map[OLLAMA_DEBUG:false]\"\n"
      "time=2025-05-03T10:00:00.010Z level=INFO source=routes.go:1300 msg=\"Listening on "
      "127.0.0.1:11434 (version 0.6.8)\"\n"
      "time=2025-05-03T10:00:00.011Z level=INFO source=gpu.go:217 msg=\"looking for compatible "
      "GPUs\"\n"
      "time=2025-05-03T10:00:00.300Z level=INFO source=types.go:130 msg=\"inference compute\" "
      "id=0 library=cpu variant=\"\" compute=\"\" driver=0.0 name=\"\" total=\"62.7 GiB\" "
      "available=\"60.1 GiB\"\n");
  ASSERT_EQ(log.starts.size(), 1u);
  EXPECT_EQ(log.starts[0].version, "0.6.8");
  EXPECT_FALSE(log.starts[0].Result()->on_gpu());
  EXPECT_EQ(*log.first, absl::FromCivil(absl::CivilSecond(2025, 5, 3, 10), absl::UTCTimeZone()));
}

TEST(DiscoveryLogTest, WordsInAnAccessLogAreNoMessage) {
  DiscoveryLog log =
      Journal(Entry(1, 7, "aa", "[GIN] 2026/02/26 | 200 | POST /api/generate?q=inference compute"));
  EXPECT_TRUE(log.starts.empty());
  EXPECT_EQ(log.lines, 1u);
}

TEST(DiscoveryLogTest, AnEmptyLogSaysNothing) {
  DiscoveryLog log = Journal("");
  EXPECT_TRUE(log.first.absent());
  EXPECT_EQ(log.StartOf({.pid = 1}), nullptr);
}

TEST(DiscoveryLogTest, ManyStartsStayBounded) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += Entry(i, 1000 + i, absl::StrCat("run", i), kConfig);
  }
  DiscoveryLog log = Journal(text);
  EXPECT_EQ(log.starts.size(), kMaxStarts);
  EXPECT_EQ(log.starts_seen, 1000u);
  EXPECT_EQ(log.starts.back().invocation, "run999");
}

}  // namespace
}  // namespace vgpu::ollama

#include "diag/journal/sample_journal.h"

#include <cstdint>
#include <random>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace vgpu::journal {
namespace {

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

}  // namespace

std::string SampleJournal(size_t size) {
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

}  // namespace vgpu::journal

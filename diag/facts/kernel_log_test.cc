#include "diag/facts/kernel_log.h"

#include "absl/strings/str_cat.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using Kind = KernelEvent::Kind;

std::string Entry(int second, absl::string_view message) {
  return absl::StrCat("{\"__REALTIME_TIMESTAMP\":\"", 1772000000000000 + second * 1000000ll,
                      "\",\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"", message, "\"}\n");
}

KernelLog Read(const std::string& text) {
  auto source = host::StringSource(text);
  absl::StatusOr<KernelLog> log = ReadKernelLog(*source, "journalctl -k -o json");
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? *std::move(log) : KernelLog();
}

TEST(KernelLogTest, ACrashNamesProgramAndLibrary) {
  KernelLog log =
      Read(Entry(1,
                 "ollama[57302]: segfault at 0 ip 00007f1c2a0031b0 sp 00007ffd error 4 in "
                 "libvgpu-cuda.so[7f1c2a000000+1a000] likely on CPU 1 (core 1, socket 0)") +
           Entry(2,
                 "traps: llama-server[9] trap invalid opcode ip:7f sp:7f error:0 in "
                 "libggml-cuda.so[7f1c2a000000+1a000]"));
  ASSERT_EQ(log.events.size(), 2u);
  EXPECT_EQ(log.events[0].program, "ollama");
  EXPECT_EQ(log.events[0].pid, 57302);
  EXPECT_EQ(log.events[0].object, "libvgpu-cuda.so");
  EXPECT_EQ(log.events[1].program, "llama-server");
  EXPECT_EQ(log.events[1].object, "libggml-cuda.so");
}

TEST(KernelLogTest, WhatTheDriverSays) {
  KernelLog log = Read(
      Entry(1, "NVRM: Xid (PCI:0000:01:00): 31, pid=71, name=ollama, Ch 0000000e") +
      Entry(2, "NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', GPU has fallen off the bus.") +
      Entry(3, "NVRM: API mismatch: the client has the version 550.54.15, but"));
  ASSERT_NE(log.Last(Kind::kXid), nullptr);
  EXPECT_EQ(log.Last(Kind::kXid)->xid, 31);
  ASSERT_NE(log.Last(Kind::kGpuLost), nullptr);
  EXPECT_EQ(log.Last(Kind::kGpuLost)->xid, 79);
  EXPECT_NE(log.Last(Kind::kApiMismatch), nullptr);
}

TEST(KernelLogTest, SleepAndResume) {
  KernelLog log = Read(Entry(1, "PM: suspend entry (deep)") + Entry(900, "PM: suspend exit"));
  ASSERT_NE(log.Last(Kind::kResume), nullptr);
  EXPECT_EQ(*log.Last(Kind::kResume)->time, absl::FromUnixSeconds(1772000900));
  EXPECT_NE(log.Last(Kind::kSuspend), nullptr);
}

TEST(KernelLogTest, AKillForMemory) {
  KernelLog log = Read(Entry(1,
                             "Memory cgroup out of memory: Killed process 57290 (ollama) "
                             "total-vm:1024kB, anon-rss:1kB"));
  ASSERT_EQ(log.events.size(), 1u);
  EXPECT_EQ(log.events[0].program, "ollama");
  EXPECT_EQ(log.events[0].pid, 57290);
}

TEST(KernelLogTest, ADeviceAndItsDriverCome) {
  KernelLog log = Read(Entry(1, "pci 0000:00:05.0: [10de:2331] type 00 class 0x030200") +
                       Entry(2, "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15"));
  EXPECT_NE(log.Last(Kind::kDeviceAdded), nullptr);
  EXPECT_NE(log.Last(Kind::kDriverLoaded), nullptr);
}

TEST(KernelLogTest, OtherLinesAreNotKept) {
  KernelLog log = Read(Entry(1, "pci 0000:00:03.0: [8086:100e] type 00 class 0x020000"));
  EXPECT_TRUE(log.events.empty());
  EXPECT_EQ(log.lines, 1u);
}

TEST(KernelLogTest, AStormStaysBounded) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += Entry(i, "NVRM: Xid (PCI:0000:01:00): 31, pid=7");
  KernelLog log = Read(text);
  EXPECT_EQ(log.events.size(), kMaxKernelEvents);
  EXPECT_EQ(log.events.back().number, 2000u);
}

}  // namespace
}  // namespace vgpu::facts

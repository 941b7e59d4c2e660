#include "diag/capture/write_capture.h"

#include <memory>
#include <string>
#include <vector>

#include "diag/archive/archive_testing.h"
#include "diag/archive/read_archive.h"
#include "diag/host/fake_host.h"
#include "diag/host/tree_host.h"
#include "diag/logfmt/memory_source.h"
#include "gtest/gtest.h"

namespace vgpu::capture {
namespace {

using host::FakeHost;
using host::FileMeta;
using host::Tool;

// The host that a capture of these looks is.
std::unique_ptr<host::TreeHost> Captured(const host::Host& host, const Record& record,
                                         const Redactor* redactor = nullptr) {
  archive::StringSink sink;
  EXPECT_TRUE(WriteCapture(host, record, redactor, {.unit = "ollama.service"}, sink).ok());
  logfmt::MemorySource source(sink.text);
  auto files = archive::ReadArchive(source);
  EXPECT_TRUE(files.ok()) << files.status();
  auto tree = host::TreeHost::Over(*std::move(files));
  EXPECT_TRUE(tree.ok()) << tree.status();
  return *std::move(tree);
}

TEST(WriteCapture, EveryAnswerIsTheSameAgain) {
  FakeHost fake;
  FileMeta meta;
  meta.mode = 0755;
  meta.uid = 1000;
  meta.gid = 1001;
  meta.size = 1;
  meta.mtime = absl::FromUnixNanos(1771928040123456789);
  meta.id = host::FileId{1, 2};
  meta.caps = std::string("cap_perfmon=ep");
  fake.AddFile("/etc/a", "A", meta).AddLink("/link", "/etc/a").AddDir("/empty");
  fake.AddNode("/dev/nvidia0", host::FileType::kCharDevice);
  fake.Hide("/etc/hidden", "permission denied");
  fake.AddTool({.tool = Tool::kSystemctlShowManager}, "Version=252\n");
  fake.SetObservedAt(absl::FromUnixSeconds(1771928040));
  Record record;
  const RecordingHost recording(fake, record);
  const std::vector<std::string> paths = {"/etc/a",      "/link",    "/empty",      "/dev/nvidia0",
                                          "/etc/hidden", "/nowhere", "/etc/a/below"};
  for (const std::string& path : paths) {
    recording.Read(path);
    recording.List(path);
    recording.ReadLink(path);
  }
  recording.RunTool({.tool = Tool::kSystemctlShowManager}, 4096);
  recording.RunTool({.tool = Tool::kSystemctlListUnits}, 4096);

  const auto captured = Captured(recording, record);
  for (const std::string& path : paths) {
    EXPECT_EQ(captured->Read(path).present(), fake.Read(path).present()) << path;
    EXPECT_EQ(captured->Read(path).why_not(), fake.Read(path).why_not()) << path;
    EXPECT_EQ(captured->List(path), fake.List(path)) << path;
    EXPECT_EQ(captured->ReadLink(path), fake.ReadLink(path)) << path;
    EXPECT_EQ(captured->Resolve(path).absent(), fake.Resolve(path).absent()) << path;
  }
  EXPECT_EQ(captured->Read("/link")->bytes, "A");
  const FileMeta again = captured->Resolve("/etc/a")->meta;
  EXPECT_EQ(again.mode, meta.mode);
  EXPECT_EQ(again.uid, meta.uid);
  EXPECT_EQ(again.gid, meta.gid);
  EXPECT_EQ(again.mtime, meta.mtime);
  EXPECT_EQ(again.id, meta.id);
  EXPECT_EQ(again.caps, meta.caps);
  EXPECT_EQ(captured->RunTool({.tool = Tool::kSystemctlShowManager}, 100)->bytes, "Version=252\n");
  EXPECT_EQ(captured->RunTool({.tool = Tool::kSystemctlListUnits}, 100).why_not(),
            fake.RunTool({.tool = Tool::kSystemctlListUnits}, 100).why_not());
  EXPECT_EQ(captured->observed_at(), fake.observed_at());
  EXPECT_EQ(*captured->hostname(), "fake");
  EXPECT_EQ(*captured->unit(), "ollama.service");
  // As the host that was captured: what it lacks may only not have been captured.
  EXPECT_FALSE(captured->complete());
  // Where nobody looked nothing is known.
  EXPECT_TRUE(captured->Resolve("/usr").not_observed());
}

TEST(WriteCapture, TheRootOfAContainerIsAFolder) {
  FakeHost fake;
  fake.AddLink("/proc/7/root", "/").AddFile("/proc/8/root/etc/a", "inside");
  Record record;
  const RecordingHost recording(fake, record);
  recording.ResolveNoFollow("/proc/7/root");
  recording.ReadLink("/proc/7/root");
  recording.Read("/etc/a", 100, "/proc/8/root");
  // Live it is a link, through which the kernel leads into the container.
  FileMeta link;
  link.type = host::FileType::kSymlink;
  record.paths["/proc/8/root"].meta = link;
  record.paths["/proc/8/root"].target = std::string("/");
  const auto captured = Captured(recording, record);
  EXPECT_EQ(*captured->ReadLink("/proc/7/root"), "/");
  EXPECT_EQ(captured->ResolveNoFollow("/proc/8/root")->meta.type, host::FileType::kDir);
  EXPECT_EQ(captured->Read("/etc/a", 100, "/proc/8/root")->bytes, "inside");
}

TEST(WriteCapture, OfAProgramItsBytesAreLeftOut) {
  FakeHost fake;
  const std::string program = std::string(
      "\x7f"
      "ELF\0hunter2 /opt/libvgpu-cuda.so",
      34);
  fake.AddFile("/usr/bin/a", program).AddElf("/usr/bin/a", R"({"class": 64})");
  Record record;
  const RecordingHost recording(fake, record);
  recording.Read("/usr/bin/a");
  recording.RecordedElf("/usr/bin/a");
  const auto captured = Captured(recording, record);
  EXPECT_EQ(captured->Read("/usr/bin/a").why_not(), "its content was not captured");
  EXPECT_EQ(*captured->RecordedElf("/usr/bin/a"),
            R"({"class":64,"named_objects":["/opt/libvgpu-cuda.so"]})");
}

TEST(WriteCapture, WhatIsLeftOutIsNamed) {
  FakeHost fake;
  fake.AddFile("/a", "0123456789").AddFile("/b", "0123456789");
  std::string log;
  for (int i = 0; i < 30000; ++i) log += std::to_string(i) + "\n";  // three pieces
  fake.AddTool({.tool = Tool::kJournalKernel}, log);
  Record record;
  const RecordingHost recording(fake, record, {.contents = 10, .log = 1000});
  recording.Read("/a", 4);
  recording.Read("/b");
  recording.StreamTool({.tool = Tool::kJournalKernel});
  const auto captured = Captured(recording, record);
  EXPECT_TRUE(captured->Read("/a", 4)->truncated);
  EXPECT_EQ(captured->Read("/b").why_not(), "left out: the capture would be larger than 0 MiB");
  ASSERT_EQ(captured->remarks().size(), 1u);
  EXPECT_NE(captured->remarks()[0].find("journal/kernel.jsonl: only the newest part was captured"),
            std::string::npos);
}

TEST(WriteCapture, OfAJournalACheckReadsWhatTheCheckOfTheHostDid) {
  const std::string older = "{\"MESSAGE\":\"a\",\"__REALTIME_TIMESTAMP\":\"1000000\"}\n";
  const std::string newer = "{\"MESSAGE\":\"b\",\"__REALTIME_TIMESTAMP\":\"2000000\"}\n";
  const host::ToolQuery judged = {.tool = Tool::kJournalUnit, .unit = "a.service"};
  host::ToolQuery story = judged;
  story.since = absl::UnixEpoch();
  FakeHost fake;
  Record record;
  const RecordingHost recording(fake, record);
  fake.AddTool(judged, newer);
  recording.StreamTool(judged);
  fake.AddTool(judged, older + newer);
  recording.StreamTool(story);
  const auto captured = Captured(recording, record);
  const auto read = [&](const host::ToolQuery& query) {
    std::string text(1000, '\0');
    text.resize(*(*captured->StreamTool(query))->Read(text.data(), text.size()));
    return text;
  };
  EXPECT_EQ(read(judged), newer);
  EXPECT_EQ(read(story), older + newer);
}

TEST(WriteCapture, OfALongFileTheEndInWholeLinesAndOfALibraryTheChecksum) {
  FakeHost fake;
  FileMeta meta;
  meta.size = 22;
  fake.AddFile("/var/log/a", "HF_TOKEN=hunter2\nline\n", meta);
  fake.AddFile("/a.so",
               "\x7f"
               "ELF");
  Record record;
  const RecordingHost recording(fake, record);
  (*recording.OpenRanges("/var/log/a"))->ReadAt(10, 100).IgnoreError();
  recording.Open("/a.so");
  const auto captured = Captured(recording, record);
  EXPECT_EQ(captured->Read("/var/log/a")->bytes, "line\n");
  EXPECT_EQ(*captured->Resolve("/var/log/a")->meta.size, 22u);
  EXPECT_EQ(captured->Resolve("/a.so")->meta.sha256.value_or("").size(), 64u);
  ASSERT_EQ(captured->remarks().size(), 1u);
  EXPECT_EQ(captured->remarks()[0],
            "/var/log/a: only the newest part was captured; 17 bytes before it were left out");
}

TEST(WriteCapture, WhatItWillBeIsAskedForSealsAndCarriesThem) {
  FakeHost fake;
  fake.AddFile("/etc/a", "A").AddLink("/link", "/etc/a");
  Record record;
  const RecordingHost recording(fake, record);
  recording.Read("/link");
  const Redactor redactor({1, 2});
  archive::StringSink sink;
  const CaptureOptions options = {.seals = [](const host::Host& captured) {
    return captured.Read("/link").present() ? R"({"check": "seen"})" : "";
  }};
  ASSERT_TRUE(WriteCapture(recording, record, &redactor, options, sink).ok());
  EXPECT_NE(sink.text.find("\"check\": \"seen\""), std::string::npos);
  archive::StringSink plain;
  ASSERT_TRUE(WriteCapture(recording, record, nullptr, options, plain).ok());
  EXPECT_EQ(plain.text.find("seals"), std::string::npos);
}

TEST(WriteCapture, SecretsAreTakenOut) {
  FakeHost fake;
  fake.AddFile("/proc/7/environ", std::string("A=hunter2\0LD_PRELOAD=/a.so\0", 27));
  fake.AddTool({.tool = Tool::kSystemctlShowUnit, .unit = "a.service"}, "Environment=A=hunter2\n");
  Record record;
  const RecordingHost recording(fake, record);
  recording.Read("/proc/7/environ");
  recording.RunTool({.tool = Tool::kSystemctlShowUnit, .unit = "a.service"}, 4096);
  const Redactor redactor({1, 2});
  archive::StringSink sink;
  ASSERT_TRUE(WriteCapture(recording, record, &redactor, {}, sink).ok());
  EXPECT_EQ(sink.text.find("hunter2"), std::string::npos);
  EXPECT_NE(sink.text.find("LD_PRELOAD=/a.so"), std::string::npos);
  EXPECT_NE(sink.text.find("\"redacted\": true"), std::string::npos);
}

}  // namespace
}  // namespace vgpu::capture

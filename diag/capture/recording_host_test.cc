#include "diag/capture/recording_host.h"

#include <memory>
#include <string>
#include <vector>

#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::capture {
namespace {

using host::FakeHost;
using host::Tool;

std::string All(host::ByteSource& source) {
  std::string text;
  char buffer[7];
  while (true) {
    const absl::StatusOr<size_t> n = source.Read(buffer, sizeof(buffer));
    if (!n.ok() || *n == 0) return text;
    text.append(buffer, *n);
  }
}

TEST(RecordingHost, EachLookAndItsAnswer) {
  FakeHost fake;
  fake.AddFile("/etc/a", "A").AddLink("/link", "/etc/a").Hide("/etc/hidden", "permission denied");
  Record record;
  const RecordingHost host(fake, record);
  EXPECT_EQ(host.Read("/link")->bytes, "A");
  EXPECT_TRUE(host.Resolve("/etc/b").absent());
  EXPECT_TRUE(host.Resolve("/etc/hidden").not_observed());
  EXPECT_EQ(*host.List("/etc"), *fake.List("/etc"));

  EXPECT_EQ(**record.paths["/link"].target, "/etc/a");
  EXPECT_EQ((*record.paths["/etc/a"].content)->bytes, "A");
  EXPECT_TRUE(record.paths["/etc/b"].meta->absent());
  EXPECT_EQ(record.paths["/etc/hidden"].meta->why_not(), "permission denied");
  EXPECT_EQ(**record.paths["/etc"].names, *fake.List("/etc"));
  // Nobody looked there.
  EXPECT_EQ(record.paths.count("/usr"), 0u);
  EXPECT_FALSE(record.paths["/etc/a"].names.has_value());
}

TEST(RecordingHost, OfALibraryThatIsReadWholeTheChecksum) {
  FakeHost fake;
  fake.AddFile("/a.so", std::string("\x7f"
                                    "ELF",
                                    4));
  fake.AddFile("/a.txt", "text");
  Record record;
  const RecordingHost host(fake, record);
  All(*host.Open("/a.so").value());
  All(*host.Open("/a.txt").value());
  // printf '\177ELF' | sha256sum
  EXPECT_EQ(record.paths["/a.so"].log->sha256,
            "3bdbb4fe8397cd2b842430b39ccff01a8663c751945ef5e9a09e267fb8b1d359");
  EXPECT_EQ(record.paths["/a.txt"].log->sha256, "");
}

TEST(RecordingHost, OfAFileThatIsReadInPartsItsEnd) {
  FakeHost fake;
  fake.AddFile("/log", "0123456789")
      .AddFile("/a.so",
               "\x7f"
               "ELF0123");
  Record record;
  const RecordingHost host(fake, record, {.log = 8});
  const auto log = host.OpenRanges("/log");
  EXPECT_EQ(*(*log)->ReadAt(0, 4), "0123");
  EXPECT_FALSE(record.paths["/log"].tail.has_value());
  EXPECT_EQ(*(*log)->ReadAt(8, 100), "89");
  EXPECT_EQ(*(*log)->ReadAt(4, 6), "456789");
  EXPECT_EQ(*(*log)->ReadAt(9, 1), "9");
  // Longer than what is kept of a log.
  EXPECT_EQ(*(*log)->ReadAt(0, 100), "0123456789");
  EXPECT_EQ(record.paths["/log"].tail->offset, 4u);
  EXPECT_EQ(record.paths["/log"].tail->bytes, "456789");
  EXPECT_TRUE((*host.OpenRanges("/a.so"))->ReadAt(0, 100).ok());
  EXPECT_FALSE(record.paths["/a.so"].tail.has_value());
}

TEST(RecordingHost, OfAJournalThatIsAskedForTwiceTheLongerPartAndWhereTheFirstBegan) {
  const std::string older = "{\"__REALTIME_TIMESTAMP\":\"1000000\"}\n";
  const std::string newer = "{\"__REALTIME_TIMESTAMP\":\"2000000\"}\n";
  const host::ToolQuery judged = {.tool = Tool::kJournalUnit, .unit = "a.service"};
  host::ToolQuery story = judged;
  story.since = absl::UnixEpoch();
  FakeHost fake;
  fake.AddTool(judged, newer);
  Record record;
  const RecordingHost host(fake, record);
  EXPECT_EQ(All(*host.StreamTool(judged).value()), newer);
  fake.AddTool(judged, older + newer);
  EXPECT_EQ(All(*host.StreamTool(story).value()), older + newer);
  const Output& output = record.outputs.begin()->second;
  EXPECT_EQ(output.log->Text(), older + newer);
  EXPECT_EQ(output.judged->First(), newer.substr(0, newer.size() - 1));
}

TEST(RecordingHost, TheSecondAnswerIsTheFirst) {
  FakeHost fake;
  fake.AddFile("/a", "before").AddTool({.tool = Tool::kSystemctlShowManager}, "before");
  Record record;
  const RecordingHost host(fake, record);
  EXPECT_EQ(host.Read("/a")->bytes, "before");
  EXPECT_EQ(host.RunTool({.tool = Tool::kSystemctlShowManager}, 4096)->bytes, "before");
  EXPECT_TRUE(host.Resolve("/b").absent());
  fake.AddFile("/a", "after").AddFile("/b", "");
  fake.AddTool({.tool = Tool::kSystemctlShowManager}, "after");
  EXPECT_EQ(host.Read("/a")->bytes, "before");
  EXPECT_EQ(host.RunTool({.tool = Tool::kSystemctlShowManager}, 4096)->bytes, "before");
  EXPECT_TRUE(host.Resolve("/b").absent());
}

TEST(RecordingHost, ALongerLookIsTheRecord) {
  FakeHost fake;
  fake.AddFile("/a", "0123456789");
  Record record;
  const RecordingHost host(fake, record);
  EXPECT_TRUE(host.Read("/a", 4)->truncated);
  EXPECT_EQ(host.Read("/a", 8)->bytes, "01234567");
  EXPECT_EQ((*record.paths["/a"].content)->bytes, "01234567");
  EXPECT_EQ(host.Read("/a", 2)->bytes, "01");
  EXPECT_TRUE(host.Read("/a", 2)->truncated);
  EXPECT_FALSE(host.Read("/a", 10)->truncated);
}

TEST(RecordingHost, AContentThatIsTooMuchIsGivenAndNotKept) {
  FakeHost fake;
  fake.AddFile("/a", "0123456789").AddFile("/b", "0123456789");
  Record record;
  const RecordingHost host(fake, record, {.contents = 15});
  EXPECT_EQ(host.Read("/a")->bytes, "0123456789");
  EXPECT_EQ(host.Read("/b")->bytes, "0123456789");
  EXPECT_TRUE(record.paths["/a"].content->present());
  EXPECT_FALSE(record.paths["/b"].content.has_value());
  EXPECT_EQ(record.paths["/b"].left_out, "left out: the capture would be larger than 0 MiB");
}

TEST(RecordingHost, AStreamIsKeptWhoeverReadsIt) {
  FakeHost fake;
  fake.AddTool({.tool = Tool::kJournalKernel}, "one\ntwo\n").AddFile("/log", "three\n");
  Record record;
  const RecordingHost host(fake, record);
  // Not read to its end by who asked.
  char buffer[2];
  ASSERT_TRUE(host.StreamTool({.tool = Tool::kJournalKernel}).value()->Read(buffer, 2).ok());
  EXPECT_EQ(record.outputs["/.vgpu-capture/journal/kernel.jsonl"].log->Text(), "one\ntwo\n");
  EXPECT_EQ(All(*host.StreamTool({.tool = Tool::kJournalKernel}).value()), "one\ntwo\n");
  EXPECT_EQ(All(*host.Open("/log").value()), "three\n");
  EXPECT_EQ(record.paths["/log"].log->Text(), "three\n");
}

TEST(RecordingHost, WhatAToolDidNotAnswer) {
  Record record;
  const FakeHost fake;
  const RecordingHost host(fake, record);
  EXPECT_TRUE(host.RunTool({.tool = Tool::kOllamaPs}, 4096).not_observed());
  EXPECT_TRUE(host.StreamTool({.tool = Tool::kJournalUnit, .unit = "a.service"}).not_observed());
  EXPECT_TRUE(record.outputs["/.vgpu-capture/ollama/ps.json"].content.not_observed());
  EXPECT_EQ(record.outputs["/.vgpu-capture/journal/a.service.jsonl"].log, nullptr);
}

TEST(RecordingHost, OfAProgramItsFactsAreKept) {
  FakeHost fake;
  fake.AddFile("/a.so", "no ELF file").AddElf("/b.so", R"({"class": 64})").AddFile("/b.so", "");
  Record record;
  const RecordingHost host(fake, record);
  EXPECT_EQ(*host.RecordedElf("/b.so"), R"({"class": 64})");
  EXPECT_NE(host.RecordedElf("/a.so")->find("\"error\":"), std::string::npos);
  EXPECT_EQ(record.paths["/a.so"].elf, *host.RecordedElf("/a.so"));
  EXPECT_TRUE(host.RecordedElf("/c.so").absent());
}

std::string Numbers(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += std::to_string(i) + "\n";
  return text;
}

void AddInPieces(const std::string& text, LogTail& log) {
  for (size_t at = 0; at < text.size(); at += 1000) log.Add(text.substr(at, 1000));
}

TEST(LogTail, TheNewestWholeLines) {
  LogTail log(200 << 10);
  const std::string all = Numbers(0, 50000);
  AddInPieces(all, log);
  const std::string text = log.Text();
  EXPECT_GT(text.size(), size_t{100} << 10);
  EXPECT_LE(text.size(), size_t{200} << 10);
  EXPECT_EQ(text, all.substr(all.size() - text.size()));
  EXPECT_EQ(all[all.size() - text.size() - 1], '\n');
  EXPECT_EQ(log.dropped(), all.size() - text.size());
}

TEST(LogTail, AndOlderOnesThatTellOfDiscovery) {
  const auto needles = logfmt::NeedleSet::Create({"inference compute"});
  ASSERT_TRUE(needles.ok());
  LogTail log(200 << 10, &*needles);
  const std::string said = "msg=\"inference compute\" library=CUDA\n";
  AddInPieces(Numbers(0, 10) + said + Numbers(10, 100000), log);
  EXPECT_EQ(log.Text().substr(0, said.size()), said);
  EXPECT_EQ(log.Text().substr(said.size()).find("msg="), std::string::npos);
  // Of these, too, the newest, and in bounds.
  LogTail many(200 << 10, &*needles);
  for (int i = 0; i < 20000; ++i) many.Add(std::to_string(i) + " " + said);
  EXPECT_LE(many.Text().size(), size_t{250} << 10);
  EXPECT_NE(many.Text().find("19999 " + said), std::string::npos);
}

TEST(LogTail, ALineWithoutEnd) {
  LogTail log(3 << 20);
  for (int i = 0; i < 100; ++i) log.Add(std::string(100000, 'x'));
  EXPECT_LE(log.Text().size(), size_t{4} << 20);
  EXPECT_GT(log.dropped(), size_t{5} << 20);
}

}  // namespace
}  // namespace vgpu::capture

#include "diag/journal/journal_entry.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::journal {
namespace {

TEST(JournalEntry, ReadsALineOfOllamasStandardError) {
  const auto entry = ParseJournalEntry(
      R"({"_TRANSPORT":"stdout","__REALTIME_TIMESTAMP":"1772029016934123",)"
      R"("__MONOTONIC_TIMESTAMP":"86400000001","_BOOT_ID":"0123456789abcdef0123456789abcdef",)"
      R"("_PID":"154237","_COMM":"ollama","SYSLOG_IDENTIFIER":"ollama","PRIORITY":"6",)"
      R"("_SYSTEMD_UNIT":"ollama.service","_SYSTEMD_INVOCATION_ID":"aa","_CAP_EFFECTIVE":"0",)"
      R"("MESSAGE":"level=INFO msg=\"inference compute\" name=\u00b5\ud83d\ude00\/\t."})");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(absl::ToUnixMicros(*entry->realtime), 1772029016934123);
  EXPECT_EQ(*entry->monotonic, absl::Microseconds(86400000001));
  EXPECT_EQ(entry->boot_id, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(entry->pid, 154237);
  EXPECT_EQ(entry->priority, 6);
  EXPECT_EQ(entry->comm, "ollama");
  EXPECT_EQ(entry->identifier, "ollama");
  EXPECT_EQ(entry->systemd_unit, "ollama.service");
  EXPECT_EQ(entry->systemd_invocation, "aa");
  EXPECT_EQ(entry->transport, "stdout");
  EXPECT_EQ(entry->unit, "");
  EXPECT_EQ(*entry->message, "level=INFO msg=\"inference compute\" name=\u00b5\U0001f600/\t.");
  EXPECT_FALSE(entry->message_as_bytes);
}

TEST(JournalEntry, ReadsWhatTheServiceManagerSaysAboutAUnit) {
  const auto entry = ParseJournalEntry(
      R"({"UNIT":"ollama.service","INVOCATION_ID":"bb","EXIT_CODE":"dumped","EXIT_STATUS":"SEGV",)"
      R"("CODE_FUNC":"service_sigchld_event","MESSAGE_ID":"98e322203f7a4ed290d09fe03c09fe15",)"
      R"("JOB_RESULT":"failed",)"
      R"("MESSAGE":"ollama.service: Main process exited, code=dumped, status=11/SEGV"})");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->unit, "ollama.service");
  EXPECT_EQ(entry->invocation, "bb");
  EXPECT_EQ(entry->exit_code, "dumped");
  EXPECT_EQ(entry->exit_status, "SEGV");
  EXPECT_EQ(entry->code_func, "service_sigchld_event");
  EXPECT_EQ(entry->message_id, "98e322203f7a4ed290d09fe03c09fe15");
  EXPECT_EQ(entry->job_result, "failed");
  EXPECT_TRUE(entry->realtime.absent());
}

TEST(JournalEntry, AMessageWithColoursComesAsBytes) {
  const auto entry = ParseJournalEntry(R"({"MESSAGE":[27,91,51,49,109,71,80,85,0,255]})");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(*entry->message, std::string("\x1b[31mGPU\0\xff", 10));
  EXPECT_TRUE(entry->message_as_bytes);
}

TEST(JournalEntry, AMessageThatJournalctlLeftOutIsNotObserved) {
  const auto entry = ParseJournalEntry(R"({"MESSAGE":null})");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->message.why_not(), "too long for journalctl without --all");
  EXPECT_TRUE(ParseJournalEntry("{}")->message.absent());
}

TEST(JournalEntry, AFieldGivenSeveralTimesStandsOnSeveralLines) {
  EXPECT_EQ(*ParseJournalEntry(R"({"MESSAGE":["one","two"]})")->message, "one\ntwo");
  EXPECT_EQ(*ParseJournalEntry(R"({"MESSAGE":["one",[50],null,[]]})")->message, "one\n2\n");
  EXPECT_EQ(*ParseJournalEntry(R"({"MESSAGE":[]})")->message, "");
  EXPECT_EQ(ParseJournalEntry(R"({"UNIT":["a.service","b.service"]})")->unit,
            "a.service\nb.service");
}

TEST(JournalEntry, NumbersMayStandWithoutQuotes) {
  const auto entry = ParseJournalEntry(
      R"({ "__REALTIME_TIMESTAMP" : 1772029016934123, "_PID": 7, "EXIT_STATUS":203,"PRIORITY":99 })");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(absl::ToUnixMicros(*entry->realtime), 1772029016934123);
  EXPECT_EQ(entry->pid, 7);
  EXPECT_EQ(entry->exit_status, "203");
  EXPECT_EQ(entry->priority, std::nullopt);
  EXPECT_EQ(ParseJournalEntry(R"({"__REALTIME_TIMESTAMP":"soon"})")->realtime.why_not(),
            "__REALTIME_TIMESTAMP: not a number");
}

TEST(JournalEntry, OtherFieldsAreSkippedWhateverTheyHold) {
  const auto entry = ParseJournalEntry(
      R"({"A":{"MESSAGE":"inner","b":[[],{},{"c":[1,-2.5e3,true,false,null,"]}\\"]}]},"B":{},)"
      R"("MESSAGE":"outer","C":[{}]})");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(*entry->message, "outer");
}

TEST(JournalEntry, HalfAPairAndRawBytesSurvive) {
  EXPECT_EQ(*ParseJournalEntry(R"({"MESSAGE":"\ud83dx\ude00"})")->message, "\ufffdx\ufffd");
  const std::string raw("{\"MESSAGE\":\"a\0\x80\xff\"}", 18);
  EXPECT_EQ(*ParseJournalEntry(raw)->message, std::string("a\0\x80\xff", 4));
}

TEST(JournalEntry, AMalformedLineSaysWhereAndWhy) {
  const auto message = [](absl::string_view line) {
    return std::string(ParseJournalEntry(line).status().message());
  };
  EXPECT_EQ(message(""), "journal entry: byte 1: not a JSON object");
  EXPECT_EQ(message("Mar 26 06:35:38 host ollama[1]: x"),
            "journal entry: byte 1: not a JSON object");
  EXPECT_EQ(message(R"({"MESSAGE":"cut)"), "journal entry: byte 13: a string does not end");
  EXPECT_EQ(message(R"({"MESSAGE":"\q"})"),
            "journal entry: byte 16: an escape that JSON does not know");
  EXPECT_EQ(message(R"({"MESSAGE":[1,256]})"), "journal entry: byte 18: not a byte value");
  EXPECT_EQ(message(R"({"A":1} x)"), "journal entry: byte 9: text behind the object");
  EXPECT_EQ(message(R"({"A":[1})"),
            "journal entry: byte 8: neither a comma nor the container's end");
  EXPECT_EQ(message(absl::StrCat("{\"A\":", std::string(100000, '['))),
            "journal entry: byte 71: nested too deeply");
}

TEST(JournalEntry, SixtyFourLevelsAreNotTooDeep) {
  const std::string deep =
      absl::StrCat("{\"A\":", std::string(64, '['), "1", std::string(64, ']'), "}");
  EXPECT_TRUE(ParseJournalEntry(deep).ok()) << ParseJournalEntry(deep).status();
}

}  // namespace
}  // namespace vgpu::journal

#include "diag/capture/redact_journal.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::capture {
namespace {

TEST(RedactJournal, OnlyFieldsThatAreReadStay) {
  EXPECT_EQ(RedactJournal(R"({"MESSAGE":"hello","_CMDLINE":"ollama --token x","PRIORITY":"6"})"
                          "\n"),
            R"({"MESSAGE":"hello","PRIORITY":"6"})"
            "\n");
}

TEST(RedactJournal, ASecretBehindEscapes) {
  EXPECT_EQ(RedactJournal(R"({"MESSAGE":"env=\"map[HF_TOKEN:hunter2 A:1]\" http:\/\/me:pw@h"})"),
            R"({"MESSAGE":"env=\"map[HF_TOKEN:<redacted> A:1]\" http://<redacted>@h"})");
}

TEST(RedactJournal, AMessageInBytes) {
  // "A_KEY..." with an escape character, as journalctl prints what holds one.
  EXPECT_EQ(RedactJournal(R"({"MESSAGE":[27,91,48,109]})"), R"({"MESSAGE":[27,91,48,109]})");
  std::string bytes;
  for (const char c : std::string("\x1b API_KEY=hunter2")) {
    absl::StrAppend(&bytes, bytes.empty() ? "" : ",", static_cast<int>(c));
  }
  std::string safe;
  for (const char c : std::string("\x1b API_KEY=<redacted>")) {
    absl::StrAppend(&safe, safe.empty() ? "" : ",", static_cast<int>(c));
  }
  EXPECT_EQ(RedactJournal(absl::StrCat("{\"MESSAGE\":[", bytes, "]}")),
            absl::StrCat("{\"MESSAGE\":[", safe, "]}"));
}

TEST(RedactJournal, APrivateKeyOverSeveralEntries) {
  const std::string out = RedactJournal(
      "{\"MESSAGE\":\"-----BEGIN PRIVATE KEY-----\"}\n{\"MESSAGE\":\"MIIEhunter2\"}\n"
      "{\"MESSAGE\":\"-----END PRIVATE KEY-----\"}\n{\"MESSAGE\":\"after\"}\n");
  EXPECT_FALSE(absl::StrContains(out, "hunter2")) << out;
  EXPECT_TRUE(absl::StrContains(out, "after")) << out;
}

TEST(RedactJournal, WhatIsNoEntryStaysNone) {
  EXPECT_EQ(RedactJournal("not json, token=hunter2\n\n{\"MESSAGE\":"),
            "not json, token=<redacted>\n\n{\"MESSAGE\":");
  EXPECT_EQ(RedactJournal("-- No entries --\n"), "-- No entries --\n");
}

}  // namespace
}  // namespace vgpu::capture

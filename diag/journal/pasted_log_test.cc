#include "diag/journal/pasted_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/logfmt/memory_source.h"
#include "gtest/gtest.h"

namespace vgpu::journal {
namespace {

constexpr char kRecord[] =
    R"(time=2026-02-26T05:54:39.123-05:00 level=INFO source=types.go:60 msg="inference compute" id=cpu library=cpu compute="" name=cpu total="3.8 GiB" available="3.0 GiB")";

struct Read {
  std::vector<PastedLine> lines;
  PastedSummary summary;
  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const PastedLine& line : lines) texts.push_back(line.text);
    return texts;
  }
};

Read ReadAll(absl::string_view text, size_t piece = absl::string_view::npos) {
  logfmt::MemorySource source(text, piece);
  Read read;
  read.summary = ReadPastedLog(source, [&](const PastedLine& line) { read.lines.push_back(line); });
  return read;
}

using Texts = std::vector<std::string>;

TEST(PastedLog, TheProgramsOwnLines) {
  const Read read = ReadAll(absl::StrCat(kRecord, "\nggml_cuda_init: found 0 CUDA devices\n"));
  EXPECT_EQ(read.Texts(), (Texts{kRecord, "ggml_cuda_init: found 0 CUDA devices"}));
  EXPECT_EQ(read.lines[1].number, 2u);
  EXPECT_FALSE(read.summary.journal);
}

// The same three entries in the forms of journalctl give the same messages.
TEST(PastedLog, EveryFormOfJournalctl) {
  const std::string quoted = absl::StrReplaceAll(kRecord, {{"\"", "\\\""}});
  const std::vector<std::string> forms = {
      absl::StrCat("Feb 26 05:54:39 h ollama[7]: ", kRecord),
      absl::StrCat("Feb 26 05:54:39.1 h ollama[7]: ", kRecord),
      absl::StrCat("2026-02-26T05:54:39-0500 h ollama[7]: ", kRecord),
      absl::StrCat("Thu 2026-02-26 05:54:39 EST h ollama[7]: ", kRecord),
      absl::StrCat("Thu 2026-02-26 05:54:39 EST h ollama.service/ollama[7]: ", kRecord),
      absl::StrCat("1772103279.123456 h ollama[7]: ", kRecord),
      absl::StrCat("[  12.345678] h ollama[7]: ", kRecord),
      absl::StrCat("Thu 2026-02-26 05:54:39.123456 EST [s=ab;i=1;b=c;m=d;t=e;x=f]\n"
                   "    _PID=7\n    SYSLOG_IDENTIFIER=ollama\n    MESSAGE=",
                   kRecord),
      absl::StrCat("__CURSOR=s=ab;i=1\n__REALTIME_TIMESTAMP=1772103279123456\n_PID=7\n"
                   "SYSLOG_IDENTIFIER=ollama\nMESSAGE=",
                   kRecord, "\n"),
      absl::StrCat(R"({"__REALTIME_TIMESTAMP":"1772103279123456","_PID":"7",)",
                   R"("SYSLOG_IDENTIFIER":"ollama","MESSAGE":")", quoted, "\"}"),
      absl::StrCat(R"(data: {"_PID":"7","SYSLOG_IDENTIFIER":"ollama","MESSAGE":")", quoted, "\"}"),
      absl::StrCat("\x1e{\"_PID\":\"7\",\"SYSLOG_IDENTIFIER\":\"ollama\",\"MESSAGE\":\"", quoted,
                   "\"}"),
      absl::StrCat("{\n\t\"_PID\" : \"7\",\n\t\"SYSLOG_IDENTIFIER\" : \"ollama\",\n",
                   "\t\"MESSAGE\" : \"", quoted, "\"\n}"),
  };
  for (const std::string& form : forms) {
    const Read read = ReadAll(absl::StrCat(form, "\n"));
    ASSERT_EQ(read.Texts(), Texts{kRecord}) << form;
    EXPECT_EQ(read.lines[0].identifier, "ollama") << form;
    EXPECT_EQ(read.lines[0].pid, 7) << form;
    EXPECT_EQ(read.lines[0].number, 1u) << form;
    EXPECT_TRUE(read.summary.journal) << form;
  }
}

TEST(PastedLog, ABinaryFieldOfTheExportForm) {
  std::string text = "__CURSOR=s=ab\nMESSAGE\n";
  text.append("\x05\0\0\0\0\0\0\0a\nb\x1b[\n", 14);
  text += "_PID=7\n\nFeb 26 05:54:39 h ollama[8]: next\n";
  const Read read = ReadAll(text);
  ASSERT_EQ(read.lines.size(), 2u);
  EXPECT_EQ(read.lines[0].text, "a\nb\x1b[");
  EXPECT_EQ(read.lines[0].pid, 7);
  EXPECT_EQ(read.lines[1].text, "next");
}

TEST(PastedLog, WithoutTheExplanationsOfX) {
  const Read read = ReadAll(
      "Feb 26 05:54:39 h systemd[1]: Started ollama.service.\n"
      "░░ Subject: A start job for unit ollama.service has finished successfully\n"
      "░░ Defined-By: systemd\n"
      "░░ \n"
      "-- Boot 0123456789abcdef --\n"
      "Feb 26 05:54:40 h ollama[7]: m\n"
      "lines 1-6/6 (END)\n");
  EXPECT_EQ(read.Texts(), (Texts{"Started ollama.service.", "m"}));
}

TEST(PastedLog, FromDockerInEveryForm) {
  const std::string quoted = absl::StrReplaceAll(kRecord, {{"\"", "\\\""}});
  for (const std::string& form :
       {std::string(kRecord), absl::StrCat("2026-02-26T10:54:39.123456789Z ", kRecord),
        absl::StrCat("ollama  | ", kRecord),
        absl::StrCat("2026-02-26T10:54:39.123456789Z stderr F ", kRecord),
        absl::StrCat(R"({"log":")", quoted,
                     R"(\n","stream":"stderr","time":"2026-02-26T10:54:39.1Z"})")}) {
    EXPECT_EQ(ReadAll(absl::StrCat(form, "\n")).Texts(), Texts{kRecord}) << form;
  }
}

TEST(PastedLog, OutOfATicket) {
  const std::string html = absl::StrReplaceAll(kRecord, {{"\"", "&quot;"}});
  EXPECT_EQ(ReadAll(absl::StrCat("```shell\n", kRecord, "\n```\n")).Texts(), Texts{kRecord});
  EXPECT_EQ(ReadAll(absl::StrCat("```", kRecord, "```\n")).Texts(), Texts{kRecord});
  EXPECT_EQ(ReadAll(absl::StrCat("> > ", kRecord, "\r\n")).Texts(), Texts{kRecord});
  EXPECT_EQ(ReadAll(html).Texts(), Texts{kRecord});
  EXPECT_EQ(ReadAll(absl::StrCat("\x1b[32m", kRecord, "\x1b[0m\n")).Texts(), Texts{kRecord});
  EXPECT_EQ(ReadAll(absl::StrCat("[32m", kRecord, "[0m\n")).Texts(), Texts{kRecord});
}

TEST(PastedLog, Utf16WithItsMark) {
  std::string text = "\xff\xfe";
  for (const char c : absl::StrCat(kRecord, "\r\n")) {
    text.push_back(c);
    text.push_back('\0');
  }
  EXPECT_EQ(ReadAll(text, 7).Texts(), Texts{kRecord});
  EXPECT_EQ(ReadAll("\xef\xbb\xbfx\n").Texts(), Texts{"x"});
}

TEST(PastedLog, ALineThatATerminalBroke) {
  const std::string prefixed = absl::StrCat("Feb 26 05:54:39 h ollama[7]: ", kRecord);
  std::string wrapped;
  for (size_t at = 0; at < prefixed.size(); at += 80) {
    absl::StrAppend(&wrapped, prefixed.substr(at, 80), "\n");
  }
  const Read read = ReadAll(absl::StrCat(wrapped, "Feb 26 05:54:40 h ollama[7]: m\n"));
  EXPECT_EQ(read.Texts(), (Texts{kRecord, "m"}));
  EXPECT_EQ(read.summary.joined, 2u);
  EXPECT_EQ(read.lines[1].number, 4u);
}

TEST(PastedLog, ALineThatAMailProgramBroke) {
  const Read read = ReadAll(
      "time=2026-02-26T05:54:39.123-05:00 level=INFO source=types.go:60 msg=\"inference\n"
      "compute\" id=cpu library=cpu compute=\"\" name=cpu total=\"3.8 GiB\"\n"
      "available=\"3.0 GiB\"\n"
      "[GIN] 2026/02/26 - 05:54:39 | 200 | 1ms | 127.0.0.1 | GET \"/?a=b\"\n");
  ASSERT_EQ(read.lines.size(), 2u);
  EXPECT_EQ(read.lines[0].text, kRecord);
}

TEST(PastedLog, LinesOfGgmlAreNotTheRestOfARecord) {
  const std::string text = absl::StrCat(kRecord,
                                        "\nggml_cuda_init: GGML_CUDA_FORCE_MMQ:    no\n"
                                        "llama_model_loader: - kv   0: general.architecture "
                                        "str = llama\nload: model size = 4.3 GiB\n");
  EXPECT_EQ(ReadAll(text).lines.size(), 4u);
}

TEST(PastedLog, AYearAndAZoneAreTakenFromARecordThatHasThem) {
  const Read read = ReadAll(absl::StrCat(
      "Feb 26 05:54:30 h systemd[1]: Started ollama.service.\n", "Feb 26 05:54:39 h ollama[7]: ",
      kRecord, "\nFeb 26 05:55:39 h systemd[1]: ollama.service: Main process exited\n"));
  ASSERT_EQ(read.lines.size(), 3u);
  ASSERT_TRUE(read.lines[2].time.present());
  EXPECT_EQ(absl::ToUnixSeconds(*read.lines[2].time), 1772103339);
  // Also of a line that stands before it.
  ASSERT_TRUE(read.lines[0].time.present());
  EXPECT_EQ(absl::ToUnixSeconds(*read.lines[0].time), 1772103339 - 69);
}

TEST(PastedLog, WhereNoRecordTellsAZoneAllLinesComeInTheirOrder) {
  std::string text;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&text, "Feb 26 05:54:30 h systemd[1]: ", i, "\n");
  absl::StrAppend(&text, kRecord, "\n");
  const Read read = ReadAll(text);
  ASSERT_EQ(read.lines.size(), 3001u);
  for (size_t i = 0; i < 3000; ++i) {
    EXPECT_EQ(read.lines[i].text, absl::StrCat(i));
    EXPECT_FALSE(read.lines[i].time.present());
  }
}

TEST(PastedLog, AnyPiecesGiveTheSame) {
  const std::string text = absl::StrCat("Feb 26 05:54:39 h ollama[7]: ", kRecord,
                                        "\n{\n\"MESSAGE\" : ", "\"x\"\n}\n", kRecord);
  const Texts whole = ReadAll(text).Texts();
  EXPECT_EQ(whole.size(), 3u);
  for (size_t piece : {1, 2, 7, 64}) EXPECT_EQ(ReadAll(text, piece).Texts(), whole) << piece;
}

TEST(PastedLog, AnEndlessLineIsCutAndTheNextOneRead) {
  const Read read = ReadAll(absl::StrCat(std::string(kMaxRecord * 3, 'x'), "\nnext\n"));
  ASSERT_EQ(read.lines.size(), 2u);
  EXPECT_LE(read.lines[0].text.size(), kMaxRecord + (size_t{1} << 16));
  EXPECT_EQ(read.lines[1].text, "next");
}

TEST(PastedLog, Nothing) {
  EXPECT_TRUE(ReadAll("").lines.empty());
  EXPECT_TRUE(ReadAll("\n\n```\n").lines.empty());
}

}  // namespace
}  // namespace vgpu::journal

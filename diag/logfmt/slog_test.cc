#include "diag/logfmt/slog.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::logfmt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Slog, ReadsTheLineOfABootstrapDiscovery) {
  const auto line =
      ParseSlog(R"(time=2026-02-25T09:16:56.934-05:00 level=DEBUG source=runner.go:437 )"
                R"(msg="bootstrap discovery took" duration=302.578653ms )"
                R"(OLLAMA_LIBRARY_PATH="[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]" )"
                R"(extra_envs="map[CUDA_VISIBLE_DEVICES:GPU-00000000-1400-0000-0900-000000000000 )"
                R"(GGML_CUDA_INIT:1]")");
  ASSERT_TRUE(line.has_value());
  ASSERT_TRUE(line->time.present());
  EXPECT_EQ(absl::ToUnixMillis(*line->time), 1772029016934);
  EXPECT_EQ(line->level, "DEBUG");
  EXPECT_EQ(line->source_file, "runner.go");
  EXPECT_EQ(line->source_line, 437);
  EXPECT_EQ(line->msg, "bootstrap discovery took");
  EXPECT_TRUE(line->complete);
  EXPECT_EQ(line->before, "");
  ASSERT_EQ(line->attrs.size(), 3u);
  EXPECT_EQ(line->attrs[0], (SlogAttr{"duration", "302.578653ms"}));
  EXPECT_EQ(*line->Find("OLLAMA_LIBRARY_PATH"),
            "[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]");
  EXPECT_EQ(line->Find("LD_PRELOAD"), nullptr);
}

TEST(Slog, AKeyMayBeQuotedAndAValueEmpty) {
  const auto line = ParseSlog(
      R"(time=2026-01-02T03:04:05Z level=INFO source=routes.go:1648 msg="entering low vram mode" )"
      R"("total vram"="0 B" threshold="20.0 GiB" driver="")");
  ASSERT_TRUE(line.has_value());
  EXPECT_THAT(line->attrs, ElementsAre(SlogAttr{"total vram", "0 B"},
                                       SlogAttr{"threshold", "20.0 GiB"}, SlogAttr{"driver", ""}));
  EXPECT_TRUE(line->complete);
}

TEST(Slog, AnAttributeMayBearABuiltinName) {
  const auto line = ParseSlog(
      "time=2026-01-02T03:04:05Z level=INFO source=a.go:1 msg=subprocess level=9 source=here");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->level, "INFO");
  EXPECT_EQ(line->source_file, "a.go");
  EXPECT_EQ(*line->Find("level"), "9");
  EXPECT_EQ(*line->Find("source"), "here");
}

TEST(Slog, UndoesGoQuoting) {
  const auto line =
      ParseSlog(R"(level=WARN msg="a\tb\"c\"\\ \x1b[0m \u00b5 \U0001f600 \033" detail="x\ny")");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->msg, "a\tb\"c\"\\ \x1b[0m \u00b5 \U0001f600 \033");
  EXPECT_EQ(*line->Find("detail"), "x\ny");
  EXPECT_TRUE(line->complete);
  EXPECT_TRUE(line->time.absent());
}

TEST(Slog, KeepsAnEscapeThatGoDoesNotWrite) {
  const auto line = ParseSlog(R"(level=WARN msg="a\qb\ud800\xzz")");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->msg, R"(a\qb\ud800\xzz)");
  EXPECT_FALSE(line->complete);
}

TEST(Slog, ReadsTheDefaultFormOfOldReleases) {
  const auto line = ParseSlog(R"(2025/05/03 10:00:00 routes.go:1233: INFO server config )"
                              R"(env="map[CUDA_VISIBLE_DEVICES: OLLAMA_DEBUG:false]")");
  ASSERT_TRUE(line.has_value());
  EXPECT_TRUE(line->time.absent());
  EXPECT_EQ(line->wall_time, absl::CivilSecond(2025, 5, 3, 10, 0, 0));
  EXPECT_EQ(line->level, "INFO");
  EXPECT_EQ(line->source_file, "routes.go");
  EXPECT_EQ(line->source_line, 1233);
  EXPECT_EQ(line->msg, "server config");
  EXPECT_EQ(*line->Find("env"), "map[CUDA_VISIBLE_DEVICES: OLLAMA_DEBUG:false]");
  EXPECT_TRUE(line->complete);
}

TEST(Slog, ADefaultMessageEndsBeforeItsFirstAttribute) {
  const auto line = ParseSlog(R"(2025/05/03 10:00:00 WARN it is "here" now "a b"=1 c=2)");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->msg, R"(it is "here" now)");
  EXPECT_THAT(line->attrs, ElementsAre(SlogAttr{"a b", "1"}, SlogAttr{"c", "2"}));
}

TEST(Slog, RawLinesAreToldApart) {
  for (const char* raw :
       {"", "ggml_cuda_init: found 1 CUDA devices:",
        "load_backend: loaded CUDA backend from /usr/local/lib/ollama/libggml-cuda.so",
        "[libvgpu-cuda] cuInit() device found at 0000:00:05.0 (CC=9.0 VRAM=81920 MB)",
        "[GIN] 2026/02/26 - 06:14:01 | 200 |  1.2ms | 127.0.0.1 | GET \"/api/tags\"",
        "uptime=2026-01-02T03:04:05Z", "level=high", "loglevel=INFO x",
        "2025/05/03 10:00:00 http: TLS handshake error"}) {
    EXPECT_FALSE(ParseSlog(raw).has_value()) << raw;
  }
}

TEST(Slog, FindsTheRecordBehindJournalctlsPrefix) {
  const auto line = ParseSlog(
      "Mar 26 06:35:38 test4-HVM-domU ollama_vgpu_wrapper.sh[6957]: "
      "time=2026-03-26T06:35:38.354-04:00 level=INFO source=types.go:42 "
      R"(msg="inference compute" id=GPU-00000000-1400-0000-00c0-000000000000 filter_id="")");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->before, "Mar 26 06:35:38 test4-HVM-domU ollama_vgpu_wrapper.sh[6957]:");
  EXPECT_EQ(line->msg, "inference compute");
  EXPECT_EQ(*line->Find("filter_id"), "");
}

TEST(Slog, FindsTheRecordGluedToARawWrite) {
  const auto line = ParseSlog(
      "ggml_nvml_init unable to locate required symbols in libnvidia-ml.so"
      "time=2026-03-26T06:35:38Z level=INFO source=a.go:1 msg=hello");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->before, "ggml_nvml_init unable to locate required symbols in libnvidia-ml.so");
  EXPECT_EQ(line->msg, "hello");
}

TEST(Slog, ASecondRecordOnTheLineIsHandedBack) {
  const std::string second = "time=2026-03-26T06:35:39Z level=WARN source=b.go:2 msg=two";
  const auto line =
      ParseSlog("time=2026-03-26T06:35:38Z level=INFO source=a.go:1 msg=one x=1 " + second);
  ASSERT_TRUE(line.has_value());
  EXPECT_THAT(line->attrs, ElementsAre(SlogAttr{"x", "1"}));
  EXPECT_EQ(line->after, second);
  EXPECT_EQ(ParseSlog(line->after)->msg, "two");
}

TEST(Slog, ARecordQuotedInAValueStaysThere) {
  const auto line = ParseSlog(
      R"(level=INFO msg=a detail="time=2026-03-26T06:35:39Z level=WARN msg=\"two\"" x=1)");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(*line->Find("detail"), R"(time=2026-03-26T06:35:39Z level=WARN msg="two")");
  EXPECT_EQ(*line->Find("x"), "1");
  EXPECT_EQ(line->after, "");
}

TEST(Slog, ACutQuoteGivesWhatThereIs) {
  const auto line = ParseSlog(
      R"(time=2026-02-25T09:16:56Z level=INFO source=a.go:1 msg="failure during GPU discovery" error="failed to fin)");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(*line->Find("error"), "failed to fin");
  EXPECT_FALSE(line->complete);
}

TEST(Slog, TextBetweenAttributesIsSteppedOver) {
  const auto line = ParseSlog(
      R"(level=DEBUG msg="filtering device" id=GPU-1 [lib[libvgpu-cuda] cuInit() library=CUDA)");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(*line->Find("id"), "GPU-1");
  EXPECT_EQ(*line->Find("library"), "CUDA");
  EXPECT_FALSE(line->complete);
}

TEST(Slog, ColoursAreNoPartOfTheText) {
  EXPECT_EQ(StripColours("\x1b[1;31mred\x1b[0m \x1b[2K."), "red .");
  const auto line = ParseSlog("\x1b[2mtime=2026-02-25T09:16:56Z\x1b[0m level=INFO msg=x\r\n");
  ASSERT_TRUE(line.has_value());
  EXPECT_TRUE(line->time.present());
  EXPECT_EQ(line->msg, "x");
}

TEST(Slog, ATimeThatIsNoneIsNotObserved) {
  const auto line = ParseSlog("time=2026-13-45T99:00:00Z level=INFO msg=x");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->time.why_not(), "time: not RFC 3339: 2026-13-45T99:00:00Z");
}

TEST(GoMap, AnEntryStartsAtANameOutsideOfBrackets) {
  const auto entries = ParseGoMap(
      "map[CUDA_VISIBLE_DEVICES: OLLAMA_HOST:http://127.0.0.1:11434 "
      "OLLAMA_ORIGINS:[http://localhost https://localhost app://*] OLLAMA_NOTE:two words "
      "http_proxy:]");
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_THAT(
      *entries,
      ElementsAre(Pair("CUDA_VISIBLE_DEVICES", ""), Pair("OLLAMA_HOST", "http://127.0.0.1:11434"),
                  Pair("OLLAMA_ORIGINS", "[http://localhost https://localhost app://*]"),
                  Pair("OLLAMA_NOTE", "two words"), Pair("http_proxy", "")));
  EXPECT_THAT(*ParseGoMap("map[]"), IsEmpty());
  EXPECT_EQ(ParseGoMap("map[A:x B:").status().message(), "Go map: not of the form map[…]");
  EXPECT_FALSE(ParseGoMap("map[:x]").ok());
}

TEST(GoSlice, SplitsAtSpaces) {
  EXPECT_THAT(*ParseGoSlice("[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]"),
              ElementsAre("/usr/local/lib/ollama", "/usr/local/lib/ollama/cuda_v12"));
  EXPECT_THAT(*ParseGoSlice("[]"), IsEmpty());
  EXPECT_FALSE(ParseGoSlice("[a b").ok());
}

TEST(GoDuration, ReadsWhatGoPrints) {
  EXPECT_EQ(*ParseGoDuration("302.578653ms"), absl::Nanoseconds(302578653));
  EXPECT_EQ(*ParseGoDuration("30.029498764s"), absl::Nanoseconds(30029498764));
  EXPECT_EQ(*ParseGoDuration("1m2s"), absl::Seconds(62));
  EXPECT_EQ(*ParseGoDuration("12.5\u00b5s"), absl::Nanoseconds(12500));
  EXPECT_EQ(*ParseGoDuration("0s"), absl::ZeroDuration());
  EXPECT_FALSE(ParseGoDuration("inf").ok());
  EXPECT_FALSE(ParseGoDuration("30").ok());
  EXPECT_FALSE(ParseGoDuration("").ok());
}

TEST(Bytes, ReadsWhatOllamaPrints) {
  EXPECT_EQ(*ParseBytes("0 B"), 0u);
  EXPECT_EQ(*ParseBytes("20.0 GiB"), uint64_t{20} << 30);
  EXPECT_EQ(*ParseBytes("79.1 GiB"), 84932978278u);
  EXPECT_EQ(*ParseBytes("80 GB"), 80000000000u);
  EXPECT_FALSE(ParseBytes("GiB").ok());
  EXPECT_FALSE(ParseBytes("79.1").ok());
  EXPECT_FALSE(ParseBytes("-1 B").ok());
  EXPECT_FALSE(ParseBytes("99999999999999 TiB").ok());
}

}  // namespace
}  // namespace vgpu::logfmt

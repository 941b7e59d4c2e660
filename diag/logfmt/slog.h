// One line of Ollama's log, as Go's log/slog prints it.
//
//   std::optional<SlogLine> line = ParseSlog(
//       R"(time=2026-02-25T09:16:56.934-05:00 level=DEBUG source=runner.go:437 )"
//       R"(msg="bootstrap discovery took" duration=302.578653ms extra_envs=map[])");
//   line->msg                 // "bootstrap discovery took"
//   line->Find("duration")    // "302.578653ms"
//
// Two forms are known:
//   TextHandler   time=… level=… source=… msg=… key=value …      (Ollama v0.7.0 and later, and most
//   of v0.6) default       2025/05/03 10:00:00 routes.go:1233: INFO message key=value …
//                 (what slog prints before a handler is set: `server config` in v0.6 and earlier)
// Everything else is a raw line: what ggml, the loader or a shim wrote straight to
// standard error.
//
// Real logs are rough. A record is found behind a prefix (journalctl's short form, a
// raw write without a newline); terminal colours are dropped; a line that was cut or
// that another writer broke into gives what can be told, with `complete` false.
//
// Pure functions; safe from any thread. Bytes are kept as they are, NUL and invalid
// UTF-8 too.

#ifndef DIAG_LOGFMT_SLOG_H_
#define DIAG_LOGFMT_SLOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "diag/host/observed.h"

namespace vgpu::logfmt {

struct SlogAttr {
  std::string key;
  std::string value;  // unquoted
  friend bool operator==(const SlogAttr&, const SlogAttr&) = default;
};

struct SlogLine {
  // Absent: the record has none (or the default form, which has no zone: see
  // `wall_time`). Not observed: it could not be read.
  host::Observed<absl::Time> time = host::Absent{};
  // The default form's time, in the zone of the process that wrote it.
  std::optional<absl::CivilSecond> wall_time;
  std::string level;        // "INFO", "DEBUG", "WARN", "ERROR", "TRACE", "DEBUG-2"
  std::string source_file;  // "runner.go"; empty where there is none
  int source_line = 0;
  std::string msg;
  std::vector<SlogAttr> attrs;  // in order; a key may come twice
  // False where the record was cut or disturbed: a quote that does not end, a text
  // between the attributes, an escape that Go does not write.
  bool complete = true;
  // What stood before the record on the line, without its last space.
  std::string before;
  // A further record on the same line (two writers, one lost newline).
  std::string after;

  // The first value under `key`; null where there is none.
  const std::string* Find(absl::string_view key) const;
};

// Nullopt: a raw line.
std::optional<SlogLine> ParseSlog(absl::string_view line);

// `text` without terminal control sequences (ESC [ … letter).
std::string StripColours(absl::string_view text);

// What fmt's %v makes of a map with environment variables or settings as keys:
// "map[CUDA_VISIBLE_DEVICES:0 OLLAMA_ORIGINS:[http://a https://b]]". Go marks no
// boundary, so an entry starts where a name ([A-Za-z_][A-Za-z0-9_]*) and a colon
// follow a space outside of brackets; other spaces belong to the value.
// InvalidArgument where it is no map, or a cut one.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseGoMap(absl::string_view text);

// "[/usr/local/lib/ollama /usr/local/lib/ollama/cuda_v12]". An element with a space
// cannot be told from two elements.
absl::StatusOr<std::vector<std::string>> ParseGoSlice(absl::string_view text);

// time.Duration.String: "302.578653ms", "30.029498764s", "1m2s", "12.5µs".
absl::StatusOr<absl::Duration> ParseGoDuration(absl::string_view text);

// Ollama's HumanBytes ("80 GB") and HumanBytes2 ("79.1 GiB", "0 B"), in bytes. The
// text was rounded to one digit: take the number as that good.
absl::StatusOr<uint64_t> ParseBytes(absl::string_view text);

}  // namespace vgpu::logfmt

#endif  // DIAG_LOGFMT_SLOG_H_

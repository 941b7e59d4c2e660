#include "diag/rules/shared/loader_lines.h"

#include <utility>

#include "absl/strings/match.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/preloaded.h"
#include "re2/re2.h"

namespace vgpu::rules {
namespace {

// A service that dies has several starts in its log; the last ones are alike.
constexpr size_t kLastStarts = 3;
constexpr size_t kMaxLines = 16;

}  // namespace

std::optional<LoaderLine> ParseLoaderLine(absl::string_view text) {
  static const RE2& symbol =
      *new RE2(R"(([^\s"]+): undefined symbol: ([^\s,"]+)(?:, version ([^\s")]+))?)");
  static const RE2& version =
      *new RE2(R"((\S+): version `([^']+)' not found \(required by ([^)]+)\))");
  static const RE2& start_library = *new RE2(
      R"(error while loading shared libraries: (.+?): (?:cannot |file |invalid |failed |wrong |ELF |only |object ))");
  static const RE2& library = *new RE2(R"((\S+): cannot open shared object file)");
  if (absl::StrContains(text, "cannot be preloaded")) return std::nullopt;
  const re2::StringPiece input(text.data(), text.size());
  LoaderLine line;
  if (RE2::PartialMatch(input, symbol, &line.library, &line.symbol, &line.version)) {
    line.kind = LoaderLine::Kind::kSymbol;
    line.at_start = absl::StrContains(text, "symbol lookup error");
    return line;
  }
  if (RE2::PartialMatch(input, version, &line.library, &line.version, &line.required_by)) {
    line.kind = LoaderLine::Kind::kVersion;
    line.at_start = true;
    return line;
  }
  line.kind = LoaderLine::Kind::kLibrary;
  line.at_start = RE2::PartialMatch(input, start_library, &line.library);
  if (line.at_start || RE2::PartialMatch(input, library, &line.library)) return line;
  return std::nullopt;
}

std::vector<LoaderSays> LoaderLines(const facts::Facts& facts) {
  std::vector<LoaderSays> said;
  const facts::Fact<ollama::DiscoveryLog>& log = facts.log.ServersLog();
  if (!log.present()) return said;
  std::vector<const ollama::ServerStart*> starts;
  if (const ollama::ServerStart* start = facts.ThisStart()) starts.push_back(start);
  if (Dies(facts)) {
    for (auto it = log->starts.rbegin(); it != log->starts.rend(); ++it) {
      if (starts.size() >= kLastStarts) break;
      if (starts.empty() || starts.front() != &*it) starts.push_back(&*it);
    }
  }
  for (const ollama::ServerStart* start : starts) {
    for (const ollama::LogLine& line : start->loader_errors) {
      if (said.size() >= kMaxLines) return said;
      if (std::optional<LoaderLine> parsed = ParseLoaderLine(line.text)) {
        said.push_back({*std::move(parsed), FromLog(*log, line, "")});
      }
    }
  }
  return said;
}

}  // namespace vgpu::rules

#include "diag/capture/redact_journal.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "diag/report/redact.h"
#include "nlohmann/json.hpp"

namespace vgpu::capture {
namespace {

using nlohmann::json;

// What diag/journal/journal_entry.cc reads.
constexpr absl::string_view kFields[] = {
    "CODE_FUNC",
    "EXIT_CODE",
    "EXIT_STATUS",
    "INVOCATION_ID",
    "JOB_RESULT",
    "MESSAGE",
    "MESSAGE_ID",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "UNIT",
    "_BOOT_ID",
    "_COMM",
    "_PID",
    "_SYSTEMD_INVOCATION_ID",
    "_SYSTEMD_UNIT",
    "_TRANSPORT",
    "__MONOTONIC_TIMESTAMP",
    "__REALTIME_TIMESTAMP",
};

bool IsRead(absl::string_view field) {
  return std::find(std::begin(kFields), std::end(kFields), field) != std::end(kFields);
}

// A key of 16384 bits has 200 lines.
constexpr int kMaxKeyLines = 256;

class Journal {
 public:
  std::string Line(absl::string_view line) {
    json entry = json::parse(line.begin(), line.end(), NotTooDeep, /*allow_exceptions=*/false);
    if (!entry.is_object()) return Text(std::string(line));
    for (auto it = entry.begin(); it != entry.end();) {
      if (!IsRead(it.key())) {
        it = entry.erase(it);
        continue;
      }
      Redact(*it);
      ++it;
    }
    return entry.dump(-1, ' ', false, json::error_handler_t::replace);
  }

 private:
  static bool NotTooDeep(int depth, json::parse_event_t, json&) { return depth < 8; }

  // The lines of a private key that an entry of its own began.
  std::string Text(const std::string& text) {
    if (key_lines_ > 0) {
      --key_lines_;
      if (absl::StrContains(text, "-----END ")) key_lines_ = 0;
      return "<redacted>";
    }
    if (absl::StrContains(text, "PRIVATE KEY-----") && absl::StrContains(text, "-----BEGIN ") &&
        !absl::StrContains(text, "-----END ")) {
      key_lines_ = kMaxKeyLines;
    }
    return report::RedactSecrets(text);
  }

  void Redact(json& value) {
    if (value.is_string()) {
      value = Text(value.get<std::string>());
    } else if (value.is_array()) {
      // Byte values of a text that holds control characters, or several values.
      std::string text;
      for (json& item : value) {
        if (item.is_string()) Redact(item);
        if (item.is_number_unsigned()) text.push_back(static_cast<char>(item.get<unsigned>()));
      }
      if (text.size() != value.size()) return;
      std::string safe = Text(text);
      if (safe == text) return;
      value = json::array();
      for (const char c : safe) value.push_back(static_cast<unsigned char>(c));
    }
  }

  int key_lines_ = 0;  // that may still come
};

}  // namespace

std::string RedactJournal(absl::string_view lines) {
  Journal journal;
  std::string out;
  out.reserve(lines.size());
  while (!lines.empty()) {
    const size_t newline = lines.find('\n');
    const absl::string_view line = lines.substr(0, newline);
    if (!line.empty()) out += journal.Line(line);
    if (newline == absl::string_view::npos) break;
    out.push_back('\n');
    lines.remove_prefix(newline + 1);
  }
  return out;
}

}  // namespace vgpu::capture

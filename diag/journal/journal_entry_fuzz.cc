// What a complete JSON parser takes for an object of journal fields, ours reads, and
// both read the same message.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "diag/journal/journal_entry.h"
#include "nlohmann/json.hpp"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Depth as both parsers count it may differ; deep inputs are not compared.
bool IsShallow(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '[' || c == '{'; }) < 60;
}

// Fields that are kept must have one of journalctl's forms; what ours makes of others
// (an object, say) is its own affair.
bool AllStrings(const nlohmann::json& object) {
  return std::all_of(object.begin(), object.end(),
                     [](const nlohmann::json& value) { return value.is_string(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto entry = vgpu::journal::ParseJournalEntry(text);
  if (entry.ok() && entry->message.present()) Require(entry->message->size() <= size);
  // The other parser skips a byte order mark, and takes a NUL for the end.
  if (text.substr(0, 1) == "\xef" || text.find('\0') != text.npos || !IsShallow(text)) return 0;
  const nlohmann::json full = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (!full.is_object() || !AllStrings(full)) return 0;
  // A name given twice is kept once by the other parser: its first value may have had
  // a form that ours refuses.
  if (!entry.ok()) {
    Require(std::count(text.begin(), text.end(), ':') > static_cast<std::ptrdiff_t>(full.size()));
    return 0;
  }
  if (!full.contains("MESSAGE")) return 0;
  Require(entry->message.present());
  Require(*entry->message == full["MESSAGE"].get<std::string>());
  return 0;
}

#include "diag/journal/journal_reader.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace vgpu::journal {
namespace {

// A MESSAGE that is an array, as journalctl prints it, and as JSON tools reprint it.
constexpr absl::string_view kByteMessages[] = {
    R"("MESSAGE":[)",
    R"("MESSAGE" : [)",
    R"("MESSAGE": [)",
};

// journalctl's answer where nothing matches.
constexpr absl::string_view kNoEntries = "-- No entries --";

bool IsPlainInJson(absl::string_view needle) {
  return std::all_of(needle.begin(), needle.end(),
                     [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

host::Observed<JournalMoment> MomentOf(absl::string_view line) {
  absl::StatusOr<JournalEntry> entry = ParseJournalEntry(line);
  if (!entry.ok()) return host::NotObserved{std::string(entry.status().message())};
  return JournalMoment{std::move(entry->realtime), std::move(entry->boot_id)};
}

}  // namespace

absl::StatusOr<JournalReader> JournalReader::Create(absl::Span<const absl::string_view> needles) {
  for (absl::string_view needle : needles) {
    if (!IsPlainInJson(needle)) {
      return absl::InvalidArgumentError(
          absl::StrCat("needle: JSON may write it otherwise: ", absl::CHexEscape(needle)));
    }
  }
  absl::StatusOr<logfmt::NeedleSet> plain = logfmt::NeedleSet::Create(needles);
  if (!plain.ok()) return plain.status();
  std::vector<absl::string_view> all(needles.begin(), needles.end());
  all.insert(all.end(), std::begin(kByteMessages), std::end(kByteMessages));
  absl::StatusOr<logfmt::NeedleSet> with_byte_messages = logfmt::NeedleSet::Create(all);
  if (!with_byte_messages.ok()) return with_byte_messages.status();
  return JournalReader(*std::move(plain), *std::move(with_byte_messages));
}

absl::StatusOr<JournalSummary> JournalReader::Read(host::ByteSource& source, OnEntry on_entry,
                                                   const logfmt::ScanOptions& options) const {
  JournalSummary summary;
  bool any_entry = false;
  const auto take = [&](const logfmt::Line& line) {
    const absl::StatusOr<JournalEntry> entry = ParseJournalEntry(line.text);
    if (!entry.ok()) {
      ++summary.malformed;
      return;
    }
    any_entry = true;
    // The mark of an array let it through: is it interesting?
    if (!needles_.Find(line.text).has_value() &&
        !(entry->message.present() && needles_.Find(*entry->message).has_value())) {
      return;
    }
    ++summary.reported;
    on_entry(*entry, line.number);
  };
  logfmt::ScanSummary scanned = logfmt::ScanLines(source, with_byte_messages_, options, take);
  summary.status = std::move(scanned.status);
  summary.bytes = scanned.bytes;
  summary.lines = scanned.lines;
  summary.overlong = scanned.overlong;
  summary.unfinished = scanned.unfinished;
  if (scanned.lines == 0) return summary;
  if (scanned.lines == 1 && absl::StripAsciiWhitespace(scanned.first) == kNoEntries) {
    summary.lines = 0;
    return summary;
  }
  summary.first = MomentOf(scanned.first);
  summary.last = MomentOf(scanned.last);
  if (!any_entry && !summary.first.present() && !summary.last.present()) {
    return absl::InvalidArgumentError(
        absl::StrCat("journal: not the JSON lines of journalctl -o json; it begins with: ",
                     absl::CHexEscape(absl::string_view(scanned.first).substr(0, 80))));
  }
  return summary;
}

}  // namespace vgpu::journal

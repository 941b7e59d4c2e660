#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "diag/baseline/explain.h"
#include "diag/report/json.h"
#include "diag/report/redact.h"
#include "diag/report/visible.h"
#include "diag/report/wrap.h"
#include "diag/rules/catalogue.h"

namespace vgpu::baseline {
namespace {

using How = Change::How;

// Of the causes that a difference may have, so many are named.
constexpr size_t kNamedCauses = 5;

// Paragraphs of words that hang under their lead. A word that does not fit overflows.
class Page {
 public:
  explicit Page(const report::TextStyle& style)
      : width_(static_cast<size_t>(std::max(style.width, 40))), style_(style) {}

  void Gap() { out_ += "\n"; }

  void Prose(absl::string_view lead, absl::string_view text, absl::string_view sgr = "") {
    const std::string lines = report::Hang(lead, Shown(text), width_);
    absl::StrAppend(&out_, Painted(lead, sgr), lines.substr(lead.size()));
  }

  // A value, which may be a list without a space: it is parted where its items are.
  void Value(absl::string_view lead, absl::string_view text) {
    const std::string shown = Shown(text);
    std::string begin(lead);
    for (const absl::string_view line : report::Lines(shown, width_ - lead.size())) {
      for (const absl::string_view piece : report::Pieces(line, width_ - lead.size())) {
        absl::StrAppend(&out_, begin, piece, "\n");
        begin = std::string(lead.size() + report::kPieceIndent, ' ');
      }
      begin = std::string(lead.size(), ' ');
    }
  }

  std::string Take() && { return std::move(out_); }

 private:
  std::string Shown(absl::string_view text) const {
    const std::string visible = report::VisibleQuote(report::RedactSecrets(text), 2048);
    return style_.utf8 ? visible : report::AsciiOnly(visible);
  }
  std::string Painted(absl::string_view lead, absl::string_view sgr) const {
    if (!style_.color || sgr.empty()) return std::string(lead);
    return absl::StrCat("\x1b[", sgr, "m", lead, "\x1b[0m");
  }

  const size_t width_;
  const report::TextStyle style_;
  std::string out_;
};

absl::string_view VerdictColor(DiffVerdict verdict) {
  switch (verdict) {
    case DiffVerdict::kSame:
      return "1;32";
    case DiffVerdict::kDrift:
      return "1;31";
    case DiffVerdict::kInconclusive:
      break;
  }
  return "1;35";
}

std::string Side(const host::Observed<Value>& value) {
  if (value.present()) return ValueText(*value);
  return value.absent() ? "(not there)" : absl::StrCat("(not observed: ", value.why_not(), ")");
}

std::string Causes(const std::vector<std::string>& codes) {
  std::vector<std::string> named;
  for (const std::string& code : codes) {
    if (named.size() == kNamedCauses) break;
    const rules::CatalogueEntry* entry = rules::FindCode(code);
    named.push_back(entry == nullptr ? code : absl::StrCat(code, " ", entry->id));
  }
  std::string text = absl::StrJoin(named, ", ");
  if (codes.size() > named.size()) {
    absl::StrAppend(&text, ", and ", codes.size() - named.size(), " more");
  }
  return text;
}

void ShowChange(size_t number, const Explained& explained, Page& page) {
  const Change& change = explained.change;
  absl::string_view how;
  switch (change.how) {
    case How::kMissing:
      how = "missing";
      break;
    case How::kAdded:
      how = "added";
      break;
    case How::kReordered:
      how = "in another order";
      break;
    default:
      how = "changed";
  }
  page.Prose(absl::StrCat(number < 10 ? "  " : " ", number, "  "),
             absl::StrCat(change.What(), ": ", how));
  for (const std::string& item : change.items_missing) {
    if (change.how == How::kChanged) page.Prose("       - ", item);
  }
  for (const std::string& item : change.items_added) {
    if (change.how == How::kChanged) page.Prose("       + ", item);
  }
  if (change.how != How::kAdded) page.Value("     was  ", Side(change.before));
  if (change.how != How::kMissing) page.Value("     is   ", Side(change.now));
  if (!change.source.empty()) {
    page.Prose("     at   ", change.line > 0 ? absl::StrCat(change.source, ", line ", change.line)
                                             : change.source);
  }
  if (!explained.may_cause.empty()) page.Prose("     may cause ", Causes(explained.may_cause));
}

std::string Count(size_t n, absl::string_view one, absl::string_view many) {
  return absl::StrCat(n, " ", n == 1 ? one : many);
}

}  // namespace

std::string ToText(const Diff& diff, const report::TextStyle& style) {
  Page page(style);
  const std::string verdict =
      absl::StrCat(absl::AsciiStrToUpper(DiffVerdictName(diff.verdict)), "  ");
  page.Prose(verdict, diff.headline, VerdictColor(diff.verdict));
  const std::string indent(verdict.size(), ' ');
  const std::string taken =
      diff.captured_at.present()
          ? absl::StrCat(" of ", report::Rfc3339(*diff.captured_at, diff.time_zone))
          : "";
  const std::string name = diff.name.empty() ? "" : absl::StrCat(" \"", diff.name, "\"");
  page.Prose(indent, absl::StrCat("Baseline", name, taken, ": ",
                                  Count(diff.Differences(), "thing differs", "things differ"), ", ",
                                  diff.same, " are the same."));
  if (!diff.verified) {
    page.Prose("\nNOT VERIFIED  ",
               absl::StrCat("The baseline was taken while the GPU was not known to work (",
                            diff.because, "): it says how the host was, and not how it should be."),
               "1;35");
  }
  for (const OtherBaseline& other : diff.others) {
    page.Prose(indent,
               absl::StrCat("Farther away: \"", other.name, "\", from which ",
                            Count(other.differences, "thing differs", "things differ"), "."));
  }

  if (!diff.likely_causes.empty()) {
    page.Gap();
    page.Prose("", "Likely cause");
    for (const LikelyCause& cause : diff.likely_causes) {
      page.Prose(absl::StrCat("  ", cause.code, "  "),
                 absl::StrCat(cause.title, " (", report::ConfidenceName(cause.confidence),
                              cause.latent ? ", acts at the next start" : "", ")"));
      page.Prose("         because of ", absl::StrJoin(cause.because, ", "));
    }
  }
  size_t number = 0;
  for (const Explained& explained : diff.changes) {
    if (explained.change.how == How::kNotObserved) continue;
    if (number == 0) {
      page.Gap();
      page.Prose("", "What differs, and what can explain most first");
    }
    ShowChange(++number, explained, page);
  }
  bool first = true;
  for (const Explained& explained : diff.changes) {
    if (explained.change.how != How::kNotObserved) continue;
    if (first) {
      page.Gap();
      page.Prose("", "Not observed this time");
    }
    first = false;
    page.Prose("  - ", absl::StrCat(explained.change.What(), ": ", explained.change.now.why_not()));
  }
  if (!diff.not_compared.empty()) {
    page.Gap();
    page.Prose("", "Not compared");
    for (const NotCompared& item : diff.not_compared) {
      page.Prose("  - ", absl::StrCat(item.what, ": ", item.why));
    }
  }
  return std::move(page).Take();
}

}  // namespace vgpu::baseline

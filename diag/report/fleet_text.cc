#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/report/fleet_phrases.h"
#include "diag/report/fleet_views.h"
#include "diag/report/runbook.h"
#include "diag/report/visible.h"
#include "diag/report/wrap.h"
#include "diag/rules/steps.h"

namespace vgpu::report {
namespace {

constexpr size_t kNarrowest = 40;
// A name that is longer has its place on the next line.
constexpr size_t kWidestName = 24;

// SGR parameters (ECMA-48, 8.3.117), as of one host's report.
constexpr char kRed[] = "1;31";
constexpr char kGreen[] = "1;32";
constexpr char kMagenta[] = "1;35";
constexpr char kBold[] = "1";
constexpr char kDim[] = "2";

const char* ColorOf(absl::string_view verdict) {
  if (verdict == "healthy") return kGreen;
  return verdict == "inconclusive" ? kMagenta : kRed;
}

class Page {
 public:
  explicit Page(const TextStyle& style)
      : width_(std::max(static_cast<size_t>(std::max(style.width, 0)), kNarrowest)),
        color_(style.color),
        utf8_(style.utf8) {}

  void Gap() { out_ += '\n'; }

  // `lead`, then `text` that hangs beside it.
  void Prose(absl::string_view lead, absl::string_view text, absl::string_view lead_sgr = "",
             absl::string_view text_sgr = "") {
    const std::string first = Shown(lead), rest = Shown(text);
    const size_t hang = Columns(first);
    absl::StrAppend(&out_, Painted(first, lead_sgr));
    bool beside = true;
    const size_t room = width_ > hang + kNarrowest / 4 ? width_ - hang : kNarrowest / 4;
    for (const absl::string_view line : Lines(rest, room)) {
      if (!beside) out_.append(line.empty() ? 0 : hang, ' ');
      absl::StrAppend(&out_, Painted(line, text_sgr), "\n");
      beside = false;
    }
  }

  // `path` whole, at `column`, so that it can be copied: it may overflow, and nothing breaks it at
  // a blank of its own. A lead that leaves it no room stands on a line of its own.
  void Path(absl::string_view lead, size_t column, absl::string_view path) {
    const std::string first = Shown(lead), rest = Shown(path);
    const size_t used = Columns(first);
    absl::StrAppend(&out_, first);
    if (used > column) out_ += '\n';
    out_.append(used > column ? column : column - used, ' ');
    absl::StrAppend(&out_, rest, "\n");
  }

  // As it is, on one line.
  void Command(absl::string_view lead, absl::string_view command) {
    absl::StrAppend(&out_, lead, Painted(Shown(command), kBold), "\n");
  }

  void Heading(absl::string_view text) {
    Gap();
    Prose("", text, "", kBold);
  }

  void Quote(size_t indent, absl::string_view quote) {
    const std::string shown = Shown(quote);
    const size_t room = width_ - indent - 2;
    for (const absl::string_view line : Lines(shown, room)) {
      size_t further = 0;  // of a line that goes on inside of a word
      for (const absl::string_view piece : Pieces(line, room)) {
        absl::StrAppend(&out_, std::string(indent, ' '), "| ", std::string(further, ' '), piece,
                        "\n");
        further = kPieceIndent;
      }
    }
  }

  std::string Take() && { return std::move(out_); }

 private:
  std::string Shown(absl::string_view text) const {
    return utf8_ ? std::string(text) : AsciiOnly(text);
  }

  std::string Painted(absl::string_view text, absl::string_view sgr) const {
    if (!color_ || sgr.empty() || text.empty()) return std::string(text);
    return absl::StrCat("\x1b[", sgr, "m", text, "\x1b[0m");
  }

  const size_t width_;
  const bool color_;
  const bool utf8_;
  std::string out_;
};

void Causes(absl::string_view heading, const std::vector<FleetCause>& causes, bool with_certainty,
            Page* page) {
  if (causes.empty()) return;
  page->Heading(heading);
  const size_t digits = absl::StrCat(causes.front().hosts).size();
  for (const FleetCause& cause : causes) {
    const std::string count = absl::StrCat(cause.hosts);
    page->Prose(
        absl::StrCat("  ", cause.code, "  ", std::string(digits - count.size(), ' '),
                     HostCount(cause.hosts), cause.hosts == 1 ? "   " : "  "),
        with_certainty ? absl::StrCat(cause.title, " (", Certainty(cause), ")") : cause.title);
  }
}

void Shared(const Fleet& fleet, Page* page) {
  const std::vector<FleetShared> pieces = SharedInShort(fleet);
  if (pieces.empty()) return;
  page->Heading("What most of them share");
  for (const FleetShared& shared : pieces) {
    const std::string of = absl::StrCat(shared.hosts, " of ", shared.of);
    if (shared.what != "evidence") {
      page->Prose(absl::StrCat("  ", of, "  "), SharedValue(shared));
      continue;
    }
    const std::string lead = absl::StrCat("  ", of, " with ", shared.code, "  ");
    page->Prose(lead, shared.meaning.empty() ? shared.source : shared.meaning);
    if (!shared.meaning.empty()) page->Prose("    ", shared.source, "", kDim);
    if (!shared.quote.empty()) page->Quote(4, shared.quote);
  }
}

void Hosts(const Fleet& fleet, Page* page) {
  size_t widest = 0;
  for (const FleetHost& host : fleet.hosts) {
    const size_t columns = Columns(host.hostname);
    if (columns <= kWidestName) widest = std::max(widest, columns);
  }
  for (const FleetGroup& group : Groups(fleet)) {
    page->Gap();
    const FleetHost& first = *group.hosts.front();
    page->Prose(
        absl::StrCat(absl::AsciiStrToUpper(SayVerdict(first)), "  "),
        absl::StrCat(group.causes, group.causes.empty() ? "" : ", ", HostCount(group.hosts.size())),
        ColorOf(VerdictOf(first)));
    for (const FleetBlock& block : group.blocks) {
      if (!first.verdict) {
        for (const FleetHost* host : block.hosts) {
          page->Path("  ", 2, host->root);
          page->Prose("    ", host->headline);
        }
        continue;
      }
      page->Prose("  ", block.headline());
      // Two captures of one host have its name.
      for (const FleetHost* host : block.hosts) {
        page->Path(absl::StrCat("    ", host->hostname), host->hostname.empty() ? 4 : widest + 6,
                   host->root);
      }
    }
    if (!group.repair.empty()) page->Command("  $ ", group.repair);
  }
}

}  // namespace

std::string ToText(const Fleet& fleet, const TextStyle& style) {
  Page page(style);
  page.Prose("", Summary(fleet), "", kBold);
  Causes("Root causes", fleet.causes, true, &page);
  Causes("Latent, harmless until something restarts or changes", fleet.latent, false, &page);
  Shared(fleet, &page);
  Hosts(fleet, &page);
  page.Gap();
  const std::string& root = fleet.hosts.empty() ? "ROOT" : fleet.hosts.front().root;
  page.Command("All of one host:  ",
               absl::StrCat("vgpu-doctor check --root ", rules::ShellQuoted(root)));
  if (!fleet.causes.empty()) page.Command("All of a cause:   ", Runbook(fleet.causes.front().code));
  return std::move(page).Take();
}

}  // namespace vgpu::report

#include "tools/vgpu_doctor/explain.h"

#include <stdio.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "diag/report/visible.h"
#include "diag/rules/catalogue.h"
#include "diag/runbooks/one_document.h"
#include "diag/runbooks/plain_text.h"
#include "diag/runbooks/runbooks.h"
#include "diag/runbooks/search.h"
#include "tools/command_line/suggest.h"
#include "tools/vgpu_doctor/cause_name.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {
namespace {

// So many pages of those that have a word are named.
constexpr size_t kMostFound = 8;
// Fewer pages with all of the words leave room for others.
constexpr size_t kFew = 3;

constexpr size_t kDigits = 3;  // of a code

// Words as names have them: "library=cpu" is "library-cpu".
std::string AsName(absl::string_view what) {
  std::string name;
  for (char c : what) {
    if (absl::ascii_isalnum(c)) {
      name += absl::ascii_tolower(c);
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  return std::string(absl::StripSuffix(name, "-"));
}

// "302" of a code or the beginning of one: "VG302", "vg 302", "302"; else "". `with_vg`: whether
// its letters were there.
std::string NumberIn(absl::string_view what, bool* with_vg) {
  const std::string name = AsName(what);
  absl::string_view number = name;
  *with_vg = absl::ConsumePrefix(&number, "vg");
  absl::ConsumePrefix(&number, "-");
  const bool digits = std::all_of(number.begin(), number.end(), absl::ascii_isdigit);
  return digits && !number.empty() && number.size() <= kDigits ? std::string(number) : "";
}

// By a code with or without its letters, by the name of a cause, or by the name of a guide.
const runbooks::Page* Find(const std::string& what) {
  const std::string name = AsName(what);
  bool with_vg = false;
  const std::string number = NumberIn(what, &with_vg);
  const rules::CatalogueEntry* entry =
      FindCause(number.empty() ? name : absl::StrCat("VG", number));
  return entry != nullptr ? runbooks::FindPage(entry->code) : runbooks::FindGuide(name);
}

// A list of pages, as a document.
std::string List(const std::string& heading, const std::vector<const runbooks::Page*>& pages,
                 size_t most) {
  std::string text = absl::StrCat(heading, "\n\n");
  for (size_t i = 0; i < pages.size() && i < most; ++i) {
    const rules::CatalogueEntry* entry = rules::FindCode(pages[i]->name);
    absl::StrAppend(&text, "- ", pages[i]->name, ": ",
                    entry != nullptr ? entry->title : pages[i]->title(), "\n");
  }
  if (pages.size() > most) {
    const size_t more = pages.size() - most;
    absl::StrAppend(&text, "\n", more, more == 1 ? " more answers" : " more answer",
                    "; another word leaves fewer.\n");
  }
  absl::StrAppend(&text, "\n`vgpu-doctor explain ", pages.front()->name,
                  "` tells all of the first.\n");
  return text;
}

// The causes whose code begins so; "" where none does, or `what` is no beginning of a code.
std::string CodesLike(const std::string& what) {
  bool with_vg = false;
  const std::string number = NumberIn(what, &with_vg);
  if (number.empty() || number.size() == kDigits) return "";
  const std::string beginning = absl::StrCat("VG", number);
  std::vector<const runbooks::Page*> pages;
  for (const runbooks::Page& page : runbooks::Pages()) {
    if (absl::StartsWith(page.name, beginning)) pages.push_back(&page);
  }
  if (pages.empty()) return "";
  return List(absl::StrCat("Codes that begin with ", beginning, ":"), pages, pages.size());
}

// A code that there is not is a slip, and no word to look for.
bool IsCode(const std::string& what) {
  bool with_vg = false;
  return !NumberIn(what, &with_vg).empty() && with_vg;
}

std::string Nearest(const std::string& what) {
  std::vector<std::string> known = CauseNames();
  for (const runbooks::Page& guide : runbooks::Guides()) known.emplace_back(guide.name);
  return command_line::Nearest(what, known);
}

// The pages that have the words, and where those are few, the ones that have most of them; "" where
// there are none.
std::string Found(const std::string& what) {
  if (IsCode(what)) return "";
  std::vector<const runbooks::Page*> pages = runbooks::Search(what, runbooks::Words::kAll);
  // A slip in a name is that name, and not the words beside the slip.
  if (pages.empty() && !Nearest(what).empty()) return "";
  const size_t with_all = pages.size();
  if (pages.size() < kFew) {
    for (const runbooks::Page* page : runbooks::Search(what, runbooks::Words::kMost)) {
      if (pages.size() == kMostFound) break;
      if (std::find(pages.begin(), pages.end(), page) == pages.end()) pages.push_back(page);
    }
  }
  if (pages.empty()) return "";
  return List(absl::StrCat(with_all == pages.size() ? "Pages for" : "Pages nearest to", " \"",
                           report::Visible(what), "\", the best first:"),
              pages, kMostFound);
}

// Which guides there are: the answer to one who has a symptom and no code.
std::string Symptoms() {
  std::string text = "What do you see?\n\n";
  for (const runbooks::Page& guide : runbooks::Guides()) {
    absl::StrAppend(&text, "- ", guide.title(), ": `vgpu-doctor explain ", guide.name, "`\n");
  }
  absl::StrAppend(
      &text,
      "\nWhat an era, a shim or a backend is stands at the end of library-cpu. "
      "`vgpu-doctor explain WORDS` looks for words in all pages, also for what people "
      "call otherwise. `vgpu-doctor check` finds the cause itself; `vgpu-doctor explain "
      "VG302` tells all of one that it names, and `vgpu-doctor list-causes` lists "
      "them.\n");
  return text;
}

// The document that answers; "" where there is none.
std::string Answer(const std::string& what) {
  if (const runbooks::Page* page = Find(what)) return std::string(page->markdown);
  if (std::string codes = CodesLike(what); !codes.empty()) return codes;
  return Found(what);
}

// For a terminal that shows ASCII only, line by line.
std::string InAscii(const std::string& text) {
  return absl::StrJoin(absl::StrSplit(text, '\n'), "\n",
                       [](std::string* out, absl::string_view line) {
                         absl::StrAppend(out, report::AsciiOnly(line));
                       });
}

int Print(const std::string& text) {
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return 0;
}

}  // namespace

CLI::App* AddExplain(CLI::App& app, ExplainOptions& options) {
  CLI::App* command = app.add_subcommand(
      "explain",
      "Tell all of a cause (how it comes about, how to see it by hand, how to repair it), or find "
      "it by words.");
  command
      ->add_option("WHAT", options.what,
                   "A code (VG302, or 302), the name of a cause or of a guide, or words to look "
                   "for; without it: which guides there are")
      ->option_text(" ");
  command->add_flag("--all", options.all, "Every guide and every cause, as one document");
  command->add_option("--format", options.format, "text (the default) or markdown")
      ->check(CLI::IsMember({"text", "markdown"}))
      ->option_text("FORMAT");
  command->add_flag("--no-color", options.no_color, "No bold headings, also on a terminal");
  command->footer(
      "The beginning of a code (VG30) lists the codes, and words list the pages that have them.\n"
      "Exit status: 0, 2 there is no such code and no page has the words, 70 a fault of\n"
      "vgpu-doctor itself.\n\n"
      "Examples:\n"
      "  vgpu-doctor explain                      # what do you see?\n"
      "  vgpu-doctor explain library-cpu          # a symptom, and how to go on from it\n"
      "  vgpu-doctor explain VG302 | less\n"
      "  vgpu-doctor explain undefined symbol     # pages that have these words\n"
      "  vgpu-doctor explain service-started-before-config --format markdown\n"
      "  vgpu-doctor explain --all --format markdown > runbooks.md");
  return command;
}

int RunExplain(const ExplainOptions& options) {
  if (options.all && !options.what.empty()) {
    fputs("vgpu-doctor: explain --all explains every cause: name none beside it\n", stderr);
    return kUsage;
  }
  const std::string what = absl::StrJoin(options.what, " ");
  std::string markdown;
  if (options.all) {
    markdown = runbooks::OneDocument();
  } else if (what.empty()) {
    markdown = Symptoms();
  } else if (options.what.size() > 1 &&
             std::all_of(options.what.begin(), options.what.end(), Find)) {
    fprintf(stderr, "vgpu-doctor: explain %s: one page at a time; --all has all of them\n",
            report::Visible(what).c_str());
    return kUsage;
  } else {
    markdown = Answer(what);
  }
  if (markdown.empty()) {
    const std::string nearest = Nearest(what);
    fprintf(stderr,
            "vgpu-doctor: explain %s: there is no such cause and no such guide, and no page has "
            "these words%s; `vgpu-doctor list-causes` lists the causes, and `vgpu-doctor explain` "
            "the guides\n",
            report::Visible(what).c_str(),
            nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)").c_str());
    return kUsage;
  }
  if (options.format == "markdown") return Print(markdown);
  const report::TextStyle style = StyleOfStandardOutput(options.no_color);
  const std::string page = style.utf8 ? markdown : InAscii(markdown);
  return Print(runbooks::PlainText(page, {.width = style.width, .bold_headings = style.color}));
}

}  // namespace vgpu::doctor

#include "tools/vgpu_doctor/explain.h"

#include <stdio.h>

#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "diag/report/visible.h"
#include "diag/rules/catalogue.h"
#include "diag/runbooks/one_document.h"
#include "diag/runbooks/plain_text.h"
#include "diag/runbooks/runbooks.h"
#include "tools/command_line/suggest.h"
#include "tools/vgpu_doctor/cause_name.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/terminal.h"

namespace vgpu::doctor {
namespace {

// By a code in any case, by the name of a cause, or by the name of a guide.
const runbooks::Page* Find(const std::string& what) {
  if (const rules::CatalogueEntry* entry = FindCause(what)) return runbooks::FindPage(entry->code);
  return runbooks::FindGuide(what);
}

// What a person may have meant: what is a slip away, else the causes and guides that have the word
// in their name or title.
std::string Near(const std::string& word) {
  constexpr size_t kMost = 5;
  std::vector<std::string> near, known = CauseNames();
  for (const runbooks::Page& guide : runbooks::Guides()) known.emplace_back(guide.name);
  const std::string nearest = command_line::Nearest(word, known);
  if (!nearest.empty()) return absl::StrCat(" (did you mean ", nearest, "?)");
  if (word.size() < 3) return "";
  const std::string lower = absl::AsciiStrToLower(word);
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    const bool has = absl::StrContains(entry.id, lower) ||
                     absl::StrContains(absl::AsciiStrToLower(entry.title), lower);
    if (has) near.push_back(absl::StrCat(entry.code, " ", entry.id));
  }
  for (const runbooks::Page& guide : runbooks::Guides()) {
    if (absl::StrContains(guide.name, lower)) near.emplace_back(guide.name);
  }
  if (near.size() > kMost) near.resize(kMost);
  return near.empty() ? "" : absl::StrCat("; near it: ", absl::StrJoin(near, ", "));
}

// Which guides there are: the answer to one who has a symptom and no code.
std::string Symptoms() {
  std::string text = "What do you see?\n\n";
  for (const runbooks::Page& guide : runbooks::Guides()) {
    absl::StrAppend(&text, "- ", guide.title(), ": `vgpu-doctor explain ", guide.name, "`\n");
  }
  absl::StrAppend(&text,
                  "\n`vgpu-doctor check` finds the cause itself; `vgpu-doctor explain VG302` tells "
                  "all of one that it names, and `vgpu-doctor list-causes` lists them.\n");
  return text;
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
      "Tell all of a cause: how it comes about, how to see it by hand, how to repair it.");
  command
      ->add_option("WHAT", options.what,
                   "A code (VG302), the name of a cause, or of a guide; without it: which guides "
                   "there are")
      ->option_text(" ");
  command->add_flag("--all", options.all, "Every guide and every cause, as one document");
  command->add_option("--format", options.format, "text (the default) or markdown")
      ->check(CLI::IsMember({"text", "markdown"}))
      ->option_text("FORMAT");
  command->add_flag("--no-color", options.no_color, "No bold headings, also on a terminal");
  command->footer(
      "Examples:\n"
      "  vgpu-doctor explain                      # what do you see?\n"
      "  vgpu-doctor explain library-cpu          # a symptom, and how to go on from it\n"
      "  vgpu-doctor explain VG302 | less\n"
      "  vgpu-doctor explain service-started-before-config --format markdown\n"
      "  vgpu-doctor explain --all --format markdown > runbooks.md");
  return command;
}

int RunExplain(const ExplainOptions& options) {
  if (options.all && !options.what.empty()) {
    fputs("vgpu-doctor: explain --all explains every cause: name none beside it\n", stderr);
    return kUsage;
  }
  std::string markdown;
  if (options.all) {
    markdown = runbooks::OneDocument();
  } else if (options.what.empty()) {
    markdown = Symptoms();
  } else if (const runbooks::Page* page = Find(options.what)) {
    markdown = std::string(page->markdown);
  } else {
    fprintf(stderr,
            "vgpu-doctor: explain %s: there is no such cause and no such guide%s; `vgpu-doctor "
            "list-causes` lists the causes, and `vgpu-doctor explain` the guides\n",
            report::Visible(options.what).c_str(), Near(options.what).c_str());
    return kUsage;
  }
  if (options.format == "markdown") return Print(markdown);
  const report::TextStyle style = StyleOfStandardOutput(options.no_color);
  const std::string page = style.utf8 ? markdown : InAscii(markdown);
  return Print(runbooks::PlainText(page, {.width = style.width, .bold_headings = style.color}));
}

}  // namespace vgpu::doctor

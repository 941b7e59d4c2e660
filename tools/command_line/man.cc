#include "tools/command_line/man.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace vgpu::command_line {
namespace {

// As itself: groff reads a backslash as an escape, and '-' as a hyphen that no shell takes.
std::string Roff(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
}

// A line that begins with a dot or a quote would be a request.
std::string Line(absl::string_view text) {
  const bool request = absl::StartsWith(text, ".") || absl::StartsWith(text, "'");
  return absl::StrCat(request ? "\\&" : "", Roff(text), "\n");
}

std::string Bold(absl::string_view text) { return absl::StrCat("\\fB", Roff(text), "\\fR"); }
std::string Italic(absl::string_view text) { return absl::StrCat("\\fI", Roff(text), "\\fR"); }

// Paragraphs, divided by empty lines.
std::string Paragraphs(absl::string_view text) {
  std::string page;
  for (const absl::string_view paragraph : absl::StrSplit(text, "\n\n", absl::SkipEmpty())) {
    std::vector<absl::string_view> lines = absl::StrSplit(paragraph, '\n', absl::SkipEmpty());
    bool literal = false;
    page += ".PP\n";
    for (absl::string_view line : lines) {
      const bool indented = absl::ConsumePrefix(&line, "  ");
      if (indented != literal) page += indented ? ".RS 4\n.nf\n" : ".fi\n.RE\n";
      literal = indented;
      page += Line(line);
    }
    if (literal) page += ".fi\n.RE\n";
  }
  return page;
}

std::string Options(const std::vector<Option>& options) {
  std::string page;
  for (const Option& option : options) {
    std::string names = absl::StrJoin(option.names, ", ", [](std::string* out, const auto& name) {
      absl::StrAppend(out, Bold(name));
    });
    if (!option.value_name.empty())
      absl::StrAppend(&names, names.empty() ? "" : " ", Italic(option.value_name));
    absl::StrAppend(&page, ".TP\n", names, "\n",
                    Line(absl::StrReplaceAll(option.description, {{"\n", " "}})));
  }
  return page;
}

std::string Arguments(const Command& command) {
  std::string text;
  for (const Option& argument : command.arguments) {
    const std::string name =
        absl::StrCat(Italic(argument.value_name), argument.repeated ? " ..." : "");
    absl::StrAppend(&text, " ", argument.required ? name : absl::StrCat("[", name, "]"));
  }
  return text;
}

void Synopses(const Command& command, const std::string& name, std::string* page) {
  if (command.commands.empty()) {
    absl::StrAppend(page, ".PP\n", Bold(name), " [", Italic("OPTION"), " ...]", Arguments(command),
                    "\n");
  }
  for (const Command& sub : command.commands)
    Synopses(sub, absl::StrCat(name, " ", sub.name), page);
}

void Commands(const Command& command, const std::string& name, std::string* page) {
  for (const Command& sub : command.commands) {
    const std::string path = absl::StrCat(name, " ", sub.name);
    absl::StrAppend(page, ".SS ", Roff(path), Arguments(sub), "\n", Paragraphs(sub.description),
                    Options(sub.arguments), Options(sub.options), Paragraphs(sub.footer));
    Commands(sub, path, page);
  }
}

// What it does in a few words: whatis(1).
std::string Whatis(absl::string_view description) {
  std::string text(description.substr(0, description.find_first_of(":.\n")));
  if (!text.empty()) text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  return text;
}

}  // namespace

std::string ManPage(const Command& program, absl::string_view version) {
  std::string page =
      absl::StrCat(".\\\" Made from the command line's own description.\n.TH ",
                   absl::AsciiStrToUpper(program.name), " 1 \"\" \"", program.name, " ", version,
                   "\" \"User Commands\"\n.SH NAME\n", Roff(program.name), " \\- ",
                   Roff(Whatis(program.description)), "\n.SH SYNOPSIS\n");
  Synopses(program, program.name, &page);
  absl::StrAppend(&page, ".SH DESCRIPTION\n", Paragraphs(program.description));
  absl::StrAppend(&page, ".SH OPTIONS\n", Options(program.arguments), Options(program.options));
  if (!program.commands.empty()) {
    page += ".SH COMMANDS\n";
    Commands(program, program.name, &page);
  }
  if (!program.footer.empty()) absl::StrAppend(&page, ".SH NOTES\n", Paragraphs(program.footer));
  return page;
}

}  // namespace vgpu::command_line

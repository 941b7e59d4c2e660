#include "tools/command_line/help.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/report/wrap.h"

namespace vgpu::command_line {
namespace {

constexpr size_t kWidth = 80;
// Where descriptions begin.
constexpr size_t kColumn = 24;

std::string Row(const std::string& name, const std::string& description) {
  std::string lead = absl::StrCat("  ", name);
  std::string row;
  if (lead.size() + 2 > kColumn) {
    row = lead + "\n";
    lead.clear();
  }
  lead.resize(kColumn, ' ');
  return absl::StrCat(row,
                      report::Hang(lead, absl::StrReplaceAll(description, {{"\n", " "}}), kWidth));
}

// Paragraphs, wrapped; indented lines as they are.
std::string Paragraphs(const std::string& text) {
  std::string out, paragraph;
  const auto flush = [&] {
    if (!paragraph.empty()) absl::StrAppend(&out, report::Hang("", paragraph, kWidth));
    paragraph.clear();
  };
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    if (line.empty() || absl::StartsWith(line, " ")) {
      flush();
      absl::StrAppend(&out, line, "\n");
    } else {
      absl::StrAppend(&paragraph, paragraph.empty() ? "" : " ", line);
    }
  }
  flush();
  return out;
}

}  // namespace

HelpFormatter::HelpFormatter() { column_width(kColumn); }

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return Row(make_option_name(option, is_positional) + make_option_opts(option),
             make_option_desc(option));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return Row(command->get_name(), command->get_description());
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return absl::StrCat(Paragraphs(CLI::Formatter::make_description(app)), "\n");
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  return app->get_footer().empty() ? "" : Paragraphs(app->get_footer());
}

}  // namespace vgpu::command_line

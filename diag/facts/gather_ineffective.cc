#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/facts/gather_parts.h"

namespace vgpu::facts {
namespace {

using host::Observed;

constexpr size_t kTextLimit = size_t{64} << 10;
constexpr size_t kMaxTexts = 64;

// The file at `path`, or the files in it.
std::vector<std::string> FilesAt(const host::Host& host, const std::string& path) {
  Observed<host::Resolved> found = host.Resolve(path);
  if (!found.present() || found->meta.type != host::FileType::kDir) return {path};
  std::vector<std::string> files;
  for (const std::string& name : host.List(path).value_or({})) {
    if (files.size() < kMaxTexts) files.push_back(host::JoinPath(path, name));
  }
  return files;
}

std::string WhyNoEffect(const systemd::Setting& setting) {
  if (setting.section.empty()) return "it stands before any section";
  if (setting.section != "Service" && setting.section != "Unit" && setting.section != "Install") {
    return absl::StrCat("it stands in [", setting.section, "], which is no section of a service");
  }
  return absl::StrCat("systemd knows no key ", setting.key, " in [", setting.section, "]");
}

}  // namespace

void GatherIneffective(const host::Host& host, UnitFacts& unit) {
  std::vector<IneffectiveText>& texts = unit.ineffective;
  const auto add = [&](IneffectiveText text) {
    if (texts.size() < kMaxTexts) texts.push_back(std::move(text));
  };
  for (const systemd::SkippedFile& skipped : unit.files.skipped) {
    for (const std::string& path : FilesAt(host, skipped.path)) {
      Observed<host::Content> content = host.Read(path, kTextLimit);
      IneffectiveText text{path, 0, skipped.why, "", {}, true, false};
      // An empty file is read, and says nothing.
      text.empty = content.present() && content->bytes.empty();
      if (content.present()) text.wishes = WishesIn(content->bytes);
      if (text.empty || !text.wishes.empty()) add(std::move(text));
    }
  }
  for (const systemd::Setting& setting : unit.on_disk.ineffective) {
    const std::string quote = absl::StrCat(setting.key, "=", setting.value);
    std::vector<Wish> wishes = WishesIn(quote);
    if (wishes.empty()) continue;
    add({setting.place.file, setting.place.line, WhyNoEffect(setting), quote, std::move(wishes),
         false, false});
  }
  for (const systemd::UnitFile* file : unit.files.InOrder()) {
    Observed<host::Content> content = host.Read(file->path, kTextLimit);
    if (!content.present()) continue;
    const std::vector<std::string> lines = absl::StrSplit(content->bytes, '\n');
    for (const systemd::UnitProblem& problem : unit.on_disk.problems) {
      if (problem.place.file != file->path || problem.place.line < 1) continue;
      const size_t at = static_cast<size_t>(problem.place.line) - 1;
      const bool stops = file->stopped && !file->problems.empty() &&
                         file->problems.back().line == problem.place.line;
      if (at >= lines.size()) continue;
      if (absl::StartsWith(problem.message, "Invalid syntax")) {
        std::vector<Wish> wishes = WishesIn(lines[at]);
        if (wishes.empty()) continue;
        add({file->path, problem.place.line, "a quote is not closed, or an escape is none",
             lines[at], std::move(wishes), false, false});
      } else if (stops) {
        // systemd gave the file up here: what follows was not read.
        std::string behind;
        for (size_t i = at; i < lines.size(); ++i) absl::StrAppend(&behind, lines[i], "\n");
        std::vector<Wish> wishes = WishesIn(behind);
        if (wishes.empty()) continue;
        for (Wish& wish : wishes) wish.line += static_cast<int>(at);
        add({file->path, problem.place.line,
             absl::StrCat("systemd reads no further than this line (", problem.message, ")"),
             lines[at], std::move(wishes), false, false});
      }
    }
    if (file->assignments.empty() && !content->bytes.empty() && !file->stopped) {
      add({file->path, 0, "nothing in it is an assignment", "", {}, false, true});
    }
  }
}

}  // namespace vgpu::facts

#include "diag/rules/steps.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "diag/host/host.h"

namespace vgpu::rules {
namespace {

constexpr char kGlobalPreload[] = "/etc/ld.so.preload";
constexpr char kSavedPreload[] = "/root/ld.so.preload.saved";

// As an argument of printf(1): in its format a percent sign and a backslash count.
std::string PrintfFormat(absl::string_view content) {
  return absl::StrCat(
      "'",
      absl::StrReplaceAll(content, {{"\\", "\\\\"}, {"\n", "\\n"}, {"%", "%%"}, {"'", "'\\''"}}),
      "'");
}

// Of chmod(1): "o+x".
unsigned BitsOf(absl::string_view change) {
  const size_t plus = change.find('+');
  unsigned who = 0;
  for (char c : change.substr(0, plus)) {
    who |= c == 'u' ? 0100 : c == 'g' ? 0010 : c == 'o' ? 0001 : 0111;
  }
  unsigned bits = 0;
  for (char c : change.substr(plus + 1)) bits |= who * (c == 'r' ? 4 : c == 'w' ? 2 : 1);
  return bits;
}

}  // namespace

std::string ShellQuoted(absl::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::StrContains(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%",
        absl::string_view(&c, 1));
  });
  if (plain) return std::string(text);
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

FixStep WriteNewFileStep(absl::string_view path, absl::string_view content, std::string why,
                         std::string risk, absl::string_view also_undo) {
  const std::string file = ShellQuoted(path);
  return {absl::StrCat("sudo mkdir -p ", ShellQuoted(host::Dirname(path)), " && printf ",
                       PrintfFormat(content), " | sudo tee ", file),
          std::move(why), std::move(risk), absl::StrCat("sudo rm ", file, also_undo),
          WriteFile{std::string(path), std::string(content)}};
}

FixStep WriteLinesStep(absl::string_view path, const std::vector<std::string>& lines,
                       std::string why) {
  const std::string file = ShellQuoted(path);
  const std::string fresh = ShellQuoted(absl::StrCat(path, ".new"));
  const std::string old = ShellQuoted(absl::StrCat(path, ".replaced"));
  std::string words;
  std::string content;
  for (const std::string& line : lines) {
    absl::StrAppend(&words, " ", ShellQuoted(line));
    absl::StrAppend(&content, line, "\n");
  }
  return {absl::StrCat("printf '%s\\n'", words, " | sudo tee ", fresh, " && sudo cp -a ", file, " ",
                       old, " && sudo mv -T ", fresh, " ", file),
          std::move(why), "", absl::StrCat("sudo mv -T ", old, " ", file),
          WriteFile{std::string(path), lines.empty() ? "\n" : content}};
}

std::vector<FixStep> RemoveGlobalPreloadSteps(const std::vector<std::string>& entries,
                                              std::string why) {
  return {{absl::StrCat("sudo cp -p ", kGlobalPreload, " ", kSavedPreload),
           "keeps the list as it is", "", absl::StrCat("sudo rm ", kSavedPreload), NoChange{}},
          {absl::StrCat("sudoedit ", kGlobalPreload), std::move(why),
           "a mistake in this file reaches every program: keep a root shell open until `ls` has "
           "worked in another",
           absl::StrCat("sudo cp -p ", kSavedPreload, " ", kGlobalPreload),
           RemoveEntries{kGlobalPreload, entries}}};
}

FixStep MoveFileStep(absl::string_view from, absl::string_view to, std::string why,
                     std::string risk) {
  return {absl::StrCat("sudo mv -T ", ShellQuoted(from), " ", ShellQuoted(to)), std::move(why),
          std::move(risk), absl::StrCat("sudo mv -T ", ShellQuoted(to), " ", ShellQuoted(from)),
          MoveFile{std::string(from), std::string(to)}};
}

FixStep NewLinkStep(absl::string_view path, absl::string_view target, std::string why,
                    std::string risk) {
  return {absl::StrCat("sudo mkdir -p ", ShellQuoted(host::Dirname(path)), " && sudo ln -s ",
                       ShellQuoted(target), " ", ShellQuoted(path)),
          std::move(why), std::move(risk), absl::StrCat("sudo rm ", ShellQuoted(path)),
          MakeLink{std::string(path), std::string(target)}};
}

FixStep ReplaceByLinkStep(absl::string_view path, absl::string_view target,
                          absl::string_view suffix, std::string why, std::string risk) {
  const std::string file = ShellQuoted(path);
  const std::string kept = ShellQuoted(absl::StrCat(path, suffix));
  return {absl::StrCat("sudo mv -T ", file, " ", kept, " && sudo ln -s ", ShellQuoted(target), " ",
                       file),
          std::move(why), std::move(risk), absl::StrCat("sudo mv -T ", kept, " ", file),
          MakeLink{std::string(path), std::string(target)}};
}

FixStep OpenModeStep(absl::string_view path, absl::string_view change, absl::string_view undo,
                     std::string why, std::string risk) {
  const std::string file = ShellQuoted(path);
  return {absl::StrCat("sudo chmod ", change, " ", file), std::move(why), std::move(risk),
          absl::StrCat("sudo chmod ", undo, " ", file),
          ChangeMode{std::string(path), BitsOf(change), 0}};
}

std::vector<FixStep> ForAPerson(std::vector<FixStep> steps) {
  for (FixStep& step : steps) step.action = ByHand{};
  return steps;
}

FixStep OneWay(FixStep step) {
  step.action = NoChange{};
  return step;
}

}  // namespace vgpu::rules

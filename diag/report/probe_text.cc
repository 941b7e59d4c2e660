#include "diag/report/probe_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/probe/conclude.h"
#include "diag/probe/step_names.h"
#include "diag/report/redact.h"
#include "diag/report/visible.h"

namespace vgpu::report {
namespace {

constexpr size_t kLineLimit = 512;
constexpr size_t kMessages = 6;
constexpr char kIndent[] = "             ";

class Page {
 public:
  explicit Page(const TextStyle& style) : style_(style) {}

  // Words of ours and of the host, made safe; wrapped at the width, and hanging at `indent`.
  void Wrapped(absl::string_view first, absl::string_view indent, absl::string_view text) {
    const size_t width = static_cast<size_t>(std::max(style_.width, 40));
    std::string line(first);
    size_t used = first.size();
    bool begun = false;
    for (absl::string_view word : absl::StrSplit(Safe(text), ' ')) {
      if (begun && used + 1 + word.size() > width) {
        absl::StrAppend(&text_, line, "\n");
        line = std::string(indent);
        used = indent.size();
        begun = false;
      }
      absl::StrAppend(&line, begun ? " " : "", word);
      used += word.size() + (begun ? 1 : 0);
      begun = true;
    }
    absl::StrAppend(&text_, line, "\n");
  }

  void Line(absl::string_view text = "") { absl::StrAppend(&text_, text, "\n"); }

  std::string Colored(absl::string_view text, int color) const {
    return style_.color ? absl::StrCat("\x1b[", color, "m", text, "\x1b[0m") : std::string(text);
  }

  void Append(absl::string_view text) { absl::StrAppend(&text_, text); }

  const TextStyle& style() const { return style_; }

  std::string Safe(absl::string_view text) const {
    const std::string visible = VisibleQuote(RedactSecrets(text), kLineLimit);
    return style_.utf8 ? visible : AsciiOnly(visible);
  }

  std::string Take() && { return std::move(text_); }

 private:
  const TextStyle& style_;
  std::string text_;
};

int ColorOf(probe::StepStatus status) {
  switch (status) {
    case probe::StepStatus::kOk:
      return 32;
    case probe::StepStatus::kFailed:
      return 31;
    case probe::StepStatus::kNotRun:
      break;
  }
  return 33;
}

std::string Describe(const probe::Device& device) {
  std::vector<std::string> parts;
  for (const std::string* text : {&device.uuid, &device.pci_address, &device.name, &device.vendor,
                                  &device.device, &device.device_class}) {
    if (!text->empty()) parts.push_back(*text);
  }
  if (device.memory_bytes != 0) parts.push_back(absl::StrCat(device.memory_bytes >> 20, " MiB"));
  if (!device.compute.empty()) {
    parts.push_back(absl::StrCat("compute capability ", device.compute));
  }
  return absl::StrJoin(parts, "  ");
}

bool SameButForTheWay(const probe::Step& a, const probe::Step& b) {
  if (a.name != b.name || a.status != b.status || a.why != b.why || b.way.empty() ||
      a.devices.size() != b.devices.size()) {
    return false;
  }
  for (size_t i = 0; i < a.devices.size(); ++i) {
    if (Describe(a.devices[i]) != Describe(b.devices[i])) return false;
  }
  return a.status != probe::StepStatus::kFailed;
}

// `ways`: of steps that differ in nothing else, the manners of reading.
void AddStep(const probe::Step& step, const std::vector<std::string>& ways, Page& page) {
  std::string title(probe::StepTitle(step.name));
  if (!step.variant.empty()) absl::StrAppend(&title, " (", step.variant, ")");
  if (!ways.empty()) absl::StrAppend(&title, ", by ", absl::StrJoin(ways, ", "));
  std::string mark = probe::StatusName(step.status);
  mark.resize(9, ' ');
  // Wrapped as it is without colours, which take no room.
  const std::string plain = absl::StrCat("  ", mark, "  ");
  Page line(page.style());
  line.Wrapped(plain, kIndent, title);
  page.Append(absl::StrCat("  ", page.Colored(mark, ColorOf(step.status)), "  "));
  page.Append(std::move(line).Take().substr(plain.size()));
  if (!step.why.empty()) page.Wrapped(kIndent, kIndent, step.why);
  if (!step.library.empty()) page.Wrapped(kIndent, kIndent, step.library);
  for (const probe::PreloadEntry& entry : step.preload) {
    page.Wrapped(kIndent, absl::StrCat(kIndent, "  "),
                 absl::StrCat(entry.loaded ? "loaded      " : "not loaded  ", entry.entry));
  }
  for (const probe::Device& device : step.devices) {
    page.Wrapped(kIndent, absl::StrCat(kIndent, "  "), Describe(device));
  }
  if (step.status != probe::StepStatus::kFailed) return;
  for (size_t i = 0; i < step.messages.size() && i < kMessages; ++i) {
    if (step.messages[i] == step.why) continue;
    page.Wrapped(absl::StrCat(kIndent, "| "), absl::StrCat(kIndent, "| "), step.messages[i]);
  }
}

void AddComparison(const probe::Comparison& comparison, Page& page) {
  if (comparison.agree) {
    std::vector<std::string> steps;
    for (const probe::Comparison::Value& value : comparison.values) steps.push_back(value.step);
    page.Wrapped("  ", "    ",
                 absl::StrCat(comparison.what, "  ", comparison.values.front().value, "  (",
                              absl::StrJoin(steps, ", "), ")"));
    return;
  }
  page.Append("  ");
  page.Line(page.Colored(absl::StrCat(comparison.what, " differs"), 31));
  for (const probe::Comparison::Value& value : comparison.values) {
    page.Wrapped("    ", "      ", absl::StrCat(value.step, "  ", value.value));
  }
}

void AddRun(const probe::Result& result, const probe::Run& run, Page& page) {
  const std::string whose = result.pid != 0 ? absl::StrCat("process ", result.pid) : result.unit;
  page.Line();
  page.Wrapped(
      "", "  ",
      run.environment == "process"
          ? absl::StrCat("In the place of ", whose, ", with its environment (", run.source, ")")
          : absl::StrCat("As the next start of ", result.unit, " would have it (", run.source,
                         ")"));
  for (size_t i = 0; i < run.steps.size();) {
    const probe::Step& step = run.steps[i];
    std::vector<std::string> ways;
    do {
      if (!run.steps[i].way.empty()) ways.push_back(run.steps[i].way);
      ++i;
    } while (!step.way.empty() && i < run.steps.size() && SameButForTheWay(step, run.steps[i]));
    AddStep(step, ways, page);
  }
  if (!run.comparisons.empty()) {
    page.Line();
    page.Line("What the steps say of each device");
  }
  for (const probe::Comparison& comparison : run.comparisons) AddComparison(comparison, page);
  if (!run.context.taken_over.empty()) {
    page.Line();
    page.Wrapped("Taken over: ", "  ",
                 absl::StrCat(absl::StrJoin(run.context.taken_over, ", "), "."));
  }
  for (const probe::NotTakenOver& left : run.context.not_taken_over) {
    page.Wrapped(left.matters ? "Not taken over, and it may matter: " : "Not taken over: ", "  ",
                 absl::StrCat(left.what, " (", left.why, ")."));
  }
}

}  // namespace

std::string ProbeToText(const probe::Result& result, const TextStyle& style) {
  Page page(style);
  const std::string verdict = absl::AsciiStrToUpper(probe::VerdictName(result.verdict));
  const int color = result.verdict == probe::Verdict::kHealthy   ? 32
                    : result.verdict == probe::Verdict::kProblem ? 31
                                                                 : 33;
  const std::string indent(verdict.size() + 2, ' ');
  Page head(style);
  head.Wrapped(indent, indent, result.headline);
  page.Append(page.Colored(verdict, color));
  page.Append(std::move(head).Take().substr(verdict.size()));
  for (const probe::Run& run : result.runs) AddRun(result, run, page);
  if (result.next_start_is_the_same) {
    page.Line();
    page.Wrapped("", "  ", "The next start would get the same, in all that decides discovery.");
  }
  return std::move(page).Take();
}

}  // namespace vgpu::report

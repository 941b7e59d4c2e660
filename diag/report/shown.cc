#include "diag/report/shown.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/report/redact.h"
#include "diag/report/visible.h"

namespace vgpu::report {
namespace {

class Cleaner {
 public:
  explicit Cleaner(const ShownLimits& limits) : limits_(limits) {}

  void Clean(Report* report) const {
    Text(&report->host.hostname);
    Why(&report->host.observed_at);
    Text(&report->host.source);
    Text(&report->subject.unit);
    Why(&report->subject.pid);
    Text(&report->subject.ollama_version);
    Text(&report->subject.era);
    Text(&report->subject.era_because);
    Text(&report->headline);
    for (auto* items :
         {&report->root_causes, &report->consequences, &report->latent, &report->notes}) {
      for (Item& item : *items) Clean(&item);
    }
    for (Working& working : report->working) {
      Text(&working.what);
      Clean(&working.evidence);
    }
    for (RuledOut& out : report->ruled_out) {
      Text(&out.code);
      Text(&out.id);
      Text(&out.because);
    }
    for (NotSeen& not_seen : report->not_observed) {
      Text(&not_seen.what);
      Text(&not_seen.why);
      Text(&not_seen.how);
    }
    for (Event& event : report->timeline) {
      Text(&event.event);
      Text(&event.source);
    }
  }

 private:
  std::string Bounded(absl::string_view text, size_t bytes) const {
    std::string shown = VisibleQuote(RedactSecrets(text), bytes);
    return limits_.ascii ? AsciiOnly(shown) : shown;
  }

  void Text(std::string* text) const { *text = Bounded(*text, limits_.other_bytes); }

  void Text(std::vector<std::string>* texts) const {
    for (std::string& text : *texts) Text(&text);
  }

  void Text(host::Observed<std::string>* text) const {
    *text = text->Map([this](const std::string& t) { return Bounded(t, limits_.other_bytes); });
    Why(text);
  }

  // The reason for which there is no value.
  template <typename T>
  void Why(host::Observed<T>* observed) const {
    if (observed->not_observed())
      *observed = host::NotObserved{Bounded(observed->why_not(), limits_.other_bytes)};
  }

  void Clean(std::vector<rules::Evidence>* evidence) const {
    for (rules::Evidence& piece : *evidence) {
      Text(&piece.source);
      piece.quote = Bounded(piece.quote, limits_.quote_bytes);
      Text(&piece.meaning);
    }
  }

  void Clean(Item* item) const {
    Text(&item->code);
    Text(&item->id);
    Text(&item->title);
    Clean(&item->evidence);
    Text(&item->explains);
    Text(&item->explained_by);
    for (rules::FixStep& step : item->fix) {
      Text(&step.command);
      Text(&step.why);
      Text(&step.risk);
      Text(&step.undo);
    }
    Text(&item->expect);
  }

  const ShownLimits limits_;
};

}  // namespace

Report Shown(const Report& report, const ShownLimits& limits) {
  Report shown = report;
  Cleaner(limits).Clean(&shown);
  return shown;
}

}  // namespace vgpu::report

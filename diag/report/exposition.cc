#include "diag/report/exposition.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace vgpu::report {
namespace {

// {a="1",b="2"}
std::string Braced(const Exposition::Labels& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    absl::StrAppend(&text, text.size() > 1 ? "," : "", name, "=\"",
                    absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
  }
  return text + "}";
}

}  // namespace

void Exposition::Metric(absl::string_view name, absl::string_view help) {
  name_ = std::string(name);
  absl::StrAppend(&out_, "# HELP ", name, " ", help, "\n# TYPE ", name, " gauge\n");
}

void Exposition::Series(const Labels& labels, absl::string_view value) {
  std::string series = absl::StrCat(name_, Braced(labels));
  if (!seen_.insert(series).second) return;
  absl::StrAppend(&out_, series, " ", value, "\n");
}

}  // namespace vgpu::report

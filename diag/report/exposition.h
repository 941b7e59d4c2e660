// The text format of Prometheus, version 0.0.4: metrics, each with its series.
//
//   Exposition text;
//   text.Metric("vgpu_doctor_hosts", "How many hosts came to each verdict.");
//   text.Series({{"verdict", "problem"}}, "3");
//   return std::move(text).Take();
//
// Values of labels are visible (visible.h), so that none holds a line feed. A series stands
// once: what is added again is passed over.

#ifndef DIAG_REPORT_EXPOSITION_H_
#define DIAG_REPORT_EXPOSITION_H_

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace vgpu::report {

// Of a label: long enough for every name that systemd or the kernel accepts (255, 64).
inline constexpr size_t kLongestLabel = 256;

class Exposition {
 public:
  using Labels = std::vector<std::pair<absl::string_view, std::string>>;

  // Every series that follows is one of this metric, a gauge.
  void Metric(absl::string_view name, absl::string_view help);
  void Series(const Labels& labels, absl::string_view value);

  std::string Take() && { return std::move(out_); }

 private:
  std::string name_;
  std::string out_;
  std::set<std::string> seen_;
};

}  // namespace vgpu::report

#endif  // DIAG_REPORT_EXPOSITION_H_

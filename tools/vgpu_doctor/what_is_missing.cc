#include "tools/vgpu_doctor/what_is_missing.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "diag/capture/recording_host.h"
#include "diag/report/visible.h"

namespace vgpu::doctor {
namespace {

// A program may say a page.
constexpr size_t kLongestReason = 120;
constexpr size_t kMostReasons = 3;

// EACCES and EPERM, in the words of strerror(3), and journalctl's way to refuse.
bool Refused(absl::string_view reason) {
  return absl::StrContains(reason, "permission denied") ||
         absl::StrContains(reason, "operation not permitted") ||
         absl::StrContains(reason, "may not see");
}

std::string Things(size_t count) { return absl::StrCat(count, count == 1 ? " thing" : " things"); }

}  // namespace

std::vector<std::string> WhatIsMissing(const std::map<std::string, size_t>& reasons,
                                       bool root_sees_more) {
  size_t gone = 0, refused = 0, others = 0;
  std::vector<std::string> why;
  for (const auto& [reason, count] : reasons) {
    if (reason == capture::kWentAway) {
      gone += count;
    } else if (Refused(reason)) {
      refused += count;
    } else {
      others += count;
      why.push_back(report::VisibleQuote(reason, kLongestReason));
    }
  }
  if (why.size() > kMostReasons) {
    why.resize(kMostReasons);
    why.push_back("…");
  }
  std::vector<std::string> said;
  if (gone > 0) {
    said.push_back(absl::StrCat(Things(gone),
                                " went away meanwhile or had no program, as processes that end and "
                                "threads of the kernel do: that is usual"));
  }
  if (refused > 0) {
    said.push_back(absl::StrCat(Things(refused), root_sees_more
                                                     ? " may not be read by this user, and a "
                                                       "diagnosis may lack them: sudo vgpu-doctor "
                                                       "capture reads them"
                                                     : " may not be read here, by root either"));
  }
  if (others > 0) {
    said.push_back(absl::StrCat(Things(others), " could not be told (", absl::StrJoin(why, "; "),
                                "): if a diagnosis lacks one, check says so under Not observed"));
  }
  return said;
}

}  // namespace vgpu::doctor

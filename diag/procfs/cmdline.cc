#include "diag/procfs/cmdline.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {
namespace {

// How many arguments there are up to the last one that is not empty.
size_t UsedArgs(const std::vector<std::string>& args) {
  size_t used = args.size();
  while (used > 0 && args[used - 1].empty()) --used;
  return used;
}

}  // namespace

absl::StatusOr<Cmdline> ParseCmdline(absl::string_view bytes, bool truncated) {
  Cmdline cmdline;
  cmdline.truncated = truncated;
  const bool terminated = bytes.empty() || bytes.back() == '\0';
  while (!bytes.empty()) cmdline.args.emplace_back(TakeUntil('\0', &bytes));
  if (!cmdline.args.empty()) {
    const std::string& program = cmdline.args.front();
    // A title may have control characters that end lines, and nothing has others.
    if (std::any_of(program.begin(), program.end(),
                    [](char c) { return absl::ascii_iscntrl(c) && !absl::ascii_isspace(c); })) {
      return absl::InvalidArgumentError(
          absl::StrCat("cmdline: the first argument is no text: ", Quoted(program)));
    }
  }

  const bool alone = UsedArgs(cmdline.args) == 1;
  const bool padded = cmdline.args.size() > 1;
  const bool blanks = alone && cmdline.args[0].find(' ') != std::string::npos;
  cmdline.probably_title = (!terminated && !truncated) || (alone && (padded || blanks));
  return cmdline;
}

std::string Cmdline::Text() const {
  return absl::StrJoin(absl::MakeConstSpan(args).first(UsedArgs(args)), " ");
}

}  // namespace vgpu::procfs

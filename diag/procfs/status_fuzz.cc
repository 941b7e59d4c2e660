// Each line is read, missing or refused; the reasons are short and say so.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/procfs/status.h"

namespace {

template <typename T>
void CheckAnswer(const vgpu::host::Observed<T>& answer) {
  if (answer.absent()) abort();
  if (answer.not_observed() && (answer.why_not().empty() || answer.why_not().size() > 400)) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto status = vgpu::procfs::ParseProcessStatus(text);
  if (!status.ok()) {
    if (text.find('\n') > 5 && text.find('\n') != text.npos && text.substr(0, 5) == "Name:")
      abort();
    return 0;
  }
  if (status->name.size() > size) abort();
  CheckAnswer(status->state);
  CheckAnswer(status->ppid);
  CheckAnswer(status->uid);
  CheckAnswer(status->gid);
  CheckAnswer(status->groups);
  CheckAnswer(status->threads);
  CheckAnswer(status->no_new_privs);
  CheckAnswer(status->seccomp);
  CheckAnswer(status->seccomp_filters);
  CheckAnswer(status->ns_pids);
  if (status->groups.present() && status->groups->size() > size) abort();
  return 0;
}

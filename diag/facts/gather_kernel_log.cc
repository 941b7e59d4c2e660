#include "absl/time/clock.h"
#include "diag/facts/gather_parts.h"

namespace vgpu::facts {

Fact<KernelLog> GatherKernelLog(const host::Host& host) {
  // A service may have been started, and a machine put to sleep, some days ago.
  constexpr absl::Duration kHistory = absl::Hours(24 * 7);
  host::ToolQuery query{.tool = host::Tool::kJournalKernel};
  if (host.kind() == host::Host::Kind::kLive) {
    query.since = host.observed_at().value_or(absl::Now()) - kHistory;
  }
  const std::string source = host::ToolSource(query);
  host::Observed<std::unique_ptr<host::ByteSource>> stream = host.StreamTool(query);
  if (!stream.present()) return {source, host::NotObserved{std::string(stream.why_not())}};
  absl::StatusOr<KernelLog> log = ReadKernelLog(**stream, source);
  if (!log.ok()) return {source, host::NotObserved{std::string(log.status().message())}};
  if (log->lines == 0 && !log->status.ok()) {
    return {source, host::NotObserved{std::string(log->status.message())}};
  }
  // journalctl prints nothing to who may not read the system's journal, and a kernel that
  // runs has said something.
  if (log->lines == 0 && host.kind() == host::Host::Kind::kLive) {
    return {source, host::NotObserved{"journalctl shows no entry of the kernel to this user"}};
  }
  return {source, *std::move(log)};
}

}  // namespace vgpu::facts

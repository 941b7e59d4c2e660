// The machine that this program runs on.
//
// Files are read as the kernel gives them; systemctl and journalctl are run with an
// environment of their own and a time limit (subprocess.h). What the caller has no
// right to read is not observed, and the reason says so. Nothing is written.

#ifndef DIAG_HOST_LIVE_HOST_H_
#define DIAG_HOST_LIVE_HOST_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/host/host.h"

namespace vgpu::host {

class LiveHost : public Host {
 public:
  Kind kind() const override { return Kind::kLive; }
  bool running() const override { return true; }
  Observed<std::string> hostname() const override;
  Observed<absl::Time> observed_at() const override;
  absl::TimeZone time_zone() const override;
  Observed<std::string> unit() const override { return Absent{}; }
  Observed<uint32_t> observer_uid() const override;
  std::vector<std::string> remarks() const override { return {}; }
  Observed<std::string> RecordedElf(absl::string_view) const override { return Absent{}; }
  Observed<Content> RunTool(const ToolQuery& query, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> StreamTool(const ToolQuery& query) const override;

 protected:
  Observed<FileMeta> RawStat(const std::string& path) const override;
  Observed<std::string> RawReadLink(const std::string& path) const override;
  Observed<Content> RawRead(const std::string& path, size_t limit) const override;
  Observed<std::unique_ptr<ByteSource>> RawOpen(const std::string& path) const override;
  Observed<std::unique_ptr<RangeSource>> RawOpenRanges(const std::string& path) const override;
  Observed<std::vector<std::string>> RawList(const std::string& path) const override;
};

}  // namespace vgpu::host

#endif  // DIAG_HOST_LIVE_HOST_H_

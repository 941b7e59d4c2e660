#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "diag/systemd/show.h"

// Every reader takes any text; what is told of a command and of a unit is whole.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = vgpu::systemd::ParseShow(text);
  const vgpu::systemd::ShowProperties show =
      parsed.ok() ? *parsed : vgpu::systemd::ShowProperties();
  const auto commands = show.Exec("ExecStart");
  if (show.Environment().absent() || commands.absent()) std::abort();
  if (commands.present()) {
    for (const vgpu::systemd::ShownExec& exec : *commands) {
      if (exec.path.empty() || exec.argv_text.size() > size) std::abort();
    }
  }
  show.EnvironmentFiles();
  show.NeedDaemonReload();
  show.MonotonicUsec("UnitsLoadTimestampMonotonic");
  show.WallTime("UnitsLoadTimestamp");
  if (const auto units = vgpu::systemd::ParseListUnits(text); units.ok()) {
    for (const vgpu::systemd::ListedUnit& unit : *units) {
      if (unit.name.empty() || unit.sub.empty()) std::abort();
    }
  }
  vgpu::systemd::ParseShowEnvironment(text).IgnoreError();
  vgpu::systemd::ParseWallTime(text);
  return 0;
}

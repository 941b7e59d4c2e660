#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/systemd/effective_unit.h"
#include "diag/systemd/specifiers.h"
#include "diag/systemd/unit_file.h"

// The input is a fragment and, behind the first byte 0xff, a drop-in.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = text.find('\xff');
  const vgpu::systemd::UnitFile fragment =
      vgpu::systemd::ParseUnitFile("/fragment", text.substr(0, cut));
  const vgpu::systemd::UnitFile drop_in = vgpu::systemd::ParseUnitFile(
      "/drop-in", cut == absl::string_view::npos ? "" : text.substr(cut + 1));
  vgpu::systemd::SpecifierContext context;
  context.unit = "ollama@a-b.service";
  const std::vector<const vgpu::systemd::UnitFile*> files = {&fragment, &drop_in};
  const vgpu::systemd::EffectiveUnit unit = vgpu::systemd::MergeUnit(files, context);
  for (const auto& [key, entry] : unit.environment) {
    if (key.empty() || entry.place.line <= 0 || entry.value.absent()) std::abort();
  }
  for (const vgpu::systemd::ExecCommand& command : unit.exec_start) {
    if (command.argv.empty() || command.path.empty()) std::abort();
    if (command.raw.find(command.prefixes) == std::string::npos) std::abort();
  }
  for (const vgpu::systemd::EnvironmentFileSetting& file : unit.environment_files) {
    if (file.path.empty() || file.path[0] != '/') std::abort();
  }
  for (const auto& [key, list] : unit.settings) {
    for (const vgpu::systemd::Setting& setting : list) {
      if (setting.value.empty()) std::abort();
    }
  }
  return 0;
}

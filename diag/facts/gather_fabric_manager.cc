#include <vector>

#include "diag/facts/gather_parts.h"

namespace vgpu::facts {

Fact<std::string> GatherFabricManager(const host::Host& host) {
  const host::ToolQuery query{.tool = host::Tool::kSystemctlListUnits};
  return {host::ToolSource(query),
          host.RunTool(query).Map([](const host::Content& units) -> host::Observed<std::string> {
            absl::StatusOr<std::vector<systemd::ListedUnit>> listed =
                systemd::ParseListUnits(units.bytes);
            if (!listed.ok()) return host::NotObserved{std::string(listed.status().message())};
            for (const systemd::ListedUnit& unit : *listed) {
              if (unit.name == "nvidia-fabricmanager.service") return unit.active;
            }
            if (!units.bytes.empty() && units.bytes.back() != '\n') {
              return host::NotObserved{"the list is cut off"};
            }
            return host::Absent{};
          })};
}

}  // namespace vgpu::facts

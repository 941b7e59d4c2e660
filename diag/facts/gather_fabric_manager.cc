#include <vector>

#include "absl/strings/str_split.h"
#include "diag/facts/gather_parts.h"

namespace vgpu::facts {

Fact<std::string> GatherFabricManager(const host::Host& host) {
  const host::ToolQuery query{.tool = host::Tool::kSystemctlListUnits};
  return {host::ToolSource(query),
          host.RunTool(query).Map([](const host::Content& units) -> host::Observed<std::string> {
            for (absl::string_view line : absl::StrSplit(units.bytes, '\n')) {
              // UNIT LOAD ACTIVE SUB DESCRIPTION
              const std::vector<absl::string_view> words =
                  absl::StrSplit(line, ' ', absl::SkipEmpty());
              if (words.size() < 4 || words[0] != "nvidia-fabricmanager.service") continue;
              return std::string(words[2]);
            }
            return host::Absent{};
          })};
}

}  // namespace vgpu::facts

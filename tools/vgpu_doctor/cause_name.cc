#include "tools/vgpu_doctor/cause_name.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command_line/suggest.h"

namespace vgpu::doctor {

const rules::CatalogueEntry* FindCause(absl::string_view name) {
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    if (absl::EqualsIgnoreCase(name, entry.code) || name == entry.id) return &entry;
  }
  return nullptr;
}

std::string NoSuchCause(absl::string_view name) {
  const std::string nearest = command_line::Nearest(name, CauseNames());
  return absl::StrCat(name, ": there is no such cause",
                      nearest.empty() ? "" : absl::StrCat(" (did you mean ", nearest, "?)"),
                      "; `vgpu-doctor list-causes` lists them");
}

std::vector<std::string> CauseNames() {
  std::vector<std::string> names;
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    names.emplace_back(entry.code);
    names.emplace_back(entry.id);
  }
  return names;
}

}  // namespace vgpu::doctor

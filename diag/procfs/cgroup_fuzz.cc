// A unit that is found has the name of one, and stands in the text; so does a container.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/match.h"
#include "diag/procfs/cgroup.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cgroup = vgpu::procfs::ParseCgroup(text);
  if (!cgroup.ok()) return 0;
  for (const auto& unit : {cgroup->SystemdUnit(), cgroup->UserUnit()}) {
    if (!unit.present()) continue;
    if (unit->size() > 255 || absl::EndsWith(*unit, ".slice")) abort();
    if (!absl::StrContains(text, *unit)) abort();
  }
  if (cgroup->UserUnit().present() && !cgroup->SystemdUnit().present()) abort();
  const auto container = cgroup->InContainer();
  if (container.present() && (container->id.empty() || !absl::StrContains(text, container->id))) {
    abort();
  }
  return 0;
}

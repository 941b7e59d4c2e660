// What the service sees at a path: the host's own file, another one that is bound there, or
// nothing.
//
//   Sight sight = SeenByService(facts.unit, facts.process, "/opt/vgpu/lib/libvgpu-cuda.so");
//   if (sight.what == Sight::What::kHidden) Say(sight.because, sight.place);
//
// A running process's mountinfo decides. Where there is none, the unit's settings do, which
// are those of its next start. Pure; thread-safe.

#ifndef DIAG_FACTS_SERVICE_VIEW_H_
#define DIAG_FACTS_SERVICE_VIEW_H_

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/facts/sight.h"
#include "diag/host/observed.h"
#include "diag/procfs/mountinfo.h"
#include "diag/systemd/mount_settings.h"

namespace vgpu::facts {

// Of the process where it runs and its mounts were seen, else of the next start.
Sight SeenByService(const UnitFacts& unit, const host::Observed<ProcessFacts>& process,
                    absl::string_view path);
Sight SeenByNextStart(const systemd::MountSettings& mounts, absl::string_view path);
// Nothing of the unit's settings: what the table alone tells.
Sight SeenInTable(const procfs::MountTable& mounts, absl::string_view source,
                  absl::string_view path);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_SERVICE_VIEW_H_

// vgpu-doctor check over several captured hosts: one table in the place of their reports.

#ifndef TOOLS_VGPU_DOCTOR_FLEET_H_
#define TOOLS_VGPU_DOCTOR_FLEET_H_

#include <optional>
#include <string>
#include <vector>

#include "diag/diagnosis/diagnosis.h"
#include "tools/vgpu_doctor/open_host.h"
#include "tools/vgpu_doctor/print_report.h"

namespace vgpu::doctor {

// What lies in `directory` and is a captured host: a directory that is a host's root, or a file
// that is called as an archive is (path_kind.h), whether it can be read or not. Sorted
// by name; hidden names are left out. Standard error names what else there is, unless `quiet`.
// Nothing: the directory cannot be read or holds no host, and standard error says why.
std::optional<std::vector<std::string>> HostsIn(const std::string& directory, bool quiet);

// Judges the host in each of `roots` as `options` and `selection` say, on as many threads as
// there are processors (at most kMostThreads in fleet.cc), and shows the table. A host that
// cannot be judged is a row of it. Returns the worst exit status of the hosts (fleet.h), or that
// the options make no sense for several hosts, which standard error explains.
int CheckFleet(const std::vector<std::string>& roots, const HostOptions& options,
               const diagnosis::Selection& selection, const PrintOptions& print);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_FLEET_H_

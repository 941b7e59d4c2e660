// Whether the server runs in a container, and what its runtime would give it of a GPU.
//
// Values; thread-compatible.

#ifndef DIAG_FACTS_CONTAINER_FACTS_H_
#define DIAG_FACTS_CONTAINER_FACTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "diag/host/observed.h"
#include "diag/procfs/cgroup.h"

namespace vgpu::facts {

// A description for the Container Device Interface: what a runtime maps into a container
// that asks for the device (github.com/cncf-tags/container-device-interface, SPEC.md).
struct CdiSpec {
  std::string path;                  // "/etc/cdi/nvidia.yaml"
  size_t named = 0;                  // files and nodes of the host that it names
  std::vector<std::string> missing;  // of these, what the host does not have; at most a few
  bool maps_driver = false;          // a libcuda.so.N is among them
};

struct ContainerFacts {
  // Of the process, by its cgroup. Absent: none that is known.
  host::Observed<procfs::Container> container;
  // A file at the process's root that only a container has: "/.dockerenv". Empty: none.
  std::string marker;
  // Nodes and libraries of NVIDIA's that a runtime mounted into it: mount points of
  // mountinfo. Not observed: the mounts were not.
  host::Observed<std::vector<std::string>> mounted;
  // The nodes /dev/nvidia* as the process sees them. Not observed: its root was not.
  host::Observed<std::vector<std::string>> nodes;
  std::vector<CdiSpec> nvidia_cdi;

  bool IsContainer() const { return container.present() || !marker.empty(); }
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_CONTAINER_FACTS_H_

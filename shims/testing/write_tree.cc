// Writes the synthetic tree of this process's configuration, for what reads files:
//
//   write_tree DIRECTORY

#include <cstdio>

#include "absl/status/status.h"
#include "shims/device/device.h"
#include "shims/tree/tree.h"

int main(int count, char** words) {
  if (count != 2) return 64;
  const vgpu::device::Configuration* configuration = vgpu::device::Current("write_tree");
  if (configuration == nullptr) return 1;
  // On a machine without PCI: what the host has is not what is compared.
  const absl::Status written =
      vgpu::tree::WriteTree(vgpu::tree::MakeTree(*configuration, {}), words[1]);
  if (!written.ok()) std::fprintf(stderr, "%s\n", written.ToString().c_str());
  return written.ok() ? 0 : 1;
}

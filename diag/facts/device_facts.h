// What is there of a GPU, virtual or physical: the devices that are configured, the PCI
// functions and nodes as the service sees them, and which driver stack is installed.
//
// Values; thread-compatible.

#ifndef DIAG_FACTS_DEVICE_FACTS_H_
#define DIAG_FACTS_DEVICE_FACTS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/access.h"
#include "diag/facts/devices.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"
#include "diag/procfs/system.h"

namespace vgpu::facts {

// One PCI function. Its files hold "0x10de", "0x2331", "0x030200", "1".
struct PciFunction {
  std::string address;    // "0000:00:05.0"
  std::string directory;  // that was read: of a bind, its source
  bool bound_over = false;
  host::Observed<std::string> vendor, device, device_class, enable;
  host::Observed<std::string> driver;  // "nvidia", "vfio-pci"; absent: none

  // Of NVIDIA, and a display or 3D controller (PCI class 03).
  bool IsNvidiaGpu() const;
};

// A node below /dev, or a BAR's file in sysfs.
struct DeviceNode {
  std::string path;
  host::Observed<host::Resolved> found;
  std::vector<PathStep> way;  // to what was found: what WhatStops (access.h) judges
};

// A library of NVIDIA's own driver, whose file name ends in the driver's version.
struct DriverLibrary {
  std::string path;     // "/usr/lib/x86_64-linux-gnu/libcuda.so.570.124.06"
  std::string version;  // "570.124.06"
};

struct DeviceFacts {
  // The virtual devices. Absent: no file configures one, and no shim is installed. Not
  // observed: also where the file is broken, and then why_not() names line and reason.
  host::Observed<DeviceConfig> configured;
  std::string config_source;  // the file; "the default profile" where there is none

  // A shim that is installed, listed or loaded: its path. Empty: none was seen.
  std::string shim;

  // NVIDIA's own driver, as the service sees its libraries. One entry for each file.
  std::vector<DriverLibrary> driver_libraries;
  // Its kernel module, on the host: the version in /proc/driver/nvidia/version. Absent: it
  // is not loaded.
  host::Observed<std::string> module_version;
  host::Observed<procfs::Modules> modules;  // /proc/modules

  host::Observed<std::vector<PciFunction>> functions;
  // /dev/nvidia0 (and further ones), /dev/nvidiactl, /dev/nvidia-uvm, on the host itself.
  std::vector<DeviceNode> nodes;
  // resource0 of the functions that are configured; where something on this host wants it
  // open to the service (a rule of udev, a path of the unit), `bar_wanted_by` says what.
  std::vector<DeviceNode> bars;
  std::string bar_wanted_by;

  bool wsl = false;               // Windows' driver, by /dev/dxg or /usr/lib/wsl/lib
  host::Observed<int> l4t_major;  // of /etc/nv_tegra_release: 35. Absent: no Jetson

  // The device that discovery should find is a virtual one.
  bool IsVirtual() const { return !shim.empty() || configured.present() || config_broken; }
  // It is a card, driven by NVIDIA's own driver: evidence of one, and none of shims.
  bool IsPhysical() const;
  bool config_broken = false;  // there is a file, and it could not be read or understood

  // Whether some function is a GPU of NVIDIA. Not observed: none is known to be one, and what
  // one of them is was not seen.
  host::Observed<bool> HasNvidiaGpu() const;
  const PciFunction* FunctionAt(absl::string_view address) const;
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_DEVICE_FACTS_H_

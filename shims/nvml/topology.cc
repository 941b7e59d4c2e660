// Where a device is. It is at an address of PCI and in the memory of the host: no processor is
// nearer to it than another, so that all that are online are its neighbours.

#include <sched.h>

#include <algorithm>
#include <array>
#include <optional>

#include "shims/base/file.h"
#include "shims/nvml/call.h"
#include "shims/nvml/nvml.h"

namespace vgpu::nvml {
namespace {

inline constexpr char kProcessors[] = "/sys/devices/system/cpu/online";
inline constexpr char kNodes[] = "/sys/devices/system/node/online";

// Numbers of processors or memory nodes, as a kernel lists them: "0-3,8" (cpuset(7), list format).
class NumberList {
 public:
  // Only 0 where the file cannot be read or means nothing: a machine has one of each.
  explicit NumberList(const char* path) {
    const ErrnoKeeper keeper;
    std::array<char, 4096> buffer;
    std::string_view text;
    if (ReadSmallFile(path, buffer, &text) != 0 || !Parse(text)) {
      size_ = 1;
      ranges_[0] = {};
    }
  }

  bool Has(unsigned int number) const {
    return std::any_of(ranges_.begin(), ranges_.begin() + size_, [&](const Range& range) {
      return range.first <= number && number <= range.last;
    });
  }

 private:
  struct Range {
    unsigned int first = 0;
    unsigned int last = 0;
  };

  bool Parse(std::string_view text) {
    size_t at = 0;
    const auto number = [&]() -> std::optional<unsigned int> {
      const size_t start = at;
      unsigned int value = 0;
      while (at < text.size() && text[at] >= '0' && text[at] <= '9' && value < 1'000'000) {
        value = value * 10 + static_cast<unsigned int>(text[at++] - '0');
      }
      if (at == start) return std::nullopt;
      return value;
    };
    while (size_ < ranges_.size()) {
      const auto first = number();
      if (!first) return false;
      auto last = first;
      if (at < text.size() && text[at] == '-') {
        ++at;
        last = number();
        if (!last) return false;
      }
      ranges_[size_++] = {*first, *last};
      if (at == text.size() || text[at] == '\n') return true;
      if (text[at++] != ',') return false;
    }
    return false;
  }

  std::array<Range, 128> ranges_ = {};
  size_t size_ = 0;
};

// The online ones of `path` as bits, into `size` words; those that have no place are left out.
nvmlReturn_t GetOnline(nvmlDevice_t handle, const char* path, unsigned int size,
                       unsigned long* words, nvmlAffinityScope_t scope) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device, words); error != NVML_SUCCESS) return error;
  if (size == 0 || scope > NVML_AFFINITY_SCOPE_SOCKET) return NVML_ERROR_INVALID_ARGUMENT;
  const NumberList online(path);
  constexpr unsigned int kBits = 8 * sizeof(unsigned long);
  std::fill_n(words, size, 0UL);
  for (unsigned int number = 0; number < std::min(size, 1024u) * kBits; ++number) {
    if (online.Has(number)) words[number / kBits] |= 1UL << number % kBits;
  }
  return NVML_SUCCESS;
}

// Lets the calling thread run on every processor that its cpuset has.
nvmlReturn_t RunAnywhere(nvmlDevice_t handle) {
  const Device* device;
  if (nvmlReturn_t error = Find(handle, &device); error != NVML_SUCCESS) return error;
  const ErrnoKeeper keeper;
  const NumberList online(kProcessors);
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned int number = 0; number < CPU_SETSIZE; ++number) {
    if (online.Has(number)) CPU_SET(number, &set);
  }
  return sched_setaffinity(0, sizeof set, &set) == 0 ? NVML_SUCCESS : NVML_ERROR_UNKNOWN;
}

// One host bridge for each PCI domain, and all of them at one node.
nvmlGpuTopologyLevel_t Between(const Device& one, const Device& other) {
  return one.pci.domain == other.pci.domain ? NVML_TOPOLOGY_HOSTBRIDGE : NVML_TOPOLOGY_NODE;
}

// The handles of those devices that `wanted` says, as many as there is room for.
template <typename Wanted>
nvmlReturn_t ListDevices(unsigned int* count, nvmlDevice_t* handles, Wanted wanted) {
  std::array<const Device*, device::kMaxDevices> devices = {};
  size_t size = 0;
  for (const Device& device : Initialized()->All()) {
    if (wanted(device)) devices[size++] = &device;
  }
  // No room: the question is how many there are.
  if (*count == 0) {
    *count = static_cast<unsigned int>(size);
    return NVML_SUCCESS;
  }
  if (handles == nullptr) return NVML_ERROR_INVALID_ARGUMENT;
  *count = static_cast<unsigned int>(std::min<size_t>(*count, size));
  for (unsigned int i = 0; i < *count; ++i) handles[i] = HandleOf(*devices[i]);
  return NVML_SUCCESS;
}

}  // namespace

NVML_API nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(nvmlDevice_t device1,
                                                          nvmlDevice_t device2,
                                                          nvmlGpuTopologyLevel_t* pathInfo) {
  const Device* first;
  const Device* second;
  if (nvmlReturn_t error = Find(device1, &first); error != NVML_SUCCESS) return error;
  if (nvmlReturn_t error = Find(device2, &second, pathInfo); error != NVML_SUCCESS) return error;
  *pathInfo = first == second ? NVML_TOPOLOGY_INTERNAL : Between(*first, *second);
  return NVML_SUCCESS;
}

NVML_API nvmlReturn_t nvmlDeviceGetTopologyNearestGpus(nvmlDevice_t device,
                                                       nvmlGpuTopologyLevel_t level,
                                                       unsigned int* count,
                                                       nvmlDevice_t* deviceArray) {
  const Device* found;
  if (nvmlReturn_t error = Find(device, &found, count); error != NVML_SUCCESS) return error;
  if (level > NVML_TOPOLOGY_SYSTEM) return NVML_ERROR_INVALID_ARGUMENT;
  return ListDevices(count, deviceArray, [&](const Device& other) {
    return &other != found && Between(*found, other) == level;
  });
}

NVML_API nvmlReturn_t nvmlSystemGetTopologyGpuSet(unsigned int cpuNumber, unsigned int* count,
                                                  nvmlDevice_t* deviceArray) {
  if (Initialized() == nullptr) return NVML_ERROR_UNINITIALIZED;
  if (count == nullptr || !NumberList(kProcessors).Has(cpuNumber)) {
    return NVML_ERROR_INVALID_ARGUMENT;
  }
  return ListDevices(count, deviceArray, [](const Device&) { return true; });
}

// What cuDeviceGetP2PAttribute says too: devices reach each other's memory, not by NVLink, and
// without atomic operations.
NVML_API nvmlReturn_t nvmlDeviceGetP2PStatus(nvmlDevice_t device1, nvmlDevice_t device2,
                                             nvmlGpuP2PCapsIndex_t p2pIndex,
                                             nvmlGpuP2PStatus_t* p2pStatus) {
  const Device* first;
  const Device* second;
  if (nvmlReturn_t error = Find(device1, &first); error != NVML_SUCCESS) return error;
  if (nvmlReturn_t error = Find(device2, &second, p2pStatus); error != NVML_SUCCESS) return error;
  switch (p2pIndex) {
    case NVML_P2P_CAPS_INDEX_READ:
    case NVML_P2P_CAPS_INDEX_WRITE:
    case NVML_P2P_CAPS_INDEX_PCI:
      *p2pStatus = NVML_P2P_STATUS_OK;
      return NVML_SUCCESS;
    case NVML_P2P_CAPS_INDEX_NVLINK:
    case NVML_P2P_CAPS_INDEX_ATOMICS:
      *p2pStatus = NVML_P2P_STATUS_NOT_SUPPORTED;
      return NVML_SUCCESS;
    default:
      return NVML_ERROR_INVALID_ARGUMENT;
  }
}

NVML_API nvmlReturn_t nvmlDeviceGetMemoryAffinity(nvmlDevice_t device, unsigned int nodeSetSize,
                                                  unsigned long* nodeSet,
                                                  nvmlAffinityScope_t scope) {
  return GetOnline(device, kNodes, nodeSetSize, nodeSet, scope);
}

NVML_API nvmlReturn_t nvmlDeviceGetCpuAffinity(nvmlDevice_t device, unsigned int cpuSetSize,
                                               unsigned long* cpuSet) {
  return GetOnline(device, kProcessors, cpuSetSize, cpuSet, NVML_AFFINITY_SCOPE_NODE);
}

NVML_API nvmlReturn_t nvmlDeviceGetCpuAffinityWithinScope(nvmlDevice_t device,
                                                          unsigned int cpuSetSize,
                                                          unsigned long* cpuSet,
                                                          nvmlAffinityScope_t scope) {
  return GetOnline(device, kProcessors, cpuSetSize, cpuSet, scope);
}

NVML_API nvmlReturn_t nvmlDeviceSetCpuAffinity(nvmlDevice_t device) { return RunAnywhere(device); }

NVML_API nvmlReturn_t nvmlDeviceClearCpuAffinity(nvmlDevice_t device) {
  return RunAnywhere(device);
}

}  // namespace vgpu::nvml

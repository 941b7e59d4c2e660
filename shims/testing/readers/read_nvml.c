// What NVML says of every device; compiled with NVIDIA's own nvml.h.
// Exit status 1: a call failed, and standard error has "CALL: CODE".

#include <nvml.h>
#include <stdlib.h>

#include "fact.h"

#define DO(call)                                       \
  do {                                                 \
    nvmlReturn_t result = (call);                      \
    if (result != NVML_SUCCESS) {                      \
      fprintf(stderr, "%s: %d\n", #call, (int)result); \
      return 1;                                        \
    }                                                  \
  } while (0)

static int ReadDevice(unsigned index) {
  nvmlDevice_t device;
  DO(nvmlDeviceGetHandleByIndex(index, &device));
  static char uuid[NVML_DEVICE_UUID_V2_BUFFER_SIZE];
  DO(nvmlDeviceGetUUID(device, uuid, sizeof uuid));
  fact_device = uuid;
  char name[NVML_DEVICE_NAME_V2_BUFFER_SIZE];
  DO(nvmlDeviceGetName(device, name, sizeof name));
  Fact("name", "%s", name);
  nvmlPciInfo_t pci;
  DO(nvmlDeviceGetPciInfo(device, &pci));
  // Eight digits of the domain here, four or more in the driver and in sysfs.
  Fact("pci", "%04lx%s", strtoul(pci.busId, NULL, 16), pci.busId + 8);
  Fact("pci_legacy", "%s", pci.busIdLegacy);
  Fact("pci_domain_bus_slot", "%04x:%02x:%02x", pci.domain, pci.bus, pci.device);
  Fact("pci_ids", "%04x:%04x", pci.pciDeviceId & 0xffff, pci.pciDeviceId >> 16);
  Fact("pci_subsystem_ids", "%04x:%04x", pci.pciSubSystemId & 0xffff, pci.pciSubSystemId >> 16);
  nvmlMemory_t memory;
  DO(nvmlDeviceGetMemoryInfo(device, &memory));
  Fact("memory_total_bytes", "%llu", memory.total);
  Fact("memory_free_bytes", "%llu", memory.free);
  Fact("memory_used_bytes", "%llu", memory.used);
  nvmlMemory_v2_t memory_v2 = {.version = nvmlMemory_v2};
  DO(nvmlDeviceGetMemoryInfo_v2(device, &memory_v2));
  if (memory_v2.total != memory.total || memory_v2.free != memory.free ||
      memory_v2.used + memory_v2.reserved != memory.used) {
    fprintf(stderr, "the two forms of memory differ\n");
    return 1;
  }
  int major = 0, minor = 0;
  DO(nvmlDeviceGetCudaComputeCapability(device, &major, &minor));
  Fact("compute_capability", "%d.%d", major, minor);
  unsigned value = 0;
  DO(nvmlDeviceGetMaxClockInfo(device, NVML_CLOCK_SM, &value));
  Fact("max_sm_clock_mhz", "%u", value);
  DO(nvmlDeviceGetMaxClockInfo(device, NVML_CLOCK_MEM, &value));
  Fact("max_memory_clock_mhz", "%u", value);
  DO(nvmlDeviceGetMemoryBusWidth(device, &value));
  Fact("memory_bus_bits", "%u", value);
  nvmlComputeMode_t mode;
  DO(nvmlDeviceGetComputeMode(device, &mode));
  Fact("compute_mode", "%d", (int)mode);
  nvmlEnableState_t ecc = NVML_FEATURE_DISABLED, pending;
  nvmlReturn_t has_ecc = nvmlDeviceGetEccMode(device, &ecc, &pending);
  if (has_ecc != NVML_SUCCESS && has_ecc != NVML_ERROR_NOT_SUPPORTED) {
    fprintf(stderr, "nvmlDeviceGetEccMode: %d\n", (int)has_ecc);
    return 1;
  }
  Fact("ecc", "%d", has_ecc == NVML_SUCCESS && ecc == NVML_FEATURE_ENABLED);
  DO(nvmlDeviceGetNumGpuCores(device, &value));
  Fact("cores", "%u", value);

  nvmlDevice_t found;
  DO(nvmlDeviceGetHandleByUUID(uuid, &found));
  Fact("found_by_uuid", "%d", found == device);
  DO(nvmlDeviceGetHandleByPciBusId(pci.busId, &found));
  Fact("found_by_pci", "%d", found == device);
  unsigned again = 0;
  DO(nvmlDeviceGetIndex(device, &again));
  Fact("found_by_index", "%d", again == index);
  return 0;
}

int main(void) {
  DO(nvmlInit());
  int version = 0;
  DO(nvmlSystemGetCudaDriverVersion(&version));
  Fact("cuda_driver_version", "%d", version);
  char driver[NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE];
  DO(nvmlSystemGetDriverVersion(driver, sizeof driver));
  Fact("driver_version", "%s", driver);
  unsigned count = 0;
  DO(nvmlDeviceGetCount(&count));
  Fact("nvml_devices", "%u", count);
  for (unsigned index = 0; index < count; ++index) {
    if (ReadDevice(index) != 0) return 1;
  }
  DO(nvmlShutdown());
  return 0;
}

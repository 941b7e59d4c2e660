// What the driver API says of every device that it shows; compiled with NVIDIA's own cuda.h.
// Exit status 1: a call failed, and standard error has "CALL: CODE".

#include <cuda.h>

#include "fact.h"

#define DO(call)                                       \
  do {                                                 \
    CUresult result = (call);                          \
    if (result != CUDA_SUCCESS) {                      \
      fprintf(stderr, "%s: %d\n", #call, (int)result); \
      return 1;                                        \
    }                                                  \
  } while (0)

static int ReadDevice(int ordinal) {
  CUdevice device;
  DO(cuDeviceGet(&device, ordinal));
  CUuuid uuid;
  DO(cuDeviceGetUuid(&uuid, device));
  char uuid_text[64];
  fact_device = UuidText(&uuid, uuid_text);
  char name[256];
  DO(cuDeviceGetName(name, sizeof name, device));
  Fact("name", "%s", name);
  char pci[32];
  DO(cuDeviceGetPCIBusId(pci, sizeof pci, device));
  Fact("pci", "%s", pci);
  size_t total = 0;
  DO(cuDeviceTotalMem(&total, device));
  Fact("memory_total_bytes", "%zu", total);
  Fact("ordinal", "%d", ordinal);

  for (int number = 1; number < CU_DEVICE_ATTRIBUTE_MAX; ++number) {
    int value = 0;
    if (cuDeviceGetAttribute(&value, (CUdevice_attribute)number, device) == CUDA_SUCCESS) {
      AttributeFact(number, value);
    }
  }
  int value = 0, minor = 0, domain = 0, bus = 0, slot = 0;
  DO(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device));
  DO(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device));
  Fact("compute_capability", "%d.%d", value, minor);
  DO(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_CLOCK_RATE, device));
  Fact("max_sm_clock_mhz", "%d", value / 1000);
  DO(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, device));
  Fact("max_memory_clock_mhz", "%d", value / 1000);
  DO(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, device));
  Fact("memory_bus_bits", "%d", value);
  DO(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_ECC_ENABLED, device));
  Fact("ecc", "%d", value);
  DO(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_COMPUTE_MODE, device));
  Fact("compute_mode", "%d", value);
  DO(cuDeviceGetAttribute(&domain, CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID, device));
  DO(cuDeviceGetAttribute(&bus, CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, device));
  DO(cuDeviceGetAttribute(&slot, CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID, device));
  Fact("pci_domain_bus_slot", "%04x:%02x:%02x", domain, bus, slot);
  CUdevice found;
  DO(cuDeviceGetByPCIBusId(&found, pci));
  Fact("found_by_pci", "%d", found == device);

  CUcontext context;
  DO(cuDevicePrimaryCtxRetain(&context, device));
  DO(cuCtxPushCurrent(context));
  size_t free_bytes = 0;
  DO(cuMemGetInfo(&free_bytes, &total));
  Fact("memory_free_bytes", "%zu", free_bytes);
  Fact("memory_used_bytes", "%zu", total - free_bytes);
  DO(cuCtxPopCurrent(NULL));
  DO(cuDevicePrimaryCtxRelease(device));
  return 0;
}

int main(void) {
  DO(cuInit(0));
  int version = 0, count = 0;
  DO(cuDriverGetVersion(&version));
  Fact("cuda_driver_version", "%d", version);
  DO(cuDeviceGetCount(&count));
  Fact("cuda_devices", "%d", count);
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    if (ReadDevice(ordinal) != 0) return 1;
  }
  return 0;
}

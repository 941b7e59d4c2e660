/* Stands in for libggml-cuda.so: it needs the driver's library and the runtime as that does,
 * and describes the devices that the runtime gives in ggml's forms (ggml-cuda.cu, v0.13.5). */
#include <stdio.h>
#include <string.h>

struct device {
  char name[256], uuid[64], pci[32];
  unsigned long long total;
  int major, minor;
};

int cudaGetDeviceCount(int* count);
int cudaGetDeviceProperties_v2(void* properties, int device);
int cuDeviceGet(int* device, int ordinal);

/* The first thing that ggml looks for in a backend. */
void* ggml_backend_init(void) { return NULL; }

int stand_in_devices(struct device* to, int room) {
  static unsigned char properties[4096];
  int count = 0, at = 0;
  if (cudaGetDeviceCount(&count) != 0) return 0;
  for (; at < count && at < room; ++at) {
    int device = 0, pci[3];
    const unsigned char* b = properties + 256;
    if (cuDeviceGet(&device, at) != 0 || cudaGetDeviceProperties_v2(properties, at) != 0) return at;
    memcpy(to[at].name, properties, sizeof(to[at].name));
    snprintf(to[at].uuid, sizeof(to[at].uuid),
             "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    /* pciBusID, pciDeviceID and pciDomainID of CUDA 12. */
    memcpy(pci, properties + 584, sizeof(pci));
    snprintf(to[at].pci, sizeof(to[at].pci), "%04x:%02x:%02x.0", pci[2], pci[0], pci[1]);
    memcpy(&to[at].total, properties + 288, sizeof(to[at].total));
    memcpy(&to[at].major, properties + 360, sizeof(to[at].major));
    memcpy(&to[at].minor, properties + 364, sizeof(to[at].minor));
  }
  return at;
}

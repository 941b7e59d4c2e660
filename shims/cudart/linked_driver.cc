// For tests: the driver shim that is linked into the program. A sanitizer sees all of it.

#include "shims/cudart/driver.h"

namespace vgpu::cudart {

extern "C" {
#define VGPU_CUDART_DRIVER(name, ...) __attribute__((weak)) CUresult name(__VA_ARGS__);
#include "shims/cudart/driver.inc"
#undef VGPU_CUDART_DRIVER
}

bool ResolveDriver(Driver* driver) {
#define VGPU_CUDART_DRIVER(name, ...) \
  driver->name = &cudart::name;       \
  if (driver->name == nullptr) driver->name = &NotInDriver;
#include "shims/cudart/driver.inc"
#undef VGPU_CUDART_DRIVER
  return true;
}

}  // namespace vgpu::cudart

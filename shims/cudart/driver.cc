#include "shims/cudart/driver.h"

#include <dlfcn.h>
#include <limits.h>
#include <string.h>

#include <string_view>

#include "shims/cudart/runtime.h"
#include "shims/log/log.h"

namespace vgpu::cudart {
namespace {

constexpr char kDriverSoname[] = "libcuda.so.1";
// As installed, and as built.
constexpr std::string_view kSiblings[] = {"libcuda.so.1", "libvgpu-cuda.so"};

void* OpenSibling() {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void*>(&OpenSibling), &self) == 0) return nullptr;
  std::string_view path = self.dli_fname == nullptr ? "" : self.dli_fname;
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return nullptr;
  for (std::string_view name : kSiblings) {
    char file[PATH_MAX];
    if (slash + 1 + name.size() + 1 > sizeof(file)) return nullptr;
    memcpy(file, path.data(), slash + 1);
    memcpy(file + slash + 1, name.data(), name.size());
    file[slash + 1 + name.size()] = '\0';
    if (void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  return nullptr;
}

}  // namespace

bool ResolveDriver(Driver* driver) {
  void* library = dlopen(kDriverSoname, RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) library = OpenSibling();
  if (library == nullptr) library = dlopen(kDriverSoname, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    log::Write(log::Level::kError, kLibrary, "no driver",
               {{"looked_for", kDriverSoname}, {"reason", reason}});
    return false;
  }
#define VGPU_CUDART_DRIVER(name, ...)                                             \
  driver->name = reinterpret_cast<decltype(driver->name)>(dlsym(library, #name)); \
  if (driver->name == nullptr) driver->name = &NotInDriver;
#include "shims/cudart/driver.inc"
#undef VGPU_CUDART_DRIVER
  dlerror();  // what a failed look-up left is not the program's
  return true;
}

}  // namespace vgpu::cudart

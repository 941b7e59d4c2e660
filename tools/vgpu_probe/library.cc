#include "tools/vgpu_probe/library.h"

#include <link.h>
#include <stdio.h>
#include <string.h>

namespace vgpu::probe_program {

Library::Library(const char* name, int flags, Answer& answer) : name_(name), answer_(answer) {
  char call[256];
  snprintf(call, sizeof(call), "dlopen %s", name);
  Call(call);
  handle_ = dlopen(name, flags);
  if (handle_ == nullptr) {
    const char* said = dlerror();
    answer_.Fail("dlopen", "%s", said == nullptr ? "dlopen says nothing" : said);
    // The loader names the file that it did not find: this one, or one that it needs.
    constexpr char kNotFound[] = "cannot open shared object file: No such file or directory";
    const size_t length = strlen(name);
    answer_.Flag("missing", said != nullptr && strncmp(said, name, length) == 0 &&
                                said[length] == ':' && strstr(said, kNotFound) != nullptr);
    return;
  }
  // dlinfo and not dladdr: a library may export nothing that has an address here.
  link_map* map = nullptr;
  if (dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr) {
    answer_.Text("library", map->l_name);
  }
}

void* Library::Symbol(const char* name, bool must) const {
  if (handle_ == nullptr) return nullptr;
  void* found = dlsym(handle_, name);
  if (found == nullptr && must) {
    const char* said = dlerror();
    answer_.Fail("dlsym", "%s", said == nullptr ? name : said);
  }
  return found;
}

}  // namespace vgpu::probe_program

// A shared library, as a client opens it: by its name, at once bound or lazily.

#ifndef TOOLS_VGPU_PROBE_LIBRARY_H_
#define TOOLS_VGPU_PROBE_LIBRARY_H_

#include <dlfcn.h>

#include "tools/vgpu_probe/answer.h"

namespace vgpu::probe_program {

class Library {
 public:
  // Opens `name` and writes the file that the loader took for it ("library"). What failed is
  // in `answer`, in the loader's own words; "missing" is set where there is no such file.
  Library(const char* name, int flags, Answer& answer);

  bool ok() const { return handle_ != nullptr; }

  // Null, and a failure of `answer`, where the library has no such symbol.
  template <typename Function>
  Function Get(const char* name) const {
    return reinterpret_cast<Function>(Symbol(name, true));
  }
  // Null where it has none.
  template <typename Function>
  Function Find(const char* name) const {
    return reinterpret_cast<Function>(Symbol(name, false));
  }

 private:
  void* Symbol(const char* name, bool must) const;

  const char* name_;
  Answer& answer_;
  void* handle_;
};

}  // namespace vgpu::probe_program

#endif  // TOOLS_VGPU_PROBE_LIBRARY_H_

// The environment that a child gets, so that it loads the shims too.
//
//   size_t words = WordsFor(environment, shims);
//   ...                                        // room for them on the stack
//   char** given = AddShims(environment, shims, room);
//
// Nothing here allocates, locks or asks the system: it runs between vfork(2) and exec, in
// the parent's memory.

#ifndef SHIMS_EXEC_ENVIRONMENT_H_
#define SHIMS_EXEC_ENVIRONMENT_H_

#include <array>
#include <cstddef>
#include <string_view>

namespace vgpu::exec {

// Paths of shims, parted by colons: what LD_PRELOAD begins with.
struct ShimList {
  // On the stack of a thread, which may be small. A path that does not fit is left out.
  static constexpr size_t kSize = 1024;
  std::array<char, kSize> text = {};
  size_t size = 0;

  std::string_view Text() const { return {text.data(), size}; }
  bool empty() const { return size == 0; }
};

// The shims that this process preloaded, as the loader names them: objects named libvgpu-*.so
// that stand before the C library in its list. (What a program asks for itself, by dlopen or
// because it needs it, stands behind.) Empty where there are none, or paths cannot stand in
// LD_PRELOAD: a colon or a space would part them, and a relative one means another file elsewhere.
void LoadedShims(ShimList* shims);

// Whether a child with this environment is to be left as it is: VGPU_PROPAGATE=0.
bool LeftAlone(char* const* environment);

// What LD_PRELOAD lacks of `shims`, into `missing`.
void Missing(char* const* environment, const ShimList& shims, ShimList* missing);

// How many pointers, and how many bytes of text, AddShims needs.
struct Need {
  size_t pointers = 0;
  size_t bytes = 0;
};
Need NeedOf(char* const* environment, const ShimList& missing);

// A copy of `environment` with `missing` before the value of LD_PRELOAD, in `pointers` and `text`,
// which are as large as NeedOf said. All other variables are the same strings.
void AddShims(char* const* environment, const ShimList& missing, char** pointers, char* text);

}  // namespace vgpu::exec

#endif  // SHIMS_EXEC_ENVIRONMENT_H_

// The function that ours stands before: as dlsym(RTLD_NEXT, name) gives it, and without what makes
// that unfit for a wrapper.
//
// dlsym(3) takes the loader's lock and may allocate; a wrapper is called between vfork and exec,
// in signal handlers, and from malloc itself. This walks the loader's list of objects (_r_debug,
// glibc's link.h) and their hash tables, which nobody changes for objects that were loaded at
// start, and takes no lock.
//
// Thread-safe, async-signal-safe, safe after vfork. errno is kept. x86-64 and aarch64, glibc and
// objects with DT_GNU_HASH or DT_HASH.

#ifndef SHIMS_BASE_NEXT_SYMBOL_H_
#define SHIMS_BASE_NEXT_SYMBOL_H_

#include <atomic>

namespace vgpu {

// The default version of `name` (an old one, where it has no other) in the first object behind the
// one that this code is part of, in the order of the loader's list (that of lookup, for what is
// loaded at start). Null: none has it.
void* NextSymbol(const char* name);

// The same, looked up once.
//
//   constinit NextFunction<int(const char*, int)> next_access{"access"};
//   return next_access.Get()(path, mode);
template <typename Signature>
class NextFunction {
 public:
  constexpr explicit NextFunction(const char* name) : name_(name) {}
  NextFunction(const NextFunction&) = delete;
  NextFunction& operator=(const NextFunction&) = delete;

  // Null: there is none.
  Signature* Get() {
    void* found = found_.load(std::memory_order_relaxed);
    if (found == nullptr) {
      found = NextSymbol(name_);
      found_.store(found, std::memory_order_relaxed);
    }
    return reinterpret_cast<Signature*>(found);
  }

 private:
  const char* name_;
  std::atomic<void*> found_ = nullptr;
};

}  // namespace vgpu

#endif  // SHIMS_BASE_NEXT_SYMBOL_H_

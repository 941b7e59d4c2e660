// A lock that needs no C++ runtime and no constructor.
//
//   constinit Mutex mutex;
//   MutexLock lock(mutex);
//
// A child of fork(2) finds it free: whoever owns one registers pthread_atfork(3) at its first
// use, which takes it before the fork and gives it back on both sides.

#ifndef SHIMS_BASE_MUTEX_H_
#define SHIMS_BASE_MUTEX_H_

#include <pthread.h>

namespace vgpu {

class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() { pthread_mutex_lock(&mutex_); }
  void Unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

class MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace vgpu

#endif  // SHIMS_BASE_MUTEX_H_

#include "shims/usage/usage.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "shims/base/mutex.h"

namespace vgpu::usage {
namespace {

struct Held {
  device::Uuid uuid;
  uint64_t bytes = 0;
  uint64_t contexts = 0;
};

constinit Mutex mutex;
constinit std::array<Held, device::kMaxDevices> held = {};
constinit int count = 0;
constinit pthread_once_t fork_once = PTHREAD_ONCE_INIT;

void BeforeFork() { mutex.Lock(); }
void AfterForkInParent() { mutex.Unlock(); }
void AfterForkInChild() {
  held = {};
  count = 0;
  mutex.Unlock();
}

// With the lock held. Null: there are more devices than there can be.
Held* Find(const device::Device& device) {
  for (int i = 0; i < count; ++i) {
    if (held[i].uuid == device.uuid) return &held[i];
  }
  if (count == device::kMaxDevices) return nullptr;
  held[count].uuid = device.uuid;
  return &held[count++];
}

void FollowForks() {
  pthread_once(&fork_once, [] { pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild); });
}

}  // namespace

bool Reserve(const device::Device& device, uint64_t bytes) {
  FollowForks();
  MutexLock lock(mutex);
  Held* of_device = Find(device);
  if (of_device == nullptr || bytes > device.memory_bytes - of_device->bytes) return false;
  of_device->bytes += bytes;
  return true;
}

void Release(const device::Device& device, uint64_t bytes) {
  FollowForks();
  MutexLock lock(mutex);
  if (Held* of_device = Find(device)) of_device->bytes -= std::min(bytes, of_device->bytes);
}

void ContextCreated(const device::Device& device) {
  FollowForks();
  MutexLock lock(mutex);
  if (Held* of_device = Find(device)) ++of_device->contexts;
}

void ContextDestroyed(const device::Device& device) {
  FollowForks();
  MutexLock lock(mutex);
  Held* of_device = Find(device);
  if (of_device != nullptr && of_device->contexts > 0) --of_device->contexts;
}

uint64_t Used(const device::Device& device) {
  FollowForks();
  MutexLock lock(mutex);
  const Held* of_device = Find(device);
  return of_device == nullptr ? 0 : of_device->bytes;
}

size_t Processes(const device::Device& device, std::span<ProcessUse> out) {
  FollowForks();
  MutexLock lock(mutex);
  const Held* of_device = Find(device);
  if (of_device == nullptr || (of_device->bytes == 0 && of_device->contexts == 0)) return 0;
  if (!out.empty()) out[0] = {.pid = getpid(), .bytes = of_device->bytes};
  return 1;
}

}  // namespace vgpu::usage

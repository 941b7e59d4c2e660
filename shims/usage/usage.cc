#include "shims/usage/usage.h"

#include <pthread.h>

#include "shims/usage/store.h"

namespace vgpu::usage {
namespace {

constinit Store store("/dev/shm/vgpu");
constinit pthread_once_t fork_once = PTHREAD_ONCE_INIT;

// A fork waits until nobody is in the store: a child would else find it locked for ever.
Store& TheStore() {
  pthread_once(&fork_once, [] {
    pthread_atfork([] { store.PrepareFork(); }, [] { store.AfterFork(); },
                   [] { store.AfterFork(); });
  });
  return store;
}

}  // namespace

bool Reserve(const device::Device& device, uint64_t bytes) {
  return TheStore().Reserve(device, bytes);
}

void Release(const device::Device& device, uint64_t bytes) { TheStore().Release(device, bytes); }

void ContextCreated(const device::Device& device) { TheStore().ContextCreated(device); }

void ContextDestroyed(const device::Device& device) { TheStore().ContextDestroyed(device); }

uint64_t Used(const device::Device& device) { return TheStore().Used(device); }

size_t Processes(const device::Device& device, std::span<ProcessUse> out) {
  return TheStore().Processes(device, out);
}

}  // namespace vgpu::usage

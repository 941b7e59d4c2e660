#include "shims/cuda/user_object.h"

#include <atomic>

#include "shims/cuda/export.h"
#include "shims/cuda/graph.h"
#include "shims/cuda/handles.h"
#include "shims/cuda/object.h"
#include "shims/cuda/work_api.h"

namespace vgpu::cuda {
namespace {

// CU_USER_OBJECT_NO_DESTRUCTOR_SYNC and CU_GRAPH_USER_OBJECT_MOVE of cuda.h.
constexpr unsigned kNoDestructorSync = 1;
constexpr unsigned kMove = 1;

// What ended while the lock was held.
struct Ended {
  UserObject* object;
  Ended* next;
};

constinit Handles<UserObject, HandleKind::kUserObject> g_objects;
constinit std::atomic<Ended*> g_ended{nullptr};

HeldObject* FindHeld(Graph* graph, const UserObject* object) {
  for (HeldObject& held : graph->objects) {
    if (held.object == object) return &held;
  }
  return nullptr;
}

CUresult Find(const Call& call, CUuserObject handle, unsigned count, UserObject** object) {
  if (CUresult error = call.status()) return error;
  *object = g_objects.Find(handle);
  return *object == nullptr || count == 0 ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

}  // namespace

UserObject* FindUserObject(CUuserObject handle) { return g_objects.Find(handle); }

void DropReferences(UserObject* object, uint64_t count) {
  object->references -= count < object->references ? count : object->references;
  if (object->references != 0) return;
  g_objects.Remove(object->handle);
  auto* ended = Make<Ended>();
  if (ended == nullptr) return;  // better never ended than ended under the lock
  ended->object = object;
  // AfterCall takes the list without the lock.
  ended->next = g_ended.load(std::memory_order_relaxed);
  while (!g_ended.compare_exchange_weak(ended->next, ended, std::memory_order_release,
                                        std::memory_order_relaxed)) {
  }
}

void AfterCall() {
  if (g_ended.load(std::memory_order_relaxed) == nullptr) return;
  Ended* ended = g_ended.exchange(nullptr, std::memory_order_acquire);
  while (ended != nullptr) {
    Ended* next = ended->next;
    ended->object->end(ended->object->object);
    Destroy(ended->object);
    Destroy(ended);
    ended = next;
  }
}

}  // namespace vgpu::cuda

// What is exported is in no namespace.
using namespace vgpu::cuda;  // NOLINT(google-build-using-namespace)

#define VGPU_API extern "C" VGPU_EXPORT CUresult

VGPU_API cuUserObjectCreate(CUuserObject* out, void* object, CUhostFn end, unsigned references,
                            unsigned flags) {
  Call call;
  if (CUresult error = call.status()) return error;
  if (out == nullptr || end == nullptr || references == 0 || flags != kNoDestructorSync) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  auto* made = Make<UserObject>();
  if (made == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  made->object = object;
  made->end = end;
  made->references = references;
  made->handle = reinterpret_cast<CUuserObject>(g_objects.Add(made));
  *out = made->handle;
  if (made->handle != nullptr) return CUDA_SUCCESS;
  Destroy(made);
  return CUDA_ERROR_OUT_OF_MEMORY;
}

VGPU_API cuUserObjectRetain(CUuserObject handle, unsigned count) {
  Call call;
  UserObject* object;
  if (CUresult error = Find(call, handle, count, &object)) return error;
  object->references += count;
  return CUDA_SUCCESS;
}

VGPU_API cuUserObjectRelease(CUuserObject handle, unsigned count) {
  Call call;
  UserObject* object;
  if (CUresult error = Find(call, handle, count, &object)) return error;
  if (count > object->references) return CUDA_ERROR_INVALID_VALUE;
  DropReferences(object, count);
  return CUDA_SUCCESS;
}

VGPU_API cuGraphRetainUserObject(CUgraph graph_handle, CUuserObject handle, unsigned count,
                                 unsigned flags) {
  Call call;
  UserObject* object;
  if (CUresult error = Find(call, handle, count, &object)) return error;
  Graph* graph = FindGraph(graph_handle);
  if (graph == nullptr || (flags & ~kMove) != 0 || (flags == kMove && count > object->references)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (HeldObject* held = FindHeld(graph, object)) {
    held->count += count;
  } else if (!graph->objects.Push({object, count})) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  if (flags != kMove) object->references += count;
  return CUDA_SUCCESS;
}

VGPU_API cuGraphReleaseUserObject(CUgraph graph_handle, CUuserObject handle, unsigned count) {
  Call call;
  UserObject* object;
  if (CUresult error = Find(call, handle, count, &object)) return error;
  Graph* graph = FindGraph(graph_handle);
  HeldObject* held = graph == nullptr ? nullptr : FindHeld(graph, object);
  if (held == nullptr || held->count < count) return CUDA_ERROR_INVALID_VALUE;
  held->count -= count;
  if (held->count == 0) graph->objects.Remove(*held);
  DropReferences(object, count);
  return CUDA_SUCCESS;
}

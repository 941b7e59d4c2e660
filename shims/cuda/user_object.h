// User objects: what a program wants to live as long as the graphs that use it, with a function
// that ends it.
//
// That function is the program's and runs when nothing holds the lock: at the end of the call of
// the API that dropped the last reference (Call's destructor), in its thread.
//
// Functions want the state's lock (state.h), except where they say otherwise.

#ifndef SHIMS_CUDA_USER_OBJECT_H_
#define SHIMS_CUDA_USER_OBJECT_H_

#include "shims/abi/cuda_work_types.h"

namespace vgpu::cuda {

struct UserObject {
  CUuserObject handle = nullptr;
  void* object = nullptr;
  CUhostFn end = nullptr;
  uint64_t references = 0;
};

// References that a graph holds.
struct HeldObject {
  UserObject* object;
  uint64_t count;

  friend bool operator==(const HeldObject&, const HeldObject&) = default;
};

// Null: no such object, or no longer.
UserObject* FindUserObject(CUuserObject handle);

// Takes references away, at most those that there are; with the last one the object ends.
void DropReferences(UserObject* object, uint64_t count);

}  // namespace vgpu::cuda

#endif  // SHIMS_CUDA_USER_OBJECT_H_

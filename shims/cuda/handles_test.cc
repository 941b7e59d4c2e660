#include "shims/cuda/handles.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

namespace vgpu::cuda {
namespace {

TEST(Handles, FindsWhatWasAddedAndNothingElse) {
  static Handles<int, HandleKind::kEvent> handles;
  int object = 0;
  const uintptr_t handle = handles.Add(&object);
  EXPECT_EQ(handles.Find(handle), &object);
  EXPECT_EQ(handles.Find(uintptr_t{0}), nullptr);
  EXPECT_EQ(handles.Find(handle + 1), nullptr);
  EXPECT_EQ(handles.Find(handle + (1 << 5)), nullptr);
  EXPECT_EQ(handles.Find(&object), nullptr);
  EXPECT_EQ(handles.Find(~uintptr_t{0}), nullptr);
}

TEST(Handles, AreNoSmallNumbers) {
  static Handles<int, HandleKind::kStream> handles;
  int object = 0;
  EXPECT_GT(handles.Add(&object), 0xffffu);
}

TEST(Handles, OfAnotherKindAreNone) {
  static Handles<int, HandleKind::kEvent> events;
  static Handles<int, HandleKind::kStream> streams;
  int object = 0;
  EXPECT_EQ(streams.Find(events.Add(&object)), nullptr);
  EXPECT_NE(streams.Add(&object), 0u);
}

TEST(Handles, AStaleOneIsNoneThoughItsSlotIsUsedAgain) {
  static Handles<int, HandleKind::kEvent> handles;
  int first = 0;
  int second = 0;
  const uintptr_t old = handles.Add(&first);
  EXPECT_EQ(handles.Remove(old), &first);
  EXPECT_EQ(handles.Remove(old), nullptr);
  const uintptr_t now = handles.Add(&second);
  EXPECT_NE(now, old);
  EXPECT_EQ(handles.Find(old), nullptr);
  EXPECT_EQ(handles.Find(now), &second);
}

TEST(Handles, BehaveAsAMapDoes) {
  static Handles<int, HandleKind::kGraph> handles;
  std::unordered_map<uintptr_t, int*> model;
  std::vector<uintptr_t> all;
  std::mt19937 random(1);
  std::vector<int> objects(5000);
  for (int& object : objects) {
    const uintptr_t handle = handles.Add(&object);
    ASSERT_TRUE(model.emplace(handle, &object).second);
    all.push_back(handle);
    if (random() % 3 == 0) {
      const uintptr_t gone = all[random() % all.size()];
      EXPECT_EQ(handles.Remove(gone), model.count(gone) != 0 ? model[gone] : nullptr);
      model.erase(gone);
    }
  }
  for (uintptr_t handle : all) {
    EXPECT_EQ(handles.Find(handle), model.count(handle) != 0 ? model[handle] : nullptr);
  }
  size_t seen = 0;
  handles.ForEach([&](uintptr_t handle, int* object) {
    ++seen;
    EXPECT_EQ(model[handle], object);
    handles.Remove(handle);
  });
  EXPECT_EQ(seen, model.size());
  handles.ForEach([](uintptr_t, int*) { ADD_FAILURE() << "all are removed"; });
}

}  // namespace
}  // namespace vgpu::cuda

#include "shims/cuda/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <string>

namespace vgpu::cuda {
namespace {

TEST(Arena, PiecesAreZeroedAlignedAndApart) {
  static Arena arena(false);
  std::mt19937 random(3);
  std::map<char*, size_t> held;
  for (int i = 0; i < 20000; ++i) {
    if (held.empty() || random() % 2 == 0) {
      const size_t size = 1 + random() % (random() % 4 == 0 ? Arena::kLargest : 1000);
      auto* piece = static_cast<char*>(arena.Take(size));
      ASSERT_NE(piece, nullptr);
      ASSERT_EQ(reinterpret_cast<uintptr_t>(piece) % Arena::kSmallest, 0u);
      ASSERT_EQ(std::string(piece, size), std::string(size, '\0'));
      std::memset(piece, 0xff, size);
      auto after = held.lower_bound(piece);
      if (after != held.end()) {
        ASSERT_LE(piece + size, after->first);
      }
      if (after != held.begin()) {
        --after;
        ASSERT_LE(after->first + after->second, piece);
      }
      held[piece] = size;
    } else {
      auto gone = held.begin();
      std::advance(gone, random() % held.size());
      arena.Give(gone->first, gone->second);
      held.erase(gone);
    }
  }
}

TEST(Arena, WhatIsGivenBackIsUsedAgain) {
  static Arena arena(true);
  void* first = arena.Take(1000);
  arena.Give(first, 1000);
  EXPECT_EQ(arena.Take(600), first);
  EXPECT_NE(arena.Take(600), first);
}

TEST(Arena, TheLargestPieceIsWhole) {
  static Arena arena(true);
  auto* a = static_cast<char*>(arena.Take(Arena::kLargest));
  auto* b = static_cast<char*>(arena.Take(Arena::kLargest));
  std::memset(a, 1, Arena::kLargest);
  EXPECT_EQ(b[0], 0);
}

}  // namespace
}  // namespace vgpu::cuda

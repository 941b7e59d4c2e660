#include "shims/cudart/host_table.h"

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::cudart {
namespace {

struct Entry {
  const void* host;
  Entry* in_bucket;
};

const void* Address(uintptr_t number) { return reinterpret_cast<const void*>(number); }

TEST(HostTable, FindsNothingInAnEmptyOne) {
  HostTable<Entry> table;
  EXPECT_EQ(table.Find(Address(16)), nullptr);
  Entry entry = {Address(16), nullptr};
  table.Remove(&entry);
}

TEST(HostTable, FindsTheOneInsertedLast) {
  HostTable<Entry> table;
  Entry first = {Address(16), nullptr};
  Entry second = {Address(16), nullptr};
  ASSERT_TRUE(table.Insert(&first));
  ASSERT_TRUE(table.Insert(&second));
  EXPECT_EQ(table.Find(Address(16)), &second);
  table.Remove(&second);
  EXPECT_EQ(table.Find(Address(16)), &first);
  EXPECT_FALSE(table.empty());
  table.Clear();
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.Find(Address(16)), nullptr);
}

// Against a map, through many growths and removals.
TEST(HostTable, HoldsWhatAMapHolds) {
  HostTable<Entry> table;
  std::mt19937_64 random(1);
  std::map<const void*, std::vector<Entry*>> expected;
  std::vector<std::unique_ptr<Entry>> all;
  for (int i = 0; i < 50000; ++i) {
    const void* host = Address(random() % 20000 * 16);
    std::vector<Entry*>& same = expected[host];
    if (random() % 3 == 0 && !same.empty()) {
      table.Remove(same.back());
      same.pop_back();
    } else {
      all.push_back(std::make_unique<Entry>(Entry{host, nullptr}));
      ASSERT_TRUE(table.Insert(all.back().get()));
      same.push_back(all.back().get());
    }
    ASSERT_EQ(table.Find(host), same.empty() ? nullptr : same.back());
  }
  size_t left = 0;
  for (const auto& [host, same] : expected) {
    left += same.size();
    EXPECT_EQ(table.Find(host), same.empty() ? nullptr : same.back());
  }
  size_t visited = 0;
  table.ForEach([&](Entry&) { ++visited; });
  EXPECT_EQ(visited, left);
  table.Clear();
}

}  // namespace
}  // namespace vgpu::cudart

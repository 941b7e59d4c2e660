#include "diag/loader/ld_so_cache.h"

#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace vgpu::loader {
namespace {

// Made by ldconfig of glibc 2.36 from /lib/libone.so.1, /lib/liba.so and
// /lib/glibc-hwcaps/x86-64-v3/libone.so.1.
std::string File(const std::string& name) {
  std::ifstream file("diag/loader/testdata/ld_so_cache_corpus/" + name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(LdSoCacheTest, TheFileForABetterCpuComesFirst) {
  for (const char* name : {"new", "compat"}) {
    const absl::StatusOr<LdSoCache> cache = LdSoCache::Parse(File(name));
    ASSERT_TRUE(cache.ok()) << name << ": " << cache.status();
    EXPECT_EQ(cache->entries().size(), 3u);
    const auto found = cache->Find("libone.so.1");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0]->hwcaps, "x86-64-v3");
    EXPECT_EQ(found[1]->hwcaps, "");
    EXPECT_EQ(found[1]->path, "/lib/libone.so.1");
    EXPECT_TRUE(cache->Find("libtwo.so.1").empty());
  }
}

TEST(LdSoCacheTest, WhatIsNoCacheIsSaidToBeNone) {
  EXPECT_FALSE(LdSoCache::Parse("").ok());
  EXPECT_FALSE(LdSoCache::Parse("ld.so-1.7.0").ok());
  EXPECT_FALSE(LdSoCache::Parse(File("new").substr(0, 60)).ok());
}

}  // namespace
}  // namespace vgpu::loader

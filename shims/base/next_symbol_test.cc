#include "shims/base/next_symbol.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace vgpu {
namespace {

// A sanitizer's functions stand in the program itself, before which nothing stands.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// In a program, what stands behind is what it needs.
TEST(NextSymbolTest, IsWhatTheLoaderFinds) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's own functions come between";
  for (const char* name : {"execve", "open", "openat", "realpath", "posix_spawn", "posix_spawnp",
                           "fopen", "glob", "nftw", "memcpy", "gettimeofday"}) {
    EXPECT_EQ(NextSymbol(name), dlsym(RTLD_NEXT, name)) << name;
    EXPECT_NE(NextSymbol(name), nullptr) << name;
  }
}

// glibc 2.15 gave posix_spawn a second version (posix/spawn.c); the old one is for old programs.
TEST(NextSymbolTest, IsTheDefaultVersion) {
  void* old_one = dlvsym(RTLD_NEXT, "posix_spawn", "GLIBC_2.2.5");
  if (old_one == nullptr) GTEST_SKIP() << "this libc has no old version of posix_spawn";
  EXPECT_NE(NextSymbol("posix_spawn"), old_one);
}

// What programs built before glibc 2.33 call for mknod(2) has no default version any more.
TEST(NextSymbolTest, IsAnOldVersionWhereThereIsNoOther) {
  EXPECT_EQ(NextSymbol("__xmknod"), dlvsym(RTLD_NEXT, "__xmknod", "GLIBC_2.2.5"));
}

TEST(NextSymbolTest, IsNullWhereThereIsNone) {
  errno = 7;
  EXPECT_EQ(NextSymbol("no_such_function_anywhere"), nullptr);
  EXPECT_EQ(errno, 7);
}

TEST(NextSymbolTest, DataIsNoFunction) { EXPECT_EQ(NextSymbol("stdout"), nullptr); }

TEST(NextFunctionTest, IsCalled) {
  static constinit NextFunction<size_t(const char*)> next_strlen{"strlen"};
  ASSERT_NE(next_strlen.Get(), nullptr);
  EXPECT_EQ(next_strlen.Get()("four"), 4u);
  EXPECT_EQ(next_strlen.Get()("seven.."), 7u);
}

}  // namespace
}  // namespace vgpu

#include "shims/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace vgpu {
namespace {

std::string PathOf(const std::string& name) { return testing::TempDir() + "/" + name; }

std::string Make(const std::string& name, const std::string& content) {
  const std::string path = PathOf(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(FileTest, TheWholeContent) {
  std::array<char, 16> buffer;
  std::string_view text = "before";
  errno = ERANGE;
  EXPECT_EQ(ReadSmallFile(Make("some", std::string("a\0b\n", 4)).c_str(), buffer, &text), 0);
  EXPECT_EQ(text, std::string_view("a\0b\n", 4));
  EXPECT_EQ(ReadSmallFile(Make("none", "").c_str(), buffer, &text), 0);
  EXPECT_EQ(text, "");
  EXPECT_EQ(errno, ERANGE);
}

TEST(FileTest, OneThatFillsTheBufferAndOneThatDoesNotFit) {
  std::array<char, 4> buffer;
  std::string_view text;
  EXPECT_EQ(ReadSmallFile(Make("four", "1234").c_str(), buffer, &text), 0);
  EXPECT_EQ(text, "1234");
  EXPECT_EQ(ReadSmallFile(Make("five", "12345").c_str(), buffer, &text), EFBIG);
}

TEST(FileTest, ProcfsSaysThatItsFilesAreEmptyAndTheyAreNot) {
  std::array<char, 4096> buffer;
  std::string_view text;
  ASSERT_EQ(ReadSmallFile("/proc/self/stat", buffer, &text), 0);
  EXPECT_EQ(text.substr(0, text.find(' ')), std::to_string(getpid()));
}

TEST(FileTest, WhatIsNoFileIsNotWaitedFor) {
  std::array<char, 16> buffer;
  std::string_view text;
  const std::string fifo = PathOf("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(ReadSmallFile(fifo.c_str(), buffer, &text), EINVAL);
  EXPECT_EQ(ReadSmallFile("/dev/zero", buffer, &text), EINVAL);
  EXPECT_EQ(ReadSmallFile(testing::TempDir().c_str(), buffer, &text), EINVAL);
  EXPECT_EQ(ReadSmallFile(PathOf("missing").c_str(), buffer, &text), ENOENT);
}

}  // namespace
}  // namespace vgpu

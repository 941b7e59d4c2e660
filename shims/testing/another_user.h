// For tests of what a user may not do: root, who may all, becomes another user for a while, in a
// directory that this user may enter. (Bazel's own lies below the home of the one who runs it, and
// its sandbox may have one user alone: such a test has the tag `local`.)
//
//   OpenDirectory directory;
//   {
//     AnotherUser user;
//     if (!user.ok()) GTEST_SKIP() << user.why_not();
//     EXPECT_EQ(open((directory.path() + "/secret").c_str(), O_RDONLY), -1);
//   }
//
// Of a test's one thread.

#ifndef SHIMS_TESTING_ANOTHER_USER_H_
#define SHIMS_TESTING_ANOTHER_USER_H_

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace vgpu::testing_tools {

// A new directory below /tmp that everybody may enter, removed with all that is in it.
class OpenDirectory {
 public:
  OpenDirectory() {
    std::string made = "/tmp/vgpu-test.XXXXXX";
    if (mkdtemp(made.data()) == nullptr || chmod(made.c_str(), 0755) != 0) abort();
    path_ = made;
  }
  ~OpenDirectory() { std::filesystem::remove_all(path_); }
  OpenDirectory(const OpenDirectory&) = delete;
  OpenDirectory& operator=(const OpenDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// While it lives, root is nobody; who is not root stays who he is.
class AnotherUser {
 public:
  AnotherUser() : was_root_(geteuid() == 0) {
    if (was_root_ && seteuid(kNobody) != 0) why_not_ = strerror(errno);
  }
  ~AnotherUser() {
    // A test that goes on as another user would fail anywhere.
    if (was_root_ && ok() && seteuid(0) != 0) abort();
  }
  AnotherUser(const AnotherUser&) = delete;
  AnotherUser& operator=(const AnotherUser&) = delete;

  bool ok() const { return why_not_.empty(); }
  std::string why_not() const { return "no other user can be had here: " + why_not_; }

 private:
  static constexpr uid_t kNobody = 65534;

  bool was_root_;
  std::string why_not_;
};

}  // namespace vgpu::testing_tools

#endif  // SHIMS_TESTING_ANOTHER_USER_H_

#include "shims/syscall/walk_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "shims/testing/another_user.h"

namespace vgpu::redirect {
namespace {

namespace fs = std::filesystem;

// What the C library's own functions do with files that nothing is redirected for is what ours do,
// visit by visit: directories, files, links to both, links that lead nowhere, up, and in a circle.
class WalkFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::canonical(directory_.path()).string() + "/walk";
    for (const char* directory : {"/a/b/c", "/d", "/empty", "/closed", "/listed"}) {
      fs::create_directories(root_ + directory);
    }
    for (const char* file : {"/a/file", "/a/b/file", "/d/file", "/closed/file", "/listed/file"}) {
      std::ofstream(root_ + file) << file;
    }
    fs::create_symlink("nowhere", root_ + "/dangling");
    fs::create_symlink("../..", root_ + "/a/b/up");
    fs::create_symlink("../a", root_ + "/d/aside");
    fs::create_symlink("a/file", root_ + "/link");
    chmod((root_ + "/closed").c_str(), 0);
    chmod((root_ + "/listed").c_str(), 0444);
    before_ = fs::current_path();
  }
  void TearDown() override {
    chmod((root_ + "/closed").c_str(), 0755);
    chmod((root_ + "/listed").c_str(), 0755);
    fs::current_path(before_);
    fs::remove_all(root_);
  }

  // What the visits are told, and what they answer to those of a name.
  static inline std::vector<std::string> seen;
  static inline std::string stop_at;
  static inline int answer = 0;

  static int Answer(const char* path) {
    return !stop_at.empty() && std::string_view(path).ends_with(stop_at) ? answer : 0;
  }
  static int Visit(const char* path, const struct stat* status, int kind, struct FTW* place) {
    // Whether the file is found by its own name alone: FTW_CHDIR.
    struct stat here = {};
    bool is_here = lstat(path + place->base, &here) == 0;
    seen.push_back(std::string(path) + " " + std::to_string(kind) + " base " +
                   std::to_string(place->base) + " level " + std::to_string(place->level) +
                   (is_here ? " here" : "") +
                   (kind == FTW_NS ? "" : " inode " + std::to_string(status->st_ino)));
    return Answer(path);
  }
  static int VisitSimply(const char* path, const struct stat*, int kind) {
    seen.push_back(std::string(path) + " " + std::to_string(kind));
    return Answer(path);
  }

  template <typename Walk>
  static std::vector<std::string> Run(Walk walk) {
    seen.clear();
    errno = 0;
    int result = walk();
    seen.push_back("result " + std::to_string(result) +
                   (result == -1 ? std::string(" ") + strerror(errno) : ""));
    seen.push_back("in " + fs::current_path().string());
    return seen;
  }
  static void Compare(const std::string& path, int flags) {
    EXPECT_EQ(Run([&] { return WalkFiles(path.c_str(), Visit, flags); }),
              Run([&] { return ::nftw(path.c_str(), Visit, 20, flags); }))
        << path << " flags " << flags;
  }

  testing_tools::OpenDirectory directory_;
  std::string root_;
  fs::path before_;
};

TEST_F(WalkFilesTest, AsNftwWithEveryFlag) {
  fs::current_path(root_);
  for (int flags = 0; flags < 32; ++flags) {
    ASSERT_EQ(FTW_PHYS | FTW_MOUNT | FTW_CHDIR | FTW_DEPTH | FTW_ACTIONRETVAL, 31);
    for (const std::string& path :
         {root_, root_ + "/", std::string("."), std::string("a"), std::string("a/b/"),
          root_ + "/link", root_ + "/dangling", root_ + "/d/aside", root_ + "/none",
          root_ + "/empty", std::string("")}) {
      Compare(path, flags);
    }
  }
  // One that ends a walk.
  fs::create_symlink("circle", root_ + "/circle");
  for (int flags = 0; flags < 32; ++flags) {
    Compare(root_, flags);
    Compare(root_ + "/circle", flags);
  }
}

TEST_F(WalkFilesTest, AsNftwWhereAVisitEndsIt) {
  for (const char* name : {"/a", "/a/b", "/file", "/dangling", "/up"}) {
    stop_at = name;
    for (int flags : {0, +FTW_PHYS, FTW_PHYS | FTW_DEPTH, +FTW_CHDIR}) {
      answer = 7;
      Compare(root_, flags);
      for (int action : {FTW_STOP, FTW_SKIP_SUBTREE, FTW_SKIP_SIBLINGS}) {
        answer = action;
        Compare(root_, flags | FTW_ACTIONRETVAL);
      }
    }
  }
  stop_at.clear();
}

TEST_F(WalkFilesTest, AsFtw) {
  for (const std::string& path : {root_, root_ + "/dangling", root_ + "/none", root_ + "/link"}) {
    EXPECT_EQ(Run([&] { return WalkFilesSimply(path.c_str(), VisitSimply); }),
              Run([&] { return ::ftw(path.c_str(), VisitSimply, 20); }))
        << path;
  }
}

TEST_F(WalkFilesTest, AsAUserWhoMayNotReadAll) {
  const testing_tools::AnotherUser user;
  if (!user.ok()) GTEST_SKIP() << user.why_not();
  struct stat status = {};
  ASSERT_EQ(lstat((root_ + "/closed/file").c_str(), &status), -1);
  for (int flags : {0, +FTW_PHYS, +FTW_DEPTH}) Compare(root_, flags);
}

TEST_F(WalkFilesTest, ManyDirectories) {
  for (int i = 0; i < 500; ++i) {
    fs::create_directories(root_ + "/many/" + std::to_string(i));
    fs::create_symlink("../" + std::to_string((i * 7 + 1) % 500),
                       root_ + "/many/" + std::to_string(i) + "/next");
  }
  Compare(root_ + "/many", 0);
}

TEST(WalkMayComeToOursTest, FromTheText) {
  for (const char* path : {"/", "//", "/sys", "/sys/bus", "//sys", "/proc/driver", ".", "a"}) {
    EXPECT_TRUE(WalkMayComeToOurs(path)) << path;
  }
  for (const char* path : {"/usr", "/home/sys", "/run"}) {
    EXPECT_FALSE(WalkMayComeToOurs(path)) << path;
  }
  EXPECT_FALSE(WalkMayComeToOurs(nullptr));
}

}  // namespace
}  // namespace vgpu::redirect

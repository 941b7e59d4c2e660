#include "tools/vgpu_doctor/repair/file_changes.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

constexpr char kStamp[] = "20260224T151200Z";

class FileChangesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Not the test's own directory, which may lie below one that is not root's.
    std::string name = "/tmp/changes.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    char real[PATH_MAX];
    ASSERT_NE(realpath(name.c_str(), real), nullptr);
    dir_ = real;
  }
  void TearDown() override { EXPECT_EQ(system(absl::StrCat("rm -rf ", dir_).c_str()), 0); }

  std::string Path(absl::string_view name) const { return absl::StrCat(dir_, "/", name); }
  std::string Put(absl::string_view name, absl::string_view text, mode_t mode = 0644) {
    std::ofstream(Path(name)) << text;
    chmod(Path(name).c_str(), mode);
    return Path(name);
  }
  static std::string Text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static struct stat Stat(const std::string& path) {
    struct stat st = {};
    EXPECT_EQ(lstat(path.c_str(), &st), 0) << path;
    return st;
  }
  // Every name in the directory, sorted.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    DIR* dir = opendir(dir_.c_str());
    while (const dirent* entry = readdir(dir)) {
      if (entry->d_name[0] != '.' || entry->d_name[1] == 'v') names.emplace_back(entry->d_name);
    }
    closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string dir_;
  FileChanges changes_{kStamp};
};

TEST_F(FileChangesTest, ANewFileComesWithItsDirectoriesAndGoesWithThem) {
  const std::string path = Path("a.service.d/b/zz.conf");
  ASSERT_TRUE(changes_.Do(rules::WriteFile{path, "[Service]\n"}).ok());
  EXPECT_EQ(Text(path), "[Service]\n");
  EXPECT_EQ(Stat(path).st_mode & 07777, 0644u);
  EXPECT_EQ(Stat(Path("a.service.d")).st_mode & 07777, 0755u);
  ASSERT_EQ(changes_.changes().size(), 3u);
  EXPECT_EQ(changes_.changes()[2].undo, absl::StrCat("sudo rm ", path));
  EXPECT_EQ(changes_.changes()[2].backup, "");
  ASSERT_TRUE(changes_.RollBack().ok());
  EXPECT_EQ(Names(), std::vector<std::string>());
}

TEST_F(FileChangesTest, AFileIsReplacedAsAWholeAndTheOldOneKeepsItsInode) {
  const std::string path = Put("list", "/old.so\n", 0640);
  // Another owner, where one can be given: a sandbox of one user has none.
  [[maybe_unused]] const int given = chown(path.c_str(), 65534, 65534);
  const bool attributes = setxattr(path.c_str(), "user.note", "kept", 4, 0) == 0;
  const struct stat before = Stat(path);
  ASSERT_TRUE(changes_.Do(rules::WriteFile{path, "/new.so\n"}).ok());
  EXPECT_EQ(Text(path), "/new.so\n");
  const struct stat after = Stat(path);
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_gid, before.st_gid);
  if (attributes) {
    char value[8] = {};
    EXPECT_EQ(getxattr(path.c_str(), "user.note", value, sizeof value), 4);
  }
  ASSERT_EQ(changes_.changes().size(), 1u);
  const std::string backup = changes_.changes()[0].backup;
  EXPECT_EQ(backup, absl::StrCat(path, ".vgpu-doctor-", kStamp, ".bak"));
  EXPECT_EQ(Stat(backup).st_ino, before.st_ino);
  EXPECT_EQ(Names(),
            std::vector<std::string>({"list", absl::StrCat("list.vgpu-doctor-", kStamp, ".bak")}));
  ASSERT_TRUE(changes_.RollBack().ok());
  EXPECT_EQ(Stat(path).st_ino, before.st_ino);
  EXPECT_EQ(Names(), std::vector<std::string>({"list"}));
}

TEST_F(FileChangesTest, WhatIsAsItShouldBeIsNoChange) {
  const std::string path = Put("list", "/a.so\n");
  ASSERT_TRUE(changes_.Do(rules::WriteFile{path, "/a.so\n"}).ok());
  ASSERT_TRUE(changes_.Do(rules::ChangeMode{path, 0444, 0}).ok());
  EXPECT_EQ(changes_.changes().size(), 0u);
  EXPECT_EQ(Names(), std::vector<std::string>({"list"}));
}

TEST_F(FileChangesTest, WithoutABackupNothingIsChanged) {
  const std::string path = Put("list", "/old.so\n");
  Put(absl::StrCat("list.vgpu-doctor-", kStamp, ".bak"), "taken");
  const std::vector<std::string> names = Names();
  const absl::Status status = changes_.Do(rules::WriteFile{path, "/new.so\n"});
  EXPECT_TRUE(absl::StrContains(status.message(), ".bak: file exists")) << status;
  EXPECT_EQ(Text(path), "/old.so\n");
  EXPECT_EQ(Names(), names);
  EXPECT_TRUE(changes_.changes().empty());
}

TEST_F(FileChangesTest, ANameThatIsTooLongForItsBackupChangesNothing) {
  const std::string name(250, 'n');
  const std::string path = Put(name, "/old.so\n");
  const absl::Status status = changes_.Do(rules::WriteFile{path, "/new.so\n"});
  EXPECT_TRUE(absl::StrContains(status.message(), "file name too long")) << status;
  EXPECT_EQ(Text(path), "/old.so\n");
  EXPECT_EQ(Names(), std::vector<std::string>({name}));
}

TEST_F(FileChangesTest, AStepThatFailsTakesBackItsOwnDirectoriesOnly) {
  ASSERT_TRUE(changes_.Do(rules::WriteFile{Path("first"), "1"}).ok());
  EXPECT_FALSE(changes_.Do(rules::MoveFile{Path("nothing"), Path("x/y/z")}).ok());
  Put("taken", "2");
  EXPECT_FALSE(changes_.Do(rules::MoveFile{Path("first"), Path("taken")}).ok());
  EXPECT_FALSE(changes_.Do(rules::MakeLink{Path("x/y/z"), Path("nothing")}).ok());
  EXPECT_EQ(Names(), std::vector<std::string>({"first", "taken"}));
  ASSERT_EQ(changes_.changes().size(), 1u);
  EXPECT_EQ(changes_.changes()[0].path, Path("first"));
}

TEST_F(FileChangesTest, AFileThatALinkLeadsToIsReplacedThere) {
  const std::string path = Put("real", "old");
  ASSERT_EQ(symlink("real", Path("link").c_str()), 0);
  ASSERT_TRUE(changes_.Do(rules::WriteFile{Path("link"), "new"}).ok());
  EXPECT_TRUE(S_ISLNK(Stat(Path("link")).st_mode));
  EXPECT_EQ(Text(path), "new");
  ASSERT_EQ(symlink("nothing", Path("dangling").c_str()), 0);
  EXPECT_FALSE(changes_.Do(rules::WriteFile{Path("dangling"), "new"}).ok());
}

TEST_F(FileChangesTest, ALinkTakesThePlaceOfACopyAndOfALink) {
  const std::string shim = Put("libvgpu-cuda.so", "the shim");
  const std::string copy = Put("libcuda.so.1", "a copy");
  ASSERT_EQ(symlink("gone", Path("dangling").c_str()), 0);
  ASSERT_TRUE(changes_.Do(rules::MakeLink{copy, shim}).ok());
  ASSERT_TRUE(changes_.Do(rules::MakeLink{Path("dangling"), shim}).ok());
  ASSERT_TRUE(changes_.Do(rules::MakeLink{Path("new/libcuda.so.1"), shim}).ok());
  EXPECT_EQ(Text(copy), "the shim");
  EXPECT_EQ(Text(Path("dangling")), "the shim");
  EXPECT_EQ(Text(Path("new/libcuda.so.1")), "the shim");
  ASSERT_TRUE(changes_.RollBack().ok());
  EXPECT_EQ(Text(copy), "a copy");
  EXPECT_TRUE(S_ISREG(Stat(copy).st_mode));
  char target[16] = {};
  EXPECT_EQ(readlink(Path("dangling").c_str(), target, sizeof target), 4);
  EXPECT_EQ(Names(), std::vector<std::string>({"dangling", "libcuda.so.1", "libvgpu-cuda.so"}));
}

TEST_F(FileChangesTest, AModeIsOpenedAndClosedAgain) {
  const std::string path = Put("libvgpu-cuda.so", "", 0600);
  ASSERT_TRUE(changes_.Do(rules::ChangeMode{path, 0444, 0}).ok());
  EXPECT_EQ(Stat(path).st_mode & 07777, 0644u);
  ASSERT_TRUE(changes_.Do(rules::ChangeMode{path, 0, 0044}).ok());
  EXPECT_EQ(Stat(path).st_mode & 07777, 0600u);
  ASSERT_EQ(changes_.changes().size(), 2u);
  EXPECT_EQ(changes_.changes()[0].undo, absl::StrCat("sudo chmod 0600 ", path));
  ASSERT_TRUE(changes_.RollBack().ok());
  EXPECT_EQ(Stat(path).st_mode & 07777, 0600u);
}

TEST_F(FileChangesTest, WhatOnlyAProcessSeesIsRefused) {
  const std::string path = Put("file", "", 0600);
  // Of a process that has this machine's root it is the same file.
  const std::string seen = absl::StrCat("/proc/", getpid(), "/root", path);
  const absl::Status status = changes_.Do(rules::ChangeMode{seen, 0444, 0});
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Stat(path).st_mode & 07777, 0644u);
  EXPECT_FALSE(changes_.Do(rules::ChangeMode{"/proc/self/status", 0444, 0}).ok());
  EXPECT_FALSE(changes_.Do(rules::WriteFile{"relative", ""}).ok());
  EXPECT_FALSE(changes_.Do(rules::Restart{"ollama.service"}).ok());
}

// The ways in which another user could have root change a file of his choice.
TEST_F(FileChangesTest, WhereAnotherUserDecidesNothingIsChanged) {
  if (geteuid() != 0) GTEST_SKIP() << "an ordinary user changes only what is his own";
  chmod(dir_.c_str(), 0755);
  const std::string secret = Put("secret", "root's", 0600);
  const auto refused = [&](const std::string& path, absl::string_view why) {
    for (const rules::Action& action : {rules::Action(rules::ChangeMode{path, 0444, 0}),
                                        rules::Action(rules::WriteFile{path, "other"}),
                                        rules::Action(rules::MoveFile{path, Path("moved")}),
                                        rules::Action(rules::MakeLink{path, secret}),
                                        rules::Action(rules::RemoveCapabilities{path})}) {
      const absl::Status status = changes_.Do(action);
      EXPECT_TRUE(absl::StrContains(status.message(), why)) << status;
    }
    EXPECT_EQ(Text(secret), "root's");
    EXPECT_EQ(Stat(secret).st_mode & 07777, 0600u);
    EXPECT_TRUE(changes_.changes().empty());
  };
  // His directory, and a link in it.
  ASSERT_EQ(mkdir(Path("his").c_str(), 0755), 0);
  ASSERT_EQ(symlink(secret.c_str(), Path("his/lib.so").c_str()), 0);
  if (chown(Path("his").c_str(), 65534, 65534) != 0) GTEST_SKIP() << "there is one user here";
  refused(Path("his/lib.so"), "his belongs to user 65534");
  refused(Path("his/new.conf"), "his belongs to user 65534");
  // By way of a link of root's.
  ASSERT_EQ(symlink("his", Path("way").c_str()), 0);
  refused(Path("way/lib.so"), "his belongs to user 65534");
  // A directory of root's that his group may write.
  ASSERT_EQ(mkdir(Path("shared").c_str(), 0755), 0);
  ASSERT_EQ(chmod(Path("shared").c_str(), 0775), 0);
  Put("shared/lib.so", "");
  refused(Path("shared/lib.so"), "may be written by users other than root");
  // As in /tmp: his link in it, and root's own file.
  ASSERT_EQ(chmod(Path("shared").c_str(), 01777), 0);
  ASSERT_EQ(symlink(secret.c_str(), Path("shared/link").c_str()), 0);
  ASSERT_EQ(lchown(Path("shared/link").c_str(), 65534, 65534), 0);
  refused(Path("shared/link"), "link belongs to user 65534");
  const absl::Status ours = changes_.Do(rules::ChangeMode{Path("shared/lib.so"), 0111, 0});
  EXPECT_TRUE(ours.ok()) << ours;
}

TEST_F(FileChangesTest, WhatSomebodyElsePutThereMeanwhileStays) {
  const std::string list = Put("list", "old");
  const std::string moved = Put("moved", "old");
  ASSERT_TRUE(changes_.Do(rules::WriteFile{list, "ours"}).ok());
  ASSERT_TRUE(changes_.Do(rules::WriteFile{Path("new"), "ours"}).ok());
  ASSERT_TRUE(changes_.Do(rules::MoveFile{moved, Path("away")}).ok());
  for (const char* name : {"list", "new", "moved"}) {
    ASSERT_EQ(rename(Put("theirs", "theirs").c_str(), Path(name).c_str()), 0);
  }
  const absl::Status status = changes_.RollBack();
  EXPECT_TRUE(absl::StrContains(status.message(), "new could not be taken back: somebody else"))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "moved could not be taken back: file exists"))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "what stood there before is ")) << status;
  for (const char* name : {"list", "new", "moved"}) EXPECT_EQ(Text(Path(name)), "theirs");
  EXPECT_EQ(Text(Path("away")), "old");
  EXPECT_EQ(Text(absl::StrCat(list, ".vgpu-doctor-", kStamp, ".bak")), "old");
}

TEST_F(FileChangesTest, AModeOfAFileThatIsALinkNowIsToldAndNotSet) {
  const std::string path = Put("lib.so", "", 0600);
  const std::string other = Put("other", "", 0644);
  ASSERT_TRUE(changes_.Do(rules::ChangeMode{path, 0444, 0}).ok());
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_EQ(symlink(other.c_str(), path.c_str()), 0);
  const absl::Status status = changes_.RollBack();
  EXPECT_TRUE(absl::StrContains(status.message(), "is a link")) << status;
  EXPECT_EQ(Stat(other).st_mode & 07777, 0644u);
}

TEST(WithoutListEntries, TakesOutWhatIsNamedAndNothingElse) {
  const auto left = [](absl::string_view text, const std::vector<std::string>& entries) {
    absl::StatusOr<std::string> result = WithoutListEntries(text, entries);
    return result.ok() ? *result : std::string(result.status().message());
  };
  EXPECT_EQ(left("/a.so\n/bad.so\n/b.so\n", {"/bad.so"}), "/a.so\n/b.so\n");
  EXPECT_EQ(left("/a.so /bad.so:/b.so\n", {"/bad.so"}), "/a.so /b.so\n");
  EXPECT_EQ(left("/a.so\t/bad.so", {"/bad.so"}), "/a.so\n");
  EXPECT_EQ(left("/bad.so\n", {"/bad.so"}), "");
  EXPECT_EQ(left("/bad.so", {"/bad.so"}), "");
  EXPECT_EQ(left("/bad.so.1\n/bad.so\n\n", {"/bad.so"}), "/bad.so.1\n\n");
  EXPECT_EQ(left("/x.so\n/y.so\n/x.so\n", {"/x.so", "/y.so"}), "");
  EXPECT_EQ(left("/a.so\n", {"/bad.so"}), "does not hold /bad.so any more");
}

TEST(WithAssignment, WritesTheLineThatItWasSentTo) {
  const auto with = [](absl::string_view text, int line, absl::string_view value) {
    absl::StatusOr<std::string> result = WithAssignment(text, line, "LD_PRELOAD", value);
    return result.ok() ? *result : std::string(result.status().message());
  };
  EXPECT_EQ(with("A=1\nLD_PRELOAD=/old.so\nB=2\n", 2, "/new.so"),
            "A=1\nLD_PRELOAD=\"/new.so\"\nB=2\n");
  EXPECT_EQ(with("  LD_PRELOAD='/o l.so'", 1, "/a.so:/b.so"), "LD_PRELOAD=\"/a.so:/b.so\"");
  EXPECT_EQ(with("A=1\n", 1, "/new.so"), "line 1 does not assign LD_PRELOAD");
  EXPECT_EQ(with("LD_PRELOAD_X=1\n", 1, "/new.so"), "line 1 does not assign LD_PRELOAD");
  EXPECT_EQ(with("A=1\n", 7, "/new.so"), "line 7 is not there");
  EXPECT_TRUE(absl::StrContains(with("LD_PRELOAD=\"/a \\\n/b\"\n", 1, "/n.so"), "a person"));
  EXPECT_TRUE(absl::StrContains(with("A=\\\nLD_PRELOAD=/a\n", 2, "/n.so"), "continues"));
  EXPECT_TRUE(absl::StrContains(with("LD_PRELOAD=/a\n", 1, "/$x"), "quotes"));
}

// A file system of one page that is full.
TEST_F(FileChangesTest, AFullDiskChangesNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "a small file system is for root to mount";
  const std::string mount = Path("small");
  ASSERT_EQ(mkdir(mount.c_str(), 0755), 0);
  if (system(absl::StrCat("mount -t tmpfs -o size=16k tmpfs ", mount, " 2>/dev/null").c_str()) !=
      0) {
    GTEST_SKIP() << "no file system can be mounted here";
  }
  {
    std::ofstream(mount + "/list") << "/old.so\n";
    std::ofstream(mount + "/rest") << std::string(1 << 16, 'x');
    const absl::Status status =
        changes_.Do(rules::WriteFile{mount + "/list", std::string(8192, 'n')});
    EXPECT_TRUE(absl::StrContains(status.message(), "no space left on device")) << status;
    EXPECT_EQ(Text(mount + "/list"), "/old.so\n");
    EXPECT_NE(access((mount + "/list.vgpu-doctor-" + kStamp + ".bak").c_str(), F_OK), 0);
    EXPECT_NE(access((mount + "/.vgpu-doctor-" + kStamp + ".new").c_str(), F_OK), 0);
    EXPECT_FALSE(changes_.Do(rules::WriteFile{mount + "/a/b", std::string(8192, 'n')}).ok());
    EXPECT_NE(access((mount + "/a").c_str(), F_OK), 0);
    // A mode needs no space.
    EXPECT_TRUE(changes_.Do(rules::ChangeMode{mount + "/list", 0111, 0}).ok());
  }
  EXPECT_EQ(system(absl::StrCat("umount ", mount).c_str()), 0);
}

}  // namespace
}  // namespace vgpu::doctor

#include "diag/host/dir_files.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

// This process has no openat2(2) from here on, as before Linux 5.6 (ENOSYS) or below a seccomp
// filter that is older than the call (EPERM, as container runtimes had it).
bool ForbidOpenat2(int error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program = {std::size(code), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

class DirFilesTest : public testing::Test {
 protected:
  DirFilesTest() {
    char name[] = "/tmp/dir_files_XXXXXX";
    outer_ = mkdtemp(name);
    const std::string root = outer_ + "/root";
    for (const char* dir : {"/root", "/root/a", "/root/a/b"}) mkdir((outer_ + dir).c_str(), 0755);
    std::ofstream(outer_ + "/secret") << "outside";
    std::ofstream(root + "/a/b/file") << "inside";
    EXPECT_EQ(symlink("..", (root + "/up").c_str()), 0);
    EXPECT_EQ(symlink("b", (root + "/a/link").c_str()), 0);
    EXPECT_EQ(symlink("b/file", (root + "/a/short").c_str()), 0);
  }
  ~DirFilesTest() override {
    for (const char* path :
         {"/secret", "/root/a/b/file", "/root/up", "/root/a/link", "/root/a/short"}) {
      unlink((outer_ + path).c_str());
    }
    for (const char* dir : {"/root/a/b", "/root/a", "/root", ""}) rmdir((outer_ + dir).c_str());
  }

  // The same whatever the kernel has.
  void LookAround() const {
    auto files = DirFiles::At(outer_ + "/root");
    ASSERT_TRUE(files.ok()) << files.status();
    const DirFiles& all = **files;
    EXPECT_EQ(all.Stat("/")->type, FileType::kDir);
    EXPECT_EQ(all.Stat("/a")->type, FileType::kDir);
    EXPECT_EQ(all.Stat("//a///b/file/")->size, 6u);
    EXPECT_EQ(all.Read("/a/b/file", 100)->bytes, "inside");
    EXPECT_EQ(*all.List("/a"), (std::vector<std::string>{"b", "link", "short"}));
    EXPECT_EQ(*all.List("/"), (std::vector<std::string>{"a", "up"}));
    EXPECT_EQ(*all.ReadLink("/a/short"), "b/file");
    EXPECT_EQ(all.Stat("/a/short")->type, FileType::kSymlink);
    // No link is followed, neither on the way nor at its end, and nothing leads out.
    EXPECT_TRUE(all.Stat("/a/link/file").absent());
    EXPECT_TRUE(all.Stat("/up/secret").absent());
    EXPECT_TRUE(all.Read("/up/secret", 100).absent());
    EXPECT_FALSE(all.Read("/a/short", 100).present());
    EXPECT_EQ(all.Stat("/../secret").why_not(), "unresolved `..`");
    // Nothing is below a file, and nothing is where no directory is.
    EXPECT_TRUE(all.Stat("/a/b/file/x/y").absent());
    EXPECT_TRUE(all.Stat("/none/x").absent());
    EXPECT_TRUE(all.Stat("/none").absent());
  }

  std::string outer_;
};

TEST_F(DirFilesTest, LooksBelowItsDirectoryOnly) { LookAround(); }

TEST_F(DirFilesTest, OnAnyKernelAndInAnySandbox) {
  for (int error : {ENOSYS, EPERM}) {
    EXPECT_EXIT(
        {
          if (!ForbidOpenat2(error)) exit(2);
          errno = 0;
          if (syscall(SYS_openat2, -1, "", nullptr, 0) != -1 || errno != error) exit(3);
          LookAround();
          exit(HasFailure() ? 1 : 0);
        },
        testing::ExitedWithCode(0), "");
  }
}

}  // namespace
}  // namespace vgpu::host

#include "diag/host/live_host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

TEST(LiveHostTest, ReadsProcfsThatHasNoSize) {
  LiveHost host;
  Observed<Content> stat = host.Read(absl::StrCat("/proc/", getpid(), "/stat"));
  ASSERT_TRUE(stat.present()) << stat.why_not();
  EXPECT_EQ(stat->bytes.substr(0, stat->bytes.find(' ')), absl::StrCat(getpid()));
}

TEST(LiveHostTest, TheExeLinkOfThisProcessIsThisTest) {
  LiveHost host;
  Observed<std::string> exe = host.ReadLink(absl::StrCat("/proc/", getpid(), "/exe"));
  ASSERT_TRUE(exe.present()) << exe.why_not();
  EXPECT_EQ(Basename(*exe), "live_host_test");
}

TEST(LiveHostTest, TheRootOfAProcessIsARootOfItsOwn) {
  LiveHost host;
  const std::string root = absl::StrCat("/proc/", getpid(), "/root");
  Observed<Resolved> found = host.Resolve("/etc/passwd", root);
  ASSERT_TRUE(found.present()) << found.why_not();
  EXPECT_EQ(found->path, absl::StrCat(root, "/etc/passwd"));
}

TEST(LiveHostTest, AnEndlessDeviceIsNotOpened) {
  LiveHost host;
  EXPECT_EQ(host.Read("/dev/zero").why_not(), "is no regular file (chr)");
}

TEST(LiveHostTest, AFifoWithoutWriterDoesNotHang) {
  const std::string fifo = absl::StrCat(testing::TempDir(), "/fifo.", getpid());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(LiveHost().Read(fifo).why_not(), "is no regular file (fifo)");
  unlink(fifo.c_str());
}

TEST(LiveHostTest, AProcessThatIsGoneIsAbsent) {
  // Above the highest possible process id (PID_MAX_LIMIT, 2^22).
  EXPECT_TRUE(LiveHost().Read("/proc/4194305/environ").absent());
}

TEST(LiveHostTest, MetadataIsComplete) {
  Observed<Resolved> found = LiveHost().Resolve("/etc/passwd");
  ASSERT_TRUE(found.present());
  struct stat st;
  ASSERT_EQ(stat("/etc/passwd", &st), 0);
  EXPECT_EQ(*found->meta.mode, st.st_mode & 07777);
  EXPECT_EQ(found->meta.id->ino, st.st_ino);
  EXPECT_EQ(*found->meta.mtime, absl::TimeFromTimespec(st.st_mtim));
}

TEST(LiveHostTest, FileCapabilitiesOfAProgram) {
  const std::string path = absl::StrCat(testing::TempDir(), "/program.", getpid());
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY, 0755);
  ASSERT_GE(fd, 0);
  close(fd);
  EXPECT_TRUE(LiveHost().Resolve(path)->meta.caps.absent());
  // Revision 2, effective, cap_perfmon.
  constexpr char kPerfmon[] = {1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0};
  if (setxattr(path.c_str(), "security.capability", kPerfmon, sizeof(kPerfmon), 0) == 0) {
    EXPECT_EQ(LiveHost().Resolve(path)->meta.caps, std::string("cap_perfmon=ep"));
  }
  unlink(path.c_str());
}

TEST(LiveHostTest, KnowsItself) {
  LiveHost host;
  EXPECT_TRUE(host.hostname().present());
  EXPECT_EQ(*host.observer_uid(), geteuid());
  EXPECT_TRUE(host.running());
}

}  // namespace
}  // namespace vgpu::host

#include "tools/vgpu_doctor/verify/place.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "diag/procfs/environ.h"
#include "diag/procfs/stat.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

// A process that sleeps, and what facts say of it.
class PlaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int started[2];
    ASSERT_EQ(pipe2(started, O_CLOEXEC), 0);
    pid_ = fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      const char* argv[] = {"sleep", "60", nullptr};
      const char* environment[] = {"LD_PRELOAD=/a.so", nullptr};
      execve("/bin/sleep", const_cast<char**>(argv), const_cast<char**>(environment));
      _exit(1);
    }
    close(started[1]);
    char end = 0;
    EXPECT_EQ(read(started[0], &end, 1), 0);  // it executes sleep now
    close(started[0]);

    facts_.pid = pid_;
    const absl::StatusOr<procfs::ProcessStat> stat = procfs::ParseProcessStat(Text("stat"));
    ASSERT_TRUE(stat.ok()) << stat.status();
    facts_.started_usec = {"stat", static_cast<uint64_t>(absl::ToInt64Microseconds(
                                       procfs::TicksToDuration(stat->start_ticks)))};
    facts_.environ = {"environ", *procfs::ParseEnviron(Text("environ"))};
    char exe[4096];
    const ssize_t size = readlink(File("exe").c_str(), exe, sizeof exe);
    ASSERT_GT(size, 0);
    facts_.exe = {"exe", std::string(exe, static_cast<size_t>(size))};
    facts::Identity who;
    who.uid = geteuid();
    who.gid = getegid();
    facts_.identity = {"status", who};
  }
  void TearDown() override {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  std::string File(const char* name) const { return absl::StrCat("/proc/", pid_, "/", name); }
  std::string Text(const char* name) const {
    std::ifstream file(File(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Why there is no place; empty: there is one.
  std::string WhyNot() const {
    const absl::StatusOr<Place> place = Place::Of(facts_);
    return place.ok() ? "" : std::string(place.status().message());
  }

  pid_t pid_ = 0;
  facts::ProcessFacts facts_;
};

TEST_F(PlaceTest, IsThatOfTheProcessThatWasLookedAt) { EXPECT_EQ(WhyNot(), ""); }

TEST_F(PlaceTest, IsNotThatOfALaterProcessOfTheSameNumber) {
  facts_.started_usec = {"stat", *facts_.started_usec - 10000};
  EXPECT_TRUE(absl::StrContains(WhyNot(), "became another program")) << WhyNot();
}

TEST_F(PlaceTest, IsNotThatOfAnotherProgram) {
  facts_.exe = {"exe", std::string("/home/u/ollama")};
  EXPECT_TRUE(absl::StrContains(WhyNot(), "became another program")) << WhyNot();
}

TEST_F(PlaceTest, IsNotThatOfAnotherUser) {
  facts::Identity who = *facts_.identity;
  ++who.uid;
  facts_.identity = {"status", who};
  EXPECT_TRUE(absl::StrContains(WhyNot(), "became another program")) << WhyNot();
}

TEST_F(PlaceTest, IsNotThatOfAnotherEnvironment) {
  facts_.environ = {"environ", *procfs::ParseEnviron(absl::string_view("LD_PRELOAD=/b.so\0", 17))};
  EXPECT_TRUE(absl::StrContains(WhyNot(), "became another program")) << WhyNot();
}

TEST_F(PlaceTest, IsNotThatOfAProcessThatEnded) {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  EXPECT_TRUE(absl::StrContains(WhyNot(), "is not there any more")) << WhyNot();
}

}  // namespace
}  // namespace vgpu::doctor

#include "tools/vgpu_doctor/watch/sightings.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

// A /proc of files, in which processes come, change and go.
class SightingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = absl::StrCat(::testing::TempDir(), "/proc.XXXXXX");
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    proc_ = name;
  }
  void TearDown() override { EXPECT_EQ(system(absl::StrCat("rm -rf ", proc_).c_str()), 0); }

  void Put(pid_t pid, const char* file, absl::string_view text) const {
    std::ofstream(absl::StrCat(proc_, "/", pid, "/", file), std::ios::binary) << text;
  }
  // A process that runs `program` with one argument.
  void Process(pid_t pid, pid_t parent, const std::string& program, const std::string& argument,
               absl::string_view environ, absl::string_view maps) const {
    const std::string dir = absl::StrCat(proc_, "/", pid);
    EXPECT_EQ(
        system(absl::StrCat("mkdir -p ", dir, " && ln -sfn ", program, " ", dir, "/exe").c_str()),
        0);
    Stat(pid, parent, 'S', 0);
    Put(pid, "cmdline",
        absl::StrCat(program, std::string(1, '\0'), argument, std::string(1, '\0')));
    Put(pid, "environ", environ);
    Put(pid, "maps", maps);
  }
  void Stat(pid_t pid, pid_t parent, char state, int code) const {
    std::string text = absl::StrCat(pid, " (a ) b) ", std::string(1, state), " ", parent);
    for (int i = 0; i < 47; ++i) text += " 0";
    Put(pid, "stat", absl::StrCat(text, " ", code, "\n"));
  }
  void Gone(pid_t pid) const {
    EXPECT_EQ(system(absl::StrCat("rm -r ", proc_, "/", pid).c_str()), 0);
  }
  Sightings Make() {
    return Sightings(proc_, [this](const Sighting& sighting, Moment moment) {
      told_.push_back(
          absl::StrCat(moment == Moment::kProgram ? "program " : "ended ", sighting.pid));
    });
  }
  static std::string Map(const std::string& path) {
    return absl::StrCat("7f0000000000-7f0000001000 r-xp 00000000 08:01 ", path.size(), " ", path,
                        "\n");  // a file is known by its inode: here by the length of its name
  }

  std::string proc_;
  std::vector<std::string> told_;
  const absl::Time t0_ = absl::UnixEpoch();
};

using Told = std::vector<std::string>;

TEST_F(SightingsTest, AShortLifeIsKept) {
  Sightings seen = Make();
  const std::string block("LD_PRELOAD=/a.so\0HOME=/root\0OLLAMA_LIBRARY_PATH=/l\0", 50);
  Process(20, 1, "/usr/bin/ollama", "serve", block, Map("/a.so"));
  seen.Look({20}, t0_);
  Process(21, 20, "/usr/bin/ollama", "runner", block, Map("/a.so"));
  seen.Look({20, 21}, t0_ + absl::Milliseconds(1));
  Put(21, "maps", absl::StrCat(Map("/a.so"), Map("/libggml-cuda.so")));
  seen.Look({20, 21}, t0_ + absl::Milliseconds(9));
  Gone(21);
  seen.Look({20}, t0_ + absl::Milliseconds(11));
  EXPECT_EQ(told_, Told({"program 20", "program 21", "ended 21"}));
  ASSERT_EQ(seen.all().size(), 2u);
  const Sighting& child = seen.all()[1];
  EXPECT_EQ(child.parent, 20);
  EXPECT_EQ(*child.arguments, std::vector<std::string>({"/usr/bin/ollama", "runner"}));
  EXPECT_EQ(*child.libraries, std::vector<std::string>({"/a.so", "/libggml-cuda.so"}));
  ASSERT_EQ(child.environment->size(), 2u);  // and not HOME
  EXPECT_EQ((*child.environment)[0].second, "/a.so");
  EXPECT_FALSE(child.alive);
  EXPECT_TRUE(child.status.not_observed());
  EXPECT_EQ(child.last - child.first, absl::Milliseconds(8));
  EXPECT_TRUE(seen.all()[0].alive);
}

TEST_F(SightingsTest, AZombieAndAnEventTellHowItEnded) {
  Sightings seen = Make();
  Process(20, 1, "/a", "x", "", "");
  Process(21, 1, "/b", "x", "", "");
  Process(22, 1, "/c", "x", "", "");
  seen.Look({20, 21, 22}, t0_);
  Stat(20, 1, 'Z', 11);
  Put(20, "cmdline", "");
  Gone(21);
  seen.Ended(21, 3 << 8, t0_);
  seen.Look({22}, t0_);  // 20 is in no group any more
  EXPECT_EQ(*seen.all()[0].status, 11);
  EXPECT_EQ(StatusText(*seen.all()[0].status), "signal 11 (Segmentation fault)");
  EXPECT_EQ(StatusText(*seen.all()[1].status), "exit status 3");
  EXPECT_FALSE(seen.all()[2].status.present());
  EXPECT_EQ(seen.all()[0].arguments->size(), 2u);  // what it was stays
}

TEST_F(SightingsTest, AForkIsNotYetTheProgramThatItWillBe) {
  Sightings seen = Make();
  Process(20, 1, "/usr/lib/systemd/systemd", "--deserialize", "", "");
  seen.Look({20}, t0_);
  EXPECT_EQ(told_, Told());
  Process(20, 1, "/usr/bin/ollama", "serve", "", "");
  seen.Look({20}, t0_ + absl::Milliseconds(1));
  Process(21, 20, "/usr/bin/ollama", "serve", "", "");
  seen.Look({20, 21}, t0_ + absl::Milliseconds(2));
  EXPECT_EQ(told_, Told({"program 20"}));
  Process(21, 20, "/usr/bin/ollama", "runner", "", "");
  seen.Look({20, 21}, t0_ + absl::Milliseconds(3));
  EXPECT_EQ(told_, Told({"program 20", "program 21"}));
  // One that stays what its parent is.
  Process(22, 20, "/usr/bin/ollama", "serve", "", "");
  seen.Look({20, 21, 22}, t0_ + absl::Milliseconds(4));
  seen.Look({20, 21, 22}, t0_ + absl::Milliseconds(30));
  EXPECT_EQ(told_.back(), "program 22");
}

TEST_F(SightingsTest, WhatRanBeforeIsNotTold) {
  Sightings seen = Make();
  Process(20, 1, "/usr/bin/ollama", "serve", "", "");
  seen.Ignore({20});
  seen.Look({20}, t0_);
  seen.Look({}, t0_);
  EXPECT_TRUE(seen.all().empty());
  seen.Look({20}, t0_);  // the number is given again
  EXPECT_EQ(seen.all().size(), 1u);
}

TEST_F(SightingsTest, MemoryIsBounded) {
  Sightings seen = Make();
  for (pid_t pid = 100; pid < 1100; ++pid) {
    seen.Appeared(pid, t0_);
    seen.Ended(pid, 0, t0_);
    seen.Look({}, t0_);
  }
  EXPECT_EQ(seen.all().size(), Sightings::kMaxSightings);
  EXPECT_EQ(seen.uncounted(), 1000 - Sightings::kMaxSightings);
}

TEST_F(SightingsTest, WhatMayNotBeReadIsNotObserved) {
  Sightings seen = Make();
  Process(20, 1, "/a", "x", "A=1", Map("/a.so"));
  EXPECT_EQ(system(absl::StrCat("rm ", proc_, "/20/environ ", proc_, "/20/maps").c_str()), 0);
  seen.Look({20}, t0_);
  EXPECT_TRUE(seen.all()[0].environment.not_observed());
  EXPECT_TRUE(seen.all()[0].libraries.not_observed());
  EXPECT_EQ(seen.all()[0].environment.why_not(), "it had ended");
}

// The kernel's own: a child of this test.
TEST(SightingsOfTheKernel, SeesAChildAndHowItEnded) {
  Sightings seen("/proc", [](const Sighting&, Moment) {});
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sleep", "sleep", "0.2", nullptr);
    _exit(127);
  }
  for (int i = 0; i < 400; ++i) {
    seen.Look({child}, absl::Now());
    if (!seen.all().empty() && seen.all()[0].status.present()) break;
    usleep(2000);
  }
  seen.Look({}, absl::Now());
  ASSERT_EQ(seen.all().size(), 1u);
  EXPECT_EQ(seen.all()[0].parent, getpid());
  EXPECT_EQ(seen.all()[0].arguments->front(), "sleep");
  EXPECT_FALSE(seen.all()[0].libraries->empty());
  EXPECT_EQ(*seen.all()[0].status, 0);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

}  // namespace
}  // namespace vgpu::doctor

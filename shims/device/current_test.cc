// Where a process's configuration comes from, and what is said of one that is broken.

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "shims/device/config.h"
#include "shims/testing/another_user.h"

namespace vgpu::device {
namespace {

std::string Make(const std::string& name, const std::string& content) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

struct Loaded {
  bool ok;
  Configuration configuration;
  ConfigError error;

  std::string Why() const {
    return std::string(error.file.data()) + ":" + std::to_string(error.line) + ": " +
           error.reason.data();
  }
};

Loaded Load(const char* named, const std::string& default_file) {
  static std::array<char, kMaxConfigBytes> buffer;
  Loaded loaded;
  loaded.ok = LoadConfiguration(named, default_file.c_str(), "machine", buffer,
                                &loaded.configuration, &loaded.error);
  EXPECT_EQ(loaded.ok, loaded.configuration.count > 0);
  return loaded;
}

TEST(LoadTest, TheFileThatIsNamedIsAskedBeforeTheOther) {
  const std::string named = Make("named.toml", "[[device]]\nprofile = \"t4\"\n");
  const std::string other = Make("other.toml", "[[device]]\nprofile = \"l40s\"\n");
  EXPECT_EQ(Load(named.c_str(), other).configuration.devices[0].profile->id, "t4");
  EXPECT_EQ(Load(nullptr, other).configuration.devices[0].profile->id, "l40s");
  EXPECT_EQ(Load("", other).configuration.devices[0].profile->id, "l40s");
}

TEST(LoadTest, OnlyTheOtherFileMayBeMissing) {
  const std::string missing = testing::TempDir() + "/missing.toml";
  const std::string other = Make("there.toml", "[[device]]\nprofile = \"l40s\"\n");
  EXPECT_EQ(Load(nullptr, missing).configuration.devices[0].profile->id, "h100-80gb-hbm3");
  EXPECT_EQ(Load(nullptr, other + "/devices.toml").configuration.count, 1) << "no directory";
  EXPECT_EQ(Load(missing.c_str(), other).Why(), missing + ":0: No such file or directory");
}

TEST(LoadTest, ABrokenFileIsNeverTheDefault) {
  const std::string broken = Make("broken.toml", "[[device]]\n\nprofile = \"h100\"\n");
  const std::string fine = Make("fine.toml", "[[device]]\n");
  EXPECT_TRUE(Load(nullptr, broken).Why().starts_with(broken + ":3: profile: there is no profile"));
  EXPECT_TRUE(Load(broken.c_str(), fine).Why().starts_with(broken + ":3: "));
}

TEST(LoadTest, WhatIsNoFileIsNotRead) {
  const std::string fifo = testing::TempDir() + "/config_fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(Load(nullptr, fifo).Why(), fifo + ":0: not a regular file");
  EXPECT_EQ(Load("/dev/zero", fifo).Why(), "/dev/zero:0: not a regular file");
  EXPECT_EQ(Load("/", fifo).Why(), "/:0: not a regular file");
  const std::string loop = testing::TempDir() + "/loop";
  ASSERT_EQ(symlink(loop.c_str(), loop.c_str()), 0);
  EXPECT_EQ(Load(nullptr, loop).Why(), loop + ":0: Too many levels of symbolic links");
}

TEST(LoadTest, ALinkToAFileIsOne) {
  const std::string file = Make("real.toml", "[[device]]\nprofile = \"b200\"\n");
  const std::string link = testing::TempDir() + "/link.toml";
  ASSERT_EQ(symlink(file.c_str(), link.c_str()), 0);
  EXPECT_EQ(Load(nullptr, link).configuration.devices[0].profile->id, "b200");
}

TEST(LoadTest, AFileHasABound) {
  const std::string device = "[[device]]\n";
  const std::string full = Make("full.toml", device + std::string(kMaxConfigBytes - 11, '\n'));
  EXPECT_TRUE(Load(nullptr, full).ok);
  const std::string more = Make("more.toml", device + std::string(kMaxConfigBytes - 10, '\n'));
  EXPECT_EQ(Load(nullptr, more).Why(), more + ":0: larger than 65536 bytes");
}

TEST(LoadTest, AFileThatMayNotBeReadIsAnError) {
  const testing_tools::OpenDirectory directory;
  const std::string secret = directory.path() + "/secret.toml";
  std::ofstream(secret) << "[[device]]\n";
  ASSERT_TRUE(Load(nullptr, secret).ok);
  ASSERT_EQ(chmod(secret.c_str(), 0), 0);
  const testing_tools::AnotherUser user;  // root may read everything
  if (!user.ok()) GTEST_SKIP() << user.why_not();
  EXPECT_EQ(Load(nullptr, secret).Why(), secret + ":0: Permission denied");
}

TEST(LoadTest, ALongNameIsCutAndMadeVisible) {
  const std::string name = "/missing/\x1b[2J" + std::string(300, 'x');
  const Loaded loaded = Load(name.c_str(), "/missing");
  EXPECT_FALSE(loaded.ok);
  EXPECT_TRUE(std::string(loaded.error.file.data()).starts_with("/missing/\\x1b[2Jxxx"));
}

// What a process with this VGPU_CONFIG writes to its log.
std::string Said(const std::string& config, const std::function<void()>& what) {
  const std::string log = testing::TempDir() + "/current.log";
  unlink(log.c_str());
  const pid_t child = fork();
  if (child == 0) {
    setenv("VGPU_CONFIG", config.c_str(), 1);
    setenv("VGPU_LOG", "trace", 1);
    setenv("VGPU_LOG_FILE", log.c_str(), 1);
    what();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  std::string all, line;
  std::ifstream lines(log);
  while (std::getline(lines, line)) all += line.substr(0, line.find(" pid=")) + "\n";
  return all;
}

TEST(CurrentTest, AProcessHasOne) {
  const std::string config = Make("current.toml", "[[device]]\nprofile = \"t4\"\n");
  EXPECT_EQ(Said(config,
                 [&] {
                   errno = ERANGE;
                   const Configuration* current = Current("libvgpu-cuda");
                   if (current == nullptr || current->devices[0].profile->id != "t4") _exit(1);
                   // Whatever becomes of the file.
                   unlink(config.c_str());
                   setenv("VGPU_CONFIG", "/missing", 1);
                   if (Current("libvgpu-nvml") != current || errno != ERANGE) _exit(2);
                   if (fork() == 0) _exit(Current("libvgpu-cuda") == current ? 0 : 1);
                   int status = 0;
                   wait(&status);
                   if (status != 0) _exit(3);
                 }),
            "");
}

TEST(CurrentTest, ABrokenOneIsSaidOnce) {
  const std::string config = Make("wrong.toml", "[[device]]\nmemory_mib = \"80G\"\n");
  EXPECT_EQ(Said(config,
                 [] {
                   std::vector<std::thread> threads;
                   for (int i = 0; i < 8; ++i) {
                     threads.emplace_back([] {
                       if (Current("libvgpu-cuda") != nullptr) _exit(1);
                     });
                   }
                   for (std::thread& thread : threads) thread.join();
                   if (Current("libvgpu-cuda") != nullptr) _exit(1);
                 }),
            "level=error lib=libvgpu-cuda msg=\"configuration rejected\" file=" + config +
                " line=2 reason=\"memory_mib: a number without quotes is wanted\"\n");
}

TEST(CurrentTest, AMissingOneThatWasNamedIsSaid) {
  EXPECT_EQ(Said("/missing.toml", [] { Current("libvgpu-nvml"); }),
            "level=error lib=libvgpu-nvml msg=\"configuration rejected\" file=/missing.toml line=0 "
            "reason=\"No such file or directory\"\n");
}

// Programs have threads of the smallest size that there is.
TEST(CurrentTest, ASmallStackIsEnough) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer makes every frame larger";
#endif
  std::string text;
  for (int i = 0; i < 16; ++i) text += "[[device]]\nname = \"a device\"\n";
  const std::string config = Make("small.toml", text + "[driver]\nversion = \"1.2\"\n");
  for (const std::string& file : {config, Make("small_wrong.toml", text + "x = \"")}) {
    Said(file, [] {
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
      pthread_t thread;
      const auto ask = [](void*) -> void* {
        Current("libvgpu-cuda");
        return nullptr;
      };
      if (pthread_create(&thread, &attributes, ask, nullptr) != 0) _exit(1);
      pthread_join(thread, nullptr);
    });
  }
}

}  // namespace
}  // namespace vgpu::device

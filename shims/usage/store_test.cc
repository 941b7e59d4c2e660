#include "shims/usage/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::usage {
namespace {

constexpr uint64_t kCapacity = 1000;
constexpr uid_t kNobody = 65534;

device::Device DeviceOf(uint8_t number) {
  device::Device device;
  device.memory_bytes = kCapacity;
  device.uuid.bytes[0] = number;
  return device;
}

// Another process that does `what` and goes on living until it is told to end.
class Process {
 public:
  explicit Process(const std::function<void()>& what) {
    int ready[2], end[2];
    if (pipe(ready) != 0 || pipe(end) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      close(end[1]);
      what();
      char c = 0;
      if (write(ready[1], &c, 1) != 1) _exit(1);
      if (read(end[0], &c, 1) < 0) _exit(1);
      _exit(0);
    }
    close(ready[1]);
    close(end[0]);
    end_ = end[1];
    char c;
    ready_ = read(ready[0], &c, 1) == 1;
    close(ready[0]);
  }
  ~Process() {
    Kill();
    Reap();
    close(end_);
  }

  bool ready() const { return ready_; }
  pid_t pid() const { return pid_; }
  void Kill() {
    if (pid_ > 0) kill(pid_, SIGKILL);
  }
  // Until it is a zombie.
  void AwaitEnd() {
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void Reap() {
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_;
  int end_;
  bool ready_;
};

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    // Where the store is in use, too; Bazel's directory may lie where no other user gets to.
    std::string name = "/dev/shm/storeXXXXXX";
    parent_ = mkdtemp(name.data());
    chmod(parent_.c_str(), 0777);
    directory_ = parent_ + "/vgpu";
  }

  std::set<std::string> Files() const {
    std::set<std::string> names;
    if (DIR* directory = opendir(directory_.c_str())) {
      while (const dirent* entry = readdir(directory)) {
        if (entry->d_name[0] != '.') names.insert(entry->d_name);
      }
      closedir(directory);
    }
    return names;
  }

  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }

  // Whether this process could become another user.
  bool HasOtherUsers() const {
    std::ofstream(parent_ + "/mine") << "mine";
    return chown((parent_ + "/mine").c_str(), kNobody, kNobody) == 0;
  }

  // The name of this process's file.
  FileName Self() {
    FileName name;
    Store store(directory_.c_str());
    store.ContextCreated(DeviceOf(1));
    for (const std::string& file : Files()) {
      FileName parsed;
      if (ParseFileName(file, &parsed) && parsed.pid == static_cast<uint64_t>(getpid()))
        name = parsed;
    }
    store.ContextDestroyed(DeviceOf(1));
    return name;
  }

  static std::string TextOf(const FileName& name) {
    std::array<char, kFileNameText> text;
    FormatFileName(name, text);
    return text.data();
  }

  void WriteRecord(const std::string& name, const Record& record, size_t size = sizeof(Record)) {
    std::ofstream(PathOf(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(&record), static_cast<std::streamsize>(size));
  }

  static Record RecordOf(uint64_t bytes) {
    Record record;
    record.count = 1;
    record.held[0] = {.uuid = DeviceOf(1).uuid, .bytes = bytes, .contexts = 0};
    return record;
  }

  std::string parent_;
  std::string directory_;
};

TEST_F(StoreTest, WhatIsReservedIsUsedUntilItIsReleased) {
  Store store(directory_.c_str());
  const device::Device one = DeviceOf(1), other = DeviceOf(2);
  EXPECT_EQ(store.Used(one), 0u);
  EXPECT_TRUE(Files().empty()) << "reading made something";
  errno = ERANGE;
  EXPECT_TRUE(store.Reserve(one, 600));
  EXPECT_TRUE(store.Reserve(other, 1));
  EXPECT_EQ(store.Used(one), 600u);
  EXPECT_EQ(store.Used(other), 1u);
  EXPECT_FALSE(store.Reserve(one, 401));
  EXPECT_FALSE(store.Reserve(one, UINT64_MAX));
  EXPECT_TRUE(store.Reserve(one, 400));
  EXPECT_EQ(store.Used(one), kCapacity);
  store.Release(one, 1000);
  store.Release(other, 7);
  EXPECT_EQ(store.Used(one), 0u);
  EXPECT_EQ(store.Used(other), 0u) << "more was released than was held";
  EXPECT_EQ(errno, ERANGE);
  EXPECT_FALSE(store.Alone());
  EXPECT_TRUE(Files().empty()) << "who holds nothing has a file";
}

TEST_F(StoreTest, TheDirectoryIsLikeTmpAndTheFileCanBeReadByAll) {
  const mode_t before = umask(077);
  Store store(directory_.c_str());
  EXPECT_TRUE(store.Reserve(DeviceOf(1), 1));
  umask(before);
  struct stat status;
  ASSERT_EQ(stat(directory_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 01777u);
  ASSERT_EQ(Files().size(), 1u);
  ASSERT_EQ(stat(PathOf(*Files().begin()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  EXPECT_EQ(static_cast<size_t>(status.st_size), sizeof(Record));
}

TEST_F(StoreTest, ProcessesShareTheMemoryOfADevice) {
  const device::Device device = DeviceOf(1);
  Process other([&] {
    static Store store(directory_.c_str());
    if (!store.Reserve(device, 700)) _exit(1);
  });
  ASSERT_TRUE(other.ready());
  Store store(directory_.c_str());
  EXPECT_EQ(store.Used(device), 700u);
  EXPECT_FALSE(store.Reserve(device, 301));
  EXPECT_EQ(store.Used(device), 700u) << "what was refused is counted";
  EXPECT_TRUE(store.Reserve(device, 300));
  EXPECT_EQ(store.Used(device), 1000u);
}

TEST_F(StoreTest, AProcessThatHasContextsAloneIsListed) {
  const device::Device device = DeviceOf(1);
  Process other([&] {
    static Store store(directory_.c_str());
    store.ContextCreated(device);
  });
  Process third([&] {
    static Store store(directory_.c_str());
    store.Reserve(device, 5);
    store.Reserve(DeviceOf(2), 6);
  });
  Store store(directory_.c_str());
  store.ContextCreated(device);
  store.ContextCreated(device);
  store.ContextDestroyed(device);
  std::array<ProcessUse, 4> uses;
  ASSERT_EQ(store.Processes(device, uses), 3u);
  const std::set<pid_t> expected = {getpid(), other.pid(), third.pid()};
  EXPECT_EQ((std::set<pid_t>{uses[0].pid, uses[1].pid, uses[2].pid}), expected);
  EXPECT_LT(uses[0].pid, uses[1].pid);
  EXPECT_LT(uses[1].pid, uses[2].pid);
  for (const ProcessUse& use : uses) {
    EXPECT_EQ(use.bytes, use.pid == third.pid() ? 5u : 0u);
  }
  // The lowest two, whatever the order in which they were found.
  std::array<ProcessUse, 2> two;
  ASSERT_EQ(store.Processes(device, two), 3u);
  EXPECT_EQ(two[0].pid, uses[0].pid);
  EXPECT_EQ(two[1].pid, uses[1].pid);
  EXPECT_EQ(store.Processes(device, {}), 3u);
  store.ContextDestroyed(device);
  EXPECT_EQ(store.Processes(device, {}), 2u);
  store.ContextDestroyed(device);
  EXPECT_EQ(store.Processes(device, {}), 2u);
}

TEST_F(StoreTest, AChildOfForkHoldsNothing) {
  const device::Device device = DeviceOf(1);
  Store store(directory_.c_str());
  ASSERT_TRUE(store.Reserve(device, 400));
  {
    Process child([&] {
      // Not the parent's 400, and not twice.
      store.Release(device, 400);
      if (!store.Reserve(device, 600) || store.Reserve(device, 1)) _exit(1);
    });
    ASSERT_TRUE(child.ready());
    EXPECT_EQ(store.Used(device), 1000u);
    EXPECT_EQ(store.Processes(device, {}), 2u);
  }
  EXPECT_EQ(store.Used(device), 400u);
}

TEST_F(StoreTest, WhoIsGoneHoldsNothing) {
  const device::Device device = DeviceOf(1);
  Process other([&] {
    static Store store(directory_.c_str());
    store.Reserve(device, 1000);
  });
  Store store(directory_.c_str());
  EXPECT_FALSE(store.Reserve(device, 1));
  other.Kill();
  other.AwaitEnd();
  EXPECT_EQ(store.Used(device), 0u) << "a zombie holds memory";
  EXPECT_TRUE(Files().empty());
  other.Reap();
  EXPECT_TRUE(store.Reserve(device, 1000));
}

// Many processes take what there is, one at a time: all of it is taken, and no more.
void TakeAll(const std::string& directory, bool locked) {
  constexpr int kProcesses = 8;
  const device::Device device = DeviceOf(1);
  int done[2], go[2];
  ASSERT_EQ(pipe(done), 0);
  ASSERT_EQ(pipe(go), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    static Store store(directory.c_str());
    char c;
    close(go[1]);
    if (read(go[0], &c, 1) != 0) _exit(1);  // the end of the file starts all at once
    int64_t taken = 0;
    while (store.Reserve(device, 10)) taken += 10;
    if (write(done[1], &taken, sizeof taken) != sizeof taken) _exit(1);
    pause();
  }
  close(go[0]);
  close(go[1]);
  int64_t sum = 0;
  for (int i = 0; i < kProcesses; ++i) {
    int64_t taken = 0;
    ASSERT_EQ(read(done[0], &taken, sizeof taken), static_cast<ssize_t>(sizeof taken));
    sum += taken;
  }
  EXPECT_LE(sum, static_cast<int64_t>(kCapacity));
  if (locked) {
    EXPECT_EQ(sum, static_cast<int64_t>(kCapacity));
  }
  EXPECT_EQ(Store(directory.c_str()).Used(device), static_cast<uint64_t>(sum));
  for (pid_t child : children) kill(child, SIGKILL);
  for (pid_t child : children) waitpid(child, nullptr, 0);
  for (int fd : {done[0], done[1]}) close(fd);
}

TEST_F(StoreTest, NobodyGetsTheLastByteTwice) { TakeAll(directory_, true); }

TEST_F(StoreTest, NotEvenWhenSomebodyKeepsTheLock) {
  ASSERT_EQ(mkdir(directory_.c_str(), 0700), 0);
  ASSERT_EQ(chmod(directory_.c_str(), 01777), 0);
  const int fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(fd, LOCK_EX), 0);
  TakeAll(directory_, false);
  close(fd);
}

TEST_F(StoreTest, ThreadsShareOneAccount) {
  Store store(directory_.c_str());
  const device::Device device = DeviceOf(1);
  std::atomic<int64_t> held = 0;
  std::atomic<bool> too_much = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        if (!store.Reserve(device, 300)) continue;
        if (held.fetch_add(300) + 300 > static_cast<int64_t>(kCapacity)) too_much = true;
        store.Used(device);
        held.fetch_sub(300);
        store.Release(device, 300);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(too_much);
  EXPECT_EQ(store.Used(device), 0u);
}

TEST_F(StoreTest, AReusedProcessIdRevivesNothing) {
  FileName name = Self();
  ASSERT_NE(name.pid, 0u);
  ++name.start;
  WriteRecord(TextOf(name), RecordOf(500));
  Store store(directory_.c_str());
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u);
  EXPECT_TRUE(Files().empty());
}

TEST_F(StoreTest, AnotherPidNamespaceIsLeftAlone) {
  FileName name = Self();
  ++name.pid_namespace;
  name.pid = 4711;
  WriteRecord(TextOf(name), RecordOf(500));
  Store store(directory_.c_str());
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u);
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(StoreTest, WhatIsNoRecordIsNotBelieved) {
  const FileName self = Self();
  const std::string name = TextOf(self);
  Store store(directory_.c_str());
  WriteRecord(name, RecordOf(500));
  EXPECT_EQ(store.Used(DeviceOf(1)), 500u) << "the good one, for comparison";
  Record record = RecordOf(500);
  record.magic[7] = '2';
  WriteRecord(name, record);
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u);
  record = RecordOf(500);
  for (int64_t count : {int64_t{17}, int64_t{-1}, INT64_MAX}) {
    record.count = count;
    WriteRecord(name, record);
    EXPECT_EQ(store.Used(DeviceOf(1)), 0u) << count;
  }
  WriteRecord(name, RecordOf(500), sizeof(Record) - 1);
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u);
  WriteRecord(name, RecordOf(UINT64_MAX));
  EXPECT_EQ(store.Used(DeviceOf(1)), kCapacity) << "more than there is";
  unlink(PathOf(name).c_str());
  WriteRecord("elsewhere", RecordOf(500));
  ASSERT_EQ(symlink("elsewhere", PathOf(name).c_str()), 0);
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u) << "a link";
  unlink(PathOf(name).c_str());
  ASSERT_EQ(mkfifo(PathOf(name).c_str(), 0666), 0);
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u) << "a FIFO";
  unlink(PathOf(name).c_str());
  ASSERT_EQ(mkdir(PathOf(name).c_str(), 0777), 0);
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u) << "a directory";
}

TEST_F(StoreTest, ALinkAtItsPlaceIsReplacedAndNotFollowed) {
  const std::string name = TextOf(Self());
  const std::string target = parent_ + "/precious";
  std::ofstream(target) << "precious";
  ASSERT_EQ(symlink(target.c_str(), PathOf(name).c_str()), 0);
  Store store(directory_.c_str());
  EXPECT_TRUE(store.Reserve(DeviceOf(1), 5));
  std::stringstream content;
  content << std::ifstream(target).rdbuf();
  EXPECT_EQ(content.str(), "precious");
  EXPECT_EQ(store.Used(DeviceOf(1)), 5u);
  EXPECT_FALSE(store.Alone());
  // And a second name of a file of one's own.
  Store another(directory_.c_str());
  store.Release(DeviceOf(1), 5);
  ASSERT_EQ(link(target.c_str(), PathOf(name).c_str()), 0);
  EXPECT_TRUE(another.Reserve(DeviceOf(1), 6));
  content.str("");
  content << std::ifstream(target).rdbuf();
  EXPECT_EQ(content.str(), "precious");
  EXPECT_EQ(another.Used(DeviceOf(1)), 6u);
}

TEST_F(StoreTest, AFileOfAnotherUserIsNotBelieved) {
  if (!HasOtherUsers()) GTEST_SKIP() << "not root, or in a namespace that has no other user";
  const std::string name = TextOf(Self());
  WriteRecord(name, RecordOf(500));
  ASSERT_EQ(chown(PathOf(name).c_str(), kNobody, kNobody), 0);
  Store store(directory_.c_str());
  EXPECT_EQ(store.Used(DeviceOf(1)), 0u);
  EXPECT_TRUE(store.Reserve(DeviceOf(1), 5)) << "root may replace it";
  EXPECT_EQ(store.Used(DeviceOf(1)), 5u);
}

TEST_F(StoreTest, SomebodyElsesDirectoryMakesAProcessCountAlone) {
  if (!HasOtherUsers()) GTEST_SKIP() << "not root, or in a namespace that has no other user";
  ASSERT_EQ(mkdir(directory_.c_str(), 0755), 0);
  Process other([&] {
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(1);
    static Store store(directory_.c_str());
    const device::Device device = DeviceOf(1);
    if (!store.Reserve(device, 700) || store.Reserve(device, 301)) _exit(2);
    if (!store.Alone() || store.Used(device) != 700) _exit(3);
  });
  EXPECT_TRUE(other.ready());
  EXPECT_TRUE(Files().empty());
}

TEST_F(StoreTest, WhoGivesUpItsRightsIsBelievedOnce) {
  if (!HasOtherUsers()) GTEST_SKIP() << "not root, or in a namespace that has no other user";
  const device::Device device = DeviceOf(1);
  Process other([&] {
    static Store store(directory_.c_str());
    if (!store.Reserve(device, 300)) _exit(1);
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(2);
    if (!store.Reserve(device, 400) || store.Alone()) _exit(3);
  });
  ASSERT_TRUE(other.ready());
  EXPECT_EQ(Store(directory_.c_str()).Used(device), 700u);
  EXPECT_EQ(Store(directory_.c_str()).Processes(device, {}), 1u);
}

TEST_F(StoreTest, WithoutADirectoryAProcessCountsAlone) {
  directory_ = parent_ + "/missing/vgpu";
  Store store(directory_.c_str());
  const device::Device device = DeviceOf(1);
  EXPECT_TRUE(store.Reserve(device, 700));
  EXPECT_FALSE(store.Reserve(device, 301));
  EXPECT_TRUE(store.Alone());
  EXPECT_EQ(store.Used(device), 700u);
  std::array<ProcessUse, 1> uses;
  ASSERT_EQ(store.Processes(device, uses), 1u);
  EXPECT_EQ(uses[0].pid, getpid());
  EXPECT_EQ(uses[0].bytes, 700u);
  store.Release(device, 700);
  EXPECT_EQ(store.Used(device), 0u);
}

TEST_F(StoreTest, AFileOrALinkInPlaceOfTheDirectory) {
  std::ofstream(directory_) << "not a directory";
  Store store(directory_.c_str());
  EXPECT_TRUE(store.Reserve(DeviceOf(1), 1));
  EXPECT_TRUE(store.Alone());
  const std::string link = parent_ + "/link";
  ASSERT_EQ(symlink(parent_.c_str(), link.c_str()), 0);
  Store through(link.c_str());
  EXPECT_TRUE(through.Reserve(DeviceOf(1), 1));
  EXPECT_TRUE(through.Alone());
}

TEST_F(StoreTest, MoreDevicesThanThereCanBe) {
  Store store(directory_.c_str());
  for (uint8_t i = 1; i <= device::kMaxDevices; ++i) EXPECT_TRUE(store.Reserve(DeviceOf(i), 1));
  EXPECT_FALSE(store.Reserve(DeviceOf(200), 1));
  store.Release(DeviceOf(200), 1);
  EXPECT_EQ(store.Used(DeviceOf(200)), 0u);
}

TEST(FileNameTest, ThereAndBack) {
  const FileName name = {.pid_namespace = 4026531836, .pid = 57290, .start = UINT64_MAX, .uid = 0};
  std::array<char, kFileNameText> text;
  FormatFileName(name, text);
  EXPECT_STREQ(text.data(), "4026531836.57290.18446744073709551615.0");
  FileName parsed;
  ASSERT_TRUE(ParseFileName(text.data(), &parsed));
  EXPECT_EQ(parsed, name);
  for (std::string_view wrong :
       {"", ".", "..", "1.2.3", "1.2.3.4.5", "1.2.3.04", "1.2.3.4 ", "1.2.3.-4", "1.2.3.4.", "a",
        "1.0.3.4", "1.2147483648.3.4", "1.2.18446744073709551616.4"}) {
    EXPECT_FALSE(ParseFileName(wrong, &parsed)) << wrong;
  }
}

TEST(ProcessStatTest, TheNameOfAProgramMayHoldAnything) {
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 5 18 1234567 20\n";
  ProcessStat stat;
  for (const char* name : {"(ollama)", "(a) R (b)", "()", "() Z 1 1 1 1 1 1 1)"}) {
    ASSERT_TRUE(ParseProcessStat("4711 " + std::string(name) + rest, &stat)) << name;
    EXPECT_EQ(stat.state, 'S');
    EXPECT_EQ(stat.threads, 5u);
    EXPECT_EQ(stat.start, 1234567u);
  }
  for (const char* wrong : {"", "4711 (x", "4711 (x) S 1 2", "4711 (x)S", "4711 (x) SS 1"}) {
    EXPECT_FALSE(ParseProcessStat(wrong, &stat)) << wrong;
  }
}

TEST(ProcessStatTest, AZombieHasNoOtherThreads) {
  EXPECT_TRUE((ProcessStat{.state = 'Z', .threads = 1, .start = 1}).IsZombie());
  EXPECT_FALSE((ProcessStat{.state = 'Z', .threads = 2, .start = 1}).IsZombie());
  EXPECT_FALSE((ProcessStat{.state = 'S', .threads = 1, .start = 1}).IsZombie());
}

}  // namespace
}  // namespace vgpu::usage

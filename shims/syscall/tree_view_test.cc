#include "shims/syscall/tree_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "shims/testing/another_user.h"

namespace vgpu::redirect {
namespace {

namespace fs = std::filesystem;

constexpr char kOne[] =
    "vgpu-tree 1\n"
    "own sys/devices/pci0000:ff/0000:ff:1f.0\n"
    "merge sys/bus/pci/devices\n"
    "alias sys/bus/pci/devices/0000:ff:1f.0 sys/devices/pci0000:ff/0000:ff:1f.0\n"
    "end\n";
constexpr char kOther[] =
    "vgpu-tree 1\n"
    "own sys/devices/pci0000:ff/0000:ff:1e.0\n"
    "end\n";

bool Parse(const std::string& text, TreeView* view) {
  if (text.size() > view->text.size()) return false;
  memcpy(view->text.data(), text.data(), text.size());
  return ParseManifest(text.size(), view);
}

bool IsManifest(const std::string& text) { return Parse(text, std::make_unique<TreeView>().get()); }

std::string Repeated(int count, const std::string& line) {
  std::string text = "vgpu-tree 1\n";
  for (int i = 0; i < count; ++i) text += line + std::to_string(i) + "\n";
  return text + "end\n";
}

TEST(ParseManifestTest, WhatItSays) {
  auto view = std::make_unique<TreeView>();
  ASSERT_TRUE(Parse(kOne, view.get()));
  EXPECT_EQ(view->owned_count, 1u);
  for (const char* ours :
       {"sys/devices/pci0000:ff/0000:ff:1f.0", "sys/devices/pci0000:ff/0000:ff:1f.0/vendor",
        "sys/devices/pci0000:ff/0000:ff:1f.0/power/control"}) {
    EXPECT_TRUE(view->IsOwned(ours)) << ours;
  }
  for (const char* other :
       {"", "sys", "sys/devices/pci0000:ff", "sys/devices/pci0000:ff/0000:ff:1f.1",
        "sys/devices/pci0000:ff/0000:ff:1f.00", "sys/bus/pci/devices/0000:ff:1f.0"}) {
    EXPECT_FALSE(view->IsOwned(other)) << other;
  }
  EXPECT_TRUE(view->IsMerged("sys/bus/pci/devices"));
  EXPECT_FALSE(view->IsMerged("sys/bus/pci"));
  EXPECT_FALSE(view->IsMerged("sys/bus/pci/devices/0000:ff:1f.0"));
  const Alias* alias = view->FindAlias("sys/bus/pci/devices/0000:ff:1f.0");
  ASSERT_NE(alias, nullptr);
  EXPECT_EQ(alias->to, "sys/devices/pci0000:ff/0000:ff:1f.0");
  EXPECT_EQ(view->FindAlias("sys/bus/pci/devices"), nullptr);
}

TEST(ParseManifestTest, OneWithNothingInIt) { EXPECT_TRUE(IsManifest("vgpu-tree 1\nend\n")); }

TEST(ParseManifestTest, EveryBeginningOfOneIsHalfWritten) {
  const std::string whole = kOne;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(IsManifest(whole.substr(0, size))) << size;
  }
}

TEST(ParseManifestTest, WhatIsNone) {
  for (const char* text : {
           "vgpu-tree 2\nown sys/x\nend\n",             // of another version
           "vgpu-tree 1\nown sys/x\nend\nown sys/y\n",  // more behind the end
           "vgpu-tree 1\nown /sys/x\nend\n",
           "vgpu-tree 1\nown \nend\n",
           "vgpu-tree 1\nown\nend\n",
           "vgpu-tree 1\n\nend\n",
           "vgpu-tree 1\nkeep sys/x\nend\n",
           "vgpu-tree 1\nalias sys/x\nend\n",
           "vgpu-tree 1\nalias sys/x \nend\n",
           "vgpu-tree 1\nend\nend\n",
       }) {
    EXPECT_FALSE(IsManifest(text)) << text;
  }
}

TEST(ParseManifestTest, AsManyAsThereIsRoomForAndOneMore) {
  EXPECT_TRUE(IsManifest(Repeated(kMaxOwned, "own sys/x")));
  EXPECT_FALSE(IsManifest(Repeated(kMaxOwned + 1, "own sys/x")));
  EXPECT_TRUE(IsManifest(Repeated(kMaxMerged, "merge sys/x")));
  EXPECT_FALSE(IsManifest(Repeated(kMaxMerged + 1, "merge sys/x")));
  EXPECT_TRUE(IsManifest(Repeated(kMaxAliases, "alias sys/x sys/y")));
  EXPECT_FALSE(IsManifest(Repeated(kMaxAliases + 1, "alias sys/x sys/y")));
}

// VGPU_TREE is read once in a process: it names a link, which each case lets lead to a tree of
// its own.
class CurrentViewTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new testing_tools::OpenDirectory;
    setenv("VGPU_TREE", (Directory() + "/link//").c_str(), 1);
  }
  static void TearDownTestSuite() { delete directory_; }

  static std::string Directory() { return fs::canonical(directory_->path()).string(); }

  void SetUp() override {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    root_ = Directory() + "/" + name;
    fs::create_directory(root_);
    const std::string link = Directory() + "/link";
    fs::remove(link);
    fs::create_directory_symlink(root_, link);
  }

  void Write(const std::string& manifest) {
    std::ofstream(root_ + "/new", std::ios::binary) << manifest;
    fs::rename(root_ + "/new", root_ + "/manifest");
  }

  // What is known when it was looked for anew: that is done once a second.
  static const TreeView* Look() {
    timespec begin = {}, now = {};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &begin);
    do {
      usleep(10'000);
      clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    } while (now.tv_sec == begin.tv_sec);
    errno = ERANGE;
    const TreeView* view = CurrentView();
    EXPECT_EQ(errno, ERANGE);
    return view;
  }

  static inline testing_tools::OpenDirectory* directory_ = nullptr;
  std::string root_;
};

constexpr char kFirst[] = "sys/devices/pci0000:ff/0000:ff:1f.0";
constexpr char kSecond[] = "sys/devices/pci0000:ff/0000:ff:1e.0";

TEST_F(CurrentViewTest, IsNoneWhereThereIsNoTree) {
  EXPECT_EQ(Look(), nullptr);
  fs::remove(root_);
  EXPECT_EQ(Look(), nullptr);
}

TEST_F(CurrentViewTest, KnowsTheTreeByTheKernelsName) {
  Write(kOne);
  const TreeView* view = Look();
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(view->Root(), root_);  // and not the link's
  EXPECT_TRUE(view->IsOwned(kFirst));
}

TEST_F(CurrentViewTest, FollowsATreeThatChanges) {
  Write(kOne);
  const TreeView* first = Look();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(Look(), first);
  Write(kOther);
  const TreeView* second = Look();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->IsOwned(kSecond));
  EXPECT_FALSE(second->IsOwned(kFirst));
  EXPECT_TRUE(first->IsOwned(kFirst));  // who reads it still can
}

TEST_F(CurrentViewTest, KeepsWhatItKnowsWhileOneIsHalfWritten) {
  Write(kOne);
  const TreeView* first = Look();
  ASSERT_NE(first, nullptr);
  Write(std::string(kOther).substr(0, 30));
  EXPECT_EQ(Look(), first);
  Write(kOther);
  const TreeView* second = Look();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->IsOwned(kSecond));
}

TEST_F(CurrentViewTest, IsNoneWhenTheTreeIsGone) {
  Write(kOne);
  ASSERT_NE(Look(), nullptr);
  fs::remove(root_ + "/manifest");
  EXPECT_EQ(Look(), nullptr);
  Write(kOne);
  const TreeView* again = Look();
  ASSERT_NE(again, nullptr);
  EXPECT_TRUE(again->IsOwned(kFirst));
}

TEST_F(CurrentViewTest, IsNoneWhereTheManifestIsNoFile) {
  ASSERT_EQ(mkfifo((root_ + "/manifest").c_str(), 0644), 0);
  EXPECT_EQ(Look(), nullptr);
  fs::remove(root_ + "/manifest");
  fs::create_directory(root_ + "/manifest");
  EXPECT_EQ(Look(), nullptr);
  fs::remove(root_ + "/manifest");
  fs::create_symlink("elsewhere", root_ + "/manifest");
  std::ofstream(root_ + "/elsewhere") << kOne;
  EXPECT_EQ(Look(), nullptr);
}

TEST_F(CurrentViewTest, AnUnreadableOneIsNotFollowed) {
  Write(kOne);
  ASSERT_EQ(chmod((root_ + "/manifest").c_str(), 0), 0);
  const testing_tools::AnotherUser user;  // root reads every file
  if (!user.ok()) GTEST_SKIP() << user.why_not();
  const TreeView* view = Look();
  // What another case's tree had may still be known; this one's is not.
  EXPECT_TRUE(view == nullptr || view->Root() != root_);
}

TEST_F(CurrentViewTest, IsNoneWhereMountsShowTheTree) {
  std::string function;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/sys/bus/pci/devices", error)) {
    function = fs::canonical(entry.path()).string().substr(1);
  }
  if (function.empty()) GTEST_SKIP() << "this machine has no PCI function";
  fs::create_directories(root_ + "/" + function);
  std::ostringstream text;
  text << std::ifstream("/" + function + "/uevent").rdbuf();
  std::ofstream(root_ + "/" + function + "/uevent") << text.str();
  Write("vgpu-tree 1\nown " + function + "\nend\n");
  EXPECT_EQ(Look(), nullptr);
  std::ofstream(root_ + "/" + function + "/uevent") << text.str() << "PCI_ID=10DE:2330\n";
  Write("vgpu-tree 1\nown " + function + "\nend\n");
  EXPECT_NE(Look(), nullptr);
}

TEST_F(CurrentViewTest, IsWholeForEveryThreadWhileTreesAreExchanged) {
  Write(kOne);
  const TreeView* before = Look();
  ASSERT_NE(before, nullptr);
  ASSERT_EQ(before->Root(), root_);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0, looks = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        const TreeView* view = CurrentView();
        if (view == nullptr || view->IsOwned(kFirst) == view->IsOwned(kSecond)) ++wrong;
        ++looks;
        usleep(100);
      }
    });
  }
  for (int i = 0; i < 300; ++i) {
    Write(i % 2 == 0 ? kOther : kOne);
    usleep(10'000);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(looks, 16);
}

}  // namespace
}  // namespace vgpu::redirect

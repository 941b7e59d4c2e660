#include "shims/syscall/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace vgpu::redirect {
namespace {

namespace fs = std::filesystem;

// A host and a tree below a temporary directory: HOST stands for the root of a file system, whose
// PCI bus has the functions 1d.0 and 1f.0 and in which the tree has the functions 1e.0 and
// 1f.0. Every path has the name of a function in it, or one of the others that are looked at.
class ResolveTest : public testing::Test {
 protected:
  static constexpr char kBus[] = "sys/devices/pci0000:ff";

  void SetUp() override {
    std::string made = fs::canonical(testing::TempDir()).string() + "/resolve.XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    directory_ = made;
    host_ = made + "/host";
    tree_ = made + "/tree";
    inner_ = host_.substr(1);  // as paths in the tree are

    const std::string bus = host_ + "/sys/devices/pci0000:ff";
    for (const char* function : {"0000:ff:1d.0", "0000:ff:1f.0"}) {
      File(bus + "/" + function + "/vendor");
      Link(host_ + "/sys/bus/pci/devices/" + function,
           std::string("../../../devices/pci0000:ff/") + function);
      Link(host_ + "/sys/bus/pci/drivers/virtio-pci/" + function,
           std::string("../../../../devices/pci0000:ff/") + function);
      Link(bus + "/" + function + "/subsystem", "../../../bus/pci");
    }
    fs::create_directories(bus + "/0000:ff:1f.0/virtio4");
    File(host_ + "/sys/bus/pci/rescan");
    File(host_ + "/sys/bus/pci/drivers/virtio-pci/bind");
    File(host_ + "/proc/driver/rtc");
    fs::create_directories(host_ + "/sys/class/drm/card0");
    Link(host_ + "/sys/class/drm/card0/device", "../../../devices/pci0000:ff/0000:ff:1f.0");
    Link(host_ + "/absolute", bus + "/0000:ff:1f.0");
    Link(host_ + "/circle", "circle");

    for (const char* function : {"0000:ff:1e.0", "0000:ff:1f.0"}) {
      const std::string device = In(std::string(kBus) + "/" + function);
      File(device + "/vendor");
      File(device + "/power/control");
      Link(device + "/subsystem", "../../../bus/pci");
      Link(device + "/driver", "../../../bus/pci/drivers/nvidia");
      Link(In("sys/bus/pci/devices/") + function,
           std::string("../../../devices/pci0000:ff/") + function);
      Link(In("sys/bus/pci/drivers/nvidia/") + function,
           std::string("../../../../devices/pci0000:ff/") + function);
    }
    File(In("sys/bus/pci/drivers/nvidia/bind"));
    fs::create_directories(In("sys/bus/pci/drivers/virtio-pci"));
    File(In("proc/driver/nvidia/version"));

    std::string manifest = "vgpu-tree 1\n";
    for (const char* owned : {"sys/bus/pci/drivers/nvidia", "sys/devices/pci0000:ff/0000:ff:1e.0",
                              "sys/devices/pci0000:ff/0000:ff:1f.0", "proc/driver/nvidia"}) {
      manifest += "own " + inner_ + "/" + owned + "\n";
    }
    for (const char* merged : {"sys/bus/pci/devices", "sys/bus/pci/drivers", "proc/driver"}) {
      manifest += "merge " + inner_ + "/" + merged + "\n";
    }
    for (const char* from : {"sys/bus/pci/devices/", "sys/bus/pci/drivers/nvidia/"}) {
      for (const char* function : {"0000:ff:1e.0", "0000:ff:1f.0"}) {
        manifest += "alias " + inner_ + "/" + from + function + " " + inner_ +
                    "/sys/devices/pci0000:ff/" + function + "\n";
      }
    }
    manifest += "end\n";
    view_ = std::make_unique<TreeView>();
    ASSERT_LE(manifest.size(), view_->text.size());
    memcpy(view_->text.data(), manifest.data(), manifest.size());
    ASSERT_TRUE(ParseManifest(manifest.size(), view_.get()));
    memcpy(view_->root.data(), tree_.data(), tree_.size());
    view_->root_size = tree_.size();
    before_ = fs::current_path();
  }

  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(directory_);
  }

  std::string In(const std::string& path) const { return tree_ + host_ + "/" + path; }
  static void File(const std::string& path) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << path << "\n";
  }
  static void Link(const std::string& path, const std::string& target) {
    fs::create_directories(fs::path(path).parent_path());
    fs::create_symlink(target, path);
  }

  // The answer as text: "tree:" and the path behind the tree's part for the host, "host:" and the
  // path behind the host's root, "not".
  std::string At(int directory, const std::string& path, Purpose purpose = Purpose::kOpen,
                 Process process = {}) {
    std::array<char, kMaxPath> found;
    errno = ERANGE;
    Resolved resolved = ResolveFor(*view_, process, directory, path.c_str(), purpose, found);
    EXPECT_EQ(errno, ERANGE);
    if (resolved == Resolved::kNot) return "not";
    std::string text = found.data();
    std::string prefix = host_ + "/";
    if (resolved == Resolved::kInTree && purpose != Purpose::kName) prefix = In("");
    if (!text.starts_with(prefix)) return "elsewhere:" + text;
    return (resolved == Resolved::kInTree ? "tree:" : "host:") + text.substr(prefix.size());
  }
  std::string Absolute(const std::string& path, Purpose purpose = Purpose::kOpen) {
    return At(AT_FDCWD, host_ + "/" + path, purpose);
  }

  std::string directory_, host_, tree_, inner_;
  fs::path before_;
  std::unique_ptr<TreeView> view_;
};

constexpr char kVendor[] = "tree:sys/devices/pci0000:ff/0000:ff:1f.0/vendor";

TEST_F(ResolveTest, AbsolutePaths) {
  struct {
    const char* path;
    const char* expected;
  } const kTable[] = {
      {"sys/devices/pci0000:ff/0000:ff:1f.0/vendor", kVendor},
      {"sys/devices/pci0000:ff/0000:ff:1f.0", "tree:sys/devices/pci0000:ff/0000:ff:1f.0"},
      {"sys/devices/pci0000:ff/0000:ff:1f.0/", "tree:sys/devices/pci0000:ff/0000:ff:1f.0/"},
      {"sys/devices/pci0000:ff/0000:ff:1f.0/power/control",
       "tree:sys/devices/pci0000:ff/0000:ff:1f.0/power/control"},
      // One that the tree has not: the kernel says so of the tree.
      {"sys/devices/pci0000:ff/0000:ff:1f.0/none", "tree:sys/devices/pci0000:ff/0000:ff:1f.0/none"},
      // Other spellings.
      {"/sys//devices/pci0000:ff///0000:ff:1f.0/vendor", kVendor},
      {"./sys/./devices/pci0000:ff/0000:ff:1f.0/./vendor", kVendor},
      {"sys/../sys/devices/pci0000:ff/0000:ff:1d.0/../0000:ff:1f.0/vendor", kVendor},
      {"sys/devices/pci0000:ff/0000:ff:1f.0/power/../vendor", kVendor},
      // By links.
      {"sys/bus/pci/devices/0000:ff:1f.0/vendor", kVendor},
      {"sys/bus/pci/devices/0000:ff:1f.0", "tree:sys/devices/pci0000:ff/0000:ff:1f.0"},
      {"sys/bus/pci/drivers/nvidia/0000:ff:1f.0/vendor", kVendor},
      {"sys/bus/pci/drivers/virtio-pci/0000:ff:1f.0/vendor", kVendor},
      {"sys/class/drm/card0/device/../0000:ff:1f.0/vendor", kVendor},
      {"absolute/../0000:ff:1f.0/vendor", kVendor},
      {"sys/bus/pci/devices/0000:ff:1f.0/driver/0000:ff:1e.0/vendor",
       "tree:sys/devices/pci0000:ff/0000:ff:1e.0/vendor"},
      {"sys/bus/pci/devices/0000:ff:1f.0/subsystem/devices/0000:ff:1f.0/vendor", kVendor},
      {"sys/bus/pci/devices/0000:ff:1f.0/driver/bind", "tree:sys/bus/pci/drivers/nvidia/bind"},
      {"sys/bus/pci/devices/0000:ff:1f.0/driver", "tree:sys/bus/pci/drivers/nvidia"},
      {"proc/driver/nvidia/../nvidia/version", "tree:proc/driver/nvidia/version"},
      // Out of the tree.
      {"sys/bus/pci/devices/0000:ff:1f.0/subsystem", "host:sys/bus/pci"},
      {"sys/bus/pci/devices/0000:ff:1f.0/subsystem/rescan", "host:sys/bus/pci/rescan"},
      {"sys/bus/pci/devices/0000:ff:1f.0/../0000:ff:1d.0/vendor",
       "host:sys/devices/pci0000:ff/0000:ff:1d.0/vendor"},
      {"sys/bus/pci/devices/0000:ff:1f.0/../../../..", "elsewhere:"},
      // What the kernel says of these is asked of the tree, where the host's answer is another.
      {"sys/devices/pci0000:ff/0000:ff:1f.0/virtio4/../vendor",
       "tree:sys/devices/pci0000:ff/0000:ff:1f.0/virtio4/"},
      {"sys/devices/pci0000:ff/0000:ff:1f.0/vendor/../vendor",
       "tree:sys/devices/pci0000:ff/0000:ff:1f.0/vendor/"},
      {"sys/devices/pci0000:ff/0000:ff:1f.0/vendor/.",
       "tree:sys/devices/pci0000:ff/0000:ff:1f.0/vendor/"},
      {"none/../sys/devices/pci0000:ff/0000:ff:1f.0/vendor", "not"},
      // Not ours.
      {"sys/devices/pci0000:ff/0000:ff:1d.0/vendor", "not"},
      {"sys/devices/pci0000:ff/0000:ff:1f.1/vendor", "not"},
      {"sys/bus/pci/devices/0000:ff:1d.0/vendor", "not"},
      {"sys/bus/pci/drivers/virtio-pci/../virtio-pci/bind", "not"},
      {"sys/../sys/bus/pci/rescan", "not"},
      {"circle/../0000:ff:1f.0", "not"},
      {"../..", "not"},
      // Listings.
      {"sys/../sys/bus/pci/devices", "tree:sys/bus/pci/devices"},
      {"sys/bus/pci/devices/0000:ff:1f.0/subsystem/devices", "tree:sys/bus/pci/devices"},
      {"sys/bus/pci/devices/../../pci/drivers", "tree:sys/bus/pci/drivers"},
      {"proc/driver/../driver/", "tree:proc/driver/"},
  };
  for (const auto& row : kTable) {
    std::string expected = row.expected;
    // Above what stands for the host's root there is the machine's own.
    if (expected == "elsewhere:") expected += host_;
    EXPECT_EQ(Absolute(row.path), expected) << row.path;
  }
}

TEST_F(ResolveTest, WhatTheCallIsFor) {
  const char* const kAlias = "sys/bus/pci/devices/0000:ff:1f.0";
  const char* const kDevice = "sys/devices/pci0000:ff/0000:ff:1f.0";
  for (Purpose purpose : {Purpose::kOpenNoFollow, Purpose::kNoFollow}) {
    EXPECT_EQ(Absolute(kAlias, purpose), std::string("tree:") + kAlias);
    EXPECT_EQ(Absolute(std::string(kDevice) + "/driver", purpose),
              std::string("tree:") + kDevice + "/driver");
    // A slash at the end asks for what the link leads to.
    EXPECT_EQ(Absolute(std::string(kAlias) + "/", purpose), std::string("tree:") + kDevice + "/");
    EXPECT_EQ(Absolute(std::string(kAlias) + "/vendor", purpose), kVendor);
  }
  for (Purpose purpose : {Purpose::kOpen, Purpose::kFollow, Purpose::kName}) {
    EXPECT_EQ(Absolute(kAlias, purpose), std::string("tree:") + kDevice);
    EXPECT_EQ(Absolute(std::string(kDevice) + "/driver", purpose),
              "tree:sys/bus/pci/drivers/nvidia");
  }
  const char* const kListing = "sys/../sys/bus/pci/devices";
  EXPECT_EQ(Absolute(kListing, Purpose::kOpen), "tree:sys/bus/pci/devices");
  EXPECT_EQ(Absolute(kListing, Purpose::kOpenNoFollow), "tree:sys/bus/pci/devices");
  // A program that walks asks whether what it opened is what it saw.
  EXPECT_EQ(Absolute(kListing, Purpose::kFollow), Absolute(kListing, Purpose::kOpen));
  EXPECT_EQ(Absolute(kListing, Purpose::kNoFollow), Absolute(kListing, Purpose::kOpen));
}

TEST_F(ResolveTest, RelativeToADescriptor) {
  auto open_at = [](const std::string& path) { return open(path.c_str(), O_RDONLY | O_CLOEXEC); };
  const int bus = open_at(host_ + "/sys/bus/pci");
  EXPECT_EQ(At(bus, "devices/0000:ff:1f.0/vendor"), kVendor);
  EXPECT_EQ(At(bus, "../pci/devices/0000:ff:1f.0/vendor"), kVendor);
  EXPECT_EQ(At(bus, "devices/0000:ff:1d.0/vendor"), "not");
  const int listing = open_at(In("sys/bus/pci/drivers"));
  EXPECT_EQ(At(listing, "nvidia/0000:ff:1f.0/vendor"), kVendor);
  // The tree's directory of that name is empty.
  EXPECT_EQ(At(listing, "virtio-pci/bind"), "host:sys/bus/pci/drivers/virtio-pci/bind");
  EXPECT_EQ(At(listing, "virtio-pci"), "host:sys/bus/pci/drivers/virtio-pci");
  EXPECT_EQ(At(listing, "."), "tree:sys/bus/pci/drivers");
  EXPECT_EQ(At(listing, ".."), "host:sys/bus/pci");
  EXPECT_EQ(At(listing, "../rescan"), "host:sys/bus/pci/rescan");
  const int device = open_at(In("sys/devices/pci0000:ff/0000:ff:1f.0"));
  EXPECT_EQ(At(device, "vendor"), kVendor);
  EXPECT_EQ(At(device, "../0000:ff:1d.0/vendor"),
            "host:sys/devices/pci0000:ff/0000:ff:1d.0/vendor");
  EXPECT_EQ(At(device, "subsystem/rescan"), "host:sys/bus/pci/rescan");
  for (int fd : {bus, listing, device}) close(fd);
  EXPECT_EQ(At(bus, "devices/0000:ff:1f.0/vendor"), "not");  // closed: EBADF is the kernel's
  EXPECT_EQ(At(-1, "0000:ff:1f.0/vendor"), "not");
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(At(ends[0], "0000:ff:1f.0/vendor"), "not");
  close(ends[0]);
  close(ends[1]);
}

TEST_F(ResolveTest, RelativeToTheWorkingDirectory) {
  fs::current_path(host_ + "/sys/bus/pci/devices");
  EXPECT_EQ(At(AT_FDCWD, "0000:ff:1f.0/vendor"), kVendor);
  EXPECT_EQ(At(AT_FDCWD, "0000:ff:1d.0/vendor"), "not");
  EXPECT_EQ(At(AT_FDCWD, "0000:ff:1f.0", Purpose::kNoFollow),
            "tree:sys/bus/pci/devices/0000:ff:1f.0");
  fs::current_path(host_ + "/sys/devices/pci0000:ff/0000:ff:1d.0");
  EXPECT_EQ(At(AT_FDCWD, "../0000:ff:1f.0/vendor"), kVendor);
  fs::current_path(In("sys/devices/pci0000:ff/0000:ff:1f.0"));
  EXPECT_EQ(At(AT_FDCWD, "vendor"), kVendor);
  EXPECT_EQ(At(AT_FDCWD, "..", Purpose::kName), "host:sys/devices/pci0000:ff");
  EXPECT_EQ(At(AT_FDCWD, "."), "tree:sys/devices/pci0000:ff/0000:ff:1f.0");
}

TEST_F(ResolveTest, ByTheNamesThatProcfsGives) {
  const int device = open(In("sys/devices/pci0000:ff/0000:ff:1f.0").c_str(), O_RDONLY | O_CLOEXEC);
  const std::string fd = "/proc/self/fd/" + std::to_string(device);
  const std::string vendor = host_ + "/sys/devices/pci0000:ff/0000:ff:1f.0/vendor";
  for (const std::string& root :
       {std::string("/proc/self/root"), "/proc/" + std::to_string(getpid()) + "/root",
        std::string("/proc/thread-self/root")}) {
    EXPECT_EQ(At(AT_FDCWD, root + vendor), kVendor) << root;
  }
  EXPECT_EQ(At(AT_FDCWD, fd + "/vendor"), kVendor);
  EXPECT_EQ(At(AT_FDCWD, fd + "/../0000:ff:1e.0/vendor"),
            "tree:sys/devices/pci0000:ff/0000:ff:1e.0/vendor");
  fs::current_path(host_ + "/sys/bus/pci");
  EXPECT_EQ(At(AT_FDCWD, "/proc/self/cwd/devices/0000:ff:1f.0/vendor"), kVendor);
  // Another's: it has the same root, and a working directory of its own.
  const Process self = {getpid()};
  EXPECT_EQ(At(AT_FDCWD, vendor, Purpose::kOpen, self), kVendor);
  EXPECT_EQ(At(AT_FDCWD, "devices/0000:ff:1f.0/vendor", Purpose::kOpen, self), kVendor);
  EXPECT_EQ(At(device, "vendor", Purpose::kOpen, self), kVendor);
  close(device);
}

TEST_F(ResolveTest, PathsThatAreTooLong) {
  const std::string device = "sys/devices/pci0000:ff/0000:ff:1f.0/";
  EXPECT_EQ(Absolute(device + std::string(kMaxPath, 'x')), "not");
  // One that is not too long, but is in the tree.
  std::string longest = host_ + "/" + device;
  longest += std::string(kMaxPath - 1 - longest.size(), 'x');
  EXPECT_EQ(At(AT_FDCWD, longest), "not");
  std::string dots = device;
  while (dots.size() < kMaxPath - 200) dots += "./";
  EXPECT_EQ(Absolute(dots + "vendor"), kVendor);
}

TEST_F(ResolveTest, TheTreesNameIsHidden) {
  struct {
    std::string name, shown;
  } const kTable[] = {
      {tree_ + "/sys/bus", "/sys/bus"},   {tree_, "/"},
      {tree_ + "s/sys", tree_ + "s/sys"}, {"/sys/bus", "/sys/bus"},
      {"relative", "relative"},           {"", ""},
  };
  for (const auto& row : kTable) {
    std::string text = row.name;
    text.resize(HideTree(*view_, text.data(), text.size()));
    EXPECT_EQ(text, row.shown) << row.name;
  }
}

TEST(MayBeOursTest, FromTheTextAlone) {
  static constexpr const char* kOurs[] = {
      "/sys", "/sys/", "/sys/bus", "/sys/bus/", "/sys/bus/pci", "/sys/bus/pci/devices",
      "/sys/bus/pci/drivers/x/bind", "/sys/devices", "/sys/devices/pci0000:00",
      "/sys/class/net/eth0/device/vendor", "/sys/class/net/lo/subsystem", "/sys/bus/usb/../pci",
      "/sys/bus/acpi/devices/x/physical_node/vendor", "/proc", "/proc/driver/nvidia",
      "/proc/driver", "/proc/self/fd/3/x", "/proc/1/root/sys/x", "/proc/self/cwd",
      // Spelled otherwise.
      "//sys/bus", "/./sys", "/usr/../sys", "/usr/lib//x", "/usr/lib/..",
      "/usr/share/a-long-name-before-it/../../../sys", "/links/0000:ff:1f.0/vendor",
      // From a working directory.
      "../bus/pci", "..", "pci/devices", "devices", "bus/pci/drivers", "0000:ff:1f.0", "x/../y",
      "driver/nvidia/version"};
  for (const char* path : kOurs) EXPECT_TRUE(MayBeOurs(path)) << path;
  static constexpr const char* kOthers[] = {"",
                                            "/",
                                            "/etc/passwd",
                                            "/usr/lib/x86_64-linux-gnu/libc.so.6",
                                            "/home/a/.config/b",
                                            "/home/a/...",
                                            "/home/a/..b/c",
                                            "/usr/share/man/man3/Foo::Bar.3pm.gz",
                                            "/a:b/c",
                                            "/var/lib/dpkg/info/libc6:amd64.list",
                                            "/usr/lib/.",
                                            "/s",
                                            "/sy",
                                            "/p",
                                            "/pro",
                                            "/sysroot",
                                            "/processes/1",
                                            "/proc/self/stat",
                                            "/proc/sys/vm/swappiness",
                                            "/sys/kernel/mm",
                                            "/sys/class/net",
                                            "/sys/devices/system/cpu/online",
                                            "/sys/bus/usb",
                                            "/sys/block/vda/size",
                                            "/sys/b",
                                            "/sys/d",
                                            "a",
                                            ".",
                                            "./configure",
                                            "include/x.h",
                                            "..x",
                                            "a..",
                                            "12:30:00.5"};
  for (const char* path : kOthers) EXPECT_FALSE(MayBeOurs(path)) << path;
  EXPECT_FALSE(MayBeOurs(nullptr));
}

// The text is looked at eight bytes at a time: wherever the name stands, it is found.
TEST(MayBeOursTest, AtEveryPlace) {
  for (size_t before = 1; before < 40; ++before) {
    for (size_t behind = 0; behind < 20; ++behind) {
      const std::string x = "/" + std::string(before, 'x'), y(behind, 'y');
      EXPECT_TRUE(MayBeOurs((x + "/../" + y).c_str())) << x << y;
      EXPECT_TRUE(MayBeOurs((x + "//" + y).c_str())) << x << y;
      EXPECT_TRUE(MayBeOurs((x + "/0000:ff:1f.0" + y).c_str())) << x << y;
      EXPECT_FALSE(MayBeOurs((x + "/." + y + "z").c_str())) << x << y;
      EXPECT_FALSE(MayBeOurs((x + "." + y).c_str())) << x << y;
    }
  }
}

}  // namespace
}  // namespace vgpu::redirect

#include "diag/archive/read_archive.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/archive/archive_testing.h"
#include "diag/logfmt/memory_source.h"
#include "gtest/gtest.h"

namespace vgpu::archive {
namespace {

using Type = TarMember::Type;
using Names = std::vector<std::string>;

absl::StatusOr<std::unique_ptr<host::TreeFiles>> Open(absl::string_view bytes,
                                                      const ArchiveLimits& limits = {}) {
  logfmt::MemorySource source(bytes, 700);
  return ReadArchive(source, limits);
}

// Why an archive is refused; "" where it is not.
std::string WhyNot(const std::vector<TarMember>& members, const ArchiveLimits& limits = {}) {
  return std::string(Open(Tar(members), limits).status().message());
}

TEST(ReadArchive, WithCompressionAndWithout) {
  const std::string tar = Tar(
      {{.path = "./etc/hostname", .content = "test10\n"}, {.path = "usr/lib/x", .content = "x"}});
  for (const std::string& bytes : {tar, Zstd(tar)}) {
    const auto files = Open(bytes);
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_EQ((*files)->Read("/etc/hostname", 100)->bytes, "test10\n");
    EXPECT_EQ(*(*files)->List("/"), (Names{"etc", "usr"}));
  }
}

TEST(ReadArchive, TheOneDirectoryThatHoldsACaptureIsTheRoot) {
  const auto files = Open(Tar({{.path = "c/.vgpu-capture/manifest.json", .content = "{}"},
                               {.path = "c/etc/hostname", .content = "test10\n"}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(*(*files)->List("/"), (Names{".vgpu-capture", "etc"}));
  EXPECT_EQ((*files)->Read("/etc/hostname", 100)->bytes, "test10\n");
  // An unpacked etc/ alone is a root that has it.
  EXPECT_EQ(*(*Open(Tar({{.path = "etc/hostname"}})))->List("/"), (Names{"etc"}));
}

TEST(ReadArchive, AHardLinkHasTheContentOfItsFile) {
  const auto files = Open(Tar({{.path = "etc/a", .content = "A"},
                               {.type = Type::kHardLink, .path = "etc/b", .target = "./etc/a"}}));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ((*files)->Read("/etc/b", 100)->bytes, "A");
}

TEST(ReadArchive, NothingLeadsOut) {
  EXPECT_EQ(WhyNot({{.path = "/etc/passwd"}}), "/etc/passwd: an absolute path");
  EXPECT_EQ(WhyNot({{.path = "a/../../etc/passwd"}}),
            "a/../../etc/passwd: leads out of the archive by `..`");
  EXPECT_EQ(WhyNot({{.type = Type::kSymlink, .path = "a", .target = "/etc"}, {.path = "a/passwd"}}),
            "/a/passwd: lies below what is no directory (symlink)");
  EXPECT_EQ(WhyNot({{.type = Type::kHardLink, .path = "a", .target = "/etc/passwd"}}),
            "/etc/passwd: an absolute path");
  EXPECT_EQ(WhyNot({{.type = Type::kHardLink, .path = "a", .target = "etc/passwd"}}),
            "a: a link to etc/passwd, which is no file of the archive before it");
  EXPECT_EQ(WhyNot({{.path = ""}}), "a member has no name");
}

TEST(ReadArchive, NoDevice) {
  for (const Type type : {Type::kCharDevice, Type::kBlockDevice, Type::kFifo}) {
    EXPECT_EQ(WhyNot({{.type = type, .path = "dev/nvidia0"}}),
              "dev/nvidia0: a device or a FIFO, which no capture holds");
  }
}

TEST(ReadArchive, NothingIsThereTwice) {
  EXPECT_EQ(WhyNot({{.path = "a"}, {.path = "./a"}}), "/a: is there twice");
  EXPECT_EQ(WhyNot({{.type = Type::kDir, .path = "a"}, {.path = "a"}}), "/a: is there twice");
  EXPECT_EQ(WhyNot({{.path = "a/b"}, {.type = Type::kDir, .path = "a/"}}), "");
}

TEST(ReadArchive, ABombOfZerosEndsAtTheLimit) {
  const std::string bomb =
      Zstd(Tar({{.path = "a", .content = std::string(size_t{8} << 20, '\0')}}));
  const auto files = Open(bomb, {.tar = {.bytes = size_t{1} << 20}, .names = {}});
  EXPECT_EQ(files.status().message(), "a: 8388608 bytes, where 1048576 are read at most");
}

TEST(ReadArchive, ABombOfNamesEndsAtTheLimit) {
  std::vector<TarMember> many;
  for (int i = 0; i < 2000; ++i) many.push_back({.path = absl::StrCat("d", i, "/e/f")});
  EXPECT_EQ(WhyNot(many, {.tar = {.members = 1000}, .names = {}}), "holds more than 1000 members");
  EXPECT_EQ(WhyNot(many, {.tar = {}, .names = {.entries = 1000}}),
            "holds more than 1000 names, or names of more than 64 MiB");
  std::string deep = "a";
  for (int i = 0; i < 100; ++i) deep += "/a";
  EXPECT_NE(WhyNot({{.path = deep}}).find("lies 101 directories deep"), std::string::npos);
}

TEST(ReadArchive, WhatIsNoArchive) {
  EXPECT_EQ(Open("").status().message(), "is empty");
  EXPECT_EQ(Open(std::string(1024, '\0')).status().message(), "is an archive without members");
  EXPECT_EQ(Open("\x28\xb5\x2f\xfd").status().message(), "the compressed file is cut off");
  EXPECT_FALSE(Open("#!/bin/sh\n").ok());
}

}  // namespace
}  // namespace vgpu::archive

#include "diag/archive/tar.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/archive/archive_testing.h"
#include "diag/logfmt/memory_source.h"
#include "gtest/gtest.h"

namespace vgpu::archive {
namespace {

using Type = TarMember::Type;

struct Read {
  std::vector<TarMember> members;
  std::string error;
};

Read ReadTar(absl::string_view bytes, const TarLimits& limits = {}) {
  Read read;
  logfmt::MemorySource source(bytes, 1000);
  TarReader reader(source, limits);
  while (true) {
    absl::StatusOr<std::optional<TarMember>> member = reader.Next();
    if (!member.ok()) {
      read.error = std::string(member.status().message());
      return read;
    }
    if (!member->has_value()) return read;
    read.members.push_back(std::move(**member));
  }
}

// A header's checksum made right again.
std::string Summed(std::string tar) {
  unsigned sum = 0;
  tar.replace(148, 8, "        ");
  for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[i]);
  char text[8];
  snprintf(text, sizeof(text), "%06o", sum);
  tar.replace(148, 7, text, 7);
  return tar;
}

TEST(Tar, WhatIsWrittenIsRead) {
  const absl::Time time = absl::FromUnixSeconds(1771928040);
  const Read read = ReadTar(Tar({
      {.path = "etc/hostname", .content = "test10\n", .mode = 0600, .mtime = time},
      {.type = Type::kSymlink, .path = "bin", .target = "usr/bin"},
      {.type = Type::kDir, .path = "proc/1/root/", .mode = 0755},
      {.path = "empty"},
      {.path = "block", .content = std::string(512, 'x')},
  }));
  ASSERT_EQ(read.error, "");
  ASSERT_EQ(read.members.size(), 5u);
  EXPECT_EQ(read.members[0].path, "etc/hostname");
  EXPECT_EQ(read.members[0].content, "test10\n");
  EXPECT_EQ(read.members[0].mode, 0600u);
  EXPECT_EQ(read.members[0].mtime, time);
  EXPECT_EQ(read.members[1].type, Type::kSymlink);
  EXPECT_EQ(read.members[1].target, "usr/bin");
  EXPECT_EQ(read.members[2].type, Type::kDir);
  EXPECT_EQ(read.members[3].content, "");
  EXPECT_EQ(read.members[4].content, std::string(512, 'x'));
}

TEST(Tar, NamesOfAnyLength) {
  for (const size_t length : {size_t{99}, size_t{100}, size_t{101}, size_t{500}, size_t{4000}}) {
    const std::string path(length, 'p'), target(length + 1, 't');
    const Read read = ReadTar(Tar({{.type = Type::kSymlink, .path = path, .target = target}}));
    ASSERT_EQ(read.members.size(), 1u) << read.error;
    EXPECT_EQ(read.members[0].path, path);
    EXPECT_EQ(read.members[0].target, target);
  }
}

TEST(Tar, ALongNameAsGnuWritesIt) {
  std::string tar = Tar({{.path = "././@LongLink", .content = std::string("long/name\0", 10)}});
  tar[156] = 'L';
  tar = Summed(tar).substr(0, 1024);
  const Read read = ReadTar(tar + Tar({{.path = "short", .content = "x"}}));
  ASSERT_EQ(read.members.size(), 1u) << read.error;
  EXPECT_EQ(read.members[0].path, "long/name");
  EXPECT_EQ(read.members[0].content, "x");
}

TEST(Tar, APrefixOfUstar) {
  std::string tar = Tar({{.path = "name", .content = "x"}});
  tar.replace(345, 6, "prefix");
  EXPECT_EQ(ReadTar(Summed(tar)).members[0].path, "prefix/name");
}

TEST(Tar, ACutArchiveIsAnError) {
  const std::string whole = Tar({{.path = "a", .content = std::string(1500, 'x')}});
  for (size_t length = 1; length < 2048; length += 37) {
    if (length % 512 == 0) continue;
    EXPECT_EQ(ReadTar(whole.substr(0, length)).error, "the archive is cut off") << length;
  }
  EXPECT_EQ(ReadTar(whole.substr(0, 1024)).error, "the archive is cut off");
}

TEST(Tar, WhatIsNoArchive) {
  EXPECT_EQ(ReadTar(std::string(2048, 'x')).error,
            "is no tar archive, or a damaged one (a header's checksum)");
  std::string tar = Tar({{.path = "a"}});
  tar[0] = 'b';
  EXPECT_EQ(ReadTar(tar).error, "is no tar archive, or a damaged one (a header's checksum)");
}

TEST(Tar, ASizeIsNotBelieved) {
  // It promises eight gigabytes, and has none.
  std::string tar = Tar({{.path = "a"}});
  tar.replace(124, 11, "77777777777");
  EXPECT_EQ(ReadTar(Summed(tar)).error, "a: 8589934591 bytes, where 268435456 are read at most");
  EXPECT_EQ(ReadTar(Summed(tar), {.bytes = uint64_t{1} << 40}).error, "the archive is cut off");
  tar[124] = '\x80';  // GNU's form of larger numbers
  EXPECT_EQ(ReadTar(Summed(tar)).error, "a: its size is no number, or one of more than 8 GiB");
}

TEST(Tar, BoundsHoldForAllMembersTogether) {
  std::vector<TarMember> members(10, TarMember{.path = "a", .content = std::string(1000, 'x')});
  EXPECT_EQ(ReadTar(Tar(members), {.bytes = 5000}).members.size(), 5u);
  EXPECT_EQ(ReadTar(Tar(members), {.members = 9}).error, "holds more than 9 members");
}

TEST(Tar, AMalformedPaxHeader) {
  for (const char* record : {"x", "0 a=b\n", "99 a=b\n", "6 a=bc", "5 ab\n"}) {
    std::string tar = Tar({{.path = "pax", .content = record}});
    tar[156] = 'x';
    EXPECT_EQ(ReadTar(Summed(tar)).error, "pax: a malformed pax header") << record;
  }
}

TEST(Tar, KindsThatAreNotRead) {
  std::string tar = Tar({{.path = "a"}});
  tar[156] = 'S';
  EXPECT_EQ(ReadTar(Summed(tar)).error,
            "a: a member of a kind that is not read (sparse, or of another system)");
}

}  // namespace
}  // namespace vgpu::archive

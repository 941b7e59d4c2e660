#include "diag/host/listed_file.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(ListedFile, SaysAllOfAFile) {
  const auto file = ParseListedFile(
      R"({"path": "/usr/lib/a.so", "type": "file", "mode": "4755", "uid": 1000, "gid": 7,)"
      R"( "size": 18446744073709551615, "mtime": "2026-02-24T10:06:00.5Z", "ctime": "x",)"
      R"( "dev": 3, "ino": 4, "caps": "cap_net_admin=ep", "sha256": "ab", "elf": {"class": 64}})");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->path, "/usr/lib/a.so");
  EXPECT_FALSE(file->absent);
  EXPECT_EQ(file->meta.type, FileType::kFile);
  EXPECT_EQ(*file->meta.mode, 04755u);
  EXPECT_EQ(*file->meta.uid, 1000u);
  EXPECT_EQ(*file->meta.gid, 7u);
  EXPECT_EQ(*file->meta.size, UINT64_MAX);
  EXPECT_EQ(*file->meta.mtime, absl::FromUnixMillis(1771927560500));
  EXPECT_TRUE(file->meta.ctime.not_observed());
  EXPECT_EQ(file->meta.id->dev, 3u);
  EXPECT_EQ(file->meta.id->ino, 4u);
  EXPECT_EQ(*file->meta.caps, "cap_net_admin=ep");
  EXPECT_EQ(*file->meta.sha256, "ab");
  EXPECT_EQ(file->elf, R"({"class": 64})");
  EXPECT_EQ(file->names, std::nullopt);
}

TEST(ListedFile, OfOtherKinds) {
  EXPECT_EQ(ParseListedFile(R"({"path":"/a","type":"symlink","target":"b"})")->target, "b");
  EXPECT_TRUE(ParseListedFile(R"({"path":"/a","type":"absent"})")->absent);
  EXPECT_TRUE(ParseListedFile(R"({"path":"/a","caps":null})")->meta.caps.absent());
  const auto dir = ParseListedFile(R"({"path":"/d","type":"dir","names":["b","a",1,["c"],{}]})");
  EXPECT_EQ(dir->meta.type, FileType::kDir);
  EXPECT_THAT(dir->names, Optional(ElementsAre("a", "b")));
  EXPECT_THAT(ParseListedFile(R"({"path":"/d","names":[]})")->names, Optional(ElementsAre()));
}

TEST(ListedFile, WhatIsNotSaidOrHasAnotherTypeWasNotObserved) {
  const auto file = ParseListedFile(
      R"({"path": "/a", "mode": 755, "uid": -1, "gid": "0", "size": 1.5, "dev": 3, "mtime": 1,)"
      R"( "caps": 1, "sha256": "", "elf": null, "names": {"a": "b"}, "x": {"path": "/y"}})");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->path, "/a");
  EXPECT_EQ(file->meta.type, FileType::kFile);
  EXPECT_TRUE(file->meta.mode.not_observed());
  EXPECT_TRUE(file->meta.uid.not_observed());
  EXPECT_TRUE(file->meta.gid.not_observed());
  EXPECT_TRUE(file->meta.size.not_observed());
  EXPECT_TRUE(file->meta.mtime.not_observed());
  EXPECT_TRUE(file->meta.id.not_observed());
  EXPECT_TRUE(file->meta.caps.not_observed());
  EXPECT_TRUE(file->meta.sha256.not_observed());
  EXPECT_EQ(file->elf, "");
  EXPECT_EQ(file->names, std::nullopt);
}

TEST(ListedFile, WhatIsNone) {
  for (const char* line :
       {"", "x", "null", "\"/a\"", "[]", R"(["path", "/a"])", "{}", R"({"path": ""})",
        R"({"path": "a"})", R"({"path": 1})", R"({"path": "/a")", R"({"path": "/a"} x)",
        R"({"path": "/a", "elf": {})", R"([{"path": "/a"}])", R"({"x": {"path": "/a"}})",
        "{\"path\": \"/\xff\"}"}) {
    EXPECT_EQ(ParseListedFile(line), std::nullopt) << line;
  }
}

TEST(ListedFile, MayBeNestedAsDeepAsItLikes) {
  const std::string deep(1000000, '[');
  const auto file = ParseListedFile(absl::StrCat(R"({"x": )", deep, std::string(deep.size(), ']'),
                                                 R"(, "path": "/a", "names": ["b"]})"));
  ASSERT_TRUE(file.has_value());
  EXPECT_THAT(file->names, Optional(ElementsAre("b")));
}

}  // namespace
}  // namespace vgpu::host

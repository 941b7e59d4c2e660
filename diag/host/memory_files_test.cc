#include "diag/host/memory_files.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

using Names = std::vector<std::string>;

std::shared_ptr<const std::string> Text(absl::string_view text) {
  return std::make_shared<const std::string>(text);
}

TEST(MemoryFiles, AFileBringsItsDirectories) {
  MemoryFiles files;
  ASSERT_TRUE(files.AddFile("/etc/systemd/x.conf", Text("A=1")).ok());
  ASSERT_TRUE(files.AddLink("/etc/link", "systemd").ok());
  EXPECT_EQ(files.Stat("/etc")->type, FileType::kDir);
  EXPECT_EQ(*files.Stat("/etc/systemd/x.conf")->size, 3u);
  EXPECT_EQ(*files.List("/etc"), (Names{"link", "systemd"}));
  EXPECT_EQ(*files.List("/"), (Names{"etc"}));
  EXPECT_EQ(*files.ReadLink("/etc/link"), "systemd");
}

TEST(MemoryFiles, NoLinkIsFollowed) {
  MemoryFiles files;
  ASSERT_TRUE(files.AddFile("/etc/a", Text("A")).ok());
  ASSERT_TRUE(files.AddLink("/link", "/etc").ok());
  EXPECT_TRUE(files.Stat("/link/a").absent());
  EXPECT_TRUE(files.Read("/link", 10).absent());
  EXPECT_TRUE(files.List("/link").absent());
}

TEST(MemoryFiles, AReadIsBounded) {
  MemoryFiles files;
  ASSERT_TRUE(files.AddFile("/a", Text("0123")).ok());
  EXPECT_EQ(files.Read("/a", 3)->bytes, "012");
  EXPECT_TRUE(files.Read("/a", 3)->truncated);
  EXPECT_FALSE(files.Read("/a", 4)->truncated);
  char buffer[8];
  EXPECT_EQ(*(*files.Open("/a")).get()->Read(buffer, sizeof(buffer)), 4u);
  const std::unique_ptr<RangeSource> ranges = files.OpenRanges("/a").value();
  EXPECT_EQ(ranges->size(), 4u);
  EXPECT_EQ(*ranges->ReadAt(2, 10), "23");
  EXPECT_EQ(*ranges->ReadAt(4, 10), "");
}

TEST(MemoryFiles, APathStandsForOneThing) {
  MemoryFiles files;
  ASSERT_TRUE(files.AddFile("/a", Text("")).ok());
  EXPECT_EQ(files.AddFile("/a", Text("")).message(), "/a: is there twice");
  EXPECT_EQ(files.AddLink("/a", "b").message(), "/a: is there twice");
  ASSERT_TRUE(files.AddLink("/l", "/etc").ok());
  EXPECT_EQ(files.AddFile("/l/passwd", Text("")).message(),
            "/l/passwd: lies below what is no directory (symlink)");
  ASSERT_TRUE(files.AddDir("/d").ok());
  EXPECT_TRUE(files.AddDir("/d").ok());
}

TEST(MemoryFiles, NamesAreBounded) {
  MemoryFiles few({.entries = 3});
  EXPECT_TRUE(few.AddDir("/a/b").ok());
  EXPECT_FALSE(few.AddDir("/c").ok());
  MemoryFiles flat({.depth = 2});
  EXPECT_EQ(flat.AddDir("/a/b/c").message(), "/a/b/c: lies 3 directories deep");
  MemoryFiles brief({.name_bytes = 100});
  EXPECT_FALSE(brief.AddLink("/a", std::string(100, 'x')).ok());
}

}  // namespace
}  // namespace vgpu::host

#include "diag/loader/preload_list.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::loader {
namespace {

using Entries = std::vector<absl::string_view>;

TEST(PreloadListTest, ColonAndSpaceSeparate) {
  EXPECT_EQ(SplitPreload("/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so libx.so"),
            (Entries{"/usr/lib64/libvgpu-exec.so", "/usr/lib64/libvgpu-cuda.so", "libx.so"}));
}

TEST(PreloadListTest, EmptyEntriesMeanNothing) {
  EXPECT_EQ(SplitPreload("::/a.so: :/b.so:"), (Entries{"/a.so", "/b.so"}));
  EXPECT_EQ(SplitPreload(""), Entries{});
}

TEST(PreloadListTest, ANewlineOrAQuoteIsPartOfTheName) {
  EXPECT_EQ(SplitPreload("\"/a.so\n/b.so\""), (Entries{"\"/a.so\n/b.so\""}));
}

TEST(PreloadListTest, TheFileHasTabsAndNewlinesToo) {
  EXPECT_EQ(SplitPreloadFile("/a.so\t/b.so\n# x\n/c.so:/d.so\r\n"),
            (Entries{"/a.so", "/b.so", "/c.so", "/d.so\r"}));
  EXPECT_TRUE(SplitPreloadFile("\n \n").empty());
  EXPECT_TRUE(SplitPreloadFile("").empty());
  EXPECT_TRUE(SplitPreloadFile("#").empty());
}

TEST(PreloadListTest, ASecondCommentIsTakenOutInPart) {
  EXPECT_EQ(SplitPreloadFile("# comment here /nope1\n/l/a.so:/nope2\t/nope3 # second /nope4\n"
                             "\"/q.so\"\n/nope5"),
            (Entries{"/l/a.so", "/nope2", "/nope3", "/nope4", "\"/q.so\"", "/nope5"}));
}

}  // namespace
}  // namespace vgpu::loader

#include "diag/procfs/maps.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "diag/procfs/own_file.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

TEST(ParseMapsLine, ReadsEveryColumn) {
  const auto mapping = ParseMapsLine(
      "7f2c04a00000-7f2c04a2e000 r-xp 0001a000 fe:01 10060245                   "
      "/usr/lib/libvgpu-cuda.so");
  ASSERT_TRUE(mapping.has_value());
  EXPECT_EQ(mapping->start, 0x7f2c04a00000u);
  EXPECT_EQ(mapping->end, 0x7f2c04a2e000u);
  EXPECT_TRUE(mapping->readable);
  EXPECT_FALSE(mapping->writable);
  EXPECT_TRUE(mapping->executable);
  EXPECT_FALSE(mapping->shared);
  EXPECT_EQ(mapping->offset, 0x1a000u);
  EXPECT_EQ(mapping->dev_major, 0xfeu);
  EXPECT_EQ(mapping->dev_minor, 1u);
  EXPECT_EQ(mapping->inode, 10060245u);
  EXPECT_EQ(mapping->path, "/usr/lib/libvgpu-cuda.so");
}

TEST(ParseMapsLine, AnonymousMappingHasNoPath) {
  const auto mapping = ParseMapsLine("7f2c04a00000-7f2c04a2e000 rw-p 00000000 00:00 0 ");
  ASSERT_TRUE(mapping.has_value());
  EXPECT_EQ(mapping->inode, 0u);
  EXPECT_EQ(mapping->path, "");
}

TEST(ParseMapsLine, VsyscallLiesInTheUpperHalf) {
  const auto mapping = ParseMapsLine(
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]");
  ASSERT_TRUE(mapping.has_value());
  EXPECT_EQ(mapping->start, 0xffffffffff600000u);
  EXPECT_EQ(mapping->path, "[vsyscall]");
}

TEST(ParseMapsLine, RefusesWhatIsNoLineOfMaps) {
  for (absl::string_view line :
       {"", "Rss: 4 kB", "7f2c-7f2b rw-p 0 00:00 0", "7f2c-7f2d rw-p", "7f2c-7f2d rw 0 00:00 0",
        "7f2c-7f2d rw-p 0 00:00 -1", "7f2c-7f2d rw-p 0 0000 1 /x",
        "10000000000000000-10000000000000001 rw-p 0 00:00 0"}) {
    EXPECT_FALSE(ParseMapsLine(line).has_value()) << line;
  }
}

TEST(ParseMaps, ManyMappingsOfAFileAreOneObject) {
  const MappedObjects maps = ParseMaps(
                                 "1000-2000 r--p 00000000 fe:00 11 /usr/lib/libcuda.so.1\n"
                                 "2000-3000 r-xp 00001000 fe:00 11 /usr/lib/libcuda.so.1\n"
                                 "3000-4000 r--p 00000000 fe:00 12 /usr/share/zoneinfo/UTC\n"
                                 "4000-5000 rw-p 00002000 fe:00 11 /usr/lib/libcuda.so.1\n"
                                 "5000-6000 rw-p 00000000 00:00 0 [heap]\n"
                                 "6000-7000 r-xp 00000000 00:00 0\n")
                                 .value();
  ASSERT_EQ(maps.files.size(), 2u);
  EXPECT_EQ(maps.files[0].path, "/usr/lib/libcuda.so.1");
  EXPECT_TRUE(maps.files[0].executable);
  EXPECT_EQ(maps.files[0].start, 0x1000u);
  EXPECT_EQ(maps.files[1].path, "/usr/share/zoneinfo/UTC");
  EXPECT_FALSE(maps.files[1].executable);
  EXPECT_EQ(maps.mappings, 6u);
  EXPECT_EQ(maps.malformed_lines, 0u);
}

TEST(ParseMaps, ReplacedLibraryIsMarkedDeletedBesideItsSuccessor) {
  const MappedObjects maps =
      ParseMaps(
          "1000-2000 r-xp 00000000 fe:00 11 /opt/vgpu/lib/libvgpu-cuda.so (deleted)\n"
          "3000-4000 r-xp 00000000 fe:00 12 /opt/vgpu/lib/libvgpu-cuda.so\n")
          .value();
  ASSERT_EQ(maps.files.size(), 2u);
  EXPECT_EQ(maps.files[0].path, maps.files[1].path);
  EXPECT_TRUE(maps.files[0].marked_deleted);
  EXPECT_EQ(maps.files[0].shown_path(), "/opt/vgpu/lib/libvgpu-cuda.so (deleted)");
  EXPECT_FALSE(maps.files[1].marked_deleted);
  EXPECT_EQ(maps.files[1].shown_path(), "/opt/vgpu/lib/libvgpu-cuda.so");
}

TEST(ParseMaps, OnlyTheLastMarkIsTheKernels) {
  const MappedObjects maps =
      ParseMaps("1000-2000 r--p 0 fe:00 11 /tmp/x (deleted) (deleted)\n").value();
  ASSERT_EQ(maps.files.size(), 1u);
  EXPECT_EQ(maps.files[0].path, "/tmp/x (deleted)");
  EXPECT_TRUE(maps.files[0].marked_deleted);
}

TEST(ParseMaps, SameInodeOnAnotherDeviceIsAnotherFile) {
  const MappedObjects maps = ParseMaps(
                                 "1000-2000 r--p 0 fe:00 11 /a\n"
                                 "2000-3000 r--p 0 fe:01 11 /b\n")
                                 .value();
  EXPECT_EQ(maps.files.size(), 2u);
}

TEST(ParseMaps, MalformedLinesAreCounted) {
  const MappedObjects maps = ParseMaps("garbage\n1000-2000 r--p 0 fe:00 11 /a\nx\n\n").value();
  EXPECT_FALSE(maps.whole());
  EXPECT_EQ(maps.files.size(), 1u);
  EXPECT_EQ(maps.malformed_lines, 2u);
}

TEST(ParseMaps, ReadLimitLeavesTheCutLineOut) {
  constexpr absl::string_view kText =
      "1000-2000 r--p 0 fe:00 11 /a\n"
      "2000-3000 r--p 0 fe:00 12 /opt/vgpu/lib/libvgpu-cu";
  const MappedObjects cut = ParseMaps(kText, /*truncated=*/true).value();
  EXPECT_TRUE(cut.truncated);
  ASSERT_EQ(cut.files.size(), 1u);
  EXPECT_EQ(cut.files[0].path, "/a");
  // A whole file that only lacks its last newline says what it says.
  // Cut before it came here: its last line is not ended.
  EXPECT_EQ(ParseMaps(kText).value().files.size(), 1u);
  EXPECT_FALSE(ParseMaps(kText).value().whole());
  EXPECT_TRUE(ParseMaps(absl::StrCat(kText, "\n")).value().whole());
}

TEST(ParseMaps, WhatHasNoMappingIsAnError) {
  EXPECT_EQ(ParseMaps("").status().message(), "maps: empty, as for a kernel thread or a zombie");
  EXPECT_EQ(ParseMaps("noise\n\x01\n").status().message(),
            "maps: no line of a mapping: \"noise\\n\\x01\\n\"");
}

TEST(ParseMaps, MillionMappingsOfOneFileAreQuick) {
  std::string text;
  for (int i = 0; i < 1000000; ++i) {
    absl::StrAppendFormat(&text, "%x000-%x000 rw-p 00000000 fe:00 %d /memfd:heap (deleted)\n", i,
                          i + 1, 11 + i % 2);
  }
  const auto start = std::chrono::steady_clock::now();
  const MappedObjects maps = ParseMaps(text).value();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(maps.mappings, 1000000u);
  EXPECT_EQ(maps.files.size(), 2u);
  // Tenths of a second; a search through the files or the text per line would take hours.
  EXPECT_LT(took.count(), 20.0);
}

TEST(ParseMaps, ThisProcessHasItsOwnProgramMapped) {
  const MappedObjects maps = ParseMaps(ReadOwnFile("/proc/self/maps")).value();
  EXPECT_EQ(maps.malformed_lines, 0u);
  struct stat program = {};
  ASSERT_EQ(stat("/proc/self/exe", &program), 0);
  const MappedFile* own = nullptr;
  for (const MappedFile& file : maps.files) {
    if (file.inode == program.st_ino) own = &file;
  }
  ASSERT_NE(own, nullptr);
  EXPECT_TRUE(absl::EndsWith(own->path, "maps_test")) << own->path;
  EXPECT_TRUE(own->executable);
  EXPECT_FALSE(own->marked_deleted);
}

TEST(ParseMaps, ThisProcessMapsAFileWithAnOddNameAndRemovesIt) {
  const std::string path = absl::StrCat(testing::TempDir(), "/li b\nx (deleted)");
  std::ofstream(path) << "content";
  struct stat before = {};
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  FILE* file = fopen(path.c_str(), "r");
  ASSERT_NE(file, nullptr);
  void* const memory = mmap(nullptr, 7, PROT_READ, MAP_PRIVATE, fileno(file), 0);
  fclose(file);
  ASSERT_NE(memory, MAP_FAILED);

  const auto find = [&before]() {
    const MappedObjects maps = ParseMaps(ReadOwnFile("/proc/self/maps")).value();
    for (const MappedFile& mapped : maps.files) {
      if (mapped.inode == before.st_ino) return mapped;
    }
    return MappedFile();
  };
  // Not deleted, but called so: the shown path has this inode.
  EXPECT_TRUE(find().marked_deleted);
  EXPECT_TRUE(absl::EndsWith(find().shown_path(), "/li b\nx (deleted)")) << find().shown_path();
  ASSERT_EQ(unlink(path.c_str()), 0);
  EXPECT_TRUE(find().marked_deleted);
  EXPECT_TRUE(absl::EndsWith(find().path, "/li b\nx (deleted)")) << find().path;
  munmap(memory, 7);
}

}  // namespace
}  // namespace vgpu::procfs

#include "diag/facts/maker.h"

#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

FileFacts File(std::string path) {
  FileFacts file;
  file.path = path;
  host::Resolved found;
  found.path = std::move(path);
  file.found = std::move(found);
  return file;
}

TEST(MakerTest, ByTheNameBehindTheLinks) {
  EXPECT_EQ(MakerOf(File("/usr/lib64/libvgpu-cuda.so"), {}), Maker::kShim);
  EXPECT_EQ(MakerOf(File("/usr/lib64/libvgpu-cudart.so.12"), {}), Maker::kShim);
  EXPECT_EQ(MakerOf(File("/usr/lib64/libcuda.so.570.124.06"), {}), Maker::kNvidia);
  EXPECT_EQ(MakerOf(File("/x/libcudart.so.12.8.90"), {}), Maker::kNvidia);
  EXPECT_EQ(MakerOf(File("/usr/local/cuda/lib64/stubs/libcuda.so"), {}), Maker::kStub);
}

TEST(MakerTest, ASonameAloneTellsNothing) {
  EXPECT_EQ(MakerOf(File("/opt/vgpu/lib/libcuda.so.1"), {}), Maker::kUnknown);
}

TEST(MakerTest, WhatItExportsOutweighsItsName) {
  FileFacts file = File("/x/libcudart.so.12.8.90");
  elf::ElfInfo elf;
  elf.exports = std::vector<elf::ExportedSymbol>{{"libvgpu_set_skip_interception", host::Absent{}}};
  file.elf = elf;
  EXPECT_EQ(MakerOf(file, {}), Maker::kShim);
}

TEST(MakerTest, ACopyIsWhoseContentItHas) {
  FileFacts shim = File("/usr/lib64/libvgpu-cudart.so");
  FileFacts copy = File("/x/cuda_v12/libcudart.so.12.8.90");
  elf::ElfInfo elf;
  elf.build_id = std::string("5e1f");
  shim.elf = elf;
  copy.elf = elf;
  EXPECT_EQ(MakerOf(copy, {shim}), Maker::kShim);

  FileFacts driver = File("/usr/lib64/libcuda.so.570.124.06");
  FileFacts posing = File("/usr/lib64/libvgpu-cuda.so");
  elf.build_id = std::string("c0ffee");
  driver.elf = elf;
  posing.elf = elf;
  EXPECT_EQ(MakerOf(posing, {driver}), Maker::kNvidia);
  EXPECT_EQ(MakerOf(driver, {posing}), Maker::kNvidia);
}

TEST(MakerTest, OtherLibrariesHaveNoMakerHere) {
  EXPECT_EQ(MakerOf(File("/usr/lib/libjemalloc.so.2"), {}), Maker::kUnknown);
}

}  // namespace
}  // namespace vgpu::facts

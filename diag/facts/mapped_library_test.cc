#include "diag/facts/mapped_library.h"

#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using host::Absent;
using host::FileId;
using host::NotObserved;
using host::Observed;

constexpr char kShim[] = "/usr/lib64/libvgpu-cuda.so";
const Observed<absl::Time> kStarted = absl::FromUnixSeconds(1000);

procfs::MappedFile Mapped(uint64_t inode, bool deleted = false) {
  procfs::MappedFile file;
  file.dev_major = 8;
  file.dev_minor = 1;
  file.inode = inode;
  file.path = kShim;
  file.marked_deleted = deleted;
  return file;
}

Observed<host::Resolved> OnDisk(Observed<FileId> id,
                                Observed<absl::Time> mtime = absl::FromUnixSeconds(900)) {
  host::Resolved found;
  found.path = kShim;
  found.meta.id = std::move(id);
  found.meta.mtime = std::move(mtime);
  return found;
}

constexpr uint64_t k8_1 = 0x801;
constexpr uint64_t k0_35 = 35;

TEST(CompareWithDiskTest, OneInode) {
  EXPECT_EQ(*CompareWithDisk(Mapped(7), OnDisk(FileId{k8_1, 7}), kStarted, true), Freshness::kSame);
}

TEST(CompareWithDiskTest, RenamedOver) {
  EXPECT_EQ(*CompareWithDisk(Mapped(7, true), OnDisk(FileId{k8_1, 8}), kStarted, true),
            Freshness::kReplaced);
  EXPECT_EQ(*CompareWithDisk(Mapped(7), OnDisk(FileId{k8_1, 8}), kStarted, true),
            Freshness::kReplaced);
  // A checkout keeps no inode numbers: the kernel's mark is enough.
  EXPECT_EQ(*CompareWithDisk(Mapped(7, true), OnDisk(NotObserved{"not kept"}), kStarted, true),
            Freshness::kReplaced);
}

TEST(CompareWithDiskTest, RemovedAndNotCapturedAreTwo) {
  EXPECT_EQ(*CompareWithDisk(Mapped(7, true), Absent{}, kStarted, true), Freshness::kRemoved);
  EXPECT_TRUE(CompareWithDisk(Mapped(7), Absent{}, kStarted, true).not_observed());
}

TEST(CompareWithDiskTest, OverlayfsShowsAnotherDeviceInMaps) {
  EXPECT_EQ(*CompareWithDisk(Mapped(7), OnDisk(FileId{k0_35, 7}), kStarted, true),
            Freshness::kSame);
  EXPECT_TRUE(CompareWithDisk(Mapped(7), OnDisk(FileId{k0_35, 8}), kStarted, true).not_observed());
  EXPECT_EQ(*CompareWithDisk(Mapped(7, true), OnDisk(FileId{k0_35, 8}), kStarted, true),
            Freshness::kReplaced);
}

TEST(CompareWithDiskTest, CopiedOverInPlace) {
  EXPECT_EQ(*CompareWithDisk(Mapped(7), OnDisk(FileId{k8_1, 7}, absl::FromUnixSeconds(1100)),
                             kStarted, true),
            Freshness::kOverwritten);
  // Written by the installer that then started the service.
  EXPECT_EQ(*CompareWithDisk(Mapped(7), OnDisk(FileId{k8_1, 7}, absl::FromUnixSeconds(1001)),
                             kStarted, true),
            Freshness::kSame);
}

TEST(CompareWithDiskTest, AMountOfTheProcessStandsOverThePath) {
  EXPECT_TRUE(CompareWithDisk(Mapped(7), OnDisk(FileId{k8_1, 8}), kStarted, false).not_observed());
}

TEST(CompareWithDiskTest, NothingIsKnown) {
  EXPECT_TRUE(
      CompareWithDisk(Mapped(7), OnDisk(NotObserved{"not kept"}), kStarted, true).not_observed());
  EXPECT_TRUE(CompareWithDisk(Mapped(7), NotObserved{"hidden"}, kStarted, true).not_observed());
}

}  // namespace
}  // namespace vgpu::facts

#include "diag/host/file_caps.h"

#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

// The attribute as the kernel keeps it: little-endian words.
std::string Words(std::initializer_list<uint32_t> words) {
  std::string bytes;
  for (uint32_t word : words) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(word >> (8 * i) & 0xff));
  }
  return bytes;
}

TEST(FileCapsTextTest, AsGetcapPrintsIt) {
  // setcap cap_perfmon+ep (38), and cap_net_bind_service+ep (10).
  EXPECT_EQ(*FileCapsText(Words({0x02000001, 0, 0, 1u << (38 - 32), 0})), "cap_perfmon=ep");
  EXPECT_EQ(*FileCapsText(Words({0x02000001, 1u << 10, 0, 0, 0})), "cap_net_bind_service=ep");
  EXPECT_EQ(*FileCapsText(Words({0x02000001, 3u << 12, 0, 0, 0})), "cap_net_admin,cap_net_raw=ep");
}

TEST(FileCapsTextTest, PermittedOrInheritableOnly) {
  EXPECT_EQ(*FileCapsText(Words({0x02000000, 1u << 13, 0, 0, 0})), "cap_net_raw=p");
  EXPECT_EQ(*FileCapsText(Words({0x02000000, 0, 1u << 13, 0, 0})), "cap_net_raw=i");
  EXPECT_EQ(*FileCapsText(Words({0x02000000, 1u << 13, 1, 0, 0})), "cap_chown=i cap_net_raw=p");
}

TEST(FileCapsTextTest, OldAndNamespaced) {
  EXPECT_EQ(*FileCapsText(Words({0x01000001, 1u << 21, 0})), "cap_sys_admin=ep");
  EXPECT_EQ(*FileCapsText(Words({0x03000001, 1u << 21, 0, 0, 0, 100000})), "cap_sys_admin=ep");
}

TEST(FileCapsTextTest, OneThatHasNoNameYet) {
  EXPECT_EQ(*FileCapsText(Words({0x02000001, 0, 0, 1u << (45 - 32), 0})), "cap_45=ep");
}

TEST(FileCapsTextTest, NothingIsGranted) {
  EXPECT_TRUE(FileCapsText(Words({0x02000000, 0, 0, 0, 0})).absent());
}

TEST(FileCapsTextTest, NotTheKernels) {
  EXPECT_TRUE(FileCapsText("").not_observed());
  EXPECT_TRUE(FileCapsText(Words({0x02000001, 0, 0})).not_observed());
  EXPECT_TRUE(FileCapsText(Words({0x07000001, 0, 0, 0, 0})).not_observed());
}

}  // namespace
}  // namespace vgpu::host

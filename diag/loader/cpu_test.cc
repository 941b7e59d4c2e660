#include "diag/loader/cpu.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::loader {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kV3[] =
    "flags\t\t: cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe "
    "xsave\n";

TEST(CpuTest, IntelWithAvx2IsHaswell) {
  const Cpu cpu = CpuFrom(std::string("vendor_id\t: GenuineIntel\n") + kV3);
  EXPECT_THAT(cpu.hwcaps, ElementsAre("x86-64-v3", "x86-64-v2"));
  EXPECT_EQ(cpu.platform, "haswell");
  EXPECT_THAT(cpu.legacy, ElementsAre("tls/haswell/x86_64", "tls/haswell", "tls/x86_64", "tls",
                                      "haswell/x86_64", "haswell", "x86_64"));
}

// The order that LD_DEBUG=libs shows with glibc 2.36.
TEST(CpuTest, AmdIsOfThePlainPlatform) {
  const Cpu cpu = CpuFrom(std::string("vendor_id\t: AuthenticAMD\n") + kV3);
  EXPECT_EQ(cpu.platform, "x86_64");
  EXPECT_THAT(cpu.legacy,
              ElementsAre("tls/x86_64/x86_64", "tls/x86_64", "tls", "x86_64/x86_64", "x86_64"));
}

TEST(CpuTest, AnOldCpuHasNoLevel) {
  EXPECT_THAT(CpuFrom("vendor_id\t: GenuineIntel\nflags\t: fpu sse2\n").hwcaps, IsEmpty());
}

TEST(CpuTest, ArmHasNoLevels) { EXPECT_EQ(CpuFrom("CPU architecture: 8\n").platform, "aarch64"); }

}  // namespace
}  // namespace vgpu::loader

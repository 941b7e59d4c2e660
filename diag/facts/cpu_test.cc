#include "diag/facts/cpu.h"

#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

TEST(CpuTest, AGuestWithoutAvx) {
  host::Observed<CpuFacts> cpu = ParseCpu(
      "processor\t: 0\nmodel name\t: QEMU Virtual CPU version 2.5+\nflags\t\t: fpu sse4_2 "
      "hypervisor lahf_lm\n\nprocessor\t: 1\nflags\t\t: avx\n");
  ASSERT_TRUE(cpu.present());
  EXPECT_EQ(cpu->model, "QEMU Virtual CPU version 2.5+");
  EXPECT_FALSE(cpu->avx);
  EXPECT_TRUE(cpu->hypervisor);
}

TEST(CpuTest, AWordThatOnlyBeginsWithAvxIsAnotherFlag) {
  EXPECT_FALSE(ParseCpu("flags : avx512f\n")->avx);
  EXPECT_TRUE(ParseCpu("flags : fpu avx avx2\n")->avx2);
}

TEST(CpuTest, FlagsThatAreCutAreNotAll) {
  EXPECT_TRUE(ParseCpu("model name : x\nflags : fpu sse4_2").not_observed());
}

TEST(CpuTest, AnotherArchitectureHasNone) {
  EXPECT_TRUE(ParseCpu("Features : fp asimd\n").not_observed());
}

}  // namespace
}  // namespace vgpu::facts

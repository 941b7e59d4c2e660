#include "tools/vgpu_doctor/watch/unit_processes.h"

#include <stdio.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

TEST(PathOfSlice, ASliceLiesWithinThoseOfItsName) {
  EXPECT_EQ(PathOfSlice("system.slice"), "/system.slice");
  EXPECT_EQ(PathOfSlice("system-llm-big.slice"),
            "/system.slice/system-llm.slice/system-llm-big.slice");
  EXPECT_EQ(PathOfSlice("-.slice"), "");
  EXPECT_EQ(PathOfSlice(""), "");
}

TEST(UnitProcesses, ReadsTheNumbersThatAreOfThisNamespace) {
  const std::string file = absl::StrCat(::testing::TempDir(), "/cgroup.procs.", getpid());
  std::ofstream(file) << "12\n0\n4711\nx\n";
  EXPECT_EQ(UnitProcesses(file).Now(), std::vector<pid_t>({12, 4711}));
  remove(file.c_str());
  EXPECT_TRUE(UnitProcesses(file).Now().empty());  // it does not run
}

}  // namespace
}  // namespace vgpu::doctor

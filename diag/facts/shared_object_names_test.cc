#include "diag/facts/shared_object_names.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::facts {
namespace {

using Names = std::vector<std::string>;

TEST(SharedObjectNames, AbsolutePathsEachOnce) {
  EXPECT_EQ(SharedObjectNames("LD_PRELOAD=/opt/a.so:/opt/b.so.1 \"/opt/a.so\" c.so rel/d.so"),
            (Names{"/opt/a.so", "/opt/b.so.1"}));
  EXPECT_EQ(SharedObjectNames(std::string("\x7f"
                                          "ELF\0/opt/x/libvgpu-cuda.so\0",
                                          30)),
            (Names{"/opt/x/libvgpu-cuda.so"}));
  EXPECT_TRUE(SharedObjectNames("").empty());
}

TEST(SharedObjectNames, ABoundedNumber) {
  std::string text;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, " /opt/", i, ".so");
  EXPECT_EQ(SharedObjectNames(text).size(), 64u);
}

TEST(RecordedNames, WhatACaptureSaysOfAProgram) {
  host::FakeHost host;
  host.AddFile("/usr/bin/a", "").AddFile("/usr/bin/b", "").AddFile("/usr/bin/c", "");
  host.AddElf("/usr/bin/a", R"({"named_objects": ["/opt/a.so", "b.so", 1]})");
  host.AddElf("/usr/bin/b", R"({"named_objects": "/opt/a.so"})");
  EXPECT_EQ(RecordedNames(host, host.Resolve("/usr/bin/a")), (Names{"/opt/a.so"}));
  EXPECT_TRUE(RecordedNames(host, host.Resolve("/usr/bin/b")).empty());
  EXPECT_TRUE(RecordedNames(host, host.Resolve("/usr/bin/c")).empty());
  EXPECT_TRUE(RecordedNames(host, host.Resolve("/usr/bin/d")).empty());
}

}  // namespace
}  // namespace vgpu::facts

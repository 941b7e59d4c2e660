#include "diag/loader/ld_so_conf.h"

#include <string>
#include <vector>

#include "diag/host/fake_host.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::loader {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<std::string> Paths(const LdSoConf& conf) {
  std::vector<std::string> paths;
  for (const LdSoConf::Dir& dir : conf.dirs) paths.push_back(dir.path);
  return paths;
}

TEST(LdSoConfTest, IncludesInTheOrderOfTheirNames) {
  host::FakeHost host;
  host.AddFile("/etc/ld.so.conf", "include ld.so.conf.d/*.conf\n/opt/last/ # comment\n");
  host.AddFile("/etc/ld.so.conf.d/b.conf", "/b\n/a\n");
  host.AddFile("/etc/ld.so.conf.d/a.conf", "# nothing\n\n/a\nhwcap 1 nosegneg\n");
  host.AddFile("/etc/ld.so.conf.d/.hidden.conf", "/hidden\n");
  host.AddFile("/etc/ld.so.conf.d/a.conf.dpkg-old", "/old\n");
  const LdSoConf conf = ReadLdSoConf(host);
  EXPECT_THAT(Paths(conf), ElementsAre("/a", "/b", "/opt/last"));
  EXPECT_EQ(conf.dirs[1].file, "/etc/ld.so.conf.d/b.conf");
  EXPECT_EQ(conf.dirs[1].line, 1);
}

TEST(LdSoConfTest, AFileThatIncludesItselfEnds) {
  host::FakeHost host;
  host.AddFile("/etc/ld.so.conf", "/a\ninclude /etc/ld.so.conf\n");
  EXPECT_THAT(Paths(ReadLdSoConf(host)), ElementsAre("/a"));
}

TEST(LdSoConfTest, WhatCannotBeReadIsNamed) {
  host::FakeHost host;
  host.AddFile("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
  host.AddDir("/etc/ld.so.conf.d").Hide("/etc/ld.so.conf.d", "permission denied");
  EXPECT_THAT(ReadLdSoConf(host).unread, SizeIs(1));
}

}  // namespace
}  // namespace vgpu::loader

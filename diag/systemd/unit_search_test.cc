#include "diag/systemd/unit_search.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/host/fake_host.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::vgpu::host::FakeHost;

constexpr absl::string_view kUnit = "/etc/systemd/system/ollama.service";
constexpr absl::string_view kText = "[Service]\nExecStart=/usr/bin/ollama serve\n";

std::vector<std::string> DropIns(const UnitFiles& files) {
  std::vector<std::string> paths;
  for (const DropIn& d : files.drop_ins) paths.push_back(d.file.path);
  return paths;
}

std::vector<std::string> Told(const std::vector<SkippedFile>& files) {
  std::vector<std::string> told;
  for (const SkippedFile& s : files) told.push_back(absl::StrCat(s.path, ": ", s.why));
  return told;
}

TEST(UnitSearchTest, FindsAFragmentAndItsDropIns) {
  FakeHost host;
  host.AddFile(kUnit, kText)
      .AddFile("/etc/systemd/system/ollama.service.d/vgpu.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "ollama.service");
  ASSERT_TRUE(files.fragment.present());
  EXPECT_EQ(files.fragment->file.path, kUnit);
  EXPECT_EQ(files.fragment->file.assignments.size(), 1);
  EXPECT_FALSE(files.fragment->masked);
  EXPECT_THAT(files.names, ElementsAre("ollama.service"));
  EXPECT_THAT(DropIns(files), ElementsAre("/etc/systemd/system/ollama.service.d/vgpu.conf"));
  EXPECT_EQ(files.InOrder().size(), 2);
  EXPECT_THAT(files.skipped, IsEmpty());
  EXPECT_THAT(files.unseen, IsEmpty());
}

TEST(UnitSearchTest, AUnitThatIsNowhereIsAbsentAndItsDropInsAreStillThere) {
  FakeHost host;
  host.AddFile("/etc/systemd/system/ollama.service.d/vgpu.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_TRUE(files.fragment.absent());
  EXPECT_EQ(files.drop_ins.size(), 1);
}

TEST(UnitSearchTest, EtcWinsOverRunAndUsr) {
  FakeHost host;
  host.AddFile("/usr/lib/systemd/system/ollama.service", kText)
      .AddFile("/run/systemd/system/ollama.service", kText)
      .AddFile(kUnit, kText);
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_EQ(files.fragment->file.path, kUnit);
  EXPECT_THAT(
      Told(files.skipped),
      ElementsAre(absl::StrCat("/run/systemd/system/ollama.service: shadowed by ", kUnit),
                  absl::StrCat("/usr/lib/systemd/system/ollama.service: shadowed by ", kUnit)));
}

TEST(UnitSearchTest, OneDirectoryUnderTwoNamesIsReadOnce) {
  FakeHost host;
  host.AddLink("/lib", "usr/lib")
      .AddFile("/usr/lib/systemd/system/ollama.service", kText)
      .AddFile("/usr/lib/systemd/system/ollama.service.d/a.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_EQ(files.fragment->file.path, "/lib/systemd/system/ollama.service");
  EXPECT_EQ(files.fragment->resolved, "/usr/lib/systemd/system/ollama.service");
  EXPECT_THAT(DropIns(files), ElementsAre("/usr/lib/systemd/system/ollama.service.d/a.conf"));
  EXPECT_THAT(files.skipped, IsEmpty());
}

TEST(UnitSearchTest, DropInsAreSortedByNameAcrossDirectories) {
  FakeHost host;
  host.AddFile(kUnit, kText)
      .AddFile("/etc/systemd/system/ollama.service.d/05-b.conf", "[Service]\n")
      .AddFile("/usr/lib/systemd/system/service.d/99-t.conf", "[Service]\n")
      .AddFile("/run/systemd/system/ollama.service.d/50-r.conf", "[Service]\n");
  EXPECT_THAT(DropIns(FindUnit(host, "ollama.service")),
              ElementsAre("/etc/systemd/system/ollama.service.d/05-b.conf",
                          "/run/systemd/system/ollama.service.d/50-r.conf",
                          "/usr/lib/systemd/system/service.d/99-t.conf"));
}

TEST(UnitSearchTest, OfOneNameTheFirstDirectoryWins) {
  FakeHost host;
  host.AddFile(kUnit, kText)
      .AddFile("/etc/systemd/system/ollama.service.d/a.conf", "[Service]\n")
      .AddFile("/usr/lib/systemd/system/ollama.service.d/a.conf", "[Service]\n")
      .AddFile("/etc/systemd/system/service.d/a.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_THAT(DropIns(files), ElementsAre("/etc/systemd/system/ollama.service.d/a.conf"));
  EXPECT_THAT(Told(files.skipped),
              ElementsAre("/usr/lib/systemd/system/ollama.service.d/a.conf: shadowed by "
                          "/etc/systemd/system/ollama.service.d/a.conf, which has the same name",
                          "/etc/systemd/system/service.d/a.conf: shadowed by "
                          "/etc/systemd/system/ollama.service.d/a.conf, which has the same name"));
}

TEST(UnitSearchTest, ALinkToDevNullMasksADropInAndAUnit) {
  FakeHost host;
  host.AddFile("/usr/lib/systemd/system/ollama.service", kText)
      .AddFile("/usr/lib/systemd/system/ollama.service.d/vgpu.conf", "[Service]\n")
      .AddLink("/etc/systemd/system/ollama.service.d/vgpu.conf", "/dev/null");
  UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_THAT(files.drop_ins, IsEmpty());
  EXPECT_THAT(Told(files.skipped),
              ElementsAre("/usr/lib/systemd/system/ollama.service.d/vgpu.conf: shadowed by "
                          "/etc/systemd/system/ollama.service.d/vgpu.conf, which has the same name",
                          "/etc/systemd/system/ollama.service.d/vgpu.conf: masked: a link to "
                          "/dev/null"));

  host.AddLink(kUnit, "/dev/null");
  files = FindUnit(host, "ollama.service");
  ASSERT_TRUE(files.fragment.present());
  EXPECT_TRUE(files.fragment->masked);
  EXPECT_EQ(files.fragment->file.path, kUnit);
  EXPECT_THAT(files.InOrder(), IsEmpty());
}

TEST(UnitSearchTest, AnEmptyFileMasksAUnitToo) {
  FakeHost host;
  host.AddFile(kUnit, "");
  EXPECT_TRUE(FindUnit(host, "ollama.service").fragment->masked);
}

TEST(UnitSearchTest, AliasesBringTheirDropIns) {
  FakeHost host;
  host.AddFile("/usr/lib/systemd/system/ollama.service", kText)
      .AddLink("/etc/systemd/system/llm.service", "/usr/lib/systemd/system/ollama.service")
      .AddFile("/etc/systemd/system/llm.service.d/x.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_THAT(files.names, ElementsAre("ollama.service", "llm.service"));
  EXPECT_THAT(DropIns(files), ElementsAre("/etc/systemd/system/llm.service.d/x.conf"));

  const UnitFiles by_alias = FindUnit(host, "llm.service");
  EXPECT_EQ(by_alias.fragment->file.path, "/usr/lib/systemd/system/ollama.service");
  EXPECT_THAT(by_alias.names, ElementsAre("ollama.service", "llm.service"));
  ASSERT_EQ(by_alias.fragment->links.size(), 1);
  EXPECT_EQ(by_alias.fragment->links[0].first, "/etc/systemd/system/llm.service");
}

TEST(UnitSearchTest, ALinkOutOfTheUnitPathIsALinkedUnit) {
  FakeHost host;
  host.AddLink(kUnit, "/opt/ollama/o.service").AddFile("/opt/ollama/o.service", kText);
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_EQ(files.fragment->file.path, kUnit);
  EXPECT_EQ(files.fragment->resolved, "/opt/ollama/o.service");
  EXPECT_THAT(files.names, ElementsAre("ollama.service"));
}

TEST(UnitSearchTest, LinksThatLeadNowhereOrInACircle) {
  FakeHost host;
  host.AddLink(kUnit, "/opt/gone.service")
      .AddLink("/etc/systemd/system/a.service", "b.service")
      .AddLink("/etc/systemd/system/b.service", "a.service")
      .AddLink("/etc/systemd/system/ollama.service.d/x.conf", "gone.conf");
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_TRUE(files.fragment.absent());
  EXPECT_THAT(Told(files.skipped),
              ElementsAre(absl::StrCat(kUnit, ": link to /opt/gone.service, which does not exist"),
                          "/etc/systemd/system/ollama.service.d/x.conf: a link to gone.conf, which "
                          "does not exist"));
  EXPECT_TRUE(FindUnit(host, "a.service").fragment.absent());
}

TEST(UnitSearchTest, AnInstanceComesFromItsTemplate) {
  FakeHost host;
  host.AddFile("/etc/systemd/system/ollama@.service", kText)
      .AddFile("/etc/systemd/system/ollama@.service.d/50-t.conf", "[Service]\n")
      .AddFile("/etc/systemd/system/ollama@.service.d/a.conf", "[Service]\n")
      .AddFile("/etc/systemd/system/ollama@gpu0.service.d/a.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "ollama@gpu0.service");
  EXPECT_EQ(files.fragment->file.path, "/etc/systemd/system/ollama@.service");
  EXPECT_THAT(files.names, ElementsAre("ollama@gpu0.service"));
  EXPECT_THAT(DropIns(files), ElementsAre("/etc/systemd/system/ollama@.service.d/50-t.conf",
                                          "/etc/systemd/system/ollama@gpu0.service.d/a.conf"));
}

TEST(UnitSearchTest, PrefixesThatEndInADashApply) {
  FakeHost host;
  host.AddFile("/etc/systemd/system/a-b-c.service", kText)
      .AddFile("/etc/systemd/system/a-.service.d/1.conf", "")
      .AddFile("/etc/systemd/system/a-b-.service.d/2.conf", "")
      .AddFile("/etc/systemd/system/a-b.service.d/3.conf", "");
  EXPECT_THAT(DropIns(FindUnit(host, "a-b-c.service")),
              ElementsAre("/etc/systemd/system/a-.service.d/1.conf",
                          "/etc/systemd/system/a-b-.service.d/2.conf"));
}

// The order and the choice are those of systemd 252.38, `systemd --test --user`.
TEST(UnitSearchTest, EveryNameOfAnAliasedInstanceOfATemplateWithADash) {
  FakeHost host;
  const std::string dir = "/etc/systemd/system/";
  host.AddFile(dir + "a-b@.service", kText).AddLink(dir + "al@.service", "a-b@.service");
  for (const char* name : {"a-b@x", "a-b@", "a-@x", "a-@", "a-", "a-b", "a-b-"}) {
    host.AddFile(absl::StrCat(dir, name, ".service.d/f-", name, ".conf"), "[Service]\n")
        .AddFile(absl::StrCat(dir, name, ".service.d/same.conf"), "[Service]\n");
  }
  host.AddFile(dir + "service.d/same.conf", "[Service]\n")
      .AddFile(dir + "al@x.service.d/alx.conf", "[Service]\n")
      .AddFile(dir + "al@.service.d/alt.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "a-b@x.service");
  EXPECT_THAT(files.names, ElementsAre("a-b@x.service", "al@x.service"));
  EXPECT_THAT(DropIns(files),
              ElementsAre(dir + "al@.service.d/alt.conf", dir + "al@x.service.d/alx.conf",
                          dir + "a-.service.d/f-a-.conf", dir + "a-@.service.d/f-a-@.conf",
                          dir + "a-@x.service.d/f-a-@x.conf", dir + "a-b@.service.d/f-a-b@.conf",
                          dir + "a-b@x.service.d/f-a-b@x.conf", dir + "a-b@x.service.d/same.conf"));
}

TEST(UnitSearchTest, FilesThatLookLikeDropInsAndAreNone) {
  FakeHost host;
  host.AddFile(kUnit, kText)
      .AddFile("/etc/systemd/system/ollama.service.d/vgpu.conf.bak", "[Service]\n")
      .AddFile("/etc/systemd/system/ollama.service.d/.vgpu.conf", "[Service]\n")
      .AddFile("/etc/systemd/system/ollama.service.d/empty.conf", "")
      .AddDir("/etc/systemd/system/ollama.service.d/dir.conf")
      .AddFile("/etc/systemd/system/ollama.d/vgpu.conf", "[Service]\n")
      .AddFile("/etc/systemd/system/Ollama.service.d/vgpu.conf", "[Service]\n")
      .AddFile("/etc/systemd/system/ollama.service.conf", "[Service]\n")
      .AddFile("/etc/systemd/ollama.service.d/vgpu.conf", "[Service]\n")
      .AddFile("/etc/systemd/system/ollama-proxy.service", kText)
      .AddFile("/etc/systemd/system/ollama-proxy.service.d/x.conf", "[Service]\n");
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_THAT(DropIns(files), ElementsAre("/etc/systemd/system/ollama.service.d/empty.conf"));
  EXPECT_THAT(
      Told(files.skipped),
      ElementsAre("/etc/systemd/system/ollama.service.d/.vgpu.conf: a hidden file",
                  "/etc/systemd/system/ollama.service.d/vgpu.conf.bak: its name does not end in "
                  ".conf",
                  "/etc/systemd/system/ollama.service.d/dir.conf: not a regular file",
                  "/etc/systemd/system/ollama.service.d/empty.conf: an empty file",
                  "/etc/systemd/system/Ollama.service.d: drop-ins of Ollama.service, which is no "
                  "name of ollama.service",
                  "/etc/systemd/system/ollama.d: drop-ins of ollama, which is no name of "
                  "ollama.service",
                  "/etc/systemd/system/ollama.service.conf: neither a unit nor a drop-in directory",
                  "/etc/systemd/ollama.service.d: not in systemd's unit path; meant for "
                  "/etc/systemd/system?"));
}

TEST(UnitSearchTest, WhatCannotBeReadIsToldAndNotTakenForAbsent) {
  FakeHost host;
  host.AddFile(kUnit, kText)
      .AddFile("/etc/systemd/system/ollama.service.d/vgpu.conf", "[Service]\n")
      .Hide("/etc/systemd/system/ollama.service.d/vgpu.conf", "permission denied");
  UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_TRUE(files.fragment.present());
  EXPECT_THAT(files.drop_ins, IsEmpty());
  EXPECT_THAT(Told(files.unseen),
              ElementsAre("/etc/systemd/system/ollama.service.d/vgpu.conf: permission denied"));

  host.Hide("/etc/systemd/system", "permission denied");
  files = FindUnit(host, "ollama.service");
  EXPECT_TRUE(files.fragment.not_observed());
  EXPECT_EQ(files.fragment.why_not(), "/etc/systemd/system: permission denied");
}

TEST(UnitSearchTest, WhatHoldsNoTextIsNotKnown) {
  FakeHost host;
  host.AddFile(kUnit, kText)
      .AddFile("/etc/systemd/system/ollama.service.d/vgpu.conf", "\x8c\x01=q\x1b\n\xf3")
      .AddFile("/etc/systemd/system/ollama.service.d/x.conf", "[Service]\r\n\tUser=\xc3\xa4\n")
      .AddFile("/etc/systemd/system/ollama.service.d/y.conf",
               "[Service]\n# \x1b[1m\nEnvironment=A=\x1b[1m B\\\n\x1b[m=C\n");
  const UnitFiles files = FindUnit(host, "ollama.service");
  EXPECT_EQ(files.drop_ins.size(), 3u);  // systemd reads it, and what it makes of it is told
  EXPECT_THAT(Told(files.unseen), ElementsAre("/etc/systemd/system/ollama.service.d/vgpu.conf: it "
                                              "holds bytes that are no text"));
}

TEST(UnitSearchTest, OnAPlainRootNothingBelowRunIsMissed) {
  FakeHost host;
  host.AddDir("/etc/systemd/system").Hide("/run", "not a running host").SetRunning(false);
  EXPECT_TRUE(FindUnit(host, "ollama.service").fragment.absent());
  EXPECT_THAT(FindUnit(host, "ollama.service").unseen, IsEmpty());
}

TEST(UnitSearchTest, TheManagersOwnPathReplacesTheDefault) {
  FakeHost host;
  host.AddFile("/opt/units/ollama.service", kText).AddFile(kUnit, kText);
  const UnitFiles files = FindUnit(host, "ollama.service", std::vector<std::string>{"/opt/units/"});
  EXPECT_EQ(files.fragment->file.path, "/opt/units/ollama.service");
}

TEST(UnitSearchTest, ANameThatIsNoUnits) {
  FakeHost host;
  EXPECT_EQ(FindUnit(host, "../../etc/shadow").fragment.why_not(),
            "../../etc/shadow: not a unit name");
}

}  // namespace
}  // namespace vgpu::systemd

#include "diag/report/preload_list.h"

#include <string>

#include "diag/report/samples.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

// A list of two, of which one is not there, and a copy beside them.
Report OneMissing() {
  Report report;
  report.root_causes = {
      {.code = "VG401",
       .evidence = {{.source = "/proc/7/environ", .quote = "/lib/b.so", .meaning = ""}}}};
  report.latent = {
      {.code = "VG410",
       .evidence = {{.source = "/proc/7/maps", .quote = "/opt/copy.so (inode 7)", .meaning = ""}}}};
  report.working = {
      {.what = "",
       .evidence = {{.source = "/proc/7/environ",
                     .line = 3,
                     .quote = "LD_PRELOAD=/lib/a.so:/lib/b.so",
                     .meaning = ""},
                    {.source = "/proc/7/maps", .quote = "/lib/a.so", .meaning = ""}}}};
  return report;
}

TEST(FindPreloadList, SaysOfEachEntryWhatTheEvidenceSays) {
  const Report report = OneMissing();
  const PreloadList list = FindPreloadList(report);
  EXPECT_EQ(list.source, "/proc/7/environ, line 3");
  ASSERT_EQ(list.entries.size(), 2u);
  EXPECT_EQ(list.entries[0].path, "/lib/a.so");
  EXPECT_TRUE(list.entries[0].loaded);
  EXPECT_TRUE(list.entries[0].findings.empty());
  EXPECT_FALSE(list.entries[1].loaded);
  ASSERT_EQ(list.entries[1].findings.size(), 1u);
  EXPECT_EQ(list.entries[1].findings[0]->code, "VG401");
}

TEST(FindPreloadList, ALibraryThatIsNotListedStandsBeside) {
  const Report report = OneMissing();
  const PreloadList list = FindPreloadList(report);
  ASSERT_EQ(list.beside.size(), 1u);
  EXPECT_EQ(list.beside[0].path, "/opt/copy.so");
}

TEST(FindPreloadList, NoListIsEmpty) {
  const PreloadList list = FindPreloadList(TwoCauses());
  EXPECT_EQ(list.source, "");
  EXPECT_TRUE(list.entries.empty());
  EXPECT_TRUE(list.beside.empty());
}

TEST(FindPreloadList, WhatOnlyEndsInTheNameIsAnotherVariable) {
  Report report;
  report.working = {{.what = "", .evidence = {{.source = "x", .quote = "OLD_PRELOAD=/a.so"}}},
                    {.what = "", .evidence = {{.source = "x", .quote = "(no LD_PRELOAD)"}}}};
  EXPECT_EQ(FindPreloadList(report).source, "");
  report.working[0].evidence[0].quote = "Environment=\"LD_PRELOAD=/a.so\" X=1";
  ASSERT_EQ(FindPreloadList(report).entries.size(), 1u);
  EXPECT_EQ(FindPreloadList(report).entries[0].path, "/a.so");
}

}  // namespace
}  // namespace vgpu::report

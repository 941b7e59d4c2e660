#include "diag/elf/go_build.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace vgpu::elf {
namespace {

constexpr char kInline = 2;

std::string WithLength(absl::string_view text) {
  std::string out;
  size_t rest = text.size();
  for (; rest >= 0x80; rest >>= 7) out += static_cast<char>(0x80 | (rest & 0x7f));
  out += static_cast<char>(rest);
  return absl::StrCat(out, text);
}

std::string Header(char flags) {
  std::string header("\xff Go buildinf:", 14);
  header += '\x08';
  header += flags;
  header.resize(32, '\0');
  return header;
}

// The module text stands between two marks of 16 bytes.
std::string BuildInfo(absl::string_view go, absl::string_view modules) {
  const std::string mark(16, '\x55');
  return absl::StrCat(Header(kInline), WithLength(go),
                      WithLength(absl::StrCat(mark, modules, mark)));
}

TEST(GoBuild, TellsGoModuleAndVersion) {
  const std::string data = BuildInfo("go1.24.1",
                                     "path\tgithub.com/ollama/ollama\n"
                                     "mod\tgithub.com/ollama/ollama\tv0.13.5\th1:abc=\n"
                                     "dep\tgolang.org/x/sync\tv0.11.0\th1:def=\n"
                                     "build\t-compiler=gc\n");
  const auto build = FindGoBuild(data, 0x400000);
  ASSERT_TRUE(build.present());
  EXPECT_EQ(build->go, "go1.24.1");
  EXPECT_EQ(*build->module, "github.com/ollama/ollama");
  EXPECT_EQ(*build->version, "v0.13.5");
}

TEST(GoBuild, ACheckoutHasNoVersionNumber) {
  const auto build = FindGoBuild(BuildInfo("go1.26.8", "path\ta\nmod\ta\t(devel)\t\n"), 0);
  EXPECT_EQ(*build->version, "(devel)");
}

TEST(GoBuild, AProgramWithoutModulesHasNone) {
  const auto build =
      FindGoBuild(absl::StrCat(Header(kInline), WithLength("go1.22"), WithLength("")), 0);
  ASSERT_TRUE(build.present());
  EXPECT_EQ(build->go, "go1.22");
  EXPECT_TRUE(build->module.absent());
  EXPECT_TRUE(build->version.absent());
}

TEST(GoBuild, IsAlignedInMemoryAndNotInTheFile) {
  const std::string build = BuildInfo("go1.24.1", "mod\tm\tv1\t\n");
  EXPECT_TRUE(FindGoBuild(std::string(8, 'x') + build, 0x1008).present());
  EXPECT_TRUE(FindGoBuild(std::string(8, 'x') + build, 0x1000).absent());
}

TEST(GoBuild, TheMagicAsAPlainStringIsPassedOver) {
  const std::string mention = std::string("xxx") + Header(kInline).substr(0, 14);
  const std::string data = mention + std::string(32 - mention.size(), 'x');
  const auto build = FindGoBuild(data + BuildInfo("go1.24.1", "mod\tm\tv1\t\n"), 0);
  ASSERT_TRUE(build.present());
  EXPECT_EQ(build->go, "go1.24.1");
}

TEST(GoBuild, AnyOtherProgramHasNone) {
  EXPECT_TRUE(FindGoBuild("", 0).absent());
  EXPECT_TRUE(FindGoBuild(std::string(4096, '\xff'), 0).absent());
}

TEST(GoBuild, WhatIsCutOffIsNotObserved) {
  const std::string data = BuildInfo("go1.24.1", "mod\tm\tv1\t\n");
  for (size_t size = 14; size < data.size(); ++size) {
    EXPECT_EQ(FindGoBuild(data.substr(0, size), 0).why_not(), "Go build information is cut off")
        << size;
  }
}

TEST(GoBuild, TheFormBeforeGo118IsNotObserved) {
  EXPECT_EQ(FindGoBuild(Header(0), 0).why_not(),
            "Go build information in the form from before Go 1.18");
}

TEST(GoBuild, ALengthWithoutEndIsSurvived) {
  EXPECT_TRUE(FindGoBuild(Header(kInline) + std::string(100, '\xff'), 0).not_observed());
}

}  // namespace
}  // namespace vgpu::elf

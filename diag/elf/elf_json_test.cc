#include "diag/elf/elf_json.h"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vgpu::elf {
namespace {

TEST(ElfJson, EveryKeyHasItsMember) {
  const auto info = ParseElfJson(R"({
    "error": "truncated", "class": 64, "machine": "x86_64", "type": "DYN", "pie": true,
    "interp": "/lib64/ld-linux-x86-64.so.2", "soname": "libcudart.so.12",
    "needed": ["libcuda.so.1", "libc.so.6", "libcuda.so.1"],
    "rpath": "$ORIGIN", "runpath": "/opt/lib", "build_id": "0123abcd", "bind_now": true,
    "version_defs": ["libcudart.so.12"],
    "version_needs": [{"file": "libc.so.6", "versions": ["GLIBC_2.2.5", "GLIBC_2.34"]}],
    "undefined": [{"name": "cuInit", "version": null, "weak": false},
                  {"name": "dlsym", "version": "GLIBC_2.34", "weak": true}],
    "undefined_complete": false,
    "exports": [{"name": "cudaMalloc", "version": "libcudart.so.12"}],
    "exports_complete": true,
    "cuda_archs": ["sm_80", "compute_90"],
    "go_build": {"go": "go1.24.1", "module": "github.com/ollama/ollama", "version": "v0.13.5"}
  })");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(*info->error, "truncated");
  EXPECT_EQ(*info->elf_class, 64);
  EXPECT_EQ(*info->machine, "x86_64");
  EXPECT_EQ(*info->type, "DYN");
  EXPECT_TRUE(*info->pie);
  EXPECT_EQ(*info->interp, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(*info->soname, "libcudart.so.12");
  EXPECT_EQ(*info->needed, (std::vector<std::string>{"libcuda.so.1", "libc.so.6", "libcuda.so.1"}));
  EXPECT_EQ(*info->rpath, "$ORIGIN");
  EXPECT_EQ(*info->runpath, "/opt/lib");
  EXPECT_EQ(*info->build_id, "0123abcd");
  EXPECT_TRUE(*info->bind_now);
  EXPECT_EQ(*info->version_defs, std::vector<std::string>{"libcudart.so.12"});
  EXPECT_EQ(
      *info->version_needs,
      (std::vector<VersionNeed>{{.file = "libc.so.6", .versions = {"GLIBC_2.2.5", "GLIBC_2.34"}}}));
  EXPECT_EQ(*info->undefined,
            (std::vector<UndefinedSymbol>{
                {.name = "cuInit", .version = host::Absent{}, .weak = false},
                {.name = "dlsym", .version = std::string("GLIBC_2.34"), .weak = true}}));
  EXPECT_FALSE(*info->undefined_complete);
  EXPECT_EQ(*info->exports,
            (std::vector<ExportedSymbol>{
                {.name = "cudaMalloc", .version = std::string("libcudart.so.12")}}));
  EXPECT_TRUE(*info->exports_complete);
  EXPECT_EQ(*info->cuda_archs, (std::vector<std::string>{"sm_80", "compute_90"}));
  EXPECT_EQ(info->go_build->go, "go1.24.1");
  EXPECT_EQ(*info->go_build->module, "github.com/ollama/ollama");
  EXPECT_EQ(*info->go_build->version, "v0.13.5");
  EXPECT_TRUE(info->last_segment_end.not_observed());
}

TEST(ElfJson, AMissingKeyIsNotObserved) {
  const auto info = ParseElfJson("{}");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->error.why_not(), "not recorded");
  EXPECT_EQ(info->soname.why_not(), "not recorded");
  EXPECT_EQ(info->needed.why_not(), "not recorded");
  EXPECT_EQ(info->pie.why_not(), "not recorded");
  EXPECT_EQ(info->undefined_complete.why_not(), "not recorded");
  EXPECT_EQ(info->exports_complete.why_not(), "not recorded");
  EXPECT_EQ(info->go_build.why_not(), "not recorded");
}

TEST(ElfJson, NullMeansThatTheFileHasNone) {
  const auto info = ParseElfJson(
      R"({"error": null, "interp": null, "soname": null, "needed": null, "runpath": null,
          "version_defs": null, "undefined": null, "exports": null, "go_build": null})");
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->error.absent());
  EXPECT_TRUE(info->interp.absent());
  EXPECT_TRUE(info->soname.absent());
  EXPECT_TRUE(info->needed.absent());
  EXPECT_TRUE(info->runpath.absent());
  EXPECT_TRUE(info->version_defs.absent());
  EXPECT_TRUE(info->undefined.absent());
  EXPECT_TRUE(info->exports.absent());
  EXPECT_TRUE(info->go_build.absent());
}

TEST(ElfJson, AnEmptyListIsAList) {
  const auto info = ParseElfJson(R"({"needed": [], "exports": []})");
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->needed->empty());
  EXPECT_TRUE(info->exports->empty());
}

TEST(ElfJson, AListOfUndefinedSymbolsIsWholeUnlessItSaysOtherwise) {
  EXPECT_TRUE(*ParseElfJson(R"({"undefined": []})")->undefined_complete);
  EXPECT_TRUE(*ParseElfJson(R"({"undefined": null})")->undefined_complete);
  EXPECT_TRUE(ParseElfJson(R"({"exports": []})")->exports_complete.not_observed());
}

TEST(ElfJson, OnlyAPositionIndependentProgramIsMarkedAsOne) {
  EXPECT_FALSE(*ParseElfJson(R"({"type": "DYN"})")->pie);
  EXPECT_TRUE(*ParseElfJson(R"({"type": "DYN", "pie": true})")->pie);
}

TEST(ElfJson, ASymbolWithoutAVersionKeyHasAnUnknownOne) {
  const auto info = ParseElfJson(R"({"undefined": [{"name": "cuInit"}]})");
  ASSERT_TRUE(info->undefined.present());
  EXPECT_TRUE(info->undefined->front().version.not_observed());
  EXPECT_FALSE(info->undefined->front().weak);
}

TEST(ElfJson, AValueOfTheWrongKindCostsThatKeyOnly) {
  const auto info = ParseElfJson(
      R"({"class": 65, "needed": "libc.so.6", "version_defs": [1], "soname": "libcuda.so.1",
          "exports": [{"version": "V1"}], "undefined": ["cuInit"], "go_build": []})");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->elf_class.why_not(), "recorded in a wrong form: class");
  EXPECT_EQ(info->needed.why_not(), "recorded in a wrong form: needed");
  EXPECT_TRUE(info->version_defs.not_observed());
  EXPECT_TRUE(info->exports.not_observed());
  EXPECT_TRUE(info->undefined.not_observed());
  EXPECT_TRUE(info->undefined_complete.not_observed());
  EXPECT_TRUE(info->go_build.not_observed());
  EXPECT_EQ(*info->soname, "libcuda.so.1");
}

TEST(ElfJson, WhatIsNoObjectIsAnError) {
  for (const char* text : {"", "[]", "null", "{\"soname\": ", "\"libcuda.so.1\""}) {
    EXPECT_EQ(ParseElfJson(text).status().message(), "elf: not a JSON object") << text;
  }
}

TEST(ElfJson, DeepNestingIsSurvived) {
  const std::string deep = R"({"needed": )" + std::string(1000000, '[');
  EXPECT_FALSE(ParseElfJson(deep).ok());
  const auto info = ParseElfJson(deep + std::string(1000000, ']') + "}");
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->needed.not_observed());
}

TEST(ElfJson, WhatIsWrittenIsRead) {
  for (const char* name :
       {"libcuda.so.1", "libcudart.so.12", "libcublas.so.12", "libcudart_runpath.so",
        "libimporter.so", "program_dynamic", "program_pie", "program_static", "cudart.o"}) {
    std::ifstream in(absl::StrCat("diag/elf/testdata/fixtures/", name), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    ASSERT_FALSE(bytes.empty()) << name;
    // Whole, cut, and cut so far that nothing can be told.
    for (const size_t size : {bytes.size(), bytes.size() / 2, size_t{100}}) {
      const ElfInfo info = ParseElf(bytes.substr(0, size), bytes.size());
      const absl::StatusOr<ElfInfo> again = ParseElfJson(ElfToJson(info));
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_TRUE(*again == info) << name << " of " << size << ": " << ElfToJson(info);
    }
  }
}

TEST(ElfJson, ANeedThatMayStayUnmetIsWrittenToo) {
  ElfInfo info;
  info.version_needs = std::vector<VersionNeed>{
      {.file = "libc.so.6", .versions = {"GLIBC_2.34", "GLIBC_2.36"}, .weak = {"GLIBC_2.36"}}};
  info.go_build = GoBuild{"go1.24.1", std::string("m"), host::Absent{}};
  EXPECT_TRUE(*ParseElfJson(ElfToJson(info)) == info);
}

}  // namespace
}  // namespace vgpu::elf

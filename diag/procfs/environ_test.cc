#include "diag/procfs/environ.h"

#include <unistd.h>

#include <string>

#include "diag/procfs/own_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

std::string Block(std::initializer_list<absl::string_view> entries) {
  std::string block;
  for (absl::string_view entry : entries) block.append(entry.data(), entry.size()) += '\0';
  return block;
}

TEST(Environ, ServiceStartedWithTheShims) {
  const Environ environ =
      ParseEnviron(Block({"LANG=C.UTF-8", "LD_PRELOAD=/opt/vgpu/lib/libvgpu-cuda.so",
                          "OLLAMA_DEBUG=", "A=b=c"}))
          .value();
  EXPECT_THAT(environ.Find("LD_PRELOAD"),
              Optional(absl::string_view("/opt/vgpu/lib/libvgpu-cuda.so")));
  EXPECT_THAT(environ.Find("OLLAMA_DEBUG"), Optional(absl::string_view("")));
  EXPECT_THAT(environ.Find("A"), Optional(absl::string_view("b=c")));
  EXPECT_EQ(environ.Find("LD_LIBRARY_PATH"), std::nullopt);
  EXPECT_EQ(environ.Find("LD_PRE"), std::nullopt);
  EXPECT_FALSE(environ.irregular());
  EXPECT_FALSE(environ.truncated());
}

TEST(Environ, OfDuplicatesGetenvTakesTheFirstAndTheLoaderTheLast) {
  const Environ environ =
      ParseEnviron(Block({"LD_PRELOAD=/a.so", "X=1", "LD_PRELOAD=/b.so"})).value();
  EXPECT_EQ(environ.entries().size(), 3u);
  EXPECT_THAT(environ.Find("LD_PRELOAD"), Optional(absl::string_view("/a.so")));
  EXPECT_THAT(environ.FindAsLoader("LD_PRELOAD"), Optional(absl::string_view("/b.so")));
}

TEST(Environ, EntryWithoutEqualsIsKeptAndNotFound) {
  const Environ environ = ParseEnviron(Block({"LD_PRELOAD", "A=1"})).value();
  EXPECT_THAT(environ.entries(),
              ElementsAre(Environ::Entry{.name = "LD_PRELOAD", .value = "", .assignment = false},
                          Environ::Entry{.name = "A", .value = "1", .assignment = true}));
  EXPECT_EQ(environ.Find("LD_PRELOAD"), std::nullopt);
  EXPECT_EQ(environ.FindAsLoader("LD_PRELOAD"), std::nullopt);
  EXPECT_TRUE(environ.irregular());
}

TEST(Environ, BlockThatTheProcessWroteOverProvesNoAbsence) {
  EXPECT_TRUE(ParseEnviron(Block({"xxxxxxxxxxxx", "A=1"})).value().irregular());
  const Environ zeroed = ParseEnviron(std::string(30, '\0') + Block({"A=1"})).value();
  EXPECT_TRUE(zeroed.irregular());
  EXPECT_EQ(zeroed.entries().size(), 1u);
}

TEST(Environ, EntryThatAReadLimitCutIsNoEvidence) {
  const std::string block = Block({"A=1", "LD_PRELOAD=/opt/vgpu/lib/libvgpu-cuda.so"});
  const Environ cut =
      ParseEnviron(absl::string_view(block).substr(0, 30), /*truncated=*/true).value();
  EXPECT_TRUE(cut.truncated());
  EXPECT_FALSE(cut.irregular());
  EXPECT_THAT(cut.entries(), ElementsAre(Environ::Entry{.name = "A", .value = "1"}));
  EXPECT_TRUE(ParseEnviron("LD_PRELOAD=/opt", /*truncated=*/true).value().entries().empty());
}

TEST(Environ, WholeFileWithoutALastNulKeepsItsLastEntry) {
  const Environ environ = ParseEnviron("LD_PRELOAD=/a.so").value();
  EXPECT_THAT(environ.Find("LD_PRELOAD"), Optional(absl::string_view("/a.so")));
  EXPECT_TRUE(environ.irregular());
}

TEST(Environ, KernelThreadHasNone) {
  const Environ environ = ParseEnviron("").value();
  EXPECT_TRUE(environ.entries().empty());
  EXPECT_FALSE(environ.irregular());
}

TEST(Environ, OtherBytesAreAnError) {
  const std::string noise("\x8c\x01=q\0\xf3\x11 \xa0\0=\xff\0A=1\0%\0", 18);
  EXPECT_EQ(ParseEnviron(noise).status().message(), "environ: 4 of 5 entries are not NAME=value");
}

TEST(Environ, ExportedFunctionsOfAShellAreNoNoise) {
  EXPECT_TRUE(ParseEnviron(Block({"BASH_FUNC_ml%%=() {  eval", "PATH=/usr/bin"})).ok());
}

TEST(Environ, ThisProcessHasWhatTheTestRunnerSet) {
  const Environ environ = ParseEnviron(ReadOwnFile("/proc/self/environ")).value();
  // Bazel gives every test this one.
  EXPECT_THAT(environ.Find("TEST_WORKSPACE"), Optional(absl::string_view("vgpu")));
  EXPECT_FALSE(environ.irregular());
  // A later setenv does not reach the file.
  ASSERT_EQ(setenv("VGPU_SET_AFTER_START", "1", 1), 0);
  EXPECT_EQ(ParseEnviron(ReadOwnFile("/proc/self/environ")).value().Find("VGPU_SET_AFTER_START"),
            std::nullopt);
}

}  // namespace
}  // namespace vgpu::procfs

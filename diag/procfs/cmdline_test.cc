#include "diag/procfs/cmdline.h"

#include "absl/strings/match.h"
#include "diag/procfs/own_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::procfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A literal with the NUL bytes that it holds.
template <size_t kSize>
absl::string_view Bytes(const char (&literal)[kSize]) {
  return absl::string_view(literal, kSize - 1);
}

TEST(Cmdline, RunnerOfOllama) {
  const Cmdline cmdline =
      ParseCmdline(Bytes("/usr/local/bin/ollama\0runner\0--model\0/x y\0--port\0"
                         "44321\0"))
          .value();
  EXPECT_THAT(cmdline.args,
              ElementsAre("/usr/local/bin/ollama", "runner", "--model", "/x y", "--port", "44321"));
  EXPECT_EQ(cmdline.Text(), "/usr/local/bin/ollama runner --model /x y --port 44321");
  EXPECT_FALSE(cmdline.probably_title);
}

TEST(Cmdline, EmptyArgumentsCount) {
  const Cmdline cmdline = ParseCmdline(Bytes("sh\0\0-c\0\0")).value();
  EXPECT_THAT(cmdline.args, ElementsAre("sh", "", "-c", ""));
  EXPECT_EQ(cmdline.Text(), "sh  -c");
  EXPECT_FALSE(cmdline.probably_title);
}

TEST(Cmdline, KernelThreadHasNone) {
  const Cmdline cmdline = ParseCmdline("").value();
  EXPECT_THAT(cmdline.args, IsEmpty());
  EXPECT_EQ(cmdline.Text(), "");
  EXPECT_FALSE(cmdline.probably_title);
}

TEST(Cmdline, TitleInPlaceOfArguments) {
  for (absl::string_view bytes :
       {Bytes("nginx: worker process\0"), Bytes("sshd: root@pts/0\0\0\0\0\0"), Bytes("avahi\0\0\0"),
        Bytes("xxxxxxxxxxxxxxx")}) {
    EXPECT_TRUE(ParseCmdline(bytes).value().probably_title) << bytes;
  }
  EXPECT_EQ(ParseCmdline(Bytes("sshd: root@pts/0\0\0\0\0\0")).value().Text(), "sshd: root@pts/0");
}

TEST(Cmdline, ProgramWithoutArgumentsIsNoTitle) {
  EXPECT_FALSE(ParseCmdline(Bytes("/usr/sbin/cron\0")).value().probably_title);
}

TEST(Cmdline, ReadLimitKeepsThePartOfTheLastArgument) {
  const Cmdline cmdline = ParseCmdline(Bytes("ollama\0ser"), /*truncated=*/true).value();
  EXPECT_THAT(cmdline.args, ElementsAre("ollama", "ser"));
  EXPECT_TRUE(cmdline.truncated);
  EXPECT_FALSE(cmdline.probably_title);
}

TEST(ParseCmdline, OtherBytesAreAnError) {
  EXPECT_EQ(ParseCmdline("\x8c\x01q").status().message(),
            "cmdline: the first argument is no text: \"\\x8c\\x01q\"");
}

TEST(Cmdline, ThisProcessIsTheTest) {
  const Cmdline cmdline = ParseCmdline(ReadOwnFile("/proc/self/cmdline")).value();
  ASSERT_FALSE(cmdline.args.empty());
  EXPECT_TRUE(absl::EndsWith(cmdline.args[0], "cmdline_test")) << cmdline.args[0];
}

}  // namespace
}  // namespace vgpu::procfs

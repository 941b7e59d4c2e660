#include "diag/rules/steps.h"

#include <variant>

#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(Steps, ANameThatAShellWouldReadIsQuoted) {
  EXPECT_EQ(ShellQuoted("/usr/lib64/libvgpu-cuda.so"), "/usr/lib64/libvgpu-cuda.so");
  EXPECT_EQ(ShellQuoted("/opt/a b;reboot"), "'/opt/a b;reboot'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuoted(""), "''");
}

TEST(Steps, ADropInIsTheSameTextForAShellAndForTheTool) {
  const FixStep step = WriteNewFileStep("/etc/systemd/system/a b.service.d/zz.conf",
                                        "[Service]\nEnvironment=\"A=%h\\x41'\"\n", "why", "risk",
                                        " && sudo systemctl daemon-reload");
  EXPECT_EQ(step.command,
            "sudo mkdir -p '/etc/systemd/system/a b.service.d' && "
            "printf '[Service]\\nEnvironment=\"A=%%h\\\\x41'\\''\"\\n' | "
            "sudo tee '/etc/systemd/system/a b.service.d/zz.conf'");
  EXPECT_EQ(step.undo,
            "sudo rm '/etc/systemd/system/a b.service.d/zz.conf' && sudo systemctl daemon-reload");
  const auto* write = std::get_if<WriteFile>(&step.action);
  ASSERT_NE(write, nullptr);
  EXPECT_EQ(write->path, "/etc/systemd/system/a b.service.d/zz.conf");
  EXPECT_EQ(write->content, "[Service]\nEnvironment=\"A=%h\\x41'\"\n");
}

TEST(Steps, LinesAreWrittenOneByOne) {
  const FixStep step = WriteLinesStep("/etc/vgpu/list", {"/a.so", "/b c.so"}, "why");
  EXPECT_EQ(step.command,
            "printf '%s\\n' /a.so '/b c.so' | sudo tee /etc/vgpu/list.new && "
            "sudo cp -a /etc/vgpu/list /etc/vgpu/list.replaced && "
            "sudo mv -T /etc/vgpu/list.new /etc/vgpu/list");
  EXPECT_EQ(std::get<WriteFile>(step.action).content, "/a.so\n/b c.so\n");
  // printf(1) prints its format once, also without arguments.
  EXPECT_EQ(std::get<WriteFile>(WriteLinesStep("/l", {}, "").action).content, "\n");
}

TEST(Steps, TheBitsAreThoseThatChmodSets) {
  const auto bits = [](absl::string_view change) {
    return std::get<ChangeMode>(OpenModeStep("/x", change, "0600", "", "").action).set;
  };
  EXPECT_EQ(bits("o+x"), 0001u);
  EXPECT_EQ(bits("a+r"), 0444u);
  EXPECT_EQ(bits("a+rx"), 0555u);
  EXPECT_EQ(bits("a+rw"), 0666u);
}

TEST(Steps, WhatIsOnlyTriedIsForAPerson) {
  for (const FixStep& step :
       ForAPerson({WriteNewFileStep("/a", "", "", ""), MoveFileStep("/a", "/b", "", "")})) {
    EXPECT_TRUE(std::holds_alternative<ByHand>(step.action));
  }
  EXPECT_TRUE(std::holds_alternative<ByHand>(FixStep{"install it"}.action));
  EXPECT_TRUE(std::holds_alternative<NoChange>(OneWay({"install it"}).action));
}

TEST(Steps, AListThatEveryProgramReadsIsCopiedFirst) {
  const std::vector<FixStep> steps = RemoveGlobalPreloadSteps({"/bad.so"}, "take it out");
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<NoChange>(steps[0].action));  // --apply keeps its own
  EXPECT_EQ(std::get<RemoveEntries>(steps[1].action).path, "/etc/ld.so.preload");
  EXPECT_EQ(std::get<RemoveEntries>(steps[1].action).entries,
            std::vector<std::string>({"/bad.so"}));
}

}  // namespace
}  // namespace vgpu::rules

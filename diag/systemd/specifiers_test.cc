#include "diag/systemd/specifiers.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::systemd {
namespace {

using ::vgpu::host::Absent;

SpecifierContext Context(std::string unit) {
  SpecifierContext context;
  context.unit = std::move(unit);
  return context;
}

std::string Expand(absl::string_view text, const SpecifierContext& context) {
  const auto expansion = ExpandSpecifiers(text, context);
  if (!expansion.ok()) return "error: " + std::string(expansion.status().message());
  if (!expansion->present()) return "not observed: " + std::string(expansion->why_not());
  return **expansion;
}

TEST(SpecifiersTest, PartsOfTheUnitsName) {
  const SpecifierContext context = Context("a-b\\x2dc@x-y.service");
  EXPECT_EQ(Expand("%n|%N|%p|%i|%j", context),
            "a-b\\x2dc@x-y.service|a-b\\x2dc@x-y|a-b\\x2dc|x-y|b\\x2dc");
  EXPECT_EQ(Expand("%P|%I|%J|%f", context), "a/b-c|x/y|b-c|/x/y");
}

TEST(SpecifiersTest, AUnitWithoutInstanceHasEmptyOnes) {
  const SpecifierContext context = Context("ollama.service");
  EXPECT_EQ(Expand("[%i%I] %p %f", context), "[] ollama /ollama");
}

TEST(SpecifiersTest, DirectoriesAndUserOfTheSystemManager) {
  EXPECT_EQ(Expand("%t %S %C %L %E %T %V %d %h %u %U %g %G", Context("o.service")),
            "/run /var/lib /var/cache /var/log /etc /tmp /var/tmp /run/credentials/o.service "
            "/root root 0 root 0");
}

TEST(SpecifiersTest, WhatIsNotKnownIsSaidByName) {
  SpecifierContext context = Context("o.service");
  EXPECT_EQ(Expand("x-%b", context), "not observed: %b: boot id not known");
  context.hostname = std::string("test10.lab.example");
  EXPECT_EQ(Expand("%H %l", context), "test10.lab.example test10");
  context.os_variant_id = Absent{};
  EXPECT_EQ(Expand("[%W]", context), "[]");
  context.fragment_path = std::string("/etc/systemd/system/o.service");
  EXPECT_EQ(Expand("%y %Y", context), "/etc/systemd/system/o.service /etc/systemd/system");
}

TEST(SpecifiersTest, PercentSigns) {
  const SpecifierContext context = Context("o.service");
  EXPECT_EQ(Expand("100%% %", context), "100% %");
  EXPECT_EQ(Expand("%-x", context), "%-x");
  EXPECT_EQ(Expand("%z", context), "error: Invalid slot");
}

TEST(SpecifiersTest, NamesThatCannotBeUnescaped) {
  EXPECT_EQ(Expand("%I", Context("a@b\\q.service")), "error: b\\q: Invalid argument");
  EXPECT_EQ(Expand("%f", Context("a@..-b.service")), "error: ..-b: Invalid argument");
}

TEST(SpecifiersTest, AnExpansionHasALimit) {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "%n";
  EXPECT_EQ(Expand(text, Context("o.service")), "error: File name too long");
}

TEST(SpecifiersTest, UnitNames) {
  EXPECT_TRUE(ParseUnitName("ollama.service").valid);
  EXPECT_TRUE(ParseUnitName("ollama@.service").is_template);
  EXPECT_EQ(ParseUnitName("ollama@gpu0.service").instance, "gpu0");
  EXPECT_EQ(ParseUnitName("snap.ollama.listener.service").prefix, "snap.ollama.listener");
  EXPECT_FALSE(ParseUnitName("ollama").valid);
  EXPECT_FALSE(ParseUnitName("ollama.conf").valid);
  EXPECT_FALSE(ParseUnitName("@x.service").valid);
  EXPECT_FALSE(ParseUnitName("a b.service").valid);
  EXPECT_FALSE(ParseUnitName(std::string(300, 'a') + ".service").valid);
}

}  // namespace
}  // namespace vgpu::systemd

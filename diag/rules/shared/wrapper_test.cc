#include "diag/rules/shared/wrapper.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

// The line on which harm is done; 0: none is.
int HarmAt(const std::string& script) {
  const std::vector<Evidence> harm = HarmIn(script, "/opt/start.sh", 1);
  return harm.empty() ? 0 : harm.front().line;
}

TEST(WrapperTest, WhatTakesTheVariablesAway) {
  EXPECT_EQ(HarmAt("#!/bin/sh\nexec env -i ollama serve\n"), 2);
  EXPECT_EQ(HarmAt("exec /usr/bin/env - PATH=/bin ollama serve"), 1);
  EXPECT_EQ(HarmAt("env -u LD_PRELOAD ollama serve"), 1);
  EXPECT_EQ(HarmAt("env --ignore-environment ollama serve"), 1);
  EXPECT_EQ(HarmAt("sudo -u ollama ollama serve"), 1);
  EXPECT_EQ(HarmAt("su - ollama -c 'ollama serve'"), 1);
  EXPECT_EQ(HarmAt("runuser -l ollama -c 'ollama serve'"), 1);
  EXPECT_EQ(HarmAt("exec -c /usr/local/bin/ollama serve"), 1);
  EXPECT_EQ(HarmAt("exec -a ollama -c /usr/local/bin/ollama serve"), 0);  // not known: no claim
  EXPECT_EQ(HarmAt("unset FOO LD_PRELOAD; exec \"$@\""), 1);
  EXPECT_EQ(HarmAt("export -n LD_LIBRARY_PATH"), 1);
  EXPECT_EQ(HarmAt("export LD_PRELOAD=/opt/x.so"), 1);
  EXPECT_EQ(HarmAt("LD_PRELOAD= exec ollama serve"), 1);
  EXPECT_EQ(HarmAt("systemd-run --scope ollama serve"), 1);
  EXPECT_EQ(HarmAt("setpriv --reuid=998 --reset-env ollama serve"), 1);
  EXPECT_EQ(HarmAt("#!/usr/bin/env -i /bin/sh\nexec ollama serve\n"), 1);
}

TEST(WrapperTest, WhatDoesNot) {
  EXPECT_EQ(HarmAt("#!/usr/bin/env bash\nexec ollama serve\n"), 0);
  EXPECT_EQ(HarmAt("# env -i ollama serve would empty it\nexec ollama serve\n"), 0);
  EXPECT_EQ(HarmAt("exec ollama serve  # not: env -i ollama\n"), 0);
  EXPECT_EQ(HarmAt("env OLLAMA_HOST=0.0.0.0 ollama serve"), 0);
  EXPECT_EQ(HarmAt("env A=b grep -i ollama /proc/modules"), 0);
  EXPECT_EQ(HarmAt("exec ollama serve -i"), 0);
  EXPECT_EQ(HarmAt("echo \"start it with sudo ollama serve\""), 0);
  EXPECT_EQ(HarmAt("sudo chmod 0666 /sys/bus/pci/devices/0000:00:05.0/resource0"), 0);
  EXPECT_EQ(HarmAt("sudo chown ollama: /dev/nvidia0\nexec ollama serve"), 0);
  EXPECT_EQ(HarmAt("env -i ls /tmp\nexec ollama serve"), 0);  // not what starts Ollama
  EXPECT_EQ(HarmAt("LD_PRELOAD= ls /tmp\nexec ollama serve"), 0);
  EXPECT_EQ(HarmAt("unset DISPLAY\nexec ollama serve"), 0);
  EXPECT_EQ(HarmAt("setpriv --reuid=998 ollama serve"), 0);
  EXPECT_EQ(HarmAt("sh -c 'exec ollama serve'"), 0);
  EXPECT_EQ(HarmAt(""), 0);
}

TEST(WrapperTest, ACommandOverSeveralLinesCountsAsOne) {
  const std::vector<Evidence> harm =
      HarmIn("#!/bin/sh\nexec env -i \\\n  PATH=/usr/bin \\\n  ollama serve\n", "/opt/s.sh", 1);
  ASSERT_EQ(harm.size(), 1u);
  EXPECT_EQ(harm[0].line, 2);
  EXPECT_EQ(harm[0].quote, "exec env -i  PATH=/usr/bin  ollama serve");
}

TEST(WrapperTest, AHashInQuotesBeginsNoComment) {
  EXPECT_EQ(HarmAt("echo ' # ' && env -i ollama serve"), 0);  // a command that says something
  EXPECT_EQ(HarmAt("A='a # b' env -i ollama serve"), 1);
}

TEST(WrapperTest, LongAndBinaryTextIsRead) {
  EXPECT_EQ(HarmAt(std::string(1 << 20, '\\')), 0);
  EXPECT_EQ(HarmAt(std::string(1 << 16, '\0') + "\nexec env -i ollama serve"), 2);
  std::string joined;
  for (int i = 0; i < 20000; ++i) joined += "x \\\n";
  EXPECT_EQ(HarmAt(joined), 0);
}

}  // namespace
}  // namespace vgpu::rules

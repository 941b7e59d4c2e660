#include "tools/vgpu_doctor/verify/service_environment.h"

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace vgpu::doctor {
namespace {

using ollama::Variables;

facts::Facts WithProcess(absl::string_view environ) {
  facts::Facts facts;
  facts.unit.name = "ollama.service";
  facts.unit.load_state = std::string("loaded");
  facts::ProcessFacts process;
  process.pid = 42;
  process.environ = {"/proc/42/environ", *procfs::ParseEnviron(environ)};
  facts.process = std::move(process);
  return facts;
}

std::string Block(std::initializer_list<absl::string_view> entries) {
  std::string block;
  for (absl::string_view entry : entries) {
    block.append(entry.data(), entry.size());
    block.push_back('\0');
  }
  return block;
}

void Load(std::initializer_list<std::pair<std::string, std::string>> variables,
          facts::Facts& facts) {
  facts::Environment loaded;
  for (const auto& [name, value] : variables) loaded[name].value = value;
  facts.unit.loaded_environment = {"systemctl show ollama.service", loaded};
}

TEST(OfProcessTest, TheLastOfANameCounts) {
  const auto environment = OfProcess(WithProcess(Block({"A=1", "LD_PRELOAD=/x.so", "A=2"})));
  ASSERT_TRUE(environment.has_value());
  EXPECT_EQ(environment->source, "/proc/42/environ");
  EXPECT_EQ(environment->variables, (Variables{{"A", "2"}, {"LD_PRELOAD", "/x.so"}}));
}

TEST(OfProcessTest, NothingRuns) {
  facts::Facts facts;
  facts.process = host::Absent{};
  EXPECT_FALSE(OfProcess(facts).has_value());
}

TEST(OfNextStartTest, TheUnitGoesBeforeTheManagerAndThatBeforeTheDefaults) {
  facts::Facts facts =
      WithProcess(Block({"HOME=/var/lib/ollama", "LD_PRELOAD=/old.so", "INVOCATION_ID=1"}));
  facts.manager_environment = {"systemctl show-environment",
                               std::map<std::string, std::string>{{"LANG", "C"}, {"X", "manager"}}};
  Load({{"X", "unit"}, {"LD_PRELOAD", "/new.so"}}, facts);
  const auto environment = OfNextStart(facts);
  ASSERT_TRUE(environment.has_value());
  EXPECT_EQ(environment->variables,
            (Variables{{"HOME", "/var/lib/ollama"},
                       {"LANG", "C"},
                       {"LD_PRELOAD", "/new.so"},
                       {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"},
                       {"X", "unit"}}));
}

TEST(OfNextStartTest, WhatTheUnitUnsetsIsGone) {
  facts::Facts facts = WithProcess("");
  facts.manager_environment = {"", std::map<std::string, std::string>{{"LD_PRELOAD", "/x.so"}}};
  Load({{"A", "1"}}, facts);
  facts::Environment loaded = *facts.unit.loaded_environment;
  loaded["LD_PRELOAD"].value = host::Absent{};
  facts.unit.loaded_environment = {"", loaded};
  EXPECT_EQ(OfNextStart(facts)->variables.count("LD_PRELOAD"), 0u);
}

TEST(OfNextStartTest, SystemdHasNoSuchUnit) {
  facts::Facts facts = WithProcess("");
  Load({}, facts);
  facts.unit.load_state = std::string("not-found");
  EXPECT_FALSE(OfNextStart(facts).has_value());
}

TEST(SameForDiscoveryTest, OnlyWhatDecidesCounts) {
  EXPECT_TRUE(SameForDiscovery({{"INVOCATION_ID", "1"}, {"LD_PRELOAD", "/x.so"}},
                               {{"INVOCATION_ID", "2"}, {"LD_PRELOAD", "/x.so"}, {"TERM", "a"}}));
  EXPECT_FALSE(SameForDiscovery({{"LD_PRELOAD", "/x.so"}}, {}));
  EXPECT_FALSE(SameForDiscovery({}, {{"CUDA_VISIBLE_DEVICES", "-1"}}));
  EXPECT_FALSE(SameForDiscovery({{"VGPU_CONFIG", "/a"}}, {{"VGPU_CONFIG", "/b"}}));
}

TEST(InSecureModeTest, TheLoadersVariablesAreGone) {
  EXPECT_EQ(InSecureMode({{"LD_PRELOAD", "/x.so"}, {"LD_LIBRARY_PATH", "/x"}, {"PATH", "/bin"}}),
            (Variables{{"PATH", "/bin"}}));
}

TEST(WithOriginTest, OfTheServicesOwnProgram) {
  EXPECT_EQ(
      WithOrigin({{"LD_PRELOAD", "$ORIGIN/a.so:${ORIGIN}/../b.so"}, {"X", "$ORIGIN"}}, "/usr/bin"),
      (Variables{{"LD_PRELOAD", "/usr/bin/a.so:/usr/bin/../b.so"}, {"X", "$ORIGIN"}}));
}

}  // namespace
}  // namespace vgpu::doctor

#include "diag/baseline/compare.h"

#include <string>

#include "gtest/gtest.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using Strings = std::vector<std::string>;

constexpr char kPreload[] = "unit.environment.LD_PRELOAD";

// A snapshot in which every kind was looked for.
Snapshot Whole() {
  Snapshot snapshot;
  snapshot.seal_check = "0123";
  snapshot.unit = "ollama.service";
  for (const Kind& kind : Kinds()) {
    if (kind.HasStar()) snapshot.looked[std::string(kind.pattern)] = true;
  }
  return snapshot;
}

Snapshot With(const std::string& key, host::Observed<Value> value) {
  Snapshot snapshot = Whole();
  snapshot.entries[key] = {std::move(value), "a/file", 3};
  return snapshot;
}

std::string Only(const Comparison& comparison) {
  if (comparison.changes.size() != 1) return "not one change";
  return std::string(HowName(comparison.changes[0].how));
}

TEST(Compare, TheSameIsNoDifference) {
  const Snapshot one = With(kPreload, Value(Strings{"/a.so", "/b.so"}));
  const Comparison comparison = Compare(one, one);
  EXPECT_TRUE(comparison.changes.empty());
  EXPECT_EQ(comparison.same, 1u);
}

TEST(Compare, HasThreeAnswersForWhatIsNotThere) {
  const Snapshot before = With("node./dev/nvidia0", Value("chr"));
  EXPECT_EQ(Only(Compare(before, Whole())), "missing");
  EXPECT_EQ(Only(Compare(before, With("node./dev/nvidia0", Absent{}))), "missing");
  const Comparison unseen =
      Compare(before, With("node./dev/nvidia0", NotObserved{"permission denied"}));
  EXPECT_EQ(Only(unseen), "not_observed");
  EXPECT_EQ(unseen.changes[0].now.why_not(), "permission denied");
  EXPECT_EQ(Only(Compare(Whole(), before)), "added");
}

TEST(Compare, WhatTheBaselineDoesNotKnowIsNoDifference) {
  Snapshot before = Whole();
  before.looked.erase("module.*");
  EXPECT_TRUE(Compare(before, With("module.nvidia", Value("loaded"))).changes.empty());
  before.entries["host.kernel"] = {NotObserved{"not captured"}};
  const Comparison comparison = Compare(before, With("host.kernel", Value("6.1.0")));
  EXPECT_TRUE(comparison.changes.empty());
  ASSERT_EQ(comparison.not_compared.size(), 1u);
  EXPECT_EQ(comparison.not_compared[0].what, "the kernel");
}

TEST(Compare, WhoeverLookedForAllVariablesLookedForEach) {
  Snapshot before = Whole();
  before.looked.erase(kPreload);
  EXPECT_EQ(Only(Compare(before, With(kPreload, Value(Strings{"/a.so"})))), "added");
}

TEST(Compare, APropertyThatAnOlderBaselineDoesNotKnowIsNoDifference) {
  Snapshot before = With("library.shim./a.so", Value("file"));
  before.looked.erase("library.shim.*.size");
  Snapshot now = With("library.shim./a.so", Value("file"));
  now.entries["library.shim./a.so.size"] = {Value("4711")};
  EXPECT_TRUE(Compare(before, now).changes.empty());
}

TEST(Compare, OrderCountsWhereItMatters) {
  const Snapshot before = With(kPreload, Value(Strings{"/a.so", "/b.so", "/c.so"}));
  EXPECT_EQ(Only(Compare(before, With(kPreload, Value(Strings{"/b.so", "/a.so", "/c.so"})))),
            "reordered");
  const Comparison other =
      Compare(before, With(kPreload, Value(Strings{"/a.so", "/d.so", "/c.so"})));
  ASSERT_EQ(Only(other), "changed");
  EXPECT_EQ(other.changes[0].items_missing, Strings{"/b.so"});
  EXPECT_EQ(other.changes[0].items_added, Strings{"/d.so"});
}

TEST(Differ, AMovedEntryIsNeitherAddedNorMissing) {
  const ListDifference moved = Differ({"a", "b", "c", "d"}, {"d", "a", "b", "x"});
  EXPECT_TRUE(moved.moved);
  EXPECT_EQ(moved.missing, Strings{"c"});
  EXPECT_EQ(moved.added, Strings{"x"});
  const ListDifference twice = Differ({"a", "b"}, {"a", "b", "b"});
  EXPECT_EQ(twice.added, Strings{"b"});
  EXPECT_TRUE(twice.missing.empty());
}

TEST(Compare, NumbersHaveARange) {
  const char* key = "discovery.device.0.total";
  const Snapshot before = With(key, Value(81510.0));
  EXPECT_TRUE(Compare(before, With(key, Value(81000.0))).changes.empty());
  EXPECT_EQ(Only(Compare(before, With(key, Value(40000.0)))), "changed");
  const Snapshot fast = With("discovery.duration", Value(302.0));
  EXPECT_TRUE(Compare(fast, With("discovery.duration", Value(4800.0))).changes.empty());
  EXPECT_EQ(Only(Compare(fast, With("discovery.duration", Value(30029.0)))), "changed");
}

TEST(Compare, WhatFollowsFromAnotherDifferenceIsNotNamed) {
  Snapshot before = With("library.shim./a.so", Value("file"));
  before.entries["library.shim./a.so.mode"] = {Value("0755")};
  before.entries["library.shim./a.so.build_id"] = {Value("aa")};
  const Comparison gone = Compare(before, Whole());
  ASSERT_EQ(gone.changes.size(), 1u);
  EXPECT_EQ(gone.changes[0].key, "library.shim./a.so");

  Snapshot unit = With(kPreload, Value(Strings{"/a.so"}));
  unit.entries["process.environment.LD_PRELOAD"] = {Value(Strings{"/a.so"})};
  Snapshot both = With(kPreload, Value(Strings{"/b.so"}));
  both.entries["process.environment.LD_PRELOAD"] = {Value(Strings{"/b.so"})};
  ASSERT_EQ(Compare(unit, both).changes.size(), 1u);
  EXPECT_EQ(Compare(unit, both).changes[0].key, kPreload);
  // The process alone is another matter.
  Snapshot process = unit;
  process.entries["process.environment.LD_PRELOAD"] = {Value(Strings{})};
  ASSERT_EQ(Compare(unit, process).changes.size(), 1u);
  EXPECT_EQ(Compare(unit, process).changes[0].key, "process.environment.LD_PRELOAD");
}

TEST(Compare, TheTextOfADropInIsNamedWhereNoSettingSaysWhatChanged) {
  const std::string content = "unit.drop_in./etc/vgpu.conf.content";
  const std::string copy = "unit.ineffective./etc/vgpu.conf~";
  Snapshot before = With(content, Value("aa"));
  before.entries[copy] = {Absent{}};
  before.entries[kPreload] = {Value(Strings{"/a.so"})};
  Snapshot now = before;
  now.entries[content] = {Value("bb")};
  // A copy that an editor left is no reason for the text to differ.
  now.entries[copy] = {Value("its name does not end in .conf")};
  EXPECT_EQ(Compare(before, now).changes.size(), 2u);
  // A variable is.
  now.entries[kPreload] = {Value(Strings{"/b.so"})};
  for (const Change& change : Compare(before, now).changes) EXPECT_NE(change.key, content);
}

TEST(Compare, AnObservedDifferenceDoesNotFollowFromOneThatWasNotObserved) {
  Snapshot before = With("discovery.result", Value("CUDA"));
  before.entries["discovery.device.0.driver"] = {Value("12.8")};
  Snapshot now = With("discovery.result", NotObserved{"no log"});
  now.entries["discovery.device.0.driver"] = {Value("12.4")};
  EXPECT_EQ(Compare(before, now).changes.size(), 2u);
  now.entries["discovery.device.0.driver"] = {NotObserved{"no log"}};
  EXPECT_EQ(Compare(before, now).changes.size(), 1u);
}

TEST(Compare, OfAUnitThatIsGoneNothingElseIsNamed) {
  Snapshot before = With("unit.load_state", Value("loaded"));
  before.entries[kPreload] = {Value(Strings{"/a.so"})};
  Snapshot now = With("unit.load_state", Absent{});
  const Comparison comparison = Compare(before, now);
  ASSERT_EQ(comparison.changes.size(), 1u);
  EXPECT_EQ(comparison.changes[0].key, "unit.load_state");
}

TEST(Compare, SeveralOfOneKindThatWereNotObservedAreOne) {
  Snapshot before = With("module.nvidia", Value("loaded"));
  before.entries["module.nvidia_uvm"] = {Value("loaded")};
  Snapshot now = Whole();
  now.looked["module.*"] = NotObserved{"permission denied"};
  const Comparison comparison = Compare(before, now);
  ASSERT_EQ(comparison.changes.size(), 1u);
  EXPECT_EQ(comparison.changes[0].key, "module.*");
}

TEST(Compare, AnotherMachineIsComparedInWhatDoesNotBelongToIt) {
  Snapshot before = With("pci.0000:00:05.0", Value("0x10de 0x2331 0x030200"));
  before.entries["unit.environment.TOKEN"] = {Value("<sealed 00>")};
  before.entries[kPreload] = {Value(Strings{"/a.so"})};
  Snapshot now = Whole();
  now.seal_check = "4567";
  now.entries["unit.environment.TOKEN"] = {Value("<sealed 11>")};
  now.entries[kPreload] = {Value(Strings{"/b.so"})};
  const Comparison comparison = Compare(before, now);
  ASSERT_EQ(comparison.changes.size(), 1u);
  EXPECT_EQ(comparison.changes[0].key, kPreload);
  EXPECT_EQ(comparison.not_compared.size(), 2u);
}

TEST(Compare, AnotherVersionOfOllamaHasFilesOfItsOwn) {
  Snapshot before = With("library.ollama./usr/lib/ollama/libggml-base.so.build_id", Value("aa"));
  before.ollama_version = std::string("0.16.2");
  before.entries["ollama.version"] = {Value("0.16.2")};
  Snapshot now = With("library.ollama./usr/lib/ollama/libggml-base.so.build_id", Value("bb"));
  now.ollama_version = std::string("0.16.3");
  now.entries["ollama.version"] = {Value("0.16.3")};
  const Comparison comparison = Compare(before, now);
  ASSERT_EQ(comparison.changes.size(), 1u);
  EXPECT_EQ(comparison.changes[0].key, "ollama.version");
  ASSERT_EQ(comparison.not_compared.size(), 1u);
}

}  // namespace
}  // namespace vgpu::baseline

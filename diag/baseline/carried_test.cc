#include "diag/baseline/carried.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/host/capture_layout.h"
#include "diag/host/fake_host.h"
#include "gtest/gtest.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using Strings = std::vector<std::string>;

constexpr char kMachine[] = "e44ceeb10dfd956f678547165b4b1642";
constexpr char kToken[] = "unit.environment.HF_TOKEN";
constexpr char kStart[] = "unit.exec_start";
constexpr char kContent[] = "unit.program.content";

Snapshot With(const Sealer& sealer, absl::string_view token, absl::string_view start) {
  Snapshot snapshot;
  snapshot.unit = "ollama.service";
  snapshot.salt = sealer.salt();
  snapshot.seal_check = sealer.check();
  snapshot.entries[kToken].value = Value(sealer.Variable("HF_TOKEN", token));
  snapshot.entries[kStart].value = Value(sealer.Text(start));
  return snapshot;
}

// What a capture of a host shows by itself, and what it carries.
struct Capture {
  Snapshot shown;
  Carried carried;
};

Capture CaptureOf(absl::string_view token, absl::string_view start) {
  const Snapshot of_host = With(Sealer("", kMachine), token, start);
  Snapshot shown = With(Sealer::OfCapture("", "", kSealForm), "<redacted:0123456789abcdef>",
                        "/bin/ollama serve --token <redacted>");
  Capture capture = {shown, Carry(of_host, shown, 7)};
  return capture;
}

TEST(Carried, EqualAndChangedAreSeenWithoutTheMachinesId) {
  const Sealer baseline("salt", kMachine);
  const Snapshot before = With(baseline, "hunter2", "/bin/ollama serve --token abcdefgh");
  Capture same = CaptureOf("hunter2", "/bin/ollama serve --token abcdefgh");
  const Sealer sealer = Sealer::OfCapture("salt", same.carried.inner_check, kSealForm);
  EXPECT_EQ(sealer.check(), baseline.check());
  PutCarried(same.carried, 7, sealer, same.shown);
  EXPECT_EQ(same.shown.entries[kToken].value, before.entries.at(kToken).value);
  EXPECT_EQ(same.shown.entries[kStart].value, before.entries.at(kStart).value);

  Capture changed = CaptureOf("hunter3", "/bin/ollama serve --token abcdefgX");
  PutCarried(changed.carried, 7, sealer, changed.shown);
  EXPECT_FALSE(changed.shown.entries[kToken].value == before.entries.at(kToken).value);
  EXPECT_FALSE(changed.shown.entries[kStart].value == before.entries.at(kStart).value);
  EXPECT_TRUE(HasSeal(std::get<std::string>(*changed.shown.entries[kStart].value)));
}

TEST(Carried, NothingIsInTheClearThatTheCaptureHides) {
  Snapshot of_host, shown;
  of_host.entries["host.preload"].value = Value(Strings{"/a.so", "s3cr3t"});
  shown.entries["host.preload"].value = Value(Strings{"/a.so", "******"});
  // Of a script whose other lines anybody can read, a hash would be enough to guess.
  of_host.entries[kContent].value = Value(std::string(64, 'a'));
  shown.entries[kContent].value = Value(std::string(64, 'b'));
  // A value that does not say where it came from.
  shown.entries["library.system./lib/<redacted>"].value = Value("file");
  const Carried carried = Carry(of_host, shown, 0);
  ASSERT_EQ(carried.entries.size(), 3u);
  for (const auto& [key, value] : carried.entries) EXPECT_TRUE(value.not_observed()) << key;
  EXPECT_FALSE(absl::StrContains(CarriedText(carried), "s3cr3t"));
}

TEST(Carried, WhatIsNotThereIsNotThereForTheReaderEither) {
  Snapshot of_host, shown;
  of_host.entries[kToken].value = Absent{};
  shown.entries[kToken].value = Value("x");
  of_host.entries[kStart].value = NotObserved{"/etc/s3cr3t: permission denied"};
  shown.entries[kStart].value = Value("x");
  const Carried carried = Carry(of_host, shown, 0);
  EXPECT_TRUE(carried.entries.at(kToken).absent());
  EXPECT_FALSE(absl::StrContains(CarriedText(carried), "s3cr3t"));
}

TEST(Carried, AnotherProcessOrUnitHasOtherValues) {
  for (const auto& [unit, pid] : {std::pair<std::string, int>{"other.service", 7},
                                  std::pair<std::string, int>{"ollama.service", 8}}) {
    Capture capture = CaptureOf("hunter2", "/bin/ollama serve");
    capture.shown.unit = unit;
    PutCarried(capture.carried, pid, Sealer::OfCapture("salt", "", kSealForm), capture.shown);
    EXPECT_TRUE(capture.shown.entries[kToken].value.not_observed()) << unit;
    EXPECT_TRUE(capture.shown.entries[kStart].value.not_observed()) << unit;
  }
}

TEST(Carried, IsReadAsItWasWritten) {
  const Capture capture = CaptureOf("hunter2", "/bin/ollama serve --token abcdefgh");
  host::FakeHost host;
  host.AddFile(host::kManifest,
               absl::StrCat(R"({"redacted": true, "seals": )", CarriedText(capture.carried), "}"));
  const Carried read = ReadCarried(host);
  EXPECT_TRUE(read.redacted);
  EXPECT_EQ(read.inner_check, capture.carried.inner_check);
  EXPECT_EQ(read.unit, "ollama.service");
  EXPECT_EQ(read.pid, 7);
  EXPECT_EQ(read.entries, capture.carried.entries);
  EXPECT_EQ(read.entries.size(), 2u);
}

TEST(Carried, BrokenOnesCarryNothing) {
  for (const char* seals : {"7", "[]", R"({"entries": 7})", R"({"entries": [7, {}, {"key": 7}]})",
                            R"({"entries": [{"key": "no.such.key", "value": "x"}]})"}) {
    host::FakeHost host;
    host.AddFile(host::kManifest, absl::StrCat(R"({"redacted": true, "seals": )", seals, "}"));
    EXPECT_TRUE(ReadCarried(host).entries.empty()) << seals;
  }
  host::FakeHost host;
  // A value of another class than its key's.
  host.AddFile(host::kManifest, R"({"redacted": true, "seals":
               {"entries": [{"key": "unit.exec_start", "value": ["x"]}]}})");
  EXPECT_TRUE(ReadCarried(host).entries.at(kStart).not_observed());
  EXPECT_FALSE(ReadCarried(host::FakeHost()).redacted);
}

}  // namespace
}  // namespace vgpu::baseline

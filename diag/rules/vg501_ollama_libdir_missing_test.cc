#include "absl/strings/match.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

constexpr char kLibraries[] = "/usr/local/lib/ollama";

TEST(OllamaLibdirMissingTest, NoneOfTheCandidatesIsThere) {
  HostBuilder machine;
  const Judgement judgement =
      OllamaLibdirMissing(machine.RemoveFile(kLibraries).FoundNoGpu().Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->evidence[0].quote, "/usr/local/bin/ollama");
  EXPECT_EQ(holds->evidence[1].source, kLibraries);  // what was looked for, in order
  EXPECT_NE(FindQuote(*holds, "library=cpu"), nullptr);
  EXPECT_EQ(holds->explains[0], "VG704");
}

TEST(OllamaLibdirMissingTest, WhatWasFoundAtTheStartMayBeGoneForTheNext) {
  HostBuilder machine;
  const Judgement judgement = OllamaLibdirMissing(machine.RemoveFile(kLibraries).Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->acts, Acts::kNextStart);
  EXPECT_EQ(holds->confidence, Confidence::kLikely);
}

TEST(OllamaLibdirMissingTest, InEraATheModelLosesTheGpu) {
  HostBuilder machine;
  machine.EraA().RemoveFile(kLibraries);
  machine.SetPs(R"({"models": [{"name": "llama3:8b", "size": 5, "size_vram": 0}]})");
  const Judgement judgement = OllamaLibdirMissing(machine.Gather());
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  EXPECT_EQ(holds->confidence, Confidence::kCertain);
  EXPECT_EQ(holds->acts, Acts::kNow);
  EXPECT_EQ(holds->explains[0], "VG902");
}

TEST(OllamaLibdirMissingTest, ItIsThere) {
  EXPECT_EQ(Because(OllamaLibdirMissing(HostBuilder().Gather())), "/usr/local/lib/ollama is there");
}

TEST(OllamaLibdirMissingTest, WhatCannotBeListedIsNotMissing) {
  HostBuilder machine;
  EXPECT_EQ(Lacks(OllamaLibdirMissing(machine.Hide(kLibraries).Gather())),
            "Ollama's library directory");
}

}  // namespace
}  // namespace vgpu::rules

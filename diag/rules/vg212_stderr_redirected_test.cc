#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/host_builder.h"
#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(StderrRedirectedTest, TheJournalIsTheUsualPlace) {
  EXPECT_EQ(Because(StderrRedirected(HostBuilder().Gather())),
            "standard error goes to the journal");
}

TEST(StderrRedirectedTest, AppendedToAFileThatIsReadInstead) {
  HostBuilder machine;
  machine.SetFile(kDropIn, absl::StrCat("[Service]\nEnvironment=\"LD_PRELOAD=", kPreload,
                                        "\"\nStandardError=append:/var/log/ollama.log\n"));
  machine.SetShown("StandardError", "append").SetLog({});
  machine.SetFile("/var/log/ollama.log", absl::StrCat(kServerConfigLine, "\n", kListeningLine, "\n",
                                                      kBeganLine, "\n", kGpuLine, "\n"));
  const facts::Facts facts = machine.Gather();
  const Judgement judgement = StderrRedirected(facts);
  const Holds* holds = AsHolds(judgement);
  ASSERT_NE(holds, nullptr);
  const Evidence* evidence = FindQuote(*holds, "StandardError=append:/var/log/ollama.log");
  ASSERT_NE(evidence, nullptr);
  EXPECT_EQ(evidence->source, kDropIn);
  EXPECT_EQ(evidence->line, 3);
  EXPECT_TRUE(facts.FoundGpu().value_or(false));
}

TEST(StderrRedirectedTest, NothingIsKnownOfAHostThatWasNotLookedAt) {
  EXPECT_NE(Lacks(StderrRedirected(facts::Facts{})), "");
}

}  // namespace
}  // namespace vgpu::rules

#include "diag/baseline/seal.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace vgpu::baseline {
namespace {

const Sealer& One() {
  static const Sealer& one = *new Sealer("salt", "e44ceeb10dfd956f678547165b4b1642");
  return one;
}

TEST(Sealer, KeepsWhatDecidesDiscoveryInTheClear) {
  EXPECT_EQ(One().Variable("LD_PRELOAD", "/a.so:/b.so"), "/a.so:/b.so");
  EXPECT_EQ(One().Variable("CUDA_VISIBLE_DEVICES", "0,1"), "0,1");
  EXPECT_EQ(One().Variable("OLLAMA_HOST", "0.0.0.0:11434"), "0.0.0.0:11434");
  EXPECT_EQ(One().Text("/usr/local/bin/ollama serve"), "/usr/local/bin/ollama serve");
}

TEST(Sealer, NoOtherVariableCanBeReadAndEachChangeIsSeen) {
  const std::string sealed = One().Variable("SOME_SETTING", "hunter2");
  EXPECT_FALSE(absl::StrContains(sealed, "hunter2"));
  EXPECT_TRUE(HasSeal(sealed));
  EXPECT_EQ(sealed, One().Variable("SOME_SETTING", "hunter2"));
  EXPECT_NE(sealed, One().Variable("SOME_SETTING", "hunter3"));
}

TEST(Sealer, AnOpenNameDoesNotOpenASecretInItsValue) {
  const std::string sealed = One().Variable("OLLAMA_HOST", "http://me:pw@host:11434");
  EXPECT_FALSE(absl::StrContains(sealed, "pw")) << sealed;
  EXPECT_NE(sealed, One().Variable("OLLAMA_HOST", "http://me:pX@host:11434"));
}

TEST(Sealer, ATextLosesItsSecretAndKeepsThatItChanged) {
  const std::string before = One().Text("/usr/bin/ollama serve --token abcdefgh");
  const std::string after = One().Text("/usr/bin/ollama serve --token abcdefgX");
  EXPECT_TRUE(absl::StartsWith(before, "/usr/bin/ollama serve --token <redacted> <sealed "))
      << before;
  EXPECT_FALSE(absl::StrContains(before, "abcdefgh"));
  EXPECT_NE(before, after);
}

TEST(Sealer, ALongTextIsCutAndItsEndStillCounts) {
  const std::string text(kMaxText * 2, 'x');
  EXPECT_LT(One().Text(text).size(), kMaxText + 100);
  EXPECT_NE(One().Text(text + "y"), One().Text(text + "z"));
}

TEST(Sealer, AnotherMachineOrSaltGivesOtherSeals) {
  const Sealer machine("salt", "0123456789abcdef0123456789abcdef");
  const Sealer salt("pepper", "e44ceeb10dfd956f678547165b4b1642");
  const Sealer same("salt", "e44ceeb10dfd956f678547165b4b1642");
  EXPECT_EQ(same.check(), One().check());
  EXPECT_EQ(same.Whole("a"), One().Whole("a"));
  for (const Sealer* other : {&machine, &salt}) {
    EXPECT_NE(other->check(), One().check());
    EXPECT_NE(other->Whole("a"), One().Whole("a"));
  }
}

}  // namespace
}  // namespace vgpu::baseline

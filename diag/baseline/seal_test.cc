#include "diag/baseline/seal.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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

TEST(Sealer, OfWhatACaptureCarriesTheSealOfAnyBaselineIsMade) {
  const Sealer inner("", "e44ceeb10dfd956f678547165b4b1642");
  const Sealer capture = Sealer::OfCapture("salt", inner.check(), kSealForm);
  EXPECT_EQ(capture.check(), One().check());
  EXPECT_EQ(capture.Salted(inner.Whole("a")), One().Whole("a"));
  EXPECT_EQ(capture.Salted(inner.Text("serve --token abc")), One().Text("serve --token abc"));
  EXPECT_EQ(capture.Salted(absl::StrCat("x ", inner.Whole("a"), " y ", inner.Whole("b"), " z")),
            absl::StrCat("x ", One().Whole("a"), " y ", One().Whole("b"), " z"));
  EXPECT_EQ(capture.Salted("no seal, or <sealed 12"), "no seal, or <sealed 12");
  // By itself it makes none.
  EXPECT_TRUE(HasSealLeftOut(capture.Whole("a")));
  EXPECT_EQ(Sealer::OfCapture("salt", "", kSealForm).check(), "");
}

TEST(Sealer, WithoutTheMachinesIdThereAreNoSeals) {
  for (int form : {1, 2}) {
    const Sealer nobody("salt", "", form);
    EXPECT_EQ(nobody.check(), "");
    EXPECT_EQ(nobody.Variable("HF_TOKEN", "abc"), nobody.Variable("HF_TOKEN", "abd"));
    EXPECT_TRUE(HasSealLeftOut(nobody.Text("serve --token abc")));
    EXPECT_EQ(nobody.Variable("PATH", "/bin"), "/bin");
  }
}

TEST(Sealer, TheFirstFormIsMadeAsItWas) {
  const Sealer first("salt", "e44ceeb10dfd956f678547165b4b1642", 1);
  EXPECT_NE(first.check(), One().check());
  EXPECT_EQ(first.Whole("a"), Sealer("salt", "e44ceeb10dfd956f678547165b4b1642", 1).Whole("a"));
  // What a capture carries is of the second form.
  EXPECT_EQ(Sealer::OfCapture("salt", One().check(), 1).check(), "");
}

}  // namespace
}  // namespace vgpu::baseline

#include "diag/runbooks/search.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "diag/runbooks/synonyms.h"
#include "gtest/gtest.h"

namespace vgpu::runbooks {
namespace {

// The names of the best.
std::vector<std::string> Best(absl::string_view question, size_t most, Words words = Words::kAll) {
  std::vector<std::string> names;
  for (const Page* page : Search(question, words)) {
    if (names.size() < most) names.emplace_back(page->name);
  }
  return names;
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST(Search, ASymptomAsTheLogSaysItLeadsToItsGuide) {
  EXPECT_EQ(Best("library=cpu", 1), std::vector<std::string>{"library-cpu"});
  EXPECT_TRUE(Has(Best("cpu", 2), "library-cpu"));
  EXPECT_EQ(Best("restart", 1), std::vector<std::string>{"restart-loop"});
}

TEST(Search, AWordOfANameStandsBeforeOneOfTheText) {
  const std::vector<std::string> best = Best("preload", 10);
  ASSERT_EQ(best.size(), 10u);
  for (const std::string& name : best) {
    const Page* page = FindPage(name) != nullptr ? FindPage(name) : FindGuide(name);
    EXPECT_NE(std::string(page->title()).find("preload"), std::string::npos) << name;
  }
}

TEST(Search, AMessageLeadsToThePagesThatShowIt) {
  EXPECT_TRUE(Has(Best("cannot open shared object file", 8), "loader-messages"));
  EXPECT_TRUE(Has(Best("Driver/library version mismatch", 3), "VG606"));
  EXPECT_TRUE(Has(Best("undefined symbol", 8), "VG406"));
  EXPECT_TRUE(Has(Best("bus error", 2), "VG404"));
  EXPECT_TRUE(Has(Best("failed to finish discovery before timeout", 3), "VG701"));
}

TEST(Search, FormsOfAWordFindEachOther) {
  EXPECT_TRUE(Has(Best("restarting", 3), "restart-loop"));
  EXPECT_TRUE(Has(Best("suspended", 5), "VG608"));
}

TEST(Search, ANumberIsNoBeginningOfAnother) {
  EXPECT_TRUE(Has(Best("226", 4), "VG209"));
  EXPECT_FALSE(Search("57290", Words::kAll).empty());
  EXPECT_TRUE(Search("5729", Words::kAll).empty());
}

TEST(Search, WordsOfEveryPageAreAskedOfNone) {
  EXPECT_EQ(Best("the service is in a restart loop", 1), Best("restart loop", 1));
}

TEST(Search, EveryWordOrMostOfThem) {
  EXPECT_TRUE(Search("snap xyzzy wombat", Words::kMost).empty());
  EXPECT_TRUE(Search("snap confinement xyzzy", Words::kAll).empty());
  EXPECT_EQ(Best("snap confinement xyzzy", 1, Words::kMost), std::vector<std::string>{"VG512"});
}

TEST(Search, WhatPeopleTypeLeadsToThePageThatSaysItInOtherWords) {
  const std::pair<const char*, const char*> kTyped[] = {
      {"gpu not detected", "library-cpu"},
      {"ollama not using gpu", "library-cpu"},
      {"no gpu found", "library-cpu"},
      {"segfault", "restart-loop"},
      {"service crashes", "restart-loop"},
      {"ollama crashed with segmentation fault", "restart-loop"},
      {"ollama does not detect my gpu", "library-cpu"},
      {"permission denied", "VG402"},
      {"shim not found", "VG401"},
      {"library not found", "loader-messages"},
      {"models are slow", "slow-on-cpu"},
      {"docker", "VG610"},
      {"it hangs", "VG701"},
      {"stuck at startup", "VG701"},
      {"not working after reboot", "VG706"},
      {"won't start", "does-not-start"},
      {"connection refused", "does-not-start"},
      {"after upgrade", "after-update"},
      {"out of memory", "VG901"},
      {"laptop sleep", "VG608"},
      {"what is an era", "library-cpu"},
  };
  for (const auto& [typed, page] : kTyped) {
    std::vector<std::string> best = Best(typed, 1);
    if (best.empty()) best = Best(typed, 1, Words::kMost);
    EXPECT_EQ(best, std::vector<std::string>{page}) << typed;
  }
}

TEST(Search, EverySynonymFindsWhatItsWordsInThePagesFind) {
  for (const Synonym& synonym : Synonyms()) {
    const std::vector<std::string> there = Best(synonym.pages_say, 1);
    ASSERT_FALSE(there.empty()) << synonym.pages_say;
    EXPECT_TRUE(Has(Best(synonym.typed, 100), there[0])) << synonym.typed;
  }
}

TEST(Search, AWordThatOnlyBeginsLikeASynonymIsNone) {
  // "see" is typed for library=cpu, and "seek" is not.
  EXPECT_NE(Best("see gpu", 1), Best("seek gpu", 1));
  EXPECT_TRUE(Search("seek", Words::kAll).empty());
}

TEST(Search, WhatIsNowhereIsNotFound) {
  for (const char* question : {"", " ", "--", "xyzzy", "\x1b[31m"}) {
    EXPECT_TRUE(Search(question, Words::kAll).empty()) << question;
  }
  EXPECT_TRUE(Search(std::string(100000, 'x'), Words::kMost).empty());
}

}  // namespace
}  // namespace vgpu::runbooks

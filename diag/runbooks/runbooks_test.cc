#include "diag/runbooks/runbooks.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/rules/catalogue.h"
#include "diag/runbooks/one_document.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace vgpu::runbooks {
namespace {

const std::vector<std::string> kSections = {
    "What it means",    "How it comes about",         "How to see it by hand",
    "How to repair it", "How to know that it worked", "What it is confused with",
    "Which versions",
};

std::string Text(absl::string_view view) { return std::string(view); }

// Characters of UTF-8.
size_t Columns(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// The sections of a page, in its order, and their text. What stands in a fence is no heading.
std::vector<std::pair<std::string, std::string>> Sections(absl::string_view markdown) {
  std::vector<std::pair<std::string, std::string>> sections;
  bool fence = false;
  for (absl::string_view line : absl::StrSplit(markdown, '\n')) {
    if (absl::StartsWith(line, "```")) fence = !fence;
    if (!fence && absl::ConsumePrefix(&line, "## ")) {
      sections.emplace_back(Text(line), "");
    } else if (!sections.empty()) {
      absl::StrAppend(&sections.back().second, line, "\n");
    }
  }
  return sections;
}

// What the links of a page lead to, as written.
std::vector<std::string> Links(absl::string_view markdown) {
  static const LazyRE2 kLink = {R"(\]\(([^)\s]+)\))"};
  re2::StringPiece rest(markdown.data(), markdown.size());
  std::vector<std::string> links;
  std::string target;
  while (RE2::FindAndConsume(&rest, *kLink, &target)) links.push_back(target);
  return links;
}

// "VG301" for VG301.md and ../VG301.md, "library-cpu" for guides/library-cpu.md; "" for an
// address of the world.
std::string Target(absl::string_view link) {
  if (absl::StartsWith(link, "https://")) return "";
  link = link.substr(link.rfind('/') == absl::string_view::npos ? 0 : link.rfind('/') + 1);
  absl::ConsumeSuffix(&link, ".md");
  return Text(link);
}

TEST(Runbooks, EveryCodeHasItsPage) {
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    EXPECT_NE(FindPage(entry.code), nullptr) << entry.code;
  }
}

TEST(Runbooks, NoPageLacksACodeAndTitlesAreThoseOfTheCatalogue) {
  ASSERT_FALSE(Pages().empty());
  for (const Page& page : Pages()) {
    const rules::CatalogueEntry* entry = rules::FindCode(page.name);
    ASSERT_NE(entry, nullptr) << page.name;
    EXPECT_EQ(Text(page.title()), absl::StrCat(entry->code, " ", entry->id, ": ", entry->title));
  }
}

TEST(Runbooks, EveryPageHasTheSectionsInOrderAndSomethingInEach) {
  for (const Page& page : Pages()) {
    std::vector<std::string> names;
    for (const auto& [name, text] : Sections(page.markdown)) {
      names.push_back(name);
      EXPECT_GT(absl::StripAsciiWhitespace(text).size(), 40u) << page.name << ": " << name;
    }
    EXPECT_EQ(names, kSections) << page.name;
  }
}

TEST(Runbooks, EveryPageSaysWithWhatItIsConfusedAndHasACommandThatShowsIt) {
  for (const Page& page : Pages()) {
    for (const auto& [name, text] : Sections(page.markdown)) {
      if (name == "How to see it by hand") {
        EXPECT_TRUE(absl::StrContains(text, "```console\n") || absl::StrContains(text, "```sh\n"))
            << page.name;
      }
      if (name != "What it is confused with") continue;
      const std::vector<std::string> links = Links(text);
      EXPECT_FALSE(links.empty()) << page.name;
      for (const std::string& link : links) EXPECT_NE(Target(link), page.name) << page.name;
    }
  }
}

TEST(Runbooks, PagesAreShortPlainAndOfOneWidth) {
  for (const Page& page : Pages()) {
    const std::vector<std::string> lines = absl::StrSplit(page.markdown, '\n');
    EXPECT_GE(lines.size(), 40u) << page.name;
    EXPECT_LE(lines.size(), 91u) << page.name;  // the last one is empty
  }
  for (const auto& pages : {Pages(), Guides()}) {
    for (const Page& page : pages) {
      bool fence = false;
      int number = 0;
      for (absl::string_view line : absl::StrSplit(page.markdown, '\n')) {
        ++number;
        if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "```")) fence = !fence;
        // A table's row and a heading are one line, however long.
        const bool whole = fence || absl::StartsWith(line, "|") || absl::StartsWith(line, "#");
        EXPECT_TRUE(whole || Columns(line) <= 100) << page.name << ":" << number;
        for (char c : line) ASSERT_FALSE(absl::ascii_iscntrl(c)) << page.name << ":" << number;
      }
      EXPECT_FALSE(fence) << page.name << ": a fence is never closed";
    }
  }
}

TEST(Runbooks, LinksLeadToPagesAndGuidesThatThereAre) {
  for (const Page& page : Pages()) {
    for (const std::string& link : Links(page.markdown)) {
      if (absl::StartsWith(link, "https://")) continue;
      const std::string target = Target(link);
      EXPECT_TRUE(link == target + ".md"
                      ? FindPage(target) != nullptr
                      : link == "guides/" + target + ".md" && FindGuide(target) != nullptr)
          << page.name << ": " << link;
    }
  }
  for (const Page& guide : Guides()) {
    for (const std::string& link : Links(guide.markdown)) {
      const std::string target = Target(link);
      EXPECT_TRUE(link == "../" + target + ".md"
                      ? FindPage(target) != nullptr
                      : link == target + ".md" && FindGuide(target) != nullptr)
          << guide.name << ": " << link;
    }
  }
}

TEST(Runbooks, EveryPageIsReachedFromAGuide) {
  std::set<std::string> reached;
  std::vector<std::string> next;
  for (const Page& guide : Guides()) next.push_back(Text(guide.name));
  ASSERT_FALSE(next.empty());
  while (!next.empty()) {
    const std::string name = next.back();
    next.pop_back();
    if (!reached.insert(name).second) continue;
    const Page* page = FindGuide(name) != nullptr ? FindGuide(name) : FindPage(name);
    if (page == nullptr) continue;
    for (const std::string& link : Links(page->markdown)) next.push_back(Target(link));
  }
  for (const Page& page : Pages()) EXPECT_EQ(reached.count(Text(page.name)), 1u) << page.name;
}

// A guide that only repeats another's list would not help to decide.
TEST(Runbooks, EveryGuideIsASymptomAndLeadsToPages) {
  for (const Page& guide : Guides()) {
    EXPECT_GT(guide.title().size(), 10u) << guide.name;
    std::set<std::string> pages;
    for (const std::string& link : Links(guide.markdown)) {
      if (absl::StartsWith(link, "../")) pages.insert(link);
    }
    EXPECT_GE(pages.size(), 3u) << guide.name;
  }
}

// The script may install NVIDIA's driver where a virtual device is to be seen.
TEST(Runbooks, APageThatRunsOllamasInstallScriptWarnsOfTheDriver) {
  size_t running = 0;
  for (const Page& page : Pages()) {
    if (!absl::StrContains(page.markdown, "https://ollama.com/install.sh |")) continue;
    ++running;
    std::string text = Text(page.markdown);
    std::replace(text.begin(), text.end(), '\n', ' ');
    EXPECT_TRUE(absl::StrContains(text, "installs NVIDIA's driver as well")) << page.name;
    EXPECT_TRUE(absl::StrContains(page.markdown, "(guides/after-update.md)")) << page.name;
  }
  EXPECT_GT(running, 10u);
  const Page* guide = FindGuide("after-update");
  ASSERT_NE(guide, nullptr);
  EXPECT_TRUE(absl::StrContains(guide->markdown, "ollama-linux-amd64.tar.zst"));
}

TEST(Runbooks, NamesThatThereAreNotFindNothing) {
  EXPECT_EQ(FindPage("VG999"), nullptr);
  EXPECT_EQ(FindPage(""), nullptr);
  EXPECT_EQ(FindPage("library-cpu"), nullptr);
  EXPECT_EQ(FindGuide("VG302"), nullptr);
}

TEST(Runbooks, TheOneDocumentHasAllAndItsLinksLeadInsideIt) {
  const std::string document = OneDocument();
  std::map<std::string, int> anchors;
  static const LazyRE2 kAnchor = {R"re(<a id="([^"]+)"></a>)re"};
  re2::StringPiece rest(document);
  std::string name;
  while (RE2::FindAndConsume(&rest, *kAnchor, &name)) ++anchors[name];
  EXPECT_EQ(anchors.size(), Pages().size() + Guides().size());
  for (const auto& [anchor, count] : anchors) EXPECT_EQ(count, 1) << anchor;
  for (const std::string& link : Links(document)) {
    if (absl::StartsWith(link, "https://")) continue;
    ASSERT_TRUE(absl::StartsWith(link, "#")) << link;
    const std::string target = link.substr(1);
    EXPECT_EQ(anchors.count(target), 1u) << link;
  }
}

}  // namespace
}  // namespace vgpu::runbooks

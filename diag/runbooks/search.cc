#include "diag/runbooks/search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "diag/runbooks/synonyms.h"

namespace vgpu::runbooks {
namespace {

// More words make no question clearer.
constexpr size_t kMostWords = 16;

// What a word counts where it stands; of a page's text, so often.
constexpr double kInName = 12, kInTitle = 8, kInText = 1;
constexpr double kMostInText = 4;
// What the question as it was typed counts.
constexpr double kWholeInTitle = 40, kWholeInText = 20;
// A word that is only the beginning of the page's word.
constexpr double kBeginning = 0.7;
// What the pages say for what was typed, and the words themselves lead.
constexpr double kSynonym = 0.9;
// A guide answers to a symptom, which is what most have who search.
constexpr double kGuide = 1.2;

std::vector<std::string> WordsOf(absl::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (char c : text) {
    if (absl::ascii_isalnum(c)) {
      word += absl::ascii_tolower(c);
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

// What the forms of an English word begin with.
absl::string_view Stem(absl::string_view word) {
  constexpr size_t kShortest = 4;
  for (absl::string_view ending : {"ing", "ed", "es", "s"}) {
    if (absl::EndsWith(word, ending) && word.size() >= ending.size() + kShortest) {
      return word.substr(0, word.size() - ending.size());
    }
  }
  return word;
}

// 1, kBeginning, or 0: how well a page's word answers to one of the question.
double Answers(absl::string_view word, absl::string_view asked) {
  if (word == asked) return 1;
  const bool number = absl::ascii_isdigit(asked[0]);  // 80 is not 802
  if (number || asked.size() < 3) return 0;
  return absl::StartsWith(word, Stem(asked)) ? kBeginning : 0;
}

struct Indexed {
  const Page* page = nullptr;
  bool guide = false;
  std::vector<std::string> name, title, text;
  std::string whole_title, whole_text;  // in lower case

  static Indexed Of(const Page& page, bool guide) {
    Indexed indexed;
    indexed.page = &page;
    indexed.guide = guide;
    const std::string title(page.title());
    // "VG302 service-started-before-config: the service was started …"; of a guide, a symptom.
    const size_t colon = guide ? std::string::npos : title.find(": ");
    indexed.name =
        WordsOf(colon == std::string::npos ? std::string(page.name) : title.substr(0, colon));
    indexed.title = WordsOf(colon == std::string::npos ? title : title.substr(colon));
    indexed.text = WordsOf(page.markdown.substr(title.size()));
    indexed.whole_title = absl::AsciiStrToLower(title);
    indexed.whole_text = absl::AsciiStrToLower(page.markdown);
    return indexed;
  }

  // What the word counts here; 0: it is not here.
  double Count(const std::string& asked) const {
    const auto best = [&](const std::vector<std::string>& words) {
      double most = 0;
      for (const std::string& word : words) most = std::max(most, Answers(word, asked));
      return most;
    };
    double in_text = 0;
    for (const std::string& word : text) in_text += Answers(word, asked);
    return kInName * best(name) + kInTitle * best(title) + kInText * std::min(in_text, kMostInText);
  }

  double CountWhole(const std::string& question) const {
    return absl::StrContains(whole_title, question)  ? kWholeInTitle
           : absl::StrContains(whole_text, question) ? kWholeInText
                                                     : 0;
  }
};

std::vector<Indexed> AllPages() {
  std::vector<Indexed> all;
  for (const Page& guide : Guides()) all.push_back(Indexed::Of(guide, true));
  for (const Page& page : Pages()) all.push_back(Indexed::Of(page, false));
  return all;
}

// Words that ask nothing. ("not" does: "not found" is no "found".)
bool IsFiller(const std::string& word) {
  static constexpr absl::string_view kFillers[] = {"a",  "an",  "and", "are",  "do",  "does", "how",
                                                   "i",  "in",  "is",  "it",   "my",  "of",   "on",
                                                   "to", "the", "was", "what", "why", "with"};
  return std::find(std::begin(kFillers), std::end(kFillers), word) != std::end(kFillers);
}

// The words that a question asks for; all of them, where none but fillers are there.
std::vector<std::string> AskedWords(absl::string_view question) {
  std::vector<std::string> words = WordsOf(question);
  if (!std::all_of(words.begin(), words.end(), IsFiller)) {
    words.erase(std::remove_if(words.begin(), words.end(), IsFiller), words.end());
  }
  if (words.size() > kMostWords) words.resize(kMostWords);
  return words;
}

// A question in one form of words.
struct Form {
  std::vector<std::string> words;
  std::string whole;  // in lower case, as it was typed
};

// Whether a word of the question is this one, or a form of it.
bool IsFormOf(const std::string& asked, const std::string& word) {
  constexpr size_t kShortest = 4;
  return asked == word || (word.size() >= kShortest && absl::StartsWith(asked, word));
}

// The question with the pages' words for what was typed; without words where it was not typed.
Form Instead(const Form& form, const Synonym& synonym) {
  const std::vector<std::string> typed = AskedWords(synonym.typed);
  const auto is_typed = [&](const std::string& asked) {
    return std::any_of(typed.begin(), typed.end(),
                       [&](const std::string& word) { return IsFormOf(asked, word); });
  };
  for (const std::string& word : typed) {
    if (std::none_of(form.words.begin(), form.words.end(),
                     [&](const std::string& asked) { return IsFormOf(asked, word); })) {
      return {};
    }
  }
  Form instead{AskedWords(synonym.pages_say), std::string(synonym.pages_say)};
  std::remove_copy_if(form.words.begin(), form.words.end(), std::back_inserter(instead.words),
                      is_typed);
  return instead;
}

// What each page counts as an answer; 0: it is none.
std::vector<double> Scores(const std::vector<Indexed>& all, const Form& form, Words words) {
  // counts[w][p], and of each word how much it says: nothing, where nearly all pages have it.
  const std::vector<std::string>& asked = form.words;
  std::vector<std::vector<double>> counts(asked.size());
  std::vector<double> says(asked.size());
  bool any_says = false;
  for (size_t w = 0; w < asked.size(); ++w) {
    size_t having = 0;
    for (const Indexed& page : all) {
      counts[w].push_back(page.Count(asked[w]));
      having += counts[w].back() > 0 ? 1 : 0;
    }
    const double n = static_cast<double>(all.size());
    if (having * 3 < all.size() * 2)
      says[w] = std::log((n + 1) / (static_cast<double>(having) + 0.5));
    any_says = any_says || says[w] > 0;
  }
  if (!any_says) std::fill(says.begin(), says.end(), 1.0);

  std::vector<double> scores(all.size());
  for (size_t p = 0; p < all.size(); ++p) {
    double score = 0;
    size_t has = 0, wanted = 0;
    for (size_t w = 0; w < asked.size(); ++w) {
      if (says[w] == 0) continue;
      ++wanted;
      has += counts[w][p] > 0 ? 1 : 0;
      score += says[w] * counts[w][p];
    }
    if (has == 0 || (words == Words::kAll ? has < wanted : has * 2 <= wanted)) continue;
    score += all[p].CountWhole(form.whole);
    scores[p] = all[p].guide ? score * kGuide : score;
  }
  return scores;
}

}  // namespace

std::vector<const Page*> Search(absl::string_view question, Words words) {
  const std::vector<Indexed> all = AllPages();
  const Form form{AskedWords(question),
                  std::string(absl::StripAsciiWhitespace(absl::AsciiStrToLower(question)))};
  std::vector<double> best = Scores(all, form, words);
  for (const Synonym& synonym : Synonyms()) {
    const Form instead = Instead(form, synonym);
    if (instead.words.empty()) continue;
    const std::vector<double> scores = Scores(all, instead, words);
    for (size_t p = 0; p < all.size(); ++p) best[p] = std::max(best[p], kSynonym * scores[p]);
  }
  std::vector<std::pair<double, const Page*>> found;
  for (size_t p = 0; p < all.size(); ++p) {
    if (best[p] > 0) found.emplace_back(best[p], all[p].page);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const Page*> pages;
  for (const auto& [score, page] : found) pages.push_back(page);
  return pages;
}

}  // namespace vgpu::runbooks

// The pages and guides that have the words of a question, the best first.
//
//   for (const Page* page : Search("library=cpu", Words::kAll)) …
//
// A word counts for more the fewer pages have it, and in a name or a title more than in the text; a
// word of nearly every page ("the", "GPU") is asked of none. "restarted" finds "restarts", and
// "preload" "preloaded". The words as they were typed, next to each other, count on top.
// What people type for what the pages call otherwise finds that too: synonyms.h.
//
// Pure function, safe in any thread.

#ifndef DIAG_RUNBOOKS_SEARCH_H_
#define DIAG_RUNBOOKS_SEARCH_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "diag/runbooks/runbooks.h"

namespace vgpu::runbooks {

enum class Words {
  kAll,   // a page has every word that is asked of it
  kMost,  // more than half of them
};

// Empty where no page has them.
std::vector<const Page*> Search(absl::string_view question, Words words);

}  // namespace vgpu::runbooks

#endif  // DIAG_RUNBOOKS_SEARCH_H_

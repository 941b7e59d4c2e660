// The runbooks: a page for every code of the catalogue, and guides that lead from a
// symptom to the pages. Markdown, compiled in.
//
//   if (const Page* page = FindPage("VG302")) std::cout << page->markdown;
//
// A page is written for one who has never seen the project. All have the same sections, in
// the same order; runbooks_test.cc holds them to that.

#ifndef DIAG_RUNBOOKS_RUNBOOKS_H_
#define DIAG_RUNBOOKS_RUNBOOKS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::runbooks {

struct Page {
  absl::string_view name;  // "VG302"; of a guide, "library-cpu"
  absl::string_view markdown;

  // What stands behind the # of the first line: "VG302 service-started-before-config: ..."
  absl::string_view title() const;
};

// By code.
absl::Span<const Page> Pages();
// By name. The title of a guide is the symptom.
absl::Span<const Page> Guides();

// Null where there is none.
const Page* FindPage(absl::string_view code);
const Page* FindGuide(absl::string_view name);

}  // namespace vgpu::runbooks

#endif  // DIAG_RUNBOOKS_RUNBOOKS_H_

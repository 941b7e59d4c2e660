#include "diag/runbooks/runbooks.h"

#include "absl/strings/strip.h"

namespace vgpu::runbooks {
namespace {

// embed.sh writes both.
constexpr Page kPages[] = {
#include "diag/runbooks/pages.inc"
};
constexpr Page kGuides[] = {
#include "diag/runbooks/guides.inc"
};

const Page* Find(absl::Span<const Page> pages, absl::string_view name) {
  for (const Page& page : pages) {
    if (page.name == name) return &page;
  }
  return nullptr;
}

}  // namespace

absl::string_view Page::title() const {
  return absl::StripPrefix(markdown.substr(0, markdown.find('\n')), "# ");
}

absl::Span<const Page> Pages() { return kPages; }
absl::Span<const Page> Guides() { return kGuides; }

const Page* FindPage(absl::string_view code) { return Find(kPages, code); }
const Page* FindGuide(absl::string_view name) { return Find(kGuides, name); }

}  // namespace vgpu::runbooks

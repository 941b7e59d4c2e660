#include "diag/runbooks/one_document.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "diag/runbooks/runbooks.h"
#include "re2/re2.h"

namespace vgpu::runbooks {
namespace {

void Append(const Page& page, std::string& out) {
  std::string text(page.markdown);
  // [VG301](VG301.md), [VG301](../VG301.md), [library-cpu](guides/library-cpu.md)
  static const LazyRE2 kLink = {R"(\]\((?:\.\./|guides/)?([A-Za-z0-9-]+)\.md\))"};
  RE2::GlobalReplace(&text, *kLink, R"(](#\1))");
  absl::StrAppend(&out, "\n<a id=\"", page.name, "\"></a>\n\n", text);
}

}  // namespace

std::string OneDocument() {
  std::string out =
      "# The runbooks of vgpu-doctor\n\n"
      "From a symptom to its cause:\n\n";
  for (const Page& guide : Guides()) {
    absl::StrAppend(&out, "- [", guide.title(), "](#", guide.name, ")\n");
  }
  out += "\nThe causes:\n\n";
  for (const Page& page : Pages()) {
    absl::StrAppend(&out, "- [", page.title(), "](#", page.name, ")\n");
  }
  for (const Page& guide : Guides()) Append(guide, out);
  for (const Page& page : Pages()) Append(page, out);
  return out;
}

}  // namespace vgpu::runbooks

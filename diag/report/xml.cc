#include "diag/report/xml.h"

#include "absl/strings/str_replace.h"

namespace vgpu::report {

std::string XmlText(absl::string_view visible) {
  return absl::StrReplaceAll(visible, {{"&", "&amp;"},
                                       {"<", "&lt;"},
                                       {">", "&gt;"},
                                       {"\"", "&quot;"},
                                       {"'", "&#39;"},
                                       {"\xef\xbf\xbe", "\xef\xbf\xbd"},
                                       {"\xef\xbf\xbf", "\xef\xbf\xbd"}});
}

}  // namespace vgpu::report

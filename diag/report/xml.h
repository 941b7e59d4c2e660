// Text within XML and HTML, between tags or within a quoted attribute.
//
//   XmlText("a<b & \"c\"")  ==  "a&lt;b &amp; &quot;c&quot;"
//
// Takes what Visible gives (visible.h): valid UTF-8 without control characters. The two
// characters that are left and that XML 1.0 forbids (2.2, U+FFFE and U+FFFF) become U+FFFD.
//
// Pure function, safe in any thread.

#ifndef DIAG_REPORT_XML_H_
#define DIAG_REPORT_XML_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::report {

std::string XmlText(absl::string_view visible);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_XML_H_

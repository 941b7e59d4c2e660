// Whatever stands in the fields of a report, its views are bounded, valid and harmless.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "diag/report/html.h"
#include "diag/report/json.h"
#include "diag/report/junit.h"
#include "diag/report/markdown.h"
#include "diag/report/prometheus.h"
#include "diag/report/samples.h"
#include "diag/report/sarif.h"
#include "diag/report/text.h"
#include "nlohmann/json.hpp"

namespace {

void MustBeLines(const std::string& text) {
  for (const unsigned char c : text) {
    if ((c < 0x20 && c != '\n') || c == 0x7f) abort();
  }
}

// Every tag is one of ours, and no more end than begin.
void MustBeXml(const std::string& text) {
  MustBeLines(text);
  int open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '<') continue;
    const size_t end = text.find('>', i);
    if (end == std::string::npos || text.find('<', i + 1) < end) abort();
    if (text[i + 1] == '/') {
      --open;
    } else if (text[i + 1] != '!' && text[i + 1] != '?' && text[end - 1] != '/') {
      ++open;
    }
    if (open < 0) abort();
  }
  if (open != 0) abort();
}

// An HTML page as XML: without its style sheet, where no text of the report stands, and with its
// empty elements closed.
std::string WithoutStyle(std::string html) {
  const size_t begin = html.find("<style>");
  html.erase(begin, html.find("</style>") + 8 - begin);
  for (const char* tag : {"<meta", "<br"}) {
    for (size_t i = html.find(tag); i != std::string::npos; i = html.find(tag, i + 1))
      html.insert(html.find('>', i), 1, '/');
  }
  return html;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;  // every field holds a copy
  const vgpu::report::Report report =
      vgpu::report::Hostile(std::string(reinterpret_cast<const char*>(data), size));
  const std::string json = vgpu::report::ToJson(report);
  MustBeLines(json);
  if (nlohmann::json::parse(json, nullptr, false).is_discarded()) abort();
  const int width = size == 0 ? 80 : data[0];
  MustBeLines(vgpu::report::ToText(report, {.width = width}));
  MustBeLines(vgpu::report::ToMarkdown(report, {}));
  MustBeLines(vgpu::report::ToPrometheus(report));
  MustBeXml(vgpu::report::ToJUnit(report));
  MustBeXml(WithoutStyle(vgpu::report::ToHtml(report)));
  const std::string sarif = vgpu::report::ToSarif(report);
  MustBeLines(sarif);
  if (nlohmann::json::parse(sarif, nullptr, false).is_discarded()) abort();
  for (const unsigned char c : vgpu::report::ToText(report, {.width = width, .utf8 = false})) {
    if (c > 0x7e) abort();
  }
  return 0;
}

#include "diag/report/visible.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace vgpu::report {
namespace {

// One character of UTF-8, or one byte that is not part of any.
struct Character {
  size_t size = 1;
  uint32_t code = 0;
  bool valid = false;
};

// The character at the front of `text`, which is not empty. Overlong forms, surrogates
// and what lies beyond U+10FFFF are not characters (RFC 3629, section 3).
Character Front(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {.size = 1, .code = lead, .valid = true};
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  uint32_t code = lead & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const uint32_t smallest = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {.size = size, .code = code, .valid = true};
}

// What a reader does not see, or sees change other text: controls and, of Unicode 15,
// general categories Cf, Zl and Zp as far as they are not visible signs of a script.
bool IsInvisible(uint32_t code) {
  static constexpr struct {
    uint32_t first, last;
  } kRanges[] = {
      {0x0000, 0x001f},   {0x007f, 0x009f},    // C0, DEL, C1
      {0x00ad, 0x00ad},   {0x061c, 0x061c},    // soft hyphen, Arabic letter mark
      {0x180e, 0x180e},   {0x200b, 0x200f},    // Mongolian separator; zero width, LRM, RLM
      {0x2028, 0x202e},   {0x2060, 0x206f},    // line, paragraph, bidi; isolates and others
      {0xfeff, 0xfeff},   {0xfff9, 0xfffb},    // byte order mark, annotations
      {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},  // musical formatting; tags
  };
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [&](const auto& range) { return range.first <= code && code <= range.last; });
}

std::string Escape(uint32_t code) {
  if (code < 0x80) return absl::StrFormat("\\x%02x", code);
  if (code < 0x10000) return absl::StrFormat("\\u%04x", code);
  return absl::StrFormat("\\U%08x", code);
}

void AppendVisible(absl::string_view raw, Character c, std::string* out) {
  if (!c.valid) {
    absl::StrAppendFormat(out, "\\x%02x", static_cast<unsigned char>(raw[0]));
  } else if (c.code == '\n') {
    out->append("\\n");
  } else if (c.code == '\t') {
    out->append("\\t");
  } else if (IsInvisible(c.code)) {
    out->append(Escape(c.code));
  } else {
    out->append(raw.data(), raw.size());
  }
}

absl::string_view Plain(uint32_t code) {
  switch (code) {
    case 0x2010:
    case 0x2011:
    case 0x2013:
    case 0x2212:
      return "-";
    case 0x2014:
      return "--";
    case 0x2018:
    case 0x2019:
      return "'";
    case 0x201c:
    case 0x201d:
      return "\"";
    case 0x2026:
      return "...";
    case 0x2190:
      return "<-";
    case 0x2192:
      return "->";
    case 0x00a0:
      return " ";
    default:
      return "";
  }
}

}  // namespace

std::string Visible(absl::string_view host_text) {
  std::string out;
  out.reserve(host_text.size());
  while (!host_text.empty()) {
    const Character c = Front(host_text);
    AppendVisible(host_text.substr(0, c.size), c, &out);
    host_text.remove_prefix(c.size);
  }
  return out;
}

std::string VisibleQuote(absl::string_view host_text, size_t max_bytes) {
  std::string out;
  while (!host_text.empty()) {
    const Character c = Front(host_text);
    const size_t before = out.size();
    AppendVisible(host_text.substr(0, c.size), c, &out);
    if (out.size() > max_bytes) {
      out.resize(before);
      absl::StrAppend(&out, "\u2026[+", host_text.size(), " bytes]");
      return out;
    }
    host_text.remove_prefix(c.size);
  }
  return out;
}

std::string AsciiOnly(absl::string_view visible) {
  std::string out;
  out.reserve(visible.size());
  while (!visible.empty()) {
    const Character c = Front(visible);
    if (c.valid && c.code >= 0x80) {
      const absl::string_view plain = Plain(c.code);
      absl::StrAppend(&out, plain.empty() ? Escape(c.code) : std::string(plain));
    } else {
      AppendVisible(visible.substr(0, c.size), c, &out);
    }
    visible.remove_prefix(c.size);
  }
  return out;
}

}  // namespace vgpu::report

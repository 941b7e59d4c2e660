#include "diag/report/chain_picture.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "diag/report/xml.h"

namespace vgpu::report {
namespace {

// In pixels, as the browser counts them.
constexpr int kBox = 250;        // width of a finding
constexpr int kBetween = 54;     // between columns
constexpr int kApart = 18;       // between findings of a column
constexpr int kPadding = 12;     // within a finding
constexpr int kLine = 17;        // height of a line
constexpr int kMargin = 6;       // around it all
constexpr size_t kLetters = 33;  // of 13 px on average that fit into a finding
constexpr size_t kMostLines = 4;

struct Node {
  const Item* item = nullptr;
  bool root = false;
  std::vector<size_t> causes = {};  // what explains it, as indices
  size_t column = 0;
  std::vector<std::string> lines = {};
  int x = 0;
  int y = 0;

  int height() const { return 2 * kPadding + kLine * static_cast<int>(1 + lines.size()); }
};

// At the end of a whole UTF-8 character, at most `columns` of them.
size_t Prefix(absl::string_view text, size_t columns) {
  size_t end = 0;
  while (end < text.size()) {
    if ((text[end] & 0xc0) != 0x80 && columns-- == 0) return end;
    ++end;
  }
  return end;
}

// In lines that fit into a finding; what does not fit into kMostLines ends in "…".
std::vector<std::string> Wrapped(absl::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = Prefix(text, kLetters);
    size_t next = end;
    if (end < text.size()) {
      const size_t space = text.substr(0, end + 1).rfind(' ');
      if (space != absl::string_view::npos && space > 0) {
        end = space;
        next = space + 1;
      }
    }
    if (lines.size() + 1 == kMostLines && next < text.size()) {
      lines.push_back(
          absl::StrCat(text.substr(0, Prefix(text.substr(0, end), kLetters - 1)), "\u2026"));
      return lines;
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(next);
  }
  return lines;
}

std::vector<Node> Nodes(const Report& shown) {
  std::vector<Node> nodes;
  std::map<absl::string_view, size_t> by_code;
  for (const auto* items : {&shown.root_causes, &shown.consequences}) {
    for (const Item& item : *items) {
      if (!by_code.try_emplace(item.code, nodes.size()).second) continue;
      nodes.push_back({.item = &item, .root = items == &shown.root_causes});
    }
  }
  for (Node& node : nodes) {
    if (node.root) continue;
    std::set<size_t> causes;
    for (const std::string& code : node.item->explained_by) {
      const auto cause = by_code.find(code);
      if (cause != by_code.end() && nodes[cause->second].item != node.item)
        causes.insert(cause->second);
    }
    node.causes.assign(causes.begin(), causes.end());
  }
  return nodes;
}

// The longest way from a root cause. A report whose findings explain each other in a circle
// would never end: no way is longer than there are findings.
void FindColumns(std::vector<Node>& nodes) {
  bool moved = true;
  for (size_t round = 0; moved && round < nodes.size(); ++round) {
    moved = false;
    for (Node& node : nodes) {
      for (const size_t cause : node.causes) {
        const size_t column = nodes[cause].column + 1;
        if (column <= node.column || column >= nodes.size()) continue;
        node.column = column;
        moved = true;
      }
    }
  }
  // Without empty columns.
  std::set<size_t> used;
  for (const Node& node : nodes) used.insert(node.column);
  for (Node& node : nodes) {
    node.column = static_cast<size_t>(std::distance(used.begin(), used.find(node.column)));
  }
}

// Of what explains a finding, only what no other one of them follows from.
void LeaveOutDetours(std::vector<Node>& nodes) {
  std::vector<std::vector<size_t>> direct(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const size_t cause : nodes[i].causes) {
      const bool detour =
          std::any_of(nodes[i].causes.begin(), nodes[i].causes.end(), [&](size_t between) {
            const std::vector<size_t>& causes = nodes[between].causes;
            return between != cause && nodes[between].column < nodes[i].column &&
                   std::find(causes.begin(), causes.end(), cause) != causes.end();
          });
      if (!detour) direct[i].push_back(cause);
    }
  }
  for (size_t i = 0; i < nodes.size(); ++i) nodes[i].causes = std::move(direct[i]);
}

// Places the findings and returns how large the picture is.
std::pair<int, int> Place(std::vector<Node>& nodes) {
  std::map<size_t, int> heights;
  for (Node& node : nodes) {
    node.lines = Wrapped(node.item->title);
    int& height = heights[node.column];
    node.y = height + (height > 0 ? kApart : 0);
    height = node.y + node.height();
  }
  int tallest = 0;
  for (const auto& [column, height] : heights) tallest = std::max(tallest, height);
  for (Node& node : nodes) {
    node.x = kMargin + static_cast<int>(node.column) * (kBox + kBetween);
    node.y += kMargin + (tallest - heights[node.column]) / 2;
  }
  const int columns = static_cast<int>(heights.size());
  return {2 * kMargin + columns * kBox + (columns - 1) * kBetween, 2 * kMargin + tallest};
}

std::string Arrow(const Node& from, const Node& to) {
  const int x1 = from.x + kBox, y1 = from.y + from.height() / 2;
  const int x2 = to.x - 2, y2 = to.y + to.height() / 2;
  // To a finding of the same column, or of one further left (a circle): around the corner.
  const int bend = std::max(kBetween / 2, (x2 - x1) / 2);
  return absl::StrFormat(
      "<path class=\"arrow\" d=\"M%d %dC%d %d %d %d %d %d\" marker-end=\"url(#tip)\"/>\n", x1, y1,
      x1 + bend, y1, x2 - bend, y2, x2, y2);
}

std::string Box(const Node& node) {
  std::string svg = absl::StrFormat(
      "<g class=\"finding%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>",
      node.root ? " root" : "", node.x, node.y, kBox, node.height());
  const int x = node.x + kPadding;
  int y = node.y + kPadding + 12;
  absl::StrAppend(
      &svg, "<text class=\"code\" x=\"", x, "\" y=\"", y, "\">", XmlText(node.item->code),
      "</text><text class=\"kind\" x=\"", node.x + kBox - kPadding, "\" y=\"", y, "\">",
      node.root ? absl::StrCat("root cause, ", ConfidenceName(node.item->confidence)) : "follows",
      "</text>");
  for (const std::string& line : node.lines) {
    y += kLine;
    absl::StrAppend(&svg, "<text x=\"", x, "\" y=\"", y, "\">", XmlText(line), "</text>");
  }
  return svg + "</g>\n";
}

// The picture in words.
std::string Description(const std::vector<Node>& nodes) {
  std::string text;
  for (const Node& node : nodes) {
    const std::string causes = absl::StrJoin(
        node.causes, " and ",
        [&](std::string* out, size_t cause) { absl::StrAppend(out, nodes[cause].item->code); });
    if (!causes.empty())
      absl::StrAppend(&text, text.empty() ? "" : "; ", node.item->code, " follows from ", causes);
  }
  return text;
}

}  // namespace

std::string ChainPicture(const Report& shown) {
  std::vector<Node> nodes = Nodes(shown);
  const bool drawable = std::any_of(nodes.begin(), nodes.end(),
                                    [](const Node& node) { return !node.causes.empty(); });
  if (!drawable) return "";
  FindColumns(nodes);
  LeaveOutDetours(nodes);
  const auto [width, height] = Place(nodes);
  std::string svg = absl::StrFormat(
      "<svg class=\"chain\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
      "height=\"%d\" viewBox=\"0 0 %d %d\" style=\"min-width:%dpx\">\n",
      width, height, width, height, width * 4 / 5);
  absl::StrAppend(&svg, "<title>From cause to symptom</title><desc>", XmlText(Description(nodes)),
                  "</desc>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                  "markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" "
                  "d=\"M0 0L8 4L0 8z\"/></marker></defs>\n");
  for (const Node& node : nodes) {
    for (const size_t cause : node.causes) svg += Arrow(nodes[cause], node);
  }
  for (const Node& node : nodes) svg += Box(node);
  return svg + "</svg>\n";
}

}  // namespace vgpu::report

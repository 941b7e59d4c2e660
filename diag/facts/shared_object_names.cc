#include "diag/facts/shared_object_names.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "nlohmann/json.hpp"

namespace vgpu::facts {
namespace {

constexpr size_t kMaxNames = 64;
constexpr size_t kMaxName = 512;

}  // namespace

std::vector<std::string> SharedObjectNames(absl::string_view bytes) {
  std::vector<std::string> names;
  auto is_part = [](char c) {
    return c > ' ' && c < 0x7f && c != ':' && c != '"' && c != '\'' && c != '=';
  };
  for (size_t at = bytes.find(".so"); at != absl::string_view::npos && names.size() < kMaxNames;
       at = bytes.find(".so", at + 3)) {
    size_t begin = at;
    while (begin > 0 && at - begin < kMaxName && is_part(bytes[begin - 1])) --begin;
    size_t end = at + 3;
    while (end < bytes.size() && end - begin < kMaxName &&
           (bytes[end] == '.' || (bytes[end] >= '0' && bytes[end] <= '9'))) {
      ++end;
    }
    std::string name(bytes.substr(begin, end - begin));
    if (name.front() == '/' && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

std::vector<std::string> RecordedNames(const host::Host& host,
                                       const host::Observed<host::Resolved>& program) {
  std::vector<std::string> names;
  if (!program.present()) return names;
  const std::string recorded = host.RecordedElf(program->path).value_or("");
  const auto elf = nlohmann::json::parse(recorded, nullptr, /*allow_exceptions=*/false);
  if (!elf.is_object()) return names;
  const auto list = elf.find(kNamedObjectsKey);
  if (list == elf.end() || !list->is_array()) return names;
  for (const nlohmann::json& name : *list) {
    if (!name.is_string() || names.size() == kMaxNames) continue;
    std::string path = name.get<std::string>();
    if (!path.empty() && path.front() == '/') names.push_back(std::move(path));
  }
  return names;
}

}  // namespace vgpu::facts

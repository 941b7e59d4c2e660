#include "diag/rules/nix_settings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace vgpu::rules {
namespace {

std::string NixString(absl::string_view text) {
  return absl::StrCat(
      "\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"${", "\\${"}}), "\"");
}

// An attribute's name is quoted where it is no identifier.
std::string NixName(absl::string_view name) {
  const bool plain = !name.empty() &&
                     std::all_of(name.begin(), name.end(),
                                 [](char c) {
                                   return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                          (c >= '0' && c <= '9') || c == '_' || c == '-';
                                 }) &&
                     !(name.front() >= '0' && name.front() <= '9') && name.front() != '-';
  return plain ? std::string(name) : NixString(name);
}

}  // namespace

std::string NixSettings(absl::string_view unit, const std::vector<std::string>& lines) {
  const std::string service =
      absl::StrCat("systemd.services.", NixName(absl::StripSuffix(unit, ".service")), ".");
  std::vector<std::pair<std::string, std::vector<std::string>>> settings;
  const auto values_of = [&](const std::string& name) -> std::vector<std::string>& {
    for (auto& [known, values] : settings) {
      if (known == name) return values;
    }
    return settings.emplace_back(name, std::vector<std::string>()).second;
  };
  for (absl::string_view line : lines) {
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) continue;
    const absl::string_view key = line.substr(0, equals);
    absl::string_view value = line.substr(equals + 1);
    if (key != "Environment") {
      std::vector<std::string>& values = values_of(absl::StrCat("serviceConfig.", NixName(key)));
      // An empty one takes back what stands before it, as mkForce does.
      if (!value.empty()) values.push_back(NixString(value));
      continue;
    }
    if (absl::ConsumePrefix(&value, "\"")) absl::ConsumeSuffix(&value, "\"");
    const size_t of_variable = value.find('=');
    if (of_variable == absl::string_view::npos) continue;
    const absl::string_view text = value.substr(of_variable + 1);
    values_of(absl::StrCat("environment.", NixName(value.substr(0, of_variable)))) = {
        text.empty() ? "null" : NixString(text)};
  }
  return absl::StrJoin(settings, " ", [&](std::string* out, const auto& setting) {
    const std::vector<std::string>& values = setting.second;
    absl::StrAppend(out, service, setting.first, " = lib.mkForce ",
                    values.size() == 1 ? values.front()
                                       : absl::StrCat("[ ", absl::StrJoin(values, " "),
                                                      values.empty() ? "]" : " ]"),
                    ";");
  });
}

}  // namespace vgpu::rules

#include "diag/elf/elf_json.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace vgpu::elf {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;
using Json = nlohmann::json;

// Each Get says whether the JSON is a T, and which.
bool Get(const Json& json, std::string* text) {
  if (!json.is_string()) return false;
  *text = json.get<std::string>();
  return true;
}

bool Get(const Json& json, bool* flag) {
  if (!json.is_boolean()) return false;
  *flag = json.get<bool>();
  return true;
}

// The class of a file.
bool Get(const Json& json, int* bits) {
  if (json != 32 && json != 64) return false;
  *bits = json.get<int>();
  return true;
}

// A member of an object. What is missing in an item of a list or in go_build is not
// observed there, unless the item means nothing without it.
template <typename T>
Observed<T> Member(const Json& object, const char* key);

bool Get(const Json& json, VersionNeed* need);
bool Get(const Json& json, UndefinedSymbol* symbol);
bool Get(const Json& json, ExportedSymbol* symbol);
bool Get(const Json& json, GoBuild* build);

template <typename T>
bool Get(const Json& json, std::vector<T>* list) {
  if (!json.is_array()) return false;
  list->reserve(json.size());
  for (const Json& item : json) {
    T value;
    if (!Get(item, &value)) return false;
    list->push_back(std::move(value));
  }
  return true;
}

template <typename T>
Observed<T> Member(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) return NotObserved{"not recorded"};
  if (it->is_null()) return Absent{};
  T value{};
  if (!Get(*it, &value)) return NotObserved{absl::StrCat("recorded in a wrong form: ", key)};
  return value;
}

// A member that has to be there.
template <typename T>
bool Require(const Json& object, const char* key, T* value) {
  if (!object.is_object()) return false;
  const auto it = object.find(key);
  return it != object.end() && Get(*it, value);
}

bool Get(const Json& json, VersionNeed* need) {
  return Require(json, "file", &need->file) && Require(json, "versions", &need->versions);
}

bool Get(const Json& json, UndefinedSymbol* symbol) {
  if (!Require(json, "name", &symbol->name)) return false;
  symbol->version = Member<std::string>(json, "version");
  if (!json.contains("weak")) return true;  // strong is the rule
  return Require(json, "weak", &symbol->weak);
}

bool Get(const Json& json, ExportedSymbol* symbol) {
  if (!Require(json, "name", &symbol->name)) return false;
  symbol->version = Member<std::string>(json, "version");
  return true;
}

bool Get(const Json& json, GoBuild* build) {
  if (!Require(json, "go", &build->go)) return false;
  build->module = Member<std::string>(json, "module");
  build->version = Member<std::string>(json, "version");
  return true;
}

}  // namespace

absl::StatusOr<ElfInfo> ParseElfJson(absl::string_view json) {
  const Json object = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InvalidArgumentError("elf: not a JSON object");

  ElfInfo info;
  info.error = Member<std::string>(object, "error");
  info.elf_class = Member<int>(object, "class");
  info.machine = Member<std::string>(object, "machine");
  info.type = Member<std::string>(object, "type");
  info.pie = Member<bool>(object, "pie");
  info.interp = Member<std::string>(object, "interp");
  info.soname = Member<std::string>(object, "soname");
  info.needed = Member<std::vector<std::string>>(object, "needed");
  info.rpath = Member<std::string>(object, "rpath");
  info.runpath = Member<std::string>(object, "runpath");
  info.build_id = Member<std::string>(object, "build_id");
  info.bind_now = Member<bool>(object, "bind_now");
  info.no_default_dirs = NotObserved{"not recorded"};
  info.version_defs = Member<std::vector<std::string>>(object, "version_defs");
  info.version_needs = Member<std::vector<VersionNeed>>(object, "version_needs");
  info.undefined = Member<std::vector<UndefinedSymbol>>(object, "undefined");
  info.undefined_complete = Member<bool>(object, "undefined_complete");
  info.exports = Member<std::vector<ExportedSymbol>>(object, "exports");
  info.exports_complete = Member<bool>(object, "exports_complete");
  info.cuda_archs = Member<std::vector<std::string>>(object, "cuda_archs");
  info.go_build = Member<GoBuild>(object, "go_build");
  info.last_segment_end = NotObserved{"not recorded"};

  if (!object.contains("pie") && info.type.present()) info.pie = false;
  if (!object.contains("undefined_complete") && !info.undefined.not_observed()) {
    info.undefined_complete = true;
  }
  return info;
}

}  // namespace vgpu::elf

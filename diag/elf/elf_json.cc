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

bool Get(const Json& json, uint64_t* number) {
  if (!json.is_number_unsigned()) return false;
  *number = json.get<uint64_t>();
  return true;
}

// The class of a file.
bool Get(const Json& json, int* bits) {
  if (json != 32 && json != 64) return false;
  *bits = json.get<int>();
  return true;
}

template <typename T>
bool Get(const Json& json, std::vector<T>* list);

// A member that has to be there.
template <typename T>
bool Require(const Json& object, const char* key, T* value) {
  if (!object.is_object()) return false;
  const auto it = object.find(key);
  return it != object.end() && Get(*it, value);
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
  if (it == object.end()) {
    const auto reasons = object.find("not_observed");
    std::string why;
    if (reasons != object.end() && Require(*reasons, key, &why)) return NotObserved{why};
    return NotObserved{"not recorded"};
  }
  if (it->is_null()) return Absent{};
  T value{};
  if (!Get(*it, &value)) return NotObserved{absl::StrCat("recorded in a wrong form: ", key)};
  return value;
}

bool Get(const Json& json, VersionNeed* need) {
  if (!Require(json, "file", &need->file) || !Require(json, "versions", &need->versions)) {
    return false;
  }
  return !json.contains("weak") || Require(json, "weak", &need->weak);
}

bool Get(const Json& json, UndefinedSymbol* symbol) {
  if (!Require(json, "name", &symbol->name)) return false;
  symbol->version = Member<std::string>(json, "version");
  symbol->lazy = Member<bool>(json, "lazy");
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
  info.no_default_dirs = Member<bool>(object, "no_default_dirs");
  info.version_defs = Member<std::vector<std::string>>(object, "version_defs");
  info.version_needs = Member<std::vector<VersionNeed>>(object, "version_needs");
  info.undefined = Member<std::vector<UndefinedSymbol>>(object, "undefined");
  info.undefined_complete = Member<bool>(object, "undefined_complete");
  info.exports = Member<std::vector<ExportedSymbol>>(object, "exports");
  info.exports_complete = Member<bool>(object, "exports_complete");
  info.cuda_archs = Member<std::vector<std::string>>(object, "cuda_archs");
  info.go_build = Member<GoBuild>(object, "go_build");
  info.last_segment_end = Member<uint64_t>(object, "last_segment_end");

  // What is not mentioned has a default; what is told not to have been seen has none.
  const auto reasons = object.find("not_observed");
  const auto unmentioned = [&](const char* key) {
    return !object.contains(key) &&
           (reasons == object.end() || !reasons->is_object() || !reasons->contains(key));
  };
  if (unmentioned("pie") && info.type.present()) info.pie = false;
  if (unmentioned("undefined_complete") && !info.undefined.not_observed()) {
    info.undefined_complete = true;
  }
  return info;
}

namespace {

Json Of(const std::string& text) { return text; }
Json Of(int number) { return number; }
Json Of(uint64_t number) { return number; }
Json Of(bool flag) { return flag; }
Json Of(const VersionNeed& need);
Json Of(const UndefinedSymbol& symbol);
Json Of(const ExportedSymbol& symbol);
Json Of(const GoBuild& build);

template <typename T>
Json Of(const std::vector<T>& list) {
  Json json = Json::array();
  for (const T& item : list) json.push_back(Of(item));
  return json;
}

template <typename T>
void Put(Json& object, const char* key, const Observed<T>& value) {
  if (value.present()) object[key] = Of(*value);
  if (value.absent()) object[key] = nullptr;
}

Json Of(const VersionNeed& need) {
  Json json = {{"file", need.file}, {"versions", Of(need.versions)}};
  if (!need.weak.empty()) json["weak"] = Of(need.weak);
  return json;
}

Json Of(const UndefinedSymbol& symbol) {
  Json json = {{"name", symbol.name}, {"weak", symbol.weak}};
  Put(json, "version", symbol.version);
  Put(json, "lazy", symbol.lazy);
  return json;
}

Json Of(const ExportedSymbol& symbol) {
  Json json = {{"name", symbol.name}};
  Put(json, "version", symbol.version);
  return json;
}

Json Of(const GoBuild& build) {
  Json json = {{"go", build.go}};
  Put(json, "module", build.module);
  Put(json, "version", build.version);
  return json;
}

}  // namespace

std::string ElfToJson(const ElfInfo& info) {
  Json object = Json::object();
  Json reasons = Json::object();
  const auto put = [&](const char* key, const auto& value) {
    Put(object, key, value);
    if (value.not_observed()) reasons[key] = std::string(value.why_not());
  };
  put("error", info.error);
  put("class", info.elf_class);
  put("machine", info.machine);
  put("type", info.type);
  put("pie", info.pie);
  put("interp", info.interp);
  put("soname", info.soname);
  put("needed", info.needed);
  put("rpath", info.rpath);
  put("runpath", info.runpath);
  put("build_id", info.build_id);
  put("bind_now", info.bind_now);
  put("no_default_dirs", info.no_default_dirs);
  put("version_defs", info.version_defs);
  put("version_needs", info.version_needs);
  put("undefined", info.undefined);
  put("undefined_complete", info.undefined_complete);
  put("exports", info.exports);
  put("exports_complete", info.exports_complete);
  put("cuda_archs", info.cuda_archs);
  put("go_build", info.go_build);
  put("last_segment_end", info.last_segment_end);
  if (!reasons.empty()) object["not_observed"] = std::move(reasons);
  // A name that is no UTF-8 is shown with marks in its place.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vgpu::elf

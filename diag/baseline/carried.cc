#include "diag/baseline/carried.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/baseline/kinds.h"
#include "diag/host/capture_layout.h"
#include "diag/report/visible.h"
#include "nlohmann/json.hpp"
#include "re2/re2.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;
using nlohmann::json;
using Strings = std::vector<std::string>;

constexpr size_t kManifestLimit = size_t{16} << 20;
constexpr char kHidden[] = "the capture hides it: secrets were taken out of it";

// The text of a value, or of all its items.
std::string AllText(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* items = std::get_if<Strings>(&value)) return absl::StrJoin(*items, "\n");
  return "";
}

// Whether redaction has left its mark in it. A host without an id leaves out seals itself.
bool IsHidden(const Observed<Value>& value, bool has_id) {
  if (!value.present()) return false;
  const std::string text = AllText(*value);
  return absl::StrContains(text, "<redacted") || (has_id && HasSealLeftOut(text));
}

// Whether `value` says, beside its seals, no more than `redacted` does.
bool HidesAsMuch(const Value& value, const Value& redacted) {
  if (value.index() != redacted.index() || std::holds_alternative<double>(value)) return false;
  static const RE2& mark = *new RE2("<(?:sealed|redacted)[^<>]*>");
  std::string clear = AllText(value);
  RE2::GlobalReplace(&clear, mark, " ");
  const std::string shown = AllText(redacted);
  for (absl::string_view word : absl::StrSplit(clear, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (!absl::StrContains(shown, word)) return false;
  }
  return true;
}

json ToJson(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* items = std::get_if<Strings>(&value)) return *items;
  return std::get<double>(value);
}

std::string TextOf(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? report::Visible(it->get_ref<const std::string&>())
                                               : "";
}

// Nothing: it is not of the class that its key has.
Observed<Value> ValueOf(const json& value, const Kind& kind) {
  if (kind.value_class == Class::kIdentity && value.is_string()) {
    return Value(report::Visible(value.get_ref<const std::string&>()));
  }
  if (kind.value_class == Class::kOrdered && value.is_array() && value.size() <= kMaxItems) {
    Strings items;
    for (const json& item : value) {
      if (!item.is_string()) return NotObserved{kHidden};
      items.push_back(report::Visible(item.get_ref<const std::string&>()));
    }
    return Value(std::move(items));
  }
  return NotObserved{kHidden};
}

void ReadEntry(const json& object, Carried& carried) {
  const std::string key = object.is_object() ? TextOf(object, "key") : "";
  const Kind* kind = FindKind(key);
  if (kind == nullptr) return;
  Observed<Value> value = NotObserved{kHidden};
  if (const auto found = object.find("value"); found != object.end())
    value = ValueOf(*found, *kind);
  if (object.contains("absent")) value = Absent{};
  if (const std::string why = TextOf(object, "not_observed"); !why.empty()) {
    value = NotObserved{why};
  }
  carried.entries.emplace(key, std::move(value));
}

}  // namespace

int ProcessOf(const facts::Facts& facts) {
  return facts.process.present() ? facts.process->pid : 0;
}

Carried Carry(const Snapshot& of_host, const Snapshot& of_capture, int pid) {
  Carried carried;
  carried.redacted = true;
  carried.inner_check = of_host.seal_check;
  carried.unit = of_host.unit;
  carried.pid = pid;
  for (const auto& [key, captured] : of_capture.entries) {
    const auto host = of_host.entries.find(key);
    // A name that redaction has made.
    if (host == of_host.entries.end()) {
      carried.entries.emplace(key, NotObserved{kHidden});
      continue;
    }
    const Observed<Value>& value = host->second.value;
    if (value == captured.value || (value.not_observed() && captured.value.not_observed()))
      continue;
    const bool safe = value.absent() || (value.present() && captured.value.present() &&
                                         HidesAsMuch(*value, *captured.value));
    carried.entries.emplace(key, safe ? value : Observed<Value>(NotObserved{kHidden}));
  }
  return carried;
}

std::string CarriedText(const Carried& carried) {
  json entries = json::array();
  for (const auto& [key, value] : carried.entries) {
    json entry = {{"key", key}};
    if (value.present()) entry["value"] = ToJson(*value);
    if (value.absent()) entry["absent"] = true;
    if (value.not_observed()) entry["not_observed"] = std::string(value.why_not());
    entries.push_back(std::move(entry));
  }
  const json object = {{"check", carried.inner_check},
                       {"unit", carried.unit},
                       {"pid", carried.pid},
                       {"entries", std::move(entries)}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Carried ReadCarried(const host::Host& host) {
  Carried carried;
  if (host.kind() == host::Host::Kind::kLive) return carried;
  const Observed<host::Content> text = host.Read(host::kManifest, kManifestLimit);
  if (!text.present()) return carried;
  const json manifest = json::parse(text->bytes, nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object()) return carried;
  const auto redacted = manifest.find("redacted");
  carried.redacted = redacted != manifest.end() && redacted->is_boolean() && redacted->get<bool>();
  const auto seals = manifest.find("seals");
  if (!carried.redacted || seals == manifest.end() || !seals->is_object()) return carried;
  carried.inner_check = TextOf(*seals, "check");
  carried.unit = TextOf(*seals, "unit");
  if (const auto pid = seals->find("pid"); pid != seals->end() && pid->is_number_integer()) {
    carried.pid = static_cast<int>(pid->get<int64_t>());
  }
  const auto entries = seals->find("entries");
  if (entries == seals->end() || !entries->is_array()) return carried;
  for (const json& entry : *entries) ReadEntry(entry, carried);
  return carried;
}

void PutCarried(const Carried& carried, int pid, const Sealer& sealer, Snapshot& snapshot) {
  if (!carried.redacted) return;
  const bool of_this = carried.unit == snapshot.unit && carried.pid == pid;
  const bool has_id = !of_this || !carried.inner_check.empty();
  for (auto& [key, entry] : snapshot.entries) {
    const auto found = of_this ? carried.entries.find(key) : carried.entries.end();
    if (found == carried.entries.end()) {
      if (IsHidden(entry.value, has_id)) entry.value = NotObserved{kHidden};
      continue;
    }
    entry.value = found->second;
    if (!entry.value.present()) continue;
    Value value = *entry.value;
    if (auto* text = std::get_if<std::string>(&value)) *text = sealer.Salted(*text);
    if (auto* items = std::get_if<Strings>(&value)) {
      for (std::string& item : *items) item = sealer.Salted(item);
    }
    entry.value = std::move(value);
  }
}

}  // namespace vgpu::baseline

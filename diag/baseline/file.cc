#include "diag/baseline/file.h"

#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/baseline/kinds.h"
#include "diag/baseline/seal.h"
#include "diag/report/json.h"
#include "diag/report/visible.h"
#include "nlohmann/json.hpp"
#include "re2/re2.h"

namespace vgpu::baseline {
namespace {

using host::Absent;
using host::NotObserved;
using host::Observed;
using Json = nlohmann::ordered_json;

constexpr char kSchemaPrefix[] = "vgpu-doctor.baseline/";
// Deeper JSON is not ours: schema 1 is four deep.
constexpr int kMaxDepth = 16;

absl::Status Broken(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("is no baseline: ", why));
}

std::string WithoutPids(std::string source) {
  static const RE2& pid = *new RE2("/proc/[0-9]+");
  RE2::GlobalReplace(&source, pid, "/proc/PID");
  return source;
}

Json ToJson(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  Json items = Json::array();
  for (const std::string& item : std::get<std::vector<std::string>>(value)) items.push_back(item);
  return items;
}

// Bounded, the mark of what was cut included: what is read again is written as it is.
std::string Reason(absl::string_view why) {
  constexpr size_t kMost = 512;
  const std::string shown = report::Visible(why);
  return shown.size() <= kMost ? shown : report::VisibleQuote(why, kMost - 32);
}

template <typename T>
void PutAnswer(const Observed<T>& answer, Json value, absl::string_view name, Json& object) {
  if (answer.present()) {
    object[std::string(name)] = std::move(value);
  } else if (answer.absent()) {
    object["absent"] = true;
  } else {
    object["not_observed"] = Reason(answer.why_not());
  }
}

Json TextOrNull(const Observed<std::string>& text) {
  return text.present() ? Json(*text) : Json(nullptr);
}

// One field of an object, of the type that it must have.
const Json* Find(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

bool ReadText(const Json& object, const char* key, std::string& text) {
  const Json* found = Find(object, key);
  if (found == nullptr || found->is_null()) return true;
  if (!found->is_string()) return false;
  text = report::Visible(found->get_ref<const std::string&>());
  return true;
}

Observed<std::string> ObservedText(const Json& object, const char* key) {
  const Json* found = Find(object, key);
  if (found == nullptr || !found->is_string()) return NotObserved{"the baseline does not say"};
  return report::Visible(found->get_ref<const std::string&>());
}

// The value of an entry, which must be of its kind's class.
absl::StatusOr<Value> ReadValue(const Json& value, Class value_class) {
  switch (value_class) {
    case Class::kIdentity:
      if (value.is_string()) return Value(report::Visible(value.get_ref<const std::string&>()));
      break;
    case Class::kBounded:
      if (value.is_number()) {
        const double number = value.get<double>();
        if (std::isfinite(number)) return Value(number);
      }
      break;
    case Class::kOrdered: {
      if (!value.is_array() || value.size() > kMaxItems) break;
      std::vector<std::string> items;
      for (const Json& item : value) {
        if (!item.is_string()) return Broken("an item of a list is no text");
        items.push_back(report::Visible(item.get_ref<const std::string&>()));
      }
      return Value(std::move(items));
    }
  }
  return Broken("a value is not of its key's class");
}

absl::Status ReadEntry(const Json& object, Snapshot& snapshot) {
  if (!object.is_object()) return Broken("an entry is no object");
  std::string key;
  if (!ReadText(object, "key", key) || key.empty()) return Broken("an entry has no key");
  const Kind* kind = FindKind(key);
  if (kind == nullptr) return absl::OkStatus();
  Entry entry;
  const Json* value = Find(object, "value");
  const Json* absent = Find(object, "absent");
  const Json* unseen = Find(object, "not_observed");
  if ((value != nullptr) + (absent != nullptr) + (unseen != nullptr) != 1) {
    return Broken(absl::StrCat(key, " has none or several of value, absent and not_observed"));
  }
  if (value != nullptr) {
    absl::StatusOr<Value> read = ReadValue(*value, kind->value_class);
    if (!read.ok()) return Broken(absl::StrCat(key, ": ", read.status().message()));
    entry.value = *std::move(read);
  } else if (absent != nullptr) {
    if (*absent != true) return Broken(absl::StrCat(key, ": absent is not true"));
    entry.value = Absent{};
  } else {
    if (!unseen->is_string()) return Broken(absl::StrCat(key, ": not_observed is no text"));
    entry.value = NotObserved{report::Visible(unseen->get_ref<const std::string&>())};
  }
  if (!ReadText(object, "source", entry.source)) return Broken(absl::StrCat(key, ": source"));
  if (const Json* line = Find(object, "line"); line != nullptr && line->is_number_integer()) {
    const int64_t number = line->get<int64_t>();
    if (number > 0 && number < INT32_MAX) entry.line = static_cast<int>(number);
  }
  if (!snapshot.entries.emplace(std::move(key), std::move(entry)).second) {
    return Broken("a key stands there twice");
  }
  return absl::OkStatus();
}

absl::Status ReadLooked(const Json& object, Snapshot& snapshot) {
  std::string pattern;
  if (!object.is_object() || !ReadText(object, "kind", pattern) || pattern.empty()) {
    return Broken("a kind has no name");
  }
  Observed<bool> looked = true;
  if (const Json* unseen = Find(object, "not_observed"); unseen != nullptr) {
    if (!unseen->is_string()) return Broken(absl::StrCat(pattern, ": not_observed is no text"));
    looked = NotObserved{report::Visible(unseen->get_ref<const std::string&>())};
  }
  snapshot.looked[pattern] = std::move(looked);
  return absl::OkStatus();
}

absl::Status CheckSchema(const Json& document) {
  const Json* schema = Find(document, "schema");
  if (schema == nullptr || !schema->is_string()) return Broken("it names no schema");
  absl::string_view name = schema->get_ref<const std::string&>();
  if (name == kSchema) return absl::OkStatus();
  const std::string shown = report::VisibleQuote(name, 64);
  int number = 0;
  if (absl::ConsumePrefix(&name, kSchemaPrefix) && absl::SimpleAtoi(name, &number) && number > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is of the schema ", shown, ", which is newer than this vgpu-doctor (it reads ", kSchema,
        "): use the vgpu-doctor that wrote it, or a newer one"));
  }
  return Broken(absl::StrCat("its schema is ", shown));
}

// nlohmann parses without recursion; what walks the result need not go deeper than we do.
bool TooDeep(absl::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::string WriteBaseline(const Snapshot& snapshot) {
  Json kinds = Json::array();
  for (const auto& [pattern, looked] : snapshot.looked) {
    Json kind = {{"kind", pattern}};
    if (!looked.present()) {
      kind["not_observed"] =
          looked.absent() ? "not there" : Reason(WithoutPids(std::string(looked.why_not())));
    }
    kinds.push_back(std::move(kind));
  }
  Json entries = Json::array();
  for (const auto& [key, entry] : snapshot.entries) {
    const Kind* kind = FindKind(key);
    if (kind == nullptr) continue;
    Json object = {{"key", key}, {"class", std::string(ClassName(kind->value_class))}};
    PutAnswer(entry.value, entry.value.present() ? ToJson(*entry.value) : Json(), "value", object);
    if (object.contains("not_observed")) {
      object["not_observed"] = WithoutPids(object["not_observed"].get<std::string>());
    }
    object["source"] = WithoutPids(entry.source);
    object["line"] = entry.line > 0 ? Json(entry.line) : Json(nullptr);
    entries.push_back(std::move(object));
  }
  const Json document = {
      {"schema", kSchema},
      {"tool_version", snapshot.tool_version},
      {"name", snapshot.name},
      {"captured_at", TextOrNull(snapshot.captured_at.Map([&](absl::Time time) {
         return report::Rfc3339(time, snapshot.time_zone);
       }))},
      {"verified", snapshot.verified},
      {"because", snapshot.because},
      {"host", {{"hostname", TextOrNull(snapshot.hostname)}}},
      {"subject",
       {{"unit", snapshot.unit.empty() ? Json(nullptr) : Json(snapshot.unit)},
        {"ollama_version", TextOrNull(snapshot.ollama_version)},
        {"era", snapshot.era},
        {"profile", TextOrNull(snapshot.profile)}}},
      {"salt", snapshot.salt},
      {"seal_check", snapshot.seal_check},
      {"seal_form", snapshot.seal_form},
      {"kinds", std::move(kinds)},
      {"entries", std::move(entries)},
  };
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Snapshot> ReadBaseline(absl::string_view text) {
  if (text.size() > kMaxFile) return Broken("it is longer than 16 MiB");
  if (TooDeep(text)) return Broken("it is no such JSON");
  const Json document = Json::parse(text.begin(), text.end(), nullptr, false);
  if (document.is_discarded() || !document.is_object()) return Broken("it is no JSON object");
  if (absl::Status status = CheckSchema(document); !status.ok()) return status;

  Snapshot snapshot;
  const Json none = Json::object();
  const auto object = [&](const char* key) -> const Json& {
    const Json* found = Find(document, key);
    return found != nullptr && found->is_object() ? *found : none;
  };
  const Json* verified = Find(document, "verified");
  if (verified == nullptr || !verified->is_boolean()) {
    return Broken("it does not say whether it is verified");
  }
  snapshot.verified = verified->get<bool>();
  const Json& subject = object("subject");
  if (!ReadText(document, "name", snapshot.name) ||
      !ReadText(document, "tool_version", snapshot.tool_version) ||
      !ReadText(document, "because", snapshot.because) ||
      !ReadText(document, "salt", snapshot.salt) ||
      !ReadText(document, "seal_check", snapshot.seal_check) ||
      !ReadText(subject, "unit", snapshot.unit) || !ReadText(subject, "era", snapshot.era)) {
    return Broken("a text of its head is no text");
  }
  // The first baselines do not say.
  if (const Json* form = Find(document, "seal_form"); form != nullptr) {
    if (!form->is_number_unsigned()) return Broken("seal_form is no number");
    // Seals of a form to come are as those of another machine.
    if (form->get<uint64_t>() > kSealForm) snapshot.seal_check.clear();
    snapshot.seal_form = form->get<uint64_t>() == 1 ? 1 : kSealForm;
  }
  snapshot.hostname = ObservedText(object("host"), "hostname");
  snapshot.ollama_version = ObservedText(subject, "ollama_version");
  snapshot.profile = ObservedText(subject, "profile");
  snapshot.captured_at = NotObserved{"the baseline does not say"};
  if (const Json* at = Find(document, "captured_at"); at != nullptr && at->is_string()) {
    absl::Time time;
    std::string error;
    const std::string& said = at->get_ref<const std::string&>();
    if (!absl::ParseTime(absl::RFC3339_full, said, &time, &error)) {
      return Broken("captured_at is no time");
    }
    snapshot.captured_at = time;
    absl::CivilSecond civil;
    if (absl::ParseCivilTime(said.substr(0, 19), &civil)) {
      const absl::Duration offset = absl::FromCivil(civil, absl::UTCTimeZone()) -
                                    absl::FromUnixSeconds(absl::ToUnixSeconds(time));
      if (absl::AbsDuration(offset) <= absl::Hours(15)) {
        snapshot.time_zone = absl::FixedTimeZone(static_cast<int>(absl::ToInt64Seconds(offset)));
      }
    }
  }
  const Json* kinds = Find(document, "kinds");
  const Json* entries = Find(document, "entries");
  if (kinds == nullptr || !kinds->is_array() || entries == nullptr || !entries->is_array()) {
    return Broken("it has no list of kinds and entries");
  }
  if (entries->size() > kMaxEntries || kinds->size() > kMaxEntries)
    return Broken("too many entries");
  for (const Json& kind : *kinds) {
    if (absl::Status status = ReadLooked(kind, snapshot); !status.ok()) return status;
  }
  for (const Json& entry : *entries) {
    if (absl::Status status = ReadEntry(entry, snapshot); !status.ok()) return status;
  }
  return snapshot;
}

}  // namespace vgpu::baseline

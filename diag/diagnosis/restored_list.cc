#include "diag/diagnosis/restored_list.h"

#include <string>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/loader/preload_list.h"

namespace vgpu::diagnosis {
namespace {

using facts::Facts;
using facts::PreloadEntry;
using facts::PreloadList;

constexpr absl::string_view kName = "LD_PRELOAD";

// A value, and where the unit's texts have it.
struct Restored {
  std::string value;
  std::string source;
  int line = 0;
};

// Of the lines of a drop-in, the last assignment.
std::optional<std::string> ValueIn(absl::string_view text) {
  std::optional<std::string> value;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "Environment=")) continue;
    if (absl::ConsumePrefix(&line, "\"")) absl::ConsumeSuffix(&line, "\"");
    if (absl::ConsumePrefix(&line, kName) && absl::ConsumePrefix(&line, "=")) {
      value = std::string(line);
    }
  }
  return value;
}

// What the unit's own lines give, which something takes away after them.
std::optional<Restored> OfTheUnit(const Facts& facts) {
  const auto set = facts.unit.on_disk.environment.find(std::string(kName));
  if (set == facts.unit.on_disk.environment.end() || !set->second.value.present()) {
    return std::nullopt;
  }
  return Restored{*set->second.value, set->second.place.file, set->second.place.line};
}

// A file that is not read, once it is.
std::optional<Restored> OfFile(const Facts& facts, absl::string_view path) {
  for (const facts::IneffectiveText& text : facts.unit.ineffective) {
    if (text.path != path) continue;
    for (const facts::Wish& wish : text.wishes) {
      if (wish.name == kName) return Restored{wish.value, text.path, wish.line};
    }
  }
  return std::nullopt;
}

// Where the unit's texts say that value; the file that the repair writes, where none does.
Restored Placed(const Facts& facts, std::string value, const std::string& written) {
  for (const systemd::Superseded& superseded : facts.unit.on_disk.superseded) {
    if (superseded.key != kName || superseded.was.value.value_or("") != value) continue;
    return {std::move(value), superseded.was.place.file, superseded.was.place.line};
  }
  for (const facts::IneffectiveText& text : facts.unit.ineffective) {
    for (const facts::Wish& wish : text.wishes) {
      if (wish.name != kName || wish.value != value) continue;
      return {std::move(value), text.path, text.line > 0 ? text.line : wish.line};
    }
  }
  if (const std::optional<Restored> unit = OfTheUnit(facts);
      unit && absl::StartsWith(value, unit->value)) {
    return {std::move(value), unit->source, unit->line};
  }
  return {std::move(value), written, 0};
}

std::optional<Restored> RestoredBy(const Facts& facts, const rules::Action& action) {
  if (const auto* write = std::get_if<rules::WriteFile>(&action)) {
    if (std::optional<std::string> value = ValueIn(write->content)) {
      return Placed(facts, *std::move(value), write->path);
    }
    return absl::StrContains(write->content, "\nUnsetEnvironment=\n") ? OfTheUnit(facts)
                                                                      : std::nullopt;
  }
  if (const auto* assign = std::get_if<rules::AssignVariable>(&action)) {
    if (assign->name == kName) return Placed(facts, assign->value, assign->path);
  }
  if (const auto* move = std::get_if<rules::MoveFile>(&action)) return OfFile(facts, move->from);
  return std::nullopt;
}

// The entry of that text, as a start would find it.
const PreloadEntry* Find(const Facts& facts, absl::string_view text) {
  for (const PreloadEntry& entry : facts.wished_entries) {
    if (entry.text == text) return &entry;
  }
  for (const auto* list : {&facts.disk_preload, &facts.unit_preload}) {
    if (!list->has_value()) continue;
    for (const PreloadEntry& entry : (*list)->entries) {
      if (entry.text == text) return &entry;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<PreloadList> RestoredList(const Facts& facts,
                                        const std::vector<rules::FixStep>& fix) {
  std::optional<Restored> restored;
  for (const rules::FixStep& step : fix) {
    if (std::optional<Restored> by = RestoredBy(facts, step.action)) restored = std::move(by);
  }
  if (!restored) return std::nullopt;
  PreloadList list;
  list.value = restored->value;
  list.source = restored->source;
  list.line = restored->line;
  for (absl::string_view word : loader::SplitPreload(list.value)) {
    if (const PreloadEntry* known = Find(facts, word)) {
      list.entries.push_back(*known);
    } else {
      PreloadEntry entry;
      entry.text = entry.file.path = std::string(word);
      entry.file.found = host::NotObserved{"not looked at"};
      entry.file.elf = host::NotObserved{"not looked at"};
      list.entries.push_back(std::move(entry));
    }
    list.entries.back().line = 0;
  }
  return list;
}

}  // namespace vgpu::diagnosis

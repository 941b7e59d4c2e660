#include "diag/rules/shared/wanted.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/loader/preload_list.h"
#include "diag/rules/shared/common.h"

namespace vgpu::rules {
namespace {

using facts::Facts;

// As CUDA reads it: no device at all, or none from here on.
bool HidesDevices(absl::string_view value) {
  return value.empty() || absl::StartsWith(value, "-1") || value == "none" || value == "void" ||
         value == "NoDevFiles";
}

std::set<facts::Shim> NeededShims(const Facts& facts, absl::string_view value) {
  std::set<facts::Shim> shims;
  for (absl::string_view entry : loader::SplitPreload(value)) {
    std::optional<facts::ShimName> shim = facts::ShimOf(entry);
    if (shim && facts::NeededIn(shim->shim, facts.ollama.era)) shims.insert(shim->shim);
  }
  return shims;
}

std::set<facts::Shim> ShimsOf(const std::vector<const facts::PreloadList*>& lists) {
  std::set<facts::Shim> shims;
  for (const facts::PreloadList* list : lists) {
    for (const facts::PreloadEntry& entry : list->entries) {
      if (entry.shim) shims.insert(*entry.shim);
    }
  }
  return shims;
}

// The lists that the unit on disk gives: what systemd has loaded may be older.
std::set<facts::Shim> ShimsOnDisk(const Facts& facts) {
  std::set<facts::Shim> shims;
  auto preload = facts.unit.disk_environment.find("LD_PRELOAD");
  if (preload != facts.unit.disk_environment.end()) {
    const std::string value = preload->second.value.value_or("");  // outlives the views
    for (absl::string_view entry : loader::SplitPreload(value)) {
      if (std::optional<facts::ShimName> shim = facts::ShimOf(entry)) shims.insert(shim->shim);
    }
  }
  if (facts.unit_preload_file.present()) {
    for (facts::Shim shim : ShimsOf({&facts.unit_preload_file.value()})) shims.insert(shim);
  }
  return shims;
}

}  // namespace

std::vector<std::string> NeededAndNotListed(const Facts& facts, absl::string_view value) {
  const std::set<facts::Shim> have = ShimsOnDisk(facts);
  std::vector<std::string> missing;
  for (absl::string_view entry : loader::SplitPreload(value)) {
    std::optional<facts::ShimName> shim = facts::ShimOf(entry);
    if (shim && facts::NeededIn(shim->shim, facts.ollama.era) && have.count(shim->shim) == 0) {
      missing.emplace_back(entry);
    }
  }
  return missing;
}

bool LosesByIt(const Facts& facts, absl::string_view name, absl::string_view value) {
  const facts::Environment& disk = facts.unit.disk_environment;
  auto set = disk.find(std::string(name));
  if (name == "LD_PRELOAD") {
    // A value that could not be told may hold them.
    if (set != disk.end() && set->second.value.not_observed()) return false;
    return !NeededAndNotListed(facts, value).empty();
  }
  if (absl::StrContains(name, "VISIBLE_DEVICES")) {
    return !HidesDevices(value) && set != disk.end() && set->second.value.present() &&
           HidesDevices(*set->second.value);
  }
  if (absl::StartsWith(name, "Bind")) {
    return absl::StrContains(value, "ld.so.preload") && !facts.unit_preload_file.present() &&
           set == disk.end() && disk.find("LD_PRELOAD") == disk.end();
  }
  if (absl::StartsWith(name, "VGPU_")) return set == disk.end() && !value.empty();
  // Ollama writes LD_LIBRARY_PATH for its children itself: alone it decides only where it
  // leads to a shim.
  const auto leads_to_shim = [](absl::string_view path) { return absl::StrContains(path, "vgpu"); };
  const auto preload = disk.find("LD_PRELOAD");
  return name == "LD_LIBRARY_PATH" && leads_to_shim(value) &&
         (set == disk.end() ||
          (set->second.value.present() && !leads_to_shim(*set->second.value))) &&
         (preload == disk.end() || preload->second.value.value_or("x").empty());
}

host::Observed<bool> ProcessHas(const Facts& facts, absl::string_view name,
                                absl::string_view value) {
  if (!facts.process.present()) return host::NotObserved{"no process was seen"};
  if (name == "LD_PRELOAD") {
    const std::set<facts::Shim> wanted = NeededShims(facts, value);
    if (facts.process->environ.present() && !facts.process_preload_file.not_observed()) {
      const std::set<facts::Shim> have = ShimsOf(facts.PreloadsNow());
      return std::all_of(wanted.begin(), wanted.end(),
                         [&](facts::Shim shim) { return have.count(shim) > 0; });
    }
    return NoShimMapped(facts).Map([](bool none) { return !none; });
  }
  if (!facts.process->environ.present()) {
    return host::NotObserved{
        Because(facts.process->environ.source, facts.process->environ.why_not())};
  }
  auto has = facts.process->environ->Find(name);
  return has && *has == value;
}

void AddEffect(const Facts& facts, absl::string_view name, absl::string_view value, Holds& holds) {
  const host::Observed<bool> has = ProcessHas(facts, name, value);
  holds.acts = facts.process.present() && !has.value_or(false) ? Acts::kNow : Acts::kNextStart;
  holds.confidence = Confidence::kLikely;
  holds.explains = {"VG414", "VG418", "VG704"};
  if (holds.acts == Acts::kNextStart) return;
  if (has.present() && facts.process->environ.present()) {
    auto value_now = facts.process->environ->Find(name);
    holds.evidence.push_back(
        {facts.process->environ.source, 0,
         value_now ? Assignment(name, *value_now) : absl::StrCat("(no ", name, ")"),
         "what the process has"});
  }
  const std::vector<Evidence> no_gpu = NoGpuEvidence(facts);
  for (const Evidence& evidence : NoShimEvidence(facts)) holds.evidence.push_back(evidence);
  for (const Evidence& evidence : no_gpu) holds.evidence.push_back(evidence);
  if (has.present() && !no_gpu.empty()) holds.confidence = Confidence::kCertain;
}

}  // namespace vgpu::rules

// VG211 environment-file-missing: an EnvironmentFile= without "-" is missing, and the unit
// does not start (`Failed to load environment files`, Result=resources; measured, systemd
// 252).

#include "absl/strings/str_cat.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/start_failure.h"

namespace vgpu::rules {
namespace {

bool IsPattern(absl::string_view path) {
  return path.find_first_of("*?[") != absl::string_view::npos;
}

}  // namespace

Judgement EnvironmentFileMissing(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  const facts::UnitFacts& unit = facts.unit;
  const bool failed = !facts.process.present() && unit.result.value_or("") == "resources";
  std::optional<Evidence> said;
  if (!facts.process.present()) {
    said = SystemdSays(facts, "Failed to load environment files", "systemd says so");
  }
  if (unit.missing_environment_files.empty()) {
    if (failed && said) {
      return CannotTell{"which EnvironmentFile= is missing", said->quote,
                        absl::StrCat("systemctl show -p EnvironmentFiles ", unit.name)};
    }
    if (!unit.files.fragment.present()) {
      return CannotTell{absl::StrCat("the files of ", unit.name),
                        std::string(unit.files.fragment.why_not()),
                        absl::StrCat("systemctl cat ", unit.name)};
    }
    return Contradicted{unit.on_disk.environment_files.empty()
                            ? "the unit names no EnvironmentFile="
                            : absl::StrCat(Count(unit.on_disk.environment_files.size(),
                                                 "EnvironmentFile= is there, or need not be",
                                                 "EnvironmentFile= are there, or need not be"))};
  }
  const systemd::EnvironmentFileSetting& file = unit.missing_environment_files.front();
  // The unit started, so the file was there then: a capture lacks it.
  if (facts.process.present() && !facts.complete) {
    return CannotTell{absl::StrCat("the file ", file.path), "not captured",
                      absl::StrCat("sudo cat ", ShellWord(file.path))};
  }
  Holds holds;
  for (const systemd::EnvironmentFileSetting& missing : unit.missing_environment_files) {
    if (holds.evidence.size() >= 8) break;
    holds.evidence.push_back(
        {missing.place.file, missing.place.line, absl::StrCat("EnvironmentFile=", missing.path),
         IsPattern(missing.path)
             ? "no file matches it, and no - before it makes it optional"
             : "the file does not exist, and no - before it makes it optional"});
  }
  if (failed) {
    holds.evidence.push_back({unit.loaded.source, 0, "Result=resources",
                              "the last start failed before it ran anything"});
  }
  if (said) holds.evidence.push_back(*said);
  const bool acts = failed || said.has_value();
  holds.acts = acts ? Acts::kNow : Acts::kNextStart;
  holds.confidence = acts ? Confidence::kCertain : Confidence::kLikely;
  holds.explains = {"VG301", "VG307"};
  holds.headline =
      absl::StrCat(unit.name, " cannot start: ", file.path, ", which ", file.place.file,
                   IsPattern(file.path) ? " names, matches no file." : " names, does not exist.");
  std::vector<std::string> lines = {"EnvironmentFile="};
  for (const systemd::EnvironmentFileSetting& each : unit.on_disk.environment_files) {
    bool missing = each.optional;
    for (const systemd::EnvironmentFileSetting& gone : unit.missing_environment_files) {
      missing = missing || gone.path == each.path;
    }
    lines.push_back(absl::StrCat("EnvironmentFile=", missing ? "-" : "", each.path));
  }
  holds.fix = LastDropInSteps(facts, "VG211", lines,
                              absl::StrCat("the service starts without ", file.path,
                                           "; where it should be there, put it back instead"),
                              "what the file sets is not set");
  holds.expect = {absl::StrCat("`systemctl is-active ", unit.name, "` says active")};
  return holds;
}

}  // namespace vgpu::rules

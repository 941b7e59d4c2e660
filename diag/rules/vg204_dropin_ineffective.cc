// VG204 dropin-ineffective: a drop-in exists and has no effect.
//
// Its name does not end in .conf, its directory belongs to no name of the unit, it is
// masked, empty, or shadowed by a file of the same name; or the assignment stands in no
// section, under a key that systemd does not know, or in a quote that never ends
// (systemd.unit(5); measured, systemd 252). Only what a GPU is found by counts, and only
// where nothing else gives it: a backup beside the drop-in is no fault.

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/rules/rules.h"
#include "diag/rules/shared/common.h"
#include "diag/rules/shared/start_failure.h"
#include "diag/rules/shared/wanted.h"

namespace vgpu::rules {
namespace {

constexpr size_t kMaxNamed = 6;

bool NamedForAGpu(absl::string_view path) {
  const std::string name = absl::AsciiStrToLower(host::Basename(path));
  for (absl::string_view word : {"gpu", "cuda", "nvidia", "shim", "preload"}) {
    if (absl::StrContains(name, word)) return true;
  }
  return false;
}

// Put aside by somebody, on purpose.
bool PutAside(absl::string_view path) {
  const std::string name = absl::AsciiStrToLower(path);
  for (absl::string_view end : {".disabled", ".off", ".old", ".orig", ".save", "~", ".rpmsave",
                                ".dpkg-old", ".dpkg-dist", ".rpmnew", ".example", ".sample"}) {
    if (absl::EndsWith(name, end)) return true;
  }
  return false;
}

// The service has no list of shims at all: what an empty drop-in may have been meant for.
bool HasNoList(const facts::Facts& facts) {
  return facts.unit.disk_environment.count("LD_PRELOAD") == 0 && !facts.unit_preload_file.present();
}

std::string DropInDir(const facts::Facts& facts) {
  return absl::StrCat("/etc/systemd/system/", facts.unit.name, ".d");
}

// What discovery loses by the text: it wants this, and the process lacks it.
bool IsLost(const facts::Facts& facts, const facts::Wish& wish) {
  if (!LosesByIt(facts, wish.name, wish.value)) return false;
  // Nothing of the shims is there that a list could load: NVIDIA's own driver has the machine.
  if (wish.name == "LD_PRELOAD" && facts.devices.IsPhysical()) return false;
  // Without it the process finds its GPU, so it is not wanted.
  return ProcessHas(facts, wish.name, wish.value).value_or(false) ||
         !facts.FoundGpu().value_or(false);
}

// The lines that give what the file was meant to give: this text, or, where it is one line of a
// file that is read, all those of it that have no effect. A bind belongs into the file itself.
std::vector<std::string> LostLines(const facts::Facts& facts, const facts::IneffectiveText& text) {
  std::vector<std::string> lines;
  for (const facts::IneffectiveText& other : facts.unit.ineffective) {
    if (other.path != text.path || other.whole_file != text.whole_file) continue;
    for (const facts::Wish& wish : other.wishes) {
      if (!IsLost(facts, wish)) continue;
      if (absl::StartsWith(wish.name, "Bind")) return {};
      std::string line = absl::StrCat("Environment=\"", wish.name, "=", wish.value, "\"");
      if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
    }
  }
  return lines;
}

// The drop-in of another instance of the same template: that one may be meant to have it.
bool OfSibling(const facts::Facts& facts, const facts::IneffectiveText& text) {
  const std::vector<std::string> parts = absl::StrSplit(facts.unit.name, absl::MaxSplits('@', 1));
  return parts.size() == 2 && absl::StartsWith(host::Basename(host::Dirname(text.path)),
                                               absl::StrCat(parts.front(), "@"));
}

std::vector<FixStep> Repair(const facts::Facts& facts, const facts::IneffectiveText& text) {
  std::vector<FixStep> steps;
  const std::vector<std::string> lines = LostLines(facts, text);
  if (!lines.empty() && (!text.whole_file || absl::StrContains(text.why, "masked") ||
                         absl::StrContains(text.why, "shadowed") || OfSibling(facts, text))) {
    return LastDropInSteps(
        facts, "VG204", lines,
        absl::StrCat("a drop-in that systemd reads gives what ", text.path, " was meant to give"),
        "");
  }
  if (text.whole_file && !text.empty) {
    const std::string dir = DropInDir(facts);
    std::string name(host::Basename(text.path));
    for (absl::string_view end : {".bak", ".conf", ".CONF", ".txt", ".disabled"}) {
      if (absl::EndsWith(name, end)) name.resize(name.size() - end.size());
      if (absl::EndsWith(name, ".conf")) name.resize(name.size() - 5);
    }
    const std::string target = absl::StrCat(dir, "/", name, ".conf");
    steps.push_back({absl::StrCat("sudo mkdir -p ", ShellWord(dir), " && sudo mv -n ",
                                  ShellWord(text.path), " ", ShellWord(target)),
                     "systemd reads files named *.conf in this directory, and no others", "",
                     absl::StrCat("sudo mv -n ", ShellWord(target), " ", ShellWord(text.path)),
                     MoveFile{text.path, target}});
  } else {
    steps.push_back({absl::StrCat("sudoedit ", ShellWord(text.path)),
                     "write its assignments there, below a line [Service]", "", ""});
  }
  steps.push_back(ReloadStep("systemd reads the drop-in"));
  steps.push_back(RestartStep(facts, "only a new process gets what the unit says now"));
  return steps;
}

}  // namespace

Judgement DropinIneffective(const facts::Facts& facts) {
  if (auto none = WithoutUnit(facts)) return *none;
  const facts::IneffectiveText* first = nullptr;
  const facts::Wish* lost = nullptr;
  Holds holds;
  for (const facts::IneffectiveText& text : facts.unit.ineffective) {
    for (const facts::Wish& wish : text.wishes) {
      if (!IsLost(facts, wish)) continue;
      if (first == nullptr) {
        first = &text;
        lost = &wish;
      }
      if (holds.evidence.size() >= kMaxNamed) continue;
      holds.evidence.push_back(
          {text.path, text.line > 0 ? text.line : wish.line,
           text.line > 0 && !text.quote.empty() ? text.quote : Assignment(wish.name, wish.value),
           absl::StrCat("has no effect: ", text.why)});
    }
  }
  bool guessed = false;
  if (first == nullptr && HasNoList(facts) && !NoGpuEvidence(facts).empty()) {
    for (const facts::IneffectiveText& text : facts.unit.ineffective) {
      if (!text.empty || !NamedForAGpu(text.path)) continue;
      first = &text;
      guessed = true;
      holds.evidence.push_back({text.path, 0, "", text.why});
      break;
    }
  }
  if (first == nullptr) {
    if (!facts.unit.files.unseen.empty()) {
      return CannotTell{
          "every file that may be a drop-in of the unit",
          Because(facts.unit.files.unseen.front().path, facts.unit.files.unseen.front().why),
          absl::StrCat("systemctl cat ", facts.unit.name)};
    }
    if (facts.unit.files.fragment.not_observed() && facts.unit.files.drop_ins.empty()) {
      return CannotTell{absl::StrCat("the files of ", facts.unit.name),
                        std::string(facts.unit.files.fragment.why_not()),
                        absl::StrCat("systemctl cat ", facts.unit.name)};
    }
    return Contradicted{absl::StrCat("no file beside the ",
                                     Count(facts.unit.files.InOrder().size(), "file", "files"),
                                     " of ", facts.unit.name, " holds a setting that it lacks")};
  }
  if (auto said = SystemdSays(facts, host::Basename(first->path), "systemd says so")) {
    holds.evidence.push_back(*std::move(said));
  }
  if (guessed) {
    holds.acts = Acts::kNow;
    holds.confidence = Confidence::kPossible;
    holds.explains = {"VG414", "VG418", "VG704"};
    for (const Evidence& evidence : NoGpuEvidence(facts)) holds.evidence.push_back(evidence);
  } else {
    AddEffect(facts, lost->name, lost->value, holds);
    // Somebody put it aside: that the GPU is missing since is likely, and not seen. Without a
    // virtual device something else may have been meant to give one.
    if (PutAside(first->path)) {
      const bool missed = !NoGpuEvidence(facts).empty();
      holds.confidence =
          facts.devices.IsVirtual() && missed ? Confidence::kLikely : Confidence::kPossible;
      if (!missed) holds.acts = Acts::kNextStart;
    }
  }
  holds.headline =
      absl::StrCat(first->path, " has no effect on ", facts.unit.name, " (", first->why, ")",
                   guessed ? "." : absl::StrCat(", so the service lacks ", lost->name, "."));
  holds.fix = Repair(facts, *first);
  holds.expect = {guessed ? absl::StrCat("`systemctl cat ", facts.unit.name, "` shows its settings")
                          : absl::StrCat("`systemctl show -p Environment ", facts.unit.name,
                                         "` has ", lost->name),
                  ExpectGpuLine(facts)};
  return holds;
}

}  // namespace vgpu::rules

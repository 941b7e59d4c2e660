#include "tools/vgpu_doctor/repair/apply.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace vgpu::doctor {
namespace {

constexpr absl::Duration kBetweenLooks = absl::Seconds(1);

bool Lists(const std::vector<report::Item>& items, const std::string& code) {
  return std::any_of(items.begin(), items.end(),
                     [&](const report::Item& item) { return item.code == code; });
}

bool Stands(const Repair& repair, const report::Report& report) {
  return Lists(report.root_causes, repair.item.code) ||
         (repair.latent && Lists(report.latent, repair.item.code));
}

// One repair, under way.
struct Begun {
  const Repair* repair = nullptr;
  FileChanges files;
  std::vector<const rules::Manage*> managed = {};  // requests that were made
  bool kept = true;
};

class Work {
 public:
  Work(const Plan& plan, const Seen& before, World& world)
      : plan_(plan), before_(before), world_(world) {}

  Outcome Run(const std::string& stamp);

 private:
  // What all repairs together need of the service manager.
  void Collect();
  absl::Status ChangeFiles(const std::string& stamp);
  absl::Status AskManager();
  // True: nobody needs to agree, or somebody did.
  bool MayRestart();
  void Restart();
  // Looks until discovery has ended. Nothing where a person interrupted.
  std::optional<Seen> LookAfterStart();
  // Takes one repair back; what could not be is returned.
  std::string TakeBack(Begun& begun);
  Outcome AllTakenBack(const std::string& because);
  Outcome Ended(End end, const std::string& because);
  Result ResultOf(const Begun& begun, End end, std::string because) const;
  absl::Status Systemctl(const std::vector<std::string>& arguments);

  const Plan& plan_;
  const Seen& before_;
  World& world_;
  std::vector<Begun> begun_;
  bool reload_ = false;
  bool reloaded_ = false;
  std::string restart_;  // the unit; empty: no restart
  bool only_start_ = false;
};

absl::Status Work::Systemctl(const std::vector<std::string>& arguments) {
  world_.say(absl::StrCat("systemctl ", absl::StrJoin(arguments, " ")));
  return world_.systemctl(arguments);
}

void Work::Collect() {
  for (size_t i = 0; i < plan_.automatic; ++i) {
    for (const rules::Action& action : plan_.repairs[i].actions) {
      if (std::holds_alternative<rules::Reload>(action)) reload_ = true;
      if (const auto* restart = std::get_if<rules::Restart>(&action)) {
        only_start_ = restart->only_start && (restart_.empty() || only_start_);
        restart_ = restart->unit;
      }
    }
  }
}

absl::Status Work::ChangeFiles(const std::string& stamp) {
  for (size_t i = 0; i < plan_.automatic; ++i) {
    const Repair& repair = plan_.repairs[i];
    // Two repairs may change one file, each with its own backup.
    begun_.push_back({&repair, FileChanges(i == 0 ? stamp : absl::StrCat(stamp, "-", i + 1))});
    for (const rules::Action& action : repair.actions) {
      if (!FileChanges::IsAboutFile(action)) continue;
      const size_t known = begun_.back().files.changes().size();
      if (absl::Status status = begun_.back().files.Do(action); !status.ok()) return status;
      const std::vector<Change>& changes = begun_.back().files.changes();
      for (size_t k = known; k < changes.size(); ++k) world_.say(changes[k].what);
    }
  }
  return absl::OkStatus();
}

absl::Status Work::AskManager() {
  for (Begun& begun : begun_) {
    for (const rules::Action& action : begun.repair->actions) {
      const auto* manage = std::get_if<rules::Manage>(&action);
      if (manage == nullptr) continue;
      if (absl::Status status = Systemctl(manage->arguments); !status.ok()) return status;
      begun.managed.push_back(manage);
    }
  }
  if (!reload_) return absl::OkStatus();
  reloaded_ = true;
  return Systemctl({"daemon-reload"});
}

bool Work::MayRestart() {
  if (only_start_ && !before_.runs) return true;
  return world_.may_restart(restart_);
}

void Work::Restart() {
  // A unit that failed too often in a row is not started again before this (systemd.unit(5),
  // StartLimitIntervalSec=). Of one that has not, it changes nothing that a restart keeps.
  (void)world_.systemctl({"reset-failed", "--", restart_});
  const char* verb = only_start_ ? "start" : "restart";
  if (absl::Status status = Systemctl({verb, "--", restart_}); !status.ok()) {
    world_.say(std::string(status.message()));  // whether it runs is looked at next
  }
}

std::optional<Seen> Work::LookAfterStart() {
  world_.say("looking for the end of discovery");
  const absl::Time end = world_.now() + kDiscoveryTime;
  while (true) {
    if (!world_.wait(kBetweenLooks)) return std::nullopt;
    std::optional<Seen> seen = world_.look();
    if (!seen || seen->discovery_ended || seen->has_failed || world_.now() >= end) return seen;
  }
}

std::string Work::TakeBack(Begun& begun) {
  begun.kept = false;
  std::vector<std::string> failed;
  if (absl::Status status = begun.files.RollBack(); !status.ok()) {
    failed.emplace_back(status.message());
  }
  for (auto it = begun.managed.rbegin(); it != begun.managed.rend(); ++it) {
    if (absl::Status status = Systemctl((*it)->undo); !status.ok()) {
      failed.emplace_back(status.message());
    }
  }
  begun.managed.clear();
  return absl::StrJoin(failed, "; ");
}

Result Work::ResultOf(const Begun& begun, End end, std::string because) const {
  return {begun.repair->item.code, end, std::move(because), begun.files.changes()};
}

Outcome Work::Ended(End end, const std::string& because) {
  Outcome outcome;
  for (const Begun& begun : begun_) outcome.results.push_back(ResultOf(begun, end, because));
  return outcome;
}

Outcome Work::AllTakenBack(const std::string& because) {
  std::string why = because;
  for (auto it = begun_.rbegin(); it != begun_.rend(); ++it) {
    if (const std::string failed = TakeBack(*it); !failed.empty()) {
      absl::StrAppend(&why, "; ", failed);
    }
  }
  if (reloaded_) {
    if (absl::Status status = Systemctl({"daemon-reload"}); !status.ok()) {
      absl::StrAppend(&why, "; ", status.message());
    }
  }
  return Ended(End::kFailed, why);
}

Outcome Work::Run(const std::string& stamp) {
  Collect();
  if (absl::Status status = ChangeFiles(stamp); !status.ok()) {
    return AllTakenBack(std::string(status.message()));
  }
  if (absl::Status status = AskManager(); !status.ok()) {
    return AllTakenBack(std::string(status.message()));
  }
  const bool restarts = !restart_.empty();
  if (restarts && !MayRestart()) {
    return Ended(End::kWaits, absl::StrCat("`sudo systemctl restart ", restart_,
                                           "` is left to do: nobody agreed to it"));
  }
  if (restarts) Restart();
  std::optional<Seen> seen = restarts ? LookAfterStart() : world_.look();
  if (!seen) return Ended(End::kNotChecked, "whether it helped was not seen");

  const bool worse = restarts && before_.runs && !seen->runs;
  // What no discovery has shown yet is not gone.
  const bool early = restarts && seen->runs && !seen->discovery_ended;
  Outcome outcome;
  bool taken_back = false;
  for (auto it = begun_.rbegin(); it != begun_.rend(); ++it) {
    const bool stands = Stands(*it->repair, seen->report);
    End end = End::kRepaired;
    std::string because;
    if (early && !stands) {
      end = End::kNotChecked;
      because =
          absl::StrCat("discovery had not ended after ", absl::FormatDuration(kDiscoveryTime));
    }
    if (stands || worse) {
      end = End::kTakenBack;
      because = stands ? "the cause still stands" : "the service ran before, and does not now";
      taken_back = true;
      if (const std::string failed = TakeBack(*it); !failed.empty()) {
        absl::StrAppend(&because, "; ", failed);
      }
    }
    outcome.results.insert(outcome.results.begin(), ResultOf(*it, end, because));
  }
  if (taken_back) {
    world_.say("taken back");
    if (reload_) (void)Systemctl({"daemon-reload"});
    if (restarts && !only_start_) {
      Restart();
      seen = LookAfterStart();
    }
  }
  if (seen) outcome.after = std::move(seen->report);
  return outcome;
}

}  // namespace

const char* Name(End end) {
  switch (end) {
    case End::kRepaired:
      return "repaired";
    case End::kTakenBack:
      return "taken-back";
    case End::kFailed:
      return "failed";
    case End::kWaits:
      return "waits-for-restart";
    case End::kNotChecked:
      break;
  }
  return "not-checked";
}

Outcome Apply(const Plan& plan, const Seen& before, const std::string& stamp, World& world) {
  return Work(plan, before, world).Run(stamp);
}

}  // namespace vgpu::doctor

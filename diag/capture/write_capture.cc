#include "diag/capture/write_capture.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "diag/archive/tar.h"
#include "diag/elf/elf.h"
#include "diag/facts/shared_object_names.h"
#include "diag/host/capture_layout.h"
#include "diag/host/journal_time.h"
#include "diag/host/memory_files.h"
#include "diag/host/tree_host.h"
#include "nlohmann/json.hpp"

namespace vgpu::capture {
namespace {

using archive::TarMember;
using host::FileMeta;
using host::FileType;
using host::Observed;
using nlohmann::json;

std::string Dump(const json& value, int indent = -1) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

// JSON is UTF-8, and a name need not be: one that is none cannot be told in files.jsonl.
bool IsUtf8(const std::string& text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::ignore) ==
         json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string TimeText(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime(absl::RFC3339_full, time, zone);
}

void AddMeta(const FileMeta& meta, json& entry) {
  entry["type"] = std::string(host::FileTypeName(meta.type));
  if (meta.mode.present()) entry["mode"] = absl::StrFormat("%04o", *meta.mode);
  if (meta.uid.present()) entry["uid"] = *meta.uid;
  if (meta.gid.present()) entry["gid"] = *meta.gid;
  if (meta.size.present()) entry["size"] = *meta.size;
  if (meta.mtime.present()) entry["mtime"] = TimeText(*meta.mtime, absl::UTCTimeZone());
  if (meta.ctime.present()) entry["ctime"] = TimeText(*meta.ctime, absl::UTCTimeZone());
  if (meta.id.present()) {
    entry["dev"] = meta.id->dev;
    entry["ino"] = meta.id->ino;
  }
  if (meta.caps.present()) entry["caps"] = *meta.caps;
  if (meta.caps.absent()) entry["caps"] = nullptr;
  if (meta.sha256.present()) entry["sha256"] = *meta.sha256;
}

class Writer {
 public:
  Writer(const host::Host& host, const Record& record, const Redactor* redactor,
         const CaptureOptions& options)
      : host_(host), record_(record), options_(options) {
    if (redactor != nullptr) redactor_ = *redactor;
  }

  absl::StatusOr<CaptureSummary> WriteTo(archive::ByteSink& sink) {
    for (const auto& [path, looks] : record_.paths) {
      if (redactor_ && looks.content && looks.content->present() &&
          host::Basename(path) == "ld.so.preload") {
        redactor_->LearnPreloadFile((*looks.content)->bytes);
      }
    }
    for (const auto& [path, looks] : record_.paths) AddPath(path, looks);
    for (const auto& [file, output] : record_.outputs) AddOutput(file, output);
    AddFile(host::kFilesList, std::move(list_));
    AddFile(host::kManifest, Manifest(""));
    if (redactor_ && options_.seals) {
      if (std::string seals = Seals(); !seals.empty()) members_.back().content = Manifest(seals);
    }
    CaptureSummary summary;
    summary.looks = record_.paths.size() + record_.outputs.size();
    summary.absent = absent_;
    for (const json& each : not_observed_)
      ++summary.not_observed[each["reason"].get<std::string>()];
    archive::TarWriter tar(sink);
    // What is in it comes first: a person who lists the archive sees it.
    for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
      summary.bytes += member->content.size();
      if (absl::Status status = tar.Add(*member); !status.ok()) return status;
    }
    if (absl::Status status = tar.Finish(); !status.ok()) return status;
    return summary;
  }

 private:
  void NotObserved(absl::string_view path, absl::string_view why) {
    not_observed_.push_back({{"path", SafePath(path)}, {"reason", SafePath(why)}});
  }

  std::string SafePath(absl::string_view path) const {
    return redactor_ ? redactor_->Path(path) : std::string(path);
  }

  void AddMember(TarMember member) {
    // Of two paths that became one, the first.
    if (names_.insert(member.path).second) members_.push_back(std::move(member));
  }

  void AddFile(absl::string_view path, std::string content, absl::Time mtime = absl::UnixEpoch()) {
    AddMember({.path = absl::StrCat(options_.directory, SafePath(path)),
               .content = std::move(content),
               .mode = 0600,
               .mtime = mtime});
  }

  void AddRedacted(const std::string& path, const std::string& content, absl::Time mtime,
                   json& entry) {
    std::string safe = redactor_ ? redactor_->File(path, content) : content;
    // With all else that stands in the file, its checksum would be enough to guess the secret.
    if (safe != content) entry.erase("sha256");
    AddFile(path, std::move(safe), mtime);
  }

  // Whether something was looked at below what is a link: the root of a process that has
  // another one than the host. The capture has a folder there.
  bool HasLooksBelow(const std::string& path) const {
    const std::string below = absl::StrCat(path, "/");
    const auto next = record_.paths.lower_bound(below);
    return next != record_.paths.end() && absl::StartsWith(next->first, below);
  }

  void AddPath(const std::string& path, const Looks& looks) {
    if (!IsUtf8(path)) {
      ++unnamed_;
      return;
    }
    if (!looks.meta || looks.meta->absent()) {
      if (!looks.meta) return;
      ++absent_;
      AddEntry({{"path", SafePath(path)}, {"type", "absent"}});
      return;
    }
    if (looks.meta->not_observed()) {
      NotObserved(path, looks.meta->why_not());
      return;
    }
    const FileMeta& meta = **looks.meta;
    json entry = {{"path", SafePath(path)}};
    AddMeta(meta, entry);
    if (meta.type == FileType::kSymlink && HasLooksBelow(path)) {
      entry["type"] = "dir";
    } else if (looks.target) {
      if (looks.target->present()) {
        entry["target"] = SafePath(**looks.target);
        AddMember({.type = TarMember::Type::kSymlink,
                   .path = absl::StrCat(options_.directory, SafePath(path)),
                   .target = SafePath(**looks.target),
                   .mode = 0777,
                   .mtime = meta.mtime.value_or(absl::UnixEpoch())});
      } else {
        NotObserved(path, Why(*looks.target));
      }
    }
    if (looks.names) {
      if (looks.names->present()) {
        json& names = entry["names"] = json::array();
        for (const std::string& name : **looks.names) names.push_back(SafePath(name));
      } else {
        NotObserved(path, Why(*looks.names));
      }
    }
    AddContent(path, looks, meta, entry);
    AddEntry(entry);
  }

  void AddContent(const std::string& path, const Looks& looks, const FileMeta& meta, json& entry) {
    const absl::Time mtime = meta.mtime.value_or(absl::UnixEpoch());
    json elf;
    if (!looks.elf.empty()) {
      elf = json::parse(looks.elf, nullptr, /*allow_exceptions=*/false);
    }
    if (looks.log != nullptr && !looks.log->is_elf) {
      AddRedacted(path, looks.log->Text(), mtime, entry);
      RemarkOn(path, *looks.log);
    } else if (!looks.left_out.empty()) {
      NotObserved(path, looks.left_out);
    } else if (looks.content && looks.content->present()) {
      const host::Content& content = **looks.content;
      if (elf::LooksLikeElf(content.bytes)) {
        // Programs and libraries: what is judged by is in their facts.
        if (elf.is_object()) {
          elf[facts::kNamedObjectsKey] = facts::SharedObjectNames(content.bytes);
        }
      } else {
        AddRedacted(path, content.bytes, mtime, entry);
        if (content.truncated) first_part_.push_back(SafePath(path));
      }
    } else if (looks.tail) {
      AddTail(path, *looks.tail, mtime, entry);
    } else if (looks.content) {
      NotObserved(path, Why(*looks.content));
    } else if (!looks.why_not_opened.empty()) {
      NotObserved(path, looks.why_not_opened);
    }
    if (looks.log != nullptr && !looks.log->sha256.empty()) entry["sha256"] = looks.log->sha256;
    if (elf.is_object()) entry["elf"] = std::move(elf);
  }

  // The end of a file: from its first whole line on, of half a secret is not recognised.
  void AddTail(const std::string& path, const FileTail& tail, absl::Time mtime, json& entry) {
    const size_t newline = tail.offset == 0 ? std::string::npos : tail.bytes.find('\n');
    const size_t begin = newline == std::string::npos ? 0 : newline + 1;
    if (tail.offset > 0 && begin == 0) return NotObserved(path, "its end has no whole line");
    AddRedacted(path, tail.bytes.substr(begin), mtime, entry);
    if (tail.offset > 0) {
      remarks_.push_back(absl::StrCat(SafePath(path), ": only the newest part was captured; ",
                                      tail.offset + begin, " bytes before it were left out"));
    }
  }

  void AddOutput(const std::string& file, const Output& output) {
    if (output.log == nullptr) {
      if (!output.content.present()) {
        NotObserved(file, Why(output.content));
        return;
      }
      AddFile(file, RedactedOutput(file, output.content->bytes));
      if (output.content->truncated) {
        remarks_.push_back(absl::StrCat(file.substr(1), ": only its first ",
                                        output.content->bytes.size(), " bytes were captured"));
      }
      return;
    }
    const bool longer = output.judged != nullptr && output.log->ended;
    const LogTail& log = output.judged != nullptr && !longer ? *output.judged : *output.log;
    std::string text = log.Text();
    if (text.empty()) {
      if (std::string why = WhyEmpty(file, log); !why.empty()) {
        NotObserved(file, why);
        return;
      }
    }
    AddFile(file, RedactedOutput(file, text));
    RemarkOn(file, log);
    if (longer) {
      const absl::Time from = host::EntryTime(output.judged->First())
                                  .value_or(host_.observed_at().value_or(absl::InfinitePast()));
      if (from != absl::InfinitePast()) {
        journal_from_[file.substr(sizeof(host::kCaptureDir))] = TimeText(from, absl::UTCTimeZone());
      }
    } else if (output.judged != nullptr) {
      remarks_.push_back(
          absl::StrCat(file.substr(1), ": what is older was not captured: ", output.log->error));
    }
  }

  // Why a journal without an entry says nothing; empty where it does.
  std::string WhyEmpty(const std::string& file, const LogTail& log) const {
    if (!log.error.empty()) return log.error;
    // journalctl ends well and prints nothing to a user who may not read the system's journal.
    if (host_.kind() != host::Host::Kind::kLive) return "";
    if (absl::EndsWith(file, "/kernel.jsonl")) {
      return "journalctl shows no entry of the kernel to this user";
    }
    const uint32_t user = host_.observer_uid().value_or(0);
    if (user == 0) return "";
    return absl::StrCat("journalctl shows no entry to user ", user,
                        ", who may not see the system's journal (root and members of "
                        "systemd-journal or adm do)");
  }

  void RemarkOn(const std::string& file, const LogTail& log) {
    const std::string name = absl::StartsWith(file, host::kCaptureDir) ? file.substr(1) : file;
    if (log.dropped() > 0) {
      remarks_.push_back(absl::StrCat(name, ": only the newest part was captured; of ",
                                      log.dropped(), " bytes before it, what tells of discovery"));
    }
    if (!log.error.empty()) {
      remarks_.push_back(absl::StrCat(name, ": was not read to its end: ", log.error));
    }
  }

  template <typename T>
  static std::string Why(const Observed<T>& answer) {
    return answer.absent() ? kWentAway : std::string(answer.why_not());
  }

  std::string RedactedOutput(const std::string& file, const std::string& text) const {
    return !redactor_ ? text : redactor_->Output(file, text);
  }

  void AddEntry(const json& entry) { absl::StrAppend(&list_, Dump(entry), "\n"); }

  // Of the host that the members are.
  std::string Seals() const {
    auto files = std::make_unique<host::MemoryFiles>();
    for (const TarMember& member : members_) {
      absl::string_view path = member.path;
      absl::ConsumePrefix(&path, options_.directory);
      const absl::Status added =
          member.type == TarMember::Type::kSymlink
              ? files->AddLink(path, member.target)
              : files->AddFile(path, std::make_shared<const std::string>(member.content));
      if (!added.ok()) return "";
    }
    const auto captured = host::TreeHost::Over(std::move(files));
    return captured.ok() ? options_.seals(**captured) : "";
  }

  std::string Manifest(absl::string_view seals) {
    json manifest = {{"schema", host::kCaptureSchema}, {"tool_version", options_.tool_version},
                     {"only_looked_at", true},         {"complete", host_.complete()},
                     {"running", host_.running()},     {"redacted", redactor_.has_value()}};
    if (auto time = host_.observed_at(); time.present()) {
      manifest["captured_at"] = TimeText(*time, host_.time_zone());
    }
    if (auto name = host_.hostname(); name.present()) manifest["hostname"] = *name;
    if (auto uid = host_.observer_uid(); uid.present()) manifest["observer_uid"] = *uid;
    if (!options_.unit.empty()) manifest["unit"] = options_.unit;
    if (!journal_from_.empty()) manifest["journal_from"] = journal_from_;
    if (!seals.empty()) {
      manifest["seals"] = json::parse(seals.begin(), seals.end(), nullptr, false);
    }
    std::vector<std::string> remarks = host_.remarks();
    remarks.insert(remarks.end(), remarks_.begin(), remarks_.end());
    if (unnamed_ > 0) {
      remarks.push_back(absl::StrCat(unnamed_, " paths were left out: their names are no UTF-8"));
    }
    if (!remarks.empty()) manifest["remarks"] = remarks;
    if (!first_part_.empty()) manifest["first_part"] = first_part_;
    if (!not_observed_.empty()) manifest["not_observed"] = not_observed_;
    return Dump(manifest, 1) + "\n";
  }

  const host::Host& host_;
  const Record& record_;
  std::optional<Redactor> redactor_;
  const CaptureOptions& options_;
  std::vector<TarMember> members_;
  std::set<std::string> names_;  // of members_
  std::string list_;             // files.jsonl
  size_t absent_ = 0;
  std::vector<json> not_observed_;
  std::map<std::string, std::string> journal_from_;
  std::vector<std::string> first_part_;
  std::vector<std::string> remarks_;
  size_t unnamed_ = 0;
};

}  // namespace

absl::StatusOr<CaptureSummary> WriteCapture(const host::Host& host, const Record& record,
                                            const Redactor* redactor, const CaptureOptions& options,
                                            archive::ByteSink& sink) {
  return Writer(host, record, redactor, options).WriteTo(sink);
}

}  // namespace vgpu::capture

#include "diag/systemd/unit_search.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/systemd/specifiers.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

using ::vgpu::host::Absent;
using ::vgpu::host::Basename;
using ::vgpu::host::Content;
using ::vgpu::host::FileType;
using ::vgpu::host::Host;
using ::vgpu::host::NotObserved;
using ::vgpu::host::Observed;
using ::vgpu::host::Resolved;

constexpr absl::string_view kDefaultUnitPath[] = {
    "/etc/systemd/system.control",   "/run/systemd/system.control",  "/run/systemd/transient",
    "/run/systemd/generator.early",  "/etc/systemd/system",          "/etc/systemd/system.attached",
    "/run/systemd/system",           "/run/systemd/system.attached", "/run/systemd/generator",
    "/usr/local/lib/systemd/system", "/lib/systemd/system",          "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
};

// Where units are put by mistake.
struct WrongDir {
  absl::string_view path;
  absl::string_view why;
};
constexpr WrongDir kWrongDirs[] = {
    {"/etc/systemd", "not in systemd's unit path; meant for /etc/systemd/system?"},
    {"/etc/systemd/user", "read for user units only"},
};

constexpr int kMaxAliases = 8;  // unit-file.c, FOLLOW_MAX
constexpr size_t kMaxDropIns = 4096;

bool IsBelow(absl::string_view path, absl::string_view dir) {
  return path.size() > dir.size() && absl::StartsWith(path, dir) && path[dir.size()] == '/';
}

std::string WithInstance(absl::string_view name, absl::string_view instance) {
  const UnitName parsed = ParseUnitName(name);
  return absl::StrCat(parsed.prefix, "@", instance, ".", parsed.type);
}

// No key and no name of a section has control characters, and no unit's file a NUL: it was
// damaged, on the host or on its way here. In values systemd takes them (env_value_is_valid()
// of env-util.c, systemd 252), and comments may hold anything.
bool HoldsNoText(absl::string_view bytes) {
  if (absl::StrContains(bytes, absl::string_view("\0", 1))) return true;
  bool continued = false;
  for (absl::string_view line : absl::StrSplit(bytes, '\n')) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    const bool is_comment = absl::StartsWith(text, "#") || absl::StartsWith(text, ";");
    const absl::string_view key = text.substr(0, text.find('='));
    if (!is_comment && !continued && std::any_of(key.begin(), key.end(), [](char c) {
          return absl::ascii_iscntrl(c) && !absl::ascii_isspace(c);
        })) {
      return true;
    }
    // A comment within a continued line does not end it.
    if (!is_comment) continued = absl::EndsWith(line, "\\");
  }
  return false;
}

class Search {
 public:
  Search(const Host& host, absl::string_view unit, absl::Span<const std::string> unit_path,
         UnitFiles* out)
      : host_(host), unit_(unit), name_(ParseUnitName(unit)), out_(out) {
    for (const std::string& dir : unit_path) path_.push_back(SimplifyPath(dir));
    if (!unit_path.empty()) return;
    for (absl::string_view dir : DefaultUnitPath()) path_.emplace_back(dir);
  }

  void Run() {
    if (!name_.valid) {
      out_->fragment = NotObserved{absl::StrCat(unit_, ": not a unit name")};
      return;
    }
    ListUnitPath();
    FindFragment();
    FindNames();
    FindDropIns();
    FindLookAlikes();
  }

 private:
  // A name in the unit path that is a unit's. `alias` is the name it links to within
  // the path; empty for a file, and for a link that leads elsewhere.
  struct Entry {
    std::string path;
    std::string alias;
    std::string target;  // of the link, verbatim
  };
  struct Dir {
    std::string path;
    std::vector<std::string> names;
  };

  void Unseen(absl::string_view path, absl::string_view why) {
    if (absl::ConsumePrefix(&why, path)) absl::ConsumePrefix(&why, ": ");
    out_->unseen.push_back({std::string(path), std::string(why)});
  }
  void Skip(absl::string_view path, std::string why) {
    out_->skipped.push_back({std::string(path), std::move(why)});
  }

  // Reads the directories of the unit path, first wins.
  void ListUnitPath() {
    std::set<std::string> seen;
    for (const std::string& path : path_) {
      within_path_.insert(path);
      const Observed<Resolved> resolved = host_.Resolve(path);
      if (resolved.absent()) continue;
      const Observed<std::vector<std::string>> names =
          resolved.present() ? host_.List(path) : NotObserved{std::string(resolved.why_not())};
      if (names.not_observed()) {
        // What is below /run does not outlive the system that ran.
        const bool moot = !host_.running() && IsBelow(path, "/run");
        if (!moot) Unseen(path, names.why_not());
        blind_ |= !moot;
      }
      if (!names.present() || !seen.insert(resolved->path).second) continue;
      within_path_.insert(resolved->path);
      dirs_.push_back({path, *names});
    }
    for (const Dir& dir : dirs_) {
      for (const std::string& name : dir.names) AddEntry(dir.path, name);
    }
  }

  void AddEntry(const std::string& dir, const std::string& name) {
    const UnitName parsed = ParseUnitName(name);
    if (!parsed.valid || parsed.type != name_.type || entries_.count(name) > 0) return;
    Entry entry{.path = host::JoinPath(dir, name), .alias = "", .target = ""};
    const Observed<Resolved> self = host_.ResolveNoFollow(entry.path);
    if (!self.present()) {
      if (self.not_observed() && name == unit_) Unseen(entry.path, self.why_not()), blind_ = true;
      return;
    }
    if (self->meta.type == FileType::kSymlink) {
      const Observed<std::string> target = host_.ReadLink(entry.path);
      if (!target.present()) return;
      entry.target = *target;
      const std::string absolute = (*target)[0] == '/' ? *target : host::JoinPath(dir, *target);
      // The link's own parents are followed, what it points to is not.
      const Observed<Resolved> leads = host_.ResolveNoFollow(absolute);
      const std::string simple = leads.present() ? leads->path : SimplifyPath(absolute);
      for (const std::string& within : within_path_) {
        if (IsBelow(simple, within)) entry.alias = std::string(Basename(simple));
      }
      if (!entry.alias.empty() && ParseUnitName(entry.alias).type != name_.type) return;
    } else if (self->meta.type != FileType::kFile) {
      return;
    }
    entries_.emplace(name, std::move(entry));
  }

  // The name at the end of the aliases from `name`; nothing where there is no file.
  std::optional<std::string> Follow(std::string name,
                                    std::vector<std::pair<std::string, std::string>>* links) const {
    for (int hops = 0; hops <= kMaxAliases; ++hops) {
      const auto it = entries_.find(name);
      if (it == entries_.end()) return std::nullopt;
      if (it->second.alias.empty() || it->second.alias == name) {
        // A link to a file of its own name within the path stands for that file.
        return it->second.alias.empty() ? std::optional<std::string>(name) : std::nullopt;
      }
      if (links != nullptr) links->emplace_back(it->second.path, it->second.target);
      name = it->second.alias;
    }
    return std::nullopt;
  }

  void FindFragment() {
    Fragment fragment;
    std::optional<std::string> found = Follow(unit_, &fragment.links);
    if (!found.has_value() && name_.is_instance) {
      fragment.links.clear();
      found = Follow(WithInstance(unit_, ""), &fragment.links);
    }
    id_ = unit_;
    if (!found.has_value()) {
      out_->fragment = blind_ ? Observed<Fragment>(NotObserved{
                                    absl::StrCat(out_->unseen[0].path, ": ", out_->unseen[0].why)})
                              : Observed<Fragment>(Absent{});
      return;
    }
    source_ = *found;
    const bool of_template = name_.is_instance && ParseUnitName(*found).is_template;
    id_ = of_template ? WithInstance(*found, name_.instance) : *found;
    out_->fragment = ReadFragment(entries_.at(*found), std::move(fragment));
  }

  Observed<Fragment> ReadFragment(const Entry& entry, Fragment fragment) {
    fragment.file.path = entry.path;
    const Observed<Resolved> resolved = host_.Resolve(entry.path);
    if (resolved.present()) {
      fragment.resolved = resolved->path;
      fragment.links.insert(fragment.links.end(), resolved->links.begin(), resolved->links.end());
    } else if (!entry.target.empty()) {
      fragment.links.emplace_back(entry.path, entry.target);
    }
    // A captured host need not hold /dev/null.
    if (entry.target == "/dev/null" || fragment.resolved == "/dev/null") {
      fragment.resolved = "/dev/null";
      fragment.masked = true;
      return fragment;
    }
    const Observed<Content> content = host_.Read(entry.path);
    if (content.not_observed()) {
      Unseen(entry.path, content.why_not());
      return NotObserved{absl::StrCat(entry.path, ": ", content.why_not())};
    }
    if (content.absent()) {
      Skip(entry.path, absl::StrCat("link to ", entry.target, ", which does not exist"));
      return Absent{};
    }
    fragment.masked = content->bytes.empty();
    fragment.file = ParseUnitFile(entry.path, content->bytes);
    NoteUnread(*content, entry.path);
    return fragment;
  }

  // What is read of it stands; what it was meant to say is not known.
  void NoteUnread(const Content& content, absl::string_view path) {
    if (HoldsNoText(content.bytes)) Unseen(path, "it holds bytes that are no text");
    if (content.truncated) {
      Unseen(path, absl::StrCat("what follows the first ", content.bytes.size(), " bytes"));
    }
  }

  void FindNames() {
    std::set<std::string> others;
    if (unit_ != id_) others.insert(unit_);
    const std::string of_template = name_.is_instance ? WithInstance(id_, "") : std::string();
    for (const auto& [name, entry] : entries_) {
      if (entry.alias.empty()) continue;
      const std::optional<std::string> end = Follow(name, nullptr);
      if (!end.has_value()) continue;
      if (*end == id_) others.insert(name);
      if (of_template.empty() || *end != of_template) continue;
      const UnitName alias = ParseUnitName(name);
      if (alias.is_instance && alias.instance == name_.instance) others.insert(name);
      if (alias.is_template) {
        const std::string instance = WithInstance(name, name_.instance);
        if (entries_.count(instance) == 0) others.insert(instance);
      }
    }
    others.erase(id_);
    out_->names.push_back(id_);
    out_->names.insert(out_->names.end(), others.begin(), others.end());
  }

  // The directories for `name`, most specific first: its own, that of its template,
  // those of its prefixes that end in a dash (dropin.c, unit_file_find_dirs).
  static void DropInNames(const std::string& name, std::vector<std::string>* names) {
    names->push_back(name);
    const UnitName parsed = ParseUnitName(name);
    if (!parsed.valid) return;
    if (parsed.is_instance) DropInNames(WithInstance(name, ""), names);
    std::string prefix = parsed.prefix;
    // A dash at the end is this name's own: the next one counts.
    if (prefix.size() > 1 && prefix.back() == '-') prefix.pop_back();
    const size_t dash = prefix.rfind('-');
    if (dash == std::string::npos || dash == 0) return;
    prefix.resize(dash + 1);
    DropInNames(parsed.is_instance ? absl::StrCat(prefix, "@", parsed.instance, ".", parsed.type)
                                   : absl::StrCat(prefix, ".", parsed.type),
                names);
  }

  void FindDropIns() {
    for (const std::string& unit_name : out_->names) {
      std::vector<std::string> names;
      DropInNames(unit_name, &names);
      for (const std::string& dir : path_) {
        for (const std::string& name : names) AddDropInDir(absl::StrCat(dir, "/", name, ".d"));
      }
    }
    for (const std::string& dir : path_) AddDropInDir(absl::StrCat(dir, "/", name_.type, ".d"));
    for (const auto& [name, path] : drop_ins_) ReadDropIn(path);
  }

  void AddDropInDir(const std::string& path) {
    const Observed<Resolved> dir = host_.Resolve(path);
    if (dir.absent()) return;
    if (dir.not_observed()) {
      // Where the directory above was not seen, that has been said.
      const bool said =
          std::any_of(out_->unseen.begin(), out_->unseen.end(),
                      [&](const SkippedFile& unseen) { return IsBelow(path, unseen.path); });
      const bool moot = !host_.running() && IsBelow(path, "/run");
      if (!said && !moot) Unseen(path, dir.why_not());
      return;
    }
    used_.insert(path);
    if (!drop_in_dirs_.insert(dir->path).second) return;
    if (dir->meta.type != FileType::kDir) return Skip(path, "not a directory");
    const Observed<std::vector<std::string>> names = host_.List(path);
    if (!names.present()) return Unseen(path, names.why_not());
    for (const std::string& name : *names) {
      const std::string file = host::JoinPath(dir->path, name);
      if (!absl::EndsWith(name, ".conf")) {
        Skip(file, "its name does not end in .conf");
      } else if (name[0] == '.') {
        Skip(file, "a hidden file");
      } else if (const auto it = drop_ins_.find(name); it != drop_ins_.end()) {
        Skip(file, absl::StrCat("shadowed by ", it->second, ", which has the same name"));
      } else if (drop_ins_.size() >= kMaxDropIns) {
        Unseen(file, absl::StrCat("more than ", kMaxDropIns, " drop-ins"));
        return;
      } else {
        drop_ins_.emplace(name, file);
      }
    }
  }

  void ReadDropIn(const std::string& path) {
    const std::string target = host_.ReadLink(path).value_or("");
    const Observed<Resolved> resolved = host_.Resolve(path);
    if (target == "/dev/null" || (resolved.present() && resolved->path == "/dev/null")) {
      return Skip(path, "masked: a link to /dev/null");
    }
    if (resolved.not_observed()) return Unseen(path, resolved.why_not());
    if (resolved.absent()) {
      return Skip(path, absl::StrCat("a link to ", target, ", which does not exist"));
    }
    if (resolved->meta.type != FileType::kFile) return Skip(path, "not a regular file");
    const Observed<Content> content = host_.Read(path);
    if (!content.present()) return Unseen(path, content.why_not());
    if (content->bytes.empty()) Skip(path, "an empty file");
    NoteUnread(*content, path);
    out_->drop_ins.push_back({ParseUnitFile(path, content->bytes), resolved->path});
  }

  // --- what looks like a part of this unit ---

  void FindLookAlikes() {
    const std::string stem = ParseUnitName(id_).prefix;
    for (const Dir& dir : dirs_) {
      for (const std::string& name : dir.names) {
        if (absl::StartsWithIgnoreCase(name, stem)) LookAlike(dir.path, name);
      }
    }
    for (const WrongDir& wrong : kWrongDirs) {
      if (within_path_.count(std::string(wrong.path)) > 0) continue;
      const Observed<std::vector<std::string>> names = host_.List(wrong.path);
      if (!names.present()) continue;
      for (const std::string& name : *names) {
        if (name == id_ || name == id_ + ".d") {
          Skip(host::JoinPath(wrong.path, name), std::string(wrong.why));
        }
      }
    }
  }

  void LookAlike(const std::string& dir, const std::string& name) {
    const std::string path = host::JoinPath(dir, name);
    if (used_.count(path) > 0) return;
    if (ParseUnitName(name).valid) {
      const auto it = entries_.find(name);
      const bool ours = name == id_ || name == unit_ || name == source_;
      if (ours && it != entries_.end() && it->second.path != path) {
        Skip(path, absl::StrCat("shadowed by ", it->second.path));
      }
      return;
    }
    absl::string_view unit = name;
    if (absl::ConsumeSuffix(&unit, ".wants") || absl::ConsumeSuffix(&unit, ".requires")) return;
    if (!absl::ConsumeSuffix(&unit, ".d")) {
      return Skip(path, "neither a unit nor a drop-in directory");
    }
    if (entries_.count(std::string(unit)) > 0) return;  // another unit's
    Skip(path, absl::StrCat("drop-ins of ", unit, ", which is no name of ", id_));
  }

  const Host& host_;
  const std::string unit_;
  const UnitName name_;
  UnitFiles* out_;
  std::vector<std::string> path_;
  std::set<std::string> within_path_;  // the same, and where links in it lead
  std::vector<Dir> dirs_;
  std::map<std::string, Entry> entries_;
  bool blind_ = false;                           // a fragment may be where we could not look
  std::string id_;                               // systemd's Id of the unit
  std::string source_;                           // name of the file that is the fragment
  std::set<std::string> used_;                   // drop-in directories as named
  std::set<std::string> drop_in_dirs_;           // the same, resolved
  std::map<std::string, std::string> drop_ins_;  // by file name
};

}  // namespace

absl::Span<const absl::string_view> DefaultUnitPath() { return kDefaultUnitPath; }

std::vector<const UnitFile*> UnitFiles::InOrder() const {
  std::vector<const UnitFile*> files;
  if (fragment.present() && !fragment->masked) files.push_back(&fragment->file);
  for (const DropIn& drop_in : drop_ins) files.push_back(&drop_in.file);
  return files;
}

UnitFiles FindUnit(const Host& host, absl::string_view unit,
                   absl::Span<const std::string> unit_path) {
  UnitFiles files;
  Search(host, unit, unit_path, &files).Run();
  return files;
}

}  // namespace vgpu::systemd

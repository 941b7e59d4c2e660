#include "diag/systemd/mount_settings.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "diag/systemd/quoting.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

using Kind = MountSetting::Kind;
using host::Observed;

bool IsSpace(char c) { return kWhitespace.find(c) != absl::string_view::npos; }

struct Part {
  std::string text;
  bool colon = false;    // a colon ended it
  bool balanced = true;  // false: a quote or a backslash was open at the end
};

// extract_first_word with the separators ':' and white space, quotes and backslashes
// removed, separators not run together.
Part TakePart(absl::string_view* rest) {
  Part part;
  char quote = 0;
  absl::string_view text = *rest;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c == '\\') {
      if (text.empty()) {
        part.balanced = false;
        break;
      }
      part.text.push_back(text[0]);
      text.remove_prefix(1);
    } else if (quote != 0 ? c == quote : (c == '"' || c == '\'')) {
      quote = quote != 0 ? 0 : c;
    } else if (quote == 0 && (c == ':' || IsSpace(c))) {
      part.colon = c == ':';
      break;
    } else {
      part.text.push_back(c);
    }
  }
  part.balanced = part.balanced && quote == 0;
  *rest = text;
  return part;
}

class Reader {
 public:
  Reader(const SpecifierContext& context, MountSettings* out) : context_(context), out_(out) {}

  void ReadBinds(const Setting& setting) {
    setting_ = &setting;
    absl::string_view rest = setting.value;
    while (!rest.empty()) {
      const Part source = TakePart(&rest);
      if (!source.balanced) {
        return Ignore(absl::StrCat("Failed to parse ", setting.key, ", ignoring: ", setting.value));
      }
      if (source.text.empty()) continue;
      MountSetting mount;
      absl::string_view from = source.text;
      mount.optional = absl::ConsumePrefix(&from, "-");
      std::optional<std::string> path = Path(from);
      // systemd goes on behind the colon, and takes what is there for the next source.
      if (!path) continue;
      mount.source = mount.target = *std::move(path);
      if (source.colon) {
        if (rest.empty()) {
          Ignore(absl::StrCat("Missing argument after ':', ignoring: ", mount.source));
          continue;
        }
        const Part target = TakePart(&rest);
        if (!target.balanced) {
          return Ignore(
              absl::StrCat("Failed to parse ", setting.key, ", ignoring: ", setting.value));
        }
        path = Path(target.text);
        if (!path) continue;
        mount.target = *std::move(path);
        if (target.colon) {
          const absl::StatusOr<std::optional<std::string>> options =
              TakeWord(&rest, Escapes::kPlain);
          if (!options.ok()) {
            return Ignore(
                absl::StrCat("Failed to parse ", setting.key, ", ignoring: ", setting.value));
          }
          const std::string option = options->value_or("");
          if (!option.empty() && option != "rbind" && option != "norbind") {
            Ignore(absl::StrCat("Invalid option string, ignoring setting: ", option));
            continue;
          }
        }
      }
      Add(std::move(mount), Kind::kBind);
    }
  }

  void ReadPaths(const Setting& setting, Kind kind) {
    setting_ = &setting;
    absl::string_view rest = setting.value;
    while (true) {
      absl::StatusOr<std::optional<std::string>> word = TakeWord(&rest, Escapes::kPlain);
      if (!word.ok()) {
        return Ignore(absl::StrCat("Failed to extract first word, ignoring: ", setting.value));
      }
      if (!word->has_value()) return;
      absl::string_view text = **word;
      MountSetting mount;
      if (kind == Kind::kEmpty) {
        text = text.substr(0, text.find(':'));  // what follows are mount options
      } else {
        mount.optional = absl::ConsumePrefix(&text, "-");
        absl::ConsumePrefix(&text, "+");  // within RootDirectory=
      }
      std::optional<std::string> path = Path(text);
      if (!path) continue;
      mount.target = *std::move(path);
      Add(std::move(mount), kind);
    }
  }

  void Imply(const Setting& setting, absl::string_view target, Kind kind) {
    setting_ = &setting;
    MountSetting mount;
    mount.target = std::string(target);
    mount.optional = mount.implied = true;
    Add(std::move(mount), kind);
  }

 private:
  std::string Written() const { return absl::StrCat(setting_->key, "=", setting_->value); }

  void Ignore(std::string message) {
    out_->ignored.push_back({std::move(message), Written(), setting_->place});
  }

  void Add(MountSetting mount, Kind kind) {
    mount.kind = kind;
    mount.written = Written();
    mount.place = setting_->place;
    out_->settings.push_back(std::move(mount));
  }

  std::optional<std::string> Path(absl::string_view text) {
    const absl::StatusOr<Observed<std::string>> expanded = ExpandSpecifiers(text, context_);
    if (!expanded.ok()) {
      Ignore(absl::StrCat("Failed to resolve unit specifiers in \"", text,
                          "\", ignoring: ", expanded.status().message()));
      return std::nullopt;
    }
    if (!expanded->present()) {
      out_->unknown.push_back({std::string(expanded->why_not()), Written(), setting_->place});
      return std::nullopt;
    }
    const std::string& path = **expanded;
    if (path.empty() || path[0] != '/') {
      Ignore(absl::StrCat(setting_->key, "= path is not absolute, ignoring: ", path));
      return std::nullopt;
    }
    return SimplifyPath(path);
  }

  const SpecifierContext& context_;
  MountSettings* out_;
  const Setting* setting_ = nullptr;
};

struct PathKey {
  absl::string_view key;
  Kind kind;
};
constexpr PathKey kPathKeys[] = {
    {"TemporaryFileSystem", Kind::kEmpty},
    {"InaccessiblePaths", Kind::kInaccessible},
    {"InaccessibleDirectories", Kind::kInaccessible},
    {"ReadOnlyPaths", Kind::kReadOnly},
    {"ReadOnlyDirectories", Kind::kReadOnly},
    {"ReadWritePaths", Kind::kReadWrite},
    {"ReadWriteDirectories", Kind::kReadWrite},
    {"NoExecPaths", Kind::kNoExec},
    {"ExecPaths", Kind::kExec},
};

// namespace.c, protect_home_yes_table.
constexpr absl::string_view kHomes[] = {"/home", "/run/user", "/root"};

void ReadImplied(const EffectiveUnit& unit, Reader& reader) {
  const auto on = [&](absl::string_view key) -> const Setting* {
    const Setting* setting = unit.Last("Service", key);
    return setting != nullptr && ParseBoolean(setting->value) > 0 ? setting : nullptr;
  };
  if (const Setting* setting = on("PrivateDevices")) reader.Imply(*setting, "/dev", Kind::kEmpty);
  // DynamicUser= brings PrivateTmp= and ProtectHome=read-only with it.
  const Setting* tmp = on("PrivateTmp");
  if (tmp == nullptr) tmp = on("DynamicUser");
  if (tmp != nullptr) {
    reader.Imply(*tmp, "/tmp", Kind::kEmpty);
    reader.Imply(*tmp, "/var/tmp", Kind::kEmpty);
  }
  if (const Setting* home = unit.Last("Service", "ProtectHome")) {
    const bool closed = ParseBoolean(home->value) > 0;
    if (closed || home->value == "tmpfs") {
      for (absl::string_view dir : kHomes) {
        reader.Imply(*home, dir, closed ? Kind::kInaccessible : Kind::kEmpty);
      }
    }
  }
}

// The setting with the longest target that holds `path`, among those that `counts` takes.
template <typename Counts>
const MountSetting* Longest(const std::vector<MountSetting>& settings, absl::string_view path,
                            Counts counts) {
  const MountSetting* longest = nullptr;
  for (const MountSetting& setting : settings) {
    if (!counts(setting) || !IsWithin(path, setting.target)) continue;
    if (longest == nullptr || setting.target.size() >= longest->target.size()) longest = &setting;
  }
  return longest;
}

}  // namespace

bool IsWithin(absl::string_view path, absl::string_view dir) {
  if (dir == "/") return absl::StartsWith(path, "/");
  return absl::StartsWith(path, dir) && (path.size() == dir.size() || path[dir.size()] == '/');
}

const MountSetting* MountSettings::Over(absl::string_view path) const {
  return Longest(settings, path, [](const MountSetting& s) { return s.HidesHost(); });
}

const MountSetting* MountSettings::ExecutionAt(absl::string_view path) const {
  return Longest(settings, path, [](const MountSetting& s) {
    return s.kind == Kind::kNoExec || s.kind == Kind::kExec;
  });
}

MountSettings ReadMountSettings(const EffectiveUnit& unit, const SpecifierContext& context) {
  MountSettings mounts;
  Reader reader(context, &mounts);
  // A setting that stands for a set comes first: one that names the path itself wins.
  ReadImplied(unit, reader);
  for (const PathKey& key : kPathKeys) {
    for (const Setting& setting : unit.All("Service", key.key)) reader.ReadPaths(setting, key.kind);
  }
  for (absl::string_view key : {"BindPaths", "BindReadOnlyPaths"}) {
    for (const Setting& setting : unit.All("Service", key)) reader.ReadBinds(setting);
  }
  return mounts;
}

}  // namespace vgpu::systemd

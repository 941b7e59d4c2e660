#include "diag/systemd/specifiers.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "diag/systemd/text.h"

namespace vgpu::systemd {
namespace {

using ::vgpu::host::NotObserved;
using ::vgpu::host::Observed;
using Expansion = absl::StatusOr<Observed<std::string>>;

// execve(2) takes no longer argument or variable (binfmts.h, MAX_ARG_STRLEN).
constexpr size_t kMaxExpansion = size_t{128} << 10;
constexpr size_t kUnitNameMax = 256;  // with the final NUL

absl::string_view LastComponent(absl::string_view prefix) {
  const size_t dash = prefix.rfind('-');
  return dash == absl::string_view::npos ? prefix : prefix.substr(dash + 1);
}

// "a-b\x2dc" is "a/b-c" (unit-name.c, unit_name_unescape).
Expansion UnescapeName(absl::string_view name) {
  std::string plain;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\') {
      plain.push_back(name[i] == '-' ? '/' : name[i]);
      continue;
    }
    if (i + 3 >= name.size() || name[i + 1] != 'x' || HexDigit(name[i + 2]) < 0 ||
        HexDigit(name[i + 3]) < 0) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": Invalid argument"));
    }
    plain.push_back(static_cast<char>(HexDigit(name[i + 2]) * 16 + HexDigit(name[i + 3])));
    i += 3;
  }
  return Observed<std::string>(plain);
}

// The same as a path: "-" is "/", "a-b" is "/a/b".
Expansion UnescapePath(absl::string_view name) {
  if (name == "-") return Observed<std::string>("/");
  Expansion plain = UnescapeName(name);
  if (!plain.ok()) return plain;
  const std::string path = absl::StrCat("/", **plain);
  bool normal = path.size() > 1 && path.back() != '/';
  for (absl::string_view part : absl::StrSplit(absl::string_view(path).substr(1), '/')) {
    if (part.empty() || part == "." || part == "..") normal = false;
  }
  if (!normal) return absl::InvalidArgumentError(absl::StrCat(name, ": Invalid argument"));
  return Observed<std::string>(path);
}

// A value of the context, named in words where it is not known.
Expansion Known(char specifier, const Observed<std::string>& value, absl::string_view name) {
  if (value.present()) return value;
  if (value.absent()) return Observed<std::string>("");
  return Observed<std::string>(
      NotObserved{absl::StrCat("%", absl::string_view(&specifier, 1), ": ", name, " not known")});
}

Expansion ExpandOne(char specifier, const SpecifierContext& context, const UnitName& name) {
  const auto text = [](absl::string_view value) {
    return Observed<std::string>(std::string(value));
  };
  const auto known = [&](const Observed<std::string>& value, absl::string_view what) {
    return Known(specifier, value, what);
  };
  switch (specifier) {
    case 'n':
      return text(context.unit);
    case 'N':
      return text(absl::string_view(context.unit).substr(0, context.unit.rfind('.')));
    case 'p':
      return text(name.prefix);
    case 'P':
      return UnescapeName(name.prefix);
    case 'i':
      return text(name.instance);
    case 'I':
      return UnescapeName(name.instance);
    case 'j':
      return text(LastComponent(name.prefix));
    case 'J':
      return UnescapeName(LastComponent(name.prefix));
    case 'f':
      return UnescapePath(name.is_instance ? name.instance : name.prefix);
    case 'y':
      return known(context.fragment_path, "path of the unit file");
    case 'Y': {
      if (!context.fragment_path.present()) {
        return known(context.fragment_path, "path of the unit file");
      }
      const absl::string_view path = *context.fragment_path;
      const size_t slash = path.rfind('/');
      return text(slash == absl::string_view::npos ? "" : path.substr(0, slash));
    }
    // The system manager's own directories (manager.c).
    case 'C':
      return text("/var/cache");
    case 'E':
      return text("/etc");
    case 'L':
      return text("/var/log");
    case 'S':
      return text("/var/lib");
    case 't':
      return text("/run");
    case 'd':
      return text(absl::StrCat("/run/credentials/", context.unit));
    case 'T':
      return text("/tmp");
    case 'V':
      return text("/var/tmp");
    // The manager's user, not that of User=.
    case 'u':
      return text("root");
    case 'U':
      return text("0");
    case 'g':
      return text("root");
    case 'G':
      return text("0");
    case 'h':
      return text("/root");
    case 's':
      return known(context.shell, "shell of root");
    case 'b':
      return known(context.boot_id, "boot id");
    case 'm':
      return known(context.machine_id, "machine id");
    case 'H':
      return known(context.hostname, "host name");
    case 'l': {
      if (!context.hostname.present()) return known(context.hostname, "host name");
      return text(absl::string_view(*context.hostname).substr(0, context.hostname->find('.')));
    }
    case 'q':
      return known(context.pretty_hostname, "pretty host name");
    case 'v':
      return known(context.kernel_release, "kernel release");
    case 'a':
      return known(context.architecture, "architecture");
    case 'o':
      return known(context.os_id, "ID of os-release");
    case 'w':
      return known(context.os_version_id, "VERSION_ID of os-release");
    case 'W':
      return known(context.os_variant_id, "VARIANT_ID of os-release");
    case 'B':
      return known(context.os_build_id, "BUILD_ID of os-release");
    case 'M':
      return known(context.os_image_id, "IMAGE_ID of os-release");
    case 'A':
      return known(context.os_image_version, "IMAGE_VERSION of os-release");
    // Deprecated; they depend on the hierarchy of control groups.
    case 'c':
    case 'r':
    case 'R':
      return known(NotObserved{}, "control group");
    default:
      break;
  }
  return absl::InvalidArgumentError("Invalid slot");  // EBADSLT
}

bool IsUnitType(absl::string_view type) {
  for (absl::string_view known : {"service", "socket", "target", "device", "mount", "automount",
                                  "swap", "timer", "path", "slice", "scope"}) {
    if (type == known) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<Observed<std::string>> ExpandSpecifiers(absl::string_view text,
                                                       const SpecifierContext& context) {
  if (text.find('%') == absl::string_view::npos) return Observed<std::string>(std::string(text));
  const UnitName name = ParseUnitName(context.unit);
  std::string out;
  std::string why_not;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
    } else if (i + 1 == text.size()) {
      out.push_back('%');
    } else {
      const char specifier = text[++i];
      if (specifier == '%') {
        out.push_back('%');
      } else if (!absl::ascii_isalnum(specifier)) {
        out.push_back('%');
        out.push_back(specifier);
      } else {
        Expansion one = ExpandOne(specifier, context, name);
        if (!one.ok()) return one.status();
        if (one->present()) {
          out.append(**one);
        } else if (why_not.empty()) {
          why_not = std::string(one->why_not());
        }
      }
    }
    if (out.size() > kMaxExpansion) return absl::InvalidArgumentError("File name too long");
  }
  if (!why_not.empty()) return Observed<std::string>(NotObserved{why_not});
  return Observed<std::string>(out);
}

UnitName ParseUnitName(absl::string_view name) {
  UnitName parsed;
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos || dot == 0 || name.size() >= kUnitNameMax) return parsed;
  const absl::string_view stem = name.substr(0, dot);
  for (char c : stem) {
    if (!absl::ascii_isalnum(c) && !absl::StrContains(":-_.\\@", absl::string_view(&c, 1))) {
      return parsed;
    }
  }
  const size_t at = stem.find('@');
  if (at == 0 || !IsUnitType(name.substr(dot + 1))) return parsed;
  parsed.valid = true;
  parsed.type = std::string(name.substr(dot + 1));
  parsed.prefix = std::string(stem.substr(0, at));
  if (at != absl::string_view::npos) {
    parsed.instance = std::string(stem.substr(at + 1));
    parsed.is_instance = !parsed.instance.empty();
    parsed.is_template = parsed.instance.empty();
  }
  return parsed;
}

}  // namespace vgpu::systemd

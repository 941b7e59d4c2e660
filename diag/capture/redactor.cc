#include "diag/capture/redactor.h"

#include <errno.h>
#include <fnmatch.h>
#include <sys/random.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "diag/capture/redact_journal.h"
#include "diag/host/capture_layout.h"
#include "diag/host/host.h"
#include "diag/ollama/variables.h"
#include "diag/report/redact.h"
#include "diag/systemd/environment_file.h"
#include "diag/systemd/quoting.h"

namespace vgpu::capture {
namespace {

// Variables whose values a diagnosis reads, or that say how and where a process was started.
constexpr absl::string_view kNames[] = {
    "CONTAINER",
    "GIN_MODE",
    "GLIBC_TUNABLES",
    "GODEBUG",
    "GOGC",
    "GOMAXPROCS",
    "GOTRACEBACK",
    "HOME",
    "HOSTNAME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LANG",
    "LANGUAGE",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LOGNAME",
    "MAINPID",
    "MANAGERPID",
    "NOTIFY_SOCKET",
    "PATH",
    "PWD",
    "SHELL",
    "SHLVL",
    "SYSTEMD_DEVICE_VERIFY_SYSFS",
    "SYSTEMD_EXEC_PID",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "container",
};
constexpr absl::string_view kPrefixes[] = {
    "CUDA_",   "GGML_",   "GPU_",  "HIP_", "HSA_",  "LC_",  "LD_",
    "NVIDIA_", "OLLAMA_", "ROCR_", "SNAP", "VGPU_", "XDG_",
};
// In the name of a variable that begins so, what makes its value a secret all the same
// (beside report::SoundsSecret): OLLAMA_KEY, NVIDIA_NGC_CRED.
constexpr absl::string_view kSecretParts[] = {"KEY", "PASS", "CRED", "TOKEN", "AUTH", "SESSION"};

// Programs that run containers, or hold a container's port open.
constexpr absl::string_view kEngines[] = {
    "conmon",      "containerd-shim", "containerd-shim-runc-v2",
    "docker",      "docker-proxy",    "dockerd",
    "gvproxy",     "nerdctl",         "pasta",
    "pasta.avx2",  "podman",          "rootlessport",
    "slirp4netns",
};

// Where a path that is no secret begins.
constexpr absl::string_view kTops[] = {
    "/bin",   "/data",  "/dev", "/etc", "/gnu", "/home", "/lib",  "/lib32",
    "/lib64", "/media", "/mnt", "/nix", "/opt", "/proc", "/root", "/run",
    "/sbin",  "/snap",  "/srv", "/sys", "/tmp", "/usr",  "/var",
};

bool IsNewline(char c) { return c == '\n' || c == '\r'; }
bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsSpace(char c) { return IsBlank(c) || IsNewline(c); }
bool IsQuote(char c) { return c == '"' || c == '\''; }
bool IsNameStart(char c) { return absl::ascii_isalpha(c) || c == '_'; }
bool IsNameByte(char c) { return absl::ascii_isalnum(c) || c == '_'; }

bool IsSwitch(absl::string_view value) {
  return value.empty() || value == "0" || value == "1" || absl::EqualsIgnoreCase(value, "true") ||
         absl::EqualsIgnoreCase(value, "false");
}

// A path of the system, or a variable: "/opt/x/lib", "$DIR/lib", "/usr/lib:${LD_LIBRARY_PATH}".
bool IsPath(absl::string_view text) {
  if (text.empty()) return false;
  for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(": "))) {
    if (!std::all_of(part.begin(), part.end(), [](char c) {
          return absl::ascii_isalnum(c) || absl::StrContains("_./${}@%+-", c);
        })) {
      return false;
    }
    const bool variable = absl::StartsWith(part, "$") || absl::StartsWith(part, "%");
    const bool known = std::any_of(std::begin(kTops), std::end(kTops), [&](absl::string_view top) {
      return absl::StartsWith(part, top) && (part.size() == top.size() || part[top.size()] == '/');
    });
    if (!part.empty() && !variable && !known) return false;
  }
  return true;
}

// Without the quotes and escapes of a shell, as far as they matter here.
std::string Unquoted(absl::string_view value) {
  std::string plain;
  for (size_t i = 0; i < value.size(); ++i) {
    if (IsQuote(value[i])) continue;
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    plain.push_back(value[i]);
  }
  return plain;
}

// A word of a preload file. One that names no file may be a secret that landed there: its
// length stays, and so do its slashes.
std::string PreloadWord(absl::string_view word) {
  if (word.size() <= 2 || absl::StartsWith(word, "/") || absl::StartsWith(word, "$") ||
      absl::StrContains(word, ".so")) {
    return report::RedactSecrets(word);
  }
  std::string masked(word);
  for (char& c : masked) {
    if (c != '/') c = '*';
  }
  return masked;
}

// Just behind the quote that closes the one at `begin`, or the end.
size_t BehindQuoted(absl::string_view text, size_t begin) {
  const char quote = text[begin];
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return text.size();
}

// As many newlines as a text has lost, so that what follows keeps its line numbers.
std::string Newlines(absl::string_view lost, absl::string_view newline) {
  std::string out;
  for (auto i = std::count(lost.begin(), lost.end(), '\n'); i > 0; --i) {
    out.append(newline.data(), newline.size());
  }
  return out;
}

// The path on the host of a file below a process's root.
absl::string_view WithoutRoot(absl::string_view path) {
  absl::string_view rest = path;
  if (!absl::ConsumePrefix(&rest, "/proc/")) return path;
  while (!rest.empty() && absl::ascii_isdigit(rest.front())) rest.remove_prefix(1);
  return absl::ConsumePrefix(&rest, "/root/") ? path.substr(path.size() - rest.size() - 1) : path;
}

bool IsOfProcess(absl::string_view path, absl::string_view file) {
  return absl::ConsumePrefix(&path, "/proc/") && absl::ConsumeSuffix(&path, file) &&
         std::all_of(path.begin(), path.end(), absl::ascii_isdigit);
}

bool LooksLikeUnit(absl::string_view path, absl::string_view text) {
  if (absl::StrContains(path, "/systemd/") || absl::EndsWith(path, ".service")) return true;
  for (absl::string_view section : {"[Unit]", "[Service]", "[Container]"}) {
    if (absl::StartsWith(text, section) || absl::StrContains(text, absl::StrCat("\n", section))) {
      return true;
    }
  }
  return false;
}

// Keys of unit files and of systemctl's output that hold assignments.
bool HoldsAssignments(absl::string_view key) {
  return key == "Environment" || key == "DefaultEnvironment" || key == "ManagerEnvironment";
}

}  // namespace

bool IsKept(absl::string_view variable) {
  if (ollama::DecidesDiscovery(variable)) return !report::SoundsSecret(variable);
  if (std::find(std::begin(kNames), std::end(kNames), variable) != std::end(kNames)) return true;
  const bool known =
      std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                  [&](absl::string_view prefix) { return absl::StartsWith(variable, prefix); });
  const std::string upper = absl::AsciiStrToUpper(variable);
  const bool secret =
      std::any_of(std::begin(kSecretParts), std::end(kSecretParts),
                  [&](absl::string_view part) { return absl::StrContains(upper, part); });
  return known && !secret && !report::SoundsSecret(variable);
}

SipKey RandomKey() {
  SipKey key;
  char* at = reinterpret_cast<char*>(&key);
  size_t left = sizeof(key);
  while (left > 0) {
    const ssize_t n = getrandom(at, left, 0);
    if (n < 0 && errno == EINTR) continue;
    // Without random bytes a hash would hide nothing (getrandom(2): every Linux since 3.17).
    if (n <= 0) std::abort();
    at += n;
    left -= static_cast<size_t>(n);
  }
  return key;
}

std::string Redactor::Hash(absl::string_view name, absl::string_view value) const {
  const std::string both = absl::StrCat(name, absl::string_view("\0", 1), value);
  return absl::StrFormat("<redacted:%016x>", SipHash(key_, both));
}

std::string Redactor::Value(absl::string_view name, absl::string_view value) const {
  const bool is_switch = IsSwitch(value) && (value.empty() || absl::StartsWith(name, "OLLAMA_"));
  return is_switch || IsKept(name) ? std::string(value) : Hash(name, value);
}

std::string Redactor::Environ(absl::string_view content) const {
  std::string out;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\0'), content.size());
    const absl::string_view entry = content.substr(0, end);
    const size_t equals = entry.find('=');
    if (equals == absl::string_view::npos) {
      // No variable: a program may write anything over its environment.
      if (!entry.empty()) out += Hash("", entry);
    } else {
      const absl::string_view name = entry.substr(0, equals);
      absl::StrAppend(&out, name, "=",
                      report::RedactSecretsAroundHashes(Value(name, entry.substr(equals + 1))));
    }
    if (end == content.size()) break;
    out.push_back('\0');
    content.remove_prefix(end + 1);
  }
  return out;
}

// The words of Environment=, in a unit file or as systemctl shows them.
std::string Redactor::Words(absl::string_view text, bool shown) const {
  std::string out;
  size_t i = 0;
  while (i < text.size()) {
    if (IsSpace(text[i]) || (!shown && absl::StartsWith(text.substr(i), "\\\n"))) {
      out.push_back(text[i++]);
      continue;
    }
    const size_t begin = i;
    char quote = 0;
    for (; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '\\' && i + 1 < text.size()) {
        if (quote == 0 && text[i + 1] == '\n') break;
        ++i;
      } else if (quote != 0 ? c == quote : IsQuote(c) && (!shown || i == begin)) {
        quote = quote != 0 ? 0 : c;
      } else if (quote == 0 && IsSpace(c)) {
        break;
      }
    }
    i = std::min(i, text.size());
    const absl::string_view raw = text.substr(begin, i - begin);
    const std::string joined = absl::StrReplaceAll(raw, {{"\\\n", " "}});
    const absl::StatusOr<std::vector<std::string>> words =
        shown ? systemd::SplitShown(joined) : systemd::SplitWords(joined, systemd::Escapes::kC);
    const bool good = words.ok() && words->size() == 1;
    const std::string word = good ? words->front() : Unquoted(joined);
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    std::string safe;
    if (equals == std::string::npos) {
      // A word that a blank cut off from its value (VG206), and that is a path.
      safe = IsKept(word) || IsPath(word) || absl::StrContains(word, ".so") ? word : Hash("", word);
    } else {
      safe = absl::StrCat(name, "=", Value(name, word.substr(equals + 1)));
    }
    if (safe == word) {
      absl::StrAppend(&out, raw);
    } else {
      // What systemd refuses stays refused: \q is no escape.
      absl::StrAppend(&out, safe, good ? "" : "\\q", Newlines(raw, " \\\n"));
    }
  }
  return out;
}

// NAME=value anywhere in a command line or a script.
std::string Redactor::Assignments(absl::string_view text) const {
  std::string out;
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') continue;
    size_t begin = i;
    while (begin > copied && IsNameByte(text[begin - 1])) --begin;
    const absl::string_view name = text.substr(begin, i - begin);
    if (name.empty() || !IsNameStart(name.front())) continue;
    const char before = begin == 0 ? '\n' : text[begin - 1];
    if (!IsSpace(before) && !absl::StrContains(absl::string_view("\0;&|(\"'`=", 9), before)) {
      continue;
    }
    // Variables are written so, by custom; in lower case where the shell is told to export.
    const bool upper = std::none_of(name.begin(), name.end(), absl::ascii_islower);
    const bool exported =
        absl::EndsWith(absl::StripTrailingAsciiWhitespace(text.substr(0, begin)), "export");
    if (!upper && !exported) continue;

    size_t end = i + 1;
    if (IsQuote(before)) {
      end = std::min(text.find(before, end), text.size());
    } else {
      while (end < text.size() && !IsSpace(text[end]) &&
             !absl::StrContains(absl::string_view("\0;&|)`", 6), text[end])) {
        if (IsQuote(text[end])) {
          end = BehindQuoted(text, end);
        } else {
          end += text[end] == '\\' ? 2 : 1;
        }
      }
      end = std::min(end, text.size());
    }
    const absl::string_view raw = text.substr(i + 1, end - i - 1);
    const std::string value = Unquoted(raw);
    const bool path = IsPath(value) && !report::SoundsSecret(name);
    if (const std::string safe = path ? value : Value(name, value); safe != value) {
      absl::StrAppend(&out, text.substr(copied, i + 1 - copied), safe, Newlines(raw, "\\\n"));
      copied = end;
    }
    i = end - 1;
  }
  absl::StrAppend(&out, text.substr(copied));
  return out;
}

std::string Redactor::CommandLine(absl::string_view words) const {
  return report::RedactSecretsAroundHashes(Assignments(words));
}

std::string Redactor::CommandLineOf(absl::string_view path, absl::string_view words) const {
  const absl::string_view program = words.substr(0, std::min(words.find('\0'), words.size()));
  const bool judged = std::any_of(command_lines_.begin(), command_lines_.end(), [&](int pid) {
    return path == absl::StrCat("/proc/", pid, "/cmdline");
  });
  const bool engine = std::find(std::begin(kEngines), std::end(kEngines),
                                host::Basename(program)) != std::end(kEngines);
  if (judged || engine || absl::StrContains(words, "llama")) return CommandLine(words);
  std::vector<std::string> safe = {report::RedactSecrets(program)};
  if (program.size() < words.size()) {
    for (absl::string_view word : absl::StrSplit(words.substr(program.size() + 1), '\0')) {
      safe.push_back(word.empty() ? "" : Hash("", word));
    }
  }
  return absl::StrJoin(safe, absl::string_view("\0", 1));
}

std::string Redactor::UnitFile(absl::string_view text) const {
  std::string out;
  while (!text.empty()) {
    // A logical line: with those that a backslash at its end joins.
    size_t end = 0;
    while (true) {
      end = std::min(text.find('\n', end), text.size());
      if (end == 0 || end == text.size() || text[end - 1] != '\\') break;
      ++end;
    }
    const absl::string_view line = text.substr(0, end);
    // What is commented out is no less secret.
    const size_t key_begin = std::min(line.find_first_not_of("#; \t"), line.size());
    const size_t equals = line.find('=', key_begin);
    if (equals == absl::string_view::npos) {
      absl::StrAppend(&out, line);
    } else {
      const absl::string_view key =
          absl::StripAsciiWhitespace(line.substr(key_begin, equals - key_begin));
      const absl::string_view value = line.substr(equals + 1);
      absl::StrAppend(&out, line.substr(0, equals + 1));
      if (HoldsAssignments(key)) {
        out += Words(value, /*shown=*/false);
      } else if (absl::StartsWith(key, "SetCredential")) {
        const size_t colon = std::min(value.find(':'), value.size());
        absl::StrAppend(&out, value.substr(0, colon), ":",
                        Hash(value.substr(0, colon), value.substr(colon)),
                        Newlines(value.substr(colon), " \\\n"));
      } else {
        out += Assignments(value);
      }
    }
    if (end == text.size()) break;
    out.push_back('\n');
    text.remove_prefix(end + 1);
  }
  return report::RedactSecretsAroundHashes(out);
}

std::string Redactor::EnvironmentFile(absl::string_view text) const {
  std::string out;
  size_t i = 0;
  while (i < text.size()) {
    if (IsSpace(text[i])) {
      out.push_back(text[i++]);
      continue;
    }
    if (text[i] == '#' || text[i] == ';') {
      size_t end = i;
      while (end < text.size() && !IsNewline(text[end])) end += text[end] == '\\' ? 2 : 1;
      end = std::min(end, text.size());
      out += Assignments(text.substr(i, end - i));
      i = end;
      continue;
    }
    const size_t key_end = std::min(text.find_first_of("=\r\n", i), text.size());
    const absl::string_view key = absl::StripTrailingAsciiWhitespace(text.substr(i, key_end - i));
    if (key_end == text.size() || text[key_end] != '=') {
      out += IsPath(key) || absl::StartsWith(key, "[") ? std::string(key) : Hash("", key);
      i = key_end;
      continue;
    }
    // The value ends as in diag/systemd/environment_file.cc: quotes go over lines as long as no
    // bare character was seen.
    size_t end = key_end + 1;
    bool bare = false;
    while (end < text.size() && !IsNewline(text[end])) {
      if (text[end] == '\\') {
        bare = true;
        end += 2;
      } else if (!bare && IsQuote(text[end])) {
        end = BehindQuoted(text, end);
      } else {
        bare = bare || !IsBlank(text[end]);
        ++end;
      }
    }
    end = std::min(end, text.size());
    const absl::string_view raw = text.substr(key_end + 1, end - key_end - 1);
    const systemd::EnvironmentFile parsed =
        systemd::ParseEnvironmentFile(absl::StrCat("X=", raw, "\n"));
    const std::string value =
        parsed.variables.empty() ? std::string(raw) : parsed.variables.front().value;
    // "export NAME" is no name to systemd, and means one.
    const absl::string_view name = absl::StripPrefix(key, "export ");
    absl::StrAppend(&out, text.substr(i, key_end + 1 - i));
    if (const std::string safe = Value(name, value); safe == value) {
      absl::StrAppend(&out, raw);
    } else {
      // What is no UTF-8 makes systemd refuse the file.
      absl::StrAppend(&out, safe, parsed.refused ? "\xff" : "", Newlines(raw, "\n"));
    }
    i = end;
  }
  return report::RedactSecretsAroundHashes(out);
}

std::string Redactor::PreloadFile(absl::string_view text) const {
  // Words as the loader splits them. What cannot be a secret stays a path.
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && !IsSpace(text[end]) && text[end] != ':') ++end;
    out += PreloadWord(text.substr(i, end - i));
    if (end < text.size()) out.push_back(text[end]);
    i = end + 1;
  }
  return out;
}

void Redactor::LearnPreloadFile(absl::string_view text) {
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(": \t\r\n"))) {
    if (std::string safe = PreloadWord(word); safe != word) {
      hidden_.emplace_back(std::string(word), std::move(safe));
    }
  }
}

std::string Redactor::Path(absl::string_view path) const {
  std::string safe(path);
  for (const auto& [word, instead] : hidden_) {
    safe = absl::StrReplaceAll(safe, {{word, instead}});
  }
  return report::RedactSecrets(safe);
}

std::string Redactor::Accounts(absl::string_view text) const {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    std::vector<std::string> fields = absl::StrSplit(line, ':');
    // A password's hash, on a system without shadow(5); and who the account's owner is.
    if (fields.size() >= 4 && fields[1].size() > 1) fields[1] = "x";
    if (fields.size() == 7) fields[4].clear();
    lines.push_back(absl::StrJoin(fields, ":"));
  }
  return absl::StrJoin(lines, "\n");
}

std::string Redactor::Show(absl::string_view text) const {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const absl::string_view line = text.substr(0, end);
    const size_t equals = std::min(line.find('='), line.size());
    const absl::string_view key = line.substr(0, equals);
    if (equals == line.size()) {
      absl::StrAppend(&out, line);
    } else if (HoldsAssignments(key)) {
      absl::StrAppend(&out, key, "=", Words(line.substr(equals + 1), /*shown=*/true));
    } else if (absl::StartsWith(key, "SetCredential") && equals + 1 < line.size()) {
      absl::StrAppend(&out, key, "=", Hash(key, line.substr(equals + 1)));
    } else {
      absl::StrAppend(&out, key, "=", Assignments(line.substr(equals + 1)));
    }
    if (end == text.size()) break;
    out.push_back('\n');
    text.remove_prefix(end + 1);
  }
  return report::RedactSecretsAroundHashes(out);
}

std::string Redactor::ShowEnvironment(absl::string_view text) const {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) {
      lines.emplace_back(line);
      continue;
    }
    const absl::string_view name = line.substr(0, equals), raw = line.substr(equals + 1);
    const std::string value = systemd::UnquotePosix(raw).value_or(std::string(raw));
    const std::string safe = Value(name, value);
    lines.push_back(absl::StrCat(name, "=", safe == value ? std::string(raw) : safe));
  }
  return report::RedactSecretsAroundHashes(absl::StrJoin(lines, "\n"));
}

std::string Redactor::Journal(absl::string_view lines) const { return RedactJournal(lines); }

// machine-id(5): it identifies the host, and is to be treated as confidential. One of the
// same form takes its place.
std::string Redactor::MachineId(absl::string_view text) const {
  if (absl::StripAsciiWhitespace(text).empty()) return std::string(text);
  return absl::StrFormat("%016x%016x\n", SipHash(key_, absl::StrCat("1", text)),
                         SipHash(key_, absl::StrCat("2", text)));
}

bool Redactor::IsEnvironmentFile(absl::string_view path) const {
  const std::string name(path);
  for (const std::string& pattern : environment_files_) {
    if (pattern == name || fnmatch(pattern.c_str(), name.c_str(), FNM_PATHNAME) == 0) return true;
  }
  return path == "/etc/environment" || absl::StartsWith(path, "/etc/default/") ||
         absl::StartsWith(path, "/etc/sysconfig/") || absl::EndsWith(path, ".env") ||
         absl::StrContains(path, "/environment.d/");
}

std::string Redactor::File(absl::string_view path, absl::string_view content) const {
  path = WithoutRoot(path);
  const absl::string_view name = host::Basename(path);
  if (IsOfProcess(path, "/environ")) return Environ(content);
  if (IsOfProcess(path, "/cmdline")) return CommandLineOf(path, content);
  // Tables of numbers and of libraries' names, in binary.
  if (IsOfProcess(path, "/auxv") || name == "ld.so.cache") return std::string(content);
  if (name == "ld.so.preload") return PreloadFile(content);
  if (path == "/etc/passwd" || path == "/etc/group") return Accounts(content);
  if (path == "/etc/machine-id") return MachineId(content);
  if (IsEnvironmentFile(path)) return EnvironmentFile(content);
  if (absl::StartsWith(content, "#!")) return CommandLine(content);
  if (LooksLikeUnit(path, content)) return UnitFile(content);
  return report::RedactSecrets(content);
}

std::string Redactor::Output(absl::string_view file, absl::string_view content) const {
  absl::ConsumePrefix(&file, absl::StrCat(host::kCaptureDir, "/"));
  if (absl::StartsWith(file, "journal/")) return Journal(content);
  if (file == "systemctl/show-environment.txt") return ShowEnvironment(content);
  if (absl::StartsWith(file, "systemctl/show-")) return Show(content);
  return report::RedactSecrets(content);
}

}  // namespace vgpu::capture

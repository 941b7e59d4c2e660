#include "tools/vgpu_doctor/repair/file_changes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "diag/host/file_io.h"
#include "diag/host/host.h"
#include "diag/rules/steps.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

using host::Fd;
using rules::ShellQuoted;

// A configuration file or a list; more is no such file.
constexpr size_t kMaxContent = 1 << 20;
constexpr size_t kMaxAttribute = 1 << 16;
constexpr char kCapabilities[] = "security.capability";

absl::Status Failed(absl::string_view path, int error) {
  return absl::InternalError(absl::StrCat(path, ": ", host::ErrnoText(error)));
}

absl::Status Refused(absl::string_view path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", why));
}

bool IsOurs(const struct stat& st) { return st.st_uid == 0 || st.st_uid == geteuid(); }

// Whether nobody but root decides what `path` means: each directory on the way, those of links
// too, is root's and nobody else may write in it, or everybody may and the next name is root's
// (sticky, as /tmp). systemd asks alike (v252, src/basic/chase-symlinks.c, CHASE_SAFE). Once it
// is so, only root can make it otherwise. What an ordinary user may change is his own.
absl::Status OnlyRootDecides(const std::string& path) {
  if (geteuid() != 0) return absl::OkStatus();
  constexpr int kMaxLinks = 40;  // of the kernel (path_resolution(7))
  const auto refused = [&](const std::string& where, absl::string_view why) {
    return Refused(path, absl::StrCat(where, " ", why,
                                      ", who so decides what is changed here; "
                                      "do this step by hand"));
  };
  std::string at = "/";
  std::string rest = path;
  int links = 0;
  while (true) {
    struct stat directory = {};
    if (lstat(at.c_str(), &directory) != 0) return Failed(at, errno);
    if (!S_ISDIR(directory.st_mode)) return absl::OkStatus();  // its end
    const size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) return absl::OkStatus();
    if (!IsOurs(directory)) {
      return refused(at, absl::StrCat("belongs to user ", directory.st_uid));
    }
    const bool shared = (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (shared && (directory.st_mode & S_ISVTX) == 0) {
      return refused(at, "may be written by users other than root");
    }
    const size_t end = std::min(rest.find('/', begin), rest.size());
    const std::string name = rest.substr(begin, end - begin);
    rest.erase(0, end);
    if (name == ".") continue;
    if (name == "..") {
      at = std::string(host::Dirname(at));
      continue;
    }
    const std::string next = host::JoinPath(at, name);
    struct stat st = {};
    if (lstat(next.c_str(), &st) != 0) {
      return errno == ENOENT ? absl::OkStatus() : Failed(next, errno);  // it is ours to make
    }
    if (shared && !IsOurs(st)) {
      return refused(next, absl::StrCat("belongs to user ", st.st_uid));
    }
    if (!S_ISLNK(st.st_mode)) {
      at = next;
      continue;
    }
    if (++links > kMaxLinks) return Failed(path, ELOOP);
    char target[PATH_MAX];
    const ssize_t length = readlink(next.c_str(), target, sizeof target);
    if (length < 0) return Failed(next, errno);
    rest = absl::StrCat(absl::string_view(target, static_cast<size_t>(length)), "/", rest);
    if (rest.front() == '/') at.assign(1, '/');
  }
}

// A path as this machine has it. What only a process sees below its own root is refused.
absl::StatusOr<std::string> PlainPath(const std::string& path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos) {
    return Refused(path, "is no absolute path");
  }
  if (!absl::StartsWith(path, "/proc/")) return path;
  const size_t root = path.find("/root/", 6);
  int pid = 0;
  struct stat there = {};
  struct stat here = {};
  if (root != std::string::npos && absl::SimpleAtoi(path.substr(6, root - 6), &pid)) {
    const std::string plain = path.substr(root + 5);
    if (lstat(path.c_str(), &there) == 0 && lstat(plain.c_str(), &here) == 0 &&
        there.st_dev == here.st_dev && there.st_ino == here.st_ino) {
      return plain;
    }
  }
  return Refused(path, "is in the file system of a process, and not in this machine's");
}

// Likewise, and one that may be changed.
absl::StatusOr<std::string> HostPath(const std::string& path) {
  absl::StatusOr<std::string> plain = PlainPath(path);
  if (!plain.ok()) return plain;
  if (absl::Status ours = OnlyRootDecides(*plain); !ours.ok()) return ours;
  return plain;
}

// Without links. ENOENT gives the path itself, unless it is a link to nothing.
absl::StatusOr<std::string> Resolved(const std::string& path) {
  absl::StatusOr<std::string> plain = HostPath(path);
  if (!plain.ok()) return plain.status();
  const std::unique_ptr<char, void (*)(void*)> real(realpath(plain->c_str(), nullptr), free);
  if (real != nullptr) return std::string(real.get());
  if (errno != ENOENT && errno != ENOTDIR) return Failed(*plain, errno);
  struct stat st = {};
  if (lstat(plain->c_str(), &st) == 0) return Refused(*plain, "is a link to nothing");
  return *plain;
}

absl::Status SyncDirectory(const std::string& path) {
  const std::string dir(host::Dirname(path));
  const Fd fd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || fsync(fd.get()) != 0) return Failed(dir, errno);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.ok()) return Failed(path, errno);
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = read(fd.get(), buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed(path, errno);
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > kMaxContent) return Refused(path, "is larger than 1 MiB");
  }
  return text;
}

// Owner, mode and extended attributes (an access control list, the label of SELinux).
absl::Status CopyMetadata(const std::string& from, const struct stat& old, const Fd& to,
                          const std::string& path) {
  if (fchown(to.get(), old.st_uid, old.st_gid) != 0) return Failed(path, errno);
  if (fchmod(to.get(), old.st_mode & 07777) != 0) return Failed(path, errno);
  std::string names(kMaxAttribute, '\0');
  const ssize_t size = llistxattr(from.c_str(), names.data(), names.size());
  if (size < 0) return errno == ENOTSUP ? absl::OkStatus() : Failed(from, errno);
  names.resize(static_cast<size_t>(size));
  for (absl::string_view each : absl::StrSplit(names, '\0', absl::SkipEmpty())) {
    const std::string name(each);
    std::string value(kMaxAttribute, '\0');
    const ssize_t length = lgetxattr(from.c_str(), name.c_str(), value.data(), value.size());
    if (length < 0) return Failed(from, errno);
    if (fsetxattr(to.get(), name.c_str(), value.data(), static_cast<size_t>(length), 0) != 0) {
      return Failed(path, errno);
    }
  }
  return absl::OkStatus();
}

// A copy, for file systems without hard links.
absl::Status CopyFile(const std::string& from, const struct stat& old, const std::string& to) {
  absl::StatusOr<std::string> text = ReadFile(from);
  if (!text.ok()) return text.status();
  const Fd fd(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.ok()) return Failed(to, errno);
  absl::Status status = WriteAll(fd.get(), *text) ? absl::OkStatus() : Failed(to, errno);
  if (status.ok()) status = CopyMetadata(from, old, fd, to);
  const struct timespec times[2] = {old.st_atim, old.st_mtim};
  if (status.ok() && futimens(fd.get(), times) != 0) status = Failed(to, errno);
  if (status.ok() && fsync(fd.get()) != 0) status = Failed(to, errno);
  if (!status.ok()) unlink(to.c_str());
  return status;
}

// Renames to a name that is free.
int RenameToFree(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that does not know the flag: link(2) takes no name that is there either.
  if (link(from.c_str(), to.c_str()) != 0) return errno;
  if (unlink(from.c_str()) == 0) return 0;
  const int error = errno;
  unlink(to.c_str());
  return error;
}

// Opens what stands at `path`, not what a link there leads to, so that a mode is changed of
// what was looked at.
absl::StatusOr<Fd> OpenThis(const std::string& path, struct stat& st) {
  Fd fd(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok() || fstat(fd.get(), &st) != 0) return Failed(path, errno);
  if (S_ISLNK(st.st_mode)) return Refused(path, "is a link");
  return fd;
}

// fchmod(2) wants a descriptor that was opened to read; chmod(2) goes through this name.
std::string OfDescriptor(const Fd& fd) { return absl::StrCat("/proc/self/fd/", fd.get()); }

bool SeparatesEntries(char c) { return c == ' ' || c == '\t' || c == '\n' || c == ':'; }

std::string ModeText(mode_t mode) { return absl::StrFormat("%04o", mode); }

}  // namespace

absl::StatusOr<std::string> WithoutListEntries(absl::string_view text,
                                               const std::vector<std::string>& entries) {
  std::set<absl::string_view> missing(entries.begin(), entries.end());
  const std::set<absl::string_view> unwanted = missing;
  std::string left;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    std::string kept;
    bool removed = false;
    bool any = false;
    for (size_t i = 0; i < line.size();) {
      size_t end = i;
      while (end < line.size() && !SeparatesEntries(line[end])) ++end;
      const absl::string_view entry = line.substr(i, end - i);
      if (!entry.empty() && unwanted.contains(entry)) {
        missing.erase(entry);
        removed = true;
        i = end + 1;  // with the separator behind it
        continue;
      }
      any = any || !entry.empty();
      kept.append(line.data() + i, std::min(end + 1, line.size()) - i);
      i = end + 1;
    }
    if (removed && !any) continue;
    if (removed) {
      while (!kept.empty() && SeparatesEntries(kept.back())) kept.pop_back();
    }
    absl::StrAppend(&left, kept, "\n");
  }
  if (!missing.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("does not hold ", *missing.begin(), " any more"));
  }
  // What follows the last line end is no line.
  if (absl::EndsWith(text, "\n") && absl::EndsWith(left, "\n")) left.pop_back();
  return left;
}

absl::StatusOr<std::string> WithAssignment(absl::string_view text, int line, absl::string_view name,
                                           absl::string_view value) {
  const auto refused = [&](absl::string_view why) {
    return absl::FailedPreconditionError(absl::StrCat("line ", line, " ", why));
  };
  // Of systemd.exec(5), EnvironmentFile=: within double quotes these would need an escape.
  if (value.find_first_of("\n\r\"\\$`'") != absl::string_view::npos) {
    return refused("would need a value with quotes in it");
  }
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (line < 1 || static_cast<size_t>(line) > lines.size()) return refused("is not there");
  std::string& old = lines[static_cast<size_t>(line) - 1];
  absl::string_view rest = absl::StripAsciiWhitespace(old);
  if (!absl::ConsumePrefix(&rest, name) || !absl::ConsumePrefix(&rest, "=")) {
    return refused(absl::StrCat("does not assign ", name));
  }
  // One pair of quotes around all of it, or none: what goes on elsewhere is a person's.
  if (rest.size() >= 2 && (rest.front() == '"' || rest.front() == '\'') &&
      rest.front() == rest.back()) {
    rest = rest.substr(1, rest.size() - 2);
  }
  if (rest.find_first_of("\"'\\") != absl::string_view::npos) {
    return refused("has quotes or a continuation that a person should look at");
  }
  if (line > 1 && absl::EndsWith(lines[static_cast<size_t>(line) - 2], "\\")) {
    return refused("continues the line before it");
  }
  old = absl::StrCat(name, "=\"", value, "\"");
  return absl::StrJoin(lines, "\n");
}

std::string FileChanges::FreshName(const std::string& path) const {
  // Not *.conf: systemd reads no half a drop-in.
  return absl::StrCat(host::Dirname(path), "/.vgpu-doctor-", stamp_, ".new");
}

std::string FileChanges::BackupName(const std::string& path) const {
  return absl::StrCat(path, ".vgpu-doctor-", stamp_, ".bak");
}

bool FileChanges::IsAboutFile(const rules::Action& action) {
  return std::holds_alternative<rules::WriteFile>(action) ||
         std::holds_alternative<rules::RemoveEntries>(action) ||
         std::holds_alternative<rules::AssignVariable>(action) ||
         std::holds_alternative<rules::MoveFile>(action) ||
         std::holds_alternative<rules::MakeLink>(action) ||
         std::holds_alternative<rules::ChangeMode>(action) ||
         std::holds_alternative<rules::RemoveCapabilities>(action);
}

absl::Status FileChanges::Do(const rules::Action& action) {
  const size_t steps = undo_.size();
  const size_t words = changes_.size();
  absl::Status status = absl::InvalidArgumentError("this action is about no file");
  if (const auto* write = std::get_if<rules::WriteFile>(&action)) status = Write(*write);
  if (const auto* entries = std::get_if<rules::RemoveEntries>(&action))
    status = RemoveFrom(*entries);
  if (const auto* assign = std::get_if<rules::AssignVariable>(&action)) status = Assign(*assign);
  if (const auto* move = std::get_if<rules::MoveFile>(&action)) status = Move(*move);
  if (const auto* link = std::get_if<rules::MakeLink>(&action)) status = Link(*link);
  if (const auto* mode = std::get_if<rules::ChangeMode>(&action)) status = Mode(*mode);
  if (const auto* caps = std::get_if<rules::RemoveCapabilities>(&action)) {
    status = Capabilities(*caps);
  }
  if (status.ok()) return status;
  changes_.resize(words);
  if (absl::Status back = TakeBack(steps); !back.ok()) {
    return absl::InternalError(absl::StrCat(status.message(), "; and ", back.message()));
  }
  return status;
}

absl::Status FileChanges::MakeDirectories(const std::string& dir) {
  struct stat st = {};
  if (stat(dir.c_str(), &st) == 0) {
    return S_ISDIR(st.st_mode) ? absl::OkStatus() : Refused(dir, "is no directory");
  }
  if (errno != ENOENT) return Failed(dir, errno);
  if (absl::Status above = MakeDirectories(std::string(host::Dirname(dir))); !above.ok()) {
    return above;
  }
  if (mkdir(dir.c_str(), 0700) != 0) return Failed(dir, errno);
  undo_.push_back(RemoveDirectory{dir});
  if (chmod(dir.c_str(), 0755) != 0) return Failed(dir, errno);  // whatever the umask
  changes_.push_back({absl::StrCat("made the directory ", dir), dir, "",
                      absl::StrCat("sudo rmdir ", ShellQuoted(dir))});
  return SyncDirectory(dir);
}

absl::Status FileChanges::PutInPlace(const std::string& fresh, const std::string& path, bool exists,
                                     absl::string_view what) {
  const std::string backup = exists ? BackupName(path) : "";
  struct stat old = {};
  int error = 0;
  absl::Status status;
  absl::StatusOr<Inode> placed = InodeAt(fresh);
  if (!placed.ok()) status = placed.status();
  if (exists && lstat(path.c_str(), &old) != 0) status = Failed(path, errno);
  if (exists && status.ok() && linkat(AT_FDCWD, path.c_str(), AT_FDCWD, backup.c_str(), 0) != 0) {
    error = errno;
    // What file systems without hard links answer, and one whose link count is full.
    const bool no_links = error == EPERM || error == EOPNOTSUPP || error == EMLINK;
    status = no_links && S_ISREG(old.st_mode) ? CopyFile(path, old, backup) : Failed(backup, error);
  }
  if (!status.ok()) {
    unlink(fresh.c_str());
    return status;
  }
  error =
      exists ? (rename(fresh.c_str(), path.c_str()) == 0 ? 0 : errno) : RenameToFree(fresh, path);
  if (error != 0) {
    unlink(fresh.c_str());
    if (exists) unlink(backup.c_str());
    return Failed(path, error);
  }
  if (exists) {
    undo_.push_back(RenameBack{backup, path, *placed});
    changes_.push_back({absl::StrCat(what, " ", path), path, backup,
                        absl::StrCat("sudo mv -T ", ShellQuoted(backup), " ", ShellQuoted(path))});
  } else {
    undo_.push_back(RemoveFile{path, *placed});
    changes_.push_back({absl::StrCat(what, " ", path, ", which is new"), path, "",
                        absl::StrCat("sudo rm ", ShellQuoted(path))});
  }
  return SyncDirectory(path);
}

absl::Status FileChanges::WriteContent(const std::string& path, absl::string_view content,
                                       const struct stat* old) {
  const std::string fresh = FreshName(path);
  absl::Status status;
  {
    const Fd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.ok()) return Failed(fresh, errno);
    status = WriteAll(fd.get(), content) ? absl::OkStatus() : Failed(path, errno);
    if (status.ok() && old != nullptr) status = CopyMetadata(path, *old, fd, path);
    if (status.ok() && old == nullptr && fchmod(fd.get(), 0644) != 0) status = Failed(path, errno);
    if (status.ok() && fsync(fd.get()) != 0) status = Failed(path, errno);
  }
  if (!status.ok()) {
    unlink(fresh.c_str());
    return status;
  }
  return PutInPlace(fresh, path, old != nullptr, "wrote");
}

absl::Status FileChanges::Write(const rules::WriteFile& write) {
  absl::StatusOr<std::string> path = Resolved(write.path);
  if (!path.ok()) return path.status();
  struct stat old = {};
  const bool exists = lstat(path->c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) return Refused(*path, "is no regular file");
  if (!exists) {
    if (absl::Status made = MakeDirectories(std::string(host::Dirname(*path))); !made.ok()) {
      return made;
    }
    return WriteContent(*path, write.content, nullptr);
  }
  absl::StatusOr<std::string> before = ReadFile(*path);
  if (!before.ok()) return before.status();
  if (*before == write.content) return absl::OkStatus();
  return WriteContent(*path, write.content, &old);
}

absl::Status FileChanges::RemoveFrom(const rules::RemoveEntries& remove) {
  absl::StatusOr<std::string> path = Resolved(remove.path);
  if (!path.ok()) return path.status();
  absl::StatusOr<std::string> before = ReadFile(*path);
  if (!before.ok()) return before.status();
  absl::StatusOr<std::string> after = WithoutListEntries(*before, remove.entries);
  if (!after.ok()) return Refused(*path, after.status().message());
  return Write({*path, *after});
}

absl::Status FileChanges::Assign(const rules::AssignVariable& assign) {
  absl::StatusOr<std::string> path = Resolved(assign.path);
  if (!path.ok()) return path.status();
  absl::StatusOr<std::string> before = ReadFile(*path);
  if (!before.ok()) return before.status();
  absl::StatusOr<std::string> after =
      WithAssignment(*before, assign.line, assign.name, assign.value);
  if (!after.ok()) return Refused(*path, after.status().message());
  return Write({*path, *after});
}

absl::Status FileChanges::Move(const rules::MoveFile& move) {
  absl::StatusOr<std::string> from = HostPath(move.from);
  if (!from.ok()) return from.status();
  absl::StatusOr<std::string> to = HostPath(move.to);
  if (!to.ok()) return to.status();
  struct stat st = {};
  if (lstat(from->c_str(), &st) != 0) return Failed(*from, errno);
  if (absl::Status made = MakeDirectories(std::string(host::Dirname(*to))); !made.ok()) return made;
  if (const int error = RenameToFree(*from, *to); error != 0) return Failed(*to, error);
  undo_.push_back(RenameBack{*to, *from, std::nullopt});
  changes_.push_back({absl::StrCat("renamed ", *from, " to ", *to), *from, *to,
                      absl::StrCat("sudo mv -T ", ShellQuoted(*to), " ", ShellQuoted(*from))});
  if (absl::Status synced = SyncDirectory(*from); !synced.ok()) return synced;
  return SyncDirectory(*to);
}

absl::Status FileChanges::Link(const rules::MakeLink& link) {
  absl::StatusOr<std::string> path = HostPath(link.path);
  if (!path.ok()) return path.status();
  absl::StatusOr<std::string> target = HostPath(link.target);
  if (!target.ok()) return target.status();
  struct stat st = {};
  if (stat(target->c_str(), &st) != 0) return Failed(*target, errno);
  const bool exists = lstat(path->c_str(), &st) == 0;
  if (exists && S_ISDIR(st.st_mode)) return Refused(*path, "is a directory");
  if (absl::Status made = MakeDirectories(std::string(host::Dirname(*path))); !made.ok()) {
    return made;
  }
  const std::string fresh = FreshName(*path);
  if (symlink(target->c_str(), fresh.c_str()) != 0) return Failed(fresh, errno);
  return PutInPlace(fresh, *path, exists, absl::StrCat("linked ", *target, " to"));
}

absl::Status FileChanges::Mode(const rules::ChangeMode& change) {
  absl::StatusOr<std::string> path = Resolved(change.path);
  if (!path.ok()) return path.status();
  struct stat st = {};
  absl::StatusOr<Fd> fd = OpenThis(*path, st);
  if (!fd.ok()) return fd.status();
  const mode_t old = st.st_mode & 07777;
  const mode_t mode = (old | change.set) & ~change.clear;
  if (mode == old) return absl::OkStatus();
  if (chmod(OfDescriptor(*fd).c_str(), mode) != 0) return Failed(*path, errno);
  undo_.push_back(SetMode{*path, old});
  changes_.push_back(
      {absl::StrCat("changed the mode of ", *path, " from ", ModeText(old), " to ", ModeText(mode)),
       *path, "", absl::StrCat("sudo chmod ", ModeText(old), " ", ShellQuoted(*path))});
  return absl::OkStatus();
}

absl::Status FileChanges::Capabilities(const rules::RemoveCapabilities& remove) {
  absl::StatusOr<std::string> path = Resolved(remove.path);
  if (!path.ok()) return path.status();
  std::string value(kMaxAttribute, '\0');
  const ssize_t size = getxattr(path->c_str(), kCapabilities, value.data(), value.size());
  if (size < 0 && errno == ENODATA) return absl::OkStatus();
  if (size < 0) return Failed(*path, errno);
  value.resize(static_cast<size_t>(size));
  if (removexattr(path->c_str(), kCapabilities) != 0) return Failed(*path, errno);
  undo_.push_back(SetCapabilities{*path, value});
  changes_.push_back({absl::StrCat("took the capabilities of ", *path, " away"), *path, "", ""});
  return absl::OkStatus();
}

absl::StatusOr<FileChanges::Inode> FileChanges::InodeAt(const std::string& path) {
  struct stat st = {};
  if (lstat(path.c_str(), &st) != 0) return Failed(path, errno);
  return Inode{st.st_dev, st.st_ino};
}

absl::Status FileChanges::Back(const RenameBack& step) {
  if (!step.placed) {
    const int error = RenameToFree(step.from, step.to);
    return error == 0 ? absl::OkStatus() : absl::InternalError(host::ErrnoText(error));
  }
  // Gone is what somebody took away: what stood there comes back all the same.
  const absl::StatusOr<Inode> there = InodeAt(step.to);
  if (there.ok() && *there != *step.placed) {
    return absl::FailedPreconditionError(
        absl::StrCat("somebody else has replaced it; what stood there before is ", step.from));
  }
  if (rename(step.from.c_str(), step.to.c_str()) == 0) return absl::OkStatus();
  return absl::InternalError(host::ErrnoText(errno));
}

absl::Status FileChanges::Back(const RemoveFile& step) {
  const absl::StatusOr<Inode> there = InodeAt(step.path);
  if (there.ok() && *there != step.placed) {
    return absl::FailedPreconditionError("somebody else has replaced it");
  }
  if (unlink(step.path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::InternalError(host::ErrnoText(errno));
}

absl::Status FileChanges::Back(const RemoveDirectory& step) {
  if (rmdir(step.path.c_str()) == 0) return absl::OkStatus();
  // Somebody else put something there, or took it away already.
  if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return absl::OkStatus();
  return absl::InternalError(host::ErrnoText(errno));
}

absl::Status FileChanges::Back(const SetMode& step) {
  struct stat st = {};
  const absl::StatusOr<Fd> fd = OpenThis(step.path, st);
  if (!fd.ok()) return fd.status();
  if (chmod(OfDescriptor(*fd).c_str(), step.mode) == 0) return absl::OkStatus();
  return absl::InternalError(host::ErrnoText(errno));
}

absl::Status FileChanges::Back(const SetCapabilities& step) {
  if (setxattr(step.path.c_str(), kCapabilities, step.value.data(), step.value.size(), 0) == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError(host::ErrnoText(errno));
}

const std::string& FileChanges::PathOf(const Undo& undo) {
  if (const auto* back = std::get_if<RenameBack>(&undo)) return back->to;
  if (const auto* file = std::get_if<RemoveFile>(&undo)) return file->path;
  if (const auto* directory = std::get_if<RemoveDirectory>(&undo)) return directory->path;
  if (const auto* mode = std::get_if<SetMode>(&undo)) return mode->path;
  return std::get<SetCapabilities>(undo).path;
}

absl::Status FileChanges::TakeBack(size_t keep) {
  std::vector<std::string> failed;
  while (undo_.size() > keep) {
    const Undo undo = std::move(undo_.back());
    undo_.pop_back();
    const std::string& path = PathOf(undo);
    const absl::Status back = std::visit([](const auto& step) { return Back(step); }, undo);
    if (!back.ok()) {
      failed.push_back(absl::StrCat(path, " could not be taken back: ", back.message()));
    } else if (absl::Status synced = SyncDirectory(path); !synced.ok()) {
      failed.emplace_back(synced.message());
    }
  }
  if (failed.empty()) return absl::OkStatus();
  return absl::InternalError(absl::StrJoin(failed, "; "));
}

absl::Status FileChanges::RollBack() {
  changes_.clear();
  return TakeBack(0);
}

}  // namespace vgpu::doctor

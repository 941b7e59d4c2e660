#include "shims/usage/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "shims/base/sys.h"
#include "shims/base/text.h"
#include "shims/log/log.h"

namespace vgpu::usage {
namespace {

// Who fills the directory with files shall not make every call of everybody last.
constexpr int kMaxFiles = 4096;

// How long to wait for the lock, in microseconds: at most, and where the last wait was in vain.
constexpr long kPatience = 1000000;
constexpr long kLittlePatience = 1000;
constexpr long kPause = 50;

uint64_t AddUpTo(uint64_t a, uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

bool TakeNumber(std::string_view* text, uint64_t* number) {
  size_t size = 0;
  *number = 0;
  for (; size < text->size(); ++size) {
    const char c = (*text)[size];
    if (c < '0' || c > '9') break;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (*number > (UINT64_MAX - digit) / 10) return false;
    *number = *number * 10 + digit;
  }
  // One way to write each number.
  if (size == 0 || (size > 1 && text->front() == '0')) return false;
  text->remove_prefix(size);
  return true;
}

bool TakePoint(std::string_view* text) {
  if (!text->starts_with('.')) return false;
  text->remove_prefix(1);
  return true;
}

// "/proc/4711", and "/stat" behind it.
class ProcPath {
 public:
  explicit ProcPath(uint64_t pid, std::string_view file = "") {
    TextWriter(text_).Add("/proc/").AddUnsigned(pid).Add(file);
  }
  const char* c_str() const { return text_.data(); }

 private:
  std::array<char, 48> text_;
};

// The beginning of a file of procfs, which one read(2) gives. 0, or an error's number.
int ReadProc(const ProcPath& path, std::span<char> buffer, std::string_view* text) {
  const int fd = sys::OpenAt(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK);
  if (fd < 0) return -fd;
  const ssize_t size = sys::Read(fd, buffer.data(), buffer.size());
  sys::Close(fd);
  if (size < 0) return static_cast<int>(-size);
  *text = {buffer.data(), static_cast<size_t>(size)};
  return 0;
}

// 0, or why it is not known: an error's number.
int StatOf(uint64_t pid, ProcessStat* stat) {
  std::array<char, 1024> buffer;
  std::string_view text;
  const int error = ReadProc(ProcPath(pid, "/stat"), buffer, &text);
  if (error != 0) return error;
  return ParseProcessStat(text, stat) ? 0 : EINVAL;
}

// Whether a process has this effective user. Its /proc/PID is that user's, or root's where it may
// not be traced (proc(5)); then its status says more.
bool IsOfUser(uint64_t pid, uint64_t uid) {
  struct stat status;
  if (sys::StatAt(AT_FDCWD, ProcPath(pid).c_str(), &status, 0) != 0) return false;
  if (status.st_uid != 0) return status.st_uid == uid;
  std::array<char, 1024> buffer;
  std::string_view text;
  if (ReadProc(ProcPath(pid, "/status"), buffer, &text) != 0) return false;
  constexpr std::string_view kKey = "\nUid:\t";
  const size_t key = text.find(kKey);
  if (key == std::string_view::npos) return false;
  text.remove_prefix(key + kKey.size());
  uint64_t real, effective;
  if (!TakeNumber(&text, &real) || !text.starts_with('\t')) return false;
  text.remove_prefix(1);
  return TakeNumber(&text, &effective) && effective == uid;
}

enum class Life { kGone, kDoubtful, kAlive };

Life LifeOf(const FileName& name) {
  ProcessStat stat;
  const int error = StatOf(name.pid, &stat);
  // proc(5), hidepid: there may be a process of another user, of which nothing more can be known.
  const bool hidden = error == ENOENT || error == ESRCH
                          ? sys::Probe(static_cast<pid_t>(name.pid)) == -EPERM
                          : error == EACCES || error == EPERM;
  if (hidden) return Life::kAlive;
  if (error == ENOENT || error == ESRCH) return Life::kGone;
  if (error != 0) return Life::kDoubtful;
  if (stat.start != name.start || stat.IsZombie()) return Life::kGone;
  return IsOfUser(name.pid, name.uid) ? Life::kAlive : Life::kDoubtful;
}

// False: it cannot be read, or is no record of that user's.
bool ReadRecord(int directory, const char* file, uint64_t uid, Record* record) {
  const int fd = sys::OpenAt(directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat status;
  const bool read = sys::Stat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                    status.st_uid == uid && status.st_size == sizeof(Record) &&
                    sys::PositionedRead(fd, record, sizeof(Record), 0) == sizeof(Record);
  sys::Close(fd);
  return read && record->magic == kMagic && record->count >= 0 &&
         record->count <= device::kMaxDevices;
}

const Held* FindIn(const Record& record, const device::Uuid& uuid) {
  for (int64_t i = 0; i < record.count; ++i) {
    if (record.held[i].uuid == uuid) return &record.held[i];
  }
  return nullptr;
}

// Makes the directory as /tmp is. Under another name first: nobody shall see it before everybody
// may write to it.
void MakeDirectory(const char* path) {
  std::array<char, 256> buffer;
  TextWriter name(buffer);
  name.Add(path).AddByte('.').AddUnsigned(static_cast<uint64_t>(getpid()));
  if (name.cut() || sys::MakeDirectoryAt(AT_FDCWD, buffer.data(), 0700) < 0) return;
  const int fd = sys::OpenAt(AT_FDCWD, buffer.data(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const bool ready = fd >= 0 && sys::ChangeMode(fd, 01777) == 0;
  if (fd >= 0) sys::Close(fd);
  if (!ready || sys::RenameAt(AT_FDCWD, buffer.data(), path) < 0) {
    sys::RemoveDirectoryAt(AT_FDCWD, buffer.data());
  }
}

}  // namespace

void FormatFileName(const FileName& name, std::span<char, kFileNameText> text) {
  TextWriter writer(text);
  writer.AddUnsigned(name.pid_namespace).AddByte('.').AddUnsigned(name.pid).AddByte('.');
  writer.AddUnsigned(name.start).AddByte('.').AddUnsigned(name.uid);
}

bool ParseFileName(std::string_view text, FileName* name) {
  FileName parsed;
  if (!TakeNumber(&text, &parsed.pid_namespace) || !TakePoint(&text)) return false;
  if (!TakeNumber(&text, &parsed.pid) || !TakePoint(&text)) return false;
  if (!TakeNumber(&text, &parsed.start) || !TakePoint(&text)) return false;
  if (!TakeNumber(&text, &parsed.uid) || !text.empty()) return false;
  // pid_t; 0 and below mean groups of processes to kill(2).
  if (parsed.pid == 0 || parsed.pid > INT32_MAX) return false;
  *name = parsed;
  return true;
}

bool ParseProcessStat(std::string_view text, ProcessStat* stat) {
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return false;
  text.remove_prefix(name_end + 1);
  for (int field = 3; field <= 22; ++field) {
    if (!text.starts_with(' ')) return false;
    text.remove_prefix(1);
    const std::string_view value = text.substr(0, text.find(' '));
    std::string_view digits = value;
    if (field == 3 && value.size() != 1) return false;
    if (field == 3) stat->state = value[0];
    if (field == 20 && (!TakeNumber(&digits, &stat->threads) || !digits.empty())) return false;
    if (field == 22 && (!TakeNumber(&digits, &stat->start) || !digits.empty())) return false;
    text.remove_prefix(value.size());
  }
  return true;
}

// The directory for the time of one call, locked where that is possible.
class Store::OpenDirectory {
 public:
  // `make`: where there is none.
  OpenDirectory(const char* path, bool make) {
    fd_ = Open(path);
    if (fd_ != -ENOENT || !make) return;
    MakeDirectory(path);
    fd_ = Open(path);
  }
  ~OpenDirectory() {
    if (fd_ >= 0) sys::Close(fd_);  // which unlocks it
  }
  OpenDirectory(const OpenDirectory&) = delete;
  OpenDirectory& operator=(const OpenDirectory&) = delete;

  // Below zero: why it is not open.
  int fd() const { return fd_; }

  // Waits at most `patience` microseconds for `operation` (flock(2)).
  bool Lock(int operation, long patience) {
    for (long waited = 0;; waited += kPause) {
      if (sys::Lock(fd_, operation | LOCK_NB) == 0) return true;
      if (waited >= patience) return false;
      sys::Sleep(kPause);
    }
  }

  // Calls `visit(name, record)` for what each process holds that is alive and in this PID
  // namespace, but `self`'s where that is not null; removes what is of nobody any more.
  template <typename Visit>
  void ForEach(uint64_t pid_namespace, const FileName* self, Visit visit) {
    alignas(struct dirent64) std::array<char, 2048> buffer;
    int files = 0;
    while (files < kMaxFiles) {
      const ssize_t size = sys::ReadEntries(fd_, buffer.data(), buffer.size());
      if (size <= 0) return;
      for (ssize_t at = 0; at < size && files < kMaxFiles;) {
        const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
        at += entry->d_reclen;
        FileName name;
        if (!ParseFileName(entry->d_name, &name) || name.pid_namespace != pid_namespace ||
            (self != nullptr && name == *self)) {
          continue;
        }
        ++files;
        Record record;
        switch (LifeOf(name)) {
          case Life::kGone:
            if (const uid_t user = geteuid(); user == 0 || user == name.uid) {
              sys::UnlinkAt(fd_, entry->d_name);
            }
            break;
          case Life::kDoubtful:
            break;
          case Life::kAlive:
            if (ReadRecord(fd_, entry->d_name, name.uid, &record)) visit(name, record);
            break;
        }
      }
    }
  }

 private:
  static int Open(const char* path) {
    return sys::OpenAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

  int fd_;
};

// A child of fork has its parent's memory, and none of what that holds.
void Store::ForgetParent() {
  if (!knows_self_ || self_.pid == static_cast<uint64_t>(getpid())) return;
  knows_self_ = false;
  alone_ = false;
  record_ = Record();
}

bool Store::KnowSelf() {
  ForgetParent();
  if (knows_self_) return true;
  self_ = FileName();
  self_.pid = static_cast<uint64_t>(getpid());
  self_.uid = geteuid();
  knows_self_ = true;
  struct stat status;
  int error = sys::StatAt(AT_FDCWD, "/proc/self/ns/pid", &status, 0);
  ProcessStat stat;
  if (error == 0) error = -StatOf(self_.pid, &stat);
  if (error != 0) {
    BeAlone("/proc/self", -error);
    return false;
  }
  self_.pid_namespace = status.st_ino;
  self_.start = stat.start;
  return true;
}

void Store::BeAlone(std::string_view what, int error) {
  if (alone_) return;
  alone_ = true;
  const char* words = strerrordesc_np(error);
  log::Write(log::Level::kInfo, "libvgpu-cuda", "memory is counted for this process alone",
             {{"path", what}, {"reason", words}});
}

// Null: there are more devices than there can be.
Held* Store::Find(const device::Device& device) {
  for (int64_t i = 0; i < record_.count; ++i) {
    if (record_.held[i].uuid == device.uuid) return &record_.held[i];
  }
  if (record_.count == device::kMaxDevices) return nullptr;
  Held& held = record_.held[record_.count++];
  held.uuid = device.uuid;
  return &held;
}

// Writes what this process holds, or removes its file where that is nothing. False: it cannot.
bool Store::Publish(OpenDirectory& directory) {
  if (directory.fd() < 0) {
    BeAlone(directory_, -directory.fd());
    return false;
  }
  std::array<char, kFileNameText> name;
  if (const uint64_t user = geteuid(); user != self_.uid) {
    // A file is believed of its process's user alone: this one has changed.
    FormatFileName(self_, name);
    sys::UnlinkAt(directory.fd(), name.data());
    self_.uid = user;
  }
  FormatFileName(self_, name);
  const bool nothing = std::all_of(record_.held.begin(), record_.held.begin() + record_.count,
                                   [](const Held& h) { return h.bytes == 0 && h.contexts == 0; });
  if (nothing) {
    sys::UnlinkAt(directory.fd(), name.data());
    return true;
  }
  return WriteFile(directory.fd(), name.data());
}

// A descriptor, or below zero why there is none.
int Store::OpenFile(int directory, const char* name) {
  constexpr int kFlags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK;
  const int existing = sys::OpenAt(directory, name, kFlags);
  if (existing >= 0) {
    struct stat status;
    if (sys::Stat(existing, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_uid == self_.uid && status.st_nlink == 1) {
      return existing;
    }
    sys::Close(existing);
  }
  // Somebody may have guessed the name, and put something else there.
  if (existing != -ENOENT) sys::UnlinkAt(directory, name);
  const int fd = sys::OpenAt(directory, name, kFlags | O_CREAT | O_EXCL, 0600);
  // Whatever the umask is, the others read it.
  if (fd >= 0) sys::ChangeMode(fd, 0644);
  return fd;
}

bool Store::WriteFile(int directory, const char* name) {
  const int fd = OpenFile(directory, name);
  ssize_t written = fd;
  if (fd >= 0) {
    written = sys::PositionedWrite(fd, &record_, sizeof record_, 0);
    sys::Close(fd);
  }
  if (written == sizeof record_) return true;
  sys::UnlinkAt(directory, name);
  BeAlone(directory_, written < 0 ? static_cast<int>(-written) : ENOSPC);
  return false;
}

uint64_t Store::OfOthers(OpenDirectory& directory, const device::Device& device) {
  uint64_t sum = 0;
  directory.ForEach(self_.pid_namespace, &self_, [&](const FileName&, const Record& record) {
    if (const Held* held = FindIn(record, device.uuid)) sum = AddUpTo(sum, held->bytes);
  });
  return sum;
}

bool Store::Reserve(const device::Device& device, uint64_t bytes) {
  MutexLock lock(mutex_);
  const bool shared = KnowSelf() && !alone_;
  Held* held = Find(device);
  if (held == nullptr || held->bytes > device.memory_bytes ||
      bytes > device.memory_bytes - held->bytes) {
    return false;
  }
  held->bytes += bytes;
  if (!shared) return true;
  OpenDirectory directory(directory_, true);
  if (directory.fd() >= 0) {
    const long patience = lock_was_kept_from_us_ ? kLittlePatience : kPatience;
    lock_was_kept_from_us_ = !directory.Lock(LOCK_EX, patience);
  }
  if (!Publish(directory)) return true;
  if (AddUpTo(held->bytes, OfOthers(directory, device)) <= device.memory_bytes) return true;
  held->bytes -= bytes;
  Publish(directory);
  return false;
}

// Adds `contexts`, and takes `released` bytes away.
void Store::Change(const device::Device& device, int64_t contexts, uint64_t released) {
  MutexLock lock(mutex_);
  const bool shared = KnowSelf() && !alone_;
  Held* held = Find(device);
  if (held == nullptr) return;
  held->bytes -= std::min(released, held->bytes);
  if (contexts >= 0 || held->contexts > 0) held->contexts += static_cast<uint64_t>(contexts);
  if (!shared) return;
  OpenDirectory directory(directory_, true);
  Publish(directory);
}

void Store::Release(const device::Device& device, uint64_t bytes) { Change(device, 0, bytes); }
void Store::ContextCreated(const device::Device& device) { Change(device, 1, 0); }
void Store::ContextDestroyed(const device::Device& device) { Change(device, -1, 0); }

uint64_t Store::Used(const device::Device& device) {
  MutexLock lock(mutex_);
  uint64_t sum = 0;
  if (!KnowSelf() || alone_) {
    const Held* held = FindIn(record_, device.uuid);
    sum = held == nullptr ? 0 : held->bytes;
  } else if (OpenDirectory directory(directory_, false); directory.fd() >= 0) {
    directory.Lock(LOCK_SH, kLittlePatience);
    directory.ForEach(self_.pid_namespace, nullptr, [&](const FileName&, const Record& record) {
      if (const Held* held = FindIn(record, device.uuid)) sum = AddUpTo(sum, held->bytes);
    });
  }
  return std::min(sum, device.memory_bytes);
}

size_t Store::Processes(const device::Device& device, std::span<ProcessUse> out) {
  MutexLock lock(mutex_);
  size_t count = 0;
  const auto add = [&](uint64_t pid, const Record& record) {
    const Held* held = FindIn(record, device.uuid);
    if (held == nullptr || (held->bytes == 0 && held->contexts == 0)) return;
    // Those that were added are in the order of their ids; the last one may have to go.
    const ProcessUse use = {.pid = static_cast<pid_t>(pid), .bytes = held->bytes};
    const auto end = out.begin() + static_cast<ptrdiff_t>(std::min(count, out.size()));
    const auto place =
        std::upper_bound(out.begin(), end, use,
                         [](const ProcessUse& a, const ProcessUse& b) { return a.pid < b.pid; });
    ++count;
    if (place == out.end()) return;
    std::move_backward(place, end == out.end() ? end - 1 : end, end == out.end() ? end : end + 1);
    *place = use;
  };
  if (!KnowSelf() || alone_) {
    add(static_cast<uint64_t>(getpid()), record_);
  } else if (OpenDirectory directory(directory_, false); directory.fd() >= 0) {
    directory.Lock(LOCK_SH, kLittlePatience);
    directory.ForEach(self_.pid_namespace, nullptr,
                      [&](const FileName& name, const Record& record) { add(name.pid, record); });
  }
  return count;
}

bool Store::Alone() {
  MutexLock lock(mutex_);
  ForgetParent();
  return alone_;
}

}  // namespace vgpu::usage

// Where usage.h keeps what each process holds: a directory with a file for each process.
//
//   constinit Store store("/dev/shm/vgpu");
//   if (!store.Reserve(device, bytes)) ...
//
// The directory is like /tmp (mode 1777): the first process makes it. A file is called
// PIDNAMESPACE.PID.STARTTIME.UID, in decimal (the inode of /proc/self/ns/pid, field 22 of
// /proc/PID/stat, the effective user), holds one Record, and is believed only while there is
// that process with that start time and that user, and the file is that user's. One whose
// process has gone is ignored, and removed by the first reader that owns it or is root. It
// disappears when its process holds nothing any more. A file of another PID namespace is left
// alone: its process cannot be asked for.
//
// A reservation is written before the others are counted, and taken back where it was too much:
// so two processes never both get the last byte, whatever comes between. flock(2) on the
// directory makes them wait for each other, so that neither is turned away for the other's
// attempt; a process that holds that lock without end delays others once, by a second.
//
// No descriptor is kept, because programs close those that they do not know, and hand out their
// numbers again. Where the directory, procfs or the file cannot be used, the process counts for
// itself alone from then on, and one line of level info says so.
//
// Thread-safe. errno is kept. A process that has come from fork(2) is seen by its id, and starts
// at zero; who forks takes part in PrepareFork. One that calls execve(2) while it holds memory
// is believed to hold it until it ends or uses a store again.

#ifndef SHIMS_USAGE_STORE_H_
#define SHIMS_USAGE_STORE_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "shims/base/mutex.h"
#include "shims/device/device.h"
#include "shims/usage/usage.h"

namespace vgpu::usage {

// What one process holds of one device.
struct Held {
  device::Uuid uuid;
  uint64_t bytes = 0;
  uint64_t contexts = 0;
};

inline constexpr std::array<char, 8> kMagic = {'V', 'G', 'P', 'U', 'U', 'S', 'E', '1'};

// The content of a file, in the machine's byte order.
struct Record {
  std::array<char, 8> magic = kMagic;
  int64_t count = 0;
  std::array<Held, device::kMaxDevices> held = {};
};

// Which process a file is of.
struct FileName {
  uint64_t pid_namespace = 0;
  uint64_t pid = 0;
  uint64_t start = 0;
  uint64_t uid = 0;

  friend constexpr bool operator==(const FileName&, const FileName&) = default;
};
inline constexpr size_t kFileNameText = 84;  // four numbers of 20 digits, three points, a NUL
void FormatFileName(const FileName& name, std::span<char, kFileNameText> text);
// False: it is none, or not as FormatFileName writes it.
bool ParseFileName(std::string_view text, FileName* name);

// What a /proc/PID/stat says (proc(5)).
struct ProcessStat {
  char state = 0;        // field 3
  uint64_t threads = 0;  // field 20
  uint64_t start = 0;    // field 22

  // Its memory is gone, and nobody has waited for it yet. The thread that came first may also
  // have ended before the others.
  bool IsZombie() const { return (state == 'Z' || state == 'X') && threads <= 1; }
};
// The program's name, field 2, may hold anything. False: `text` is none.
bool ParseProcessStat(std::string_view text, ProcessStat* stat);

class Store {
 public:
  // `directory` outlives the store. Its parent exists.
  constexpr explicit Store(const char* directory) : directory_(directory) {}

  // As in usage.h.
  bool Reserve(const device::Device& device, uint64_t bytes);
  void Release(const device::Device& device, uint64_t bytes);
  void ContextCreated(const device::Device& device);
  void ContextDestroyed(const device::Device& device);
  uint64_t Used(const device::Device& device);
  size_t Processes(const device::Device& device, std::span<ProcessUse> out);

  // Before a fork, and after it on both sides: for pthread_atfork(3).
  void PrepareFork() { mutex_.Lock(); }
  void AfterFork() { mutex_.Unlock(); }

  // Whether this process counts for itself alone.
  bool Alone();

 private:
  class OpenDirectory;

  void ForgetParent();
  bool KnowSelf();
  void BeAlone(std::string_view what, int error);
  Held* Find(const device::Device& device);
  bool Publish(OpenDirectory& directory);
  int OpenFile(int directory, const char* name);
  bool WriteFile(int directory, const char* name);
  uint64_t OfOthers(OpenDirectory& directory, const device::Device& device);
  void Change(const device::Device& device, int64_t contexts, uint64_t released);

  Mutex mutex_;
  const char* directory_;
  bool alone_ = false;
  bool knows_self_ = false;
  bool lock_was_kept_from_us_ = false;
  FileName self_;  // uid: of the file that was written last
  Record record_;
};

}  // namespace vgpu::usage

#endif  // SHIMS_USAGE_STORE_H_

// What the kernel's log says that bears on a GPU or on Ollama's processes: crashes, the
// NVIDIA driver's own complaints, sleep and resume, kills for memory.
//
//   absl::StatusOr<KernelLog> log = ReadKernelLog(*source, "journalctl -k -o json");
//   if (const KernelEvent* resume = log->Last(KernelEvent::Kind::kResume)) ...
//
// Sources: Linux 6.1, arch/x86/mm/fault.c (show_signal_msg), arch/x86/kernel/traps.c,
// kernel/power/suspend.c, kernel/power/hibernate.c, mm/oom_kill.c; NVIDIA's open kernel
// modules 570, nv.c and "XID Errors" of its documentation.
//
// Memory is bounded whatever the log's size. Values; thread-compatible.

#ifndef DIAG_FACTS_KERNEL_LOG_H_
#define DIAG_FACTS_KERNEL_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "diag/host/host.h"
#include "diag/host/observed.h"

namespace vgpu::facts {

struct KernelEvent {
  enum class Kind {
    kCrash,         // "ollama[57302]: segfault at 0 … in libvgpu-cuda.so[…]", a trap
    kXid,           // "NVRM: Xid (PCI:0000:00:05): 79, …"
    kGpuLost,       // "… GPU has fallen off the bus."
    kApiMismatch,   // "NVRM: API mismatch: the client has the version …"
    kDriver,        // another line of NVRM that tells of a failure
    kDriverLoaded,  // "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15"
    kDeviceAdded,   // "pci 0000:00:05.0: [10de:2331] type 00 class 0x030200"
    kSuspend,       // "PM: suspend entry (deep)"
    kResume,        // "PM: suspend exit"
    kOomKill,       // "Out of memory: Killed process 57290 (ollama) …"
    kHypervisor,    // "Hypervisor detected: KVM"
  };
  Kind kind = Kind::kDriver;
  uint64_t number = 0;  // of the entry in the log
  host::Observed<absl::Time> time = host::NotObserved{"the entry does not say"};
  std::string text;     // at most kMaxKernelText bytes
  std::string program;  // of a crash or a kill: "ollama"; at most 15 bytes, as the kernel has it
  int pid = 0;          // of those
  std::string object;   // of a crash: the library that it happened in
  int xid = 0;
};

struct KernelLog {
  std::string source;
  absl::Status status;  // not OK: reading ended there; what came before stands
  uint64_t lines = 0;
  host::Observed<absl::Time> first = host::Absent{};  // the time that the log covers
  host::Observed<absl::Time> last = host::Absent{};
  std::vector<KernelEvent> events;  // the latest kMaxKernelEvents, in order

  // The last of a kind; null where there is none.
  const KernelEvent* Last(KernelEvent::Kind kind) const;
};

inline constexpr size_t kMaxKernelEvents = 256;
inline constexpr size_t kMaxKernelText = 1024;

// `journalctl -k -o json`. Errors: it is something else.
absl::StatusOr<KernelLog> ReadKernelLog(host::ByteSource& source, std::string name);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_KERNEL_LOG_H_

#include "diag/host/file_caps.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>

#include "absl/strings/str_cat.h"

namespace vgpu::host {
namespace {

// By number (include/uapi/linux/capability.h, up to Linux 6.x).
constexpr absl::string_view kNames[] = {"chown",
                                        "dac_override",
                                        "dac_read_search",
                                        "fowner",
                                        "fsetid",
                                        "kill",
                                        "setgid",
                                        "setuid",
                                        "setpcap",
                                        "linux_immutable",
                                        "net_bind_service",
                                        "net_broadcast",
                                        "net_admin",
                                        "net_raw",
                                        "ipc_lock",
                                        "ipc_owner",
                                        "sys_module",
                                        "sys_rawio",
                                        "sys_chroot",
                                        "sys_ptrace",
                                        "sys_pacct",
                                        "sys_admin",
                                        "sys_boot",
                                        "sys_nice",
                                        "sys_resource",
                                        "sys_time",
                                        "sys_tty_config",
                                        "mknod",
                                        "lease",
                                        "audit_write",
                                        "audit_control",
                                        "setfcap",
                                        "mac_override",
                                        "mac_admin",
                                        "syslog",
                                        "wake_alarm",
                                        "block_suspend",
                                        "audit_read",
                                        "perfmon",
                                        "bpf",
                                        "checkpoint_restore"};

constexpr uint32_t kEffective = 1;  // VFS_CAP_FLAGS_EFFECTIVE

uint32_t WordAt(absl::string_view bytes, size_t at) {
  uint32_t word = 0;
  for (int i = 3; i >= 0; --i) word = word << 8 | static_cast<uint8_t>(bytes[at + i]);
  return word;
}

}  // namespace

Observed<std::string> FileCapsText(absl::string_view attribute) {
  constexpr size_t kSizes[] = {0, 12, 20, 24};  // by revision
  if (attribute.size() < 4) return NotObserved{"security.capability is cut"};
  const uint32_t magic = WordAt(attribute, 0);
  const uint32_t revision = magic >> 24;
  if (revision < 1 || revision > 3 || attribute.size() != kSizes[revision]) {
    return NotObserved{absl::StrCat("security.capability of revision ", revision, " and ",
                                    attribute.size(), " bytes")};
  }
  const int words = revision == 1 ? 1 : 2;
  // Those with the same flags stand together: "cap_bpf,cap_perfmon=ep cap_chown=i".
  std::map<std::string, std::string> by_flags;
  for (int number = 0; number < 32 * words; ++number) {
    const size_t at = 4 + 8 * static_cast<size_t>(number / 32);
    const uint32_t bit = uint32_t{1} << (number % 32);
    const bool permitted = (WordAt(attribute, at) & bit) != 0;
    const bool inheritable = (WordAt(attribute, at + 4) & bit) != 0;
    if (!permitted && !inheritable) continue;
    std::string flags = (magic & kEffective) != 0 ? "e" : "";
    if (inheritable) flags += "i";
    if (permitted) flags += "p";
    std::string& names = by_flags[flags];
    absl::StrAppend(&names, names.empty() ? "" : ",", "cap_");
    if (static_cast<size_t>(number) < std::size(kNames)) {
      absl::StrAppend(&names, kNames[number]);
    } else {
      absl::StrAppend(&names, number);
    }
  }
  std::string text;
  for (const auto& [flags, names] : by_flags) {
    absl::StrAppend(&text, text.empty() ? "" : " ", names, "=", flags);
  }
  if (text.empty()) return Absent{};
  return text;
}

}  // namespace vgpu::host

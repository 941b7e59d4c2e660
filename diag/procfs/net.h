// /proc/net/tcp and tcp6: which sockets there are, and whose.
//
//   absl::StatusOr<SocketTable> table = ParseSockets(content.bytes, content.truncated);
//   for (uint64_t inode : table->ListeningInodes(11434)) ...
//
// A process holds a socket where one of its /proc/PID/fd/N is "socket:[INODE]". The files
// show the network namespace of the reader (/proc/net is /proc/self/net).
//
// Value types; thread-compatible. Malformed lines are skipped and counted, empty ones skipped.

#ifndef DIAG_PROCFS_NET_H_
#define DIAG_PROCFS_NET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vgpu::procfs {

struct Socket {
  static constexpr uint8_t kListen = 0x0a;  // TCP_LISTEN, include/net/tcp_states.h

  std::string local_address;  // "127.0.0.1", "0.0.0.0", "::", "::1"
  uint16_t local_port = 0;
  uint8_t state = 0;
  uint32_t uid = 0;    // of who made it
  uint64_t inode = 0;  // 0: it belongs to no process (any more)
};

struct SocketTable {
  std::vector<Socket> sockets;
  size_t malformed_lines = 0;

  // The text was cut, by a read limit or before it came here (its last line is not ended).
  // Listening sockets come first in it, so few are missed.
  bool truncated = false;

  // False: there may be sockets that `sockets` lacks.
  bool whole() const { return !truncated && malformed_lines == 0; }

  // Inodes of the sockets that listen on a port, each once.
  std::vector<uint64_t> ListeningInodes(uint16_t port) const;
};

// One line of either file; nullopt where it is none. The kernel prints an address as
// 32-bit words in its own byte order: little-endian is taken for granted, as on x86-64
// and arm64.
std::optional<Socket> ParseSocketLine(absl::string_view line);

// An error where the text does not begin with the heading of these files. `truncated`:
// the file goes on behind `text`; the line that was cut is left out.
absl::StatusOr<SocketTable> ParseSockets(absl::string_view text, bool truncated = false);

}  // namespace vgpu::procfs

#endif  // DIAG_PROCFS_NET_H_

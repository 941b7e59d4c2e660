#include "diag/procfs/net.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/procfs/scan.h"

namespace vgpu::procfs {
namespace {

constexpr size_t kWordDigits = 8;

// One or four words of eight hexadecimal digits.
std::optional<std::string> ParseAddress(absl::string_view digits) {
  const bool version4 = digits.size() == kWordDigits;
  if (!version4 && digits.size() != 4 * kWordDigits) return std::nullopt;
  std::array<uint8_t, 16> bytes = {};
  for (size_t word = 0; word < digits.size() / kWordDigits; ++word) {
    uint32_t value = 0;
    if (!ParseNumber(digits.substr(word * kWordDigits, kWordDigits), &value, 16)) {
      return std::nullopt;
    }
    for (size_t i = 0; i < 4; ++i) bytes[word * 4 + i] = static_cast<uint8_t>(value >> (8 * i));
  }
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(version4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text)) == nullptr) {
    return std::nullopt;
  }
  return text;
}

}  // namespace

// "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   998  0 1611 ..."
//   sl   local         remote        st tx       rx       tr tm       retrnsmt  uid timeout inode
std::optional<Socket> ParseSocketLine(absl::string_view line) {
  Socket socket;
  const absl::string_view number = TakeField(&line);
  if (!absl::EndsWith(number, ":")) return std::nullopt;
  absl::string_view local = TakeField(&line);
  std::optional<std::string> address = ParseAddress(TakeUntil(':', &local));
  if (!address.has_value() || local.size() != 4 || !ParseNumber(local, &socket.local_port, 16)) {
    return std::nullopt;
  }
  socket.local_address = *std::move(address);
  TakeField(&line);
  if (!ParseNumber(TakeField(&line), &socket.state, 16)) return std::nullopt;
  for (int skipped = 0; skipped < 3; ++skipped) TakeField(&line);
  if (!ParseNumber(TakeField(&line), &socket.uid)) return std::nullopt;
  TakeField(&line);
  if (!ParseNumber(TakeField(&line), &socket.inode)) return std::nullopt;
  return socket;
}

absl::StatusOr<SocketTable> ParseSockets(absl::string_view text, bool truncated) {
  SocketTable table;
  table.truncated = truncated || IsCut(text);
  absl::string_view line;
  if (!TakeLine(&text, &line) || !absl::StrContains(line, "local_address")) {
    return absl::InvalidArgumentError(
        absl::StrCat("sockets: no heading with local_address: ", Quoted(line)));
  }
  // npos + 1 is 0: there is no whole line.
  if (table.truncated) text = text.substr(0, text.rfind('\n') + 1);
  while (TakeLine(&text, &line)) {
    if (line.empty()) continue;
    std::optional<Socket> socket = ParseSocketLine(line);
    if (socket.has_value()) {
      table.sockets.push_back(*std::move(socket));
    } else {
      ++table.malformed_lines;
    }
  }
  return table;
}

std::vector<uint64_t> SocketTable::ListeningInodes(uint16_t port) const {
  std::vector<uint64_t> inodes;
  for (const Socket& socket : sockets) {
    if (socket.state == Socket::kListen && socket.local_port == port && socket.inode != 0) {
      inodes.push_back(socket.inode);
    }
  }
  std::sort(inodes.begin(), inodes.end());
  inodes.erase(std::unique(inodes.begin(), inodes.end()), inodes.end());
  return inodes;
}

}  // namespace vgpu::procfs

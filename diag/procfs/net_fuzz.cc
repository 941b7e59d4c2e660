// Every line behind the heading is a socket or malformed.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/procfs/net.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = vgpu::procfs::ParseSockets(text);
  if (!table.ok()) return 0;
  size_t lines = 0;  // that are ended, and not empty
  for (size_t i = 0; i < size; ++i) lines += text[i] == '\n' && i > 0 && text[i - 1] != '\n';
  // The heading is one of them, or was cut and is all that there is.
  if (table->sockets.size() + table->malformed_lines != (lines == 0 ? 0 : lines - 1)) abort();
  for (const auto& socket : table->sockets) {
    if (socket.local_address.empty()) abort();
  }
  const auto inodes = table->ListeningInodes(11434);
  if (inodes.size() > table->sockets.size()) abort();
  if (std::adjacent_find(inodes.begin(), inodes.end()) != inodes.end()) abort();
  return 0;
}

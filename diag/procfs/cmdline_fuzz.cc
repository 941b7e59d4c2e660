// The arguments are the bytes between the NULs, and the text is made of them.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "diag/procfs/cmdline.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto parsed = vgpu::procfs::ParseCmdline(bytes);
  if (!parsed.ok()) return 0;
  const vgpu::procfs::Cmdline& cmdline = *parsed;
  std::string again;
  for (const std::string& arg : cmdline.args) {
    again += arg;
    again += '\0';
  }
  if (!bytes.empty() && bytes.back() != '\0') again.pop_back();
  if (again != bytes) abort();
  if (cmdline.Text().size() > size) abort();
  if (size == 0 && cmdline.probably_title) abort();
  return 0;
}

#include <fcntl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "shims/syscall/resolve.h"

// The input is a byte that says what for, and a path. What is in the tree is below its root and
// has no "..", and means the same when it is looked up once more; a path without anything of ours
// in it is not redirected.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vgpu::redirect;
  static TreeView view;
  static const bool made = [] {
    constexpr std::string_view kManifest =
        "vgpu-tree 1\n"
        "own sys/devices/pci0000:ff/0000:ff:1f.0\n"
        "own proc/driver/nvidia\n"
        "merge sys/bus/pci/devices\n"
        "alias sys/bus/pci/devices/0000:ff:1f.0 sys/devices/pci0000:ff/0000:ff:1f.0\n"
        "end\n";
    constexpr std::string_view kRoot = "/nonexistent/tree";
    memcpy(view.text.data(), kManifest.data(), kManifest.size());
    memcpy(view.root.data(), kRoot.data(), kRoot.size());
    view.root_size = kRoot.size();
    return ParseManifest(kManifest.size(), &view);
  }();
  if (!made) abort();
  if (size == 0) return 0;
  const auto purpose = static_cast<Purpose>(data[0] % 5);
  const std::string path(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::array<char, kMaxPath> found;
  found.fill('#');
  const Resolved resolved = ResolveFor(view, {}, AT_FDCWD, path.c_str(), purpose, found);
  if (resolved == Resolved::kNot) return 0;
  if (memchr(found.data(), '\0', found.size()) == nullptr) abort();
  std::string text = found.data();
  if (text.empty() || text[0] != '/') abort();
  if ((text + "/").find("/../") != std::string::npos) abort();
  if (resolved == Resolved::kOutside) return 0;
  if (purpose != Purpose::kName) {
    if (!text.starts_with(std::string(view.Root()) + "/")) abort();
    text.erase(0, view.root_size);
  }
  if (!MayBeOurs(text.c_str())) abort();
  std::array<char, kMaxPath> again;
  if (ResolveFor(view, {}, AT_FDCWD, text.c_str(), purpose, again) != Resolved::kInTree) abort();
  if (strcmp(again.data(), found.data()) != 0) abort();
  return 0;
}

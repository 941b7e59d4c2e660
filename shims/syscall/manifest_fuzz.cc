#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "shims/syscall/tree_view.h"

// What is taken for a manifest is whole, its parts are within its text, and can be looked up; its
// beginnings are none.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vgpu::redirect;
  if (size > kMaxManifest) return 0;
  auto parse = [data](size_t length) {
    auto view = std::make_unique<TreeView>();
    if (length != 0) memcpy(view->text.data(), data, length);
    if (!ParseManifest(length, view.get())) view.reset();
    return view;
  };
  std::unique_ptr<TreeView> view = parse(size);
  if (view == nullptr) return 0;
  if (view->owned_count > kMaxOwned || view->merged_count > kMaxMerged ||
      view->alias_count > kMaxAliases) {
    abort();
  }
  const char* begin = view->text.data();
  auto is_inside = [&](std::string_view part) {
    return !part.empty() && part.data() >= begin && part.data() + part.size() <= begin + size;
  };
  for (size_t i = 0; i < view->owned_count; ++i) {
    if (!is_inside(view->owned[i]) || !view->IsOwned(view->owned[i])) abort();
    if (!view->IsOwned(std::string(view->owned[i]) + "/vendor")) abort();
  }
  for (size_t i = 0; i < view->merged_count; ++i) {
    if (!is_inside(view->merged[i]) || !view->IsMerged(view->merged[i])) abort();
  }
  for (size_t i = 0; i < view->alias_count; ++i) {
    const Alias& alias = view->aliases[i];
    if (!is_inside(alias.to)) abort();
    if (!alias.from.empty() && view->FindAlias(alias.from) == nullptr) abort();
  }
  // The last line's newline is what was written last.
  if (parse(size - 1) != nullptr) abort();
  return 0;
}
